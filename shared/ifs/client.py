"""Calls to one IFS tenant: within the shared budget, with the shared token, on the configured origin.

Never retries, since only the queue does, but for a token that was refused and metadata that was replaced under us:
in both cases IFS has certainly not acted.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
import redis

from shared.budgets import Budget
from shared.config.credentials import IfsCredentials
from shared.config.encryption import Cipher
from shared.config.settings import IfsSettings
from shared.errors import ConnectorError, Retryable
from shared.http import Answer, Http
from shared.ifs.auth import Tokens, token_url
from shared.ifs.errors import MODIFIED, NOT_FOUND, IfsUnreadable, error_code, read_error, retry_after
from shared.ifs.memory import Memory
from shared.ifs.metadata import Metadata, read_metadata
from shared.ifs.odata import Value, predicate
from shared.ifs.pages import Page, Stored, read_page, read_stored

#: Seconds for which nobody calls after a refusal that does not say for how long.
_CLOSED_S: Final = 5.0
#: Services whose name ends so are entity services. Source: docs/apis/ifs.md#addresses.
_ENTITY: Final = "Entity"
_TOKEN_TIMEOUT_S: Final = 30
#: Answers to a write that was made. Source: docs/apis/ifs.md#writing.
_WRITTEN: Final = frozenset({200, 201, 204})
#: What IFS keeps for itself. Source: docs/apis/ifs.md#writing.
_BOOKKEEPING: Final = frozenset(
    {"Objid", "Objversion", "Objgrants", "Objstate", "Objevents", "Objkey", "luname", "keyref", "rowversion"}
)
#: Amounts are numbers, digit for digit; texts of numbers are refused by some properties.
_BODY: Final = msgspec.json.Encoder(decimal_format="number")


class IfsClient:
    """One per process and tenant; threads may share it.

    Args:
        call_s_max: seconds that one call of a writer may take, so that its claim outlasts it; None: as long as a read.

    Attributes:
        memory: what this process learnt about the tenant.
        budget: the calls that the tenant permits.
        call_s_max: seconds after which a call of a writer is certainly over.
    """

    def __init__(
        self,
        settings: IfsSettings,
        credentials: IfsCredentials,
        shared: "redis.Redis",
        budget: Budget,
        cipher: Cipher,
        *,
        http: Http | None = None,
        token_http: Http | None = None,
        call_s_max: float | None = None,
    ) -> None:
        self.settings = settings
        self.call_s_max = min(call_s_max or settings.read_timeout_s, settings.read_timeout_s)
        self.memory = Memory()
        self.budget = budget
        self._base = settings.base_url.rstrip("/")
        self._http = http or Http(origin(self._base), timeout_s=settings.read_timeout_s)
        self._token_http = token_http or Http(origin(token_url(settings)), timeout_s=_TOKEN_TIMEOUT_S)
        self._tokens = Tokens(settings, credentials, shared, cipher, self._token_http)

    def close(self) -> None:
        self._http.close()
        self._token_http.close()

    def root(self, service: str) -> str:
        """Return the address below which all of `service` lies."""
        settings = self.settings
        prefix = settings.entity_prefix if service.endswith(_ENTITY) else settings.projection_prefix
        return f"{self._base}/{prefix.strip('/')}/{quote(service)}{settings.service_suffix}"

    def page(self, address: str, *, what: str, lane: str) -> Page:
        """Return one page of rows; `what` names it in errors, `lane` is one of the budget's.

        Raises:
            IfsUnreadable: the answer is no page.
            ConnectorError: as `read_error` says.
        """
        return read_page(self.get(address, what=what, lane=lane).body, what=what)

    def metadata(self, service: str, *, lane: str) -> Metadata:
        """Return the service's sets and properties, read once per process."""
        known = self.memory.metadata.get(service)
        if known is None:
            what = f"{service}/$metadata"
            answer = self.get(f"{self.root(service)}/$metadata", what=what, lane=lane, accept="application/xml")
            known = self.memory.metadata[service] = read_metadata(answer.body, what=what)
        return known

    def sign_in(self) -> None:
        """Make sure of a token.

        Raises:
            IfsDenied: the credentials are not good.
        """
        self._tokens.token()

    def get(self, address: str, *, what: str, lane: str, accept: str = "application/json") -> Answer:
        """Return the answer to a GET that succeeded.

        Raises:
            ConnectorError: it did not, as `read_error` says.
        """
        answer = self._sent(_Call("GET", address, {"accept": accept}, lane=lane))
        if answer.status != 200:
            raise read_error(answer.status, answer.headers, answer.body, what=what)
        return answer

    def address(self, service: str, entity_set: str, key: Sequence[tuple[str, Value]] = ()) -> str:
        """Return the address of a set, or of the row that has `key`: pairs of property and value."""
        return f"{self.root(service)}/{quote(entity_set)}{predicate(key) if key else ''}"

    # What writers do: each call with the slot they took for it, and over within `call_s_max` seconds

    def by_key(self, address: str, *, what: str, lane: str = "live", slot: str | None = None) -> Stored | None:
        """Return the row at `address` with the ETag that a change of it needs; None where IFS has no such row.

        Raises:
            IfsUnreadable: the answer is no row.
            ConnectorError: as `read_error` says.
        """
        answer = self._sent(_Call("GET", address, _JSON, lane=lane, slot=slot, within_s=self.call_s_max))
        if answer.status == 404 and error_code(answer.body) == NOT_FOUND:
            return None
        if answer.status != 200:
            raise read_error(answer.status, answer.headers, answer.body, what=what)
        return read_stored(answer, what=what)

    def patch(
        self, address: str, values: Mapping[str, object], *, etag: str, what: str, lane: str = "live",
        slot: str | None = None,
    ) -> Stored | None:  # fmt: skip
        """Change `values` of the row at `address`, as long as it still has `etag`.

        Return the row as it is then; None where IFS does not show it, which says nothing against the change.

        Raises:
            IfsConflict: the row has another ETag now; nothing was changed.
            Retryable: the change may have been made where `executed` is True.
            ConnectorError: as `read_error` says.
        """
        if etag in {"", "*"}:
            raise ValueError("a change of IFS needs the exact ETag of what it changes")
        return self._write("PATCH", address, values, {"if-match": etag}, what=what, lane=lane, slot=slot)

    def post(
        self, address: str, values: Mapping[str, object], *, what: str, lane: str = "live", slot: str | None = None
    ) -> Stored | None:
        """Create a row in the set at `address`; return it, or None where IFS does not show it.

        Raises:
            IfsExists: there is one with this key already.
            Retryable: the row may have been created where `executed` is True.
            ConnectorError: as `read_error` says.
        """
        return self._write("POST", address, values, {}, what=what, lane=lane, slot=slot)

    def _write(
        self, method: str, address: str, values: Mapping[str, object], more: Mapping[str, str], *, what: str, lane: str,
        slot: str | None,
    ) -> Stored | None:  # fmt: skip
        if kept := sorted(name for name in values if name in _BOOKKEEPING or name.startswith("@")):
            raise ValueError(f"IFS keeps {kept[0]} itself")
        headers = {**_JSON, "content-type": "application/json", **more}
        content = _BODY.encode(dict(values))
        call = _Call(method, address, headers, content, lane=lane, slot=slot, within_s=self.call_s_max)
        answer = self._sent(call)
        if answer.status not in _WRITTEN:
            raise read_error(answer.status, answer.headers, answer.body, what=what)
        try:
            return read_stored(answer, what=what) if answer.body else None
        except IfsUnreadable:
            return None  # The status says that it was written; what it says of the row is worth a look of its own.

    def _sent(self, call: "_Call") -> Answer:
        """Send once, and once more where the first certainly did nothing: a refused token, or replaced metadata."""
        until = time.monotonic() + call.within_s if call.within_s is not None else None
        answer, token = self._exchanged(call, until, call.slot)
        if answer.status == 401:
            self._tokens.renew(token)
            answer, _ = self._exchanged(call, until)
        elif answer.status == 500 and error_code(answer.body) == MODIFIED:
            answer, _ = self._exchanged(call, until)
        return answer

    def _exchanged(self, call: "_Call", until: float | None, slot: str | None = None) -> tuple[Answer, str]:
        """Make one exchange that is over by `until`; return the token it was made with, too.

        Raises:
            Retryable: there was no answer; `executed` tells whether IFS may have acted.
        """
        slot = slot if slot is not None else self.budget.take(call.lane, timeout_s=_left_s(until))
        try:
            # After the wait for a call, or the token might have run out in it.
            token = self._tokens.token()
            timeout_s = _left_s(until)
        except ConnectorError:
            self.budget.give_back(slot)
            raise
        try:
            with self.budget.spending(slot):
                answer = self._http.send(
                    call.method,
                    call.address,
                    headers={**self._headers(token), **call.headers},
                    content=call.content,
                    timeout_s=timeout_s,
                )
        except Retryable as error:
            if not error.executed:
                self.budget.give_back(slot)
            raise
        if answer.status == 429:
            delay_s = retry_after(answer.headers)
            # All processes stop, or each would spend its own refusals to find out.
            self.budget.close(slot, _CLOSED_S if delay_s is None else delay_s)
        return answer, token

    def _headers(self, token: str) -> Mapping[str, str]:
        headers = {"authorization": f"Bearer {token}"}
        if self.settings.time_zone_aware:
            headers["x-ifs-time-zone-aware-request"] = "true"
        return headers


_JSON: Final = {"accept": "application/json"}


class _Call(msgspec.Struct, frozen=True):
    """One call. `slot`: taken before; `within_s`: seconds after which nothing of it is sent any more."""

    method: str
    address: str
    headers: Mapping[str, str]
    content: bytes | None = None
    lane: str = "live"
    slot: str | None = None
    within_s: float | None = None


def _left_s(until: float | None) -> float | None:
    """Return the seconds left; None where there is no end.

    Raises:
        Retryable: none is left, and nothing was sent.
    """
    if until is None:
        return None
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise Retryable("The call to IFS was not sent in time.", executed=False)
    return left_s


def origin(address: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"

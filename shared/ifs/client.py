"""Calls to one IFS tenant: within the shared budget, with the shared token, on the configured origin.

Never retries, since only the queue does, but for a token that was refused and metadata that was replaced under us.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

import redis

from shared.budgets import Budget
from shared.config.credentials import IfsCredentials
from shared.config.encryption import Cipher
from shared.config.settings import IfsSettings
from shared.errors import ConnectorError, Retryable
from shared.http import Answer, Http
from shared.ifs.auth import Tokens, token_url
from shared.ifs.errors import MODIFIED, error_code, read_error, retry_after
from shared.ifs.memory import Memory
from shared.ifs.metadata import Metadata, read_metadata
from shared.ifs.pages import Page, read_page

#: Seconds for which nobody calls after a refusal that does not say for how long.
_CLOSED_S: Final = 5.0
#: Services whose name ends so are entity services. Source: docs/apis/ifs.md#addresses.
_ENTITY: Final = "Entity"
_TOKEN_TIMEOUT_S: Final = 30


class IfsClient:
    """One per process and tenant; threads may share it.

    Attributes:
        memory: what this process learnt about the tenant.
        budget: the calls that the tenant permits.
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
    ) -> None:
        self.settings = settings
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
        answer = self._sent(address, accept, lane)
        if answer.status == 500 and error_code(answer.body) == MODIFIED:
            answer = self._sent(address, accept, lane)
        if answer.status != 200:
            raise read_error(answer.status, answer.headers, answer.body, what=what)
        return answer

    def _sent(self, address: str, accept: str, lane: str) -> Answer:
        """Send once, and once more with a new token if the first was refused."""
        answer, token = self._exchanged(address, accept, lane)
        if answer.status == 401:
            self._tokens.renew(token)
            answer, _ = self._exchanged(address, accept, lane)
        return answer

    def _exchanged(self, address: str, accept: str, lane: str) -> tuple[Answer, str]:
        slot = self.budget.take(lane)
        try:
            # After the wait for a call, or the token might have run out in it.
            token = self._tokens.token()
        except ConnectorError:
            self.budget.give_back(slot)
            raise
        try:
            with self.budget.spending(slot):
                answer = self._http.send("GET", address, headers=self._headers(token, accept))
        except Retryable as error:
            if not error.executed:
                self.budget.give_back(slot)
            raise
        if answer.status == 429:
            delay_s = retry_after(answer.headers)
            # All processes stop, or each would spend its own refusals to find out.
            self.budget.close(slot, _CLOSED_S if delay_s is None else delay_s)
        return answer, token

    def _headers(self, token: str, accept: str) -> Mapping[str, str]:
        headers = {"authorization": f"Bearer {token}", "accept": accept}
        if self.settings.time_zone_aware:
            headers["x-ifs-time-zone-aware-request"] = "true"
        return headers


def origin(address: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"

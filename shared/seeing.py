"""What a read saw to what the ledger records: fingerprints, and which records are not for us. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

import msgspec

from shared.cin7 import answers, supplier_documents
from shared.cin7.errors import Cin7Unclear
from shared.config.settings import PolicySettings
from shared.findings import Finding
from shared.fingerprints import digest, fingerprint
from shared.flows import Flow
from shared.ifs.documents import decode
from shared.ifs.sources import Bound
from shared.ledger import detecting
from shared.ledger.detecting import Seen
from shared.pulled import RawDocument


class Lens(Protocol):
    """How one flow's records are looked at."""

    def decode(self, raw: bytes) -> Any | list[Finding]:  # noqa: ANN401 - the struct that the flow's mapping takes.
        """Return the record that a raw document holds, or every reason why it cannot be read."""

    def skip(self, values: Mapping[str, object], *, again: bool = False) -> str:
        """Return why the record of this header is left alone, or ""; `again`, it was seen before."""

    def seen(self, document: RawDocument, *, again: bool = False) -> Seen:
        """Return what the ledger records of a document, or of one that is left alone."""

    def left_out(self, key: str, header: Mapping[str, object]) -> Seen:
        """Return what the ledger records of a header that was not admitted."""

    def can_ask_for(self, key: str) -> bool:
        """Say whether a record can be read by this key: what is unreadable has none."""


class IfsLens(msgspec.Struct, frozen=True):
    """How records of IFS are looked at.

    Attributes:
        start_from: YYYY-MM-DD; documents dated before it are counted, not sent. Empty for what is no document.
        admitted: spans of dates before it, both ends included, that were brought in after the fact.
        today: YYYY-MM-DD on IFS's clock. A record that has expired since is another than it was.
    """

    flow: Flow
    bound: Bound
    policy: PolicySettings
    start_from: str = ""
    admitted: tuple[tuple[str, str], ...] = ()
    today: str = ""

    def decode(self, raw: bytes) -> Any | list[Finding]:  # noqa: ANN401 - the struct that `bound.document` is.
        """Return the document."""
        return decode(self.bound, raw)

    def can_ask_for(self, key: str) -> bool:
        """Say whether the parts of a key can be told apart."""
        return bool(self.bound.asks_for(key))

    def skip(self, values: Mapping[str, object], *, again: bool = False) -> str:
        """Return why the record of this header is left alone, or "".

        Read `again`, an order that was seen before its receipt goes on after it: what held it may have lasted long.
        """
        if not self.flow.document:
            return ""
        if self.is_before_start(values):
            return f"dated {self.bound.date(values)}, before the start on {self.start_from}"
        state = self.bound.value(values, "objstate")
        states = self.policy.states.get(self.flow.name)
        if states is None or not isinstance(state, str):
            return ""
        if states.is_ignored(state) or (states.is_later(state) and not again):
            return f"in state {state}, which is left alone"
        return ""

    def is_before_start(self, values: Mapping[str, object]) -> bool:
        """Say whether a document is dated before the start, in no span that was brought in all the same."""
        day = self.bound.date(values)
        if not (self.flow.document and day and self.start_from and day < self.start_from):
            return False
        return not any(first <= day <= last for first, last in self.admitted)

    def seen(self, document: RawDocument, *, again: bool = False) -> Seen:
        """Return what the ledger records of a document, or of one that is left alone."""
        header = header_values(document.raw)
        if skipped := self.skip(header, again=again):
            return self.passed_over(document.key, document.header_tag, skipped, header)
        decoded = decode(self.bound, document.raw)
        if isinstance(decoded, list):  # What cannot be decoded is known by its bytes.
            mark, company = digest(document.raw)[:32], ""
        else:
            mark, company = self._mark(decoded), getattr(decoded.header, "company", None) or ""
        return Seen(
            key=document.key,
            raw=document.raw,
            fingerprint=mark,
            header_tag=document.header_tag,
            company=company,
            stamp=document.stamp,
            dated=self.dated(header),
        )

    def _mark(self, decoded: Any) -> str:  # noqa: ANN401 - as above.
        expiry = str(getattr(decoded.header, self.bound.source.expiry, None) or "") if self.bound.source.expiry else ""
        return fingerprint((decoded, expiry) if expiry and expiry < self.today else decoded)

    def left_out(self, key: str, header: Mapping[str, object]) -> Seen:
        """Return what the ledger records of a header that was not admitted."""
        tag = digest(repr(sorted(header.items())).encode("utf-8", "backslashreplace"))[:32]
        return self.passed_over(key, tag, self.skip(header) or "not admitted", header)

    def passed_over(self, key: str, tag: str, why: str, header: Mapping[str, object]) -> Seen:
        """Return what the ledger records of a record that is not for us."""
        return Seen(key=key, raw=b"", fingerprint=tag, header_tag=tag, skipped=why, dated=self.dated(header))

    def dated(self, header: Mapping[str, object]) -> date | None:
        """Return the business date; None where the record has none that is a date."""
        try:
            return date.fromisoformat(self.bound.date(header))
        except ValueError:
            return None


class Cin7SupplierLens(msgspec.Struct, frozen=True):
    """How suppliers of Cin7 are looked at.

    Attributes:
        number_attributes: by account, which attribute shows the number in IFS.
    """

    number_attributes: Mapping[str, int]

    def decode(self, raw: bytes) -> Any | list[Finding]:  # noqa: ANN401 - as above.
        """Return the supplier and its account."""
        return supplier_documents.decode(raw)

    def can_ask_for(self, key: str) -> bool:
        """Ask by any key: what Cin7 does not have is missing."""
        return True

    def skip(self, values: Mapping[str, object], *, again: bool = False) -> str:
        """Leave no supplier alone for what it is."""
        return ""

    def seen(self, document: RawDocument, *, again: bool = False) -> Seen:
        """Return what the ledger records: only what both sides hold is news."""
        found = self.decode(document.raw)
        if isinstance(found, list):
            mark = digest(document.raw)[:32]
        else:
            mark = supplier_documents.mark(found.supplier, self.number_attributes.get(found.account, 1))
        return Seen(
            key=document.key,
            raw=document.raw,
            fingerprint=mark,
            header_tag=document.header_tag,
            stamp=document.stamp,
        )

    def left_out(self, key: str, header: Mapping[str, object]) -> Seen:
        """Return what the ledger records of a supplier that was there before anybody looked."""
        account = key.partition("/")[0]
        try:
            mark = supplier_documents.mark(answers.supplier(header), self.number_attributes.get(account, 1))
        except Cin7Unclear:
            mark = digest(repr(sorted(header.items())).encode("utf-8", "backslashreplace"))[:32]
        return Seen(key=key, raw=b"", fingerprint=mark, header_tag=mark, skipped=detecting.COUNTED)


class _Headed(msgspec.Struct):
    header: dict[str, object]


def header_values(raw: bytes) -> Mapping[str, object]:
    """Return the header row of a raw document; nothing where it cannot be read."""
    try:
        return msgspec.json.decode(raw, type=_Headed).header
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}

"""The dry run: what a poll would read, mapped by the rules of the moment and compared with what was written last.

No watermark moves, no entry is made, no message is sent. Both systems are asked only for what the mapping must know:
reference data, charts of accounts, and Cin7's suppliers where nobody read them before.
"""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec

from console.foreseeing import (
    Preview,
    foresee_ifs,
    foresee_invoice,
    foresee_order,
    foresee_supplier,
    foresee_verdict,
)
from producers.poller import Stream
from shared.assembly import Assembly
from shared.cin7.records.suppliers import Supplier
from shared.errors import Held
from shared.flows import SUPPLIERS, Flow
from shared.ledger import decisions, detecting, links
from shared.ledger.links import Link
from shared.ledger.views import foresight
from shared.pulled import RawDocument
from shared.rows import Row
from shared.seeing import Lens
from workers.composition import desk_of, first_contact_of
from workers.mapping.actors import CHARTED, MAPPINGS, Result, findings_of, map_raw
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.mapping.results import InvoiceWrite, JournalVerdict, PurchaseWrite, SupplierWrite, SupplierWrites
from workers.writing.back_foresight import foresee_back
from workers.writing.matching import duplicate_finding


def preview(parts: Assembly, stream: Stream, *, sweep: bool) -> Iterator[Preview]:
    """Yield what the entries of a pull would lead to, record by record, as it is read.

    Raises:
        Retryable, Misconfigured: IFS cannot be read, or Cin7 not where the mapping needs it.
    """
    return DryRun(parts, stream.flow).of_pull(stream, sweep=sweep)


class DryRun:
    """The dry run of one flow."""

    def __init__(self, parts: Assembly, flow: Flow) -> None:
        self.parts = parts
        self.ledger = parts.ledger
        self.flow = flow
        self.desk = desk_of(parts, lambda: False)
        self.first_contact = first_contact_of(parts)
        #: Fingerprint of every record shown, since several pages may lead to the same one.
        self.shown: dict[str, str] = {}

    def of_pull(self, stream: Stream, *, sweep: bool) -> Iterator[Preview]:
        with self.ledger.transaction() as cur:
            mark = foresight.mark(cur, stream.name)
        lens = stream.lens(self._start_from(stream, mark.start_from))
        full = sweep or stream.reading.strategy() == "sweep"

        def admit(row: Row) -> bool:
            return not lens.skip(row.values)

        def known(headers: Sequence[tuple[str, str]]) -> set[str]:
            if full:
                return set()
            with self.ledger.transaction() as cur:
                return foresight.known(cur, self.flow.name, headers)

        for batch in stream.reading.read(watermark=mark.position, sweep=sweep, admit=admit, known=known):
            yield from self.of_documents(batch.documents, lens)

    def _start_from(self, stream: Stream, kept: str) -> str:
        """Return the go-live date as a pull would take it, without keeping it."""
        if not self.flow.document or self.flow.passing or stream.reading.start_from or kept:
            return stream.reading.start_from or kept
        with self.ledger.transaction() as cur:
            now = detecting.database_now(cur)
        return f"{now.astimezone(ZoneInfo(self.parts.settings.ifs.time_zone)):%Y-%m-%d}"

    def of_documents(self, documents: Sequence[RawDocument], lens: Lens) -> Iterator[Preview]:
        """Yield what would come of documents that were read; those that are known as they are come to nothing."""
        changed = self._changed(documents, lens)
        if self.flow.name in CHARTED and changed:
            self.parts.rules.require_charts({lens.seen(document).company for document in changed})
        results = [(document.key, self._mapped(document, lens)) for document in changed]
        findings = [finding for _, result in results for finding in findings_of(result)]
        if findings and self.parts.rules.refresh_for(findings):
            results = [(document.key, self._mapped(document, lens)) for document in changed]
        keys = [key for key, _ in results]
        with self.ledger.transaction() as cur:
            linked = links.of_keys(cur, self.flow.name, keys)
        for key, result in results:
            if isinstance(result, list):
                yield Preview(flow=self.flow.name, key=key, action="held", findings=tuple(result))
            else:
                yield from self._of_write(key, result, {link.cin7_account: link for link in linked.get(key, ())})

    def _of_write(self, key: str, write: msgspec.Struct, linked: Mapping[str, Link]) -> Iterator[Preview]:
        """Yield what a writer would do with what was mapped; `linked` are the record's links by account."""
        if isinstance(write, SupplierWrites):
            for one in write.writes:
                yield self._supplier(key, one, linked.get(one.account))
        elif isinstance(write, Cin7SupplierWrite):
            with self.ledger.transaction() as cur:
                plan = foresee_back(cur, key, write, self.parts.rules.get(), self.parts.settings)
            yield foresee_ifs(key, write.account, plan)
        elif isinstance(write, PurchaseWrite):
            with self.ledger.transaction() as cur:
                supplier = links.find(cur, SUPPLIERS.name, write.supplier_key, write.account)
            yield foresee_order(key, write, linked.get(write.account), supplier)
        elif isinstance(write, InvoiceWrite):
            yield foresee_invoice(key, write, linked.get(write.account))
        elif isinstance(write, JournalVerdict):
            yield foresee_verdict(key, write)

    def _changed(self, documents: Sequence[RawDocument], lens: Lens) -> list[RawDocument]:
        """Return the documents that a pull would make entries of."""
        with self.ledger.transaction() as cur:
            before = foresight.fingerprints(cur, self.flow.name, [document.key for document in documents])
        changed = []
        for document in documents:
            seen = lens.seen(document)
            if seen.skipped or seen.fingerprint in (before.get(seen.key), self.shown.get(seen.key)):
                continue
            self.shown[seen.key] = seen.fingerprint
            changed.append(document)
        return changed

    def _mapped(self, document: RawDocument, lens: Lens) -> Result:
        return map_raw(document.raw, lens, MAPPINGS[self.flow], self.parts.rules.get())

    def _supplier(self, key: str, write: SupplierWrite, link: Link | None) -> Preview:
        """Preview one supplier in one account, after a look at what Cin7 is known to hold."""
        current = None
        try:
            if link is None:
                current = self._met(key, write)
            elif not link.written:
                current = self._held_by_cin7(write.account, link.cin7_id)
        except Held as reasons:
            return Preview(
                flow=SUPPLIERS.name, key=key, account=write.account, action="held", findings=reasons.findings
            )
        return foresee_supplier(key, write, link, current, policy=self.parts.settings.policy)

    def _met(self, key: str, write: SupplierWrite) -> Supplier | None:
        """Return the supplier that a first contact would link to.

        Raises:
            Held: a person would have to say whether it is one of those that resemble it.
        """
        account = self.desk.account(write.account)
        with self.ledger.transaction() as cur:
            read = foresight.suppliers_read(cur, account.name)
            decided = decisions.may_create(cur, key, account.name)
        if not read:
            self.first_contact.refresh(account)
        match = self.first_contact.match(account, write.supplier)
        if match.kind == "none" or (decided and match.kind != "marker"):
            return None
        if match.kind == "possible":
            raise Held([duplicate_finding(write.supplier, match, company=write.company, supplier_id=key)])
        return self._held_by_cin7(account.name, match.candidates[0].supplier_id)

    def _held_by_cin7(self, account: str, cin7_id: str) -> Supplier | None:
        with self.ledger.transaction() as cur:
            body = foresight.cin7_supplier(cur, account, cin7_id)
        return None if body is None else msgspec.json.decode(body, type=Supplier)

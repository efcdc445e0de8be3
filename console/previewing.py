"""The dry run: what a poll would read, mapped by the rules of the moment and compared with what was written last.

No watermark moves, no entry is made, no message is sent. Cin7 is asked only for what the mapping must know: reference
data, and its suppliers where nobody read them before.
"""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import msgspec

from console.foreseeing import Preview, foresee_ifs, foresee_invoice, foresee_order, foresee_supplier
from producers.poller import Stream
from shared.assembly import Assembly
from shared.cin7.records.suppliers import Supplier
from shared.errors import Held
from shared.flows import SUPPLIERS
from shared.ledger import decisions, detecting, links
from shared.ledger.links import Link
from shared.ledger.views import foresight
from shared.pulled import RawDocument
from shared.rows import Row
from shared.seeing import Lens
from workers.composition import desk_of, first_contact_of
from workers.mapping.actors import MAPPINGS, Result, map_raw
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.mapping.results import InvoiceWrite, PurchaseWrite, SupplierWrite, SupplierWrites
from workers.writing.back_foresight import foresee_back
from workers.writing.matching import duplicate_finding


def preview(parts: Assembly, stream: Stream, *, sweep: bool) -> Iterator[Preview]:
    """Yield what the entries of a pull would lead to, record by record, as it is read.

    Raises:
        Retryable, Misconfigured: IFS cannot be read, or Cin7 not where the mapping needs it.
    """
    return _DryRun(parts, stream, sweep=sweep).run()


class _DryRun:
    """The dry run of one stream."""

    def __init__(self, parts: Assembly, stream: Stream, *, sweep: bool) -> None:
        self.parts = parts
        self.ledger = parts.ledger
        self.stream = stream
        self.flow = stream.flow
        self.sweep = sweep
        self.desk = desk_of(parts, lambda: False)
        self.first_contact = first_contact_of(parts)
        #: Fingerprint of every record shown, since several pages may lead to the same one.
        self.shown: dict[str, str] = {}

    def run(self) -> Iterator[Preview]:
        with self.ledger.transaction() as cur:
            mark = foresight.mark(cur, self.stream.name)
        lens = self.stream.lens(self._start_from(mark.start_from))
        full = self.sweep or self.stream.reading.strategy() == "sweep"

        def admit(row: Row) -> bool:
            return not lens.skip(row.values)

        def known(headers: Sequence[tuple[str, str]]) -> set[str]:
            if full:
                return set()
            with self.ledger.transaction() as cur:
                return foresight.known(cur, self.flow.name, headers)

        for batch in self.stream.reading.read(watermark=mark.position, sweep=self.sweep, admit=admit, known=known):
            yield from self._batch(batch.documents, lens)

    def _start_from(self, kept: str) -> str:
        """Return the go-live date as a pull would take it, without keeping it."""
        if not self.flow.document or self.stream.reading.start_from or kept:
            return self.stream.reading.start_from or kept
        with self.ledger.transaction() as cur:
            now = detecting.database_now(cur)
        return f"{now.astimezone(ZoneInfo(self.parts.settings.ifs.time_zone)):%Y-%m-%d}"

    def _batch(self, documents: Sequence[RawDocument], lens: Lens) -> Iterator[Preview]:
        changed = self._changed(documents, lens)
        results = [(document.key, self._mapped(document, lens)) for document in changed]
        findings = [finding for _, result in results if isinstance(result, list) for finding in result]
        if findings and self.parts.rules.refresh_for(findings):
            results = [(document.key, self._mapped(document, lens)) for document in changed]
        keys = [key for key, _ in results]
        with self.ledger.transaction() as cur:
            linked = links.of_keys(cur, self.flow.name, keys)
        for key, result in results:
            of_account = {link.cin7_account: link for link in linked.get(key, ())}
            if isinstance(result, list):
                yield Preview(flow=self.flow.name, key=key, action="held", findings=tuple(result))
            elif isinstance(result, SupplierWrites):
                for write in result.writes:
                    yield self._supplier(key, write, of_account.get(write.account))
            elif isinstance(result, Cin7SupplierWrite):
                with self.ledger.transaction() as cur:
                    plan = foresee_back(cur, key, result, self.parts.rules.get(), self.parts.settings)
                yield foresee_ifs(key, result.account, plan)
            elif isinstance(result, PurchaseWrite):
                with self.ledger.transaction() as cur:
                    supplier = links.find(cur, SUPPLIERS.name, result.supplier_key, result.account)
                yield foresee_order(key, result, of_account.get(result.account), supplier)
            elif isinstance(result, InvoiceWrite):
                yield foresee_invoice(key, result, of_account.get(result.account))

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

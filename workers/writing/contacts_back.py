"""Contacts that Cin7's people changed or added, to what is to be done in IFS; or why it cannot be told. Pure.

A contact of Cin7 is the communication methods of one name. Nothing is ever taken away in IFS.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.cin7.records.suppliers import Contact
from shared.findings import Finding
from shared.ifs.records.suppliers import CommMethod, SupplierDocument
from workers.mapping.supplier_entries import METHODS, NAMELESS_CONTACT, TracedContact
from workers.mapping.texts import invalid
from workers.writing.addresses_back import PUT_BACK
from workers.writing.merging import conflict_finding
from workers.writing.supplier_entries import METHODS as FIELDS
from workers.writing.supplier_entries import EntryChange
from workers.writing.supplier_parts import Cell, Insert, Part, Step, changed

#: Our fields of a contact to IFS's methods. Source: docs/apis/ifs.md#suppliers.
METHODS_BACK: Final[Mapping[str, str]] = {
    field: next(method for method, of in METHODS.items() if of == field).capitalize() for field in FIELDS
}


class ContactsBack:
    """Collects the steps, and what stands against them.

    Args:
        traced: the contacts of IFS in Cin7's words, as they are now.
        changes: which of them change, and how; new ones have no place among them.
    """

    def __init__(
        self,
        document: SupplierDocument,
        traced: Sequence[TracedContact],
        changes: Sequence[EntryChange[Contact]],
        company: str,
    ) -> None:
        self.document = document
        self.traced = traced
        self.changes = changes
        self.company = company
        self.steps: list[Step] = []
        self.findings: list[Finding] = []

    def run(self) -> None:
        for change in self.changes:
            if change.place < 0:
                for field in FIELDS:
                    if value := getattr(change.entry, field):
                        self._insert(change.entry.name, field, value, self._any_address())
            else:
                self._rewrite(change, self.traced[change.place])

    def _rewrite(self, change: EntryChange[Contact], traced: TracedContact) -> None:
        for field in change.fields:
            if field == "name":
                continue
            value, row = str(getattr(change.entry, field)), traced.methods.get(field)
            if row is None:
                self._insert(change.entry.name, field, value, traced.named[0].address_id)
            elif not value:
                self._refuse(change, field, str(row.value or ""), "is empty in Cin7, and nothing is taken away in IFS")
            else:
                self._change(row, {"value": value} | self._new_name(change))
        if "name" in change.fields:
            changing = {id(traced.methods[field]) for field in change.fields if field in traced.methods}
            for row in traced.named:
                if id(row) not in changing:
                    self._change(row, self._new_name(change))

    def _new_name(self, change: EntryChange[Contact]) -> dict[str, Cell]:
        return {"name": _ifs_name(change.entry.name)} if "name" in change.fields else {}

    def _change(self, row: CommMethod, after: Mapping[str, Cell]) -> None:
        if row.comm_id is None:
            message = f"IFS does not show the number of communication method {row.method_id} of {row.name or 'nobody'}."
            remedy = "Name its property in [ifs.streams.suppliers.sets.comm_methods] fields.comm_id, then replay."
            self.findings.append(invalid("comm_methods CommId", "", message, remedy, self.company))
            return
        self.steps += changed(_part(row.identity, row.comm_id, row.address_id), row, after)

    def _insert(self, name: str, field: str, value: str, address_id: str | None) -> None:
        supplier_id = self.document.header.supplier_id
        values: dict[str, Cell] = {
            "identity": supplier_id,
            "address_id": address_id,
            "method_id": METHODS_BACK[field],
            "name": _ifs_name(name),
            "value": value,
        }
        self.steps.append(
            Insert(_part(supplier_id, None), tuple((field, one) for field, one in values.items() if one is not None))
        )

    def _any_address(self) -> str | None:
        """Return the address that other methods hang on, for a tenant that reaches them only below one."""
        of_methods = [row.address_id for row in self.document.comm_methods if row.address_id]
        return next(iter(of_methods or [row.address_id for row in self.document.addresses]), None)

    def _refuse(self, change: EntryChange[Contact], field: str, ours: str, why: str) -> None:
        self.findings.append(
            conflict_finding(
                f"{change.name} {field}",
                ours,
                ours,
                str(getattr(change.entry, field)),
                self.company,
                why=why,
                remedy=f"Take it away in IFS, or enter it in Cin7 again; or {PUT_BACK}",
            )
        )


def _ifs_name(name: str) -> str | None:
    """Return the name of a method; those of nobody have none."""
    return None if name.strip().casefold() == NAMELESS_CONTACT.casefold() else name


def _part(identity: str, comm_id: int | None, address_id: str | None = None) -> Part:
    """Return a row by its number, with the address that it is reached below where the set itself is not served."""
    key: tuple[tuple[str, Cell], ...] = (("identity", identity),)
    numbered = () if comm_id is None else (("comm_id", comm_id), ("address_id", address_id))
    return Part("comm_methods", (*key, *numbered))

"""What a Cin7 supplier's changes become in IFS, from three versions of it, part by part; or why it must wait. Pure.

Whatever is planned is tried on paper first: the supplier with all steps done, mapped again, must be what Cin7 shows. So
nothing is written that would come back as something else, and what has no place in IFS is held.
"""

from collections.abc import Sequence

import msgspec

from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records.suppliers import SupplierDocument
from workers.mapping.cin7_suppliers import Cin7SupplierWrite, tax_back, term_back
from workers.mapping.companies import Destination, destination_of
from workers.mapping.results import SupplierWrite
from workers.mapping.supplier_entries import traced_addresses, traced_contacts
from workers.mapping.suppliers import DEPRECATED, map_supplier
from workers.mapping.texts import invalid
from workers.writing.addresses_back import PUT_BACK, AddressesBack
from workers.writing.contacts_back import ContactsBack
from workers.writing.merging import conflict_finding
from workers.writing.supplier_entries import ADDRESSES, CONTACTS, entry_differences
from workers.writing.supplier_merging import SHARED, Common, Merge, Referee, ScalarChange, merge
from workers.writing.supplier_parts import Cell, Part, Step, applied, changed, in_order


class Bring(msgspec.Struct, frozen=True):
    """Do these steps in IFS, in this order.

    Attributes:
        fields: what they change, as people call it.
        before: what both sides have in common as long as they are not done.
        common: what both sides have in common once they are done.
        to_cin7: what IFS has changed meanwhile, which its own direction brings.
    """

    steps: tuple[Step, ...]
    fields: tuple[str, ...]
    before: Common
    common: Common
    to_cin7: tuple[str, ...]


class Nothing(msgspec.Struct, frozen=True):
    """Nothing of it is for IFS: our own write coming back, or what both sides changed alike."""

    common: Common
    to_cin7: tuple[str, ...]


class Unsettled(msgspec.Struct, frozen=True):
    """It must wait for a person or a repair.

    Attributes:
        merge: what the comparison gave; None where IFS's own version cannot be told yet.
        ours: IFS's own version, in Cin7's words.
    """

    findings: tuple[Finding, ...]
    merge: Merge | None = None
    ours: SupplierWrite | None = None


BackPlan = Bring | Nothing | Unsettled


def plan_cin7_supplier(
    write: Cin7SupplierWrite, document: SupplierDocument, common: Common, rules: Rules, referee: Referee
) -> BackPlan:
    """Decide what a supplier of Cin7 brings to IFS.

    Args:
        write: as Cin7 holds it.
        document: as IFS holds it.
        common: what both sides had in common when either was last written.
        referee: settles a field that both sides changed; by default such a field is held.
    """
    ours = _in_cin7s_words(write.account, document, rules)
    if isinstance(ours, list):
        return Unsettled(tuple(ours))
    found = merge(common, ours.supplier, write.supplier, referee, silent=ours.silent)
    if found.findings:
        return Unsettled(found.findings, found, ours)
    if not found.to_ifs:
        return Nothing(found.after_ifs, found.to_cin7)
    lead = destination_of(ours.company, rules)
    if isinstance(lead, Finding):
        return Unsettled((lead,))
    back = _Back(document, ours, found, lead, rules)
    back.run()
    if not back.findings:
        back.try_on_paper(write.account)
    if back.findings:
        return Unsettled(tuple(back.findings), found, ours)
    return Bring(in_order(back.steps), found.to_ifs, found.before, found.after_ifs, found.to_cin7)


def _in_cin7s_words(account: str, document: SupplierDocument, rules: Rules) -> SupplierWrite | list[Finding]:
    """Return what the mapping makes of IFS's supplier for an account, or why it makes nothing."""
    mapped = map_supplier(document, rules)
    if isinstance(mapped, list):
        return mapped
    for one in mapped.writes:
        if one.account == account:
            return one
    key = document.header.supplier_id
    message = f"Supplier {key} has no invoice information in IFS for a company of Cin7 account {account}."
    return [invalid("Company", account, message, "Enter it in IFS, or deprecate the supplier in Cin7.")]


class _Back:
    """Collects the steps of one supplier, and what stands against them."""

    def __init__(
        self, document: SupplierDocument, ours: SupplierWrite, found: Merge, lead: Destination, rules: Rules
    ) -> None:
        self.document = document
        self.ours = ours
        self.found = found
        self.lead = lead
        self.rules = rules
        self.steps: list[Step] = []
        self.findings: list[Finding] = []

    def run(self) -> None:
        for change in self.found.scalars:
            self._scalar(change)
        addresses = AddressesBack(
            self.document,
            traced_addresses(self.document, self.rules.tables.countries, []),
            self.found.ifs.addresses,
            self.found.addresses,
            self.rules.tables.countries,
            self.lead.code,
        )
        contacts = ContactsBack(self.document, traced_contacts(self.document, []), self.found.contacts, self.lead.code)
        for part in (addresses, contacts):
            part.run()
            self.steps += part.steps
            self.findings += part.findings

    def _scalar(self, change: ScalarChange) -> None:
        match change.field:
            case "name":
                self._header({"name": change.cin7})
            case "status":
                self._status(change)
            case "currency":
                self._agreed({"def_currency": change.cin7})
            case "payment_term":
                term = term_back(self.lead, change.cin7, self.rules)
                self._agreed_or_held("pay_term_id", term)
            case "tax_rule":
                self._agreed_or_held("def_vat_code", tax_back(self.lead, change.cin7, self.rules))
            case "tax_number":
                self._tax_number(change.cin7)

    def _header(self, after: dict[str, Cell]) -> None:
        part = Part("header", (("supplier_id", self.document.header.supplier_id),))
        self.steps += changed(part, self.document.header, after)

    def _status(self, change: ScalarChange) -> None:
        if "status" not in self.ours.silent:
            self._header({"blocked": change.cin7 == DEPRECATED})
            return
        self.findings.append(
            conflict_finding(
                "status",
                change.before,
                change.ifs,
                change.cin7,
                self.lead.code,
                why="has no property in IFS to be kept in",
                remedy="Do it in IFS by hand and note it with `connector holds resolve ID --take cin7`, or undo it in "
                "Cin7 with `--take ifs`; or name the property in [ifs.streams.suppliers] fields.blocked.",
            )
        )

    def _agreed_or_held(self, field: str, value: Cell | Finding) -> None:
        if isinstance(value, Finding):
            self.findings.append(value)
        else:
            self._agreed({field: value})

    def _agreed(self, after: dict[str, Cell]) -> None:
        """Change what the lead company agreed with the supplier."""
        row = next(row for row in self.document.invoice_info if row.company.strip() == self.lead.code)
        self.steps += changed(Part("invoice_info", (("identity", row.identity), ("company", row.company))), row, after)

    def _tax_number(self, number: str) -> None:
        """Change the tax number where it shows from: the lead company's first, else the registration number."""
        for row in self.document.tax_info:
            if row.company.strip() == self.lead.code and (row.vat_no or "").strip():
                key = (("supplier_id", row.supplier_id), ("address_id", row.address_id), ("company", row.company))
                self.steps += changed(Part("tax_info", key), row, {"vat_no": number or None})
                return
        self._header({"association_no": number or None})

    def try_on_paper(self, account: str) -> None:
        """Find what would not read in Cin7 as it does now, were the steps done."""
        after = _in_cin7s_words(account, applied(self.document, in_order(self.steps)), self.rules)
        if isinstance(after, list):
            self.findings += after
            return
        wanted, got = self.found.ifs, after.supplier
        for field in SHARED:
            if field not in self.ours.silent and getattr(wanted, field) != getattr(got, field):
                theirs, then = str(getattr(wanted, field)), str(getattr(got, field))
                self._reads_otherwise(field, str(getattr(self.ours.supplier, field)), theirs, then)
        for kind in (ADDRESSES, CONTACTS):
            one, other = getattr(wanted, kind.group), getattr(got, kind.group)
            for name in dict.fromkeys([*entry_differences(one, other, kind), *entry_differences(other, one, kind)]):
                self._reads_otherwise(name, "", name, "")

    def _reads_otherwise(self, field: str, ours: str, theirs: str, then: str) -> None:
        why = "cannot be kept in IFS as it is in Cin7" + (f" (it would read “{then}”)" if then else "")
        remedy = f"Make both sides agree by hand; or {PUT_BACK}"
        self.findings.append(conflict_finding(field, ours, ours, theirs, self.lead.code, why=why, remedy=remedy))


def steps_said(steps: Sequence[Step]) -> list[str]:
    """Return what people call the rows that change."""
    return list(dict.fromkeys(step.part.name for step in steps))

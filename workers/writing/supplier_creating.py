"""A supplier that Cin7 has and IFS does not, to the rows that make it up there, in the order in which IFS wants them.

Pure. Tried on paper first, like every change: what cannot be kept in IFS as it is in Cin7 is held before any call.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records.suppliers import SupplierDocument, SupplierHeader
from workers.mapping.cin7_suppliers import Cin7SupplierWrite, country_back, tax_back, term_back
from workers.mapping.companies import Destination, destination_of
from workers.mapping.results import SupplierWrites
from workers.mapping.suppliers import DEPRECATED, map_supplier
from workers.mapping.texts import invalid, shown
from workers.writing.addresses_back import AddressesBack
from workers.writing.contacts_back import ContactsBack
from workers.writing.merging import conflict_finding
from workers.writing.supplier_entries import ADDRESSES, CONTACTS, entry_differences
from workers.writing.supplier_merging import SHARED, Common, Referee, merge
from workers.writing.supplier_parts import Cell, Insert, Part, Step, applied, changed, in_order, row_of

#: Characters of a SupplierId. Source: docs/apis/ifs.md#suppliers.
NUMBER_MAX: Final = 20


class NewSupplier(msgspec.Struct, frozen=True):
    """What is to be made in IFS.

    Attributes:
        steps: the header first.
        common: what both sides have in common once all of it is there.
    """

    steps: tuple[Step, ...]
    common: Common


def new_supplier(write: Cin7SupplierWrite, number: str, rules: Rules) -> NewSupplier | list[Finding]:
    """Return what a new supplier of IFS is made of, or every reason why it cannot be made.

    Args:
        number: its SupplierId; empty: IFS gives it one.
    """
    lead = destination_of(write.company, rules)
    if isinstance(lead, Finding):
        return [lead]
    making = _Making(write, number, lead, rules)
    making.run()
    if making.findings:
        return making.findings
    wrong = making.try_on_paper()
    if wrong:
        return wrong
    return NewSupplier(in_order(making.steps), making.common)


class _Making:
    def __init__(self, write: Cin7SupplierWrite, number: str, lead: Destination, rules: Rules) -> None:
        self.wanted = write.supplier
        self.account = write.account
        self.given = number
        self.number = number or _NOT_YET
        self.lead = lead
        self.rules = rules
        self.steps: list[Step] = []
        self.findings: list[Finding] = []
        blank = Supplier(name="", currency="", payment_term="", account_payable="", tax_rule="", status="")
        found = merge(Common(own={}), blank, self.wanted, Referee(company=lead.code))
        self.found = found
        self.common = Common(supplier=_shared(self.wanted, found.after_ifs), own=found.after_ifs.own)
        self.bare = SupplierDocument(header=SupplierHeader(supplier_id=self.number, name=self.wanted.name.strip()))

    def run(self) -> None:
        self._header()
        addresses = AddressesBack(
            self.bare, (), self.found.ifs.addresses, self.found.addresses, self.rules.tables.countries, self.lead.code
        )
        addresses.run()
        self.steps += addresses.steps
        document = applied(self.bare, addresses.steps)
        contacts = ContactsBack(document, (), self.found.contacts, self.lead.code)
        contacts.run()
        self.steps += contacts.steps
        self.findings += [*addresses.findings, *contacts.findings]
        self._agreed()

    def _header(self) -> None:
        values: dict[str, Cell] = {"name": self.wanted.name.strip()}
        if self.given:
            values["supplier_id"] = self.given
        if self.wanted.tax_number:
            values["association_no"] = self.wanted.tax_number
        if self.wanted.addresses:
            first = self.wanted.addresses[0]
            code = country_back(first.country, None, self.rules.tables.countries, f"addresses {first.type} country")
            if isinstance(code, Finding):
                self.findings.append(code)
            else:
                values["country"] = code
        if self.wanted.status == DEPRECATED and self.rules.supplier_status:
            values["blocked"] = True
        self.steps.append(Insert(Part("header", (("supplier_id", self.number),)), tuple(values.items())))

    def _agreed(self) -> None:
        """Agree the terms with the lead company, let it pay the supplier, and let the supplier be bought from."""
        term = term_back(self.lead, self.wanted.payment_term, self.rules)
        tax = tax_back(self.lead, self.wanted.tax_rule, self.rules)
        self.findings += [found for found in (term, tax) if isinstance(found, Finding)]
        if isinstance(term, Finding) or isinstance(tax, Finding):
            return
        of_company: tuple[tuple[str, Cell], ...] = (("identity", self.number), ("company", self.lead.code))
        terms = {"def_currency": self.wanted.currency, "pay_term_id": term, "def_vat_code": tax}
        agreed = tuple((field, value) for field, value in terms.items() if value is not None)
        self.steps += [
            Insert(Part("invoice_info", of_company), (*of_company, *agreed)),
            Insert(Part("payment_info", of_company), of_company),
            Insert(
                Part("purchase_info", (("vendor_no", self.number),)),
                (("vendor_no", self.number), ("currency_code", self.wanted.currency)),
            ),
        ]

    def try_on_paper(self) -> list[Finding]:
        """Return what would not read in Cin7 as it does now."""
        mapped = map_supplier(applied(self.bare, in_order(self.steps)), self.rules)
        if not isinstance(mapped, SupplierWrites):
            return mapped
        got = next(one for one in mapped.writes if one.account == self.account)
        wrong: list[Finding] = [
            conflict_finding(field, "", str(getattr(got.supplier, field)), str(getattr(self.wanted, field)),
                             self.lead.code, why=_NOT_KEPT, remedy=_BY_HAND)
            for field in SHARED
            if field not in got.silent and getattr(got.supplier, field) != getattr(self.wanted, field)
        ]  # fmt: skip
        for kind in (ADDRESSES, CONTACTS):
            one, other = getattr(self.found.ifs, kind.group), getattr(got.supplier, kind.group)
            names = dict.fromkeys([*entry_differences(one, other, kind), *entry_differences(other, one, kind)])
            wrong += [
                conflict_finding(name, "", "", name, self.lead.code, why=_NOT_KEPT, remedy=_BY_HAND) for name in names
            ]
        return wrong


#: Stands for a number that IFS will give.
_NOT_YET: Final = "NEW"
_NOT_KEPT: Final = "cannot be kept in IFS as it is in Cin7"
_BY_HAND: Final = "Correct it in Cin7, or create it in IFS by hand and link it with `connector suppliers link`."


def _shared(wanted: Supplier, after: Common) -> Supplier:
    """Return what both sides have in common once all is made: the entries that IFS can hold, and all the rest."""
    assert after.supplier is not None  # noqa: S101 - a merge leaves one
    return msgspec.structs.replace(
        wanted,
        discount=Decimal(0),
        comments="",
        last_modified_on="",
        addresses=after.supplier.addresses,
        contacts=after.supplier.contacts,
    )


def number_of(text: str, company: str) -> str | Finding:
    """Return the SupplierId that a person wrote into Cin7's attribute, or why it is none."""
    number = text.strip().upper()
    if number and len(number) <= NUMBER_MAX and number.isprintable() and not set(number) & set("/^%"):
        return number
    message = f"{shown(text)!r} is no number that a supplier can have in IFS."
    remedy = f"Write one of at most {NUMBER_MAX} letters and digits."
    return invalid("AdditionalAttribute", text, message, remedy, company)


def numbered(steps: Sequence[Step], number: str) -> tuple[Step, ...]:
    """Return the steps of a supplier that IFS gave its number to."""
    names = {"supplier_id", "identity", "vendor_no"}

    def of(pairs: Sequence[tuple[str, Cell]]) -> tuple[tuple[str, Cell], ...]:
        return tuple((field, number if field in names else value) for field, value in pairs)

    return tuple(
        Insert(Part(step.part.set, of(step.part.key)), of(step.values)) if isinstance(step, Insert) else step
        for step in steps
    )


def left_to_do(steps: Sequence[Step], document: SupplierDocument) -> tuple[Step, ...]:
    """Return what is still missing in IFS, or otherwise there: a creation goes on where it stopped.

    What `document` does not hold (payment and purchase information) is made again, which IFS refuses where it is there.
    """
    left: list[Step] = []
    for step in steps:
        if not isinstance(step, Insert):
            left.append(step)
            continue
        values: Mapping[str, Cell] = dict(step.values)
        row = row_of(document, step)
        if row is None:
            left.append(step)
        elif step.part.set in {"addresses", "invoice_info", "address_types"}:
            left += changed(step.part, row, {field: values[field] for field in values if hasattr(row, field)})
    return tuple(left)


def headed(steps: Sequence[Step]) -> tuple[Insert, tuple[Step, ...]]:
    """Return the step that makes the header, and all others."""
    header = next(step for step in steps if isinstance(step, Insert) and step.part.set == "header")
    return header, tuple(step for step in steps if step is not header)

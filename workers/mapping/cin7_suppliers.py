"""A Cin7 supplier on its way back to IFS: its lead company, and what Cin7's words are called there. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.cin7.supplier_documents import SupplierOfCin7, tidy
from shared.config.rules import Rules
from shared.findings import Finding
from workers.mapping.companies import Destination, destination_of
from workers.mapping.suppliers import ACTIVE, DEPRECATED
from workers.mapping.texts import invalid, shown

_STATUSES: Final = {status.casefold(): status for status in (ACTIVE, DEPRECATED)}


class Cin7SupplierWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier as Cin7 holds it; `company` is the one whose term and currency it shows."""

    account: str
    company: str
    supplier: Supplier


def map_cin7_supplier(document: SupplierOfCin7, rules: Rules) -> Cin7SupplierWrite | list[Finding]:
    """Return the supplier with its lead company, or why nothing of it can be brought to IFS.

    What of it has changed, and what that becomes, only the comparison with IFS can tell.
    """
    lead = lead_of(document.account, rules)
    if isinstance(lead, Finding):
        return [lead]
    supplier = tidy(document.supplier)
    status = _STATUSES.get(supplier.status.casefold())
    if status is None:
        remedy = "Make it Active or Deprecated in Cin7."
        return [invalid("Status", supplier.status, f"Status {shown(supplier.status)!r} is unknown.", remedy, lead.code)]
    if not supplier.name:
        return [invalid("Name", "", "The supplier has no name in Cin7.", "Give it one in Cin7.", lead.code)]
    return Cin7SupplierWrite(
        account=document.account, company=lead.code, supplier=msgspec.structs.replace(supplier, status=status)
    )


def lead_of(account: str, rules: Rules) -> Destination | Finding:
    """Return the company whose terms the suppliers of an account show: the lead, else the first by its code."""
    companies = sorted(
        (company for company in rules.tables.companies.values() if company.cin7_account == account),
        key=lambda company: (not company.lead, company.company),
    )
    if companies:
        return destination_of(companies[0].company, rules)
    return Finding(
        code="company.unmapped",
        field="cin7_account",
        value=account,
        message=f"No company goes to Cin7 account {account}.",
        remedy=f"Add a company with Cin7 account {account} to the table companies.",
    )


def term_back(lead: Destination, cin7_term: str, rules: Rules) -> str | Finding:
    """Return the lead company's payment term that becomes `cin7_term`, or why it cannot be told."""
    terms = sorted(
        term
        for (company, term), name in rules.tables.payment_terms.items()
        if company == lead.code and name == cin7_term
    )
    return _only(lead, terms, cin7_term, code="term.unmapped", field="PaymentTerm", table="payment_terms", what="term")


def tax_back(lead: Destination, cin7_rule: str, rules: Rules) -> str | Finding | None:
    """Return the lead company's tax code that becomes `cin7_rule`, None where having none does; or why not."""
    codes = sorted(
        code
        for (company, code), row in rules.tables.tax_codes.items()
        if company == lead.code and row.cin7_tax_rule == cin7_rule
    )
    if not codes and lead.company.tax_rule == cin7_rule:
        return None
    return _only(lead, codes, cin7_rule, code="tax.unmapped", field="TaxRule", table="tax_codes", what="tax code")


def _only(
    lead: Destination, found: Sequence[str], value: str, *, code: str, field: str, table: str, what: str
) -> str | Finding:
    if len(found) == 1:
        return found[0]
    known = ", ".join(shown(one) for one in found)
    message = f"No {what} of company {lead.code} becomes {shown(value)!r} by the table {table}."
    remedy = f"Add the {what} of company {lead.code} that becomes {shown(value)!r} to the table {table}."
    if found:
        message = f"Several of company {lead.code} become {shown(value)!r} by the table {table}: {known}."
        remedy = f"Choose one for the supplier in IFS, or let only one of company {lead.code} become {shown(value)!r}."
    return lead.finding(code, field, value, message=message, remedy=remedy)


def country_back(name: str, current: str | None, countries: Mapping[str, str], field: str) -> str | Finding:
    """Return the code of a country, or its name where IFS holds names; or why it cannot be told.

    Args:
        current: what IFS holds now: it shows whether this tenant has codes.
        field: names the address to people.
    """
    wanted = name.strip()
    if current and len(current.strip()) != 2:
        return wanted
    codes = sorted(code for code, known in countries.items() if known.casefold() == wanted.casefold())
    if len(codes) == 1:
        return codes[0]
    lack = f"{len(codes)} codes have that name" if codes else "no code has that name"
    message = f"Country {shown(wanted)!r} cannot be brought to IFS: {lack} in the table countries."
    remedy = f"Correct the table countries, so that one code has the name {shown(wanted)!r}, or the country in Cin7."
    return invalid(field, wanted, message, remedy)

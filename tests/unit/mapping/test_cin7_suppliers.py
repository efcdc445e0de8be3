"""A Cin7 supplier on its way back: its company, and what Cin7's words are called in IFS."""

import msgspec
import pytest

from shared.cin7.records.suppliers import Supplier
from shared.cin7.supplier_documents import SupplierOfCin7
from shared.config.rules import TaxCode
from shared.findings import Finding
from tests.unit.mapping.samples import RULES
from workers.mapping.cin7_suppliers import (
    Cin7SupplierWrite,
    country_back,
    lead_of,
    map_cin7_supplier,
    tax_back,
    term_back,
)
from workers.mapping.companies import Destination

ACME = Supplier(
    id="guid", name="Acme", currency="GBP", payment_term="30 days", account_payable="800", tax_rule="Tax on Purchases"
)


def lead(account: str = "main") -> Destination:
    found = lead_of(account, RULES)
    assert isinstance(found, Destination)
    return found


def test_a_supplier_goes_back_on_the_terms_of_the_lead_company_of_its_account() -> None:
    mapped = map_cin7_supplier(
        SupplierOfCin7(account="main", supplier=msgspec.structs.replace(ACME, status="ACTIVE")), RULES
    )
    assert mapped == Cin7SupplierWrite(account="main", company="10", supplier=ACME)


def test_the_company_that_is_marked_decides_before_the_first() -> None:
    companies = RULES.tables.companies
    marked = {**companies, "20": msgspec.structs.replace(companies["20"], lead=True)}
    rules = msgspec.structs.replace(RULES, tables=msgspec.structs.replace(RULES.tables, companies=marked))
    found = lead_of("main", rules)
    assert isinstance(found, Destination)
    assert found.code == "20"


@pytest.mark.parametrize(
    ("account", "changes", "code", "field"),
    [
        ("nowhere", {}, "company.unmapped", "cin7_account"),
        ("main", {"status": "Sleeping"}, "source.invalid", "Status"),
        ("main", {"name": "  "}, "source.invalid", "Name"),
    ],
)
def test_what_cannot_go_back_at_all_is_held(account: str, changes: dict[str, str], code: str, field: str) -> None:
    found = map_cin7_supplier(SupplierOfCin7(account=account, supplier=msgspec.structs.replace(ACME, **changes)), RULES)
    assert isinstance(found, list)
    assert [(one.code, one.field) for one in found] == [(code, field)]


def test_a_term_and_a_tax_rule_go_back_by_the_tables() -> None:
    assert term_back(lead(), "30 days", RULES) == "30"
    assert tax_back(lead(), "Reduced", RULES) == "V5"
    assert tax_back(lead(), "Tax on Purchases", RULES) == "V20"
    assert tax_back(lead("west"), "Reduced", RULES) is None, "the company's own rule, without a code"


def test_what_several_of_ifs_become_is_not_guessed_at() -> None:
    tables = msgspec.structs.replace(
        RULES.tables,
        payment_terms={**RULES.tables.payment_terms, ("10", "30N"): "30 days"},
        tax_codes={**RULES.tables.tax_codes, ("10", "V20B"): TaxCode(cin7_tax_rule="Tax on Purchases")},
    )
    rules = msgspec.structs.replace(RULES, tables=tables)
    term, tax = term_back(lead(), "30 days", rules), tax_back(lead(), "Tax on Purchases", rules)
    assert isinstance(term, Finding)
    assert isinstance(tax, Finding)
    assert (term.code, term.value, term.company) == ("term.unmapped", "30 days", "10")
    assert "30, 30N" in term.message
    assert (tax.code, tax.value) == ("tax.unmapped", "Tax on Purchases")


def test_what_nothing_of_ifs_becomes_is_held_with_what_to_add() -> None:
    term, tax = term_back(lead(), "Net 7", RULES), tax_back(lead(), "Zero", RULES)
    assert isinstance(term, Finding)
    assert isinstance(tax, Finding)
    assert "Add the term of company 10 that becomes 'Net 7'" in term.remedy
    assert "tax_codes" in tax.remedy


@pytest.mark.parametrize(
    ("name", "current", "expected"),
    [
        ("United Kingdom", "GB", "GB"),
        ("estonia", "GB", "EE"),
        ("Estonia", None, "EE"),
        ("Atlantis", "Eesti Vabariik", "Atlantis"),
    ],
)
def test_a_country_goes_back_as_ifs_holds_countries(name: str, current: str | None, expected: str) -> None:
    assert country_back(name, current, RULES.tables.countries, "x") == expected


@pytest.mark.parametrize(("name", "countries"), [("Atlantis", {}), ("Doubled", {"AA": "Doubled", "BB": "doubled"})])
def test_a_country_without_one_code_is_held(name: str, countries: dict[str, str]) -> None:
    found = country_back(name, "GB", countries, "addresses Billing country")
    assert isinstance(found, Finding)
    assert (found.code, found.field, found.value) == ("source.invalid", "addresses Billing country", name)

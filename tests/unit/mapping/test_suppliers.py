"""IFS suppliers to Cin7 suppliers."""

import msgspec
import pytest

from shared.cin7.records.suppliers import Supplier
from shared.ifs.records.suppliers import InvoiceInfo, SupplierDocument, TaxInfo
from tests.unit.mapping.samples import ACME, RULES, company, culprits, settings, supplied, tables, unsupplied
from workers.mapping.results import SupplierWrites


def infos(*rows: tuple[str, str]) -> SupplierDocument:
    """Return ACME with a term in each company, as (company, currency)."""
    return msgspec.structs.replace(
        ACME,
        invoice_info=tuple(
            InvoiceInfo(identity="S1", company=code, def_currency=currency, pay_term_id="30") for code, currency in rows
        ),
    )


def info(**changes: object) -> SupplierDocument:
    return msgspec.structs.replace(ACME, invoice_info=(msgspec.structs.replace(ACME.invoice_info[0], **changes),))


def header(**changes: object) -> SupplierDocument:
    return msgspec.structs.replace(ACME, header=msgspec.structs.replace(ACME.header, **changes))


def only(document: SupplierDocument) -> Supplier:
    (write,) = supplied(document).writes
    return write.supplier


def test_a_supplier_carries_its_number_terms_and_tax_number() -> None:
    supplier = only(ACME)
    assert (supplier.name, supplier.currency, supplier.payment_term) == ("Acme Fasteners Ltd", "GBP", "30 days")
    assert (supplier.account_payable, supplier.tax_rule, supplier.status) == ("800", "Tax on Purchases", "Active")
    assert (supplier.tax_number, supplier.attribute_set, supplier.attributes) == ("GB123456789", "ERP link", {1: "S1"})


def test_what_is_mapped_survives_the_ledger() -> None:
    writes = supplied(ACME)
    assert msgspec.json.decode(msgspec.json.encode(writes), type=SupplierWrites) == writes


def test_one_supplier_is_written_per_cin7_account_that_needs_it() -> None:
    writes = supplied(infos(("30", "USD"), ("20", "GBP"), ("10", "EUR"))).writes
    assert [(write.account, write.company, write.supplier.currency) for write in writes] == [
        ("main", "10", "EUR"),
        ("west", "30", "USD"),
    ]
    assert [write.supplier.attributes for write in writes] == [{1: "S1"}, {3: "S1"}]


def test_the_lead_company_gives_the_terms() -> None:
    (write,) = supplied(infos(("10", "EUR"), ("20", "GBP")), company("20", lead=True)).writes
    assert (write.company, write.supplier.currency) == ("20", "GBP")


def test_a_company_that_is_not_mapped_does_not_hold_the_others() -> None:
    assert [write.company for write in supplied(infos(("10", "EUR"), ("99", "EUR"))).writes] == ["10"]


def test_a_supplier_of_unmapped_companies_only_is_held_for_each() -> None:
    assert culprits(unsupplied(infos(("98", "EUR"), ("99", "EUR")))) == [
        ("company.unmapped", "98", "98"),
        ("company.unmapped", "99", "99"),
    ]


def test_a_company_whose_cin7_account_is_unknown_is_unmapped() -> None:
    rules = company("10", cin7_account="east")
    assert culprits(unsupplied(ACME, rules)) == [("company.unmapped", "10", "10")]


def test_a_supplier_without_invoice_information_is_held() -> None:
    (finding,) = unsupplied(msgspec.structs.replace(ACME, invoice_info=()))
    assert (finding.code, finding.field) == ("source.invalid", "PayTermId")


@pytest.mark.parametrize(
    ("changes", "code", "value"),
    [
        ({"def_currency": None}, "source.invalid", ""),
        ({"def_currency": "EURO"}, "source.invalid", "EURO"),
        ({"def_currency": "eur"}, "source.invalid", "eur"),
        ({"pay_term_id": " "}, "source.invalid", ""),
        ({"pay_term_id": "45"}, "term.unmapped", "45"),
        ({"pay_term_id": "0"}, "term.unmapped", "0"),
        ({"pay_term_id": "60"}, "term.unmapped", "60"),
        ({"def_vat_code": "V99"}, "tax.unmapped", "V99"),
        ({"def_vat_code": "GONE"}, "tax.unmapped", "GONE"),
        ({"def_vat_code": "OLD"}, "tax.unmapped", "OLD"),
        ({"def_vat_code": "SALE"}, "tax.unmapped", "SALE"),
    ],
)
def test_terms_that_cin7_would_refuse_hold_the_supplier(changes: dict[str, object], code: str, value: str) -> None:
    assert culprits(unsupplied(info(**changes))) == [(code, "10", value)]


def test_the_finding_of_an_inactive_term_names_the_cin7_term() -> None:
    (finding,) = unsupplied(info(pay_term_id="0"))
    assert "'Cash'" in finding.message
    assert "inactive" in finding.message


@pytest.mark.parametrize(
    ("payable", "code"),
    [("", "account.missing"), ("9999", "account.missing"), ("801", "account.missing"), ("7000", "account.inactive")],
)
def test_the_payable_account_must_be_an_active_payable_one(payable: str, code: str) -> None:
    assert culprits(unsupplied(ACME, company("10", payable_account=payable))) == [(code, "10", payable)]


def test_without_a_tax_code_the_company_s_rule_is_taken() -> None:
    assert only(info(def_vat_code=None)).tax_rule == "Tax on Purchases"
    assert culprits(unsupplied(info(def_vat_code=None), company("10", tax_rule=""))) == [("tax.unmapped", "10", "")]


def test_the_tax_number_is_that_of_the_lead_company() -> None:
    rows = tuple(
        TaxInfo(supplier_id="S1", company=code, vat_no=number) for code, number in (("20", "GB2"), ("10", "GB1"))
    )
    assert only(msgspec.structs.replace(ACME, tax_info=rows)).tax_number == "GB1"


def test_without_a_tax_number_the_association_number_is_taken() -> None:
    assert only(msgspec.structs.replace(ACME, tax_info=())).tax_number == "AN-1"


def test_every_reason_is_reported_at_once() -> None:
    document = msgspec.structs.replace(
        info(def_currency="XXX", pay_term_id="45", def_vat_code="V99"),
        header=msgspec.structs.replace(ACME.header, name="A" * 257),
    )
    codes = [finding.code for finding in unsupplied(document, company("10", payable_account="9999"))]
    assert sorted(codes) == ["account.missing", "source.invalid", "source.invalid", "tax.unmapped", "term.unmapped"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Acme\x00Ltd", "Acme\\x00Ltd"), ("Acme\nLtd", "Acme\\nLtd"), ("Ac\ud800me", "Ac\\ud800me"), ("  ", "")],
)
def test_a_name_that_cannot_be_kept_is_held_and_shown_escaped(name: str, shown: str) -> None:
    (finding,) = unsupplied(header(name=name))
    assert (finding.code, finding.field, finding.value) == ("source.invalid", "Name", shown)
    assert msgspec.json.encode(finding)


def test_a_name_of_the_greatest_length_is_kept_whole() -> None:
    assert only(header(name="A" * 256)).name == "A" * 256


def test_the_attribute_and_its_set_follow_the_settings() -> None:
    (write,) = supplied(ACME, settings(supplier_number_attribute=7, attribute_set="")).writes
    assert (write.supplier.attributes, write.supplier.attribute_set) == ({7: "S1"}, "")


def test_terms_are_those_of_the_company_and_of_no_other() -> None:
    rules = tables(payment_terms={("20", "30"): "30 days"})
    assert culprits(unsupplied(ACME, rules)) == [("term.unmapped", "10", "30")]
    assert RULES.tables.payment_terms["10", "30"] == "30 days"

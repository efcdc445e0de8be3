"""A posted invoice becomes the same money on the same accounts, or says which posting stands in its way."""

from decimal import Decimal
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records.supplier_invoices import InvoiceDocument, InvoiceHeader, InvoiceItem, InvoicePosting
from tests.unit.mapping.samples import RULES, culprits, policy, tables
from tests.unit.mapping.test_totality import FAIR_RULES, NUMBERS, TEXTS, record, require_findings, several, texts
from workers.mapping.results import InvoiceWrite
from workers.mapping.supplier_invoices import map_invoice

COMPANY, NUMBER = "10", 70021
HEADER = InvoiceHeader(
    company=COMPANY,
    invoice_id=NUMBER,
    identity="S1",
    invoice_no="NF-5581",
    invoice_date="2026-03-21",
    due_date="2026-04-20",
    pay_term_id="30",
    currency="EUR",
    curr_rate=Decimal(1),
    div_factor=Decimal(1),
    net_curr_amount=Decimal("166.00"),
    vat_curr_amount=Decimal("33.20"),
    po_ref_number="1001",
    objstate="Posted",
)
BOLTS = InvoiceItem(
    company=COMPANY,
    invoice_id=NUMBER,
    item_id=1,
    description="Bolt M8, zinc",
    net_curr_amount=Decimal("46.00"),
    vat_curr_amount=Decimal("9.20"),
    vat_code="V20",
    po_ref_line_no="1",
    po_ref_release_no="1",
    quantity=Decimal(250),
    part_no="BOLT-8",
)
CLEANING = InvoiceItem(
    company=COMPANY,
    invoice_id=NUMBER,
    item_id=2,
    description="Office cleaning",
    net_curr_amount=Decimal("120.00"),
    vat_curr_amount=Decimal("24.00"),
    vat_code="V20",
)


def posting(row_id: int, code: str, amount: str, **more: object) -> InvoicePosting:
    made = InvoicePosting(company=COMPANY, invoice_id=NUMBER, row_id=row_id, code_a=code, curr_amount=Decimal(amount))
    return msgspec.structs.replace(made, **more)


ROWS = (posting(1, "4010", "46.00", item_id=1, code_b="C100"), posting(2, "5000", "120.00", item_id=2))
INVOICE = InvoiceDocument(header=HEADER, items=(BOLTS, CLEANING), postings=ROWS)


def invoice(*rows: InvoicePosting, items: tuple[InvoiceItem, ...] | None = None, **changes: object) -> InvoiceDocument:
    """Return INVOICE with fields of its header changed, and other postings and items where they are given."""
    return InvoiceDocument(
        header=msgspec.structs.replace(HEADER, **changes),
        items=INVOICE.items if items is None else items,
        postings=rows or ROWS,
    )


Row = TypeVar("Row", InvoiceHeader, InvoiceItem, InvoicePosting)


def negative(document: InvoiceDocument) -> InvoiceDocument:
    def turned(row: Row) -> Row:
        names = [name for name in row.__struct_fields__ if name.endswith("_curr_amount") or name == "curr_amount"]
        return msgspec.structs.replace(row, **{name: -getattr(row, name) for name in names})

    return InvoiceDocument(
        header=turned(document.header),
        items=tuple(map(turned, document.items)),
        postings=tuple(map(turned, document.postings)),
    )


def written(document: InvoiceDocument, rules: Rules = RULES) -> InvoiceWrite:
    result = map_invoice(document, rules)
    assert isinstance(result, InvoiceWrite), result
    return result


def refused(document: InvoiceDocument, rules: Rules = RULES) -> list[Finding]:
    result = map_invoice(document, rules)
    assert isinstance(result, list), result
    return result


def locked(date: str) -> Rules:
    reference = msgspec.structs.replace(RULES.reference["main"], lock_date=date)
    return msgspec.structs.replace(RULES, reference={**RULES.reference, "main": reference})


def test_an_invoice_of_an_order_goes_to_its_purchase_with_the_account_of_every_posting() -> None:
    write = written(INVOICE)
    assert (write.key, write.account, write.supplier_key, write.number) == ("10/70021", "main", "S1", "NF-5581")
    assert (write.order_key, write.own, write.credit, write.void) == ("1001", None, False, False)
    assert (write.date, write.due_date) == ("2026-03-21T00:00:00", "2026-04-20T00:00:00")
    assert (write.net, write.tax, write.total) == (Decimal("166.00"), Decimal("33.20"), Decimal("199.20"))
    bolts, cleaning = write.entries
    assert (bolts.po_line, bolts.quantity, bolts.cin7_code, bolts.trace) == (
        "1/1",
        Decimal(250),
        "4010",
        "IFS INV 10/70021/1 4010 C100",
    )
    assert (cleaning.po_line, cleaning.account, cleaning.cin7_code) == ("", "5000", "6100")
    assert (cleaning.description, cleaning.tax_rule) == ("Office cleaning", "Tax on Purchases")


def test_an_invoice_without_an_order_brings_a_service_purchase_of_its_own() -> None:
    write = written(invoice(po_ref_number=None))
    assert write.own is not None
    header, order = write.own.header, write.own.order
    assert (header.is_service_only, header.location, header.terms) == (True, "Main Warehouse", "30 days")
    assert header.note == header.attributes[1] == order.memo == "IFS INV 10/70021"
    assert (order.status, order.lines) == ("AUTHORISED", ())
    assert [charge.total for charge in order.additional_charges] == [Decimal("46.00"), Decimal("120.00")]
    assert (order.total_before_tax, order.tax, order.total) == (write.net, write.tax, write.total)


def test_a_negative_invoice_is_a_credit_note_of_positive_amounts() -> None:
    write = written(negative(INVOICE))
    assert write.credit
    assert [entry.net for entry in write.entries] == [Decimal("46.00"), Decimal("120.00")]
    assert (write.net, write.tax) == (Decimal("166.00"), Decimal("33.20"))


def test_a_type_may_say_that_it_is_a_credit_note() -> None:
    rules = policy(credit_note_types=("SUPCRE",))
    assert written(invoice(invoice_type="supcre"), rules).credit
    assert not written(invoice(invoice_type="SUPINV"), rules).credit


def test_a_credit_note_without_an_order_goes_where_its_invoice_is_or_is_held() -> None:
    bare = negative(invoice(po_ref_number=None))
    named = negative(invoice(po_ref_number=None, credited_invoice_id=70020))
    assert [finding.field for finding in refused(bare)] == ["PoRefNumber"]
    assert (written(named).credited_key, written(named).own) == ("10/70020", None)


@pytest.mark.parametrize("state", ["Posted", "PostedAuth", "PartlyPaidPosted", "PartlyPaidPostedAuth", "PaidPosted"])
def test_posted_invoices_are_sent(state: str) -> None:
    assert not written(invoice(objstate=state)).void


def test_a_cancelled_invoice_is_voided_whatever_else_is_wrong_with_it() -> None:
    broken = invoice(posting(1, "9999", "1"), objstate="Cancelled", net_curr_amount=Decimal(7), invoice_date="x")
    write = written(broken)
    assert (write.void, write.number, write.order_key, write.entries) == (True, "NF-5581", "1001", ())


@pytest.mark.parametrize("state", ["Preliminary", "PrelPosted"])
def test_an_invoice_that_is_not_posted_is_left_alone(state: str) -> None:
    assert RULES.policy.states["supplier_invoices"].is_ignored(state)


def test_a_state_that_no_setting_knows_is_named() -> None:
    assert culprits(refused(invoice(objstate="Whatever"))) == [("source.invalid", "10", "Whatever")]
    assert not RULES.policy.states["supplier_invoices"].is_ignored("Whatever")


def test_every_posting_with_a_wrong_account_is_named() -> None:
    rows = (posting(1, "9999", "46.00", item_id=1), posting(2, "7000", "120.00", item_id=2))
    findings = refused(invoice(*rows))
    assert culprits(findings) == [("account.missing", "10", "9999"), ("account.inactive", "10", "7000")]
    assert [finding.field for finding in findings] == ["posting 1 CodeA", "posting 2 CodeA"]


def test_an_account_that_must_be_mapped_and_is_not_is_named() -> None:
    findings = refused(INVOICE, policy(accounts="explicit"))
    assert culprits(findings) == [("account.unmapped", "10", "4010")]


def test_an_item_without_a_posting_has_no_account() -> None:
    findings = refused(invoice(ROWS[0]))
    assert [(finding.code, finding.field) for finding in findings] == [("account.missing", "item 2 CodeA")]


def test_an_item_may_be_split_over_several_accounts() -> None:
    rows = (ROWS[0], posting(2, "4010", "80.00", item_id=2), posting(3, "5000", "40.00", item_id=2))
    entries = written(invoice(*rows)).entries
    assert [(entry.item, entry.cin7_code, entry.net, entry.tax) for entry in entries] == [
        ("1", "4010", Decimal("46.00"), Decimal("9.20")),
        ("2.1", "4010", Decimal("80.00"), Decimal("16.00")),
        ("2.2", "6100", Decimal("40.00"), Decimal("8.00")),
    ]


def test_payables_and_tax_are_not_cost() -> None:
    payable, tax = posting(8, "800", "-199.20", item_id=1), posting(9, "801", "9.20", item_id=1)
    assert [entry.cin7_code for entry in written(invoice(*ROWS, payable, tax)).entries] == ["4010", "6100"]


def test_postings_that_do_not_say_their_item_are_found_by_its_amount() -> None:
    rows = (
        posting(1, "800", "-199.20"),
        posting(2, "5000", "120.00"),
        posting(3, "801", "33.20"),
        posting(4, "4010", "46.00"),
    )
    entries = written(invoice(*rows)).entries
    assert [(entry.net, entry.cin7_code) for entry in entries] == [
        (Decimal("46.00"), "4010"),
        (Decimal("120.00"), "6100"),
    ]


def test_no_account_is_guessed_where_amounts_leave_a_choice() -> None:
    rows = (posting(1, "4010", "46.00"), posting(2, "5000", "120.00"), posting(3, "801", "120.00"))
    findings = refused(invoice(*rows))
    assert [(finding.code, finding.field) for finding in findings] == [("source.invalid", "item 2 CodeA")]
    rules = policy(ignored_posting_types=("TAX",))
    named = (*rows[:2], msgspec.structs.replace(rows[2], posting_type="tax"))
    assert [entry.cin7_code for entry in written(invoice(*named), rules).entries] == ["4010", "6100"]


def test_postings_that_do_not_make_up_their_item_are_shown() -> None:
    findings = refused(invoice(ROWS[0], posting(2, "5000", "100.00", item_id=2)))
    assert (findings[0].code, findings[0].value) == ("total.mismatch", "120.00 / 100.00")


def test_an_invoice_without_items_is_one_item_of_its_totals() -> None:
    (entry,) = written(invoice(posting(1, "4010", "166.00"), items=())).entries
    assert (entry.item, entry.net, entry.tax, entry.tax_rule) == (
        "0",
        Decimal(166),
        Decimal("33.20"),
        "Tax on Purchases",
    )


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"net_curr_amount": Decimal("170.00")}, "NetCurrAmount", "170.00 / 166.00"),
        ({"vat_curr_amount": Decimal("33.00")}, "VatCurrAmount", "33.00 / 33.20"),
    ],
)
def test_a_header_that_its_items_do_not_make_up_is_held_with_both_totals(
    changes: dict[str, Decimal], field: str, value: str
) -> None:
    header = msgspec.structs.replace(HEADER, **changes)
    (finding,) = refused(msgspec.structs.replace(INVOICE, header=header))
    assert (finding.code, finding.field, finding.value) == ("total.mismatch", field, value)


def test_a_cent_is_tolerated_and_no_more() -> None:
    assert written(invoice(net_curr_amount=Decimal("166.01"))).net == Decimal("166.00")
    assert refused(invoice(net_curr_amount=Decimal("166.02")))


def test_tax_that_its_rule_does_not_give_is_held() -> None:
    items = (msgspec.structs.replace(BOLTS, vat_code="V5"), CLEANING)
    (finding,) = refused(invoice(items=items))
    assert (finding.code, finding.field, finding.value) == ("total.mismatch", "item 1 VatCurrAmount", "9.20 / 2.53")


@pytest.mark.parametrize(
    ("lock", "held"), [("2026-03-22T00:00:00", True), ("2026-03-21T00:00:00", False), ("", False), ("none", False)]
)
def test_a_date_before_the_lock_date_is_held(lock: str, held: bool) -> None:
    result = map_invoice(INVOICE, locked(lock))
    assert isinstance(result, list) is held
    if isinstance(result, list):
        assert culprits(result) == [("period.locked", "10", "2026-03-22")]


@pytest.mark.parametrize(
    ("rate", "units", "expected"), [("0.61", "100", "0.0061"), ("1.27", "1", "1.27"), ("1", "3", "0.333333")]
)
def test_a_rate_is_for_so_many_units_of_the_currency(rate: str, units: str, expected: str) -> None:
    document = invoice(po_ref_number=None, currency="GBP", curr_rate=Decimal(rate), div_factor=Decimal(units))
    write = written(document)
    assert write.rate == Decimal(expected)
    assert write.own is not None
    assert write.own.header.currency_rate == Decimal(expected)


def test_an_invoice_in_the_companys_own_currency_has_no_rate() -> None:
    assert written(invoice(curr_rate=Decimal(7))).rate is None


def test_a_rate_that_is_none_is_held() -> None:
    findings = refused(invoice(currency="GBP", div_factor=Decimal(0)))
    assert [(finding.field, finding.value) for finding in findings] == [("DivFactor", "0")]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    document = invoice(
        posting(1, "9999", "46.00", item_id=1),
        ROWS[1],
        invoice_no=" ",
        invoice_date=None,
        net_curr_amount=Decimal(1),
    )
    assert [finding.code for finding in refused(document)] == [
        "source.invalid",
        "source.invalid",
        "total.mismatch",
        "account.missing",
    ]


def test_a_company_without_a_cin7_account_is_held() -> None:
    assert [finding.code for finding in refused(INVOICE, tables(companies={}))] == ["company.unmapped"]


INVOICES = st.builds(
    InvoiceDocument,
    header=record(
        InvoiceHeader,
        **texts("company", "identity", "invoice_no", of=TEXTS),
        **texts("invoice_type", "invoice_date", "due_date", "pay_term_id", "po_ref_number"),
        invoice_id=st.integers(1, 3),
        currency=st.just("EUR") | TEXTS,
        curr_rate=st.none() | NUMBERS,
        div_factor=st.none() | NUMBERS,
        net_curr_amount=NUMBERS,
        vat_curr_amount=st.none() | NUMBERS,
        credited_invoice_id=st.none() | st.integers(1, 3),
        objstate=st.just("Posted") | TEXTS,
    ),
    items=several(
        record(
            InvoiceItem,
            company=TEXTS,
            invoice_id=st.just(1),
            item_id=st.integers(1, 3),
            **texts("description", "vat_code", "po_ref_line_no", "po_ref_release_no", "part_no"),
            net_curr_amount=NUMBERS,
            vat_curr_amount=st.none() | NUMBERS,
            quantity=st.none() | NUMBERS,
        )
    ),
    postings=several(
        record(
            InvoicePosting,
            company=TEXTS,
            invoice_id=st.just(1),
            row_id=st.integers(1, 3),
            item_id=st.none() | st.integers(1, 3),
            **texts("posting_type", "code_a", "code_b"),
            curr_amount=st.none() | NUMBERS,
        )
    ),
)


@settings(max_examples=300, deadline=None)
@given(INVOICES, FAIR_RULES)
def test_any_invoice_gives_an_invoice_or_findings(document: InvoiceDocument, rules: Rules) -> None:
    result = map_invoice(document, rules)
    if isinstance(result, InvoiceWrite):
        assert msgspec.json.decode(msgspec.json.encode(result), type=InvoiceWrite) == result
    else:
        require_findings(result)


UNITS = {"JPY": 0, "EUR": 2, "KWD": 3}


@st.composite
def posted(draw: st.DrawFn) -> InvoiceDocument:
    """An invoice as IFS posts it: items that make up its totals, postings that make up its items."""
    currency = draw(st.sampled_from(sorted(UNITS)))
    places = UNITS[currency]
    unit = Decimal(1).scaleb(-places)
    items: list[InvoiceItem] = []
    rows: list[InvoicePosting] = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        parts = draw(st.lists(st.integers(1, 10_000_000), min_size=1, max_size=3))
        net = sum(parts) * unit
        code, percent = draw(st.sampled_from([("V20", Decimal(20)), ("V5", Decimal("5.5"))]))
        slip = draw(st.sampled_from([-1, 0, 1])) if places else 0
        vat = (net * percent / 100).quantize(unit, rounding="ROUND_HALF_UP") + slip * unit
        quantity = draw(st.none() | st.integers(1, 100_000).map(Decimal))
        items.append(
            msgspec.structs.replace(
                BOLTS, item_id=number, net_curr_amount=net, vat_curr_amount=vat, vat_code=code, quantity=quantity
            )
        )
        for part in parts:
            code_a = draw(st.sampled_from(["4010", "5000"]))
            rows.append(posting(len(rows) + 1, code_a, "0", item_id=number, curr_amount=part * unit))
    totals = {
        "net_curr_amount": sum((item.net_curr_amount for item in items), Decimal(0)),
        "vat_curr_amount": sum((item.vat_curr_amount or Decimal(0) for item in items), Decimal(0)),
    }
    order = draw(st.sampled_from([None, "1001"]))
    header = msgspec.structs.replace(HEADER, currency=currency, po_ref_number=order, **totals)
    return InvoiceDocument(header=header, items=tuple(items), postings=tuple(rows))


@settings(max_examples=500, deadline=None)
@given(posted())
def test_no_money_is_lost_between_ifs_and_the_entries(document: InvoiceDocument) -> None:
    write = written(document)
    header = document.header
    assert header.vat_curr_amount is not None
    assert (write.net, write.tax) == (header.net_curr_amount, header.vat_curr_amount)
    assert write.total == header.net_curr_amount + header.vat_curr_amount
    assert sum(entry.net for entry in write.entries) == write.net
    assert sum(entry.tax for entry in write.entries) == write.tax
    by_account: dict[str, Decimal] = {}
    for row in document.postings:
        assert row.code_a
        assert row.curr_amount is not None
        by_account[row.code_a] = by_account.get(row.code_a, Decimal(0)) + row.curr_amount
    for code, amount in by_account.items():
        assert sum(entry.net for entry in write.entries if entry.account == code) == amount
    if write.own is not None:
        order = write.own.order
        assert sum(charge.total for charge in order.additional_charges) == order.total_before_tax == write.net
        assert sum(charge.tax for charge in order.additional_charges) == order.tax

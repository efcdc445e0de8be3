"""IFS purchase orders to Cin7 purchases: company, location, state, header and totals."""

from decimal import Decimal

import msgspec
import pytest

from shared.ifs.records.purchase_orders import OrderDocument, OrderLine
from tests.unit.mapping.samples import (
    CLEANING,
    ORDER,
    bolt,
    cleaning,
    company,
    culprits,
    order,
    order_of,
    policy,
    refused,
    settings,
    tables,
    written,
)
from workers.mapping.results import PurchaseWrite


def test_a_purchase_shows_the_order_it_comes_from() -> None:
    write = written(ORDER)
    assert (write.order_no, write.company, write.account, write.supplier_key) == ("1001", "10", "main", "S1")
    assert (write.header.note, write.header.attributes) == ("IFS PO 10/1001", {1: "IFS PO 10/1001"})
    assert (write.header.terms, write.header.approach, write.currency) == ("30 days", "INVOICE", "EUR")
    assert (write.order.memo, write.order.status, write.void) == ("IFS PO 10/1001", "AUTHORISED", False)


def test_what_is_mapped_survives_the_ledger() -> None:
    write = written(ORDER)
    assert msgspec.json.decode(msgspec.json.encode(write), type=PurchaseWrite) == write


def test_the_totals_are_the_sums_of_the_lines() -> None:
    placed = written(ORDER).order
    assert (placed.total_before_tax, placed.tax, placed.total) == (
        Decimal("166.00"),
        Decimal("33.20"),
        Decimal("199.20"),
    )


def test_prices_that_include_tax_are_sent_as_inclusive() -> None:
    write = written(order_of(CLEANING, use_price_incl_tax=True))
    assert write.header.tax_calculation == "Inclusive"
    (charge,) = write.order.additional_charges
    assert (charge.total, charge.tax) == (Decimal("120.00"), Decimal("20.00"))
    assert [write.order.total_before_tax, write.order.tax, write.order.total] == [100, 20, 120]


def test_an_order_of_gl_coded_lines_only_is_a_service_purchase() -> None:
    assert written(order_of(CLEANING)).header.is_service_only
    assert not written(ORDER).header.is_service_only


@pytest.mark.parametrize(
    ("changes", "code", "location"),
    [
        ({"company": "20", "contract": "S10"}, "20", "North"),
        ({"company": None, "contract": "S10"}, "10", "North"),
        ({"company": None, "contract": "S20", "pay_term_id": None}, "20", "North"),
        ({"company": "10", "contract": "S99"}, "10", "Main Warehouse"),
    ],
)
def test_company_and_location_come_from_the_order_else_its_site(
    changes: dict[str, object], code: str, location: str
) -> None:
    document = order_of(bolt(tax_code=None), **changes)
    write = written(document)
    assert (write.company, write.header.location) == (code, location)


def test_an_order_whose_site_has_no_company_is_held() -> None:
    assert culprits(refused(order(company=None, contract="S99"))) == [("site.unmapped", "", "S99")]


def test_an_order_of_an_unmapped_company_is_held_never_guessed() -> None:
    assert culprits(refused(order(company="99"))) == [("company.unmapped", "99", "99")]


@pytest.mark.parametrize("location", ["", "Nowhere"])
def test_a_location_that_cin7_lacks_holds_the_order(location: str) -> None:
    rules = company("10", location=location)
    assert culprits(refused(order(contract="S99"), rules)) == [("site.unmapped", "10", "S99")]


@pytest.mark.parametrize("state", ["Released", "Confirmed", "released "])
def test_an_order_in_force_becomes_a_purchase(state: str) -> None:
    assert not written(order(objstate=state)).void


def test_a_state_that_nobody_knows_is_held() -> None:
    (finding,) = refused(order(objstate="Dreaming"))
    assert (finding.code, finding.field, finding.value) == ("source.invalid", "Objstate", "Dreaming")


def test_a_cancelled_order_asks_for_a_void_whatever_else_is_wrong_with_it() -> None:
    document = order_of(cleaning(tax_code="V99", buy_qty_due=Decimal(0)), objstate="Cancelled", pay_term_id="45")
    write = written(document)
    assert write.void
    assert write.header.attributes == {1: "IFS PO 10/1001"}
    assert not write.order.lines
    assert not write.order.additional_charges


def test_cancelled_lines_are_left_out() -> None:
    write = written(order_of(bolt(objstate="Cancelled", part_no="GONE"), CLEANING))
    assert [charge.description for charge in write.order.additional_charges] == ["Office cleaning, March"]
    assert write.order.lines == ()


@pytest.mark.parametrize("document", [order_of(), order_of(bolt(objstate="Cancelled"))])
def test_an_order_without_lines_is_held(document: OrderDocument) -> None:
    (finding,) = refused(document)
    assert (finding.code, finding.value) == ("source.invalid", "1001")


@pytest.mark.parametrize(
    ("changes", "code", "value"),
    [
        ({"currency_code": "EUR "}, "", ""),
        ({"currency_code": "EURO"}, "source.invalid", "EURO"),
        ({"currency_code": ""}, "source.invalid", ""),
        ({"vendor_no": " "}, "source.invalid", ""),
        ({"order_no": "10\x0001"}, "source.invalid", "10\\x0001"),
        ({"note_text": "call\x00me"}, "source.invalid", "call\\x00me"),
        ({"pay_term_id": "45"}, "term.unmapped", "45"),
        ({"pay_term_id": "0"}, "term.unmapped", "0"),
    ],
)
def test_a_header_that_cin7_could_not_hold_is_held(changes: dict[str, object], code: str, value: str) -> None:
    document = order_of(cleaning(currency_code=None), **changes)
    if not code:
        assert written(document).currency == "EUR"
        return
    (finding,) = refused(document)
    assert (finding.code, finding.value) == (code, value)


def test_an_order_without_a_term_leaves_it_to_the_supplier() -> None:
    assert written(order(pay_term_id=None)).header.terms == ""


def test_the_note_begins_with_the_marker_and_keeps_ifs_own_note() -> None:
    assert written(order(note_text=" Deliver to gate 2\nRing twice ")).header.note == (
        "IFS PO 10/1001\nDeliver to gate 2\nRing twice"
    )


def test_a_note_too_long_for_cin7_ends_in_a_visible_mark() -> None:
    note = written(order(note_text="x" * 2000)).header.note
    assert (len(note), note[-2:]) == (1024, " …")


@pytest.mark.parametrize(
    ("lines", "header", "expected"),
    [
        ((bolt(), CLEANING), None, "2026-03-18T00:00:00"),
        ((bolt(wanted_delivery_date="2026-01-01"),), None, "2026-03-20T00:00:00"),
        ((bolt(planned_receipt_date=None),), "2026-04-01T12:00:00Z", "2026-04-01T00:00:00"),
        ((bolt(planned_receipt_date=None),), None, None),
    ],
)
def test_a_purchase_is_required_by_the_earliest_date_of_its_lines(
    lines: tuple[OrderLine, ...], header: str | None, expected: str | None
) -> None:
    document = msgspec.structs.replace(order(wanted_receipt_date=header), lines=lines)
    assert written(document).header.required_by == expected


def test_a_date_that_is_none_is_held() -> None:
    (finding,) = refused(order_of(bolt(planned_receipt_date="soon")))
    assert (finding.code, finding.field, finding.value) == ("source.invalid", "line 1/1 PlannedReceiptDate", "soon")


def test_the_settings_decide_status_and_approach() -> None:
    write = written(ORDER, settings(order_status="DRAFT", approach="STOCK"))
    assert (write.order.status, write.header.approach) == ("DRAFT", "STOCK")


def test_an_order_that_was_received_while_it_was_held_still_goes_on() -> None:
    assert not written(order(objstate="Received")).void


def test_states_are_the_policys() -> None:
    assert written(order(objstate="Closed"), policy(cancelled_states=("Closed",))).void


def test_every_reason_is_reported_at_once() -> None:
    document = order_of(bolt(part_no="GONE", tax_code="V99"), cleaning(pre_accounting_id=None), pay_term_id="45")
    found = refused(document, tables(sites={}, companies=company("10", location="").tables.companies))
    assert culprits(found) == [
        ("site.unmapped", "10", "S10"),
        ("term.unmapped", "10", "45"),
        ("product.missing", "10", "GONE"),
        ("tax.unmapped", "10", "V99"),
        ("account.missing", "10", ""),
    ]

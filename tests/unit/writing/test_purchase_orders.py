"""What to do with a purchase, from any state in which Cin7 may have it."""

from decimal import Decimal

import msgspec
import pytest

from shared.cin7.records.purchases import Order, Purchase
from shared.findings import Finding
from tests.unit.mapping.samples import ORDER, bolt, order, order_of, settings, written
from tests.unit.writing.test_suppliers import CURRENT as ACME
from workers.mapping.results import PurchaseWrite
from workers.writing.purchase_orders import (
    CreateHeader,
    Step,
    Undo,
    UpdateHeader,
    Void,
    WriteOrder,
    addressed,
    carries_marker,
    check_supplier,
    order_differences,
    plan_purchase,
)

CENT = Decimal("0.01")
EURO_ACME = msgspec.structs.replace(ACME, currency="EUR")
WRITE = addressed(written(ORDER), EURO_ACME)
VOID = addressed(written(order(objstate="Cancelled")), EURO_ACME)
NEVER_PLACED = Order(status="NOT AVAILABLE")


def held(write: PurchaseWrite = WRITE, /, **changes: object) -> Purchase:
    """Return the purchase as Cin7 holds it once `write` went through."""
    purchase = Purchase(
        id="p-1",
        order_number="PO-00102",
        status="ORDERED",
        type="Advanced Purchase",
        supplier_id=write.header.supplier_id.upper(),
        supplier=write.header.supplier,
        supplier_currency="EUR",
        location=write.header.location,
        required_by=write.header.required_by,
        note=write.header.note,
        attributes={**write.header.attributes, 2: ""},
        order=write.order,
    )
    return msgspec.structs.replace(purchase, **changes)


def placed(**changes: object) -> Order:
    return msgspec.structs.replace(WRITE.order, **changes)


def amended(**changes: object) -> PurchaseWrite:
    """Return the write after a change of IFS's header."""
    return addressed(written(order(**changes)), EURO_ACME)


MORE = addressed(written(order_of(bolt(buy_qty_due=Decimal(300)), *ORDER.lines[1:])), EURO_ACME)


def locked(plan: tuple[Step, ...] | list[Finding]) -> str:
    assert isinstance(plan, list), plan
    (finding,) = plan
    assert (finding.code, finding.value, finding.company) == ("purchase.locked", "1001", "10")
    return finding.message


def test_a_purchase_that_is_not_there_is_made_in_two_steps() -> None:
    assert plan_purchase(WRITE, None, None) == (CreateHeader(WRITE.header), WriteOrder(WRITE.order))


def test_a_writer_that_died_after_the_header_writes_the_order() -> None:
    assert plan_purchase(WRITE, held(status="DRAFT", order=NEVER_PLACED), None) == (WriteOrder(WRITE.order),)


def test_a_writer_that_died_after_the_order_finds_nothing_to_do() -> None:
    assert plan_purchase(WRITE, held(), None) == ()


def test_an_amended_order_that_is_authorised_is_undone_first() -> None:
    assert plan_purchase(MORE, held(), WRITE) == (Undo(), WriteOrder(MORE.order))


def test_an_amended_order_that_is_a_draft_is_written_again() -> None:
    assert plan_purchase(MORE, held(order=placed(status="DRAFT")), WRITE) == (WriteOrder(MORE.order),)


def test_an_order_undone_by_a_writer_that_died_is_authorised_again() -> None:
    assert plan_purchase(WRITE, held(order=placed(status="DRAFT")), WRITE) == (WriteOrder(WRITE.order),)


def test_a_draft_that_people_authorised_stays_authorised() -> None:
    draft = addressed(written(ORDER, settings(order_status="DRAFT")), EURO_ACME)
    assert plan_purchase(draft, held(draft, order=WRITE.order), draft) == ()
    assert plan_purchase(draft, held(draft, order=NEVER_PLACED), None) == (WriteOrder(draft.order),)


def test_a_changed_header_is_written_while_the_order_is_open() -> None:
    later = amended(note_text="Ring twice")
    assert plan_purchase(later, held(), WRITE) == (Undo(), UpdateHeader(later.header), WriteOrder(later.order))
    draft = held(order=placed(status="DRAFT"))
    assert plan_purchase(later, draft, WRITE) == (UpdateHeader(later.header), WriteOrder(later.order))


def test_a_changed_term_is_written_though_cin7_does_not_show_it() -> None:
    other = amended(pay_term_id=None)
    assert plan_purchase(other, held(), WRITE) == (Undo(), UpdateHeader(other.header), WriteOrder(other.order))


def test_what_people_changed_in_the_header_is_left_alone() -> None:
    theirs = held(note="IFS PO 10/1001 - call before noon", location="Main Warehouse", required_by="2026-05-01")
    assert plan_purchase(WRITE, theirs, WRITE) == ()
    assert order_differences(WRITE, theirs, CENT, written=WRITE) == ()
    later = amended(pay_term_id=None)
    steps = plan_purchase(later, theirs, WRITE)
    assert isinstance(steps, tuple)
    (header,) = (step.header for step in steps if isinstance(step, UpdateHeader))
    assert (header.note, header.location, header.required_by) == (theirs.note, theirs.location, theirs.required_by)


def test_a_note_that_lost_its_marker_is_written_again() -> None:
    steps = plan_purchase(WRITE, held(note="call before noon"), WRITE)
    assert steps == (Undo(), UpdateHeader(WRITE.header), WriteOrder(WRITE.order))


def test_lines_that_people_changed_are_ifs_again() -> None:
    theirs = held(order=placed(lines=()))
    assert plan_purchase(WRITE, theirs, WRITE) == (Undo(), WriteOrder(WRITE.order))


@pytest.mark.parametrize("state", ["received", "invoiced"])
def test_a_purchase_received_or_invoiced_is_not_changed(state: str) -> None:
    message = locked(plan_purchase(MORE, held(**{state: True}), WRITE))
    assert state in message
    assert "Quantity: 300" in message
    assert plan_purchase(WRITE, held(**{state: True}), WRITE) == ()


@pytest.mark.parametrize(
    "voided", [held(status="VOIDED"), held(order=placed(status="VOIDED")), held(status="VOIDED", order=NEVER_PLACED)]
)
def test_a_purchase_voided_in_cin7_is_not_revived(voided: Purchase) -> None:
    assert "voided" in locked(plan_purchase(WRITE, voided, WRITE))


def test_a_service_purchase_takes_no_stock_lines() -> None:
    assert "service" in locked(plan_purchase(WRITE, held(is_service_only=True, order=NEVER_PLACED), None))


def test_a_cancelled_order_is_voided_once() -> None:
    assert plan_purchase(VOID, held(), WRITE) == (Void(),)
    assert plan_purchase(VOID, held(status="VOIDED"), WRITE) == ()
    assert plan_purchase(VOID, None, None) == ()


@pytest.mark.parametrize("state", ["received", "invoiced"])
def test_a_cancelled_order_that_was_received_or_invoiced_is_held(state: str) -> None:
    assert "cancelled" in locked(plan_purchase(VOID, held(**{state: True}), WRITE))


def test_a_purchase_has_the_currency_of_its_supplier() -> None:
    (finding,) = check_supplier(WRITE, ACME)
    assert (finding.code, finding.company) == ("currency.mismatch", "10")
    assert check_supplier(WRITE, EURO_ACME) == []
    assert check_supplier(VOID, ACME) == []
    plan = plan_purchase(MORE, held(supplier_currency="GBP"), WRITE)
    assert isinstance(plan, list)
    assert [one.code for one in plan] == ["currency.mismatch"]


@pytest.mark.parametrize(
    ("note", "attributes", "expected"),
    [
        ("IFS PO 10/1001", {}, True),
        ("IFS PO 10/1001\nRing twice", {}, True),
        ("IFS PO 10/1001 urgent", {}, True),
        ("urgent", {1: "IFS PO 10/1001"}, True),
        ("IFS PO 10/10012", {}, False),
        ("see IFS PO 10/1001", {2: "IFS PO 10/1001"}, False),
        ("", {}, False),
    ],
)
def test_a_purchase_is_recognised_by_its_whole_marker(note: str, attributes: dict[int, str], expected: bool) -> None:
    assert carries_marker(held(note=note, attributes=attributes), WRITE) is expected


def test_what_arrived_has_no_differences_whatever_the_order_of_its_lines() -> None:
    two = addressed(written(order_of(bolt(), bolt(line_no="2", part_no="NUT-8"))), EURO_ACME)
    got = held(two, order=msgspec.structs.replace(two.order, lines=tuple(reversed(two.order.lines))))
    assert order_differences(two, got, CENT) == ()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sku": "NUT-8"}, "SKU"),
        ({"quantity": Decimal(251)}, "Quantity"),
        ({"price": Decimal("0.1841")}, "Price"),
        ({"discount": Decimal(1)}, "Discount"),
        ({"tax": Decimal("9.22")}, "Tax"),
        ({"tax_rule": "Reduced"}, "TaxRule"),
        ({"total": Decimal("46.02")}, "Total"),
    ],
)
def test_a_line_that_arrived_otherwise_is_named_with_both_values(changes: dict[str, object], named: str) -> None:
    line = msgspec.structs.replace(WRITE.order.lines[0], **changes)
    (difference,) = order_differences(WRITE, held(order=placed(lines=(line,))), CENT)
    assert difference.startswith(f"line 1001/1/1 10 {named}: ")


def test_a_lost_line_and_a_strange_one_are_named() -> None:
    line = msgspec.structs.replace(WRITE.order.lines[0], comment="")
    got = held(order=placed(lines=(line,), additional_charges=()))
    assert order_differences(WRITE, got, CENT) == (
        "line 1001/1/1 10: missing in Cin7",
        "line BOLT-8: only in Cin7",
        "charge 1001/2/1 10 4010 C100: missing in Cin7",
    )


def test_amounts_may_differ_within_the_tolerance_and_sums_by_that_of_each_line() -> None:
    line = msgspec.structs.replace(WRITE.order.lines[0], tax=Decimal("9.21"))
    assert order_differences(WRITE, held(order=placed(lines=(line,), tax=Decimal("33.22"))), CENT) == ()
    assert order_differences(WRITE, held(order=placed(tax=Decimal("33.23"))), CENT) != ()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"note": ""}, "Note"),
        ({"attributes": {1: "another"}}, "AdditionalAttribute1"),
        ({"location": "Main Warehouse"}, "Location"),
        ({"required_by": None}, "RequiredBy"),
        ({"supplier_id": "other"}, "SupplierID"),
        ({"order": placed(status="DRAFT")}, "Order.Status"),
    ],
)
def test_a_header_that_arrived_otherwise_is_named(changes: dict[str, object], named: str) -> None:
    (difference,) = order_differences(WRITE, held(**changes), CENT)
    assert difference.startswith(f"{named}: ")


def test_attributes_that_cin7_ignores_are_no_difference_since_the_note_carries_the_marker() -> None:
    assert order_differences(WRITE, held(attributes={}), CENT) == ()


def test_a_void_is_verified_too() -> None:
    assert order_differences(VOID, held(status="VOIDED"), CENT) == ()
    assert order_differences(VOID, held(), CENT) != ()

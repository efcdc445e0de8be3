"""Which purchases have to be read, by what the list shows of them."""

from decimal import Decimal

import msgspec
import pytest

from shared.cin7.records.purchases import PurchaseRow
from tests.unit.reconciling.samples import MARCH
from tests.unit.reconciling.test_cin7_side import purchase
from workers.reconciling.looking_at_cin7 import is_current, may_matter, same_stamp

STAMP = "2026-03-12T08:00:00.327Z"
ROW = PurchaseRow(id="p-1", order_date="2026-02-10T00:00:00", status="ORDERED", last_updated_date=STAMP)


def row(**changes: object) -> PurchaseRow:
    return msgspec.structs.replace(ROW, **changes)


@pytest.mark.parametrize(
    ("changes", "matters"),
    [
        ({}, False),
        ({"order_date": "2026-03-31T00:00:00"}, True),
        ({"order_date": "2026-04-01T00:00:00"}, False),
        ({"invoice_date": "2026-03-01T00:00:00"}, True),
        ({"order_date": "2026-03-02", "status": "VOIDED"}, False),
        # Made before the month, changed in it or later, and with bills of which the list shows one.
        ({"invoice_status": "AUTHORISED", "invoice_date": "2026-04-02"}, True),
        ({"credit_note_status": "AUTHORISED"}, True),
        ({"combined_invoice_status": "PARTIALLY INVOICED"}, True),
        ({"combined_invoice_status": "INVOICED", "last_updated_date": "2026-02-20T00:00:00Z"}, False),
        ({"combined_invoice_status": "INVOICED", "order_date": "2026-04-02"}, False),
    ],
)
def test_a_purchase_matters_where_it_may_hold_something_of_the_month(changes: dict[str, object], matters: bool) -> None:
    assert may_matter(row(**changes), MARCH) is matters


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (STAMP, "2026-03-12T08:00:00.327", True),
        (STAMP, "2026-03-12T08:00:00.3270000Z", True),
        ("2026-03-12T08:00:00Z", "2026-03-12T08:00:00", True),
        (STAMP, "2026-03-12T08:00:00.328Z", False),
        ("2026-03-12T08:00:30Z", "2026-03-12T08:00:3Z", False),
    ],
)
def test_a_stamp_is_the_same_however_it_is_written(one: str, other: str, same: bool) -> None:
    assert same_stamp(one, other) is same


def test_what_is_kept_counts_while_the_list_shows_the_same_stamp() -> None:
    assert is_current(STAMP, purchase(), row(), MARCH)
    assert not is_current(STAMP, purchase(), row(last_updated_date="2026-03-12T08:00:01Z"), MARCH)
    assert not is_current("", purchase(), row(last_updated_date=""), MARCH)


@pytest.mark.parametrize(("amount", "current"), [("186", True), ("0", True), ("186.01", False)])
def test_what_is_kept_does_not_count_where_the_lists_own_sum_is_another(amount: str, current: bool) -> None:
    assert is_current(STAMP, purchase(), row(invoice_amount=Decimal(amount)), MARCH) is current


def test_the_list_may_show_the_sum_of_one_of_several_invoices() -> None:
    bill = purchase().bills[0]
    two = msgspec.structs.replace(purchase(), bills=(bill, msgspec.structs.replace(bill, task_id="t-3")))
    assert is_current(STAMP, two, row(invoice_amount=Decimal(186)), MARCH)
    assert is_current(STAMP, two, row(invoice_amount=Decimal(372)), MARCH)
    assert not is_current(STAMP, two, row(invoice_amount=Decimal(200)), MARCH)


def test_what_the_list_does_not_show_any_more_has_not_changed_since_before_it() -> None:
    assert is_current("2026-01-20T00:00:00Z", purchase(), None, MARCH)
    assert not is_current(STAMP, purchase(), None, MARCH)

"""Which records are left alone is told by their flow's states, not by a flow's name in the code."""

from datetime import date

import pytest

from shared.config.settings import PolicySettings, StreamSettings
from shared.flows import PURCHASE_ORDERS, SUPPLIERS, Flow
from shared.ifs.records import purchase_orders, supplier_invoices, suppliers
from shared.ifs.sources import Source
from shared.seeing import IfsLens

INVOICES = Flow("supplier_invoices", ("Company", "InvoiceId"))


@pytest.mark.parametrize(
    ("flow", "source", "state", "skipped"),
    [
        (PURCHASE_ORDERS, purchase_orders.SOURCE, "Released", False),
        (PURCHASE_ORDERS, purchase_orders.SOURCE, "Cancelled", False),
        (PURCHASE_ORDERS, purchase_orders.SOURCE, "Planned", True),
        (PURCHASE_ORDERS, purchase_orders.SOURCE, "Unheard-of", False),
        (INVOICES, supplier_invoices.SOURCE, "PaidPosted", False),
        (INVOICES, supplier_invoices.SOURCE, "Cancelled", False),
        (INVOICES, supplier_invoices.SOURCE, "Preliminary", True),
        (INVOICES, supplier_invoices.SOURCE, "Unheard-of", False),
        (PURCHASE_ORDERS, purchase_orders.SOURCE, "Received", True),
        (SUPPLIERS, suppliers.SOURCE, "Preliminary", False),
    ],
)
def test_a_state_is_left_alone_as_its_flow_says(flow: Flow, source: Source, state: str, skipped: bool) -> None:
    lens = IfsLens(flow, source.bound(StreamSettings()), PolicySettings())
    assert bool(lens.skip({"Objstate": state})) is skipped


def test_a_document_from_before_the_start_is_left_alone() -> None:
    lens = IfsLens(INVOICES, supplier_invoices.SOURCE.bound(StreamSettings()), PolicySettings(), "2026-03-01")
    assert "before the start" in lens.skip({"Objstate": "Posted", "InvoiceDate": "2026-02-28"})
    assert not lens.skip({"Objstate": "Posted", "InvoiceDate": "2026-03-01"})


@pytest.mark.parametrize(
    ("day", "left_out"), [("2026-02-09", True), ("2026-02-10", False), ("2026-02-20", False), ("2026-02-21", True)]
)
def test_a_document_of_a_span_that_was_brought_in_afterwards_is_not_left_alone(day: str, left_out: bool) -> None:
    spans = (("2025-12-01", "2025-12-31"), ("2026-02-10", "2026-02-20"))
    lens = IfsLens(INVOICES, supplier_invoices.SOURCE.bound(StreamSettings()), PolicySettings(), "2026-03-01", spans)
    assert bool(lens.skip({"Objstate": "Posted", "InvoiceDate": day})) is left_out
    assert lens.skip({"Objstate": "Preliminary", "InvoiceDate": day})


@pytest.mark.parametrize(
    ("header", "dated"),
    [
        ({"InvoiceDate": "2026-03-01"}, date(2026, 3, 1)),
        ({"InvoiceDate": "2026-02-30"}, None),
        ({"InvoiceDate": ""}, None),
        ({}, None),
    ],
)
def test_a_record_is_dated_by_its_business_date(header: dict[str, str], dated: date | None) -> None:
    lens = IfsLens(INVOICES, supplier_invoices.SOURCE.bound(StreamSettings()), PolicySettings())
    assert lens.dated(header) == dated

"""Which records are left alone is told by their flow's states, not by a flow's name in the code."""

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

"""A purchase order as IFS holds it: header, part lines and GL-coded lines, and their code parts.

Names follow docs/apis/ifs.md#purchase-orders; each property name is only the default of a setting.
"""

from decimal import Decimal
from typing import Final

import msgspec

from shared.ifs.sources import SetSource, Source, Unit


class OrderHeader(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`company` may be absent in a tenant; then the site (`contract`) tells it. Dates are texts as IFS sends them."""

    order_no: str
    vendor_no: str
    contract: str | None = None
    company: str | None = None
    currency_code: str
    order_date: str | None = None
    wanted_receipt_date: str | None = None
    pay_term_id: str | None = None
    note_text: str | None = None
    use_price_incl_tax: bool | None = None
    pre_accounting_id: int | None = None
    objstate: str


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`part_no` None: a line without a part, coded to a GL account through `pre_accounting_id`.

    `discount` is a percentage. `net_amt_curr` is preferred to recomputing where the tenant has it.
    """

    order_no: str
    line_no: str
    release_no: str
    part_no: str | None = None
    description: str | None = None
    buy_qty_due: Decimal
    buy_unit_meas: str | None = None
    buy_unit_price: Decimal
    discount: Decimal | None = None
    additional_cost_amount: Decimal | None = None
    net_amt_curr: Decimal | None = None
    gross_amt_curr: Decimal | None = None
    currency_code: str | None = None
    planned_receipt_date: str | None = None
    wanted_delivery_date: str | None = None
    tax_code: str | None = None
    pre_accounting_id: int | None = None
    objstate: str | None = None


class CodeParts(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The GL coding of a line or of the header: account and code parts B to J."""

    pre_accounting_id: int
    account_no: str | None = None
    codeno_b: str | None = None
    codeno_c: str | None = None
    codeno_d: str | None = None
    codeno_e: str | None = None
    codeno_f: str | None = None
    codeno_g: str | None = None
    codeno_h: str | None = None
    codeno_i: str | None = None
    codeno_j: str | None = None


class OrderDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Lines in IFS's order: numeric by line, then release."""

    header: OrderHeader
    lines: tuple[OrderLine, ...] = ()
    code_parts: tuple[CodeParts, ...] = ()


#: Services and sets: docs/apis/ifs.md#purchase-orders. Logical units: docs/apis/ifs.md#changes.
SOURCE: Final = Source(
    flow="purchase_orders",
    document=OrderDocument,
    header=SetSource(
        name="header",
        service="PurchaseOrderHandling",
        entity_set="PurchaseOrderSet",
        shape=OrderHeader,
        key=("order_no",),
    ),
    children=(
        SetSource(
            name="lines",
            service="PurchaseOrderLineEntity",
            entity_set="PurchaseOrderLineSet",
            shape=OrderLine,
            key=("order_no", "line_no", "release_no"),
            parent="order_no",
            modified_field="LastActivityDate",
        ),
        SetSource(
            name="code_parts",
            service="PreAccountingEntity",
            entity_set="PreAccountingSet",
            shape=CodeParts,
            key=("pre_accounting_id",),
            parent="pre_accounting_id",
            of=("header", "lines"),
        ),
    ),
    date="order_date",
    date_type="Edm.DateTimeOffset",
    units=(
        Unit("PurchaseOrder", "ORDER_NO"),
        Unit("PurchaseOrderLine", "ORDER_NO"),
        Unit("PurchaseOrderLinePart", "ORDER_NO"),
        Unit("PurchaseOrderLineNopart", "ORDER_NO"),
    ),
)

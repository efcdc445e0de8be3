"""A purchase as Cin7 holds it: header, order, and its bills. Source: docs/apis/cin7.md#purchases."""

from decimal import Decimal

import msgspec

from shared.cin7.records.invoices import CreditNote, Invoice
from shared.cin7.records.lines import OrderCharge, OrderLine


class PurchaseHeader(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What we may set on a purchase. `attributes` is AdditionalAttribute1..10 by number."""

    supplier_id: str = msgspec.field(default="", name="SupplierID")
    supplier: str = ""
    approach: str = "INVOICE"
    location: str
    purchase_type: str = "Advanced"
    is_service_only: bool = False
    tax_calculation: str = "Exclusive"
    tax_rule: str = ""
    terms: str = ""
    required_by: str | None = None
    note: str = ""
    attributes: dict[int, str] = {}
    #: Worth of one unit of the supplier's currency in the account's own; None leaves it to Cin7.
    currency_rate: Decimal | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The order stage of a purchase. `status`: NOT AVAILABLE, DRAFT, AUTHORISED or VOIDED."""

    memo: str = ""
    status: str
    lines: tuple[OrderLine, ...] = ()
    additional_charges: tuple[OrderCharge, ...] = ()
    total_before_tax: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    total: Decimal = Decimal(0)


class Purchase(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A purchase as read back; stage statuses folded to one word each (the furthest of its parts).

    `order_date` is the day on which it was made.
    """

    id: str = msgspec.field(name="ID")
    order_number: str
    order_date: str = ""
    status: str
    type: str = ""
    supplier_id: str = msgspec.field(default="", name="SupplierID")
    supplier: str = ""
    supplier_currency: str = ""
    location: str = ""
    is_service_only: bool = False
    required_by: str | None = None
    tax_calculation: str = ""
    note: str = ""
    attributes: dict[int, str] = {}
    order: Order
    invoices: tuple[Invoice, ...] = ()
    credit_notes: tuple[CreditNote, ...] = ()
    received: bool = False
    invoiced: bool = False
    last_updated_date: str = ""


class PurchaseRow(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One row of /purchaseList: no lines, no accounts, no order total, and one of its invoices at most.

    `invoice_amount`: what its invoices make together, or what the one that is shown makes; that is on no record.
    """

    id: str = msgspec.field(name="ID")
    order_number: str = ""
    order_date: str = ""
    status: str = ""
    supplier: str = ""
    supplier_id: str = msgspec.field(default="", name="SupplierID")
    invoice_date: str = ""
    invoice_amount: Decimal = Decimal(0)
    invoice_status: str = ""
    credit_note_number: str = ""
    credit_note_status: str = ""
    combined_invoice_status: str = ""
    last_updated_date: str = ""

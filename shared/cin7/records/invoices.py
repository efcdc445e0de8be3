"""An invoice and a credit note of a purchase as Cin7 holds them. Source: docs/apis/cin7.md#invoice."""

from decimal import Decimal

import msgspec

from shared.cin7.records.lines import OrderCharge, OrderLine


class InvoiceLine(OrderLine, frozen=True, kw_only=True, rename="pascal"):
    """A product that was ordered; `account` is a code of the chart."""

    account: str


class InvoiceCharge(OrderCharge, frozen=True, kw_only=True, rename="pascal"):
    account: str


class Invoice(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One invoice of a purchase. `status`: NOT AVAILABLE, DRAFT, AUTHORISED, PAID or VOIDED.

    Attributes:
        task_id: names it within Cin7; empty asks for a new one.
        number: the supplier's own.
        date: `yyyy-MM-ddT00:00:00`, as is `due_date`; there None leaves it to the purchase's terms.
    """

    task_id: str = msgspec.field(default="", name="TaskID")
    number: str = msgspec.field(default="", name="InvoiceNumber")
    date: str | None = msgspec.field(default=None, name="InvoiceDate")
    due_date: str | None = msgspec.field(default=None, name="InvoiceDueDate")
    status: str = "AUTHORISED"
    lines: tuple[InvoiceLine, ...] = ()
    additional_charges: tuple[InvoiceCharge, ...] = ()
    total_before_tax: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)


class CreditNote(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One credit note of a purchase; its amounts are positive. `invoice_number`: of the invoice that it takes back."""

    task_id: str = msgspec.field(default="", name="TaskID")
    number: str = msgspec.field(default="", name="CreditNoteNumber")
    invoice_number: str = msgspec.field(default="", name="CreditNoteInvoiceNumber")
    date: str | None = msgspec.field(default=None, name="CreditNoteDate")
    status: str = "AUTHORISED"
    lines: tuple[InvoiceLine, ...] = ()
    additional_charges: tuple[InvoiceCharge, ...] = ()
    total_before_tax: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    total: Decimal = Decimal(0)

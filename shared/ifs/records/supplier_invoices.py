"""A supplier invoice as IFS holds it: header, items, and the postings that say which account each amount is on.

A credit note is an invoice too, of a negative amount. Names follow docs/apis/ifs.md#supplier-invoices; no tenant has
confirmed them, and each property name is only the default of a setting.
"""

from decimal import Decimal
from typing import Final

import msgspec

from shared.ifs.sources import SetSource, Source, Unit


class InvoiceHeader(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Dates are texts as IFS sends them. Amounts are in the invoice's currency, those named `dom` in the company's.

    Attributes:
        identity: the supplier.
        invoice_no: the supplier's own number.
        curr_rate: what `div_factor` units of the invoice's currency are worth in the company's.
        po_ref_number: the purchase order; None: an invoice without one.
        credited_invoice_id: of a credit note, the invoice of its company that it takes back, if the tenant says so.
    """

    company: str
    invoice_id: int
    identity: str
    series_id: str | None = None
    invoice_no: str
    invoice_type: str | None = None
    invoice_date: str | None = None
    due_date: str | None = None
    pay_term_id: str | None = None
    currency: str
    curr_rate: Decimal | None = None
    div_factor: Decimal | None = None
    net_curr_amount: Decimal
    vat_curr_amount: Decimal | None = None
    net_dom_amount: Decimal | None = None
    vat_dom_amount: Decimal | None = None
    po_ref_number: str | None = None
    credited_invoice_id: int | None = None
    voucher_no_ref: int | None = None
    objstate: str


class InvoiceItem(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`po_ref_line_no` and `po_ref_release_no` name the order line that is invoiced."""

    company: str
    invoice_id: int
    item_id: int
    description: str | None = None
    net_curr_amount: Decimal
    vat_curr_amount: Decimal | None = None
    vat_code: str | None = None
    po_ref_line_no: str | None = None
    po_ref_release_no: str | None = None
    quantity: Decimal | None = None
    part_no: str | None = None


class InvoicePosting(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """One amount on one account: `code_a` is the account, B to J are the other code parts.

    `item_id` None: a tenant that does not say which item a posting is of.
    """

    company: str
    invoice_id: int
    row_id: int
    item_id: int | None = None
    posting_type: str | None = None
    code_a: str | None = None
    code_b: str | None = None
    code_c: str | None = None
    code_d: str | None = None
    code_e: str | None = None
    code_f: str | None = None
    code_g: str | None = None
    code_h: str | None = None
    code_i: str | None = None
    code_j: str | None = None
    curr_amount: Decimal | None = None
    dom_amount: Decimal | None = None
    text: str | None = None


class InvoiceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Items and postings in the order of their numbers."""

    header: InvoiceHeader
    items: tuple[InvoiceItem, ...] = ()
    postings: tuple[InvoicePosting, ...] = ()


#: Services and sets: docs/apis/ifs.md#supplier-invoices. Logical units: docs/apis/ifs.md#changes.
SOURCE: Final = Source(
    flow="supplier_invoices",
    document=InvoiceDocument,
    header=SetSource(
        name="header",
        service="ManSuppInvoiceEntity",
        entity_set="ManSuppInvoiceSet",
        shape=InvoiceHeader,
        key=("company", "invoice_id"),
    ),
    children=(
        SetSource(
            name="items",
            service="ManSuppInvoiceItemEntity",
            entity_set="ManSuppInvoiceItemSet",
            shape=InvoiceItem,
            key=("company", "invoice_id", "item_id"),
            within=("company",),
            parent="invoice_id",
        ),
        SetSource(
            name="postings",
            service="ManSuppInvoicePostingsEntity",
            entity_set="ManSuppInvoicePostingsSet",
            shape=InvoicePosting,
            key=("company", "invoice_id", "row_id"),
            within=("company",),
            parent="invoice_id",
        ),
    ),
    date="invoice_date",
    units=(
        Unit("ManSuppInvoice", "COMPANY^INVOICE_ID"),
        Unit("ManSuppInvoiceItem", "COMPANY^INVOICE_ID"),
        Unit("ManSuppInvoicePostings", "COMPANY^INVOICE_ID"),
    ),
)

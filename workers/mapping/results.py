"""What a mapping hands to the writer: bodies that are stored as JSON in the ledger and decoded again. Pure."""

from decimal import Decimal
from typing import Literal

import msgspec

from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding

Kind = Literal["part", "gl", "cost"]


class SupplierWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier in one Cin7 account.

    Attributes:
        company: the lead company, whose terms and currency these are.
        silent: fields of the supplier in which this tenant of IFS has no say.
    """

    account: str
    company: str
    supplier: Supplier
    silent: tuple[str, ...] = ()


class SupplierWrites(msgspec.Struct, frozen=True, kw_only=True):
    """One IFS supplier in every Cin7 account that needs it, by account name."""

    supplier_id: str
    writes: tuple[SupplierWrite, ...]


class LineTrace(msgspec.Struct, frozen=True, kw_only=True):
    """Where one line's money belongs, kept because a Cin7 order line has no field for it.

    Attributes:
        line: `{LineNo}/{ReleaseNo}`.
        kind: a stock line, a line coded to an account, or an additional cost beside either.
        account: as IFS has it; `cin7_code` is what the account becomes in Cin7. Empty on a part line without coding.
        amount: as sent: without tax, or with it where the order's prices include tax.
    """

    line: str
    kind: Kind
    company: str
    account: str = ""
    cin7_code: str = ""
    cost_centre: str = ""
    text: str = ""
    tax_rule: str = ""
    amount: Decimal
    tax: Decimal


class PurchaseWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase order in one Cin7 account.

    `void` asks for the purchase to be voided; header and order then hold no more than the marker. The supplier's
    Cin7 id is not known to the mapping: the writer adds it from the link of `supplier_key`.
    """

    order_no: str
    company: str
    account: str
    supplier_key: str
    currency: str
    void: bool = False
    header: PurchaseHeader
    order: Order
    trace: tuple[LineTrace, ...] = ()


class InvoiceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One amount of an invoice on one account; of a credit note the amounts are positive.

    Attributes:
        item: the number of IFS's item, with the place of the posting behind a point where it has several.
        trace: what people see on the line in Cin7; by it the line is recognised.
        po_line: `{LineNo}/{ReleaseNo}` of the order line that is invoiced; empty: none.
        description: of the charge that it becomes unless the order has a product line of that number.
        quantity: of the item, if Cin7 takes it, else 1.
        net: without tax.
        account: as IFS has it; `cin7_code` is what it becomes in Cin7.
    """

    item: str
    trace: str
    po_line: str = ""
    description: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    tax_rule: str
    account: str
    cin7_code: str
    cost_centre: str = ""


class OwnPurchase(msgspec.Struct, frozen=True, kw_only=True):
    """The service purchase of an invoice that has no order."""

    header: PurchaseHeader
    order: Order


class InvoiceWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice or credit note in one Cin7 account.

    `void` asks for it to be voided; then nothing is mapped but what finds it. Which of `order_key`, `credited_key` and
    `own` is set says whose purchase it goes to.

    Attributes:
        key: of the entry, `{Company}/{InvoiceId}`.
        number: the supplier's.
        order_key: key of the purchase order.
        credited_key: of a credit note without an order, the key of the invoice that it takes back.
        rate: what one unit of its currency is worth in the company's, as IFS posted it; None where they are the same.
    """

    key: str
    company: str
    account: str
    supplier_key: str
    number: str
    currency: str
    credit: bool = False
    void: bool = False
    order_key: str = ""
    credited_key: str = ""
    own: OwnPurchase | None = None
    marker: str
    date: str = ""
    due_date: str | None = None
    rate: Decimal | None = None
    entries: tuple[InvoiceEntry, ...] = ()
    net: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    total: Decimal = Decimal(0)


class JournalVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a voucher may be posted, for the ledger and, if a field is named, for IFS's own people.

    Attributes:
        dates_checked: IFS's accounts were known, so that their validity on the voucher's date was looked at too.
        field: the voucher's property that shows the verdict in IFS; empty: none does.
        value: what it is to hold.
        findings: why not; the voucher is held for them once IFS shows the verdict.
    """

    company: str
    accounting_year: int
    voucher_type: str
    voucher_no: int
    ok: bool
    dates_checked: bool
    field: str = ""
    value: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.company}/{self.accounting_year}/{self.voucher_type}/{self.voucher_no}"

"""What a mapping hands to the writer: bodies that are stored as JSON in the ledger and decoded again. Pure."""

from decimal import Decimal
from typing import Literal

import msgspec

from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.cin7.records.suppliers import Supplier

Kind = Literal["part", "gl", "cost"]


class SupplierWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier in one Cin7 account; `company` is the lead company whose terms and currency these are."""

    account: str
    company: str
    supplier: Supplier


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

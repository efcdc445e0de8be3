"""A purchase of Cin7 cut down to what a month is proved by, as the ledger keeps it. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from shared.cin7.records.invoices import CreditNote, Invoice, InvoiceCharge, InvoiceLine
from shared.cin7.records.lines import OrderCharge, OrderLine
from shared.cin7.records.purchases import Purchase
from shared.ledger.purchases import KeptPurchase
from shared.money import total_of
from workers.reconciling.copies import ROUNDING, TAX
from workers.reconciling.sent import summed

#: Statuses in which a bill is on the books, and in which an order is an order. Source: docs/apis/cin7.md#invoice.
BOOKED: Final = frozenset({"AUTHORISED", "PAID"})
ORDERED: Final = frozenset({"DRAFT", "AUTHORISED"})
#: How our markers begin; company and key follow.
_MARKER: Final = re.compile(r"IFS (PO|INV) ([^/\n]+)/(.+)")


class OrderExtract(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`rows`: trace and net amount of each line and charge; `rest` is what the order's own total has more."""

    status: str
    rows: tuple[tuple[str, Decimal], ...] = ()
    tax: Decimal = Decimal(0)
    rest: Decimal = Decimal(0)


class BillExtract(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One invoice or credit note; its amounts are as Cin7 signs them, positive."""

    task_id: str
    credit: bool = False
    number: str = ""
    date: str = ""
    status: str = ""
    amounts: dict[str, Decimal] = {}
    rows: int = 0

    @property
    def is_booked(self) -> bool:
        return self.status.upper() in BOOKED


class Extract(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One purchase. `marker`: our own text on it, if it bears one. `made_on`: the day on which it was made."""

    id: str
    number: str
    status: str = ""
    made_on: str = ""
    supplier_id: str = ""
    supplier: str = ""
    currency: str = ""
    marker: str = ""
    order: OrderExtract
    bills: tuple[BillExtract, ...] = ()

    @property
    def is_voided(self) -> bool:
        return self.status.upper() == "VOIDED" or self.order.status.upper() == "VOIDED"

    def bill(self, task_id: str) -> BillExtract | None:
        return next((bill for bill in self.bills if bill.task_id == task_id), None)


def kept_of(account: str, purchase: Purchase) -> KeptPurchase:
    """Return what the ledger keeps of a purchase that was read in whole."""
    body = msgspec.json.encode(extract_of(purchase))
    return KeptPurchase(account=account, id=purchase.id, stamp=purchase.last_updated_date, body=body)


def extract_of(purchase: Purchase) -> Extract:
    """Return what is kept of a purchase that was read in whole."""
    inclusive = purchase.tax_calculation.casefold() == "inclusive"
    order = purchase.order
    entries: list[OrderLine | OrderCharge] = [*order.lines, *order.additional_charges]
    rows = tuple((_trace(row), _net(row, inclusive=inclusive)) for row in entries)
    bills: list[Invoice | CreditNote] = [*purchase.invoices, *purchase.credit_notes]
    return Extract(
        id=purchase.id,
        number=purchase.order_number,
        status=purchase.status,
        made_on=purchase.order_date[:10],
        supplier_id=purchase.supplier_id,
        supplier=purchase.supplier,
        currency=purchase.supplier_currency,
        marker=_marker(purchase),
        order=OrderExtract(
            status=order.status,
            rows=rows,
            tax=order.tax or total_of(*(row.tax for row in entries)),
            rest=_rest(order.total_before_tax, [net for _, net in rows]),
        ),
        bills=tuple(_bill(bill, inclusive=inclusive) for bill in bills),
    )


def _bill(bill: Invoice | CreditNote, *, inclusive: bool) -> BillExtract:
    rows: list[InvoiceLine | InvoiceCharge] = [*bill.lines, *bill.additional_charges]
    amounts = summed((row.account, _net(row, inclusive=inclusive)) for row in rows)
    if rest := _rest(bill.total_before_tax, amounts.values()):
        amounts[ROUNDING] = rest
    if tax := bill.tax or total_of(*(row.tax for row in rows)):
        amounts[TAX] = tax
    return BillExtract(
        task_id=bill.task_id,
        credit=isinstance(bill, CreditNote),
        number=bill.number.strip(),
        date=(bill.date or "")[:10],
        status=bill.status,
        amounts=amounts,
        rows=len(rows),
    )


def _rest(stated: Decimal, nets: Iterable[Decimal]) -> Decimal:
    """Return what a document's own total has more than its lines; nothing where it states no total."""
    return total_of(stated, *(-net for net in nets)) if stated else Decimal(0)


def _net(row: OrderLine | OrderCharge, *, inclusive: bool) -> Decimal:
    return total_of(row.total, -row.tax) if inclusive else row.total


def _trace(row: OrderLine | OrderCharge) -> str:
    return row.comment if isinstance(row, OrderLine) else row.reference


def _marker(purchase: Purchase) -> str:
    """Return the marker in an attribute, which nobody writes more to, else the one that the note begins with."""
    texts: Iterable[str] = (*purchase.attributes.values(), purchase.note)
    found = (_MARKER.match(text.strip()) for text in texts)
    return next((match[0].strip() for match in found if match), "")


def marked_company(marker: str) -> str:
    """Return the company that a marker names; empty where there is no marker."""
    found = _MARKER.match(marker)
    return found[2].strip() if found else ""

"""An invoice as mapped to the bill that its purchase takes: product lines of the order where it has them. Pure."""

from decimal import Decimal
from typing import Final

from shared.cin7.records.invoices import CreditNote, Invoice, InvoiceCharge, InvoiceLine
from shared.cin7.records.lines import OrderLine
from shared.cin7.records.purchases import Purchase
from shared.money import total_of
from workers.mapping.invoice_amounts import Pieces, pieces
from workers.mapping.results import InvoiceEntry, InvoiceWrite
from workers.writing.order_lines import line_differences, total_differences

Bill = Invoice | CreditNote

#: Statuses in which a bill is on the books. Source: docs/apis/cin7.md#invoice.
BOOKED: Final = frozenset({"AUTHORISED", "PAID"})
_ONE: Final = Decimal(1)
_NOTHING: Final = Decimal(0)


def invoice_of(write: InvoiceWrite, purchase: Purchase | None) -> Invoice:
    """Return the invoice for `purchase`; None is the service purchase that is made for it."""
    lines, charges = _rows(write, purchase)
    return Invoice(
        number=write.number,
        date=write.date,
        due_date=write.due_date,
        lines=lines,
        additional_charges=charges,
        total_before_tax=write.net,
        tax=write.tax,
        total=write.total,
    )


def credit_note_of(write: InvoiceWrite, purchase: Purchase, invoice_number: str) -> CreditNote:
    lines, charges = _rows(write, purchase)
    return CreditNote(
        number=write.number,
        invoice_number=invoice_number,
        date=write.date,
        lines=lines,
        additional_charges=charges,
        total_before_tax=write.net,
        tax=write.tax,
        total=write.total,
    )


def bill_differences(wanted: Bill, got: Bill, tolerance: Decimal) -> tuple[str, ...]:
    """Return in what a bill is not the one that is wanted, in words; empty where it is.

    A due date that is not asked for is not compared, nor which invoice a credit note takes back, and what was paid
    since is still authorised.
    """
    said = []
    status = "AUTHORISED" if got.status.upper() in BOOKED else got.status.upper()
    dates = [("Date", wanted.date, got.date)]
    if isinstance(wanted, Invoice) and isinstance(got, Invoice) and wanted.due_date:
        dates.append(("DueDate", wanted.due_date, got.due_date))
    compared = [
        ("Number", wanted.number, got.number.strip()),
        ("Status", wanted.status, status),
        *((field, (one or "")[:10], (other or "")[:10]) for field, one, other in dates),
    ]
    for field, one, other in compared:
        if one != other:
            said.append(f"{field}: {one or '(empty)'} was asked for, Cin7 has {other or '(empty)'}")
    return (*said, *line_differences(wanted, got, tolerance), *total_differences(wanted, got, tolerance))


def _rows(write: InvoiceWrite, purchase: Purchase | None) -> tuple[tuple[InvoiceLine, ...], tuple[InvoiceCharge, ...]]:
    """Return lines and charges. Where the purchase's prices include tax, so do those of its bills."""
    inclusive = purchase is not None and purchase.tax_calculation.casefold() == "inclusive"
    lines: list[InvoiceLine] = []
    charges: list[InvoiceCharge] = []
    for entry in write.entries:
        amount = total_of(entry.net, entry.tax) if inclusive else entry.net
        ordered = _ordered(entry, write, purchase)
        if ordered is None or amount < 0:
            charges.append(_charge(entry, pieces(amount, entry.quantity, write.currency)))
            continue
        amounts = pieces(amount, entry.quantity, write.currency, keep_quantity=True)
        lines.append(_line(entry, ordered, amounts))
        if amounts.rest:
            charges.append(_rounding(entry, amounts.rest))
    return tuple(lines), tuple(charges)


def _ordered(entry: InvoiceEntry, write: InvoiceWrite, purchase: Purchase | None) -> OrderLine | None:
    """Return the product line of the order that is invoiced, by the trace in its comment."""
    if purchase is None or not entry.po_line or not write.order_key:
        return None
    trace = f"{write.order_key}/{entry.po_line}"
    lines = purchase.order.lines
    return next((line for line in lines if line.comment == trace or line.comment.startswith(f"{trace} ")), None)


def _line(entry: InvoiceEntry, ordered: OrderLine, amounts: Pieces) -> InvoiceLine:
    return InvoiceLine(
        product_id=ordered.product_id,
        sku=ordered.sku,
        name=ordered.name,
        quantity=amounts.quantity,
        price=amounts.price,
        tax=entry.tax,
        tax_rule=entry.tax_rule,
        comment=entry.trace,
        account=entry.cin7_code,
        total=amounts.total,
    )


def _charge(entry: InvoiceEntry, amounts: Pieces) -> InvoiceCharge:
    return InvoiceCharge(
        description=entry.description,
        reference=entry.trace,
        quantity=amounts.quantity,
        price=amounts.price,
        tax=entry.tax,
        tax_rule=entry.tax_rule,
        account=entry.cin7_code,
        total=amounts.total,
    )


def _rounding(entry: InvoiceEntry, rest: Decimal) -> InvoiceCharge:
    """Return a charge of what is left of a line's amount when its price is cut to the places that Cin7 keeps."""
    return InvoiceCharge(
        description=f"Rounding of item {entry.item}",
        reference=f"{entry.trace} rounding",
        quantity=_ONE,
        price=rest,
        tax=_NOTHING,
        tax_rule=entry.tax_rule,
        account=entry.cin7_code,
        total=rest,
    )

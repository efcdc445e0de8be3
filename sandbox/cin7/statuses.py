"""The statuses of a purchase, derived from its stages. Source: docs/apis/cin7.md#statuses."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from sandbox.cin7.company import Purchase
from sandbox.cin7.stages import AUTHORISED, DRAFT, NOT_AVAILABLE, PAID, VOIDED, ZERO
from sandbox.cin7.wire import Json

#: Statuses of a document that has been posted to the ledger.
POSTED = frozenset({AUTHORISED, PAID})


def done(purchase: Purchase, stage: str) -> bool:
    """Tell whether any task of a stage is authorised (a paid invoice is)."""
    return bool(posted(purchase, stage))


def posted(purchase: Purchase, stage: str) -> list[Json]:
    return [task for task in purchase.stages[stage] if task["Status"] in POSTED]


def settle(purchase: Purchase, now: datetime) -> None:
    """Derive the purchase's own statuses from its stages, note that it changed at `now`, and tell of it."""
    header = purchase.header
    header["Status"] = VOIDED if purchase.voided else _status(purchase)
    header["CombinedReceivingStatus"] = _receiving(purchase)
    header["CombinedInvoiceStatus"] = _invoicing(purchase)
    header["CombinedPaymentStatus"] = VOIDED if purchase.voided else _paying(purchase)
    purchase.updated = now
    purchase.row = None
    purchase.on_change(purchase)


def _status(purchase: Purchase) -> str:
    received, invoiced = done(purchase, "StockReceived"), done(purchase, "Invoice")
    receiving = any(task["Status"] == DRAFT for task in purchase.stages["StockReceived"])
    completed = invoiced and not _partial(purchase) and (received or purchase.service)
    if done(purchase, "CreditNote"):
        return _credited(completed=completed, received=received, receiving=receiving)
    if invoiced and _partial(purchase):
        return "PARTIALLY INVOICED"
    if invoiced:
        return "COMPLETED" if completed else "INVOICED"
    if received:
        return "RECEIVED"
    if receiving:
        return "RECEIVING"
    # A header alone: the examples of the two families differ there.
    alone = "ORDERING" if purchase.simple else DRAFT
    return {AUTHORISED: "ORDERED", DRAFT: "ORDERING"}.get(str(purchase.order["Status"]), alone)


def _credited(*, completed: bool, received: bool, receiving: bool) -> str:
    if completed:
        return "COMPLETED / CREDIT NOTE CLOSED"
    if received:
        return "RECEIVED / CREDITED"
    return "RECEIVING / CREDITED" if receiving else "CREDITED"


def _sum(tasks: Iterable[Json], name: str) -> Decimal:
    return sum((Decimal(task[name]) for task in tasks), ZERO)


def _partial(purchase: Purchase) -> bool:
    return _sum(posted(purchase, "Invoice"), "Total") < Decimal(purchase.order["Total"])


def _receiving(purchase: Purchase) -> str:
    if purchase.voided:
        return VOIDED
    if not purchase.ordered or purchase.service:
        return NOT_AVAILABLE
    tasks = posted(purchase, "StockReceived")
    if not tasks:
        return "NOT RECEIVED"
    received = _sum((line for task in tasks for line in task["Lines"]), "Quantity")
    return "FULLY RECEIVED" if received >= _sum(purchase.order["Lines"], "Quantity") else "PARTIALLY RECEIVED"


def _invoicing(purchase: Purchase) -> str:
    if purchase.voided or not purchase.ordered:
        return NOT_AVAILABLE
    if not done(purchase, "Invoice"):
        return "NOT INVOICED"
    invoiced = "PARTIALLY INVOICED" if _partial(purchase) else "INVOICED"
    return f"{invoiced} / CREDITED" if done(purchase, "CreditNote") else invoiced


def _paying(purchase: Purchase) -> str:
    """Compare what is due with what was paid; a credit note lowers what is due."""
    invoices, notes = posted(purchase, "Invoice"), posted(purchase, "CreditNote")
    if not invoices:
        return "UNPAID"
    paid = _sum(invoices, "Paid")
    due = _sum(invoices, "Total") - _sum(notes, "Total")
    if paid > due:
        return "OVERPAID / CREDITED"
    if paid == due:
        return PAID
    return "PARTIALLY PAID" if paid else "UNPAID"

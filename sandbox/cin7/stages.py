"""The stages of a purchase: their first state, what statuses they add up to, and the two shapes they are shown in."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.cin7.company import Purchase
from sandbox.cin7.wire import Json, stamp

NOT_AVAILABLE, DRAFT, AUTHORISED, VOIDED = "NOT AVAILABLE", "DRAFT", "AUTHORISED", "VOIDED"
ZERO = Decimal(0)

#: The stages after the order, in the order of an answer. Each is a list: advanced purchases may have many of each.
STAGES = ("StockReceived", "PutAway", "Invoice", "CreditNote", "ManualJournals")


def new_order() -> Json:
    return {
        "Memo": "",
        "Status": NOT_AVAILABLE,
        "Lines": [],
        "AdditionalCharges": [],
        "Prepayments": [],
        "TotalBeforeTax": 0,
        "Tax": 0,
        "Total": 0,
    }


def _documents(**fields: Any) -> Json:  # noqa: ANN401 - wire fields vary.
    return {**fields, "Lines": [], "AdditionalCharges": []}


def new_stages(purchase_id: str, *, simple: bool) -> dict[str, list[Json]]:
    """Return the stages of a new purchase; a simple one has its invoice in DRAFT from the start."""
    totals = {"TotalBeforeTax": 0, "Tax": 0, "Total": 0}
    group = {"TaskID": purchase_id, "InvoicingAndReceivingNumber": 0}
    credit = {"TaskID": purchase_id, "CreditNoteInvoiceNumber": "", "CreditNoteNumber": "", "CreditNoteDate": None}
    dates = {"InvoiceDate": None, "InvoiceDueDate": None, "InvoiceNumber": ""}
    invoice = _documents(**group, **dates, Status=DRAFT if simple else NOT_AVAILABLE)
    credit_note = _documents(**credit, Status=NOT_AVAILABLE)
    empty: Json = {**group, "Status": NOT_AVAILABLE, "Lines": []}
    return {
        "StockReceived": [{**empty, "Lines": []}],
        "PutAway": [{**empty, "Lines": []}],
        "Invoice": [{**invoice, "Payments": [], **totals, "Paid": 0}],
        "CreditNote": [{**credit_note, "Refunds": [], "Unstock": [], **totals}],
        "ManualJournals": [{**empty, "Lines": []}],
    }


def statuses(purchase: Purchase, stage: str) -> set[str]:
    return {str(task["Status"]) for task in purchase.stages[stage]}


def done(purchase: Purchase, stage: str) -> bool:
    """Tell whether any task of a stage is authorised (a paid invoice is)."""
    return not statuses(purchase, stage).isdisjoint((AUTHORISED, "PAID"))


def settle(purchase: Purchase, now: datetime) -> None:
    """Derive the purchase's own statuses from its stages, and note that it changed at `now`."""
    header = purchase.header
    header["Status"] = VOIDED if purchase.voided else _status(purchase)
    header["CombinedReceivingStatus"] = _receiving(purchase)
    header["CombinedInvoiceStatus"] = _invoicing(purchase)
    header["CombinedPaymentStatus"] = VOIDED if purchase.voided else _paying(purchase)
    purchase.updated = now
    purchase.row = None


def _status(purchase: Purchase) -> str:
    received, invoiced = done(purchase, "StockReceived"), done(purchase, "Invoice")
    if invoiced and _partial(purchase):
        return "PARTIALLY INVOICED"
    if invoiced:
        return "COMPLETED" if received or purchase.service else "INVOICED"
    if received:
        return "RECEIVED"
    if DRAFT in statuses(purchase, "StockReceived"):
        return "RECEIVING"
    # A header alone: the examples of the two families differ there.
    alone = "ORDERING" if purchase.simple else DRAFT
    return {AUTHORISED: "ORDERED", DRAFT: "ORDERING"}.get(str(purchase.order["Status"]), alone)


def _partial(purchase: Purchase) -> bool:
    invoiced = sum((Decimal(task["Total"]) for task in purchase.stages["Invoice"] if task["Status"] != VOIDED), ZERO)
    return invoiced < Decimal(purchase.order["Total"])


def _receiving(purchase: Purchase) -> str:
    if purchase.voided:
        return VOIDED
    if purchase.order["Status"] != AUTHORISED or purchase.service:
        return NOT_AVAILABLE
    tasks = [task for task in purchase.stages["StockReceived"] if task["Status"] == AUTHORISED]
    if not tasks:
        return "NOT RECEIVED"
    received = sum((Decimal(line["Quantity"]) for task in tasks for line in task["Lines"]), ZERO)
    ordered = sum((Decimal(line["Quantity"]) for line in purchase.order["Lines"]), ZERO)
    return "FULLY RECEIVED" if received >= ordered else "PARTIALLY RECEIVED"


def _invoicing(purchase: Purchase) -> str:
    if purchase.voided or purchase.order["Status"] != AUTHORISED:
        return NOT_AVAILABLE
    if not done(purchase, "Invoice"):
        return "NOT INVOICED"
    return "PARTIALLY INVOICED" if _partial(purchase) else "INVOICED"


def _paying(purchase: Purchase) -> str:
    found = statuses(purchase, "Invoice")
    return "PAID" if found == {"PAID"} else "UNPAID"


def shown_advanced(purchase: Purchase, *, combined: bool = False) -> Json:
    """Return a purchase as /advanced-purchase answers it: stages are arrays, except the order."""
    answer = {
        **purchase.header,
        "LastUpdatedDate": stamp(purchase.updated),
        "Order": combine(purchase.order) if combined else purchase.order,
        **purchase.stages,
    }
    if purchase.simple:
        # An empty shell: this field is filled for advanced purchases only.
        shell = {"TaskID": purchase.id, "InvoicingAndReceivingNumber": 0, "Status": "", "Lines": []}
        answer["StockReceived"] = [shell]
    return answer


_ADVANCED_ONLY = (
    "PutAway",
    "Type",
    "IsServiceOnly",
    "CombinedReceivingStatus",
    "CombinedInvoiceStatus",
    "CombinedPaymentStatus",
)


def shown_simple(purchase: Purchase, *, combined: bool = False) -> Json:
    """Return a simple purchase as /purchase answers it: single stages, and an invoice number misspelt."""
    answer = shown_advanced(purchase, combined=combined)
    for stage in STAGES:
        answer[stage] = purchase.stages[stage][0]
    invoice = dict(answer["Invoice"])
    answer["Invoice"] = {"InvocieNumber": invoice.pop("InvoiceNumber"), **invoice, "CurrencyRate": None}
    credit_note = dict(answer["CreditNote"])
    answer["CreditNote"] = {**credit_note, "Unstock": {"Status": NOT_AVAILABLE, "Lines": credit_note["Unstock"]}}
    return {key: value for key, value in answer.items() if key not in _ADVANCED_ONLY}


def combine(document: Json) -> Json:
    """Return a document with its charges moved among the lines."""
    moved = [
        {"ProductID": None, "SKU": "", "Name": charge["Description"], "Comment": charge["Reference"], **charge}
        for charge in document["AdditionalCharges"]
    ]
    return {**document, "Lines": document["Lines"] + moved, "AdditionalCharges": []}

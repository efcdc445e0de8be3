"""The stages of a purchase: their first state, and the two shapes they are shown in."""

from decimal import Decimal

from sandbox.cin7.company import Purchase
from sandbox.cin7.wire import Json, stamp

NOT_AVAILABLE, DRAFT, AUTHORISED, VOIDED = "NOT AVAILABLE", "DRAFT", "AUTHORISED", "VOIDED"
PAID = "PAID"
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


def _tail() -> Json:
    return {"TotalBeforeTax": 0, "Tax": 0, "Total": 0}


def new_invoice(task_id: str, status: str) -> Json:
    """Return an empty invoice. Its number among invoices and receipts is 0 until something is written."""
    dates = {"InvoiceDate": None, "InvoiceDueDate": None, "InvoiceNumber": "", "CurrencyRate": None}
    empty: Json = {"Lines": [], "AdditionalCharges": [], "Payments": []}
    head = {"TaskID": task_id, "InvoicingAndReceivingNumber": 0}
    return {**head, **dates, "Status": status, **empty, **_tail(), "Paid": 0}


def new_credit_note(task_id: str) -> Json:
    numbers = {"CreditNoteInvoiceNumber": "", "CreditNoteNumber": "", "CreditNoteDate": None}
    empty: Json = {"Lines": [], "AdditionalCharges": [], "Refunds": [], "Unstock": []}
    return {"TaskID": task_id, **numbers, "Status": NOT_AVAILABLE, **empty, **_tail()}


def new_stages(task_id: str, *, simple: bool) -> dict[str, list[Json]]:
    """Return the stages of a new purchase, all with one task id; a simple one has its invoice in DRAFT at once."""
    empty = {"TaskID": task_id, "InvoicingAndReceivingNumber": 0, "Status": NOT_AVAILABLE}
    return {
        "StockReceived": [{**empty, "Lines": []}],
        "PutAway": [{**empty, "Lines": []}],
        "Invoice": [new_invoice(task_id, DRAFT if simple else NOT_AVAILABLE)],
        "CreditNote": [new_credit_note(task_id)],
        "ManualJournals": [{**empty, "Lines": []}],
    }


def shown_advanced(purchase: Purchase, *, combined: bool = False) -> Json:
    """Return a purchase as /advanced-purchase answers it: stages are arrays, except the order."""
    answer = {
        **purchase.header,
        "LastUpdatedDate": stamp(purchase.updated),
        "Order": combine(purchase.order) if combined else purchase.order,
        **purchase.stages,
    }
    if combined:
        answer.update(
            {stage: [combine(task) for task in purchase.stages[stage]] for stage in ("Invoice", "CreditNote")}
        )
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
        answer[stage] = (answer if stage in ("Invoice", "CreditNote") else purchase.stages)[stage][0]
    invoice = dict(answer["Invoice"])
    answer["Invoice"] = {"InvocieNumber": invoice.pop("InvoiceNumber"), **invoice}
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

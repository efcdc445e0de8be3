"""GET /purchaseList: slim rows in ascending number, without note, attributes, lines or order total."""

from collections.abc import Callable

from sandbox.cin7.calls import Call, listing
from sandbox.cin7.company import Purchase
from sandbox.cin7.stages import NOT_AVAILABLE, VOIDED, ZERO
from sandbox.cin7.wire import Json, instant, stamp

#: The fields that `Search` looks into, and no others.
SEARCHED = ("OrderNumber", "Status", "Supplier", "InvoiceNumber", "CreditNoteNumber")

#: Stage to the field that holds its documents' number.
NUMBERS = {"Invoice": "InvoiceNumber", "CreditNote": "CreditNoteNumber"}

#: Filters by one value each. `Type` and `RestockReceivedStatus` are not among them: both are ignored.
FILTERS = (
    "OrderStatus",
    "StockReceivedStatus",
    "InvoiceStatus",
    "CreditNoteStatus",
    "UnstockStatus",
    "Status",
    "DropShipTaskID",
)

#: Switches that decide on how a row looks.
STYLE = ("list_invoice", "invoice_search", "list_amount", "list_stamp")

_FROM_HEADER = (
    "ID",
    "BlindReceipt",
    "OrderNumber",
    "Status",
    "OrderDate",
    "Supplier",
    "SupplierID",
    "RequiredBy",
    "BaseCurrency",
    "SupplierCurrency",
    "Type",
    "CombinedInvoiceStatus",
    "CombinedPaymentStatus",
    "CombinedReceivingStatus",
    "IsServiceOnly",
)


def purchase_list(call: Call) -> Json:
    tests = _tests(call)
    style = tuple(call.company.switches[name] for name in STYLE)
    purchases = list(call.company.purchases.values())  # Made in the order of their numbers.
    if call.text("updatedsince"):
        is_new = call.since("updatedsince")
        purchases = [item for item in purchases if is_new(item.updated)]
    if (until := call.moment("updateduntil")) is not None:
        purchases = [item for item in purchases if item.updated <= until]
    if search := call.text("search").strip().casefold():
        purchases = [item for item in purchases if row_of(item, style) and search in item.search]
    rows = (row_of(item, style) for item in purchases)
    return listing(call, "PurchaseList", (row for row in rows if all(test(row) for test in tests)))


def _tests(call: Call) -> list[Callable[[Json], bool]]:
    asked = {name: call.text(name.lower()).strip().upper() for name in FILTERS}
    tests = [_equals(name, wanted) for name, wanted in asked.items() if wanted]
    by = call.moment("requiredby")
    if by is not None:
        tests.append(lambda row: (due := instant(row["RequiredBy"])) is not None and due <= by)
    return tests


def _equals(name: str, wanted: str) -> Callable[[Json], bool]:
    return lambda row: str(row[name] or "").upper() == wanted


def row_of(purchase: Purchase, style: tuple[object, ...]) -> Json:
    """Return the purchase's row, made anew only after a change.

    `style`: which of several invoices is shown, whether `Search` also finds the numbers of the others, whether the
    amount is that of all, and how exact the stamp is.
    """
    if purchase.row is None or purchase.row_style != style:
        purchase.row = _row(purchase, style)
        purchase.row_style = style
        every = [str(task[name]) for stage, name in NUMBERS.items() for task in purchase.stages[stage]]
        shown = [str(purchase.row[name] or "") for name in SEARCHED]
        purchase.search = "\n".join((*shown, *every) if style[1] == "all" else shown).casefold()
    return purchase.row


def _shown(tasks: list[Json], number: str, *, last: bool) -> Json:
    """Return the document that stands for its stage: the first or last with a number, voided ones only for want."""
    numbered = [task for task in tasks if task[number]]
    alive = [task for task in numbered if task["Status"] != VOIDED]
    return (alive or numbered or tasks)[-1 if last else 0]


def _row(purchase: Purchase, style: tuple[object, ...]) -> Json:
    last, updated = style[0] == "last", purchase.updated
    alive = [task for task in purchase.stages["Invoice"] if task["Status"] != VOIDED]
    invoice = _shown(purchase.stages["Invoice"], "InvoiceNumber", last=last)
    note = _shown(purchase.stages["CreditNote"], "CreditNoteNumber", last=last)
    header = purchase.header
    return {
        **{name: header[name] for name in _FROM_HEADER},
        "InvoiceDate": invoice["InvoiceDate"],
        "InvoiceNumber": invoice["InvoiceNumber"],
        "InvoiceAmount": sum((task["Total"] for task in ([invoice] if style[2] == "shown" else alive)), ZERO),
        "PaidAmount": sum((task["Paid"] for task in alive), ZERO),
        "InvoiceDueDate": invoice["InvoiceDueDate"],
        "CreditNoteNumber": note["CreditNoteNumber"],
        "OrderStatus": purchase.order["Status"],
        "StockReceivedStatus": purchase.stages["StockReceived"][0]["Status"],
        "UnstockStatus": note["Status"] if note["Unstock"] else NOT_AVAILABLE,
        "InvoiceStatus": invoice["Status"],
        "CreditNoteStatus": note["Status"],
        "LastUpdatedDate": stamp(updated.replace(microsecond=0) if style[3] == "seconds" else updated),
        "DropShipTaskID": None,
    }

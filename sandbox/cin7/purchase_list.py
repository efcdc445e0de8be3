"""GET /purchaseList: slim rows in ascending number, without note, attributes, lines or order total."""

from collections.abc import Callable

from sandbox.cin7.calls import Call, listing
from sandbox.cin7.company import Purchase
from sandbox.cin7.stages import ZERO
from sandbox.cin7.wire import Json, instant, stamp

#: The fields that `Search` looks into, and no others.
SEARCHED = ("OrderNumber", "Status", "Supplier", "InvoiceNumber", "CreditNoteNumber")

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
    purchases = list(call.company.purchases.values())  # Made in the order of their numbers.
    if call.text("updatedsince"):
        is_new = call.since("updatedsince")
        purchases = [item for item in purchases if is_new(item.updated)]
    if (until := call.moment("updateduntil")) is not None:
        purchases = [item for item in purchases if item.updated <= until]
    if search := call.text("search").strip().casefold():
        purchases = [item for item in purchases if row_of(item) and search in item.search]
    rows = (row_of(item) for item in purchases)
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


def row_of(purchase: Purchase) -> Json:
    """Return the purchase's row, made anew only after a change."""
    if purchase.row is None:
        purchase.row = _row(purchase)
        purchase.search = "\n".join(str(purchase.row[name] or "") for name in SEARCHED).casefold()
    return purchase.row


def _row(purchase: Purchase) -> Json:
    invoices, credit_notes = purchase.stages["Invoice"], purchase.stages["CreditNote"]
    numbered = next((task for task in invoices if task["InvoiceNumber"]), invoices[0])
    header = purchase.header
    return {
        **{name: header[name] for name in _FROM_HEADER},
        "InvoiceDate": numbered["InvoiceDate"],
        "InvoiceNumber": numbered["InvoiceNumber"],
        "InvoiceAmount": sum((task["Total"] for task in invoices), ZERO),
        "PaidAmount": sum((task["Paid"] for task in invoices), ZERO),
        "InvoiceDueDate": numbered["InvoiceDueDate"],
        "CreditNoteNumber": credit_notes[0]["CreditNoteNumber"],
        "OrderStatus": purchase.order["Status"],
        "StockReceivedStatus": purchase.stages["StockReceived"][0]["Status"],
        "UnstockStatus": "NOT AVAILABLE",
        "InvoiceStatus": numbered["Status"],
        "CreditNoteStatus": credit_notes[0]["Status"],
        "LastUpdatedDate": stamp(purchase.updated),
        "DropShipTaskID": None,
    }

"""What Cin7 tells about a change, in the shapes of its documentation, each of them odd in its own way.

Source: docs/apis/cin7.md#webhooks.
"""

from collections.abc import Iterator

from sandbox.cin7.company import Company, Purchase, Supplier
from sandbox.cin7.stages import AUTHORISED
from sandbox.cin7.wire import Json, encode, lower_guids, stamp, upper_guids

#: Every type that can be registered, with the name that Cin7 shows for it.
NAMES: dict[str, str] = {
    "Sale/Created": "Sale has been created",
    "Sale/QuoteAuthorised": "Sale quote has been authorised",
    "Sale/OrderAuthorised": "Sale order has been authorised",
    "Sale/Voided": "Sale has been voided",
    "Sale/Backordered": "Sale has been backordered",
    "Sale/ShipmentAuthorised": "Sale shipment has been authorised",
    "Sale/InvoiceAuthorised": "Sale invoice has been authorised",
    "Sale/PickAuthorised": "Sale has been picked",
    "Sale/PackAuthorised": "Sale has been packed",
    "Sale/CreditNoteAuthorised": "Sale credit note has been authorised",
    "Sale/Undo": "Sale has been undone",
    "Sale/PartialPaymentReceived": "Partial payment has been received",
    "Sale/FullPaymentReceived": "Full payment has been received",
    "Sale/AttachmentAdded": "Sale attachment has been added",
    "Sale/AdditionalAttributesChanged": "Sale additional attributes have been changed",
    "Sale/ShipmentTrackingNumberChanged": "Sale tracking number has been changed",
    "Purchase/OrderAuthorised": "Purchase order has been authorised",
    "Purchase/InvoiceAuthorised": "Purchase invoice has been authorised",
    "Purchase/StockReceivedAuthorised": "Purchase stock has been received",
    "Purchase/CreditNoteAuthorised": "Purchase credit note has been authorised",
    "Purchase/Updated": "Purchase has been updated",
    "Customer/Updated": "Customer has been updated",
    "Supplier/Updated": "Supplier has been updated",
    "Product/Updated": "Product has been updated",
    "Stock/AvailableStockLevelChanged": "Available stock level has changed",
    "Lead/Updated": "Lead has been updated",
    "Lead/Converted": "Lead has been converted",
    "Opportunity/Authorized": "Opportunity has been authorised",
    "Opportunity/AttachmentAdded": "Opportunity attachment has been added",
    "Opportunity/Voided": "Opportunity has been voided",
    "Opportunity/Converted": "Opportunity has been converted",
    "Task/Overdue": "Task is overdue",
}

#: Stage to its event, and the number that the event names beside the purchase's.
STAGE_EVENTS = {
    "Invoice": ("Purchase/InvoiceAuthorised", "InvoiceNumber"),
    "StockReceived": ("Purchase/StockReceivedAuthorised", "InvoiceNumber"),
    "CreditNote": ("Purchase/CreditNoteAuthorised", "CreditNoteNumber"),
}
#: A webhook names the header of a purchase and nothing of its stages.
_NO_HEADER = frozenset({"Attachments", "InventoryMovements"})


def supplier_saved(company: Company, supplier: Supplier, *, created: bool) -> None:
    """Tell of a supplier that was saved; whether creating one counts is a switch."""
    if not created or company.switches["webhook_on_create"]:
        _tell(company, "Supplier/Updated", supplier_event(supplier))


def purchase_saved(company: Company, purchase: Purchase) -> None:
    """Tell of a purchase that was made or changed, and of every document of it that was authorised since."""
    authorised = dict(_authorised(purchase))
    for key, (kind, body) in authorised.items():
        if key not in purchase.told:
            _tell(company, kind, body)
    purchase.told = set(authorised)
    _tell(company, "Purchase/Updated", purchase_event(purchase))


def supplier_event(supplier: Supplier) -> Json:
    """Return the body about one supplier: nested as no answer of the API is, and its stamp without a zone."""
    fields = {**supplier.fields, "LastModifiedOn": stamp(supplier.modified).removesuffix("Z")}
    rows = {name: [_nulled(row) for row in rows] for name, rows in _entries(supplier)}
    return {
        "NumberOfSuppliers": 1,
        "SupplierDetailsList": [{"Supplier": fields, **rows}],
        "EventType": "Supplier/Updated",
    }


def _entries(supplier: Supplier) -> Iterator[tuple[str, list[Json]]]:
    yield "Addresses", supplier.addresses
    yield "Contacts", supplier.contacts


def _nulled(row: Json) -> Json:
    return {name: None if value == "" else value for name, value in row.items()}


def purchase_event(purchase: Purchase) -> Json:
    """Return the body about one purchase: the list really is called after customers."""
    header = {name: value for name, value in purchase.header.items() if name not in _NO_HEADER}
    header["LastUpdatedDate"] = stamp(purchase.updated)
    return {"NumberOfPurchase": 1, "CustomerDetailsList": [header], "EventType": "Purchase/Updated"}


def _authorised(purchase: Purchase) -> Iterator[tuple[tuple[str, str], tuple[str, Json]]]:
    """Yield (stage, task) of what is authorised, with its event: a few numbers, and the supplier's names or null."""
    if purchase.order["Status"] == AUTHORISED:
        named = {
            "SupplierName": purchase.header["Supplier"],
            "SupplierContactName": purchase.header["Contact"],
            "SupplierContactEmail": None,
        }
        body = {"TaskID": purchase.id, "PurchaseOrderNumber": purchase.number, **named}
        yield ("Order", purchase.id), ("Purchase/OrderAuthorised", {**body, "EventType": "Purchase/OrderAuthorised"})
    nobody = dict.fromkeys(("SupplierName", "SupplierContactName", "SupplierContactEmail"))
    for stage, (kind, number) in STAGE_EVENTS.items():
        for task in purchase.stages[stage]:
            if task["Status"] == AUTHORISED:
                named = {number: str(task.get(number) or task.get("InvoicingAndReceivingNumber") or ""), **nobody}
                body = {"TaskID": task["TaskID"], "PurchaseOrderNumber": purchase.number, **named, "EventType": kind}
                yield (stage, str(task["TaskID"])), (kind, body)


def _tell(company: Company, kind: str, body: Json) -> None:
    """Schedule a call to every active webhook of a type. The body is that of this moment."""
    hooks = [hook for hook in company.webhooks.values() if hook["Type"] == kind and hook["IsActive"]]
    if hooks:
        raw = as_sent(company, kind, body)
        for hook in hooks:
            company.outbox.schedule(hook["ID"], kind, raw)


def as_sent(company: Company, kind: str, body: object) -> bytes:
    """Return the bytes of a body, its GUIDs in the case that this company's webhooks write."""
    style = company.switches["webhook_guid_case"]
    if style == "documented":
        style = "upper" if kind.startswith("Purchase/") else "lower"
    return encode(upper_guids(body) if style == "upper" else lower_guids(body))

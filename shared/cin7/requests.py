"""Records to the exact requests that write them, so that one can be digested before it is sent. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from shared.cin7.answers import ZERO_ID
from shared.cin7.records.invoices import CreditNote, Invoice
from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.cin7.records.suppliers import Supplier
from shared.cin7.records.webhooks import Webhook

#: Decimal places Cin7 keeps. Source: docs/apis/cin7.md#formats.
PLACES: Final = Decimal("0.0001")
PLACES_DISCOUNT: Final = Decimal("0.01")
#: Of a rate of exchange; our own choice, as none are documented.
PLACES_RATE: Final = Decimal("0.000001")

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Request(msgspec.Struct, frozen=True):
    """One call: `path` is relative to the account's base URL, query included; `body` is JSON."""

    method: str
    path: str
    body: bytes | None = None


def get(endpoint: str, **params: str | int | bool | None) -> Request:
    """Return a reading call; parameters that are None are left out."""
    return Request("GET", _with_query(endpoint, params))


def create_supplier_request(supplier: Supplier) -> Request:
    return Request("POST", "supplier", _encoded(_supplier_body(supplier)))


def update_supplier_request(supplier: Supplier) -> Request:
    """Return the update of the supplier with `supplier.id`; entries that have an id update the ones that are there."""
    return Request("PUT", "supplier", _encoded({"ID": supplier.id} | _supplier_body(supplier)))


def create_webhook_request(webhook: Webhook) -> Request:
    return Request("POST", "webhooks", _encoded(_webhook_body(webhook)))


def update_webhook_request(webhook: Webhook) -> Request:
    """Return the update of the webhook with `webhook.id`, all of it: what were left out would be gone."""
    return Request("PUT", "webhooks", _encoded({"ID": webhook.id} | _webhook_body(webhook)))


def delete_webhook_request(webhook_id: str) -> Request:
    return Request("DELETE", _with_query("webhooks", {"ID": webhook_id}))


def create_purchase_request(header: PurchaseHeader) -> Request:
    body = _header_body(header)
    if header.is_service_only:
        body["IsServiceOnly"] = True
    else:
        body["PurchaseType"] = header.purchase_type
    return Request("POST", "advanced-purchase", _encoded(body))


def update_purchase_request(purchase_id: str, header: PurchaseHeader) -> Request:
    """Return the update of a header; its type is settled at creation."""
    return Request("PUT", "advanced-purchase", _encoded({"ID": purchase_id} | _header_body(header)))


def write_order_request(purchase_id: str, order: Order) -> Request:
    """Return the call that replaces an order's lines and charges; Cin7 computes the totals itself."""
    body = {
        "TaskID": purchase_id,
        "CombineAdditionalCharges": False,
        "Memo": order.memo,
        "Status": order.status,
        "Lines": [_fields(line) for line in order.lines],
        "AdditionalCharges": [_fields(charge) for charge in order.additional_charges],
    }
    return Request("POST", "purchase/order", _encoded(body))


def undo_purchase_request(purchase_id: str) -> Request:
    """Return the call that takes authorised stages back to draft."""
    return Request("DELETE", _with_query("advanced-purchase", {"ID": purchase_id, "Void": False}))


def void_purchase_request(purchase_id: str) -> Request:
    return Request("DELETE", _with_query("advanced-purchase", {"ID": purchase_id, "Void": True}))


def write_invoice_request(purchase_id: str, invoice: Invoice) -> Request:
    """Return the call that adds an invoice (no task id), or replaces the lines and charges of one that is a draft."""
    own = {"InvoiceNumber": invoice.number, "InvoiceDate": invoice.date, "InvoiceDueDate": invoice.due_date}
    named = {name: value for name, value in own.items() if value}
    return Request("POST", "advanced-purchase/invoice", _encoded(_bill_body(purchase_id, invoice) | named))


def undo_invoice_request(task_id: str) -> Request:
    """Return the call that takes an authorised invoice back to draft."""
    return Request("DELETE", _with_query("advanced-purchase/invoice", {"TaskID": task_id, "Void": False}))


def void_invoice_request(task_id: str) -> Request:
    return Request("DELETE", _with_query("advanced-purchase/invoice", {"TaskID": task_id, "Void": True}))


def write_credit_note_request(purchase_id: str, note: CreditNote) -> Request:
    """Return the call that adds a credit note (no task id), or replaces one that is a draft."""
    named: dict[str, object] = {
        "CreditNoteNumber": note.number,
        "CreditNoteInvoiceNumber": note.invoice_number,
        "CreditNoteDate": note.date,
        "Unstock": [],
    }
    return Request("POST", "advanced-purchase/creditnote", _encoded(_bill_body(purchase_id, note) | named))


def void_credit_note_request(task_id: str) -> Request:
    return Request("DELETE", _with_query("advanced-purchase/creditnote", {"TaskID": task_id, "Void": True}))


def amount(value: Decimal, places: Decimal = PLACES) -> Decimal:
    """Return `value` with at most `places`, in the form that JSON numbers take: no exponent, no idle zeros."""
    rounded = value.quantize(places, ROUND_HALF_UP)
    return Decimal(format(rounded.normalize(), "f")) if rounded else Decimal(0)


def _supplier_body(supplier: Supplier) -> dict[str, object]:
    """Return the flat body. Lists that are empty are left out: nothing of ours ever removes an entry."""
    body = _fields(supplier)
    for name in ("ID", "LastModifiedOn", "Attributes"):
        body.pop(name, None)
    if not supplier.attribute_set:
        del body["AttributeSet"]  # Not ours to clear.
    body.update({f"AdditionalAttribute{place}": value for place, value in sorted(supplier.attributes.items())})
    for name, entries in (("Addresses", supplier.addresses), ("Contacts", supplier.contacts)):
        if entries:
            body[name] = [_fields(entry) for entry in entries]
        else:
            del body[name]
    return body


def _webhook_body(webhook: Webhook) -> dict[str, object]:
    body = _fields(webhook)
    body.pop("ID", None)
    return body | {"ExternalHeaders": [_fields(header) for header in webhook.external_headers]}


def _header_body(header: PurchaseHeader) -> dict[str, object]:
    """Return what may be set; what is empty is left to Cin7, which takes it from the supplier."""
    own = {f"AdditionalAttribute{place}": value for place, value in sorted(header.attributes.items())}
    body: dict[str, object] = {
        "SupplierID": header.supplier_id,
        "Supplier": header.supplier,
        "Approach": header.approach,
        "Location": header.location,
        "TaxCalculation": header.tax_calculation,
        "TaxRule": header.tax_rule,
        "Terms": header.terms,
        "RequiredBy": header.required_by,
        "Note": header.note,
        "CurrencyRate": None if header.currency_rate is None else amount(header.currency_rate, PLACES_RATE),
        "AdditionalAttributes": own,
    }
    return {name: value for name, value in body.items() if value}


def _bill_body(purchase_id: str, bill: Invoice | CreditNote) -> dict[str, object]:
    return {
        "PurchaseID": purchase_id,
        "TaskID": bill.task_id or ZERO_ID,
        "CombineAdditionalCharges": False,
        "Status": bill.status,
        "Lines": [_fields(line) for line in bill.lines],
        "AdditionalCharges": [_fields(charge) for charge in bill.additional_charges],
    }


def _fields(record: msgspec.Struct) -> dict[str, object]:
    """Return Cin7's names with the record's values: numbers rounded, an id only where there is one."""
    values: dict[str, object] = {}
    for name, wire_name in _names(type(record)):
        value = getattr(record, name)
        if isinstance(value, Decimal):
            value = amount(value, PLACES_DISCOUNT if name == "discount" else PLACES)
        elif wire_name == "ID" and value is None:
            continue
        values[wire_name] = value
    return values


@cache
def _names(shape: type[msgspec.Struct]) -> list[tuple[str, str]]:
    return [(field.name, field.encode_name) for field in msgspec.structs.fields(shape)]


def _encoded(body: dict[str, object]) -> bytes:
    return _ENCODER.encode(body)


def _with_query(endpoint: str, params: dict[str, str | int | bool | None]) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in params.items()
        if value is not None
    }
    return f"{endpoint}?{urlencode(given, quote_via=quote)}" if given else endpoint

"""Cin7's JSON to records, lenient where Cin7 varies: null is empty, unknown fields are ignored. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Final, NamedTuple, TypeVar, cast

import msgspec

from shared.cin7.errors import Cin7Unclear
from shared.cin7.records.invoices import CreditNote, Invoice, InvoiceCharge, InvoiceLine
from shared.cin7.records.lines import OrderCharge, OrderLine
from shared.cin7.records.purchases import Order, Purchase, PurchaseRow
from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.cin7.records.webhooks import Header, Webhook

Row = Mapping[str, object]
S = TypeVar("S", bound=msgspec.Struct)

#: Stage statuses at which goods or an invoice are on the books. Source: docs/apis/cin7.md#purchase-statuses.
_DONE: Final = frozenset({"AUTHORISED", "PAID"})
_RECEIVED: Final = frozenset({"FULLY RECEIVED", "PARTIALLY RECEIVED"})
_INVOICED: Final = frozenset({"INVOICED", "INVOICED / CREDITED", "PARTIALLY INVOICED", "PARTIALLY INVOICED / CREDITED"})

_IDS: Final = frozenset({"ID", "SupplierID", "ProductID", "TaskID"})
#: "None" in Cin7's own words. Source: docs/apis/cin7.md#formats.
ZERO_ID: Final = "00000000-0000-0000-0000-000000000000"
#: No amount, price or quantity has more digits before its point.
_DIGITS_MAX: Final = 18


class Page(NamedTuple):
    """One page of a list; `total` counts all matches, on every page."""

    total: int
    rows: list[Row]


def page(document: object, key: str) -> Page:
    """Return the rows of a list envelope.

    Raises:
        Cin7Unclear: it is no envelope with a list `key`.
    """
    rows = document.get(key) if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Cin7Unclear(f"Cin7 answered without the list {key}.")
    total = document.get("Total")
    return Page(total if isinstance(total, int) else len(rows), rows)


def supplier(row: Row) -> Supplier:
    return _record(
        Supplier,
        row,
        attributes=_attributes(row),
        addresses=tuple(_record(Address, entry) for entry in rows(row, "Addresses")),
        contacts=tuple(_record(Contact, entry) for entry in rows(row, "Contacts")),
    )


def suppliers(document: object) -> list[Supplier]:
    return [supplier(row) for row in page(document, "SupplierList").rows]


def written_supplier(document: object) -> Supplier:
    """Return the one supplier in the answer to a POST or PUT.

    Raises:
        Cin7Unclear: there is not exactly one, with an id.
    """
    found = suppliers(document)
    if len(found) != 1 or not found[0].id:
        raise Cin7Unclear(f"Cin7 answered a supplier's write with {len(found)} suppliers.")
    return found[0]


def webhooks(document: object) -> list[Webhook]:
    """Return the webhooks in any answer about them."""
    found = page(document, "Webhooks").rows
    return [
        _record(Webhook, row, external_headers=tuple(_record(Header, entry) for entry in rows(row, "ExternalHeaders")))
        for row in found
    ]


def purchase(document: object) -> Purchase:
    """Return a purchase, from either family of endpoints: stages are lists in one and objects in the other.

    Raises:
        Cin7Unclear: it is no purchase.
    """
    row = row_of(document, "a purchase")
    if not text(row, "ID"):
        raise Cin7Unclear("Cin7 answered a purchase without its ID.")
    stage = row.get("Order")
    own = row.get("AdditionalAttributes")
    stock = stages(row, "StockReceived") + stages(row, "PutAway")
    bills = stages(row, "Invoice") + stages(row, "CreditNote")
    return _record(
        Purchase,
        row,
        attributes=_attributes(own) if isinstance(own, dict) else {},
        order=order(stage if isinstance(stage, dict) else {}),
        invoices=tuple(map(_invoice, stages(row, "Invoice"))),
        credit_notes=tuple(map(_credit_note, stages(row, "CreditNote"))),
        received=text(row, "CombinedReceivingStatus").upper() in _RECEIVED or any(map(_done, stock)),
        invoiced=text(row, "CombinedInvoiceStatus").upper() in _INVOICED or any(map(_done, bills)),
    )


def order(document: object) -> Order:
    row = row_of(document, "an order")
    return _record(
        Order,
        row,
        lines=tuple(_record(OrderLine, entry) for entry in rows(row, "Lines")),
        additional_charges=tuple(_record(OrderCharge, entry) for entry in rows(row, "AdditionalCharges")),
    )


def invoices(document: object) -> tuple[Invoice, ...]:
    """Return all invoices of a purchase, which every call about one of them answers."""
    return tuple(_invoice(entry) for entry in page(document, "Invoices").rows)


def credit_notes(document: object) -> tuple[CreditNote, ...]:
    return tuple(_credit_note(entry) for entry in page(document, "CreditNotes").rows)


def purchase_row(row: Row) -> PurchaseRow:
    return _record(PurchaseRow, row)


def stages(row: Row, name: str) -> list[Row]:
    """Return the entries of a stage: a list on advanced purchases, one object on simple ones."""
    stage = row.get(name)
    return [stage] if isinstance(stage, dict) else rows(row, name)


def rows(row: Row, name: str) -> list[Row]:
    entries = row.get(name)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def text(row: Row, name: str) -> str:
    """Return a field as text; null and a missing field are empty, a number (TaxNumber may be one) is its digits."""
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        raise Cin7Unclear(f"Cin7 answered {name} as something other than text.")
    return str(value)


def identifier(row: Row, name: str) -> str | None:
    """Return a GUID in lower case; Cin7 writes both cases. None where there is none."""
    value = text(row, name).strip().lower()
    return None if value in {"", ZERO_ID} else value


def number(row: Row, name: str) -> Decimal:
    """Return a number, which Cin7 sometimes writes as text; null and empty are 0.

    Raises:
        Cin7Unclear: it is none, or not a finite one of a credible size.
    """
    value = row.get(name)
    if value is None or value == "":
        return Decimal(0)
    try:
        result = Decimal(value) if isinstance(value, (str, int, Decimal)) else Decimal("NaN")
    except InvalidOperation:
        result = Decimal("NaN")
    if not result.is_finite() or result.adjusted() >= _DIGITS_MAX:
        raise Cin7Unclear(f"Cin7 answered {name} as {str(value)[:50]!r}, which is no number.")
    return result


def flag(row: Row, name: str) -> bool:
    value = row.get(name)
    return value if isinstance(value, bool) else str(value).lower() == "true"


def row_of(document: object, what: str) -> Row:
    """Return `document` as an object, or raise Cin7Unclear naming `what` was expected."""
    if not isinstance(document, dict):
        raise Cin7Unclear(f"Cin7 answered something other than {what}.")
    return document


def _invoice(row: Row) -> Invoice:
    # The older family of endpoints misspells the name. Source: docs/apis/cin7.md#purchases.
    number = text(row, "InvoiceNumber") or text(row, "InvocieNumber")
    return _record(Invoice, row, number=number, **_bill(row))


def _credit_note(row: Row) -> CreditNote:
    return _record(CreditNote, row, **_bill(row))


def _bill(row: Row) -> dict[str, tuple[msgspec.Struct, ...]]:
    return {
        "lines": tuple(_record(InvoiceLine, entry) for entry in rows(row, "Lines")),
        "additional_charges": tuple(_record(InvoiceCharge, entry) for entry in rows(row, "AdditionalCharges")),
    }


def _done(stage: Row) -> bool:
    return text(stage, "Status").upper() in _DONE


def _attributes(row: Row) -> dict[int, str]:
    """Return the additional attributes that have a value, by number."""
    values = {place: text(row, f"AdditionalAttribute{place}") for place in range(1, 11)}
    return {place: value for place, value in values.items() if value}


@cache
def _plain_fields(shape: type[msgspec.Struct]) -> list[tuple[str, str, object]]:
    """Return (our name, Cin7's name, type) of the fields that one JSON value fills."""
    fields = msgspec.structs.fields(shape)
    return [(field.name, field.encode_name, field.type) for field in fields if field.type in _KINDS]


def _record(shape: type[S], row: Row, **given: object) -> S:
    values = {name: _read(row, wire_name, kind) for name, wire_name, kind in _plain_fields(shape) if name not in given}
    return shape(**values, **given)


def _read(row: Row, name: str, kind: object) -> object:
    if kind is Decimal:
        return number(row, name)
    if kind is bool:
        return flag(row, name)
    if name in _IDS:
        found = identifier(row, name)
        return found if kind is not str else found or ""
    value = text(row, name)
    return value if kind is str else value or None


_KINDS: Final = cast("tuple[object, ...]", (str, bool, Decimal, str | None))

"""What to do with a purchase, from what is wanted, what Cin7 holds and what was written last. Pure.

The plan is made from the state that is there, so a writer that died between two steps simply plans again. IFS is the
master of order lines. A header field that only Cin7's people changed (a remark added to the note, another date) stays
as they left it.
"""

from decimal import Decimal
from typing import Final

import msgspec

from shared.cin7.records.purchases import Order, Purchase, PurchaseHeader
from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding
from workers.mapping.results import PurchaseWrite
from workers.writing.order_lines import line_differences, total_differences

#: Order statuses in which Cin7 takes a new order. Source: docs/apis/cin7.md#order.
OPEN: Final = frozenset({"DRAFT", "NOT AVAILABLE", ""})
#: Within which amounts are equal unless the setting `total_tolerance` says otherwise.
TOLERANCE: Final = Decimal("0.01")
_DIFFERENCES_SHOWN: Final = 5


class CreateHeader(msgspec.Struct, frozen=True):
    """POST the purchase's header."""

    header: PurchaseHeader


class UpdateHeader(msgspec.Struct, frozen=True):
    """PUT the purchase's header; its order is not AUTHORISED then."""

    header: PurchaseHeader


class Undo(msgspec.Struct, frozen=True):
    """Step the AUTHORISED order back to DRAFT."""


class WriteOrder(msgspec.Struct, frozen=True):
    """POST the order, which replaces all lines and charges."""

    order: Order


class Void(msgspec.Struct, frozen=True):
    """Void the whole purchase."""


Step = CreateHeader | UpdateHeader | Undo | WriteOrder | Void


def addressed(write: PurchaseWrite, supplier: Supplier) -> PurchaseWrite:
    """Return `write` with the Cin7 supplier that its link names."""
    header = msgspec.structs.replace(write.header, supplier_id=supplier.id or "", supplier=supplier.name)
    return msgspec.structs.replace(write, header=header)


def check_supplier(write: PurchaseWrite, supplier: Supplier) -> list[Finding]:
    """Return why a purchase cannot go to this supplier: a purchase has the currency of its supplier, and no other."""
    if write.void or supplier.currency == write.currency:
        return []
    return [_currency_mismatch(write, supplier.currency)]


def carries_marker(purchase: Purchase, write: PurchaseWrite) -> bool:
    """Tell whether `purchase` is the one of this IFS order, even where people added to its note."""
    if any(purchase.attributes.get(number) == text for number, text in write.header.attributes.items()):
        return True
    return _bears_marker(purchase.note, write)


def _bears_marker(note: str, write: PurchaseWrite) -> bool:
    """Tell whether `note` begins with the whole marker, so that order 100 is not taken for order 1001."""
    marker, text = write.order.memo, note.strip()
    return text == marker or (text.startswith(marker) and text[len(marker)].isspace())


def plan_purchase(
    write: PurchaseWrite,
    current: Purchase | None,
    written: PurchaseWrite | None,
    tolerance: Decimal = TOLERANCE,
) -> tuple[Step, ...] | list[Finding]:
    """Return the steps that are left to do, none where all is done, or why nothing may be done.

    Args:
        write: what is wanted now, with its supplier (`addressed`).
        current: the purchase as it is in Cin7 now; None where there is none.
        written: what was wanted when it was last written to the end; None before that.
        tolerance: within which amounts are equal.
    """
    if write.void:
        return _plan_void(write, current)
    if current is None:
        return (CreateHeader(write.header), WriteOrder(write.order))
    header = _header_to_write(write, current, written)
    headed = (*header_differences(header, current), *_unreadable_changes(write, written))
    ordered = (*line_differences(write.order, current.order, tolerance), *_status_difference(write, current))
    if not (headed or ordered or is_voided(current)):
        return ()
    if obstacle := _obstacle(write, current, (*headed, *ordered)):
        return [obstacle]
    opened: tuple[Step, ...] = () if current.order.status.upper() in OPEN else (Undo(),)
    renewed: tuple[Step, ...] = (UpdateHeader(header),) if headed else ()
    return (*opened, *renewed, WriteOrder(write.order)) if opened or ordered else renewed


def _obstacle(write: PurchaseWrite, current: Purchase, differences: tuple[str, ...]) -> Finding | None:
    """Return why a purchase that differs must not be changed."""
    if is_voided(current):
        remedy = "Cancel the order in IFS, or place a new one there."
        return _locked(write, current, "it was voided in Cin7", remedy)
    states = (("received", current.received), ("invoiced", current.invoiced))
    if done := " and ".join(word for word, reached in states if reached):
        return _locked(write, current, f"it is {done} in Cin7", "Make the change in Cin7 by hand.", differences)
    if current.is_service_only and write.order.lines:
        remedy = "Key the stock lines in Cin7 by hand, or cancel the order in IFS and place a new one."
        return _locked(write, current, "Cin7 holds it as a service purchase, which takes no stock lines", remedy)
    same_supplier = current.supplier_id.casefold() == write.header.supplier_id.casefold()
    if same_supplier and current.supplier_currency not in ("", write.currency):
        return _currency_mismatch(write, current.supplier_currency)
    return None


def order_differences(
    wanted: PurchaseWrite,
    got: Purchase,
    tolerance: Decimal = TOLERANCE,
    *,
    written: PurchaseWrite | None = None,
) -> tuple[str, ...]:
    """Return in what the purchase that was read back is not the one that was sent; empty where all arrived.

    Args:
        wanted: as given to `plan_purchase`.
        got: the purchase as Cin7 answers it.
        tolerance: for amounts; for the totals it applies per line, since Cin7 may round tax per document.
        written: as given to `plan_purchase`: what only Cin7's people changed is no difference.
    """
    if wanted.void:
        return () if is_voided(got) else (_difference("Status", "VOIDED", got.status),)
    return (
        *header_differences(_header_to_write(wanted, got, written), got),
        *line_differences(wanted.order, got.order, tolerance),
        *total_differences(wanted.order, got.order, tolerance),
        *_status_difference(wanted, got),
    )


def header_differences(header: PurchaseHeader, got: Purchase) -> tuple[str, ...]:
    """Return the header fields that differ, with both values; what is not asked for is not compared.

    An empty attribute is no difference: a company without a set of attributes for purchases ignores them, and the note
    carries the marker too. Source: docs/apis/cin7.md#purchases.
    """
    compared: list[tuple[str, str, str]] = [
        ("Location", header.location, got.location),
        ("RequiredBy", (header.required_by or "")[:10], (got.required_by or "")[:10]),
        ("Note", header.note, got.note),
        ("SupplierID", header.supplier_id.casefold(), got.supplier_id.casefold() if header.supplier_id else ""),
        *(
            (f"AdditionalAttribute{number}", text, got.attributes.get(number, ""))
            for number, text in header.attributes.items()
            if got.attributes.get(number)
        ),
    ]
    return tuple(_difference(field, wanted, held) for field, wanted, held in compared if wanted != held)


def is_voided(purchase: Purchase) -> bool:
    return "VOIDED" in (purchase.status.upper(), purchase.order.status.upper())


def _header_to_write(write: PurchaseWrite, current: Purchase, written: PurchaseWrite | None) -> PurchaseHeader:
    """Return the wanted header, with what Cin7's people changed where IFS still wants what it wanted when written."""
    header = write.header
    if written is None:
        return header
    if header.location == written.header.location:
        header = msgspec.structs.replace(header, location=current.location)
    if header.required_by == written.header.required_by:
        header = msgspec.structs.replace(header, required_by=current.required_by)
    if header.note == written.header.note and _bears_marker(current.note, write):
        header = msgspec.structs.replace(header, note=current.note)
    return header


def _unreadable_changes(write: PurchaseWrite, written: PurchaseWrite | None) -> tuple[str, ...]:
    """Return the header fields that a purchase does not show when read back, and that IFS changed since written."""
    if written is None:
        return ()
    compared = (
        ("Terms", write.header.terms, written.header.terms),
        ("TaxRule", write.header.tax_rule, written.header.tax_rule),
        ("TaxCalculation", write.header.tax_calculation, written.header.tax_calculation),
    )
    return tuple(_difference(field, wanted, before) for field, wanted, before in compared if wanted != before)


def _status_difference(write: PurchaseWrite, current: Purchase) -> tuple[str, ...]:
    """Return a difference where an order should be AUTHORISED and is not; one that people authorised may stay so."""
    status = current.order.status.upper()
    if write.order.status == status or (write.order.status == "DRAFT" and status not in {"NOT AVAILABLE", ""}):
        return ()
    return (_difference("Order.Status", write.order.status, status),)


def _plan_void(write: PurchaseWrite, current: Purchase | None) -> tuple[Step, ...] | list[Finding]:
    if current is None or is_voided(current):
        return ()
    if current.received or current.invoiced:
        remedy = "Return or credit it in Cin7 by hand, then dismiss this entry."
        return [_locked(write, current, "the order is cancelled in IFS, but received or invoiced in Cin7", remedy)]
    return (Void(),)


def _locked(
    write: PurchaseWrite, current: Purchase, why: str, remedy: str, differences: tuple[str, ...] = ()
) -> Finding:
    shown = "; ".join(differences[:_DIFFERENCES_SHOWN])
    more = f" It differs in: {shown}{'; …' if len(differences) > _DIFFERENCES_SHOWN else ''}." if differences else ""
    return Finding(
        code="purchase.locked",
        field="OrderNo",
        value=write.order_no,
        message=f"Purchase {current.order_number} of order {write.order_no} cannot be changed: {why}.{more}",
        remedy=remedy,
        company=write.company,
    )


def _currency_mismatch(write: PurchaseWrite, currency: str) -> Finding:
    return Finding(
        code="currency.mismatch",
        field="CurrencyCode",
        value=write.currency,
        message=f"Order {write.order_no} is in {write.currency}, supplier {write.supplier_key} in Cin7 in {currency}; "
        "a Cin7 purchase has the currency of its supplier.",
        remedy="Order in the supplier's currency in IFS, or from a supplier that is kept in that currency.",
        company=write.company,
    )


def _difference(field: str, wanted: str, held: str) -> str:
    return f"{field}: {wanted or '(empty)'} was asked for, Cin7 has {held or '(empty)'}"

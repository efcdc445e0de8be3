"""What to do with an invoice or credit note, from what is wanted and what its purchase holds in Cin7. Pure.

The plan is made from the state that is there, so a writer that died between two steps simply plans again. IFS is the
master: an invoice that was changed in Cin7 is written anew, unless it is paid.
"""

from decimal import Decimal

import msgspec

from shared.cin7.records.invoices import CreditNote, Invoice
from shared.cin7.records.purchases import Purchase
from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding
from workers.mapping.results import InvoiceWrite
from workers.writing.invoice_findings import currency_mismatch, locked, no_purchase, nothing_to_credit, paid, title
from workers.writing.invoice_lines import BOOKED, Bill, bill_differences, credit_note_of, invoice_of
from workers.writing.order_lines import line_differences
from workers.writing.purchase_orders import OPEN, TOLERANCE, CreateHeader, Undo, Void, WriteOrder, is_voided


class WriteInvoice(msgspec.Struct, frozen=True):
    """POST the invoice. Without a task id it is new: `with_task` gives it the place that a new purchase has for it."""

    invoice: Invoice


class UndoInvoice(msgspec.Struct, frozen=True):
    """Step the AUTHORISED invoice back to DRAFT."""

    task_id: str


class VoidInvoice(msgspec.Struct, frozen=True):
    task_id: str


class WriteCreditNote(msgspec.Struct, frozen=True):
    note: CreditNote


class VoidCreditNote(msgspec.Struct, frozen=True):
    task_id: str


Step = (
    CreateHeader
    | WriteOrder
    | Undo
    | Void
    | WriteInvoice
    | UndoInvoice
    | VoidInvoice
    | WriteCreditNote
    | VoidCreditNote
)
Plan = tuple[Step, ...] | list[Finding]


def addressed(write: InvoiceWrite, supplier: Supplier) -> InvoiceWrite:
    """Return `write` with the Cin7 supplier that its link names on the purchase that is made for it."""
    if write.own is None:
        return write
    header = msgspec.structs.replace(write.own.header, supplier_id=supplier.id or "", supplier=supplier.name)
    return msgspec.structs.replace(write, own=msgspec.structs.replace(write.own, header=header))


def check_supplier(write: InvoiceWrite, supplier: Supplier) -> list[Finding]:
    """Return why the invoice cannot go to this supplier: Cin7 pays a supplier in its own currency, and no other."""
    if write.void or supplier.currency == write.currency:
        return []
    return [currency_mismatch(write, supplier.currency)]


def with_task(invoice: Invoice, purchase: Purchase) -> Invoice:
    """Return a new invoice with the task that the purchase keeps ready for its first one, if it is still free."""
    free = [held for held in purchase.invoices if held.status.upper() in {"", "NOT AVAILABLE"} and not held.number]
    return msgspec.structs.replace(invoice, task_id=free[0].task_id) if free and not invoice.task_id else invoice


def held_bills(write: InvoiceWrite, purchase: Purchase) -> tuple[Bill, ...]:
    """Return the bills of the purchase with the wanted number that are not void: more than one is one too many.

    By this the answer to a lost call is found: Cin7 shows no other mark of ours on a bill as a whole.
    """
    return _numbered(_bills(write, purchase), write.number)


def carries_marker(purchase: Purchase, write: InvoiceWrite) -> bool:
    """Tell whether `purchase` is the one that was made for this IFS invoice, even where people added to its note."""
    note, marker = purchase.note.strip(), write.marker
    noted = note == marker or (note.startswith(marker) and note[len(marker)].isspace())
    return noted or marker in purchase.attributes.values()


def plan_invoice(
    write: InvoiceWrite,
    current: Purchase | None,
    written: InvoiceWrite | None,
    tolerance: Decimal = TOLERANCE,
) -> Plan:
    """Return the steps that are left to do, none where all is done, or why nothing may be done.

    Args:
        write: what is wanted now, with its supplier (`addressed`).
        current: the purchase of its order, of the invoice it takes back, or its own, as it is in Cin7 now; None where
            there is none.
        written: what was wanted when it was last written to the end; None before that.
        tolerance: within which amounts are equal.
    """
    if write.void:
        return _plan_void(write, current, written)
    if current is None:
        return _plan_new(write)
    if obstacle := _obstacle(write, current, written):
        return [obstacle]
    bill = next(iter(_held(write, current, written)), None)
    if write.credit:
        return _plan_credit_note(write, current, bill if isinstance(bill, CreditNote) else None, tolerance)
    return _plan_invoice(write, current, bill if isinstance(bill, Invoice) else None, tolerance)


def invoice_differences(wanted: InvoiceWrite, got: Purchase, tolerance: Decimal = TOLERANCE) -> tuple[str, ...]:
    """Return in what the bill that was read back is not the one that was sent; empty where all arrived."""
    held = held_bills(wanted, got)
    if wanted.void:
        return tuple(f"Status: VOIDED was asked for, Cin7 has {bill.status}" for bill in held)
    if len(held) != 1:
        return (f"{title(wanted)}: one was asked for, Cin7 has {len(held)}",)
    (bill,) = held
    wish = credit_note_of(wanted, got, "") if wanted.credit else invoice_of(wanted, got)
    return bill_differences(wish, bill, tolerance)


def _plan_new(write: InvoiceWrite) -> Plan:
    if write.own is None:
        return [no_purchase(write)]
    return CreateHeader(write.own.header), WriteOrder(write.own.order), WriteInvoice(invoice_of(write, None))


def _plan_invoice(write: InvoiceWrite, current: Purchase, held: Invoice | None, tolerance: Decimal) -> Plan:
    wanted = invoice_of(write, current)
    if held is None:
        return (*_order_first(write, current, tolerance), WriteInvoice(with_task(wanted, current)))
    differences = bill_differences(wanted, held, tolerance)
    if not differences:
        return ()
    if _is_paid(held):
        return [paid(write, current, differences)]
    renewed = WriteInvoice(msgspec.structs.replace(wanted, task_id=held.task_id))
    opened: tuple[Step, ...] = (UndoInvoice(held.task_id),) if held.status.upper() in BOOKED else ()
    return (*opened, *_order_first(write, current, tolerance), renewed)


def _order_first(write: InvoiceWrite, current: Purchase, tolerance: Decimal) -> tuple[Step, ...]:
    """Return what brings the order of a service purchase of our own to its invoice's amounts, and authorises it."""
    if write.own is None:
        return ()
    is_open = current.order.status.upper() in OPEN
    if not (is_open or line_differences(write.own.order, current.order, tolerance)):
        return ()
    return (WriteOrder(write.own.order),) if is_open else (Undo(), WriteOrder(write.own.order))


def _plan_credit_note(write: InvoiceWrite, current: Purchase, held: CreditNote | None, tolerance: Decimal) -> Plan:
    number = _credited_number(write, current)
    if not number:
        return [nothing_to_credit(write, current)]
    wanted = credit_note_of(write, current, number)
    if held is None:
        return (WriteCreditNote(wanted),)
    differences = bill_differences(wanted, held, tolerance)
    if not differences:
        return ()
    if held.status.upper() == "PAID":
        return [paid(write, current, differences)]
    if held.status.upper() in BOOKED:
        # Cin7 has no undo of a credit note: the wrong one is voided, the right one is new.
        return VoidCreditNote(held.task_id), WriteCreditNote(wanted)
    return (WriteCreditNote(msgspec.structs.replace(wanted, task_id=held.task_id)),)


def _credited_number(write: InvoiceWrite, current: Purchase) -> str:
    """Return the number of the newest invoice that is at least as large, else of the newest; empty: there is none."""
    booked = [held for held in current.invoices if held.status.upper() in BOOKED and held.number]
    large = [held for held in booked if held.total >= write.total]
    return max(large or booked, key=lambda held: (held.date or "", held.number)).number if booked else ""


def _plan_void(write: InvoiceWrite, current: Purchase | None, written: InvoiceWrite | None) -> Plan:
    if current is None or is_voided(current):
        return ()
    steps: list[Step] = []
    for bill in _held(write, current, written):
        if _is_paid(bill):
            remedy = "Take the payment back in Cin7, then replay, or correct it there by hand and dismiss this entry."
            return [locked(write, current, f"{title(write)} is cancelled in IFS, but paid in Cin7", remedy)]
        steps.append(VoidCreditNote(bill.task_id) if isinstance(bill, CreditNote) else VoidInvoice(bill.task_id))
    is_own = not (write.order_key or write.credited_key or write.credit)
    return (*steps, Void()) if is_own and carries_marker(current, write) else tuple(steps)


def _obstacle(write: InvoiceWrite, current: Purchase, written: InvoiceWrite | None) -> Finding | None:
    """Return why nothing may be written to this purchase at all."""
    if is_voided(current):
        return locked(write, current, "it was voided in Cin7", "Cancel the invoice in IFS, or dismiss this entry.")
    if written is not None and not written.void and _home(written) != _home(write):
        remedy = "Void it there by hand, then dismiss this entry and key the invoice."
        return locked(write, current, f"{title(write)} was written to another purchase before", remedy)
    if current.supplier_currency not in ("", write.currency):
        return currency_mismatch(write, current.supplier_currency)
    if write.own is None and current.order.status.upper() != "AUTHORISED":
        remedy = f"Authorise the order of {current.order_number} in Cin7, then replay."
        status = current.order.status or "not written"
        return locked(write, current, f"its order is {status}, and Cin7 takes bills on authorised orders only", remedy)
    return _obstacle_of_bill(write, current, written)


def _obstacle_of_bill(write: InvoiceWrite, current: Purchase, written: InvoiceWrite | None) -> Finding | None:
    """Return why the bill itself must not be written: it is there twice, or people voided it."""
    held = _held(write, current, written)
    if len(held) > 1:
        why = f"it holds {title(write)} {len(held)} times"
        return locked(write, current, why, "Void all but one of them in Cin7, then replay.")
    if not held and _was_voided(write, current, written):
        remedy = "Cancel the invoice in IFS, or dismiss this entry."
        return locked(write, current, f"{title(write)} was voided in Cin7", remedy)
    return None


def _home(write: InvoiceWrite) -> tuple[str, str, bool]:
    return write.order_key, write.credited_key, write.credit


def _held(write: InvoiceWrite, current: Purchase, written: InvoiceWrite | None) -> tuple[Bill, ...]:
    """Return the bill of this IFS invoice, by its number now, else by the one it was written with."""
    found = held_bills(write, current)
    return found or (_numbered(_bills(write, current), written.number) if written is not None else ())


def _bills(write: InvoiceWrite, purchase: Purchase) -> tuple[Bill, ...]:
    return purchase.credit_notes if write.credit else purchase.invoices


def _numbered(bills: tuple[Bill, ...], number: str) -> tuple[Bill, ...]:
    wanted = number.strip().casefold()
    return tuple(bill for bill in bills if bill.number.strip().casefold() == wanted and bill.status.upper() != "VOIDED")


def _was_voided(write: InvoiceWrite, current: Purchase, written: InvoiceWrite | None) -> bool:
    """Tell whether people voided what we wrote. A credit note that IFS changed since may have been voided by us."""
    if written is None or written.void or (write.credit and write.entries != written.entries):
        return False
    number = written.number.strip().casefold()
    return any(bill.number.strip().casefold() == number for bill in _bills(write, current))


def _is_paid(bill: Bill) -> bool:
    return bill.status.upper() == "PAID" or (isinstance(bill, Invoice) and bool(bill.paid))

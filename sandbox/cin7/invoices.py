"""POST, GET and DELETE /advanced-purchase/invoice: the invoices of a purchase, one task each.

Source: docs/apis/cin7.md#invoice.
"""

from decimal import Decimal
from typing import Any

from sandbox.cin7.calls import Call
from sandbox.cin7.checking import Checker, checker
from sandbox.cin7.company import Company, Purchase, name_key
from sandbox.cin7.documents import (
    check_lock,
    locked,
    must_be_open,
    purchase_of,
    put_in,
    read_date,
    read_status,
    task_anywhere,
    task_of,
)
from sandbox.cin7.due_dates import due_date
from sandbox.cin7.errors import Problem, Refused
from sandbox.cin7.lines import LineReader, filled, inclusive
from sandbox.cin7.purchases import known
from sandbox.cin7.stages import AUTHORISED, DRAFT, NOT_AVAILABLE, PAID, VOIDED, ZERO, combine, new_invoice
from sandbox.cin7.statuses import done, posted, settle
from sandbox.cin7.wire import CENT, ZERO_GUID, Json, day, guid

#: Fields of an invoice in the envelope; a whole purchase shows others as well.
SHOWN = ("TaskID", "InvoiceDate", "InvoiceDueDate", "InvoiceNumber", "Status", "Lines", "AdditionalCharges")
TOTALS = ("TotalBeforeTax", "Tax", "Total")
#: Control totals, each with the computed amount that it must equal.
CONTROLS = {"InvoiceTotalAmount": "Total", "InvoiceTotalTaxAmount": "Tax"}


def read(call: Call) -> Json:
    purchase = known(call.company, call.text("purchaseid"))
    return _envelope(purchase, combined=call.flag("combineadditionalcharges"))


def _envelope(purchase: Purchase, *, combined: bool) -> Json:
    return {
        "PurchaseID": purchase.id,
        "Invoices": [_shown(task, combined=combined) for task in purchase.stages["Invoice"]],
    }


def _shown(task: Json, *, combined: bool) -> Json:
    document = combine(task) if combined else task
    fields: dict[str, Any] = {name: document[name] for name in (*SHOWN, *TOTALS)}
    controls = {name: task[computed] for name, computed in CONTROLS.items()}
    return {"CombineAdditionalCharges": combined, **fields, **controls}


def write(call: Call) -> Json:
    """Fill an open invoice, or make a new one; the answer holds all invoices of the purchase."""
    body, company = call.body(), call.company
    purchase = purchase_of(company, body)
    _must_be_ready(purchase)
    task, is_new = _task(company, purchase, body)
    must_be_open("Invoice", task)
    problems: list[Problem] = []
    check = checker(company, problems)
    combined = check.flag(body, "CombineAdditionalCharges", required=True)
    fields = _read(company, purchase, check, body)
    number = fields.pop("InvoiceNumber")
    if number:
        _check_duplicate(company, purchase, check, number, task)
    if problems:
        raise Refused(problems)
    if is_new:
        place = max(int(other["InvoicingAndReceivingNumber"]) for other in purchase.stages["Invoice"]) + 1
        put_in(company, purchase, "Invoice", task)
    else:
        place = int(task["InvoicingAndReceivingNumber"]) or 1
    task.update(fields, InvoicingAndReceivingNumber=place)
    task["InvoiceNumber"] = number or task["InvoiceNumber"] or next_number(company, purchase)
    company.counters["invoices_written"] += 1
    settle(purchase, company.clock.now())
    return _envelope(purchase, combined=combined)


def _must_be_ready(purchase: Purchase) -> None:
    if not purchase.ordered:
        raise Refused([f"Purchase Order should be AUTHORISED before Invoice, it is {purchase.order['Status']}"])
    if purchase.header["Approach"] == "STOCK" and not done(purchase, "StockReceived"):
        raise Refused(["'Stock First' approach option set. Please authorise StockReceived before Invoice"])


def _task(company: Company, purchase: Purchase, body: Json) -> tuple[Json, bool]:
    """Return the invoice that the body's `TaskID` means, and whether it is a new one, with no place yet."""
    sent, by_omission = body.get("TaskID"), company.switches["new_invoice_task"] == "omitted"
    if not sent and not by_omission:
        raise Refused(["Required property 'TaskID' not found"])
    if sent and (by_omission or guid(sent) != ZERO_GUID):
        return task_of(purchase, "Invoice", sent), False
    if purchase.simple:
        raise Refused(["Simple Purchase can have only one Invoice"])
    return new_invoice("", NOT_AVAILABLE), True


def _read(company: Company, purchase: Purchase, check: Checker, body: Json) -> Json:
    """Return the fields of the invoice, each checked; `InvoiceNumber` is empty where none was sent."""
    status = read_status(check, body)
    number = check.text(body, "InvoiceNumber", 256)
    invoiced = read_date(check, body, "InvoiceDate", company.clock.now())
    due = read_date(
        check, body, "InvoiceDueDate", due_date(invoiced, company.find("terms", purchase.header["Terms"] or ""))
    )
    check_lock(company, check, "InvoiceDate", day(invoiced))
    reader = LineReader(company, check, inclusive=inclusive(purchase), accounts=True)
    lines, charges = reader.lines(body, required=True), reader.charges(body)
    document = filled(purchase, lines, charges)
    if status == AUTHORISED and not check.problems:
        if not lines and not charges:
            check.say("Invoice cannot be authorised without Lines")
        if purchase.simple:
            _check_received(purchase, check, lines)
    if company.switches["control_totals"] == "checked" and not check.problems:
        _check_controls(check, body, document)
    rate = None if purchase.simple else purchase.header["CurrencyRate"]
    dates = {"InvoiceDate": day(invoiced), "InvoiceDueDate": day(due)}
    return {**document, **dates, "InvoiceNumber": number, "Status": status, "CurrencyRate": rate}


def _check_controls(check: Checker, body: Json, document: Json) -> None:
    for name, computed in CONTROLS.items():
        sent = check.amount(body, name)
        if sent is not None and abs(sent - Decimal(document[computed])) > CENT:
            check.say(f"{name} {sent} is invalid: Lines and AdditionalCharges make {document[computed]}")


def _check_received(purchase: Purchase, check: Checker, lines: list[Json]) -> None:
    """On a simple purchase quantities received and invoiced must be equal, once both are there."""
    received = [line for task in posted(purchase, "StockReceived") for line in task["Lines"]]
    if received and _quantities(received) != _quantities(lines):
        check.say("quantity received should exactly match the quantity invoiced")


def _quantities(lines: list[Json]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line["SKU"]] = sums.get(line["SKU"], ZERO) + Decimal(line["Quantity"])
    return sums


def _check_duplicate(company: Company, purchase: Purchase, check: Checker, number: str, task: Json) -> None:
    if company.switches["duplicate_invoice_numbers"] == "allowed":
        return
    supplier = purchase.header["SupplierID"]
    others = (item for item in company.purchases.values() if item.header["SupplierID"] == supplier)
    for other in (invoice for item in others for invoice in item.stages["Invoice"]):
        same = name_key(str(other["InvoiceNumber"])) == name_key(number)
        if same and other is not task and other["Status"] != VOIDED:
            check.say(f"Invoice with number '{number}' already exists for this supplier")
            return


def next_number(company: Company, purchase: Purchase) -> str:
    """Return `INV-00103` for the first number Cin7 makes for a purchase, then `INV-00103/2` and so on."""
    purchase.auto_invoices += 1
    if not purchase.auto_number:
        purchase.auto_number = company.next_number("INV")
        return purchase.auto_number
    return f"{purchase.auto_number}/{purchase.auto_invoices}"


def remove(call: Call) -> Json:
    purchase, task = task_anywhere(call.company, "Invoice", call.text("taskid"))
    if purchase.simple:
        raise Refused(["Invoice of Simple Purchase cannot be undone or voided separately"])
    if lock := locked(call.company, task["InvoiceDate"]):
        raise Refused([f"InvoiceDate {task['InvoiceDate'][:10]} is in a locked period: the lock date is {lock}"])
    undo_or_void(call.company, purchase, task, void=call.flag("void"))
    return _envelope(purchase, combined=False)


def undo_or_void(company: Company, purchase: Purchase, task: Json, *, void: bool) -> None:
    """Void one invoice, or step it back from AUTHORISED to DRAFT; payments and credit notes bar both."""
    status = task["Status"]
    if status == NOT_AVAILABLE or (status == VOIDED and not (void and company.switches["void_twice"] == "ok")):
        raise Refused([f"Invoice is {status}"])
    if company.switches["stages_lock"]:
        if status == PAID or task["Payments"]:
            raise Refused(["Invoice has payments. Please delete them first"])
        others = [other for other in posted(purchase, "Invoice") if other is not task]
        if done(purchase, "CreditNote") and (not others or _credited(purchase, task)):
            raise Refused(["Invoice has authorised Credit Note. Please void it first"])
    if void:
        task["Status"] = VOIDED
    elif status != VOIDED:
        task["Status"] = DRAFT
    company.counters["invoices_voided" if void else "invoices_undone"] += 1
    settle(purchase, company.clock.now())


def _credited(purchase: Purchase, task: Json) -> bool:
    """Tell whether an authorised credit note names this invoice."""
    number = name_key(str(task["InvoiceNumber"]))
    return any(name_key(str(note["CreditNoteInvoiceNumber"])) == number for note in posted(purchase, "CreditNote"))

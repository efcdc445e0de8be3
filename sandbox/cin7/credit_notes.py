"""POST, GET and DELETE /advanced-purchase/creditnote: the credit notes of a purchase, one task each.

Source: docs/apis/cin7.md#credit-note.
"""

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
from sandbox.cin7.errors import Problem, Refused
from sandbox.cin7.lines import LineReader, filled, inclusive
from sandbox.cin7.purchases import known
from sandbox.cin7.stages import AUTHORISED, NOT_AVAILABLE, VOIDED, combine, new_credit_note
from sandbox.cin7.statuses import done, posted, settle
from sandbox.cin7.wire import ZERO_GUID, Json, day, guid

#: Fields of a credit note in the envelope; a whole purchase shows its refunds too.
SHOWN = (
    "TaskID",
    "CreditNoteInvoiceNumber",
    "CreditNoteNumber",
    "CreditNoteDate",
    "Status",
    "Lines",
    "AdditionalCharges",
    "Unstock",
    "TotalBeforeTax",
    "Tax",
    "Total",
)
NUMBERS = {"CreditNoteNumber": 256, "CreditNoteInvoiceNumber": 50}


def read(call: Call) -> Json:
    purchase = known(call.company, call.text("purchaseid"))
    return _envelope(purchase, combined=call.flag("combineadditionalcharges"))


def _envelope(purchase: Purchase, *, combined: bool) -> Json:
    notes = [combine(task) if combined else task for task in purchase.stages["CreditNote"]]
    shown = [{"CombineAdditionalCharges": combined, **{name: note[name] for name in SHOWN}} for note in notes]
    return {"PurchaseID": purchase.id, "CreditNotes": shown}


def write(call: Call) -> Json:
    """Fill an open credit note, or make a new one; the answer holds all credit notes of the purchase."""
    body, company = call.body(), call.company
    purchase = purchase_of(company, body)
    if not done(purchase, "Invoice"):
        raise Refused(["Purchase Invoice should be AUTHORISED or PAID before Credit Note"])
    task, is_new = _task(purchase, body)
    must_be_open("Credit Note", task)
    problems: list[Problem] = []
    check = checker(company, problems)
    combined = check.flag(body, "CombineAdditionalCharges", required=True)
    fields = _read(company, purchase, check, body)
    if problems:
        raise Refused(problems)
    if is_new:
        put_in(company, purchase, "CreditNote", task)
    task.update(fields)
    company.counters["credit_notes_written"] += 1
    settle(purchase, company.clock.now())
    return _envelope(purchase, combined=combined)


def _task(purchase: Purchase, body: Json) -> tuple[Json, bool]:
    """Return the credit note that the body's `TaskID` means, and whether it is new; a new one fills the empty shell."""
    sent = body.get("TaskID")
    if not sent:
        raise Refused(["Required property 'TaskID' not found"])
    if guid(sent) != ZERO_GUID:
        return task_of(purchase, "CreditNote", sent), False
    notes = purchase.stages["CreditNote"]
    shell = next((note for note in notes if note["Status"] == NOT_AVAILABLE), None)
    if shell is None and purchase.simple:
        raise Refused(["Simple Purchase can have only one Credit Note"])
    return shell or new_credit_note(""), True


def _read(company: Company, purchase: Purchase, check: Checker, body: Json) -> Json:
    numbers = {name: check.text(body, name, longest, required=True) for name, longest in NUMBERS.items()}
    if company.switches["credit_note_invoice"] == "known":
        _check_invoice(purchase, check, numbers["CreditNoteInvoiceNumber"])
    if not body.get("CreditNoteDate"):
        check.say("Required attribute CreditNoteDate is not provided.")
    date = read_date(check, body, "CreditNoteDate", company.clock.now())
    check_lock(company, check, "CreditNoteDate", day(date))
    status = read_status(check, body)
    reader = LineReader(company, check, inclusive=inclusive(purchase), accounts=True)
    lines, charges = reader.lines(body, required=True), reader.charges(body)
    unstock = _unstock(purchase, check, body, day(date))
    if status == AUTHORISED and not check.problems and not lines and not charges:
        check.say("Credit Note cannot be authorised without Lines")
    document = filled(purchase, lines, charges)
    return {**document, **numbers, "CreditNoteDate": day(date), "Status": status, "Unstock": unstock}


def _check_invoice(purchase: Purchase, check: Checker, number: str) -> None:
    numbers = {name_key(str(invoice["InvoiceNumber"])) for invoice in posted(purchase, "Invoice")}
    if number and name_key(number) not in numbers:
        check.say(f"Invoice '{number}' was not found in this Purchase")


def _unstock(purchase: Purchase, check: Checker, body: Json, date: str) -> list[Json]:
    """Return the rows of goods sent back; a service purchase has none."""
    rows = body.get("Unstock") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        check.say("Unstock is invalid")
        return []
    if rows and purchase.service:
        check.say("Unstock is not available for Service Purchase")
    read_rows = []
    for row in rows:
        card = guid(check.text(row, "CardID", 50, required=True))
        if row.get("CardID") and card is None:
            check.say("CardID is invalid")
        quantity = check.amount(row, "Quantity", required=True)
        read_rows.append({"CardID": card, "Date": row.get("Date") or date, "Quantity": quantity})
    return read_rows


def remove(call: Call) -> Json:
    """Void one credit note; there is no undo, and `Void` is not looked at."""
    company = call.company
    purchase, task = task_anywhere(company, "CreditNote", call.text("taskid"))
    if task["Status"] == NOT_AVAILABLE or (task["Status"] == VOIDED and company.switches["void_twice"] != "ok"):
        raise Refused([f"Credit Note is {task['Status']}"])
    if lock := locked(company, task["CreditNoteDate"]):
        raise Refused([f"CreditNoteDate {task['CreditNoteDate'][:10]} is in a locked period: the lock date is {lock}"])
    task["Status"] = VOIDED
    company.counters["credit_notes_voided"] += 1
    settle(purchase, company.clock.now())
    return _envelope(purchase, combined=False)

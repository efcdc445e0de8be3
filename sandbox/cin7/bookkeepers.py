"""What finance staff do to invoices in Cin7's own user interface, behind the connector's back."""

from decimal import Decimal

from sandbox.cin7.checking import PRICE_PLACES
from sandbox.cin7.company import Company, Purchase
from sandbox.cin7.invoices import undo_or_void
from sandbox.cin7.lines import filled
from sandbox.cin7.stages import NOT_AVAILABLE, PAID, VOIDED, ZERO
from sandbox.cin7.statuses import POSTED, settle
from sandbox.cin7.wire import Json, day, instant, number, rounded

#: What a person may overwrite in one row, and in the head of an invoice.
ROW_AMOUNTS = ("Total", "Tax")
HEAD_FIELDS = ("InvoiceNumber", "InvoiceDate", "InvoiceDueDate")
ORDERS = frozenset({"account", "invoice", "row", *ROW_AMOUNTS, "Account", *HEAD_FIELDS, "pay", "undo", "void"})


def edit_invoice(company: Company, purchase: Purchase, change: Json) -> Purchase:
    """Apply a person's changes to one invoice: a row's amounts or account, its head, a payment, undo or void.

    Args:
        change: in the wire's words, so `Account` is a ledger account and `account` the company. `invoice` is a number
            or a TaskID, and may be left out where there is only one. `row` counts from 0 through the lines, then the
            charges. `pay` is an amount, or true for all that is still due.
    """
    if unknown := sorted(set(change) - ORDERS):
        raise ValueError(f"An invoice has no {', '.join(unknown)} to edit; there are: {', '.join(sorted(ORDERS))}.")
    task = _invoice(purchase, str(change.get("invoice") or ""))
    if not change.keys().isdisjoint((*ROW_AMOUNTS, "Account")):
        _edit_row(company, purchase, task, change)
    task.update({name: _head(name, change[name]) for name in HEAD_FIELDS if name in change})
    if change.get("pay"):
        _pay(company, purchase, task, change["pay"])
    settle(purchase, company.clock.now())
    if change.get("undo") or change.get("void"):
        undo_or_void(company, purchase, task, void=bool(change.get("void")))
    return purchase


def _invoice(purchase: Purchase, name: str) -> Json:
    alive = [task for task in purchase.stages["Invoice"] if task["Status"] not in (NOT_AVAILABLE, VOIDED)]
    found = [task for task in alive if not name or name in (task["InvoiceNumber"], task["TaskID"])]
    if len(found) != 1:
        raise ValueError(f"{purchase.number} has {len(found)} invoices {name!r}, not one.")
    return found[0]


def _edit_row(company: Company, purchase: Purchase, task: Json, change: Json) -> None:
    """Replace one row of the invoice, and add it up anew; the price follows from the new total."""
    lines, charges = list(task["Lines"]), list(task["AdditionalCharges"])
    place = int(change.get("row", 0))
    rows, index = (lines, place) if place < len(lines) else (charges, place - len(lines))
    if not 0 <= index < len(rows):
        raise ValueError(f"The invoice has no row {place}.")
    row = dict(rows[index])
    row.update({name: _exact(name, change[name]) for name in ROW_AMOUNTS if name in change})
    if "Total" in change:
        row.update(Discount=ZERO, Price=rounded(row["Total"] / Decimal(row["Quantity"]), PRICE_PLACES))
    if "Account" in change:
        account = company.find("chart", change["Account"])
        if account is None:
            raise ValueError(f"There is no account {change['Account']!r} to choose.")
        row["Account"] = account["Code"]
    rows[index] = row
    task.update(filled(purchase, lines, charges))


def _head(name: str, value: object) -> str:
    if name == "InvoiceNumber":
        return str(value)
    moment = instant(value)
    if moment is None:
        raise ValueError(f"{name} {value!r} is no date.")
    return day(moment)


def _exact(name: str, value: object) -> Decimal:
    exact = number(value)
    if exact is None:
        raise ValueError(f"{name} {value!r} is no amount.")
    return exact


def _pay(company: Company, purchase: Purchase, task: Json, how: object) -> None:
    """Pay an authorised invoice; one with nothing left to pay becomes PAID."""
    if task["Status"] not in POSTED:
        raise ValueError(f"An invoice is paid once it is authorised; this one is {task['Status']}.")
    amount = Decimal(task["Total"]) - Decimal(task["Paid"]) if how is True else _exact("pay", how)
    payment = {
        "ID": company.new_id(),
        "Reference": "",
        "Amount": amount,
        "DatePaid": day(company.clock.now()),
        "Account": next((row["Code"] for row in company.books["chart"].values() if row["ForPayments"]), ""),
        "CurrencyRate": purchase.header["CurrencyRate"],
    }
    task["Payments"] = [*task["Payments"], payment]
    task["Paid"] = Decimal(task["Paid"]) + amount
    if task["Paid"] >= Decimal(task["Total"]):
        task["Status"] = PAID


def edit_company(company: Company, change: Json) -> Json:
    """Overwrite settings of the company as GET /me shows them, the lock date among them; None opens all periods."""
    if unknown := sorted(set(change) - set(company.me)):
        raise ValueError(f"A company has no setting {', '.join(unknown)}.")
    if lock := change.get("LockDate"):
        change = {**change, "LockDate": _head("LockDate", lock)}
    company.me.update(change)
    return company.me

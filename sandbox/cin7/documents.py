"""What orders, invoices and credit notes have in common: their task, status and dates, and the company's lock date."""

from datetime import datetime

from sandbox.cin7.checking import Checker
from sandbox.cin7.company import Company, Purchase
from sandbox.cin7.errors import Refused
from sandbox.cin7.purchases import NO_SUCH_TASK, known
from sandbox.cin7.stages import AUTHORISED, DRAFT, NOT_AVAILABLE
from sandbox.cin7.wire import Json, day, guid, instant


def read_status(check: Checker, body: Json) -> str:
    """Return the status a document is posted in: DRAFT or AUTHORISED."""
    status = str(body.get("Status") or "").upper()
    if not status:
        check.say("Required property 'Status' not found")
    elif status not in (DRAFT, AUTHORISED):
        check.say(f"Status '{body['Status']}' is invalid")
    return status


def purchase_of(company: Company, body: Json) -> Purchase:
    """Return the purchase that `PurchaseID` names, unless it is void."""
    if not body.get("PurchaseID"):
        raise Refused(["Required property 'PurchaseID' not found"])
    purchase = known(company, body["PurchaseID"])
    if purchase.voided:
        raise Refused(["Purchase Task is already voided"])
    return purchase


def task_of(purchase: Purchase, stage: str, task_id: object) -> Json:
    """Return the task of a stage with that id, in whatever case it is written."""
    wanted = guid(task_id)
    for task in purchase.stages[stage]:
        if wanted is not None and task["TaskID"] == wanted:
            return task
    raise Refused([NO_SUCH_TASK])


def task_anywhere(company: Company, stage: str, task_id: object) -> tuple[Purchase, Json]:
    """Return a task, and its purchase, where the call names the task alone."""
    purchase = company.tasks.get(guid(task_id) or "")
    if purchase is None:
        raise Refused([NO_SUCH_TASK])
    return purchase, task_of(purchase, stage, task_id)


def put_in(company: Company, purchase: Purchase, stage: str, task: Json) -> None:
    """Give a new task its id, and a place among the tasks of its stage."""
    task["TaskID"] = company.new_id()
    company.tasks[task["TaskID"]] = purchase
    if not any(known_task is task for known_task in purchase.stages[stage]):
        purchase.stages[stage].append(task)


def must_be_open(name: str, task: Json) -> None:
    if task["Status"] not in (DRAFT, NOT_AVAILABLE):
        raise Refused([f"{name} status should be DRAFT or NOT AVAILABLE, it is {task['Status']}"])


def read_date(check: Checker, body: Json, name: str, default: datetime) -> datetime:
    if not body.get(name):
        return default
    moment = instant(body[name])
    if moment is None:
        check.say(f"{name} is invalid")
        return default
    return moment


def locked(company: Company, date: str | None) -> str | None:
    """Return the lock date where it bars a document of `date`, else None. Source: docs/apis/cin7.md#invoice."""
    lock, moment = instant(company.me.get("LockDate")), instant(date)
    if lock is None or moment is None:
        return None
    barred = day(moment) < day(lock) or (company.switches["lock_date"] == "inclusive" and day(moment) == day(lock))
    return day(lock)[:10] if barred else None


def check_lock(company: Company, check: Checker, name: str, date: str) -> None:
    if lock := locked(company, date):
        check.say(f"{name} {date[:10]} is in a locked period: the lock date is {lock}")

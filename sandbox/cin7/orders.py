"""GET and POST /purchase/order: the order stage of a purchase of any type, replaced as a whole."""

from sandbox.cin7.calls import Call
from sandbox.cin7.checking import checker
from sandbox.cin7.company import Purchase
from sandbox.cin7.documents import read_status
from sandbox.cin7.errors import Problem, Refused
from sandbox.cin7.lines import LineReader, filled, inclusive
from sandbox.cin7.purchases import known
from sandbox.cin7.stages import AUTHORISED, DRAFT, NOT_AVAILABLE, combine
from sandbox.cin7.statuses import settle
from sandbox.cin7.wire import Json


def read(call: Call) -> Json:
    purchase = known(call.company, call.text("taskid"))
    return _answer(purchase, combined=call.flag("combineadditionalcharges"))


def _answer(purchase: Purchase, *, combined: bool) -> Json:
    order = combine(purchase.order) if combined else purchase.order
    shown = {key: value for key, value in order.items() if key != "Prepayments"}
    return {"TaskID": purchase.id, "CombineAdditionalCharges": combined, **shown}


def write(call: Call) -> Json:
    """Replace the order's lines and charges; refused unless the order is DRAFT or NOT AVAILABLE."""
    body = call.body()
    company = call.company
    if not body.get("TaskID"):
        raise Refused(["Required property 'TaskID' not found"])
    purchase = known(company, body["TaskID"])
    if purchase.order["Status"] not in (DRAFT, NOT_AVAILABLE):
        raise Refused([f"Purchase Order status should be DRAFT or NOT AVAILABLE, it is {purchase.order['Status']}"])
    if purchase.header["BlindReceipt"]:
        raise Refused(["Purchase Order is not available for Blind Receipt purchase"])
    problems: list[Problem] = []
    check = checker(company, problems)
    combined = check.flag(body, "CombineAdditionalCharges", required=True)
    if body.get("Memo") is None:
        check.say("Required property 'Memo' not found")
    memo = check.text(body, "Memo", 1024)
    status = read_status(check, body)
    reader = LineReader(company, check, inclusive=inclusive(purchase))
    lines = reader.lines(body, required=True)
    charges = reader.charges(body)
    if status == AUTHORISED and not problems and not lines and not charges:
        check.say("Order cannot be authorised without Lines")
    if problems:
        raise Refused(problems)
    purchase.order.update(filled(purchase, lines, charges), Memo=memo, Status=status)
    company.counters["orders_written"] += 1
    settle(purchase, company.clock.now())
    return _answer(purchase, combined=combined)

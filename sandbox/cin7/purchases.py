"""Purchases: POST, PUT, GET and DELETE of /advanced-purchase and of the deprecated /purchase."""

from functools import partial

from sandbox.cin7.calls import Call
from sandbox.cin7.checking import Checker, checker
from sandbox.cin7.company import Company, Purchase
from sandbox.cin7.errors import Problem, Refused
from sandbox.cin7.events import purchase_saved
from sandbox.cin7.headers import new_header, read_fields, read_supplier
from sandbox.cin7.stages import AUTHORISED, DRAFT, VOIDED, new_order, new_stages, shown_advanced, shown_simple
from sandbox.cin7.statuses import done, settle
from sandbox.cin7.wire import Json, day

NO_SUCH_TASK = "Purchase Task with specified ID not found"
DEPRECATED = (
    "This endpoint is deprecated and does not support Advanced Purchase and Service Purchase. "
    "Please use AdvancedPurchase endpoint"
)
#: What a person may still change once the order is authorised.
ALWAYS_EDITABLE = frozenset({"Note", "AdditionalAttributes"})


def wanted(call: Call) -> Purchase:
    """Return the purchase that the query's `ID` names; the advanced family also serves simple ones."""
    return known(call.company, call.text("id"))


def known(company: Company, purchase_id: object) -> Purchase:
    purchase = company.purchase(purchase_id)
    if purchase is None:
        raise Refused([NO_SUCH_TASK])
    return purchase


def _only_simple(purchase: Purchase) -> Purchase:
    if not purchase.simple:
        raise Refused([DEPRECATED])
    return purchase


def read(call: Call) -> Json:
    return shown_advanced(wanted(call), combined=call.flag("combineadditionalcharges"))


def read_simple(call: Call) -> Json:
    return shown_simple(_only_simple(wanted(call)), combined=call.flag("combineadditionalcharges"))


def create(call: Call) -> Json:
    return shown_advanced(_create(call, call.body(), simple=False))


def create_simple(call: Call) -> Json:
    return shown_simple(_create(call, call.body(), simple=True))


def update(call: Call) -> Json:
    body = call.body()
    return shown_advanced(_update(call.company, known(call.company, body.get("ID")), body))


def update_simple(call: Call) -> Json:
    body = call.body()
    return shown_simple(_update(call.company, _only_simple(known(call.company, body.get("ID"))), body))


def remove(call: Call) -> Json:
    return shown_advanced(undo_or_void(call.company, wanted(call), void=call.flag("void")))


def remove_simple(call: Call) -> Json:
    return shown_simple(undo_or_void(call.company, _only_simple(wanted(call)), void=call.flag("void")))


def undo_or_void(company: Company, purchase: Purchase, *, void: bool) -> Purchase:
    """Void a purchase with all its stages, or step its authorised order back to DRAFT."""
    if purchase.voided and not (void and company.switches["void_twice"] == "ok"):
        raise Refused(["Purchase Task is already voided"])
    if company.switches["stages_lock"]:
        if done(purchase, "Invoice"):
            raise Refused(["Purchase has authorised Invoice. Please undo or void it first"])
        if done(purchase, "StockReceived"):
            raise Refused(["Purchase has authorised Stock Received. Please undo or void it first"])
    if void:
        purchase.voided = True
        for document in (purchase.order, *(task for tasks in purchase.stages.values() for task in tasks)):
            document["Status"] = VOIDED
    elif purchase.order["Status"] == AUTHORISED:
        purchase.order["Status"] = DRAFT
    company.counters["voids" if void else "undos"] += 1
    settle(purchase, company.clock.now())
    return purchase


def _create(call: Call, body: Json, *, simple: bool) -> Purchase:
    """Make a purchase with a number of its own. `Lines`, `OrderNumber` and `OrderDate` are ignored silently."""
    company = call.company
    problems: list[Problem] = []
    check = checker(company, problems)
    supplier = read_supplier(company, check, body)
    fields = read_fields(company, check, body, complete=True)
    service = not simple and check.flag(body, "IsServiceOnly")
    kind = _kind(check, body, str(company.switches["purchase_type_absent"]), simple=simple)
    blind = check.flag(body, "BlindReceipt")
    if problems or supplier is None:
        raise Refused(problems)
    now = company.clock.now()
    purchase_id = company.new_id()
    header = new_header(company, supplier, fields)
    header.update(
        ID=purchase_id,
        OrderNumber=company.next_number("PO"),
        OrderDate=day(now),
        Type="Service Purchase" if service else kind,
        IsServiceOnly=service,
        BlindReceipt=blind,
    )
    if service:
        header["Approach"] = "INVOICE"
    task_id = purchase_id if company.switches["first_invoice_task"] == "purchase-id" else company.new_id()
    made = Purchase(header, new_order(), new_stages(task_id, simple=kind.startswith("Simple") and not service), now)
    made.on_change = partial(purchase_saved, company)
    settle(made, now)
    company.purchases[purchase_id] = company.tasks[task_id] = made
    company.counters["purchases_created"] += 1
    return made


def _kind(check: Checker, body: Json, absent: str, *, simple: bool) -> str:
    if simple:
        return "Simple Purchase"
    sent = str(body.get("PurchaseType") or absent).strip().title()
    if sent not in ("Simple", "Advanced"):
        check.say(f"PurchaseType '{sent}' is invalid")
    return f"{sent} Purchase"


def _update(company: Company, purchase: Purchase, body: Json) -> Purchase:
    """Merge a partial header; once the order is authorised only the note and the attributes may differ."""
    problems: list[Problem] = []
    check = checker(company, problems)
    if purchase.voided:
        raise Refused(["Purchase Task is already voided"])
    fields = read_fields(company, check, body, complete=False)
    if purchase.service:
        fields.pop("Approach", None)
    if body.get("SupplierID") or body.get("Supplier"):
        supplier = read_supplier(company, check, body)
        if supplier is not None and supplier.id != purchase.header["SupplierID"]:
            fields.update(SupplierID=supplier.id, Supplier=supplier.name, SupplierCurrency=supplier.fields["Currency"])
    if company.switches["header_locks"] and purchase.order["Status"] == AUTHORISED:
        locked = {name for name in fields if name not in ALWAYS_EDITABLE and fields[name] != purchase.header[name]}
        problems.extend(Problem(f"{name} cannot be changed: Purchase Order is authorised") for name in sorted(locked))
    if problems:
        raise Refused(problems)
    attributes = {**purchase.header["AdditionalAttributes"], **fields.pop("AdditionalAttributes", {})}
    for name in ("BillingAddress", "ShippingAddress"):
        fields[name] = {**purchase.header[name], **fields.get(name, {})}
    purchase.header.update(fields, AdditionalAttributes=attributes)
    company.counters["purchases_updated"] += 1
    settle(purchase, company.clock.now())
    return purchase

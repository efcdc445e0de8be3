"""What people do in Cin7's own user interface: edit, receive, invoice and void behind the connector's back."""

from datetime import timedelta
from decimal import Decimal

from sandbox.cin7 import suppliers
from sandbox.cin7.checking import checker
from sandbox.cin7.company import BOOK_KEYS, Company, Purchase, Supplier, name_key
from sandbox.cin7.errors import Problem, Refused
from sandbox.cin7.invoices import next_number
from sandbox.cin7.lines import LineReader, filled, inclusive
from sandbox.cin7.purchases import undo_or_void
from sandbox.cin7.seeding import complete
from sandbox.cin7.stages import AUTHORISED, NOT_AVAILABLE, new_stages
from sandbox.cin7.statuses import settle
from sandbox.cin7.wire import Json, day, guid, stamp

HEADER_FIELDS = frozenset({"Note", "RequiredBy", "Contact", "Phone", "Location", "Terms", "AdditionalAttributes"})


def edit_supplier(company: Company, row: Json) -> Supplier:
    """Save a supplier as a person would; with the ID of a known one, or its name, it is an edit.

    `Removed` lists the IDs of addresses and contacts to take away, which no call of the API can do.
    """
    known = company.suppliers.by_id.get(guid(row.get("ID")) or "") or company.suppliers.named(row.get("Name", ""))
    saved = suppliers.save(company, known, {name: value for name, value in row.items() if name != "Removed"})
    gone = {guid(entry) for entry in row.get("Removed", ())}
    saved.addresses = [entry for entry in saved.addresses if entry["ID"] not in gone]
    saved.contacts = [entry for entry in saved.contacts if entry["ID"] not in gone]
    return saved


def edit_book(company: Company, book: str, rows: list[Json], removed: list[str]) -> list[Json]:
    """Add or alter rows of reference data by their key, and take some away."""
    result = []
    for row in rows:
        known = company.find(book, row[BOOK_KEYS[book]])
        edited = {**known, **row} if known else complete(company, book, row)
        if book == "products":
            edited["LastModifiedOn"] = stamp(company.clock.now())
        company.file(book, edited)
        result.append(edited)
    for name in removed:
        gone = company.books[book].pop(name_key(name), None)
        if book == "products" and gone:
            company.products_by_id.pop(str(gone["ID"]).lower(), None)
    return result


def edit_purchase(company: Company, purchase: Purchase, change: Json) -> Purchase:
    """Apply a person's changes to a purchase: header, order lines, receipt, invoice, undo, void.

    `received` and `invoiced` are true, false or "partial" (half of the quantities or of the amounts).
    """
    if header := change.get("header"):
        unknown = sorted(set(header) - HEADER_FIELDS)
        if unknown:
            raise ValueError(f"A person cannot edit {', '.join(unknown)}; only {', '.join(sorted(HEADER_FIELDS))}.")
        attributes = {**purchase.header["AdditionalAttributes"], **header.get("AdditionalAttributes", {})}
        purchase.header.update(header, AdditionalAttributes=attributes)
    if order := change.get("order"):
        _edit_order(company, purchase, order)
    for name, mark in (("received", _receive), ("invoiced", _invoice)):
        if change.get(name) is not None:
            mark(company, purchase, change[name])
    settle(purchase, company.clock.now())
    if change.get("void") or change.get("undo"):
        undo_or_void(company, purchase, void=bool(change.get("void")))
    return purchase


def _edit_order(company: Company, purchase: Purchase, order: Json) -> None:
    problems: list[Problem] = []
    reader = LineReader(company, checker(company, problems), inclusive=inclusive(purchase))
    lines = reader.lines(order, required=False) if "Lines" in order else purchase.order["Lines"]
    charges = purchase.order["AdditionalCharges"]
    if "AdditionalCharges" in order:
        charges = reader.charges(order)
    if problems:
        raise Refused(problems)
    kept = {key: order[key] for key in ("Memo", "Status") if key in order}
    purchase.order.update(filled(purchase, lines, charges), **kept)


def _receive(company: Company, purchase: Purchase, how: object) -> None:
    """Authorise a receipt of the ordered lines, or take it back."""
    if not how:
        for stage in ("StockReceived", "PutAway"):
            purchase.stages[stage] = _as_new(purchase, stage)
        return
    location = company.find("locations", purchase.header["Location"]) or {}
    share = Decimal("0.5") if how == "partial" else Decimal(1)
    lines = [
        {
            "Date": day(company.clock.now()),
            "Quantity": line["Quantity"] * share,
            "ProductID": line["ProductID"],
            "SKU": line["SKU"],
            "Name": line["Name"],
            "Location": purchase.header["Location"],
            "LocationID": location.get("ID"),
            "BatchSN": "",
            "ExpiryDate": None,
            "SupplierSKU": line["SupplierSKU"],
            "Received": True,
        }
        for line in purchase.order["Lines"]
    ]
    for stage in ("StockReceived", "PutAway"):
        purchase.stages[stage][0].update(Status=AUTHORISED, Lines=list(lines), InvoicingAndReceivingNumber=1)


def _as_new(purchase: Purchase, stage: str) -> list[Json]:
    """Return a stage as it was at first, under the task id it had."""
    return new_stages(purchase.stages[stage][0]["TaskID"], simple=purchase.simple)[stage]


def _invoice(company: Company, purchase: Purchase, how: object) -> None:
    """Authorise an invoice for the ordered lines, or take it back."""
    if not how:
        purchase.stages["Invoice"] = _as_new(purchase, "Invoice")
        return
    share = Decimal("0.5") if how == "partial" else Decimal(1)
    account = purchase.header["InventoryAccount"]
    scaled = ("Quantity", "Tax", "Total")
    lines, charges = (
        [{**row, **{name: row[name] * share for name in scaled}, "Account": account} for row in purchase.order[part]]
        for part in ("Lines", "AdditionalCharges")
    )
    now = company.clock.now()
    order = purchase.order
    purchase.stages["Invoice"][0].update(
        InvoiceDate=day(now),
        InvoiceDueDate=day(now + timedelta(days=30)),
        InvoiceNumber=purchase.stages["Invoice"][0]["InvoiceNumber"] or next_number(company, purchase),
        InvoicingAndReceivingNumber=1,
        Status=AUTHORISED if order["Status"] != NOT_AVAILABLE else NOT_AVAILABLE,
        Lines=lines,
        AdditionalCharges=charges,
        TotalBeforeTax=order["TotalBeforeTax"] * share,
        Tax=order["Tax"] * share,
        Total=order["Total"] * share,
    )

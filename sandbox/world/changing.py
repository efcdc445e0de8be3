"""A stream of edits as people make them in IFS, for the demo: each one moves a record that would be applied."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

from sandbox.world.expected import APPLIED
from sandbox.world.ground import MAPPED, Row
from sandbox.world.invoicing import Clerk
from sandbox.world.invoicing import rows_of as invoice_rows
from sandbox.world.ordering import LAST_DAY, Desk, company_for, company_of, total
from sandbox.world.people import Supplier
from sandbox.world.vouchering import Bookkeeper
from sandbox.world.worlds import World

_FIRST_NUMBER = 900_001
#: Of invoices and vouchers, above those of the world.
_FIRST_ID = 90_001
_FIRST_VOUCHER = 2_900_001


@dataclass(frozen=True, kw_only=True)
class Change:
    """One edit. `edits` is a body for POST /_sandbox/rows; `as_json` encodes it."""

    flow: str
    key: str
    what: str
    edits: list[dict[str, Any]]


def changes(world: World, rng: Random) -> Iterator[Change]:
    """Yield edits without end: orders amended, cancelled and added, suppliers moved; mostly amendments.

    In a world with invoices and vouchers, these are entered too, and orders that were invoiced are left alone.
    """
    office = _Office(world, rng)
    kinds: dict[Callable[[], Change], int] = {office.amend: 45, office.cancel: 5, office.add: 30, office.move: 20}
    kinds |= {office.bill: 15} if "supplier_invoices" in world.expected else {}
    kinds |= {office.enter: 15} if "journals" in world.expected else {}
    while True:
        yield rng.choices(list(kinds), weights=list(kinds.values()))[0]()


class _Office:
    """Knows what the tenant holds and makes one edit after the other."""

    def __init__(self, world: World, rng: Random) -> None:
        self._rng = rng
        # Codings of new orders are numbered apart from those of the world.
        self._desk = Desk(rng, first_coding=900_000)
        self._numbers = count(_FIRST_NUMBER)
        self._clerk = Clerk(rng, _FIRST_ID)
        self._bookkeeper = Bookkeeper(rng, _FIRST_VOUCHER)
        expected = world.expected
        invoiced = {row["PoRefNumber"] for row in world.ifs_seed["sets"].get("ManSuppInvoiceSet", ())}
        self._orders = {
            row["OrderNo"]: row
            for row in world.rows("PurchaseOrderSet")
            if expected["purchase_orders"][row["OrderNo"]] is APPLIED and row["OrderNo"] not in invoiced
        }
        self._lines: dict[str, list[Row]] = defaultdict(list)
        for row in world.rows("PurchaseOrderLineSet"):
            self._lines[row["OrderNo"]].append(dict(row))
        self._suppliers = _suppliers(world)
        self._addresses = [
            dict(row) for row in world.rows("SupplierInfoAddressSet") if row["SupplierId"] in self._suppliers
        ]

    def amend(self) -> Change:
        """Order one more or fewer of a line; the header's stamp does not move."""
        order = self._some_order()
        line = self._rng.choice([line for line in self._lines[order["OrderNo"]] if line["Objstate"] != "Cancelled"])
        line["BuyQtyDue"] += Decimal(1) if line["BuyQtyDue"] < 2 else self._rng.choice((Decimal(-1), Decimal(1)))
        changed = {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo", "BuyQtyDue")}
        if line.get("NetAmtCurr") is not None:
            total(line, company_of(order))
            changed |= {name: line[name] for name in ("NetAmtCurr", "GrossAmtCurr")}
        what = f"line {line['LineNo']} now orders {line['BuyQtyDue']}"
        return _order_change(order, what, [{"set": "PurchaseOrderLineSet", "patch": [changed]}])

    def cancel(self) -> Change:
        order = self._some_order()
        number = order["OrderNo"]
        del self._orders[number]
        lines = [
            {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo")} | {"Objstate": "Cancelled"}
            for line in self._lines[number]
        ]
        header = {"OrderNo": number, "Objstate": "Cancelled"}
        edits = [{"set": "PurchaseOrderLineSet", "patch": lines}, {"set": "PurchaseOrderSet", "patch": [header]}]
        return _order_change(order, "cancelled", edits)

    def add(self) -> Change:
        supplier = self._suppliers[self._rng.choice(sorted(self._suppliers))]
        order = self._desk.draw(str(next(self._numbers)), supplier, company_for(supplier, self._rng))
        for row in (order.header, *order.lines):
            # The tenant's clock stamps what is new.
            for stamp in ("DateEntered", "ChangeDate", "LastActivityDate"):
                row.pop(stamp, None)
        self._orders[order.order_no] = order.header
        self._lines[order.order_no] = [dict(line) for line in order.lines]
        edits = [
            {"set": "PreAccountingSet", "upsert": order.codings},
            {"set": "PurchaseOrderLineSet", "upsert": order.lines},
            {"set": "PurchaseOrderSet", "upsert": [order.header]},
        ]
        return _order_change(order.header, "new", edits)

    def move(self) -> Change:
        """Give a supplier's address another street; its header does not move."""
        address = self._rng.choice(self._addresses)
        address["Address1"] = f"New Quay {self._rng.randrange(1, 400)}"
        changed = {name: address[name] for name in ("SupplierId", "AddressId", "Address1")}
        return Change(
            flow="suppliers",
            key=address["SupplierId"],
            what=f"moved to {address['Address1']}",
            edits=[{"set": "SupplierInfoAddressSet", "patch": [changed]}],
        )

    def bill(self) -> Change:
        """Post an invoice that has no order."""
        supplier = self._suppliers[self._rng.choice(sorted(self._suppliers))]
        company = company_for(supplier, self._rng)
        terms = supplier.terms[company.code]
        invoice = self._clerk.invoice(
            company, supplier.supplier_id, terms, self._clerk.bill(company, terms[0]), day=LAST_DAY
        )
        edits = [{"set": table, "upsert": rows} for table, rows in invoice_rows([invoice]).items()]
        amount = f"{invoice.header['NetCurrAmount']} {terms[0]}"
        return Change(flow="supplier_invoices", key=invoice.key, what=f"posted, {amount}", edits=edits)

    def enter(self) -> Change:
        """Enter a voucher into the hold table."""
        voucher = self._bookkeeper.draw(self._rng.choice(MAPPED))
        edits = [
            {"set": "VoucherSet", "upsert": [voucher.header]},
            {"set": "VoucherRowSet", "upsert": voucher.rows},
        ]
        return Change(flow="journals", key=voucher.key, what=f"entered, {len(voucher.rows)} rows", edits=edits)

    def _some_order(self) -> Row:
        if not self._orders:
            self.add()
        return self._orders[self._rng.choice(sorted(self._orders))]


def _order_change(order: Row, what: str, edits: list[dict[str, Any]]) -> Change:
    return Change(flow="purchase_orders", key=str(order["OrderNo"]), what=what, edits=edits)


def _suppliers(world: World) -> dict[str, Supplier]:
    terms: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for row in world.rows("IdentityInvoiceInfoSet"):
        terms[row["Identity"]][row["Company"]] = (row["DefCurrency"], row["PayTermId"])
    return {
        row["SupplierId"]: Supplier(
            supplier_id=row["SupplierId"],
            name=row["Name"],
            country=row["Country"],
            tax_number="",
            terms=terms[row["SupplierId"]],
        )
        for row in world.rows("SupplierInfoGeneralSet")
        if world.expected["suppliers"][row["SupplierId"]] is APPLIED
    }

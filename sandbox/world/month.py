"""A month that can be closed: orders, partial invoices, a credit note, an invoice without order, a reversed one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from sandbox.world.books_ground import BOOKS_FROM, add_ground
from sandbox.world.expected import APPLIED, Expected
from sandbox.world.ground import BY_CODE, Row, tables
from sandbox.world.invoicing import Clerk, Invoice, Share, rows_of, shares_of
from sandbox.world.ordering import START_FROM, Desk, Order
from sandbox.world.people import People, Supplier
from sandbox.world.seeds import cin7_seed, credentials, ifs_seed
from sandbox.world.worlds import World

#: The month, and the first and a later day in it.
MONTH: Final = "2025-05"
FIRST: Final = date(2025, 5, 1)
_COMPANIES: Final = ("10", "20")


@dataclass(frozen=True, kw_only=True)
class Month:
    """The world, and its documents by what is special about them; all of them are in company 10 but `other`.

    Attributes:
        halves: two invoices of one order.
        credited: an invoice and the credit note that takes a part of it back.
        alone: an invoice without an order.
        reversed: an invoice that is posted at first.
        plain: orders without invoices.
        other: an order of company 20, which is in another Cin7 account, and its invoice.
    """

    world: World
    suppliers: Mapping[str, Supplier]
    orders: list[Order]
    halves: tuple[Invoice, Invoice]
    credited: tuple[Invoice, Invoice]
    alone: Invoice
    reversed: Invoice
    plain: list[Order]
    other: tuple[Order, Invoice]


class _Office:
    """Draws documents dated one after the other, within the month."""

    def __init__(self, seed: int) -> None:
        rng = Random(f"month {seed}")
        self.people, self.desk, self.clerk = People(rng), Desk(rng), Clerk(rng)
        self.suppliers = {company: self._supplier(company) for company in _COMPANIES}
        self.orders: list[Order] = []
        self.invoices: list[Invoice] = []

    def _supplier(self, company: str) -> Supplier:
        supplier = self.people.draw([company], supplier_id=f"M{company}", name=f"Month Supplies {company} Ltd")
        money = BY_CODE[company].currency
        supplier.terms[company] = (money, "30")
        for row in supplier.rows["IdentityInvoiceInfoSet"]:
            row.update(DefCurrency=money, PayTermId="30")
        return supplier

    def order(self, company: str = "10", kinds: str = "ppg") -> Order:
        number = str(500_001 + len(self.orders))
        day = FIRST + timedelta(days=len(self.orders) % 9)
        order = self.desk.draw(number, self.suppliers[company], BY_CODE[company], day=day, kinds=kinds)
        # Whole pieces in even numbers, so that any order can be invoiced in two halves.
        for line in order.lines:
            line.update(BuyQtyDue=Decimal(10), BuyUnitPrice=Decimal("12.50"), Discount=Decimal(0))
            line.update(AdditionalCostAmount=None, NetAmtCurr=Decimal("125.00"), GrossAmtCurr=None)
        self.orders.append(order)
        return order

    def invoice(self, order: Order, shares: list[Share], **wishes: Any) -> Invoice:  # noqa: ANN401  # As the clerk.
        made = self.clerk.of_order(order, shares, day=self._day(), **wishes)
        self.invoices.append(made)
        return made

    def credit(self, invoice: Invoice, order: Order) -> Invoice:
        made = self.clerk.credit(invoice, order, shares_of(order, 2)[1])
        made.header.update(InvoiceDate=self._day().isoformat())
        self.invoices.append(made)
        return made

    def alone(self, company: str = "10") -> Invoice:
        supplier = self.suppliers[company]
        shares = self.clerk.bill(BY_CODE[company], supplier.terms[company][0], lines=2)
        made = self.clerk.invoice(
            BY_CODE[company], supplier.supplier_id, supplier.terms[company], shares, day=self._day()
        )
        self.invoices.append(made)
        return made

    def _day(self) -> date:
        return FIRST + timedelta(days=10 + len(self.invoices) % 20)


def build_month(
    seed: int = 1, *, plain: int = 8, billed: int = 0, cin7_limit: Mapping[str, Any] | None = None
) -> Month:  # fmt: skip
    """Return a world of one month, in which everything is applied.

    Args:
        plain: orders that are not invoiced.
        billed: further orders, each with one invoice.
    """
    office = _Office(seed)
    first = office.order()
    halves = [office.invoice(first, shares) for shares in shares_of(first, 2)]
    second = office.order()
    whole = office.invoice(second, shares_of(second)[0])
    note = office.credit(whole, second)
    third = office.order()
    taken_back = office.invoice(third, shares_of(third)[0])
    other = office.order("20", kinds="gg")
    others = office.invoice(other, shares_of(other)[0])
    alone = office.alone()
    rest = [office.order(kinds=("p", "g", "pg")[number % 3]) for number in range(plain)]
    for order in [office.order(kinds="g") for _ in range(billed)]:
        office.invoice(order, shares_of(order)[0])
    return Month(
        world=_world(office, cin7_limit),
        suppliers=office.suppliers,
        orders=office.orders,
        halves=(halves[0], halves[1]),
        credited=(whole, note),
        alone=alone,
        reversed=taken_back,
        plain=rest,
        other=(other, others),
    )


def _world(office: _Office, cin7_limit: Mapping[str, Any] | None) -> World:
    seed = ifs_seed(office.suppliers.values(), office.orders, companies=_COMPANIES)
    seed["rate"] = {"calls": 10_000_000, "window_s": 60}
    cin7, made = cin7_seed({}, cin7_limit or {"calls": 0}), tables()
    sets: dict[str, list[Row]] = seed["sets"]
    add_ground(sets, cin7, made)
    for table, rows in rows_of(office.invoices).items():
        sets[table] = [*sets.get(table, ()), *rows]
    applied: dict[str, Expected] = dict.fromkeys((order.order_no for order in office.orders), APPLIED)
    return World(
        ifs_seed=seed,
        cin7_seed=cin7,
        tables=made,
        credentials=credentials(),
        expected={
            "suppliers": {one.supplier_id: APPLIED for one in office.suppliers.values()},
            "purchase_orders": applied,
            "supplier_invoices": {one.key: APPLIED for one in office.invoices},
        },
        start_from=START_FROM.isoformat(),
        starts={"supplier_invoices": BOOKS_FROM.isoformat()},
    )

"""Adds supplier invoices and vouchers to a world of suppliers and orders."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from sandbox.world.books_ground import BOOKS_FROM, LOCK_DATE
from sandbox.world.expected import APPLIED, Expected
from sandbox.world.ground import MAPPED, Row
from sandbox.world.invoicing import Clerk, Invoice, shares_of
from sandbox.world.invoicing import rows_of as invoice_rows
from sandbox.world.ordering import Order, company_for
from sandbox.world.people import People, Supplier
from sandbox.world.vouchering import Bookkeeper
from sandbox.world.vouchering import rows_of as voucher_rows
from sandbox.world.wrong_invoices import wrong_invoices
from sandbox.world.wrong_vouchers import wrong_vouchers

#: Fewer would leave out a kind.
INVOICES_MIN: Final = 60
VOUCHERS_MIN: Final = 40
#: Suppliers in currencies without decimals and with three.
_FAR: Final = (("YOKO-JPY", "Yokohama Valves K.K.", "JPY"), ("GULF-KWD", "Gulf Pipe & Fittings W.L.L.", "KWD"))
#: State to how many of a hundred single invoices are in it.
_STATES: Final[Mapping[str, int]] = {
    "Posted": 38,
    "PostedAuth": 24,
    "PartlyPaidPosted": 6,
    "PartlyPaidPostedAuth": 4,
    "PaidPosted": 16,
    "Preliminary": 7,
    "Cancelled": 5,
}
_NOT_SENT: Final = frozenset({"Preliminary", "Cancelled"})
_KINDS: Final = ("whole", "halves", "thirds", "credited", "alone")


@dataclass(frozen=True, kw_only=True)
class Books:
    """Rows by table of IFS, suppliers that only invoices need, and what must become of each record by flow."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    suppliers: list[Supplier] = field(default_factory=list)
    expected: dict[str, dict[str, Expected]] = field(default_factory=dict)


def draw_books(
    seed: int,
    orders: Sequence[tuple[Order, Expected]],
    suppliers: Sequence[Supplier],
    named: Mapping[str, Supplier],
    *,
    invoices: int,
    vouchers: int,
) -> Books:
    """Return invoices and vouchers on top of the orders; 0 of a kind leaves it out.

    Args:
        seed: of the world; what is drawn here changes nothing of the world's own.
        orders: all orders with what becomes of them.
        suppliers: those that are applied.
        named: suppliers that are wrong on purpose, by id.
    """
    books = Books()
    if invoices:
        # Worlds repeat by design; nothing here is a secret.
        rng = Random(f"invoices {seed}")
        office = _Office(rng, orders, suppliers, named)
        books.suppliers.extend(office.far)
        drawn = list(office.invoices(max(invoices, INVOICES_MIN)))
        drawn.sort(key=lambda pair: (pair[0].header["InvoiceDate"], pair[0].key))
        books.rows.update(invoice_rows(invoice for invoice, _ in drawn))
        books.expected["supplier_invoices"] = {invoice.key: expected for invoice, expected in drawn}
    if vouchers:
        bookkeeper = Bookkeeper(Random(f"vouchers {seed}"))
        wrong = [(one.voucher, one.expected) for one in wrong_vouchers(bookkeeper)]
        right = [
            (bookkeeper.draw(MAPPED[place % len(MAPPED)]), APPLIED)
            for place in range(max(vouchers, VOUCHERS_MIN) - len(wrong))
        ]
        every = sorted([*right, *wrong], key=lambda pair: (pair[0].header["VoucherDate"], pair[0].key))
        books.rows.update(voucher_rows([voucher for voucher, _ in every]))
        books.expected["journals"] = {voucher.key: expected for voucher, expected in every}
    return books


class _Office:
    """Draws the invoices of one world: each order is invoiced by one draw at most."""

    def __init__(
        self,
        rng: Random,
        orders: Sequence[tuple[Order, Expected]],
        suppliers: Sequence[Supplier],
        named: Mapping[str, Supplier],
    ) -> None:
        self._rng = rng
        self._clerk = Clerk(rng)
        self._all, self._named = orders, named
        self._suppliers = suppliers
        self._orders = [
            order for order, outcome in orders if outcome is APPLIED and not order.header["UsePriceInclTax"]
        ]
        rng.shuffle(self._orders)
        people = People(rng)
        self.far = [_paid_in(people.draw(["10"], supplier_id=code, name=name), money) for code, name, money in _FAR]

    def invoices(self, wanted: int) -> Iterator[tuple[Invoice, Expected]]:
        """Yield `wanted` invoices, the wrong ones first."""
        ours = {company.code: self._of_one(company.code) for company in MAPPED}
        wrong = [
            (one.invoice, one.expected) for one in wrong_invoices(self._clerk, self._take, self._all, ours, self._named)
        ]
        yield from wrong
        left = wanted - len(wrong)
        # Every kind occurs, however few invoices are asked for.
        kinds = [*_KINDS, *_KINDS, "early", "early", "far", "far"]
        while left > 0:
            kind = kinds.pop() if kinds else self._rng.choices((*_KINDS, "far"), weights=(46, 18, 5, 9, 20, 2))[0]
            drawn = list(self._draw(kind))[:left]
            yield from drawn
            left -= len(drawn)

    def _draw(self, kind: str) -> Iterator[tuple[Invoice, Expected]]:
        if kind in ("alone", "early", "far") or not self._orders:
            yield self._alone(kind)
        elif kind == "whole":
            order, state = self._orders.pop(), self._state()
            yield self._clerk.of_order(order, shares_of(order)[0], state=state), _outcome(state)
        else:
            yield from self._several(kind)

    def _several(self, kind: str) -> Iterator[tuple[Invoice, Expected]]:
        """Yield the invoices of one order, or one invoice and the credit note that takes back a part of it."""
        parts = 3 if kind == "thirds" else 2
        order = self._pop(lambda order: len(shares_of(order, parts)) == parts)
        if order is None:
            yield self._alone("alone")
            return
        if kind == "credited":
            invoice = self._clerk.of_order(order, shares_of(order)[0])
            yield invoice, APPLIED
            yield self._clerk.credit(invoice, order, shares_of(order, 2)[1]), APPLIED
            return
        day: date | None = None
        for shares in shares_of(order, parts):
            later: dict[str, Any] = {"day": self._clerk.after(day)} if day else {}
            invoice = self._clerk.of_order(order, shares, **later)
            day = invoice.day
            yield invoice, APPLIED

    def _alone(self, kind: str) -> tuple[Invoice, Expected]:
        """Return an invoice without an order."""
        rng = self._rng
        supplier = rng.choice(self.far if kind == "far" else self._suppliers)
        company = company_for(supplier, rng)
        terms = supplier.terms[company.code]
        if kind == "early":
            day = BOOKS_FROM - timedelta(days=rng.randrange(1, 60))
            expected = Expected(outcome="left_out", why="dated before go-live")
        else:
            day, expected = self._clerk.after(LOCK_DATE + timedelta(days=rng.randrange(70))), APPLIED
        shares = self._clerk.bill(company, terms[0])
        return self._clerk.invoice(company, supplier.supplier_id, terms, shares, day=day), expected

    def _take(self, company: str) -> Order:
        order = self._pop(lambda order: order.header["Company"] == company)
        if order is None:
            raise ValueError(f"The world has too few orders of company {company} to invoice.")
        return order

    def _pop(self, fits: Callable[[Order], bool]) -> Order | None:
        place = next((place for place, order in enumerate(self._orders) if fits(order)), None)
        return None if place is None else self._orders.pop(place)

    def _of_one(self, company: str) -> Supplier:
        return next(one for one in self._suppliers if set(one.terms) == {company})

    def _state(self) -> str:
        return self._rng.choices(list(_STATES), weights=list(_STATES.values()))[0]


def _outcome(state: str) -> Expected:
    if state in _NOT_SENT:
        return Expected(outcome="left_out", value=state, why="nothing in this state is sent")
    return APPLIED


def _paid_in(supplier: Supplier, currency: str) -> Supplier:
    """Return `supplier` with its currency in every company replaced."""
    for company, (_, term) in supplier.terms.items():
        supplier.terms[company] = (currency, term)
    for row in supplier.rows["IdentityInvoiceInfoSet"]:
        row["DefCurrency"] = currency
    for row in supplier.rows["SupplierSet"]:
        row["CurrencyCode"] = currency
    return supplier

"""A realistic IFS tenant with its Cin7 accounts, as seeds for both stand-ins: the same seed gives the same world."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any, Final

from sandbox.world.books import Books, draw_books
from sandbox.world.books_ground import BOOKS_FROM, add_ground
from sandbox.world.expected import APPLIED, Expected
from sandbox.world.ground import MAPPED, Row, tables
from sandbox.world.mistakes import WrongOrder, WrongSupplier, without_totals, wrong_orders, wrong_suppliers
from sandbox.world.ordering import START_FROM, Desk, Order, company_for
from sandbox.world.people import ODD_NAMES, People, Supplier
from sandbox.world.seeds import cin7_seed, credentials, ifs_seed
from sandbox.world.settings import connector_toml

#: Order numbers that trip careless quoting; the others count up from here.
_ODD_NUMBERS: Final = ("K/1042", "R&D-7", "Ö-100", "O'N 3", "2025#9")
_FIRST_NUMBER: Final = 100_001
#: State to how many of a hundred orders are in it.
_STATES: Final[Mapping[str, int]] = {
    "Released": 58,
    "Confirmed": 24,
    "Planned": 5,
    "Arrived": 2,
    "Received": 3,
    "Invoiced": 2,
    "Closed": 3,
    "Stopped": 1,
    "Cancelled": 2,
}
_SENT: Final = frozenset({"Released", "Confirmed"})


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that both stand-ins, the connector's set-up and the checks afterwards need.

    Attributes:
        ifs_seed: body of the IFS control plane's seed; `as_json` encodes it.
        cin7_seed: body of the Cin7 control plane's seed.
        tables: mapping table to CSV text.
        credentials: bodies for `connector credentials set`: `ifs`, `hooks`, and `cin7` by account.
        expected: flow to record key to what must become of it.
        start_from: business date of go-live.
        starts: the same for flows that have one of their own.
    """

    ifs_seed: dict[str, Any]
    cin7_seed: dict[str, Any]
    tables: dict[str, str]
    credentials: dict[str, Any]
    expected: dict[str, dict[str, Expected]]
    start_from: str
    starts: dict[str, str] = field(default_factory=dict)

    def connector_toml(self, ifs_url: str, cin7_url: str, **options: Any) -> str:  # noqa: ANN401  # See settings.py.
        """Return the settings file for this world behind these two addresses; options as in `settings.py`."""
        return connector_toml(ifs_url, cin7_url, **{"start_from": self.start_from, "starts": self.starts, **options})

    def rows(self, table: str) -> list[Row]:
        """Return IFS's rows of one table, as seeded."""
        found: list[Row] = self.ifs_seed["sets"][table]
        return found


def build_world(
    seed: int = 1,
    suppliers: int = 220,
    orders: int = 520,
    *,
    invoices: int = 0,
    vouchers: int = 0,
    ifs_switches: Mapping[str, Any] | None = None,
    cin7_limit: Mapping[str, Any] | None = None,
) -> World:
    """Return a world of that many suppliers and orders, some of them wrong on purpose.

    Args:
        seed: the same one gives the same world.
        suppliers: 40 or more.
        orders: 100 or more.
        invoices: 60 or more; 0: none, nor anything that only they need.
        vouchers: 40 or more; 0: none.
        ifs_switches: for the IFS stand-in.
        cin7_limit: calls per key, such as `{"calls": 600, "window_s": 60}`; None: Cin7's own.
    """
    rng = Random(seed)
    people, desk = People(rng), Desk(rng)
    wrong = list(wrong_suppliers(people))
    good = [people.draw(_companies(rng), supplier_id=number, name=name) for number, name in ODD_NAMES]
    good += [people.draw(_companies(rng)) for _ in range(max(suppliers, 40) - len(good) - len(wrong))]
    numbers = count(_FIRST_NUMBER)
    wrong_ones = list(wrong_orders(desk, lambda: str(next(numbers)), _by_company(good), _named(wrong)))
    applied = [*good, *(one.supplier for one in wrong if one.expected is APPLIED)]
    plain = max(orders, 100) - len(wrong_ones) - len(_ODD_NUMBERS)
    names = [*_ODD_NUMBERS, *(str(next(numbers)) for _ in range(plain))]
    right_ones = list(_orders(desk, rng, applied, names))
    everyone = [*good, *(one.supplier for one in wrong)]
    rng.shuffle(everyone)
    all_orders = [*(order for order, _ in right_ones), *(one.order for one in wrong_ones)]
    all_orders.sort(key=lambda order: (str(order.header["DateEntered"]), order.order_no))
    vendors = [one.vendor for one in wrong if one.vendor]
    world = World(
        ifs_seed=ifs_seed(everyone, all_orders, raw_rows=_raw_rows(wrong, wrong_ones), switches=ifs_switches),
        cin7_seed=cin7_seed({"second": vendors, "main": _VENDORS_OF_OLD}, cin7_limit),
        tables=tables(),
        credentials=credentials(),
        expected={
            "suppliers": {one.supplier_id: APPLIED for one in good}
            | {one.supplier.supplier_id: one.expected for one in wrong},
            "purchase_orders": {order.order_no: outcome for order, outcome in right_ones}
            | {one.order.order_no: one.expected for one in wrong_ones},
        },
        start_from=START_FROM.isoformat(),
    )
    if invoices or vouchers:
        outcomes = [*right_ones, *((one.order, one.expected) for one in wrong_ones)]
        _add(world, draw_books(seed, outcomes, applied, _named(wrong), invoices=invoices, vouchers=vouchers))
    return world


def _add(world: World, books: Books) -> None:
    sets: dict[str, list[Row]] = world.ifs_seed["sets"]
    add_ground(sets, world.cin7_seed, world.tables)
    for rows in (*(supplier.rows for supplier in books.suppliers), books.rows):
        for table, more in rows.items():
            sets[table] = [*sets.get(table, ()), *more]
    world.expected["suppliers"].update((one.supplier_id, APPLIED) for one in books.suppliers)
    world.expected.update(books.expected)
    world.starts.update(dict.fromkeys(books.expected, BOOKS_FROM.isoformat()))


def _companies(rng: Random) -> list[str]:
    return rng.choices((["10"], ["20"], ["10", "20"]), weights=(55, 30, 15))[0]


def _by_company(suppliers: Sequence[Supplier]) -> dict[str, list[Supplier]]:
    return {company.code: [one for one in suppliers if set(one.terms) == {company.code}] for company in MAPPED}


def _named(wrong: Sequence[WrongSupplier]) -> dict[str, Supplier]:
    return {one.supplier.supplier_id: one.supplier for one in wrong}


def _orders(
    desk: Desk, rng: Random, suppliers: Sequence[Supplier], numbers: Sequence[str]
) -> Iterator[tuple[Order, Expected]]:
    """Yield orders that nothing is wrong with; the odd numbers come first and are sent."""
    for place, number in enumerate(numbers):
        supplier = rng.choice(suppliers)
        odd = place < len(_ODD_NUMBERS)
        state = "Released" if odd else rng.choices(list(_STATES), weights=list(_STATES.values()))[0]
        old = not odd and rng.random() < 0.08
        day = START_FROM - timedelta(days=rng.randrange(1, 60)) if old else None
        order = desk.draw(number, supplier, company_for(supplier, rng), state=state, day=day)
        if rng.random() < 0.03:
            order.header["UsePriceInclTax"] = True
            order = without_totals(order)
        if len(order.lines) > 2 and rng.random() < 0.1:
            order.lines[-1]["Objstate"] = "Cancelled"
        yield order, _outcome(state, old=old)


def _outcome(state: str, *, old: bool) -> Expected:
    if old:
        return Expected(outcome="left_out", why="dated before go-live")
    if state not in _SENT:
        return Expected(outcome="left_out", value=state, why="nothing in this state is sent")
    return APPLIED


def _raw_rows(suppliers: Sequence[WrongSupplier], orders: Sequence[WrongOrder]) -> list[dict[str, str]]:
    headers = [
        {"set": "SupplierInfoGeneralSet", "keyref": f"SUPPLIER_ID={one.supplier.supplier_id}^", "body": one.raw}
        for one in suppliers
        if one.raw
    ]
    lines = [
        {
            "set": "PurchaseOrderLineSet",
            "keyref": f"LINE_NO=1^ORDER_NO={one.order.order_no}^RELEASE_NO=1^",
            "body": one.raw_line,
        }
        for one in orders
        if one.raw_line
    ]
    return [*headers, *lines]


#: Vendors of the first account that have nothing to do with IFS.
_VENDORS_OF_OLD: Final[list[Row]] = [
    {
        "Name": name,
        "Currency": "SEK",
        "PaymentTerm": "30 days",
        "AccountPayable": "2440",
        "TaxRule": "Purchases 25%",
        "Status": status,
        "TaxNumber": "",
    }
    for name, status in (("Kontorsfika i Väst", "Active"), ("Gamla Leverantören", "Deprecated"))
]

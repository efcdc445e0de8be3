"""One Cin7 company in memory: its keys, reference data, suppliers, purchases and numbering."""

import random
import uuid
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from sandbox.cin7.limits import Key, Limit
from sandbox.cin7.outbox import Outbox
from sandbox.cin7.switches import Switches
from sandbox.cin7.wire import ZERO_GUID, Json, guid


class Clock:
    """The stand-in's own time, which a test may move."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> datetime:
        """Return the time in whole milliseconds, the resolution of Cin7's stamps."""
        moment = datetime.now(UTC) + timedelta(seconds=self.offset_s)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Supplier:
    """One supplier: scalars, addresses and contacts as on the wire, and the moment of its last change."""

    def __init__(self, fields: Json, addresses: list[Json], contacts: list[Json], modified: datetime) -> None:
        self.fields = fields
        self.addresses = addresses
        self.contacts = contacts
        self.modified = modified

    @property
    def id(self) -> str:
        return str(self.fields["ID"])

    @property
    def name(self) -> str:
        return str(self.fields["Name"])

    @property
    def active(self) -> bool:
        return str(self.fields["Status"]) == "Active"


class Purchase:
    """One purchase: header, order and the later stages, each a list of tasks as on the wire.

    `row` caches its line of the purchase list, made in `row_style`; every change empties it.
    """

    def __init__(self, header: Json, order: Json, stages: dict[str, list[Json]], updated: datetime) -> None:
        self.header = header
        self.order = order
        self.stages = stages
        self.updated = updated
        self.voided = False
        self.row: Json | None = None
        self.row_style: tuple[object, ...] = ()
        self.search = ""
        #: The first invoice number that Cin7 made up for this purchase, and how many it has made.
        self.auto_number = ""
        self.auto_invoices = 0
        #: What webhooks were told to be authorised, and who tells them of a change.
        self.told: set[tuple[str, str]] = set()
        self.on_change: Callable[[Purchase], None] = lambda _: None

    @property
    def id(self) -> str:
        return str(self.header["ID"])

    @property
    def number(self) -> str:
        return str(self.header["OrderNumber"])

    @property
    def type(self) -> str:
        return str(self.header["Type"])

    @property
    def simple(self) -> bool:
        return self.type == "Simple Purchase"

    @property
    def service(self) -> bool:
        return self.type == "Service Purchase"

    @property
    def ordered(self) -> bool:
        """Its order is authorised, or it is a blind receipt, which has none."""
        return bool(self.order["Status"] == "AUTHORISED" or self.header["BlindReceipt"])


class Suppliers:
    """All suppliers of a company, by id, and by name ignoring case: a deprecated one still holds its name."""

    def __init__(self) -> None:
        self.by_id: dict[str, Supplier] = {}
        self._by_name: dict[str, Supplier] = {}
        self._names: list[str] = []

    def put(self, supplier: Supplier) -> None:
        """Add `supplier`, or file it again under the name it carries now."""
        self.by_id[supplier.id] = supplier
        key = name_key(supplier.name)
        if key not in self._by_name:
            insort(self._names, key)
        self._by_name[key] = supplier

    def rename(self, supplier: Supplier, name: str) -> None:
        """File `supplier` under another name; the one it had is free again."""
        self._unname(supplier.name)
        supplier.fields["Name"] = name
        self.put(supplier)

    def _unname(self, name: str) -> None:
        key = name_key(name)
        if self._by_name.pop(key, None) is not None:
            del self._names[bisect_left(self._names, key)]

    def named(self, name: object) -> Supplier | None:
        return self._by_name.get(name_key(str(name)))

    def starting_with(self, prefix: str) -> Iterator[Supplier]:
        """Yield those whose names start so, longer names first: callers must compare the whole name."""
        key = prefix.casefold().lstrip()
        start = bisect_left(self._names, key)
        end = bisect_left(self._names, key + "\U0010ffff")
        for name in reversed(self._names[start:end]):
            yield self._by_name[name]


def name_key(name: str) -> str:
    return name.strip().casefold()


class Company:
    """Everything one account id stands for."""

    def __init__(self, account_id: str, clock: Clock) -> None:
        self.account_id = account_id
        self.name = ""
        self.clock = clock
        self.me: Json = {}
        self.keys: dict[str, Key] = {}
        self.limit = Limit()
        self.switches = Switches()
        self.latency_s: float | None = None
        self.currencies: frozenset[str] = frozenset()
        #: Reference data as listed: `books["terms"]` is what /ref/paymentterm shows.
        self.books: dict[str, dict[str, Json]] = {}
        self.suppliers = Suppliers()
        self.purchases: dict[str, Purchase] = {}
        #: Id of every task of the later stages to its purchase.
        self.tasks: dict[str, Purchase] = {}
        self.products_by_id: dict[str, Json] = {}
        self.counters: Counter[str] = Counter()
        #: As listed, by id. The stand-in that holds the company sees to it that its outbox wakes somebody.
        self.webhooks: dict[str, Json] = {}
        self.outbox = Outbox(lambda: float(str(self.switches["webhook_minute_s"])), lambda: None)
        self._numbers: Counter[str] = Counter()
        self._random = random.Random(account_id)

    def new_id(self) -> str:
        """Return the next GUID; the same calls in the same order give the same ones."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def next_number(self, prefix: str) -> str:
        self._numbers[prefix] += 1
        return f"{prefix}-{self._numbers[prefix]:05d}"

    def find(self, book: str, name: object) -> Json | None:
        """Return the row of `book` with that key, ignoring case; None where there is none."""
        return self.books[book].get(name_key(str(name)))

    def file(self, book: str, row: Json) -> None:
        """Add or replace one row of reference data under its key."""
        self.books[book][name_key(str(row[BOOK_KEYS[book]]))] = row
        if book == "products":
            self.products_by_id[str(row["ID"]).lower()] = row

    def purchase(self, task_id: object) -> Purchase | None:
        known = guid(task_id)
        return None if known in (None, ZERO_GUID) else self.purchases.get(str(known))


#: The field that identifies a row of each book of reference data.
BOOK_KEYS = {
    "chart": "Code",
    "terms": "Name",
    "taxes": "Name",
    "locations": "Name",
    "products": "SKU",
    "attribute_sets": "Name",
}

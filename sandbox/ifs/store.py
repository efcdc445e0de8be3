"""The tenant's data: every table, and what one edit of a row moves besides the row."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.ifs.catalogue import TYPES
from sandbox.ifs.clock import Clock
from sandbox.ifs.general_ledger import move_to_general_ledger
from sandbox.ifs.history import History
from sandbox.ifs.services import SERVICES
from sandbox.ifs.shapes import EntityType
from sandbox.ifs.switches import Switches
from sandbox.ifs.tables import Key, Row, Table

#: Properties from which a seeded row's version is taken, newest first.
_DATED = ("LastActivityDate", "ChangeDate", "DateEntered")
#: Dates that a row is given when it is created, and keeps.
_ENTERED = ("CreationDate", "EntryDate", "DateReg")


class UnknownName(Exception):  # Named for what happened.
    """A body names a set or a property that does not exist."""


class Store:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.switches = Switches()
        self.tables = {name: Table(kind) for name, kind in TYPES.items()}
        self.history = History(self.tables)
        self._objids = 0
        #: Edits whose transaction has not been committed yet: (visible at, table, key, changes, stamp, user).
        self._uncommitted: list[tuple[float, str, Key, dict[str, Any] | None, str, str]] = []
        self.load("Projections", [{"Name": name, "Description": name} for name in sorted(SERVICES)])

    def next_in_series(self, series: str) -> str:
        """Return the next number that no supplier has."""
        number = 1
        while (found := series.format(number)) in {key[0] for key in self.tables["SupplierInfoGeneralSet"].rows}:
            number += 1
        return found

    def wall(self) -> str:
        return self.clock.wall(self.switches.time_zone)

    def load(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Put `rows` in as if they had always been there: no stamp moves, nothing is logged."""
        target = self.table(table)
        kind, names, known = target.kind, target.kind.names, target.kind.by_name.keys()
        dated = [name for name in _DATED if kind.has(name)]
        version = self.wall()
        count = 0
        for row in rows:
            if not row.keys() <= known:
                raise UnknownName(f"{table} has no property {', '.join(sorted(row.keys() - known))}.")
            self._objids += 1
            stamp = next((row[name] for name in dated if row.get(name)), version)
            target.put(Row(tuple(map(row.get, names)), self._objids, "1" if kind.counted else _version(stamp)))
            count += 1
        return count

    def table(self, name: str) -> Table:
        if name not in self.tables:
            raise UnknownName(f"There is no set {name}.")
        return self.tables[name]

    def write(self, table: str, key: Key, changes: dict[str, Any] | None, *, user: str) -> None:
        """Create, change or (None) delete the row `key` at once, as a user's edit."""
        self._apply(table, key, changes, self.wall(), user)

    def write_later(self, table: str, key: Key, changes: dict[str, Any] | None, *, user: str, lag_s: float) -> None:
        """Make an edit that carries the timestamp of now and is seen `lag_s` later: a long transaction."""
        self._uncommitted.append((self.clock.now_s() + lag_s, table, key, changes, self.wall(), user))

    def settle(self) -> None:
        """Make visible what was committed by now."""
        if not self._uncommitted:
            return
        now = self.clock.now_s()
        due = [edit for edit in self._uncommitted if edit[0] <= now]
        self._uncommitted = [edit for edit in self._uncommitted if edit[0] > now]
        for _, table, key, changes, stamp, user in sorted(due, key=lambda edit: edit[0]):
            self._apply(table, key, changes, stamp, user)

    def is_locked(self, table: str, key: Key) -> bool:
        """Tell whether an edit of this row is made and not committed: everybody else has to wait for it."""
        return any(edit[1:3] == (table, key) for edit in self._uncommitted)

    @property
    def uncommitted(self) -> int:
        return len(self._uncommitted)

    def _apply(self, name: str, key: Key, changes: dict[str, Any] | None, stamp: str, user: str) -> None:
        table = self.table(name)
        old = table.rows.get(key)
        if changes is None:
            if old is None:
                return
            table.remove(key)
            self._log(table.kind, old, None, stamp, user)
            self._touch_parent(table.kind, old, stamp)
            return
        values = dict(zip(table.kind.names, old.values, strict=True)) if old else {}
        values.update(zip(table.kind.key, key, strict=True))
        values.update(changes)
        self._stamp(table.kind, values, changes, stamp, new=old is None)
        if old is None:
            self._objids += 1
        version = _next_version(table.kind, old, stamp)
        row = Row(tuple(map(values.get, table.kind.names)), old.objid if old else self._objids, version)
        table.raw.pop(key, None)
        table.put(row)
        self._log(table.kind, old, row, stamp, user)
        self._touch_parent(table.kind, row, stamp)
        if changes.get("VoucherUpdated"):
            move_to_general_ledger(self.tables, key)

    def _stamp(
        self, kind: EntityType, values: dict[str, Any], changes: Mapping[str, Any], stamp: str, *, new: bool
    ) -> None:
        if kind.stamp and kind.stamp not in changes:
            moves = new or kind.table != "PurchaseOrderSet" or self.switches.order_change_date != "never"
            if moves:
                values[kind.stamp] = stamp
        if new and kind.has("DateEntered") and values.get("DateEntered") is None:
            values["DateEntered"] = stamp
        for day in _ENTERED if new else ():
            if kind.has(day) and values.get(day) is None:
                values[day] = stamp[:10]

    def _touch_parent(self, kind: EntityType, row: Row, stamp: str) -> None:
        """Move the order's stamp with its line, where this tenant does so: by default a child never moves a parent."""
        if kind.table != "PurchaseOrderLineSet" or self.switches.order_change_date != "children":
            return
        orders = self.tables["PurchaseOrderSet"]
        parent = orders.rows.get((row.values[kind.position["OrderNo"]],))
        if parent is not None:
            values = list(parent.values)
            values[orders.kind.position["ChangeDate"]] = stamp
            orders.put(Row(tuple(values), parent.objid, _version(stamp)))

    def _log(self, kind: EntityType, old: Row | None, new: Row | None, stamp: str, user: str) -> None:
        if self.switches.history and kind.logged_as:
            for table, row in self.history.entries(kind, old, new, stamp, user):
                self.load(table, [row])


def _next_version(kind: EntityType, old: Row | None, stamp: str) -> str:
    if kind.counted:
        return str(int(old.version) + 1) if old else "1"
    return _version(stamp)


def _version(stamp: str) -> str:
    """Return the object version of a stamp: its digits, so that two edits within one second share it."""
    return "".join(character for character in stamp if character.isdigit()).ljust(14, "0")[:14]

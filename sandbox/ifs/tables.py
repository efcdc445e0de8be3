"""Rows in memory with their keys, versions and the indexes that keep long reads cheap."""

import base64
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.ifs.shapes import Cell, EntityType, Values

Key = tuple[Any, ...]
#: What a value sorts by: missing ones first, as in an ascending $orderby.
_Place = tuple[int, Any]
_OBJID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Row:
    """One version of one row; replaced, never changed."""

    __slots__ = ("objid", "values", "version")

    def __init__(self, values: Values, objid: int, version: str) -> None:
        self.values = values
        self.objid = objid
        self.version = version

    def etag(self) -> str:
        """Return the weak tag in IFS's form. Source: docs/apis/ifs.md#writing."""
        inner = f'W/"{_objid_text(self.objid)}:{self.version}"'
        return f'W/"{base64.b64encode(inner.encode()).decode()}"'


def place(value: Cell) -> _Place:
    return (0, "") if value is None else (1, value)


class Table:
    """All rows of one entity type, in the order in which they were created.

    Indexes are built when first asked for and kept up from then on.
    """

    def __init__(self, kind: EntityType) -> None:
        self.kind = kind
        self.rows: dict[Key, Row] = {}
        #: Bytes served instead of a row, for answers that no honest encoder would give.
        self.raw: dict[Key, bytes] = {}
        self._equal: dict[str, dict[Any, dict[Key, None]]] = {}
        self._ordered: dict[str, list[tuple[_Place, Key]]] = {}

    def put(self, row: Row) -> None:
        key = self.kind.key_of(row.values)
        old = self.rows.get(key)
        if old is not None:
            self._unlist(key, old.values, row.values)
        self.rows[key] = row
        self._list(key, row.values, None if old is None else old.values)

    def remove(self, key: Key) -> Row | None:
        row = self.rows.pop(key, None)
        self.raw.pop(key, None)
        if row is not None:
            self._unlist(key, row.values, None)
        return row

    def with_value(self, name: str, value: Cell) -> Iterable[Key]:
        return self._index(name).get(value, ())

    def count_with(self, name: str, values: Iterable[Any]) -> int:
        index = self._index(name)
        return sum(len(index.get(value, ())) for value in values)

    def ordered(self, name: str, low: Cell, high: Cell) -> Iterator[Key]:
        """Yield the keys of rows by (`name`, key), from `low` to `high` inclusive; None leaves an end open."""
        listing = self._order(name)
        start = 0 if low is None else bisect_left(listing, (place(low),))
        end = len(listing) if high is None else bisect_right(listing, place(high), key=lambda entry: entry[0])
        return (listing[index][1] for index in range(start, end))

    def _index(self, name: str) -> dict[Any, dict[Key, None]]:
        index = self._equal.get(name)
        if index is None:
            index = self._equal[name] = {}
            column = self.kind.position[name]
            for key, row in self.rows.items():
                index.setdefault(row.values[column], {})[key] = None
        return index

    def _order(self, name: str) -> list[tuple[_Place, Key]]:
        listing = self._ordered.get(name)
        if listing is None:
            column = self.kind.position[name]
            listing = sorted((place(row.values[column]), key) for key, row in self.rows.items())
            self._ordered[name] = listing
        return listing

    def _list(self, key: Key, values: Values, old: Values | None) -> None:
        for name, index in self._equal.items():
            column = self.kind.position[name]
            if old is None or old[column] != values[column]:
                index.setdefault(values[column], {})[key] = None
        for name, listing in self._ordered.items():
            column = self.kind.position[name]
            if old is None or old[column] != values[column]:
                insort(listing, (place(values[column]), key))

    def _unlist(self, key: Key, values: Values, new: Values | None) -> None:
        for name, index in self._equal.items():
            column = self.kind.position[name]
            if new is None or new[column] != values[column]:
                index[values[column]].pop(key, None)
        for name, listing in self._ordered.items():
            column = self.kind.position[name]
            if new is None or new[column] != values[column]:
                del listing[bisect_left(listing, (place(values[column]), key))]


def _objid_text(number: int) -> str:
    letters = []
    for _ in range(6):
        number, rest = divmod(number, 64)
        letters.append(_OBJID_LETTERS[rest])
    return "AACIMGAAFAAB" + "".join(reversed(letters))

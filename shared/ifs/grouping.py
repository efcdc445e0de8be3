"""Rows that share a key to whole records, for sets that have no row for each record. Pure.

Source of the facts: docs/apis/ifs.md#vouchers.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from shared.ifs.odata import Value, alternatives, both, encoded, equals
from shared.ifs.sources import Bound, compose, digest
from shared.pulled import RawDocument
from shared.rows import Row


class Group(msgspec.Struct, frozen=True):
    """The rows of one record. `torn`: one answer ended within it or right behind it, and it may have changed since."""

    rows: tuple[Row, ...]
    torn: bool = False


class Grouper:
    """Groups the rows of one query, page after page, as they come: by key, then by number.

    Args:
        top: rows of a full page; behind a shorter one nothing need follow.
    """

    def __init__(self, bound: Bound, top: int) -> None:
        self._bound = bound
        self._top = top
        self._open: tuple[Row, ...] = ()
        self._full = False

    def add(self, rows: Sequence[Row], *, last: bool) -> list[Group]:
        """Return the records that are complete now: the one at the end of a page may go on with the next."""
        torn = bool(self._open) and (bool(rows) or self._full)
        found = [Group(tuple(group)) for _, group in groupby((*self._open, *rows), self._key)]
        self._full = len(rows) >= self._top if rows else self._full
        if torn:
            found[0] = Group(found[0].rows, torn=True)
        self._open = () if last or not found else found.pop().rows
        return found

    def _key(self, row: Row) -> str:
        return self._bound.identity(row)


def document_of(bound: Bound, rows: Sequence[Row]) -> RawDocument:
    """Return the record that these rows are."""
    return RawDocument(
        key=bound.identity(rows[0]),
        raw=compose(rows[0], {bound.source.grouped: rows}),
        stamp=max((bound.stamp(row.values) for row in rows), default=""),
        header_tag=digest(b"\n".join(row.raw for row in rows)),
    )


def by_key(bound: Bound, keys: Iterable[str], *, room: int) -> Iterator[str]:
    """Yield conditions that cover the records with these keys, each of one company and as few as there can be.

    Keys that IFS cannot have are left out. A condition takes at most `room` encoded characters.
    """
    shared: dict[tuple[Value, ...], dict[Value, None]] = {}
    for key in keys:
        parts = bound.key_values(key)
        if parts:
            shared.setdefault(parts[:-1], {})[parts[-1]] = None
    names = bound.header.key
    for begin, ends in shared.items():
        within = both(*(equals(name, value) for name, value in zip(names, begin, strict=False)))
        left = room - len(encoded(both(within, "x")))
        for _, condition in alternatives((equals(names[-1], end) for end in ends), room=left):
            yield both(within, condition)

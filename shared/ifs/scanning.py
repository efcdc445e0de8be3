"""One set of rows, page after page: each page starts past the last key of the one before, never at a row number."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsUnreadable
from shared.ifs.odata import Bare, Value, both, is_sendable, next_address, past, url
from shared.ifs.pages import Page
from shared.rows import Row

#: Instants and dates, as they stand in filters. Source: docs/apis/ifs.md#literals.
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")

Position = tuple[Value, ...]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What to read.

    Attributes:
        path: the set, or a path to rows below one row, below the service; percent-encoded.
        title: the set in errors, and in what is learnt about its pages.
        by_stamp: `order` begins with an instant or a date.
        unique: no two rows are at the same place in `order`.
        numbers: the properties in it that are whole numbers, though they may come as texts.
        strict: nothing may be missed, even behind a cap that the server does not mention.
        at_most: rows that there can be; 0: any number.
    """

    service: str
    path: str
    title: str
    order: tuple[str, ...]
    condition: str = ""
    by_stamp: bool = False
    unique: bool = True
    numbers: frozenset[str] = frozenset()
    strict: bool = False
    at_most: int = 0

    def position(self, row: Row) -> Position | None:
        """Return where the row is in the order; None where it does not say so in a form that IFS would take."""
        found: list[Value] = []
        for place, field in enumerate(self.order):
            value = row.values.get(field)
            if place == 0 and self.by_stamp:
                if not isinstance(value, str) or not _INSTANT.fullmatch(value):
                    return None
                value = Bare(value)
            if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
                return None
            if field in self.numbers and isinstance(value, str) and value.isdecimal():
                value = int(value)
            if isinstance(value, str) and not is_sendable(value):
                return None
            found.append(value)
        return tuple(found)


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """One page.

    Attributes:
        rows: those that the page before did not hold already.
        filter: as it was sent.
        position: where reading goes on.
        last: nothing follows.
    """

    rows: tuple[Row, ...]
    filter: str
    position: Position
    last: bool


def pages(client: IfsClient, query: Query, *, lane: str, after: Position = ()) -> Iterator[Fetched]:
    """Yield the pages of `query` past the position `after`; at least one, maybe empty.

    Raises:
        IfsUnreadable: an answer is no page, or reading does not get on.
        ConnectorError: as the client says.
    """
    position = after
    before: tuple[Row, ...] = ()
    short = 0
    while True:
        keyset = _Keyset(client, query, position, lane)
        start = position
        for rows, last in keyset:
            fresh = _without(rows, before)
            reached = next((at for row in reversed(rows) if (at := query.position(row)) is not None), position)
            if short:
                client.memory.sizes.looked_past(query.title, short, more=bool(fresh))
            is_short = len(rows) < client.settings.page_size and not keyset.linked
            # Rows that come again are those that share the last place; nothing follows them.
            done = last or (is_short and bool(rows) and not fresh)
            yield Fetched(rows=fresh, filter=keyset.condition, position=reached, last=done)
            if done:
                return
            short = len(rows) if is_short else 0
            before = rows
            position = reached
        if position == start:
            raise IfsUnreadable(f"IFS answers {query.title} with the same page again and again: is its key complete?")


def _without(rows: tuple[Row, ...], before: tuple[Row, ...]) -> tuple[Row, ...]:
    if not before:
        return rows
    known = {row.raw for row in before}
    return tuple(row for row in rows if row.raw not in known)


class _Keyset:
    """The answer to one condition: one page, or several where the server links them."""

    def __init__(self, client: IfsClient, query: Query, position: Position, lane: str) -> None:
        self._beyond = past(query.order, position, inclusive=not query.unique) if position else ""
        self.condition = both(query.condition, self._beyond)
        self.linked = False
        self._client = client
        self._query = query
        self._lane = lane

    def __iter__(self) -> Iterator[tuple[tuple[Row, ...], bool]]:
        """Yield rows, and whether they are the last of the whole query."""
        query, top = self._query, self._client.settings.page_size
        root = self._client.root(query.service)
        address = url(root, query.path, condition=self.condition, order=",".join(query.order), top=top)
        visited = set[str]()
        total = 0
        while True:
            page = self._client.page(address, what=query.title, lane=self._lane)
            total += len(page.rows)
            follow = next_address(root, page.next_link) if page.next_link else None
            if follow is None:
                yield page.rows, self._ends(page, total, top)
                return
            self.linked = True
            if follow in visited:
                raise IfsUnreadable(f"IFS links the pages of {query.title} in a circle.")
            visited.add(follow)
            yield page.rows, False
            address = follow

    def _ends(self, page: Page, total: int, top: int) -> bool:
        if page.next_link:
            return False  # It leads elsewhere and is not followed; reading goes on past the last key.
        if self.linked:
            return total < top  # $top limits the linked pages together.
        if 0 < self._query.at_most <= total and not self._beyond:
            return True
        return self._client.memory.sizes.is_last(self._query.title, total, top, strict=self._query.strict)

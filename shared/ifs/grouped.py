"""What changed in a set that has no row for each record, as batches of whole records, however many there are.

The rows of a record follow each other in the order of keys. One that was cut in two by the end of a page is read once
more as a whole, since it may have changed in between. Every query names the company it is about.
"""

from collections.abc import Iterator, Sequence

import msgspec

from shared.config.settings import IfsSettings, StreamSettings
from shared.errors import Misconfigured
from shared.ifs.children import room_for
from shared.ifs.client import IfsClient
from shared.ifs.cursors import Cursor, dawn, lower_bound, read_cursor
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.grouping import Group, Grouper, by_key, document_of
from shared.ifs.odata import both, encoded, url
from shared.ifs.scanning import Fetched, Query, pages
from shared.ifs.slicing import Others, Slice, asked_for, slices
from shared.ifs.sources import HEADER, Bound, Source, storable
from shared.ifs.strategies import properties_of, strategy_of
from shared.pulled import Admit, Batch, RawDocument
from shared.rows import Row

#: A record, and the first of its rows.
Made = tuple[RawDocument, Row]


def changed(
    client: IfsClient,
    source: Source,
    stream: StreamSettings,
    settings: IfsSettings,
    *,
    companies: Sequence[str],
    watermark: str | None,
    admit: Admit,
    lane: str,
) -> Iterator[Batch]:
    """Yield what changed since `watermark`, at least one batch, each as soon as it is read.

    Args:
        client, source, stream, settings, watermark, admit, lane: as for `reading.changed`. Rows that change keep their
            stamp, so that only a full read finds all changes.
        companies: those we know; the others are asked for together.

    Raises:
        Misconfigured: the strategy cannot work, or IFS denies access.
        ConnectorError: a call failed; what was yielded before it stands.
    """
    bound = source.bound(stream)
    strategy = strategy_of(client, bound, stream, lane=lane)
    if strategy == "history":
        section = f"[ifs.streams.{source.flow}]"
        raise Misconfigured(f'{section} has strategy = "history", but no log shows these: use "auto".')
    poll = _Poll(client, bound, stream, settings, companies, admit, lane)
    cursor = read_cursor(watermark, strategy)
    if cursor is not None and cursor.scan is None and strategy == "modified":
        yield from poll.modified(cursor)
    else:
        yield from poll.everything(cursor or Cursor(by=strategy, at=poll.tides() if strategy == "modified" else {}))


def read_by_key(
    client: IfsClient, source: Source, stream: StreamSettings, keys: Sequence[str], *, lane: str
) -> dict[str, RawDocument]:
    """Return the records with these keys; what IFS does not have is missing. The stream's filter does not apply."""
    bound = source.bound(stream)
    return {document.key: document for document, _ in _whole(client, bound, keys, lane=lane)}


def _query(bound: Bound, condition: str, *, stamp: str = "", strict: bool = False) -> Query:
    header, (rows,) = bound.header, bound.children
    order = (*header.order, *rows.key)
    return Query(
        service=header.service,
        path=header.entity_set,
        title=header.title,
        order=(stamp, *order) if stamp else order,
        condition=condition,
        by_stamp=bool(stamp),
        numbers=header.numbers | rows.numbers,
        strict=strict,
    )


def _whole(client: IfsClient, bound: Bound, keys: Sequence[str], *, lane: str) -> Iterator[Made]:
    """Yield the records with these keys, the rows of each from one answer as far as its size allows."""
    asked = dict.fromkeys(key for key in keys if key)
    if not asked:
        return
    room = room_for(client, bound.header, longest=max(len(encoded(key)) for key in asked))
    for condition in by_key(bound, asked, room=room):
        grouper = Grouper(bound, client.settings.page_size)
        for page in pages(client, _query(bound, condition, strict=True), lane=lane):
            for group in grouper.add(page.rows, last=page.last):
                document = document_of(bound, group.rows)
                if group.torn and len(asked) > 1:
                    yield from _whole(client, bound, [document.key], lane=lane)
                elif document.key in asked:
                    yield document, group.rows[0]


class _Poll(msgspec.Struct, frozen=True):
    """One poll of one stream."""

    client: IfsClient
    bound: Bound
    stream: StreamSettings
    settings: IfsSettings
    companies: Sequence[str]
    admit: Admit
    lane: str

    @property
    def _slices(self) -> list[Slice]:
        return slices(self.companies, self.bound.header.properties["company"])

    def everything(self, cursor: Cursor) -> Iterator[Batch]:
        """Read all records, company by company, in the order of their keys; one that was interrupted goes on."""
        left = self._slices
        resumed = [place for place, of in enumerate(left) if cursor.scan and of.company == cursor.scan[0]]
        begin = resumed[0] if resumed else 0
        after = tuple(cursor.scan[1:]) if cursor.scan and resumed else ()
        for place in range(begin, len(left)):
            following: list[str | int] | None = [left[place + 1].company] if place + 1 < len(left) else None
            yield from self._scanned(left[place], cursor, after if place == begin else (), following)

    def _scanned(
        self, of: Slice, cursor: Cursor, after: tuple[str | int, ...], following: list[str | int] | None
    ) -> Iterator[Batch]:
        query = _query(self.bound, both(self.stream.filter, of.condition), strict=True)
        grouper = Grouper(self.bound, self.client.settings.page_size)
        done = after
        for page in self._pages(of, pages(self.client, query, lane=self.lane, after=after)):
            groups = grouper.add(page.rows, last=page.last)
            # A place within a record would lose what was read of it, should the next page never be.
            done = next((at for group in reversed(groups) if (at := _place(query, group)) is not None), done)
            scan = following if page.last else [of.company, *done]
            yield self._batch(page, self._mended(groups), msgspec.structs.replace(cursor, scan=scan))

    def _mended(self, groups: Sequence[Group]) -> list[Made]:
        """Return the records; those from several answers as they are in one."""
        made = [(document_of(self.bound, group.rows), group.rows[0]) for group in groups if not group.torn]
        torn = [self.bound.identity(group.rows[0]) for group in groups if group.torn]
        return [*made, *_whole(self.client, self.bound, torn, lane=self.lane)]

    def modified(self, cursor: Cursor) -> Iterator[Batch]:
        """Read the rows that have a stamp past the watermark, company by company, and the records they belong to."""
        field = self.bound.header.modified_field
        for of in self._slices:
            name = _mark(of)
            stamp = cursor.at.get(name, "")
            since = lower_bound(stamp, self.settings) if stamp else self._dawn()
            query = _query(self.bound, both(self.stream.filter, of.condition, f"{field} ge {since}"), stamp=field)
            for page in self._pages(of, pages(self.client, query, lane=self.lane)):
                if page.rows:
                    cursor = cursor.moved(name, storable(page.rows[-1].values.get(field)))
                fresh = [row for row in page.rows if not self.client.memory.has_seen(row.raw)]
                keys = [self.bound.identity(row) for row in fresh]
                yield self._batch(page, list(_whole(self.client, self.bound, keys, lane=self.lane)), cursor)
                # Only now is it certain that the batch has been stored.
                self.client.memory.remember(row.raw for row in page.rows)

    def tides(self) -> dict[str, str]:
        """Return the latest stamp of each company: where to go on after everything has been read."""
        field = self.bound.header.modified_field
        found = {}
        for of in self._slices:
            condition = both(self.stream.filter, of.condition, f"{field} ge {self._dawn()}")
            query = _query(self.bound, condition)
            root = self.client.root(query.service)
            address = url(root, query.path, condition=condition, order=f"{field} desc", top=1)
            try:
                rows = self.client.page(address, what=query.title, lane=self.lane).rows
            except (IfsDenied, IfsRefused) as error:
                self._others.forgive(of, error)
                continue
            found[_mark(of)] = storable(rows[0].values.get(field) or "") if rows else ""
        return found

    def _pages(self, of: Slice, read: Iterator[Fetched]) -> Iterator[Fetched]:
        """Yield the pages of one slice; none where the tenant lets only known companies be asked for."""
        if self._others.are_out_of_reach(of):
            yield Fetched(rows=(), filter="", position=(), last=True)
            return
        try:
            yield from read
        except (IfsDenied, IfsRefused) as error:
            self._others.forgive(of, error)
            yield Fetched(rows=(), filter="", position=(), last=True)

    @property
    def _others(self) -> Others:
        return Others(self.client, self.bound, self.companies)

    def _dawn(self) -> str:
        properties = properties_of(self.client, self.bound.header, lane=self.lane) or {}
        return dawn(is_date=properties.get(self.bound.header.modified_field) == "Edm.Date")

    def _batch(self, page: Fetched, made: Sequence[Made], cursor: Cursor) -> Batch:
        admitted = [self.admit(first) for _, first in made]
        return Batch(
            documents=[document for (document, _), wanted in zip(made, admitted, strict=True) if wanted],
            skipped=[
                (document.key, first.values)
                for (document, first), wanted in zip(made, admitted, strict=True)
                if not wanted
            ],
            rows=len(page.rows),
            filter=asked_for(self.stream, self._slices, page.filter),
            reached=cursor.text(),
        )


def _mark(of: Slice) -> str:
    """Return under which name the watermark keeps the latest stamp of a slice."""
    return f"{HEADER} {of.company}".strip()


def _place(query: Query, group: Group) -> tuple[str | int, ...] | None:
    position = query.position(group.rows[-1])
    return None if position is None else tuple(part if isinstance(part, int) else str(part) for part in position)

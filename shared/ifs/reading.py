"""What changed in IFS, as batches of whole documents, however many there are; and documents by key."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.config.settings import IfsSettings, StreamSettings
from shared.ifs.children import Family, documents, header_tag, room_for
from shared.ifs.client import IfsClient
from shared.ifs.cursors import Cursor, dawn, lower_bound, read_cursor
from shared.ifs.odata import alternatives, both, encoded, url
from shared.ifs.scanning import Fetched, Query, pages
from shared.ifs.sources import HEADER, Bound, BoundSet, Source, key_text, storable
from shared.ifs.strategies import LOG_STAMP, log_query, properties_of, strategy_of, unit_key
from shared.pulled import Admit, Batch, Known, RawDocument
from shared.rows import Row

HISTORY: Final = "history"
#: Source: docs/apis/ifs.md#companies.
_SITES: Final = Query(
    service="CompanySiteHandling",
    path="CompanySiteSet",
    title="CompanySiteHandling/CompanySiteSet",
    order=("Contract",),
    strict=True,
)


def changed(
    client: IfsClient,
    source: Source,
    stream: StreamSettings,
    settings: IfsSettings,
    *,
    watermark: str | None,
    admit: Admit,
    known: Known,
    lane: str,
) -> Iterator[Batch]:
    """Yield what changed since `watermark`, at least one batch, each as soon as it is read.

    Store a batch and its `reached` before asking for the next. A full read that was interrupted goes on where it was.

    Args:
        client: for the tenant.
        source: what to read.
        stream: how; a `strategy` of `sweep` reads everything, whatever is known.
        settings: of the tenant.
        watermark: `reached` of the last batch that was stored; None reads everything once.
        admit: whether a header belongs to the flow, by its values.
        known: those of the given (key, header tag) pairs that need not be read again.
        lane: of the call budget.

    Raises:
        Misconfigured: the strategy cannot work, or IFS denies access.
        ConnectorError: a call failed; what was yielded before it stands.
    """
    bound = source.bound(stream)
    strategy = strategy_of(client, bound, stream, lane=lane)
    poll = _Poll(client, bound, stream, settings, admit, known, lane)
    cursor = read_cursor(watermark, strategy)
    first = {"modified": HEADER, "history": HISTORY}.get(strategy)
    begun = cursor is not None and (first is None or bool(cursor.at.get(first)))
    if cursor is None or cursor.scan is not None or not begun or first is None:
        if cursor is None or not begun:
            cursor = Cursor(by=strategy, at=poll.tides(first))
        yield from poll.everything(cursor)
    elif strategy == "modified":
        yield from poll.modified(cursor)
    else:
        yield from poll.logged(cursor)


def read_by_key(
    client: IfsClient, source: Source, stream: StreamSettings, keys: Sequence[str], *, lane: str
) -> dict[str, RawDocument]:
    """Return the documents with these keys; what IFS does not have is missing. The stream's filter does not apply."""
    bound = source.bound(stream)
    made, _ = documents(client, bound, list(_headers(client, bound, keys, condition="", lane=lane)), lane=lane)
    return {document.key: document for document in made}


def sites(client: IfsClient, *, lane: str) -> dict[str, str]:
    """Return the company of every site."""
    found = (row.values for page in pages(client, _SITES, lane=lane) for row in page.rows)
    named = ((key_text(values.get("Contract")), key_text(values.get("Company"))) for values in found)
    return {site: company for site, company in named if site and company}


def _headers(client: IfsClient, bound: Bound, keys: Iterable[str], *, condition: str, lane: str) -> Iterator[Row]:
    """Yield the header rows with these keys that also meet `condition`."""
    header = bound.header
    asked = {key: asks for key in keys if (asks := bound.asks_for(key))}
    if not asked:
        return
    longest = max(len(encoded(key)) for key in asked)
    room = room_for(client, header, longest=longest) - len(encoded(both(condition, "x")))
    for count, wanted in alternatives(asked.values(), room=room):
        query = _query(header, header.order, both(condition, wanted))
        for page in pages(client, msgspec.structs.replace(query, at_most=count), lane=lane):
            yield from (row for row in page.rows if bound.key(row.values) in asked)


def _query(of: BoundSet, order: tuple[str, ...], condition: str, *, by_stamp: bool = False) -> Query:
    return Query(
        service=of.service,
        path=of.entity_set,
        title=of.title,
        order=order,
        condition=condition,
        by_stamp=by_stamp,
        unique=of.unique,
        numbers=of.numbers,
    )


class _Poll:
    """One poll of one stream."""

    def __init__(
        self,
        client: IfsClient,
        bound: Bound,
        stream: StreamSettings,
        settings: IfsSettings,
        admit: Admit,
        known: Known,
        lane: str,
    ) -> None:
        self._client = client
        self._bound = bound
        self._stream = stream
        self._settings = settings
        self._admit = admit
        self._known = known
        self._lane = lane

    def everything(self, cursor: Cursor) -> Iterator[Batch]:
        """Read all records in the order of their keys; afterwards the watermark is what it was before the first."""
        header = self._bound.header
        query = msgspec.structs.replace(_query(header, header.order, self._stream.filter), strict=True)
        after = tuple(cursor.scan or ())
        for page in pages(self._client, query, lane=self._lane, after=after):
            place = None if page.last else [part if isinstance(part, int) else str(part) for part in page.position]
            yield from self._of_headers(page, msgspec.structs.replace(cursor, scan=place), use_known=False)

    def modified(self, cursor: Cursor) -> Iterator[Batch]:
        """Read what has a stamp past the watermark: headers first, then children, which lead to whole documents."""
        header = self._bound.header
        for page in self._stamped(header, cursor.at[HEADER], self._stream.filter):
            cursor = _moved(cursor, header, page)
            yield from self._of_headers(page, cursor, use_known=True)
        for child in self._stamped_children():
            if not cursor.at.get(child.name):
                tide = self._tide(child, "")
                cursor = msgspec.structs.replace(cursor, at={**cursor.at, child.name: tide})
            if not cursor.at[child.name]:
                continue
            for page in self._stamped(child, cursor.at[child.name], ""):
                cursor = _moved(cursor, child, page)
                keys = (child.parent_key(row) for row in self._unseen(page) if child.belongs(row))
                yield from self._of_keys(page, keys, cursor)

    def logged(self, cursor: Cursor) -> Iterator[Batch]:
        """Read the history log past the watermark, and the documents it names."""
        since = lower_bound(cursor.at[HISTORY], self._settings)
        for page in pages(self._client, log_query(self._bound, self._stream, since=since), lane=self._lane):
            if page.rows:
                cursor = cursor.moved(HISTORY, storable(page.rows[-1].values.get(LOG_STAMP)))
            keys = (unit_key(self._bound, row.values) for row in self._unseen(page))
            yield from self._of_keys(page, keys, cursor)

    def tides(self, first: str | None) -> dict[str, str]:
        """Return the latest stamp there is, by what is polled: where to go on after everything has been read."""
        if first == HISTORY:
            query = log_query(self._bound, self._stream, since=dawn(is_date=False))
            return {HISTORY: self._latest(query, LOG_STAMP)}
        if first == HEADER:
            header = self._bound.header
            children = {child.name: self._tide(child, "") for child in self._stamped_children()}
            return {HEADER: self._tide(header, self._stream.filter), **children}
        return {}

    def _tide(self, of: BoundSet, condition: str) -> str:
        properties = properties_of(self._client, of, lane=self._lane) or {}
        since = dawn(is_date=properties.get(of.modified_field) == "Edm.Date")
        # Rows without a stamp would come first, hence the bound.
        return self._latest(_query(of, of.order, both(condition, f"{of.modified_field} ge {since}")), of.modified_field)

    def _latest(self, query: Query, stamp: str) -> str:
        root = self._client.root(query.service)
        address = url(root, query.path, condition=query.condition, order=f"{stamp} desc", top=1)
        found = self._client.page(address, what=query.title, lane=self._lane).rows
        return storable(found[0].values.get(stamp) or "") if found else ""

    def _stamped_children(self) -> list[BoundSet]:
        """Return the children that hang on the header's key and whose set shows when each row was last changed."""
        key = {HEADER: self._bound.header.key}
        candidates = [child for child in self._bound.children if child.modified_field and child.parents == key]
        return [child for child in candidates if child.modified_field in (self._properties(child) or {})]

    def _properties(self, child: BoundSet) -> Mapping[str, str] | None:
        return properties_of(self._client, child, lane=self._lane)

    def _stamped(self, of: BoundSet, stamp: str, condition: str) -> Iterator[Fetched]:
        field = of.modified_field
        bounded = both(condition, f"{field} ge {lower_bound(stamp, self._settings)}")
        return pages(self._client, _query(of, (field, *of.order), bounded, by_stamp=True), lane=self._lane)

    def _unseen(self, page: Fetched) -> list[Row]:
        """Return the rows that have not led to their documents yet: the look back brings many again."""
        return [row for row in page.rows if not self._client.memory.has_seen(row.raw)]

    def _of_headers(self, page: Fetched, cursor: Cursor, *, use_known: bool) -> Iterator[Batch]:
        admitted, skipped = self._sorted_out(page.rows)
        wanted = self._news(admitted) if use_known else admitted
        # Children of one range of keys, unless much in it is not wanted.
        contiguous = not use_known and not self._stream.filter and 2 * len(wanted) > len(page.rows)
        made, family = documents(
            self._client, self._bound, wanted, lane=self._lane, contiguous=contiguous, strict=not use_known
        )
        yield self._batch(page, made, skipped, cursor)
        self._remember(family)

    def _of_keys(self, page: Fetched, keys: Iterable[str], cursor: Cursor) -> Iterator[Batch]:
        distinct = [key for key in dict.fromkeys(keys) if key]
        found = _headers(self._client, self._bound, distinct, condition=self._stream.filter, lane=self._lane)
        admitted, skipped = self._sorted_out(found)
        made, family = documents(self._client, self._bound, admitted, lane=self._lane)
        yield self._batch(page, made, skipped, cursor)
        # Only now is it certain that the batch has been stored.
        self._client.memory.remember(row.raw for row in page.rows)
        self._remember(family)

    def _news(self, rows: list[Row]) -> list[Row]:
        tags = [(self._bound.identity(row), header_tag(row)) for row in rows]
        old = self._known(tags) if tags else set()
        return [row for row, (key, _) in zip(rows, tags, strict=True) if key not in old]

    def _sorted_out(self, rows: Iterable[Row]) -> tuple[list[Row], list[tuple[str, Mapping[str, object]]]]:
        admitted: list[Row] = []
        skipped: list[tuple[str, Mapping[str, object]]] = []
        for row in rows:
            if self._admit(row):
                admitted.append(row)
            else:
                skipped.append((self._bound.identity(row), row.values))
        return admitted, skipped

    def _batch(
        self,
        page: Fetched,
        made: list[RawDocument],
        skipped: list[tuple[str, Mapping[str, object]]],
        cursor: Cursor,
    ) -> Batch:
        return Batch(documents=made, skipped=skipped, rows=len(page.rows), filter=page.filter, reached=cursor.text())

    def _remember(self, family: Family) -> None:
        for child in self._bound.children:
            if child.modified_field:
                groups = family.rows.get(child.name, {}).values()
                self._client.memory.remember(row.raw for rows in groups for row in rows)


def _moved(cursor: Cursor, of: BoundSet, page: Fetched) -> Cursor:
    if not page.rows:
        return cursor
    return cursor.moved(of.name, storable(page.rows[-1].values.get(of.modified_field)))

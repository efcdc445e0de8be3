"""Headers to whole documents: their children are read flat, for many parents per call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.odata import URL_LENGTH_MAX, Value, alternatives, between, encoded, equals, is_sendable, url
from shared.ifs.pages import Row
from shared.ifs.scanning import Query, pages
from shared.ifs.sources import HEADER, Bound, BoundSet, compose, digest, key_text

#: A range of links is read as a whole if at least one in so many of it is asked for.
_DENSITY: Final = 3
#: A range pays off where it replaces several lists.
_RANGE_MIN: Final = 60
#: Encoded characters of a position without its values, generously.
_POSITION: Final = 500


class RawDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One record as IFS holds it.

    Attributes:
        key: its parts joined by `/`.
        raw: JSON from the exact bytes of its rows.
        stamp: the header's time of last change as IFS wrote it; empty where there is none.
        header_tag: changes exactly when the header row does; a child's change does not show in it.
    """

    key: str
    raw: bytes
    stamp: str
    header_tag: str


def header_tag(header: Row) -> str:
    return digest(header.raw)


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of each child set, by the text of their link to the parents."""

    rows: dict[str, dict[str, list[Row]]]

    def below(self, bound: Bound, header: Row) -> dict[str, list[Row]]:
        """Return the rows that belong to one header, by set."""
        mine: dict[str, list[Row]] = {HEADER: [header]}
        for child in bound.children:
            links = dict.fromkeys(_links(child, mine))
            mine[child.name] = [row for link in links for row in self.rows[child.name].get(key_text(link), ())]
        del mine[HEADER]
        return mine


def documents(
    client: IfsClient, bound: Bound, headers: Sequence[Row], *, lane: str, contiguous: bool = False
) -> tuple[list[RawDocument], Family]:
    """Return the documents of `headers`, and the rows of children they were made from.

    `contiguous`: the headers follow each other in the order of their keys, with little between them, so that their
    children may be read as one range.
    """
    family = Family(rows={})
    if headers:
        read: dict[str, list[Row]] = {HEADER: list(headers)}
        for child in bound.children:
            in_range = contiguous and child.parents == {HEADER: bound.header.key[0]}
            rows = list(_read(client, bound, child, read, lane=lane, contiguous=in_range))
            read[child.name] = rows
            family.rows[child.name] = _by_link(child, rows)
    made = [
        RawDocument(
            key=bound.identity(header),
            raw=compose(header, family.below(bound, header)),
            stamp=bound.stamp(header.values),
            header_tag=header_tag(header),
        )
        for header in headers
    ]
    return made, family


def _by_link(child: BoundSet, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows by link. A row that came twice, because it changed meanwhile, counts as it came last."""
    found: dict[str, dict[object, Row]] = {}
    for row in rows:
        key = tuple(str(row.values.get(name)) for name in child.key)
        identity: object = key if row.sound else row.raw
        found.setdefault(key_text(row.values.get(child.link)), {})[identity] = row
    return {link: list(members.values()) for link, members in found.items()}


def _links(child: BoundSet, read: Mapping[str, Sequence[Row]]) -> Iterator[Value]:
    """Yield the links of the parents that have one."""
    for name, prop in child.parents.items():
        for row in read[name]:
            value = row.values.get(prop)
            text = key_text(value)
            if child.link in child.numbers:
                if text.isdecimal():
                    yield int(text)
            elif isinstance(value, str) and value and is_sendable(value):
                yield value


def _read(
    client: IfsClient, bound: Bound, child: BoundSet, read: Mapping[str, Sequence[Row]], *, lane: str, contiguous: bool
) -> Iterator[Row]:
    links = list(dict.fromkeys(_links(child, read)))
    if not links:
        return
    if not client.memory.is_missing(child.title):
        try:
            # As a list: a set that fails half way must not leave rows behind that the nested paths give again.
            yield from list(_flat(client, child, links, lane=lane, contiguous=contiguous))
        except (IfsDenied, IfsRefused) as error:
            if error.status not in {403, 404} or not child.source.nested:
                raise
            client.memory.miss(child.title)
        else:
            return
    yield from _nested(client, bound, child, read, lane=lane)


def _flat(client: IfsClient, child: BoundSet, links: list[Value], *, lane: str, contiguous: bool) -> Iterator[Row]:
    query = Query(
        service=child.service,
        path=child.entity_set,
        title=child.title,
        order=child.order,
        unique=child.unique,
    )
    wanted = {key_text(link) for link in links}
    for condition in _conditions(client, child, links, contiguous=contiguous):
        for page in pages(client, msgspec.structs.replace(query, condition=condition), lane=lane):
            for row in page.rows:
                if key_text(row.values.get(child.link)) in wanted and child.belongs(row):
                    yield row


def _conditions(client: IfsClient, child: BoundSet, links: list[Value], *, contiguous: bool) -> Iterator[str]:
    """Yield conditions that cover all links: one range where they lie close together, else lists of them."""
    if contiguous and len(links) >= _RANGE_MIN:
        # In the order in which IFS sorted the headers, which need not be ours.
        yield between(child.link, links[0], links[-1])
        return
    if child.link in child.numbers and len(links) >= _RANGE_MIN:
        numbers = sorted(int(link) for link in links)
        if numbers[-1] - numbers[0] < _DENSITY * len(numbers):
            yield between(child.link, numbers[0], numbers[-1])
            return
    room = room_for(client, child, longest=max(len(encoded(str(link))) for link in links))
    yield from alternatives((equals(child.link, link) for link in links), room=room)


def room_for(client: IfsClient, of: BoundSet, *, longest: int) -> int:
    """Return the encoded characters that a condition may take beside the rest of an address.

    The position of a following page comes on top, with the longest value in it several times.
    """
    bare = url(client.root(of.service), of.entity_set, condition=" ", order=",".join(of.order), top=9999)
    return max(URL_LENGTH_MAX - len(bare) - _POSITION - 4 * longest, URL_LENGTH_MAX // 4)


def _nested(
    client: IfsClient, bound: Bound, child: BoundSet, read: Mapping[str, Sequence[Row]], *, lane: str
) -> Iterator[Row]:
    """Read the rows below each header, or below each row of another set: a call for every one of them."""
    headers = {bound.key(row.values): row for row in read[HEADER]}
    above = next((other for other in bound.children if other.name == child.source.below), None)
    for row in read[child.source.below]:
        header = row if above is None else headers.get(key_text(row.values.get(above.link)))
        if header is None or not bound.key(header.values):
            continue
        query = Query(
            service=bound.header.service,
            path=bound.nested_path(child, [header, row]),
            title=f"{bound.header.title}/{child.source.nested}",
            order=child.order,
            unique=child.unique,
        )
        try:
            for page in pages(client, query, lane=lane):
                yield from (found for found in page.rows if child.belongs(found))
        except (IfsDenied, IfsRefused) as error:
            if error.status not in {403, 404}:
                raise
            text = (
                f"IFS serves {child.name} neither as {child.title} nor as {query.title} ({error.status}): activate "
                f"{child.service} in API Explorer, or name the tenant's own in [ifs.streams.{bound.source.flow}.sets]."
            )
            raise IfsDenied(text, status=error.status, code=error.code) from error

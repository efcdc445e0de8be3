"""Headers to whole documents: their children are read flat, for many parents per call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.odata import URL_LENGTH_MAX, Value, alternatives, between, both, encoded, equals, is_sendable, url
from shared.ifs.scanning import Query, pages
from shared.ifs.sources import HEADER, Bound, BoundSet, compose, digest, key_text
from shared.pulled import RawDocument
from shared.rows import Row

#: Numbers so close to each other are read as one range: at worst so many times the rows, for far fewer calls.
_GAP_MAX: Final = 3
#: A range pays off where it replaces a full list.
_RANGE_MIN: Final = 60
#: Encoded characters of a position without its values, generously.
_POSITION: Final = 500

#: The values that lead from parents to their children: those of `within`, then the link's.
_Lead = tuple[Value, ...]


def header_tag(header: Row) -> str:
    return digest(header.raw)


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of each child set, by the text of their link to the parents."""

    rows: dict[str, dict[str, list[Row]]]

    def below(self, bound: Bound, header: Row) -> dict[str, list[Row]]:
        """Return the rows that belong to one header, by set."""
        mine: dict[str, list[Row]] = {HEADER: [header]}
        for child in bound.children:
            leads = dict.fromkeys(_leads(child, mine))
            mine[child.name] = [row for lead in leads for row in self.rows[child.name].get(_key(lead), ())]
        del mine[HEADER]
        return mine


def documents(
    client: IfsClient,
    bound: Bound,
    headers: Sequence[Row],
    *,
    lane: str,
    contiguous: bool = False,
    strict: bool = False,
) -> tuple[list[RawDocument], Family]:
    """Return the documents of `headers`, and the rows of children they were made from.

    `contiguous`: the headers follow each other in the order of their keys, with little between them, so that their
    children may be read as one range. `strict`: as a query says.
    """
    family = Family(rows={})
    if headers:
        read: dict[str, list[Row]] = {HEADER: list(headers)}
        for child in bound.children:
            in_range = contiguous and child.parents == {HEADER: bound.header.key}
            rows = list(_Children(client, bound, child, lane, in_range, strict).of(read))
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
        key = tuple(map(str, map(row.values.get, child.key)))
        identity: object = key if row.sound else row.raw
        found.setdefault(child.parent_key(row), {})[identity] = row
    return {link: list(members.values()) for link, members in found.items()}


def _leads(child: BoundSet, read: Mapping[str, Sequence[Row]]) -> Iterator[_Lead]:
    """Yield the leads of the parents that have one."""
    names = (*child.within, child.link)
    for parent, properties in child.parents.items():
        for row in read[parent]:
            lead = tuple(
                value
                for name, prop in zip(names, properties, strict=True)
                if (value := _sendable(row.values.get(prop), is_number=name in child.numbers)) is not None
            )
            if len(lead) == len(names):
                yield lead


def _sendable(value: object, *, is_number: bool) -> Value | None:
    text = key_text(value)
    if is_number:
        return int(text) if text.isdecimal() else None
    return value if isinstance(value, str) and value and is_sendable(value) else None


def _key(lead: _Lead) -> str:
    return "/".join(map(key_text, lead))


def _runs(numbers: Sequence[int]) -> Iterator[list[int]]:
    """Split sorted numbers where the distance from one to the next is large."""
    run: list[int] = []
    for number in numbers:
        if run and number - run[-1] > _GAP_MAX:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def room_for(client: IfsClient, of: BoundSet, *, longest: int) -> int:
    """Return the encoded characters that a condition may take beside the rest of an address.

    The position of a following page comes on top, with the longest value in it several times.
    """
    bare = url(client.root(of.service), of.entity_set, condition=" ", order=",".join(of.order), top=9999)
    return max(URL_LENGTH_MAX - len(bare) - _POSITION - 4 * longest, URL_LENGTH_MAX // 4)


class _Children(msgspec.Struct, frozen=True):
    """Reads one child set for many parents."""

    client: IfsClient
    bound: Bound
    child: BoundSet
    lane: str
    in_range: bool
    strict: bool

    def of(self, read: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
        child = self.child
        leads = list(dict.fromkeys(_leads(child, read)))
        if not leads:
            return
        if not self.client.memory.is_missing(child.title):
            try:
                # As a list: a set that fails half way must not leave rows behind that the nested paths give again.
                yield from list(self._flat(leads))
            except (IfsDenied, IfsRefused) as error:
                if error.status not in {403, 404} or not child.source.nested:
                    raise
                self.client.memory.miss(child.title)
            else:
                return
        yield from self._nested(read)

    def _flat(self, leads: list[_Lead]) -> Iterator[Row]:
        child = self.child
        wanted = {_key(lead) for lead in leads}
        for at_most, condition in self._conditions(leads):
            query = self._query(child.service, child.entity_set, child.title, condition, at_most)
            for page in pages(self.client, query, lane=self.lane):
                for row in page.rows:
                    if child.parent_key(row) in wanted and child.belongs(row):
                        yield row

    def _query(self, service: str, path: str, title: str, condition: str = "", at_most: int = 0) -> Query:
        return Query(
            service=service,
            path=path,
            title=title,
            order=self.child.order,
            condition=condition,
            unique=self.child.unique,
            strict=self.strict,
            # Where the lead is the whole key, there cannot be more rows than leads.
            at_most=at_most if len(self.child.key) == len(self.child.within) + 1 else 0,
        )

    def _conditions(self, leads: list[_Lead]) -> Iterator[tuple[int, str]]:
        """Yield conditions that cover all leads, and how many each covers: never more than one company in one."""
        groups: dict[_Lead, list[Value]] = {}
        for lead in leads:
            groups.setdefault(lead[:-1], []).append(lead[-1])
        for shared, links in groups.items():
            within = both(*(equals(name, value) for name, value in zip(self.child.within, shared, strict=True)))
            for at_most, condition in self._of_links(links, taken=len(encoded(both(within, "x"))) if within else 0):
                yield at_most, both(within, condition)

    def _of_links(self, links: list[Value], *, taken: int) -> Iterator[tuple[int, str]]:
        """Yield conditions that cover all links, as ranges where they lie close together, and how many each covers.

        `taken`: encoded characters that the conditions have to leave free.
        """
        link = self.child.link
        if len(links) >= _RANGE_MIN and self.in_range:
            # In the order in which IFS sorted the headers, which need not be ours.
            yield len(links), between(link, links[0], links[-1])
            return
        if link in self.child.numbers:
            numbers = sorted(int(number) for number in links)
            ranges = [run for run in _runs(numbers) if len(run) >= _RANGE_MIN]
            yield from ((run[-1] - run[0] + 1, between(link, run[0], run[-1])) for run in ranges)
            links = list(set(numbers).difference(*ranges))
        if links:
            room = room_for(self.client, self.child, longest=max(len(encoded(str(value))) for value in links)) - taken
            yield from alternatives((equals(link, value) for value in links), room=room)

    def _nested(self, read: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
        """Read the rows below each header, or below each row of another set: a call for every one of them."""
        bound, child = self.bound, self.child
        headers = {bound.key(row.values): row for row in read[HEADER]}
        above = next((other for other in bound.children if other.name == child.source.below), None)
        for row in read[child.source.below]:
            header = row if above is None else headers.get(above.parent_key(row))
            if header is None or not bound.key(header.values):
                continue
            path = bound.nested_path(child, [header, row])
            query = self._query(bound.header.service, path, f"{bound.header.title}/{child.source.nested}")
            try:
                for page in pages(self.client, query, lane=self.lane):
                    yield from (found for found in page.rows if child.belongs(found))
            except (IfsDenied, IfsRefused) as error:
                if error.status not in {403, 404}:
                    raise
                raise self._nowhere(query.title, error) from error

    def _nowhere(self, nested: str, error: IfsDenied | IfsRefused) -> IfsDenied:
        child = self.child
        text = (
            f"IFS serves {child.name} neither as {child.title} nor as {nested} ({error.status}): activate "
            f"{child.service} in API Explorer, or name the tenant's own in [ifs.streams.{self.bound.source.flow}.sets]."
        )
        return IfsDenied(text, status=error.status, code=error.code)

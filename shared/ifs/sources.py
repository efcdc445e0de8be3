"""What a flow reads from IFS: its sets, their keys, how they hang together, and a tenant's own names for it all. Pure.

A raw document is JSON, `{"header": row, "<set>": [row, ...], ...}`, put together from the exact bytes of the rows.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec

from shared.config.settings import SetSettings, StreamSettings
from shared.ifs.odata import Value, both, equals, is_sendable, predicate
from shared.rows import Row

HEADER: Final = "header"
#: Of suppliers' rows in sets that other parties have rows in too. Source: docs/apis/ifs.md#suppliers.
PARTY: Final = "PartyType"
SUPPLIER: Final = "Supplier"
#: Begins what stands for a property that the settings do not name; no property has a space in it.
NO_PROPERTY: Final = "no property: "


class SetSource(msgspec.Struct, frozen=True, kw_only=True):
    """One set of rows. Names of properties are ours: the fields of `shape`.

    Attributes:
        name: as settings and raw documents call it.
        key: the whole key, and the order of the rows in a document.
        order: as IFS is asked to sort; a beginning of the key where the rest may be an enumeration or absent.
            Its first field after those of `within` leads to the parents.
        parent: the field of the parents' rows that it equals.
        within: fields that come before it in `order` and equal the parents' fields of the same names, where the
            parents' key has several parts: the company of an invoice.
        of: the sets the parents are in.
        party: rows of other parties than suppliers are in it too.
        nested: its path below a row of `below`, for tenants that do not serve the set itself.
        modified_field: a property that tells its last change, where the tenant has it.
        row_key: fields that name one row in an address; `party_type` stands for the party, which is always a supplier.
        enums: those of them that are enumerations, with the names of these.
        unnamed: fields that no tenant has by itself: only where the settings name a property.
    """

    name: str
    service: str
    entity_set: str
    shape: type[msgspec.Struct]
    key: tuple[str, ...]
    order: tuple[str, ...] = ()
    parent: str = ""
    within: tuple[str, ...] = ()
    of: tuple[str, ...] = (HEADER,)
    party: bool = False
    nested: str = ""
    below: str = HEADER
    modified_field: str = ""
    row_key: tuple[str, ...] = ()
    enums: tuple[tuple[str, str], ...] = ()
    unnamed: tuple[str, ...] = ()


class Unit(msgspec.Struct, frozen=True):
    """A logical unit in the history log, and the columns of its keys that lead to the document, joined by `^`."""

    name: str
    column: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one flow reads.

    Attributes:
        flow: its name, and the name of its section in the settings.
        document: the struct that a whole record is decoded into; its fields are named as the sets.
        date: the header's business date; empty: it has none.
        date_type: of that property, where the tenant does not say.
        units: where the history log shows its changes.
        further: sets that are written and not read with the others.
        grouped: the child whose rows are the header set's own, where that has no row for each record: the rows that
            share a key are one, and the first of them tells what the header does.
        expiry: the header's field after whose date the record counts as another; empty: it has none.
    """

    flow: str
    document: type[Any]
    header: SetSource
    children: tuple[SetSource, ...] = ()
    date: str = ""
    date_type: str = "Edm.Date"
    units: tuple[Unit, ...] = ()
    further: tuple[SetSource, ...] = ()
    grouped: str = ""
    expiry: str = ""

    @property
    def of_company(self) -> bool:
        """Whether its records are finance records: each of one company, which every query is to name."""
        return self.header.key[0] == "company"

    def bound(self, stream: StreamSettings) -> "Bound":
        """Return it with the names that `stream` gives its services, sets and properties."""
        # A filter names nothing: a stream that is read in parts has one set of names all the same.
        return _bound(self, msgspec.json.encode(msgspec.structs.replace(stream, filter="")))


class BoundSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set with the tenant's names.

    Attributes:
        key, order: names of properties.
        within: the beginning of `order` that the parents share with their children, before the link.
        link: the one of `order` that comes next.
        parents: by set, the properties of its rows that equal `within` and the link.
        properties: by our name.
        unique: `order` is the whole key.
        numbers: the properties of the key that are whole numbers.
    """

    source: SetSource
    service: str
    entity_set: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    within: tuple[str, ...]
    parents: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, str]
    modified_field: str
    unique: bool
    numbers: frozenset[str]

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def link(self) -> str:
        return self.order[len(self.within)]

    def parent_key(self, row: Row) -> str:
        """Return the key of the parent that a row names, its parts joined by `/`; empty where one is missing."""
        parts = [key_text(row.values.get(name)) for name in (*self.within, self.link)]
        return "/".join(parts) if all(parts) else ""

    @property
    def title(self) -> str:
        """The set as errors and logs name it."""
        return f"{self.service}/{self.entity_set}"

    def named(self, key: Sequence[str]) -> list[tuple[str, Value]]:
        """Return the parts of a key with their properties, as an address names them."""
        return [
            (name, int(part) if name in self.numbers and part.isdecimal() else part)
            for name, part in zip(self.key, key, strict=True)
        ]

    def belongs(self, row: Row) -> bool:
        """Say whether the row is a supplier's where other parties have rows in the set too."""
        return not self.source.party or row.values.get(PARTY) in {None, SUPPLIER}


class Bound(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A source with the tenant's names. There is one for each source and setting, so identity is equality."""

    source: Source
    header: BoundSet
    children: tuple[BoundSet, ...]
    further: tuple[BoundSet, ...] = ()

    def set_named(self, name: str) -> BoundSet:
        """Return one of its sets."""
        return next(of for of in (self.header, *self.children, *self.further) if of.name == name)

    @property
    def document(self) -> type[Any]:
        return self.source.document

    def key(self, values: Mapping[str, object]) -> str:
        """Return the record's key, its parts joined by `/`; empty where one is missing."""
        parts = [key_text(values.get(name)) for name in self.header.key]
        return "/".join(parts) if all(parts) else ""

    def key_values(self, key: str) -> tuple[Value, ...]:
        """Return the parts of a key as filters show them; none where IFS cannot have such a key."""
        parts = key.split("/", len(self.header.key) - 1)
        if len(parts) != len(self.header.key) or not all(is_sendable(part) for part in parts):
            return ()
        named = self.header.named(parts)
        if any(isinstance(value, str) and name in self.header.numbers for name, value in named):
            return ()
        return tuple(value for _, value in named)

    def asks_for(self, key: str) -> str:
        """Return the condition for the one record; empty where IFS cannot have such a key."""
        named = zip(self.header.key, self.key_values(key), strict=False)
        return both(*(equals(name, value) for name, value in named))

    def identity(self, row: Row) -> str:
        """Return the key, or a stand-in that names the row where it has none, so that it can be held too."""
        return self.key(row.values) or f"unreadable-{digest(row.raw)}"

    def stamp(self, values: Mapping[str, object]) -> str:
        """Return the header's time of last change as IFS wrote it; empty where the tenant has none."""
        return storable(values.get(self.header.modified_field) or "")

    def value(self, values: Mapping[str, object], field: str) -> object:
        """Return what a header row holds under our name `field`."""
        return values.get(self.header.properties.get(field, ""))

    def date(self, values: Mapping[str, object]) -> str:
        """Return the business date (YYYY-MM-DD); empty where it has none."""
        return storable(self.value(values, self.source.date) or "")[:10]

    def path(self, row: Row) -> str:
        """Return the address of one header below its service."""
        return self.header.entity_set + predicate(self._pairs(self.header, row))

    def nested_path(self, child: BoundSet, parents: Sequence[Row]) -> str:
        """Return where a child's rows are below the header, or below a row of another set: the last of `parents`."""
        steps = [self.path(parents[0])]
        if child.source.below != HEADER:
            above = next(other for other in self.children if other.name == child.source.below)
            steps.append(above.source.nested + predicate(self._pairs(above, parents[-1])))
        return "/".join([*steps, child.source.nested])

    def _pairs(self, of: BoundSet, row: Row) -> list[tuple[str, Value]]:
        return of.named([key_text(row.values.get(name)) for name in of.key])


@lru_cache(maxsize=64)
def _bound(source: Source, encoded: bytes) -> Bound:
    stream = msgspec.json.decode(encoded, type=StreamSettings)
    at_header = SetSettings(
        service=stream.service,
        entity_set=stream.entity_set,
        modified_field=stream.modified_field,
        fields=stream.fields,
    )
    header = _bound_set(source.header, at_header, {})
    sets = {HEADER: header}
    children = []
    for child in source.children:
        named = at_header if child.name == source.grouped else stream.sets.get(child.name, SetSettings())
        bound = _bound_set(child, named, sets)
        sets[child.name] = bound
        children.append(bound)
    further = tuple(_bound_set(of, stream.sets.get(of.name, SetSettings()), sets) for of in source.further)
    return Bound(source=source, header=header, children=tuple(children), further=further)


def _bound_set(source: SetSource, settings: SetSettings, sets: Mapping[str, BoundSet]) -> BoundSet:
    properties = {
        field.name: settings.fields.get(field.name)
        or settings.fields.get(field.encode_name)
        or (NO_PROPERTY + field.name if field.name in source.unnamed else field.encode_name)
        for field in msgspec.structs.fields(source.shape)
    }
    order = source.order or source.key
    leads = (*source.within, source.parent) if source.parent else ()
    parents = {name: tuple(sets[name].properties[lead] for lead in leads) for name in source.of} if leads else {}
    modified = settings.modified_field or source.modified_field
    return BoundSet(
        source=source,
        service=settings.service or source.service,
        entity_set=settings.entity_set or source.entity_set,
        key=tuple(properties[name] for name in source.key),
        order=tuple(properties[name] for name in order),
        within=tuple(properties[name] for name in source.within),
        parents=parents,
        properties=properties,
        modified_field=settings.fields.get(modified, modified),
        unique=order == source.key and not source.party,
        numbers=frozenset(properties[name] for name in source.key if int in _kinds(source.shape, name)),
    )


def _kinds(shape: type[msgspec.Struct], field: str) -> tuple[object, ...]:
    kind = get_type_hints(shape)[field]
    return get_args(kind) if get_origin(kind) else (kind,)


def compose(header: Row, children: Mapping[str, Iterable[Row]]) -> bytes:
    """Return the raw document."""
    parts = [b'{"header":' + _kept(header)]
    for name, rows in children.items():
        parts.append(b',"' + name.encode() + b'":[' + b",".join(_kept(row) for row in rows) + b"]")
    return b"".join(parts) + b"}"


def _kept(row: Row) -> bytes:
    """Return the row's bytes, wrapped where they would spoil the whole document."""
    return row.raw if row.sound else b'{"undecodable":"' + base64.b64encode(row.raw) + b'"}'


def key_text(value: object) -> str:
    """Return one part of a key as text; empty where it is none."""
    return storable(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def storable(value: object) -> str:
    """Return `value` as text that every store accepts: NUL and lone surrogates are spelt out."""
    if isinstance(value, str) and value.isascii() and "\0" not in value:
        return value
    return str(value).encode(errors="backslashreplace").decode().replace("\0", "\\u0000")


def digest(raw: bytes) -> str:
    return hashlib.blake2b(raw, digest_size=8).hexdigest()

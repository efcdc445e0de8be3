"""A request path to the set or the row it names. Source: docs/apis/ifs.md#addresses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from sandbox.ifs.answers import Refused
from sandbox.ifs.catalogue import ENUMS, TYPES
from sandbox.ifs.services import NESTED, SERVICES, Nested, Service
from sandbox.ifs.shapes import Cell, EntityType, Values
from sandbox.ifs.tables import Key

PROJECTIONS: Final = re.compile(r"/(?:main|int)/ifsapplications/projection/v1/")
ENTITIES: Final = re.compile(r"/int/ifsapplications/entity/v1/")
_SEGMENT = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
_KEY_PART = re.compile(r"\s*(\w+)\s*=\s*((?:[\w.]+)?'(?:[^']|'')*'|-?\d+|\d{4}-\d\d-\d\d|\w+)\s*(?:,|$)")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a path names.

    Attributes:
        shown_as: the set's name in the answer's context.
        fixed: what every row must hold, from the parents in the path.
        rows: the part of the table that the set shows: (property, value), or `null` or `present`.
        key: of the one row that is named; None: the collection.
        parents: rows above it in the path; all must exist.
    """

    service: str
    root: str
    shown_as: str
    table: str
    luname: str
    read_only: bool
    fixed: tuple[tuple[str, Any], ...] = ()
    rows: tuple[str, str] | None = None
    key: Key | None = None
    parents: tuple[tuple[str, Key], ...] = ()

    @property
    def kind(self) -> EntityType:
        return TYPES[self.table]

    @property
    def namespace(self) -> str:
        return f"IfsApp.{self.service}"

    def holds(self, values: Values) -> bool:
        """Tell whether a row is part of what the path names."""
        position = self.kind.position
        if any(values[position[name]] != value for name, value in self.fixed):
            return False
        if self.rows is None:
            return True
        value = values[position[self.rows[0]]]
        if self.rows[1] in ("null", "present"):
            return (value is None) == (self.rows[1] == "null")
        return bool(value == self.rows[1])


def split(path: str) -> tuple[str, str, list[str]]:
    """Return a data path's root up to the service, the service's name and the decoded segments behind it."""
    match = ENTITIES.match(path) or PROJECTIONS.match(path)
    if match is None:
        raise Refused(404, "MI_METADATA_NOTFOUND", "There is no such endpoint.")
    name, *rest = path[match.end() :].split("/")
    service = unquote(name)
    if not service.endswith(".svc"):
        raise Refused(404, "MI_METADATA_NOTFOUND", f"The projection {service} was not found.")
    known = SERVICES.get(service.removesuffix(".svc"))
    if known is None or known.entity != bool(ENTITIES.match(path)):
        raise Refused(404, "MI_METADATA_NOTFOUND", f"The projection {service.removesuffix('.svc')} was not found.")
    root = path[: match.end()] + name + "/"
    return root, service.removesuffix(".svc"), [unquote(segment) for segment in rest if segment]


def target_of(root: str, service: str, segments: list[str]) -> Target:
    """Return what `segments` name in `service`.

    Raises:
        Refused: there is no such set, or its key is malformed.
    """
    name, key_text = _parts(segments[0])
    entity_set = SERVICES[service].sets.get(name)
    if entity_set is None:
        raise Refused(404, "ODP_RESOURCE_NOTFOUND", f"The entity set {name} was not found in {service}.")
    kind = TYPES[entity_set.table]
    target = Target(
        service=service,
        root=root,
        shown_as=name,
        table=entity_set.table,
        luname=entity_set.luname or kind.luname,
        read_only=entity_set.read_only or not (kind.writable or kind.changeable),
        rows=entity_set.rows,
    )
    target = _keyed(target, key_text)
    for segment in segments[1:]:
        target = _below(target, segment, SERVICES[service])
    return target


def _below(parent: Target, segment: str, service: Service) -> Target:
    name, key_text = _parts(segment)
    nested = None if service.entity else NESTED.get(parent.table, {}).get(name)
    if nested is None or parent.key is None:
        raise Refused(404, "ODP_RESOURCE_NOTFOUND", f"There is nothing named {name} below {parent.shown_as}.")
    of_parent = dict(zip(parent.kind.key, parent.key, strict=True))
    child = replace(
        parent,
        shown_as=f"{parent.shown_as}/{name}",
        table=nested.table,
        luname=nested.luname or TYPES[nested.table].luname,
        read_only=nested.read_only,
        rows=nested.rows,
        fixed=_tied(nested, of_parent),
        parents=(*parent.parents, (parent.table, parent.key)),
        key=None,
    )
    return _keyed(child, key_text)


def _tied(nested: Nested, parent: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return (*((child, parent[above]) for child, above in nested.match), *nested.constant)


def _parts(segment: str) -> tuple[str, str | None]:
    match = _SEGMENT.fullmatch(segment)
    if match is None:
        raise Refused(400, "ODP_UNSUPPORTED_URL", f"The URL segment {segment!r} is malformed.")
    return match[1], match[2]


def _keyed(target: Target, text: str | None) -> Target:
    if text is None:
        return target
    kind, found, place = target.kind, {}, 0
    while place < len(text):
        match = _KEY_PART.match(text, place)
        if match is None:
            raise Refused(400, "ODP_UNSUPPORTED_URL", "The key in the URL is malformed; name every key property.")
        found[match[1]] = _key_value(target, match[1], match[2])
        place = match.end()
    if found.keys() != set(kind.key):
        raise Refused(400, "ODP_UNSUPPORTED_URL", f"The key of {target.shown_as} is {', '.join(kind.key)}.")
    return replace(target, key=tuple(found[name] for name in kind.key))


def _key_value(target: Target, name: str, text: str) -> Cell:
    prop = target.kind.by_name.get(name)
    if prop is None or name not in target.kind.key:
        raise Refused(400, "ODP_UNSUPPORTED_URL", f"{name} is not part of the key of {target.shown_as}.")
    if prop.kind in ("int32", "int64"):
        if not text.lstrip("-").isdigit():
            raise Refused(400, "ODP_UNSUPPORTED_URL", f"The key {name} takes a number.")
        return int(text)
    prefix = f"{target.namespace}.{prop.enum}" if prop.enum else ""
    if not text.endswith("'") or text[: text.index("'")] != prefix:
        wanted = f"{prefix}'...'" if prefix else "a text in quotes"
        raise Refused(400, "ODP_UNSUPPORTED_URL", f"The key {name} takes {wanted}.")
    value = text[text.index("'") + 1 : -1].replace("''", "'")
    if prop.enum and value not in ENUMS[prop.enum]:
        raise Refused(400, "ODP_UNSUPPORTED_URL", f"{value!r} is not a member of {prefix}.")
    return value

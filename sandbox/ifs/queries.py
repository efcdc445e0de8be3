"""A raw query string to the options of one read. Pure. Source: docs/apis/ifs.md#query, docs/apis/ifs.md#paging."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from sandbox.ifs.answers import Refused
from sandbox.ifs.filters import UNKNOWN_PROPERTY, UNSUPPORTED
from sandbox.ifs.services import LINKS, NESTED
from sandbox.ifs.shapes import EntityType

_KNOWN: Final = frozenset(
    {"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$expand", "$skiptoken", "$format"}
)
_NOT_BUILT: Final = frozenset({"$apply", "$search", "$compute", "$deltatoken"})
_EXPANSION = re.compile(r"(\w+)(?:\(\$select=([\w,]+)\))?")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What one read asks for.

    Attributes:
        order: (property, descending) pairs.
        given: rows that earlier pages of the same read gave, from a $skiptoken.
        expand: (link, properties of it) pairs; no properties means all.
    """

    filter: str = ""
    select: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    given: int = 0
    count: bool = False
    expand: tuple[tuple[str, tuple[str, ...]], ...] = ()


def raw_pairs(query: str) -> list[tuple[str, str]]:
    """Return names as sent and values decoded; a `+` stays a plus, as OData has it."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(name, unquote(value)) for name, _, value in pairs]


def options_of(query: str, kind: EntityType, hidden: frozenset[str]) -> Options:
    """Return what `query` asks of rows of `kind`; raises Refused as IFS would."""
    found: dict[str, str] = {}
    for name, value in raw_pairs(query):
        if name in _NOT_BUILT:
            raise Refused(501, "ODP_NOT_IMPLEMENTED", f"The option {name} is not implemented.")
        if name.lower().startswith("%24") or (name.startswith("$") and name not in _KNOWN) or name in found:
            raise Refused(400, UNSUPPORTED, f"The query option {name} is malformed, unknown or given twice.")
        found[name] = value
    return Options(
        filter=found.get("$filter", "").strip(),
        select=_selected(found.get("$select", ""), kind, hidden),
        order=_ordered(found.get("$orderby", ""), kind, hidden),
        top=_number("$top", found["$top"]) if "$top" in found else None,
        skip=_number("$skip", found.get("$skip", "0")),
        given=_given(found["$skiptoken"]) if "$skiptoken" in found else 0,
        count=_flag("$count", found.get("$count", "false")),
        expand=_expanded(found.get("$expand", ""), kind),
    )


def skiptoken(given: int) -> str:
    return base64.urlsafe_b64encode(f"given:{given}".encode()).decode().rstrip("=")


def _given(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        return int(text.removeprefix("given:"))
    except (ValueError, binascii.Error):
        raise Refused(400, UNSUPPORTED, "The $skiptoken is not one of this service.") from None


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, UNSUPPORTED, f"{name} takes a whole number that is not negative.")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise Refused(400, UNSUPPORTED, f"{name} takes true or false.")
    return text == "true"


def _selected(text: str, kind: EntityType, hidden: frozenset[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",")) if text else ()
    for name in names:
        if name in LINKS.get(kind.table, {}) or name in NESTED.get(kind.table, {}):
            raise Refused(400, UNSUPPORTED, f"The navigation property {name} cannot be selected.")
        _known(name, kind, hidden)
    return names


def _ordered(text: str, kind: EntityType, hidden: frozenset[str]) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in text.split(",") if text else ():
        name, *direction = part.split()[:3] or [""]
        if direction not in ([], ["asc"], ["desc"]):
            raise Refused(400, UNSUPPORTED, f"The $orderby part {part!r} is malformed.")
        order.append((_known(name, kind, hidden), direction == ["desc"]))
    return tuple(order)


def _expanded(text: str, kind: EntityType) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not text:
        return ()
    expansions = []
    for part in re.split(r",(?![^(]*\))", text):
        match = _EXPANSION.fullmatch(part.strip())
        if match is None or match[1] not in LINKS.get(kind.table, {}):
            raise Refused(501, "ODP_NOT_IMPLEMENTED", f"$expand of {part.strip()} is not implemented.")
        expansions.append((match[1], tuple(match[2].split(",")) if match[2] else ()))
    return tuple(expansions)


def _known(name: str, kind: EntityType, hidden: frozenset[str]) -> str:
    if not kind.has(name) or name in hidden:
        raise Refused(400, UNKNOWN_PROPERTY, f"The property '{name}' is not defined in type '{kind.luname}'.")
    return name

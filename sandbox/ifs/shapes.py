"""What an entity type is: its properties, its key, and how a row of it is named. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias, cast

Kind = Literal["string", "int32", "int64", "decimal", "bool", "date", "timestamp", "enum"]
#: What a property holds: text, number, flag or None. Comparing them is the business of whoever knows the property.
Cell: TypeAlias = Any
Values = tuple[Cell, ...]

#: Source: docs/apis/ifs.md#query.
EDM: Final[Mapping[str, str]] = {
    "string": "Edm.String",
    "int32": "Edm.Int32",
    "int64": "Edm.Int64",
    "decimal": "Edm.Decimal",
    "bool": "Edm.Boolean",
    "date": "Edm.Date",
    "timestamp": "Edm.DateTimeOffset",
}
_DECLARATION = re.compile(r"(?P<name>\w+):(?P<kind>\w+)(?:\((?P<argument>\w+)\))?(?P<marks>[!=]*)")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of an entity type.

    Attributes:
        enum: name of the enumeration, where `kind` is one.
        length: most characters of a text; 0 means no limit.
        required: a row cannot be created without it.
        by_server: clients cannot set it.
    """

    name: str
    kind: Kind
    enum: str = ""
    length: int = 0
    required: bool = False
    by_server: bool = False


@dataclass(frozen=True, kw_only=True)
class EntityType:
    """The rows of one table.

    Attributes:
        table: name of the set that holds the rows; sets of other names are views of it.
        luname: logical unit, as rows name it.
        logged_as: logical unit under which the history log knows it; empty: never logged.
        stamp: property that the table's own edits move to the clock; empty: none.
        writable: clients may create, change and delete rows.
        changeable: clients may change rows, but neither create nor delete them.
        counted: a row's version counts its edits; else it is the second of the last one.
    """

    table: str
    luname: str
    key: tuple[str, ...]
    properties: tuple[Property, ...]
    logged_as: str = ""
    stamp: str = ""
    writable: bool = False
    changeable: bool = False
    counted: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(prop.name for prop in self.properties)

    @cached_property
    def by_name(self) -> dict[str, Property]:
        return {prop.name: prop for prop in self.properties}

    @cached_property
    def position(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def key_places(self) -> tuple[int, ...]:
        return tuple(self.position[name] for name in self.key)

    @cached_property
    def _keyref_parts(self) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((column(name), self.position[name]) for name in self.key))

    def key_of(self, values: Values) -> tuple[Any, ...]:
        return tuple(values[place] for place in self.key_places)

    def keyref(self, values: Values) -> str:
        """Return the database's name of a row, such as `LINE_NO=1^ORDER_NO=1001^RELEASE_NO=1^`."""
        return "".join(f"{name}={_key_text(values[place])}^" for name, place in self._keyref_parts)

    def has(self, name: str) -> bool:
        return name in self.by_name


def column(name: str) -> str:
    """Return the column behind a property: `OrderNo` is ORDER_NO."""
    return _HUMP.sub("_", name).upper()


def _key_text(value: object) -> str:
    # Enumerations stand in keys as the database stores them, in capitals; ids are never rewritten.
    return "SUPPLIER" if value == "Supplier" else str(value)


def declared(text: str) -> tuple[Property, ...]:
    """Return the properties of `text`: words `Name:kind(length or enum)`, then `!` required, `=` set by the server."""
    return tuple(_property(word) for word in text.split())


def _property(word: str) -> Property:
    match = _DECLARATION.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} declares no property: write Name:kind, Name:string(20)! or Name:enum(Type).")
    argument, kind = match["argument"] or "", cast("Kind", match["kind"])
    return Property(
        name=match["name"],
        kind=kind,
        enum=argument if kind == "enum" else "",
        length=int(argument) if kind == "string" and argument else 0,
        required="!" in match["marks"],
        by_server="=" in match["marks"],
    )

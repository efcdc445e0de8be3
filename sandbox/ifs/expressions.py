"""The tree that a $filter becomes: every node knows the kind of value it gives. Pure."""

from dataclasses import dataclass
from typing import Any

NUMBER = "number"
STRING = "string"
BOOL = "bool"
DATE = "date"
TIMESTAMP = "timestamp"
NULL = "null"


@dataclass(frozen=True, slots=True)
class Prop:
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str
    left: "Node"
    right: "Node"
    kind: str = BOOL


@dataclass(frozen=True, slots=True)
class Logic:
    """`operator` is `and` or `or`, over two parts or more."""

    operator: str
    parts: tuple["Node", ...]
    kind: str = BOOL


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"
    kind: str = BOOL


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple["Node", ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str
    left: "Node"
    right: "Node"
    kind: str = NUMBER


Node = Prop | Literal | Compare | Logic | Not | Call | Arithmetic

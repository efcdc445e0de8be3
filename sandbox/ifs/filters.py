"""$filter text to a checked tree, or the error code IFS would answer. Pure. Source: docs/apis/ifs.md#query."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.ifs.catalogue import ENUMS, TYPES
from sandbox.ifs.expressions import (
    BOOL,
    DATE,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    Arithmetic,
    Call,
    Compare,
    Literal,
    Logic,
    Node,
    Not,
    Prop,
)

UNSUPPORTED: Final = "ODP_UNSUPPORTED_URL"
UNKNOWN_PROPERTY: Final = "EXPRESSION_PROPERTY_NOT_IN_TYPE"
#: Parentheses and unary operators inside each other; a real server has some such limit, ours protects its stack.
DEPTH_MAX: Final = 60
_COMPARISONS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_SUMS: Final[Mapping[str, str]] = {"add": "+", "sub": "-", "+": "+", "-": "-"}
_PRODUCTS: Final[Mapping[str, str]] = {"mul": "*", "div": "/", "*": "*"}
#: Name to (kinds of the arguments, kind of the result).
FUNCTIONS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "contains": ((STRING, STRING), BOOL),
    "startswith": ((STRING, STRING), BOOL),
    "endswith": ((STRING, STRING), BOOL),
    "length": ((STRING,), NUMBER),
    "indexof": ((STRING, STRING), NUMBER),
    "substring": ((STRING, NUMBER, NUMBER), STRING),
    "tolower": ((STRING,), STRING),
    "toupper": ((STRING,), STRING),
    "trim": ((STRING,), STRING),
    "concat": ((STRING, STRING), STRING),
    "year": ((DATE,), NUMBER),
    "month": ((DATE,), NUMBER),
    "day": ((DATE,), NUMBER),
    "hour": ((TIMESTAMP,), NUMBER),
    "minute": ((TIMESTAMP,), NUMBER),
    "second": ((TIMESTAMP,), NUMBER),
}
_Part = Callable[[], Node]
_KINDS: Final[Mapping[str, str]] = {"int32": NUMBER, "int64": NUMBER, "decimal": NUMBER}
_TOKEN = re.compile(
    r"""\s+
    | (?P<enum>[A-Za-z_]\w*(?:\.\w+)+'(?:[^']|'')*')
    | (?P<typed>[A-Za-z_]\w*'(?:[^']|'')*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)
    | (?P<word>[A-Za-z_$@][\w.]*)
    | (?P<mark>[(),+*/:-])""",
    re.VERBOSE,
)


class FilterRefused(Exception):  # Named for what happened.
    """The text is no filter that IFS takes; `code` is what it answers."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean in one filter.

    Attributes:
        table: whose properties may be named.
        namespace: `IfsApp.<Projection>`, before every enumeration.
        hidden: properties that this tenant does not have.
        refused: functions and properties that this tenant refuses in a filter.
        aware_zone: zone of the stored wall clock where literals are true UTC; empty: they are wall clock themselves.
    """

    table: str
    namespace: str
    hidden: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    aware_zone: str = ""


@lru_cache(maxsize=512)
def parsed(text: str, scope: Scope) -> Node:
    """Return the tree of `text`, which gives true or false for a row.

    Raises:
        FilterRefused: IFS would answer 400 with that code.
    """
    reader = _Reader(_tokens(text), scope)
    node = reader.disjunction()
    reader.end()
    if node.kind != BOOL:
        raise FilterRefused(UNSUPPORTED, "The filter expression must be of type Boolean.")
    return node


def instant(text: str, aware_zone: str = "") -> str:
    """Return a timestamp literal in the form in which rows hold it, comparable as text.

    A fraction of a second goes behind the `Z`: rows have whole seconds, and so it sorts between two of them.
    """
    whole, fraction = re.fullmatch(r"([^.]+?)(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)", text).groups()  # type: ignore[union-attr]  # The token's pattern is the same.
    zone = text[len(whole) + (len(fraction) + 1 if fraction else 0) :]
    moment = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone)).astimezone(UTC)
    if aware_zone:
        moment = moment.astimezone(ZoneInfo(aware_zone))
    tail = (fraction or "").rstrip("0")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") + tail


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise FilterRefused(UNSUPPORTED, f"The URL is malformed at position {place} of the filter.")
        if match.lastgroup is not None:
            tokens.append((match.lastgroup, match.group()))
        place = match.end()
    return tokens


class _Reader:
    """Reads tokens from left to right, each operator with its own precedence."""

    def __init__(self, tokens: list[tuple[str, str]], scope: Scope) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._scope = scope
        self._type = TYPES[scope.table]

    def end(self) -> None:
        if self._place < len(self._tokens):
            raise self._malformed()

    def disjunction(self) -> Node:
        return self._chain("or", self._conjunction)

    def _conjunction(self) -> Node:
        return self._chain("and", self._comparison)

    def _chain(self, operator: str, part: _Part) -> Node:
        parts = [part()]
        while self._take("word", operator):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        if any(node.kind != BOOL for node in parts):
            raise FilterRefused(UNSUPPORTED, f"Both sides of '{operator}' must be of type Boolean.")
        return Logic(operator, tuple(parts))

    def _comparison(self) -> Node:
        left = self._sum()
        kind, word = self._peek()
        if kind != "word" or word not in _COMPARISONS:
            return left
        self._place += 1
        right = self._sum()
        if NULL not in (left.kind, right.kind) and left.kind != right.kind:
            raise FilterRefused(UNSUPPORTED, f"The types {left.kind} and {right.kind} cannot be compared.")
        if NULL in (left.kind, right.kind) and word not in ("eq", "ne"):
            raise FilterRefused(UNSUPPORTED, f"'{word}' cannot be used with null.")
        return Compare(word, left, right)

    def _sum(self) -> Node:
        return self._arithmetic(_SUMS, self._product)

    def _product(self) -> Node:
        return self._arithmetic(_PRODUCTS, self._unary)

    def _arithmetic(self, operators: Mapping[str, str], part: _Part) -> Node:
        node = part()
        while self._peek()[1] in operators and self._peek()[0] in ("word", "mark"):
            operator = operators[self._next()[1]]
            right = part()
            if node.kind != NUMBER or right.kind != NUMBER:
                raise FilterRefused(UNSUPPORTED, "Arithmetic works on numbers only.")
            node = Arithmetic(operator, node, right)
        return node

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise FilterRefused(UNSUPPORTED, "The filter is nested too deeply.")
        try:
            if self._take("word", "not"):
                return Not(self._of_kind(self._unary(), BOOL))
            if self._take("mark", "-"):
                return Arithmetic("-", Literal(0, NUMBER), self._of_kind(self._unary(), NUMBER))
            return self._primary()
        finally:
            self._depth -= 1

    def _primary(self) -> Node:
        kind, text = self._next()
        match kind:
            case "mark" if text == "(":
                node = self.disjunction()
                self._expect(")")
                return node
            case "string":
                return Literal(text[1:-1].replace("''", "'"), STRING)
            case "number":
                return Literal(int(text) if text.isdigit() else Decimal(text), NUMBER)
            case "date" | "timestamp":
                return self._moment(kind, text)
            case "enum":
                return self._member(text)
            case "word":
                return self._name(text)
        raise self._malformed()

    def _moment(self, kind: str, text: str) -> Literal:
        try:
            if kind == "date":
                return Literal(date.fromisoformat(text).isoformat(), DATE)
            return Literal(instant(text, self._scope.aware_zone), TIMESTAMP)
        except (ValueError, OverflowError):
            raise FilterRefused(UNSUPPORTED, f"{text} is not a valid {kind}.") from None

    def _member(self, text: str) -> Literal:
        name, value = text[:-1].split("'", 1)
        enum = name.removeprefix(f"{self._scope.namespace}.")
        if enum not in ENUMS:
            raise FilterRefused(UNSUPPORTED, f"The type {name} is not known here.")
        if value not in ENUMS[enum]:
            raise FilterRefused(UNSUPPORTED, f"{value!r} is not a member of {name}.")
        return Literal(value, f"enum {enum}")

    def _name(self, text: str) -> Node:
        if text in ("true", "false"):
            return Literal(text == "true", BOOL)
        if text == "null":
            return Literal(None, NULL)
        if self._peek() == ("mark", "("):
            return self._call(text)
        prop = self._type.by_name.get(text)
        if prop is None or text in self._scope.hidden:
            message = f"The property '{text}' is not defined in type '{self._type.luname}'."
            raise FilterRefused(UNKNOWN_PROPERTY, message)
        if text in self._scope.refused:
            raise FilterRefused(UNSUPPORTED, f"The property '{text}' cannot be used in a filter.")
        return Prop(text, f"enum {prop.enum}" if prop.enum else _KINDS.get(prop.kind, prop.kind))

    def _call(self, name: str) -> Node:
        self._expect("(")
        if name == "cast":
            return self._cast()
        if name not in FUNCTIONS or name in self._scope.refused:
            raise FilterRefused(UNSUPPORTED, f"The function '{name}' is not supported.")
        kinds, result = FUNCTIONS[name]
        arguments = [self.disjunction()]
        while self._take("mark", ","):
            arguments.append(self.disjunction())
        self._expect(")")
        fewest = len(kinds) - (name == "substring")
        if not fewest <= len(arguments) <= len(kinds):
            raise FilterRefused(UNSUPPORTED, f"'{name}' takes {fewest} arguments.")
        for argument, kind in zip(arguments, kinds, strict=False):
            # year, month and day read dates and timestamps alike.
            if argument.kind not in (kind, TIMESTAMP if kind == DATE else kind):
                raise FilterRefused(UNSUPPORTED, f"'{name}' does not take a value of type {argument.kind}.")
        return Call(name, tuple(arguments), result)

    def _cast(self) -> Node:
        argument = self.disjunction()
        self._expect(",")
        if self._next() != ("word", "Edm.String"):
            raise FilterRefused(UNSUPPORTED, "'cast' is supported to Edm.String only.")
        self._expect(")")
        return Call("cast", (argument,), STRING)

    def _of_kind(self, node: Node, kind: str) -> Node:
        if node.kind != kind:
            raise FilterRefused(UNSUPPORTED, f"The operator needs a value of type {kind}, not {node.kind}.")
        return node

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._place += 1
        return token

    def _take(self, kind: str, text: str) -> bool:
        if self._peek() != (kind, text):
            return False
        self._place += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._take("mark", mark):
            raise self._malformed()

    def _malformed(self) -> FilterRefused:
        return FilterRefused(UNSUPPORTED, f"The URL is malformed near {self._peek()[1]!r} of the filter.")

"""A checked filter tree to a fast test of one row, and what it tells about indexes. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from sandbox.ifs.catalogue import TYPES
from sandbox.ifs.expressions import Arithmetic, Call, Compare, Literal, Logic, Node, Not, Prop
from sandbox.ifs.filters import Scope, parsed
from sandbox.ifs.shapes import Cell, Values

Test = Callable[[Values], bool]
Value = Callable[[Values], Any]


@lru_cache(maxsize=512)
def predicate(text: str, scope: Scope) -> Test:
    """Return the test that `text` describes; raises what `parsed` raises."""
    return _compiled(parsed(text, scope), TYPES[scope.table].position)


def pins(node: Node) -> list[tuple[str, frozenset[Any]]]:
    """Return every (property, values) such that a matching row must hold one of the values there."""
    if isinstance(node, Compare) and node.operator == "eq":
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Prop) and isinstance(other, Literal):
                return [(one.name, frozenset((other.value,)))]
    if isinstance(node, Logic) and node.operator == "and":
        return [pin for part in node.parts for pin in pins(part)]
    if isinstance(node, Logic):
        united: dict[str, frozenset[Any]] | None = None
        for part in node.parts:
            found = dict(pins(part))
            united = (
                found if united is None else {name: united[name] | found[name] for name in united.keys() & found.keys()}
            )
        return list((united or {}).items())
    return []


def bounds(node: Node, name: str) -> tuple[Any, Any]:
    """Return the least and the greatest value of `name` that a matching row may hold; None where nothing is known."""
    if isinstance(node, Compare) and isinstance(node.left, Prop) and node.left.name == name:
        value = node.right.value if isinstance(node.right, Literal) else None
        low = value if node.operator in ("eq", "gt", "ge") else None
        high = value if node.operator in ("eq", "lt", "le") else None
        return low, high
    if isinstance(node, Logic):
        pairs = [bounds(part, name) for part in node.parts]
        lows, highs = [low for low, _ in pairs], [high for _, high in pairs]
        if node.operator == "and":
            return _extreme(max, [low for low in lows if low is not None]), _extreme(
                min, [high for high in highs if high is not None]
            )
        return (None if None in lows else min(lows)), (None if None in highs else max(highs))
    return None, None


def _extreme(choose: Callable[[list[Any]], Any], values: list[Any]) -> Cell:
    return choose(values) if values else None


def _compiled(node: Node, position: Mapping[str, int]) -> Value:
    match node:
        case Prop(name=name):
            place = position[name]
            return lambda values: values[place]
        case Literal(value=constant):
            return lambda _values: constant
        case Compare():
            return _comparison(node, position)
        case Logic():
            return _logic(node, position)
        case Not(part=part):
            inner = _compiled(part, position)
            return lambda values: not inner(values)
        case Call(name=name, arguments=arguments):
            function = _CALLS[name]
        case Arithmetic(operator=operator, left=left, right=right):
            function, arguments = _ARITHMETIC[operator], (left, right)
    parts = [_compiled(argument, position) for argument in arguments]
    return lambda values: _with_nulls(function, [part(values) for part in parts])


def _logic(node: Logic, position: Mapping[str, int]) -> Test:
    if node.operator == "or" and (alike := _same_property(node)):
        place, wanted = position[alike[0]], alike[1]
        return lambda values: values[place] in wanted
    tests = tuple(_compiled(part, position) for part in node.parts)
    if node.operator == "and":
        return lambda values: all(test(values) for test in tests)
    return lambda values: any(test(values) for test in tests)


def _same_property(node: Logic) -> tuple[str, frozenset[Any]] | None:
    """Return what a chain `A eq 1 or A eq 2 ...` asks for, so that a long chain costs one look-up a row."""
    names, wanted = set(), []
    for part in node.parts:
        if not (isinstance(part, Compare) and part.operator == "eq"):
            return None
        if not (isinstance(part.left, Prop) and isinstance(part.right, Literal)):
            return None
        names.add(part.left.name)
        wanted.append(part.right.value)
    return (names.pop(), frozenset(wanted)) if len(names) == 1 else None


def _comparison(node: Compare, position: Mapping[str, int]) -> Test:
    one, other, operator = _compiled(node.left, position), _compiled(node.right, position), node.operator
    if operator == "eq":
        return lambda values: bool(one(values) == other(values))
    if operator == "ne":
        return lambda values: bool(one(values) != other(values))
    order = _ORDER[operator]
    # A missing value is neither before nor after anything.
    return lambda values: bool(_with_nulls(order, [one(values), other(values)]))


def _with_nulls(function: Callable[..., Any], arguments: list[Any]) -> Cell:
    return None if None in arguments else function(*arguments)


def _divided(one: Cell, other: Cell) -> Decimal | None:
    try:
        return Decimal(one) / Decimal(other)
    except (DivisionByZero, InvalidOperation):
        return None


_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "gt": lambda one, other: bool(one > other),
    "ge": lambda one, other: bool(one >= other),
    "lt": lambda one, other: bool(one < other),
    "le": lambda one, other: bool(one <= other),
}
_ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": _divided,
}
_CALLS: Final[Mapping[str, Callable[..., Any]]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
    "length": len,
    "indexof": lambda text, part: text.find(part),
    "substring": lambda text, start, length=None: text[start:] if length is None else text[start : start + length],
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "concat": lambda one, other: one + other,
    "year": lambda moment: int(moment[:4]),
    "month": lambda moment: int(moment[5:7]),
    "day": lambda moment: int(moment[8:10]),
    "hour": lambda moment: int(moment[11:13]),
    "minute": lambda moment: int(moment[14:16]),
    "second": lambda moment: int(moment[17:19]),
    "cast": lambda value: str(value).lower() if isinstance(value, bool) else str(value),
}

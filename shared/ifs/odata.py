"""OData queries as IFS reads them: literals, conditions and addresses. Pure. Source: docs/apis/ifs.md#query."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

#: Characters. Gateways refuse longer addresses; 4000 is our own safe choice.
URL_LENGTH_MAX: Final = 4000
#: Conditions joined by `or` in one filter; our own choice, as the parser's limit is not documented.
ALTERNATIVES_MAX: Final = 60
#: Stays as it is in a query value; a space becomes %20 and never a plus sign.
_SAFE: Final = "'(),:"


class Bare(str):
    """A literal without quotes: an instant or a date, as the server wrote it."""

    __slots__ = ()


class Enum(str):
    """A member of an enumeration, which a key shows with the name of its type."""

    type: str

    def __new__(cls, value: str, type_: str) -> "Enum":
        """Return the member `value` of the enumeration called `type_`."""
        made = super().__new__(cls, value)
        made.type = type_
        return made


Value = str | int | Decimal


def literal(value: Value) -> str:
    """Return `value` as a filter shows it: text quoted with inner quotes doubled, the others bare."""
    if isinstance(value, Bare):
        return str(value)
    if isinstance(value, str):
        doubled = value.replace("'", "''")
        return f"{value.type if isinstance(value, Enum) else ''}'{doubled}'"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def is_sendable(text: str) -> bool:
    """Say whether IFS can be asked for `text`: no NUL and no halves of characters."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def both(*conditions: str) -> str:
    """Return the conditions and-ed, each in parentheses; empty ones do not count."""
    present = [condition for condition in conditions if condition]
    if len(present) < 2:
        return "".join(present)
    return " and ".join(f"({condition})" for condition in present)


def equals(field: str, value: Value) -> str:
    return f"{field} eq {literal(value)}"


def alternatives(conditions: Iterable[str], *, room: int) -> Iterator[tuple[int, str]]:
    """Join the conditions by `or`, as few filters as there can be; yields how many are in each, too.

    A filter takes at most `room` characters once it is percent-encoded.
    """
    joint = len(encoded(" or "))
    terms: list[str] = []
    length = 0
    for term in conditions:
        needed = len(encoded(term)) + joint
        if terms and (len(terms) == ALTERNATIVES_MAX or length + needed > room):
            yield len(terms), " or ".join(terms)
            terms, length = [], 0
        terms.append(term)
        length += needed
    if terms:
        yield len(terms), " or ".join(terms)


def past(order: Sequence[str], position: Sequence[Value], *, inclusive: bool = False) -> str:
    """Return the condition for the rows after `position` in that order.

    `inclusive` takes in the rows at the position itself, for an order that does not name the whole key.
    """
    condition = ""
    for field, value in reversed(list(zip(order, position, strict=True))):
        if not condition:
            condition = f"{field} {'ge' if inclusive else 'gt'} {literal(value)}"
        else:
            here = literal(value)
            condition = f"{field} gt {here} or ({field} eq {here} and ({condition}))"
    if len(order) < 2:
        return condition
    # The plain bound lets the database use an index that it would not find behind the `or`.
    return f"{order[0]} ge {literal(position[0])} and ({condition})"


def between(field: str, first: Value, last: Value) -> str:
    return f"{field} ge {literal(first)} and {field} le {literal(last)}"


def predicate(key: Sequence[tuple[str, Value]]) -> str:
    """Return the key in parentheses, named and percent-encoded, as it follows a set's name in a path."""
    pairs = ",".join(f"{quote(name)}={quote(literal(value), safe=chr(39))}" for name, value in key)
    return f"({pairs})"


def url(root: str, path: str, *, condition: str = "", order: str = "", top: int = 0) -> str:
    """Return the ready-made address of a read; `path` is encoded already."""
    options = [("$filter", condition), ("$orderby", order), ("$top", str(top) if top else "")]
    query = "&".join(f"{name}={encoded(value)}" for name, value in options if value)
    return f"{root}/{path}?{query}" if query else f"{root}/{path}"


def encoded(text: str) -> str:
    return quote(text, safe=_SAFE)


def next_address(root: str, link: str) -> str | None:
    """Return the address of the next page; None where it leaves the service and must not be followed.

    `root` is the service's: relative links are relative to it, not to the set.
    """
    address = urljoin(f"{root}/", link)
    try:
        here, there = urlsplit(root), urlsplit(address)
        same_origin = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
    except ValueError:
        return None
    path = unquote(there.path)
    below = path.startswith(unquote(here.path) + "/") and ".." not in path.split("/") and "\\" not in path
    return address if same_origin and below and there.username is None else None

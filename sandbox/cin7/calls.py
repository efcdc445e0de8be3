"""One API call as its endpoint sees it: company, query and body, and the list envelope it may answer in."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from sandbox.cin7.company import Company
from sandbox.cin7.errors import Refused
from sandbox.cin7.wire import Json, decode, instant

T = TypeVar("T")

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1000

#: An endpoint returns what is to be encoded, or raises.
Endpoint = Callable[["Call"], Json]


class Unreadable(Exception):
    """The body is not the JSON object it should be: HTTP 500, as documented."""


class Call:
    """A call that has been let in. Query keys are in lower case; nobody reads the unknown ones."""

    def __init__(self, company: Company, query_string: bytes, raw: bytes) -> None:
        self.company = company
        self.query = query_of(query_string)
        self._raw = raw

    def body(self) -> Json:
        try:
            value = decode(self._raw)
        except (msgspec.DecodeError, ValueError) as error:
            raise Unreadable(str(error)) from None
        if not isinstance(value, dict):
            raise Unreadable("The body is not an object.")
        return value

    def text(self, name: str) -> str:
        return self.query.get(name, "")

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() == "true"

    def moment(self, name: str) -> datetime | None:
        """Return a date parameter, None where it is absent; refuses one that is no date."""
        text = self.text(name)
        if not text:
            return None
        # An unescaped `+` of a zone arrives as a blank.
        moment = instant(text.replace(" ", "+") if "T" in text else text)
        if moment is None:
            raise Refused([f"The value '{text}' is not valid for {name}."])
        return moment

    def since(self, name: str) -> Callable[[datetime], bool]:
        """Return the test of a changed-since filter; inclusive or not by a switch, since nobody knows."""
        moment = self.moment(name)
        if moment is None:
            return lambda _: True
        if self.company.switches["modified_since"] == "inclusive":
            return lambda changed: changed >= moment
        return lambda changed: changed > moment


def query_of(query_string: bytes) -> dict[str, str]:
    if not query_string:
        return {}
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    return {key.lower(): value for key, value in pairs}


def listing(call: Call, key: str, rows: Iterable[Json]) -> Json:
    """Return one page of rows that exist already; past the end it is empty."""
    return page_of(call, key, list(rows), lambda row: row)


def page_of(call: Call, key: str, found: Sequence[T], show: Callable[[T], Json]) -> Json:
    """Return the list envelope around one page; `Total` counts all matches, the page size is not told."""
    page, limit = _paging(call, "page", 1, None), _paging(call, "limit", PAGE_SIZE, PAGE_SIZE_MAX)
    start = (page - 1) * limit
    return {"Total": len(found), "Page": page, key: [show(item) for item in islice(found, start, start + limit)]}


def _paging(call: Call, name: str, default: int, highest: int | None) -> int:
    text = call.text(name).strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise Refused([f"The value '{text}' is not valid for {name.title()}."]) from None
    clamped = max(1, value if highest is None else min(value, highest))
    if clamped != value and call.company.switches["limit_out_of_range"] == "400":
        raise Refused([f"{name.title()} must be between 1 and {highest or 'the last page'}."])
    return clamped

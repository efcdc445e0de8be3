"""Rows of a JSON answer, each with its exact bytes. One bad row never takes its neighbours along. Pure."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

#: Longest number that Python turns into an integer without a second thought.
_DIGITS_MAX: Final = 30
_SPACE: Final = re.compile(r"[ \t\n\r]*")


class Constant(msgspec.Struct, frozen=True):
    """What JSON does not know, such as a bare NaN: no value of any type, but shown as it came."""

    text: str

    def __str__(self) -> str:
        return self.text


class Row(msgspec.Struct, frozen=True):
    """One row as it came.

    Attributes:
        raw: its exact bytes.
        values: its members; numbers as int or Decimal.
        sound: its bytes are JSON in UTF-8.
    """

    raw: bytes
    values: dict[str, object]
    sound: bool = True

    @property
    def etag(self) -> str:
        etag = self.values.get("@odata.etag")
        return etag if isinstance(etag, str) else ""


_VALUES: Final = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)


def read_row(raw: bytes) -> Row:
    """Return the row that `raw` holds; a row that is not sound has what could be read of it."""
    try:
        return Row(raw, _VALUES.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Row(raw, tolerant_values(raw), sound=False)


def tolerant_values(raw: bytes) -> dict[str, object]:
    """Return the members of a row that is no proper JSON: bad bytes as lone surrogates, NaN as a Constant."""
    try:
        values = _LENIENT.decode(raw.decode(errors="surrogateescape"))
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def tolerant_rows(body: bytes, name: str) -> tuple[list[Row], dict[str, object]] | None:
    """Return the rows of the list `name` in an object, and its other members; None where it is no such object.

    For answers that no decoder takes: bad bytes are lone surrogates, and what JSON does not know is a Constant.
    """
    text = body.decode(errors="surrogateescape")
    rows: list[Row] | None = None
    others: dict[str, object] = {}
    try:
        for member, start in _members(text):
            if member == name and text[start : start + 1] == "[":
                spans = list(_items(text, start))
                rows = [read_row(text[first:last].encode(errors="surrogateescape")) for first, last in spans]
            else:
                others[member] = _LENIENT.raw_decode(text, start)[0]
    except (ValueError, IndexError, RecursionError):
        return None
    return None if rows is None else (rows, others)


def _members(text: str) -> Iterator[tuple[str, int]]:
    """Yield each member's name and where its value starts.

    Raises:
        ValueError: `text` is not one whole object.
    """
    at = _skipped(text, _expect(text, _skipped(text, 0), "{"))
    while True:
        name, at = _LENIENT.raw_decode(text, at)
        at = _skipped(text, _expect(text, _skipped(text, at), ":"))
        yield str(name), at
        at = _skipped(text, _LENIENT.raw_decode(text, at)[1])
        if text[at] == "}":
            break
        at = _skipped(text, _expect(text, at, ","))
    if _skipped(text, at + 1) != len(text):
        raise ValueError("something follows the object")


def _items(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield where each item of the array at `start` begins and ends."""
    at = _skipped(text, start + 1)
    while text[at] != "]":
        end = _LENIENT.raw_decode(text, at)[1]
        yield at, end
        at = _skipped(text, end)
        if text[at] == ",":
            at = _skipped(text, at + 1)


def _skipped(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at] != mark:
        raise ValueError(f"{mark} expected")
    return at + 1


def _number(text: str) -> int | Decimal:
    return int(text) if len(text) <= _DIGITS_MAX else Decimal(text)


_LENIENT: Final = json.JSONDecoder(strict=False, parse_float=Decimal, parse_int=_number, parse_constant=Constant)

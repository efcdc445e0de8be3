"""JSON, GUIDs and time stamps as Cin7 puts them on the wire. Pure."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

#: A JSON object, in or out.
Json = dict[str, Any]

#: "None" or "make a new one" in several task fields.
ZERO_GUID = "00000000-0000-0000-0000-000000000000"

#: Numbers with a fraction become Decimal from their own text: no value ever passes through a float.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")

CENT = Decimal("0.01")


def decode(body: bytes) -> object:
    """Return the JSON value in `body`; raises msgspec.DecodeError where it is none."""
    return _DECODER.decode(body)


def encode(value: object) -> bytes:
    """Return `value` as JSON; a Decimal keeps its digits and stays a number."""
    return _ENCODER.encode(value)


def guid(text: object) -> str | None:
    """Return a GUID in lower case, or None where `text` is not one."""
    if not isinstance(text, str):
        return None
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        return None


def stamp(instant: datetime) -> str:
    """Return a server stamp: UTC with `Z`, its fraction cut of trailing zeros."""
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{instant.microsecond // 1000:03d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def day(instant: datetime) -> str:
    """Return a business date: midnight without a zone."""
    return instant.strftime("%Y-%m-%dT00:00:00")


def instant(text: object) -> datetime | None:
    """Return the moment a client's date names (UTC where it names no zone), or None where it names none."""
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def number(value: object) -> Decimal | None:
    """Return a JSON number as Decimal; None for text, booleans, NaN and everything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    exact = Decimal(value)
    return exact if exact.is_finite() else None


def rounded(value: Decimal, places: int) -> Decimal:
    """Return `value` with at most so many decimal places, halves away from zero; shorter ones keep their text."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -places:
        return value
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def upper_guids(value: object) -> object:
    """Return a copy of `value` with every GUID in capitals, as some of Cin7's answers have them."""
    return _with_guids(value, str.upper)


def lower_guids(value: object) -> object:
    return _with_guids(value, str.lower)


def _with_guids(value: object, written: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return {key: _with_guids(item, written) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_guids(item, written) for item in value]
    if isinstance(value, str) and len(value) == len(ZERO_GUID) and guid(value):
        return written(value)
    return value

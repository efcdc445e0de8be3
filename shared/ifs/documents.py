"""A raw document to structs, or every reason why it cannot be read, each naming field and value. Pure."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, get_args, get_type_hints

import msgspec

from shared.findings import Finding
from shared.ifs.sources import HEADER, Bound, BoundSet, storable
from shared.rows import tolerant_values

#: Digits before and after the point. Source: docs/apis/ifs.md#literals (precision 130, scale 65).
_DIGITS_MAX: Final = 65
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_CURRENCY_FIELDS: Final = frozenset({"currency", "currency_code", "def_currency"})
_VALUE_LENGTH_MAX: Final = 200
_REMEDY: Final = "Correct it in IFS, then replay."
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Shape = type[msgspec.Struct]


class _Field(msgspec.Struct, frozen=True):
    """A field of a row's struct. `checked`: its type alone does not say whether a value can be used."""

    name: str
    kind: Any
    required: bool
    checked: bool
    is_text: bool


class _Plan(msgspec.Struct, frozen=True):
    """How one source under one set of names is decoded: at once, and what looks at the rows of each set afterwards.

    `decoder` None: two of our fields are one property of the tenant, which no struct can have.
    """

    decoder: msgspec.json.Decoder[Any] | None
    usable: Mapping[str, Callable[[msgspec.Struct], bool]]


def decode(bound: Bound, raw: bytes) -> Any | list[Finding]:  # noqa: ANN401 - the struct that `bound.document` is.
    """Return the document that `raw` holds, or a `source.invalid` for every field that cannot be used.

    Children are in the order of their keys, numeric where the parts are numbers.
    """
    plan = _plan(bound)
    # The decoder takes NUL for text like any other.
    if b"\\u0000" in raw or plan.decoder is None:
        return _decoded_by_field(bound, raw)
    try:
        whole = plan.decoder.decode(raw)
    except _BROKEN:
        return _decoded_by_field(bound, raw)
    read: dict[str, list[msgspec.Struct]] = {}
    for part in (bound.header, *bound.children):
        found = getattr(whole, part.name)
        rows = [found] if part.name == HEADER else found
        if not all(map(plan.usable[part.name], rows)):
            return _decoded_by_field(bound, raw)
        read[part.name] = [_ours(part.source.shape, row) for row in rows]
    return _document(bound, read)


@lru_cache(maxsize=64)
def _plan(bound: Bound) -> _Plan:
    parts = (bound.header, *bound.children)
    usable = {part.name: _usable_test(part.source.shape) for part in parts}
    if any(len(set(part.properties.values())) < len(part.properties) for part in parts):
        return _Plan(None, usable)
    members: list[tuple[str, Any, Any]] = []
    for part in parts:
        row = _renamed(part.source.shape, part.properties)
        members.append((part.name, row, msgspec.NODEFAULT) if part is bound.header else (part.name, list[row], []))  # type: ignore[valid-type]
    whole = msgspec.defstruct(f"raw_{bound.source.flow}", members, frozen=True)
    return _Plan(msgspec.json.Decoder(whole, strict=False), usable)


def _usable_test(shape: Shape) -> Callable[[msgspec.Struct], bool]:
    """Return what says whether all values of a row can be used; `_problem` then says of a row what is wrong with it."""
    checked = [field for field in _fields(shape) if field.checked]
    texts = _getter(field.name for field in checked if field.is_text and field.required)
    currencies = _getter(field.name for field in checked if field.name in _CURRENCY_FIELDS)
    amounts = _getter(field.name for field in checked if not field.is_text)

    # Every record of every sweep comes through here.
    def usable(row: msgspec.Struct) -> bool:
        if not all(map(str.strip, texts(row))):
            return False
        for code in currencies(row):
            if code and not _CURRENCY.fullmatch(code):
                return False
        return not any(amount is not None and _amount_problem(amount) for amount in amounts(row))

    return usable


def _getter(names: Iterable[str]) -> Callable[[object], tuple[Any, ...]]:
    listed = tuple(names)
    if len(listed) > 1:
        return attrgetter(*listed)
    return lambda row: tuple(getattr(row, name) for name in listed)


@lru_cache(maxsize=64)
def _fields(shape: Shape) -> tuple[_Field, ...]:
    hints = get_type_hints(shape)
    fields = []
    for field in msgspec.structs.fields(shape):
        kinds = get_args(hints[field.name]) or (hints[field.name],)
        is_text = str in kinds
        checked = Decimal in kinds or (is_text and (field.required or field.name in _CURRENCY_FIELDS))
        fields.append(_Field(field.name, hints[field.name], field.required, checked, is_text))
    return tuple(fields)


def _renamed(shape: Shape, names: Mapping[str, str]) -> Shape:
    """Return `shape` with the tenant's names. It is declared anew: a renaming does not reach inherited fields."""
    fields = msgspec.structs.fields(shape)
    if all(names[field.name] == field.encode_name for field in fields):
        return shape
    hints = get_type_hints(shape)
    members = [(field.name, hints[field.name], field.default) for field in fields]
    return msgspec.defstruct(shape.__name__, members, rename=dict(names), frozen=True, kw_only=True)


def _ours(shape: Shape, row: msgspec.Struct) -> msgspec.Struct:
    """Return the row under our own names, so that fingerprints do not depend on the tenant's."""
    if isinstance(row, shape):
        return row
    return shape(**{name: getattr(row, name) for name in shape.__struct_fields__})


def _decoded_by_field(bound: Bound, raw: bytes) -> Any | list[Finding]:  # noqa: ANN401 - as above.
    whole = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    read: dict[str, list[msgspec.Struct]] = {}
    findings: list[Finding] = []
    for part in (bound.header, *bound.children):
        read[part.name] = []
        listed = [whole[HEADER]] if part.name == HEADER else _listed(whole.get(part.name))
        for row in listed:
            values = _unwrapped(bytes(row))
            usable, problems = _usable(part, values)
            if problems:
                company = storable(values.get("Company") or "")
                findings += [_finding(part, values, prop, problem, company) for prop, problem in problems]
            else:
                read[part.name].append(part.source.shape(**usable))
    return findings or _document(bound, read)


def _listed(rows: msgspec.Raw | None) -> list[msgspec.Raw]:
    return msgspec.json.decode(rows, type=list[msgspec.Raw]) if rows is not None else []


def _unwrapped(raw: bytes) -> dict[str, object]:
    """Return the members of a row, also of one that had to be wrapped because its bytes are no JSON."""
    values = tolerant_values(raw)
    wrapped = values.get("undecodable")
    if len(values) == 1 and isinstance(wrapped, str):
        try:
            return tolerant_values(base64.b64decode(wrapped, validate=True))
        except (binascii.Error, ValueError):
            return {}
    return values


def _usable(part: BoundSet, values: Mapping[str, object]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the values by our names, and (property, what is wrong with it) for those that cannot be used."""
    usable: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for field in _fields(part.source.shape):
        prop = part.properties[field.name]
        value = values.get(prop)
        if value is None or (value == "" and not field.is_text and not field.required):
            if field.required:
                problems.append((prop, "is missing"))
            continue
        try:
            usable[field.name] = msgspec.convert(value, field.kind, strict=False)
        except (msgspec.ValidationError, ValueError, OverflowError):
            problems.append((prop, f"is not {_WANTED[_kind(field)]}"))
            continue
        if problem := _problem(field, usable[field.name]) or _text_problem(usable[field.name]):
            problems.append((prop, problem))
    return usable, problems


def _problem(field: _Field, value: object) -> str:
    """Return what is wrong with a value of the right type; empty if nothing is."""
    if isinstance(value, Decimal):
        return _amount_problem(value)
    if isinstance(value, str):
        if field.required and not value.strip():
            return "is empty"
        if field.name in _CURRENCY_FIELDS and value and not _CURRENCY.fullmatch(value):
            return "is no currency code of three capital letters"
    return ""


def _amount_problem(value: Decimal) -> str:
    if not value.is_finite():
        return "is not a finite number"
    places = value.as_tuple().exponent
    if value.adjusted() >= _DIGITS_MAX or not isinstance(places, int) or places < -_DIGITS_MAX:
        return "has more digits than any amount"
    return ""


def _text_problem(value: object) -> str:
    if not isinstance(value, str):
        return ""
    if "\0" in value:
        return "holds a NUL character"
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        return "holds bytes or halves of characters that are no text"
    return ""


_WANTED: Final[Mapping[object, str]] = {
    str: "a text",
    int: "a whole number",
    Decimal: "a number",
    bool: "true or false",
}


def _kind(field: _Field) -> object:
    return (get_args(field.kind) or (field.kind,))[0]


def _finding(part: BoundSet, values: Mapping[str, object], prop: str, problem: str, company: str) -> Finding:
    value = values.get(prop)
    key = "/".join(storable(values.get(name, "?")) for name in part.key)
    is_header = part.name == HEADER
    return Finding(
        code="source.invalid",
        field=prop if is_header else f"{part.name}[{key}].{prop}",
        value="" if value is None else storable(value)[:_VALUE_LENGTH_MAX],
        message=f"{prop} {problem}." if is_header else f"{prop} of {part.name} {key} {problem}.",
        remedy=_REMEDY,
        company=company,
    )


def _document(bound: Bound, read: Mapping[str, Sequence[msgspec.Struct]]) -> Any:  # noqa: ANN401 - as above.
    (header,) = read[HEADER]
    children = {part.name: _sorted(part, read[part.name]) for part in bound.children}
    return bound.document(header=header, **children)


def _sorted(part: BoundSet, rows: Sequence[msgspec.Struct]) -> tuple[msgspec.Struct, ...]:
    return tuple(sorted(rows, key=_in_order(part)) if len(rows) > 1 else rows)


def _in_order(part: BoundSet) -> Callable[[msgspec.Struct], tuple[object, ...]]:
    def order(row: msgspec.Struct) -> tuple[object, ...]:
        return tuple(_natural(getattr(row, name)) for name in part.source.key)

    return order


def _natural(value: object) -> tuple[int, int, str]:
    """Return what sorts numbers by value, and before all other texts. IFS's line numbers are texts."""
    text = "" if value is None else str(value)
    return (0, int(text), text) if text.isascii() and text.isdigit() and len(text) < 30 else (1, 0, text)

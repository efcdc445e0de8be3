"""A file or an HTTP body to vouchers, or one sentence that names the row and the field that cannot be read. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from shared.config.checking import near
from shared.errors import ConnectorError
from shared.ifs.records.journals import Voucher, VoucherRow

#: Where the decoder found the fault: in which voucher of a list, in which row, in which field.
_PATH: Final = re.compile(r" - at `\$(?:\[(?P<voucher>\d+)\])?(?:\.rows(?:\[(?P<row>\d+)\])?)?(?:\.(?P<field>\w+))?`$")
_MISSING: Final = re.compile(r"^Object missing required field `(\w+)`")
_EXPECTED: Final = re.compile(r"^Expected `([^`]+)`")
_TYPES: Final[Mapping[str, str]] = {
    "str": "a text in quotes",
    "int": "a whole number",
    "decimal": "a number",
    "array": "a list",
    "object": "an object",
}
_KEY: Final = ("Company", "AccountingYear", "VoucherType", "VoucherNo", "VoucherDate")
_HEADINGS: Final = (*_KEY, "RowNo", "Account", "DebetAmount", "CreditAmount")
_SEPARATORS: Final = ((";", "semicolons"), ("\t", "tabs"))
_SHOWN_MAX: Final = 60

S = TypeVar("S", bound=msgspec.Struct)

_JSON: Final = msgspec.json.Decoder(Voucher | list[Voucher], strict=False)


class VoucherFault(ConnectorError):
    """The bytes hold no vouchers; the message is one sentence that says where and why."""


def read_vouchers(raw: bytes) -> list[Voucher]:
    """Return the vouchers of a file: JSON where it begins like JSON, else CSV with one row of a voucher a line.

    Raises:
        VoucherFault: it holds none, or one that cannot be read.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    return from_json(raw) if raw.lstrip()[:1] in {b"{", b"["} else from_csv(raw)


def from_json(raw: bytes) -> list[Voucher]:
    """Return the vouchers of a JSON document: one object, or a list of them.

    Raises:
        VoucherFault: as `read_vouchers`.
    """
    try:
        found: Voucher | list[Voucher] = _JSON.decode(raw)
    except msgspec.ValidationError as error:
        raise VoucherFault(_sentence(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VoucherFault(f"This is no JSON in UTF-8 ({_reason(error)}).") from None
    vouchers = found if isinstance(found, list) else [found]
    if not vouchers:
        raise VoucherFault("There is no voucher in it.")
    return vouchers


def from_csv(raw: bytes) -> list[Voucher]:
    """Return the vouchers of a CSV file with IFS's own headings, in the order in which they begin.

    Raises:
        VoucherFault: as `read_vouchers`.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise VoucherFault(f"Line {line} is not UTF-8: save the file as 'CSV UTF-8'.") from None
    heads: dict[tuple[str, ...], tuple[int, dict[str, str]]] = {}
    rows: dict[tuple[str, ...], list[VoucherRow]] = {}
    for line, cells in _lines(text):
        key = tuple(cells.get(name, "") for name in _KEY[:-1])
        first, head = heads.setdefault(key, (line, cells))
        if cells.get("VoucherDate") != head.get("VoucherDate"):
            raise VoucherFault(f"Line {line}, field VoucherDate: another date than on line {first} of its voucher.")
        rows.setdefault(key, []).append(_converted(cells, VoucherRow, line))
    if not heads:
        raise VoucherFault("There is no voucher in it.")
    return [
        _converted({name: head[name] for name in _KEY if name in head} | {"rows": rows[key]}, Voucher, line)
        for key, (line, head) in heads.items()
    ]


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line and its cells by heading, without the empty ones."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        headings = _checked([heading.strip() for heading in next(reader, [])])
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(headings):
                    raise VoucherFault(f"Line {line} has {len(cells)} cells, the headings name {len(headings)}.")
                named = zip(headings, (cell.strip() for cell in cells), strict=True)
                yield line, {heading: cell for heading, cell in named if cell}
            line = reader.line_num + 1
    except csv.Error as error:
        raise VoucherFault(f"Line {line} is not CSV ({error}): check the quotes.") from None


def _checked(headings: list[str]) -> list[str]:
    for separator, called in _SEPARATORS:
        if len(headings) == 1 and separator in headings[0]:
            raise VoucherFault(f"Line 1: the columns are separated by {called}; save the file as CSV with commas.")
    for wanted in _HEADINGS:
        if headings.count(wanted) != 1:
            lack = f"heading {wanted} stands there twice" if wanted in headings else f"heading {wanted} is missing"
            hint = "" if wanted in headings else near(wanted, headings)
            raise VoucherFault(f"Line 1: {lack}; {hint or 'the headings are ' + ','.join(_HEADINGS) + '.'}")
    return headings


def _converted(values: Mapping[str, object], shape: type[S], line: int) -> S:
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        _, field, problem = _parts(str(error))
        value = values.get(field)
        shown = f" ({value[:_SHOWN_MAX]!r})" if isinstance(value, str) else ""
        raise VoucherFault(f"Line {line}, field {field}{shown} {problem}.") from None


def _sentence(message: str) -> str:
    """Return the decoder's complaint in our words; vouchers and rows are counted from 1."""
    place, field, problem = _parts(message)
    where = [place] if place else []
    where += [f"field {field}"] if field else []
    sentence = f"{', '.join(where) or 'the document'} {problem}."
    return sentence[0].upper() + sentence[1:]


def _parts(message: str) -> tuple[str, str, str]:
    """Return where the fault is, the field, and what is wrong with it."""
    at = _PATH.search(message)
    places = [f"{name} {int(at[name]) + 1}" for name in ("voucher", "row") if at and at[name] is not None]
    field = (at["field"] or "") if at else ""
    if at and not field and at["row"] is None and ".rows" in at[0]:
        field = "rows"
    if missing := _MISSING.match(message):
        return ", ".join(places), missing[1], "is missing"
    if message.startswith("Invalid decimal"):
        return ", ".join(places), field, "is not a number"
    expected = _EXPECTED.match(message)
    kinds = [_TYPES.get(kind.strip(), kind.strip()) for kind in expected[1].split("|")] if expected else []
    wanted = " or ".join(kind for kind in kinds if kind != "null")
    return ", ".join(places), field, f"is not {wanted}" if wanted else "cannot be read"


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]

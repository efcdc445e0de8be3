"""Mapping tables as CSV: text to rows or a fault that names line and column, and rows to text. Pure.

A cell that a spreadsheet would take for a formula is written with a leading apostrophe, which reading takes off again.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from shared.config.checking import near
from shared.config.table_columns import CELL_LENGTH_MAX, Cells, Column, Table
from shared.errors import Misconfigured

#: What spreadsheets read as the start of a formula, the wide forms included; and our own mark, so that it survives.
_FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20'")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Row(msgspec.Struct, frozen=True):
    """One line of a file: None stands for a column that the file does not have."""

    line: int
    key: Cells
    cells: tuple[str | None, ...]


class TableFault(Misconfigured):
    """The file cannot be imported; nothing was changed."""


def read_table(table: Table, text: str) -> list[Row]:
    """Return the rows of a CSV file.

    Raises:
        TableFault: names the line and column of the first fault, and how many more there are.
    """
    text = text.removeprefix("\ufeff")
    if "\x00" in text:
        raise TableFault(
            f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: a NUL character; save it as CSV again."
        )
    lines = _lines(text)
    _, headings = next(lines, (0, []))
    places = _places(table, headings)
    rows: list[Row] = []
    faults: list[str] = []
    seen: dict[Cells, int] = {}
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue  # Spreadsheets like to end a file with empty rows.
        if len(cells) != len(headings):
            faults.append(f"line {line}: {len(cells)} cells where the headings name {len(headings)}")
            continue
        row = _row(table, places, line, cells, faults)
        if row is None:
            continue
        if (first := seen.setdefault(row.key, line)) != line:
            faults.append(f"line {line}: {'/'.join(row.key)} stands on line {first} already")
        rows.append(row)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise TableFault(f"{faults[0]}{more}.")
    return rows


def write_table(table: Table, rows: Iterable[Cells]) -> str:
    """Return the rows as CSV that is safe to open in a spreadsheet and reads back as the same rows."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(table.headings)
    writer.writerows([_escaped(cell) for cell in row] for row in rows)
    return out.getvalue()


def _escaped(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise TableFault(f"line {begins}: not CSV ({error}); check the quotes.") from error


def _places(table: Table, headings: list[str]) -> dict[str, int]:
    """Return where each column stands.

    Raises:
        TableFault: headings are unknown, doubled or missing.
    """
    names = [heading.strip().lower() for heading in headings]
    wanted = f"the headings are {','.join(table.headings)}"
    if not any(names):
        raise TableFault(f"line 1: no headings; {wanted}.")
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and separator in names[0]:
            raise TableFault(f"line 1: the columns are separated by {called}; save the file as CSV with commas.")
    for name in names:
        if name not in table.headings:
            raise TableFault(f"line 1: unknown heading {name!r}; {near(name, table.headings) or wanted + '.'}")
        if names.count(name) > 1:
            raise TableFault(f"line 1: heading {name!r} stands there twice.")
    if missing := [column.name for column in table.columns if column.required and column.name not in names]:
        raise TableFault(f"line 1: heading {missing[0]!r} is missing; {wanted}.")
    return {name: place for place, name in enumerate(names)}


def _row(table: Table, places: dict[str, int], line: int, cells: list[str], faults: list[str]) -> Row | None:
    kept: list[str | None] = []
    before = len(faults)
    for column in table.columns:
        if column.name not in places:
            kept.append(None)
            continue
        try:
            kept.append(_cell(cells[places[column.name]], column))
        except ValueError as error:
            faults.append(f"line {line}, column {column.name}: {error}")
    if len(faults) > before:
        return None
    # Columns of the key are required, so that none of them is None here.
    return Row(line, tuple(cell or "" for cell in kept[: table.keys]), tuple(kept))


def _cell(text: str, column: Column) -> str:
    """Return a cell as it is kept; `ValueError` says what to write instead."""
    text = _unescaped(text.strip())
    if not text and column.required:
        raise ValueError("empty; it needs a value")
    if len(text) > CELL_LENGTH_MAX:
        raise ValueError(f"{len(text)} characters; at most {CELL_LENGTH_MAX} fit")
    if _CONTROL.search(text):
        raise ValueError("a line break or another control character; remove it")
    return column.check(text)

"""Ledger rows as JSON lines or as CSV that a spreadsheet cannot be tricked with. Pure but for the file it writes to."""

import csv
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TextIO

import msgspec

from console.output import plain
from shared.ledger.views.exports import ExportedEvent

#: What a spreadsheet takes for the start of a formula, in its wide forms too, or skips on the way to one.
_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def write_events(events: Iterable[ExportedEvent], form: str, file: TextIO) -> int:
    """Write events in one of FORMATS as they come; return how many there were."""
    return FORMATS[form](events, file)


def write_jsonl(events: Iterable[ExportedEvent], file: TextIO) -> int:
    count = 0
    for event in events:
        file.write(msgspec.json.encode(plain(event)).decode() + "\n")
        count += 1
    return count


def write_csv(events: Iterable[ExportedEvent], file: TextIO) -> int:
    writer = csv.writer(file)
    writer.writerow(ExportedEvent.__struct_fields__)
    count = 0
    for event in events:
        writer.writerow([safe_cell(value) for value in msgspec.structs.astuple(event)])
        count += 1
    return count


def safe_cell(value: object) -> str | int:
    """Return a cell that no spreadsheet takes for a formula: such texts get an apostrophe in front."""
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"  # Digits, a point and a sign: a number, to be added up as one.
    text = str(plain(value)) if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


FORMATS: Final[Mapping[str, Callable[[Iterable[Any], TextIO], int]]] = {"jsonl": write_jsonl, "csv": write_csv}

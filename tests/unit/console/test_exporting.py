"""The audit export in both formats."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from console.exporting import safe_cell, write_csv, write_jsonl
from shared.ledger.views.exports import ExportedEvent

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = ExportedEvent(
    event=1,
    entry=-2,
    flow="suppliers",
    key="S1",
    version=1,
    company="",
    was="",
    becomes="detected",
    happened_at=AT,
    recorded_at=AT,
    actor="poller@host:1",
    why="",
    detail="",
)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(start: str) -> None:
    assert safe_cell(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


def test_other_cells_are_as_they_are() -> None:
    assert [safe_cell(value) for value in ("Acme = Co", "", -2, AT)] == ["Acme = Co", "", -2, "2026-03-01T12:00:00Z"]


def test_every_event_is_one_row_whatever_is_in_it() -> None:
    odd = msgspec.structs.replace(EVENT, key='=1+1,"x"\nnext', why="Ö")
    out = io.StringIO(newline="")
    assert write_csv([EVENT, odd], out) == 2
    rows = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert [row["key"] for row in rows] == ["S1", '\'=1+1,"x"\nnext']
    assert rows[1]["why"] == "Ö"
    lines = io.StringIO()
    assert write_jsonl([EVENT, odd], lines) == 2
    assert [json.loads(line)["key"] for line in lines.getvalue().splitlines()] == ["S1", '=1+1,"x"\nnext']


def test_an_amount_stays_a_number_below_nothing_too() -> None:
    assert [safe_cell(Decimal(value)) for value in ("-1250.50", "0E+2", "1E-7")] == ["-1250.50", "0", "0.0000001"]

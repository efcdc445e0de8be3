"""What commands print."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest

from console.output import plain, print_json, print_table, progress, say


class Sample(msgspec.Struct):
    at: datetime
    amount: Decimal


def test_a_document_has_instants_in_utc_and_amounts_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    print_json([Sample(noon, Decimal("1E+2")), {"key": (1, None, True)}, date(2026, 1, 31)])
    assert json.loads(capsys.readouterr().out) == [
        {"at": "2026-01-31T10:00:00Z", "amount": "100"},
        {"key": [1, None, True]},
        "2026-01-31",
    ]


def test_a_document_may_hold_what_json_cannot_encode(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "a\ud800b", "none": float("nan"), 5: b"\xff"})
    assert json.loads(capsys.readouterr().out) == {"name": "a\\ud800b", "none": None, "5": "/w=="}


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    naive = datetime(2026, 1, 31, 12, tzinfo=UTC).replace(tzinfo=None)
    assert plain(naive) == "2026-01-31T12:00:00Z"


def test_a_table_in_a_file_is_plain_whole_and_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("flow", "held"), [("purchase_orders" + "x" * 300, 5), ("suppliers", 12)], numbers=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert "purchase_orders" + "x" * 300 in lines[1]
    assert [line[-4:] for line in lines] == ["held", "   5", "  12"]
    assert not any("\x1b" in line or "\u2026" in line for line in lines)


def test_nothing_in_a_record_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name",), [("a\x1b[2Jb\nc\u202e",)])
    say("x\x07y")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\u202e" not in out
    assert "a\\x1b[2Jb c" in out


def test_a_table_shows_what_people_read(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    print_table(("a", "b", "c", "d"), [(None, True, at, Decimal("1E+2"))])
    assert capsys.readouterr().out.splitlines()[1].split() == ["yes", "2026-01-31", "12:00:00Z", "100"]
    print_table(("a",), [], empty="Nothing is held.")
    assert capsys.readouterr().out == "Nothing is held.\n"


def test_progress_says_nothing_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("orders", 10) as done:
        done(5)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")

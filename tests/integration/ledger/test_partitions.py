"""Room for the months to come, and nothing that ever throws one away."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from shared.ledger.connection import Ledger
from tests.integration.ledger.samples import new, one

ROOT = Path(__file__).parents[3]
PARTS = """
    select c.relname, pg_get_expr(c.relpartbound, c.oid) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = %s::regclass order by 1
"""


def parts(ledger: Ledger, parent: str) -> dict[str, str]:
    return {row[0]: row[1] for row in ledger.rows(PARTS, (parent,))}


@pytest.mark.parametrize("parent", ["event", "body"])
def test_months_are_made_ahead_beside_a_default(ledger: Ledger, parent: str) -> None:
    found = parts(ledger, parent)
    now = datetime.now(UTC)
    following = (now.year + now.month // 12, now.month % 12 + 1)
    assert {f"{parent}_default", f"{parent}_{now:%Y%m}", "{}_{:04d}{:02d}".format(parent, *following)} <= found.keys()
    assert found[f"{parent}_default"] == "DEFAULT"


def test_making_room_again_changes_nothing(ledger: Ledger) -> None:
    before = parts(ledger, "event")
    with ledger.transaction() as cur:
        cur.execute("select ensure_partitions(now()::date, 2)")
    assert parts(ledger, "event") == before


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "UTC"])
def test_months_meet_without_gap_or_overlap_in_whatever_zone_they_are_made(ledger: Ledger, zone: str) -> None:
    with ledger.transaction() as cur:
        cur.execute(f"set local timezone = '{zone}'")
        cur.execute("select ensure_partitions(now()::date, 14)")
    with ledger.transaction() as cur:
        cur.execute("set local timezone = 'UTC'")
        cur.execute(PARTS, ("event",))
        bounds = [
            re.findall(r"'([^']+)'", row[1]) for row in cur.fetchall() if "_2031" not in row[0] and row[1] != "DEFAULT"
        ]
    assert len(bounds) >= 15
    for (_, end), (begin, _) in pairwise(bounds):
        assert end == begin
        assert begin.endswith("-01 00:00:00+00")


def test_a_month_for_which_nobody_made_room_stays_in_the_default(ledger: Ledger) -> None:
    with ledger.transaction() as cur:
        cur.execute(
            "insert into event (entry_id, was, becomes, actor, recorded_at) values (1, '', '', '', '2031-05-05Z')"
        )
        cur.execute("select ensure_partitions('2031-04-01', 2)")
    made = parts(ledger, "event")
    assert "event_203105" not in made
    assert {"event_203104", "event_203106"} <= made.keys()
    assert one(ledger, "select count(*) from event where recorded_at > '2031-01-01'") == 1


def test_what_is_recorded_now_lies_in_its_month(ledger: Ledger) -> None:
    new(ledger, "1")
    now = datetime.now(UTC)
    assert one(ledger, "select tableoid::regclass::text from event") == f"event_{now:%Y%m}"
    assert one(ledger, "select tableoid::regclass::text from body") == f"body_{now:%Y%m}"


def test_nothing_of_ours_ever_deletes_from_the_ledger() -> None:
    forgetting = re.compile(r"\b(delete\s+from|truncate|drop\s+table|detach\s+partition)\s+(\w+)", re.IGNORECASE)
    found = {
        (path.name, match[2])
        for folder in ("console", "producers", "shared", "workers")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".sql"}
        for match in forgetting.finditer(path.read_text("utf-8"))
    }
    kept = {"event", "body", "entry", "effect", "poll", "message", "finding", "cause", "record", "seal"}
    assert not {(name, table) for name, table in found if table in kept}, "a year must be closed from the ledger"

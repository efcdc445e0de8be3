"""The nightly comparison: once a night, by one process, of this month and the one before."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sandbox.world import build_month
from shared.assembly import Assembly, from_environment
from shared.errors import ConnectorError
from tests.integration.console.installation import Installation, installed
from workers.reconciling.nightly import Nightly, last_hour
from workers.reconciling.running import months_due

FAST = {"calls_per_minute": 6000}


@pytest.fixture
def site(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    world = build_month().world
    with installed(tmp_path, database_url, redis_url, world, capsys, monkeypatch, cin7=FAST) as one:
        yield one


def nightly(site: Installation) -> Nightly:
    """Return what a process of its own would run."""
    parts: Assembly = from_environment(site.variables, "reconciler")
    return Nightly(parts)


def last_done(site: Installation, ago: str) -> None:
    with site.worker.ledger.transaction() as cur:
        cur.execute("update watermark set swept_at = now() - %s::interval where stream = 'reconciliation'", (ago,))


def end_lead(site: Installation) -> None:
    with site.worker.ledger.transaction() as cur:
        cur.execute("update lease set until = '-infinity' where name = 'reconciliation'")


def go_on() -> bool:
    return False


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-03-10T04:30:00+01:00", "2026-03-10T04:30:00+01:00"),
        ("2026-03-10T04:29:00+01:00", "2026-03-09T04:30:00+01:00"),
        ("2026-03-10T23:00:00+01:00", "2026-03-10T04:30:00+01:00"),
    ],
)
def test_the_last_time_it_was_due_is_told_by_the_tenants_clock(now: str, last: str) -> None:
    zone = ZoneInfo("Europe/Stockholm")
    assert last_hour(datetime.fromisoformat(now).astimezone(zone), "04:30") == datetime.fromisoformat(last)


@pytest.mark.parametrize(
    ("today", "months"),
    [
        (date(2026, 3, 10), ["2026-02", "2026-03"]),
        (date(2026, 1, 1), ["2025-12", "2026-01"]),
        (date(2026, 12, 31), ["2026-11", "2026-12"]),
    ],
)
def test_this_month_and_the_one_before_are_due(today: date, months: list[str]) -> None:
    assert months_due(today) == months


def test_it_compares_once_a_night_and_not_before_the_first_one(site: Installation) -> None:
    one = nightly(site)
    assert one.turn(go_on) == []
    last_done(site, "2 days")
    assert one.turn(go_on) == months_due(datetime.now(UTC).astimezone(one.zone).date())
    assert one.turn(go_on) == []
    assert site.worker.ledger.rows("select count(*) from reconciliation where outcome = 'done'") == [(2,)]


def test_only_the_one_that_leads_compares(site: Installation) -> None:
    first, second = nightly(site), nightly(site)
    first.turn(go_on)
    last_done(site, "2 days")
    assert second.turn(go_on) == []
    end_lead(site)
    assert len(second.turn(go_on)) == 2
    assert first.turn(go_on) == []


def test_what_fails_is_due_again(site: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.reconciling.looking_at_cin7.TRIES", 1)
    one = nightly(site)
    one.turn(go_on)
    last_done(site, "2 days")
    site.cin7.control("POST", "faults", {"method": "GET", "path": "purchaselist", "kind": "500"})
    with pytest.raises(ConnectorError):
        one.turn(go_on)
    site.cin7.control("DELETE", "faults")
    assert len(one.turn(go_on)) == 2


def test_a_call_that_fails_for_a_moment_is_made_again(site: Installation) -> None:
    one = nightly(site)
    one.turn(go_on)
    last_done(site, "2 days")
    site.cin7.control("POST", "faults", {"method": "GET", "path": "purchaselist", "kind": "500", "times": 1})
    assert len(one.turn(go_on)) == 2


def test_it_stops_when_told_to_and_is_due_again(site: Installation) -> None:
    one = nightly(site)
    one.turn(go_on)
    last_done(site, "2 days")
    with pytest.raises(ConnectorError, match="stopped before its end"):
        one.turn(lambda: True)
    assert site.worker.ledger.rows("select distinct outcome from reconciliation") == [("failed",)]
    assert len(one.turn(go_on)) == 2

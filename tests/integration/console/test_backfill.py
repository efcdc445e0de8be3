"""`connector backfill`: what is dated before go-live is brought in once, kept back, and let go beside live work."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from producers.backfilling import FEW, Feeder, Reader, window
from sandbox.ifs.faults import Fault
from sandbox.world import build_plain_world
from shared.errors import Retryable
from shared.flows import PURCHASE_ORDERS
from shared.ifs.spans import Span
from shared.ledger import backfills, entries
from tests.integration.console.installation import Installation, installed

ORDERS = 12
#: The plain world dates all its orders 2025-06-30.
JUNE = Span(date(2025, 6, 1), date(2025, 6, 30))
BACKFILL = ("backfill", "purchase_orders", "--from", "2025-06-01")


@pytest.fixture
def site(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    """Every order is dated before go-live, on 2025-07-01; the suppliers are there."""
    world = build_plain_world(3, ORDERS)
    options = {"start_from": "2025-07-01", "ifs": {"page_size": 5}}
    with installed(tmp_path, database_url, redis_url, world, capsys, monkeypatch, **options) as one:
        assert one("poll")[0] == 0
        one.work()
        assert states(one) == {}
        yield one


def states(site: Installation) -> dict[str, int]:
    rows = site.worker.ledger.rows("select state, count(*) from entry where flow = 'purchase_orders' group by state")
    return {str(row[0]): int(row[1]) for row in rows}


def work_off(site: Installation) -> None:
    """Let go what is kept back and work it off, until nothing is left."""
    feeder = Feeder(site.worker.ledger, site.worker.redis)
    while feeder.feed():
        site.work()


def purchases(site: Installation) -> int:
    return len(all_purchases(site))


def test_documents_before_go_live_are_brought_in_once_and_in_their_own_lane(site: Installation) -> None:
    ended = site.json(*BACKFILL, "--detach")
    assert (ended["documents"], ended["taken"], ended["moving"], ended["done"]) == (ORDERS, ORDERS, ORDERS, False)
    assert ended["forecast"]["calls"] == 3 * ORDERS
    assert ended["forecast"]["free_per_minute"] > 0
    assert site.writes() == [call for call in site.writes() if "supplier" in call]  # Nothing is let go by reading.
    work_off(site)
    assert states(site) == {"written": ORDERS}
    assert purchases(site) == ORDERS
    rows = site.worker.ledger.rows("select distinct lane from entry where flow = 'purchase_orders'")
    assert rows == [("backfill",)]
    again = site.json(*BACKFILL)
    assert (again["taken"], again["unchanged"], again["written"], again["done"]) == (0, ORDERS, ORDERS, True)
    assert purchases(site) == ORDERS


def test_the_status_shows_a_backfill_until_all_of_it_is_written(site: Installation) -> None:
    assert site.json("status")["backfills"] == []
    site.json(*BACKFILL, "--detach")
    (shown,) = site.json("status")["backfills"]
    assert (shown["first"], shown["last"], shown["read"]) == ("2025-06-01", "2025-06-30", True)
    assert (shown["taken"], shown["left"]) == (ORDERS, ORDERS)
    assert f"{ORDERS} of {ORDERS} still to be written." in site("status")[1]
    work_off(site)
    assert site.json("status")["backfills"] == []


def test_only_a_few_are_under_way_at_once(site: Installation) -> None:
    site.json(*BACKFILL, "--detach")
    feeder = Feeder(site.worker.ledger, site.worker.redis)
    assert feeder.feed() == FEW
    assert feeder.feed() == 0
    with site.worker.ledger.transaction() as cur:
        assert backfills.on_its_way(cur) == (FEW, 0)
    site.work()
    assert feeder.feed() >= FEW
    # Two that feed at once see each other's.
    assert Feeder(site.worker.ledger, site.worker.redis).feed() == 0


@pytest.mark.parametrize(("rate", "room"), [(0, FEW), (1, FEW), (50, 50)])
def test_the_faster_they_end_the_more_may_go(rate: float, room: int) -> None:
    assert window(rate) == room


def test_a_reading_that_is_killed_after_a_page_goes_on_behind_it(site: Installation) -> None:
    reader = Reader(site.worker, PURCHASE_ORDERS, JUNE, die_at(rows=5))
    with pytest.raises(Killed):
        reader.run()
    assert states(site) == {"detected": 5}
    before = len(site.cin7.control("GET", "requests")["requests"])
    ended = site.json(*BACKFILL, "--detach")
    assert (ended["documents"], ended["taken"], ended["moving"]) == (ORDERS, ORDERS, ORDERS)
    assert ended["backfill"] == 1
    assert len(site.cin7.control("GET", "requests")["requests"]) == before
    work_off(site)
    assert states(site) == {"written": ORDERS}
    assert purchases(site) == ORDERS
    outcomes = site.worker.ledger.rows("select outcome from poll where strategy = 'backfill' order by id")
    assert outcomes == [("abandoned",), ("done",)]


def test_what_fails_before_a_page_is_recorded_leaves_nothing_half(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = backfills.count_page

    def broken(*args: object, **named: object) -> None:
        counted(*args, **named)  # type: ignore[arg-type]
        raise Retryable("the ledger was lost")

    monkeypatch.setattr(backfills, "count_page", broken)
    code, _, err = site(*BACKFILL, "--detach")
    assert (code, states(site)) == (1, {})
    assert "the ledger was lost" in err
    monkeypatch.undo()
    assert site.json(*BACKFILL, "--detach")["taken"] == ORDERS


def test_a_poll_takes_what_was_brought_in_as_dated_after_the_start(site: Installation) -> None:
    site.json(*BACKFILL, "--detach")
    work_off(site)
    site.json("poll", "purchase_orders", "--sweep")
    assert states(site) == {"written": ORDERS}
    key = site.worker.ledger.rows("select min(key) from entry where flow = 'purchase_orders'")[0][0]
    site.edit("PurchaseOrderSet", patch=[{"OrderNo": key, "NoteText": "Call before delivery"}])
    site.json("poll", "purchase_orders", "--sweep")
    site.work()
    assert states(site) == {"written": ORDERS + 1}
    assert any("Call before delivery" in one["Note"] for one in all_purchases(site))


def test_other_days_stay_left_out(site: Installation) -> None:
    key = site.worker.ledger.rows("select min(key) from record where flow = 'purchase_orders'")[0][0]
    site.edit("PurchaseOrderSet", patch=[{"OrderNo": key, "OrderDate": "2025-05-31T00:00:00Z"}])
    ended = site.json(*BACKFILL, "--detach")
    assert ended["taken"] == ORDERS - 1
    site.json("poll", "purchase_orders", "--sweep")
    assert states(site) == {"detected": ORDERS - 1}


def test_a_repeated_backfill_changes_nothing_of_what_is_under_way(site: Installation) -> None:
    site.json(*BACKFILL, "--detach")
    feeder = Feeder(site.worker.ledger, site.worker.redis)
    feeder.feed()
    ended = site.json(*BACKFILL, "--detach")
    assert (ended["taken"], ended["unchanged"], ended["moving"]) == (0, ORDERS, ORDERS)
    site.work()
    work_off(site)
    assert states(site) == {"written": ORDERS}
    assert purchases(site) == ORDERS


def test_a_live_change_overtakes_what_is_kept_back(site: Installation) -> None:
    site.json(*BACKFILL, "--detach")
    key = site.worker.ledger.rows("select min(key) from entry where flow = 'purchase_orders'")[0][0]
    site.edit("PurchaseOrderSet", patch=[{"OrderNo": key, "NoteText": "Urgent"}])
    site.json("poll", "purchase_orders", "--sweep")
    site.work()
    assert states(site) == {"detected": ORDERS - 1, "superseded": 1, "written": 1}


def test_what_live_work_waits_for_is_let_go_at_once(site: Installation) -> None:
    site.json(*BACKFILL, "--detach")
    key = site.worker.ledger.rows("select max(key) from entry where flow = 'purchase_orders'")[0][0]
    with site.worker.ledger.transaction() as cur:
        messages = entries.ask(cur, "purchase_orders", key, actor="test", why="an invoice needs it")
    assert [len(message.entries) for message in messages] == [1]
    site.work()
    assert states(site) == {"detected": ORDERS - 1, "written": 1}


def test_a_dry_run_says_what_would_come_of_it_and_records_nothing(site: Installation) -> None:
    shown = site.json(*BACKFILL, "--dry-run")
    assert (shown["taken"], shown["actions"], shown["left_out"]) == (ORDERS, {"create": ORDERS}, 0)
    assert shown["forecast"]["calls"] == 3 * ORDERS
    assert states(site) == {}
    assert site.worker.ledger.rows("select count(*) from backfill") == [(0,)]
    code, out, _ = site(*BACKFILL, "--dry-run")
    assert code == 0
    assert f"Would be: {ORDERS} create" in out
    assert f"up to {3 * ORDERS} calls" in out


def test_what_is_held_of_it_is_exit_3(site: Installation) -> None:
    site.edit(
        "PurchaseOrderLineSet", patch=[{"OrderNo": "1000000", "LineNo": "1", "ReleaseNo": "1", "PartNo": "GHOST"}]
    )
    assert site.json(*BACKFILL, "--dry-run", code=3)["actions"] == {"create": ORDERS - 1, "held": 1}
    site.json(*BACKFILL, "--detach")
    work_off(site)
    ended = site.json(*BACKFILL, code=3)
    assert (ended["held"], ended["written"], ended["done"]) == (1, ORDERS - 1, True)


def test_without_workers_it_says_so_and_leaves_them_to_go_on_later(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.commands.backfill.ALONE_S", 0.1)
    code, out, _ = site(*BACKFILL)
    assert code == 0
    assert "No worker is running" in out
    assert f"{ORDERS} to be written" in out


def test_it_can_be_stopped_and_taken_up_again(site: Installation) -> None:
    site.json(*BACKFILL, "--detach")
    feeder = Feeder(site.worker.ledger, site.worker.redis)
    feeder.feed()
    assert site.json("backfill", "purchase_orders", "--stop") == {"flow": "purchase_orders", "stopped": ORDERS - FEW}
    site.work()
    assert states(site) == {"written": FEW, "dismissed": ORDERS - FEW}
    site.json("poll", "purchase_orders", "--sweep")  # The span does not count as admitted any more.
    assert states(site) == {"written": FEW, "dismissed": ORDERS - FEW}
    ended = site.json(*BACKFILL, "--detach")
    assert ended["moving"] == ended["taken"]
    work_off(site)
    assert purchases(site) == ORDERS


def test_suppliers_have_no_dates_and_come_all_together(site: Installation) -> None:
    ended = site.json("backfill", "suppliers", "--detach")
    assert (ended["documents"], ended["taken"], ended["unchanged"], ended["first"]) == (3, 0, 3, None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("backfill", "purchase_orders"), "Name the first business date"),
        (("backfill", "purchase_orders", "--from", "2025-08-01"), "the day before go-live"),
        (("backfill", "purchase_orders", "--from", "soon"), "does not match the format"),
        (("backfill", "orders", "--from", "2025-06-01"), "is not one of"),
        (("backfill", "journals"), "`connector poll journals --sweep` brings all that are there"),
        (("backfill", "cin7_suppliers"), "is not one of"),
    ],
)
def test_what_cannot_be_meant_is_exit_2(site: Installation, arguments: tuple[str, ...], sentence: str) -> None:
    code, _, err = site(*arguments)
    assert code == 2
    assert sentence in err


def test_ifs_away_is_one_sentence_and_the_next_attempt_goes_on(site: Installation) -> None:
    site.ifs.tenant.faults.add([Fault(kind="503", path="PurchaseOrderSet")])
    code, _, err = site(*BACKFILL, "--detach")
    assert code == 1, err
    assert len(err.strip().splitlines()) == 1
    assert site.json(*BACKFILL, "--detach")["taken"] == ORDERS


class Killed(BaseException):
    """What no handler of failures gets hold of."""


def die_at(rows: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done >= rows:
            raise Killed

    return tell


def all_purchases(site: Installation) -> list[dict[str, str]]:
    return [one for account in site.cin7.control("GET", "state")["accounts"] for one in account["purchases"]]

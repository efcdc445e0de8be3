"""Why entries are held: all reasons at once, one cause for many, and free exactly when nothing is left."""

import time
from concurrent.futures import ThreadPoolExecutor

from shared.findings import SELF_CLEARING
from shared.ledger import causes, entries
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, finding, held, hold, new, one, state

NINE = finding(value="9999")
EIGHT = finding(value="8888")
CONFLICT = finding("supplier.conflict", "Name")


def cause_of(ledger: Ledger, value: str) -> int:
    return int(one(ledger, "select max(id) from cause where value = %s", value))


def clear(ledger: Ledger, *values: str) -> list[int]:
    found = [cause_of(ledger, value) for value in values]
    with ledger.transaction() as cur:
        return causes.clear(cur, found)


def open_values(ledger: Ledger, *, self_clearing: bool = False) -> list[str]:
    with ledger.transaction() as cur:
        return [cause.value for cause in causes.open_causes(cur, self_clearing=self_clearing)]


def test_a_hold_names_every_reason_at_once(ledger: Ledger) -> None:
    entry = held(ledger, "1", NINE, EIGHT, finding("term.unmapped", "30"))
    rows = ledger.rows(
        "select code, value, company, remedy, open from finding where entry_id = %s order by id", (entry,)
    )
    assert [row[:2] for row in rows] == [
        ("account.missing", "9999"),
        ("account.missing", "8888"),
        ("term.unmapped", "30"),
    ]
    assert all(row[3].startswith("Mend") and row[4] for row in rows)
    assert one(ledger, "select why from event where becomes = 'held'") == "account.missing; term.unmapped"


def test_entries_with_the_same_culprit_share_one_cause(ledger: Ledger) -> None:
    for key in ("1", "2", "3"):
        held(ledger, key, NINE)
    held(ledger, "4", finding(value="9999", company="20"))
    rows = ledger.rows(
        "select c.company, count(*) from cause c join finding f on f.cause_id = c.id group by 1 order by 1"
    )
    assert rows == [("10", 3), ("20", 1)]


def test_many_holds_at_once_open_one_cause_and_do_not_get_stuck(ledger: Ledger) -> None:
    ids = [new(ledger, f"{number}") for number in range(16)]
    orders = [(NINE, EIGHT, CONFLICT), (CONFLICT, EIGHT, NINE)]
    samples.at_once(
        [lambda entry=entry, some=orders[entry % 2]: hold(ledger, entry, *some) for entry in ids]  # type: ignore[misc]
    )
    assert one(ledger, "select count(*) from cause") == 3
    assert one(ledger, "select count(*) from finding where open") == 48


def test_a_culprit_with_letters_that_no_database_takes_is_spelt_out(ledger: Ledger) -> None:
    held(ledger, "1", finding("source.invalid", "N\x00\ud800"))
    assert open_values(ledger) == ["N\\u0000\\ud800"]


def test_a_cause_that_is_gone_frees_what_nothing_else_holds(ledger: Ledger) -> None:
    only, both = held(ledger, "1", NINE), held(ledger, "2", NINE, EIGHT)
    with_person = held(ledger, "3", NINE, CONFLICT)
    assert clear(ledger, "9999") == [only]
    rows = ledger.rows("select id from entry where ready")
    assert rows == [(only,)]
    assert clear(ledger, "8888") == [both]
    assert state(ledger, with_person) == "held", "a conflict is for a person"
    assert clear(ledger, "9999") == [], "and it is gone once only"


def test_several_causes_gone_together_free_what_they_held_together(ledger: Ledger) -> None:
    both = held(ledger, "1", NINE, EIGHT)
    assert clear(ledger, "9999", "8888") == [both]


def test_two_that_clear_the_two_causes_of_one_entry_free_it(ledger: Ledger) -> None:
    for number in range(14):
        nine, eight = f"9-{number}", f"8-{number}"
        entry = held(ledger, f"{number}", finding(value=nine), finding(value=eight))
        samples.at_once([lambda value=value: clear(ledger, value) for value in (nine, eight)])  # type: ignore[misc]
        assert one(ledger, "select ready from entry where id = %s", entry), "each found it held by the other"


def test_a_cause_that_comes_back_is_a_new_one(ledger: Ledger) -> None:
    held(ledger, "1", NINE)
    clear(ledger, "9999")
    held(ledger, "2", NINE)
    assert [row[0] for row in ledger.rows("select status from cause order by id")] == ["cleared", "open"]


def test_only_causes_that_show_by_themselves_that_they_are_gone_are_looked_at(ledger: Ledger) -> None:
    held(ledger, "1", NINE, CONFLICT)
    assert open_values(ledger, self_clearing=True) == ["9999"]
    assert open_values(ledger) == ["Name", "9999"] or open_values(ledger) == ["9999", "Name"]
    assert not {"target.refused", "supplier.possible-duplicate", "supplier.conflict", "bug"} & SELF_CLEARING


def test_a_cause_without_entries_is_closed(ledger: Ledger) -> None:
    entry = held(ledger, "1", NINE)
    held(ledger, "2", EIGHT)
    with ledger.transaction() as cur:
        entries.close(cur, [entry], "dismissed", actor="ann", why="keyed by hand")
        assert causes.close_idle(cur) == 1
    assert open_values(ledger) == ["8888"]


def test_no_hold_is_left_with_a_cause_that_was_closed_beside_it(ledger: Ledger, database_url: str) -> None:
    """What is replayed and held again for the same reason meets the one who closes causes that hold nothing."""
    entry = held(ledger, "1", NINE)
    with ledger.transaction() as cur:
        entries.send_again(cur, ORDERS, [entry], actor="ann", why="")

    def tidy() -> int:
        other = Ledger(database_url)
        with other.transaction() as cur:
            closed = causes.close_idle(cur)
        other.close()
        return closed

    with ThreadPoolExecutor(1) as pool:
        with ledger.transaction() as cur:
            entries.hold(cur, entry, "map", [NINE], actor="test")
            tidying = pool.submit(tidy)
            time.sleep(0.3)  # It has begun, and sees the hold not yet.
        assert tidying.result(20) == 0
    assert open_values(ledger) == ["9999"]


def test_a_replay_is_a_new_round_beside_the_old_ones(ledger: Ledger) -> None:
    entry = held(ledger, "1", NINE)
    with ledger.transaction() as cur:
        (message,) = entries.send_again(cur, ORDERS, [entry], actor="ann", why="replayed by ann")
    assert (message.queue, message.entries) == (f"map.{ORDERS}", (entry,))
    assert ledger.rows("select state, round, reread, attempts, lane, stage from entry") == [
        ("detected", 2, True, 0, "replay", "map")
    ]
    hold(ledger, entry, EIGHT)
    rows = ledger.rows("select round, value, open from finding order by id")
    assert rows == [(1, "9999", False), (2, "8888", True)]
    assert samples.story(ledger, entry) == ["detected", "held", "detected", "held"]


def test_only_what_is_held_is_replayed(ledger: Ledger) -> None:
    moving, closed = new(ledger, "1"), held(ledger, "2")
    with ledger.transaction() as cur:
        entries.close(cur, [closed], "dismissed", actor="ann", why="")
        assert entries.send_again(cur, ORDERS, [moving, closed], actor="ann", why="") == []


def test_two_replays_at_once_send_one_message(ledger: Ledger) -> None:
    entry = held(ledger, "1")

    def replay() -> int:
        with ledger.transaction() as cur:
            return len(entries.send_again(cur, ORDERS, [entry], actor="ann", why=""))

    assert sum(samples.at_once([replay] * 5)) == 1
    assert one(ledger, "select round from entry") == 2


def test_the_oldest_held_entry_is_the_witness_of_a_cause(ledger: Ledger) -> None:
    first, second = held(ledger, "1", NINE), held(ledger, "2", NINE)
    with ledger.transaction() as cur:
        assert causes.witnesses(cur, cause_of(ledger, "9999"), 5) == [first, second]
        entries.close(cur, [first], "dismissed", actor="ann", why="")
        assert causes.witnesses(cur, cause_of(ledger, "9999")) == [second]

"""One worker at a time on one record: claims, leases by PostgreSQL's clock, fences and the count of crashes."""

import time

import pytest

from shared.ledger import claiming, entries
from shared.ledger.claiming import LeaseLost, MappingClaim
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, claim, new, one, ready, rest, state, taken


def for_mapping(ledger: Ledger, *ids: int, lease_s: float = 60, flow: str = ORDERS) -> list[MappingClaim]:
    with ledger.transaction() as cur:
        return claiming.claim_for_mapping(cur, flow, ids, lease_s)


def test_one_of_many_mappers_gets_each_entry(ledger: Ledger) -> None:
    ids = [new(ledger, f"{number}") for number in range(12)]
    found = samples.at_once([lambda: for_mapping(ledger, *ids)] * 6)
    assert sorted(claimed.id for some in found for claimed in some) == ids


def test_one_of_many_writers_gets_the_record(ledger: Ledger) -> None:
    for number in range(6):
        entry = ready(ledger, f"{number}")
        found = samples.at_once([lambda entry=entry: claim(ledger, entry)] * 6)  # type: ignore[misc]
        assert sum(mine is not None for mine in found) == 1


def test_two_versions_of_a_record_are_not_written_at_once(ledger: Ledger) -> None:
    old = ready(ledger, "1", "old")
    first = taken(ledger, old)
    newer = ready(ledger, "1", "new")
    assert claim(ledger, newer) is None
    with ledger.transaction() as cur:
        claiming.give_back(cur, first)
    assert taken(ledger, newer).fence == first.fence + 1


def test_a_claim_carries_what_the_worker_needs(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    (mine,) = for_mapping(ledger, entry)
    assert (mine.key, mine.version, mine.claims, mine.reread, mine.company) == ("1", 1, 1, False, "10")
    assert mine.raw == samples.seen("1").raw
    with ledger.transaction() as cur:
        result = entries.Mapped(entry, mine.round, mine.detected_at, b'{"x":1}', "20")
        (message,) = entries.mapped(cur, ORDERS, [result], actor="test")
    assert (message.queue, message.entries) == (f"write.{ORDERS}", (entry,))
    writing = taken(ledger, entry)
    assert (writing.mapped, writing.company, writing.claims, writing.written_version) == (b'{"x":1}', "20", 1, 0)


def test_entries_of_another_flow_are_not_claimed(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    assert for_mapping(ledger, entry, flow=samples.SUPPLIERS) == []


def test_a_lease_ends_by_the_clock_of_postgresql(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    for_mapping(ledger, entry, lease_s=0.15)
    assert for_mapping(ledger, entry) == []
    time.sleep(0.2)
    (again,) = for_mapping(ledger, entry)
    assert again.claims == 2
    writing = ready(ledger, "2")
    taken(ledger, writing, lease_s=0.15)
    assert claim(ledger, writing) is None
    time.sleep(0.2)
    assert taken(ledger, writing).claims == 2


def test_who_lost_the_record_can_neither_extend_nor_finish(ledger: Ledger) -> None:
    entry = ready(ledger, "1")
    frozen = taken(ledger, entry, lease_s=0)
    mine = taken(ledger, entry)
    for change in (claiming.extend, claiming.give_back):
        with pytest.raises(LeaseLost, match="purchase_orders 1"), ledger.transaction() as cur:
            change(cur, frozen)
    with ledger.transaction() as cur:
        claiming.extend(cur, mine)
    assert claim(ledger, entry) is None


def test_a_lease_that_ran_out_unnoticed_may_be_extended_by_its_holder(ledger: Ledger) -> None:
    entry = ready(ledger, "1")
    mine = taken(ledger, entry, lease_s=0)
    with ledger.transaction() as cur:
        cur.execute("select 1")
        claiming.extend(cur, mine)


def test_claims_without_an_outcome_are_counted_and_an_outcome_clears_them(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    counts = [for_mapping(ledger, entry, lease_s=0)[0].claims for _ in range(3)]
    assert counts == [1, 2, 3]
    rest(ledger, entry)
    assert for_mapping(ledger, entry, lease_s=0)[0].claims == 1
    samples.map_(ledger, entry)
    assert [taken(ledger, entry, lease_s=0).claims for _ in range(2)] == [1, 2]


def test_what_rests_is_not_claimed_before_its_time(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    rest(ledger, entry, delay_s=0.2)
    assert for_mapping(ledger, entry) == []
    time.sleep(0.25)
    assert [mine.attempts for mine in for_mapping(ledger, entry)] == [1]
    writing = ready(ledger, "2")
    rest(ledger, writing, "write", delay_s=60)
    assert claim(ledger, writing) is None


def test_a_failure_that_is_not_the_entrys_counts_as_no_attempt(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    rest(ledger, entry, counts=False)
    rest(ledger, entry, counts=True)
    rest(ledger, entry, counts=False)
    assert one(ledger, "select attempts from entry") == 1


def test_a_preview_takes_nothing(ledger: Ledger) -> None:
    later, entry = ready(ledger, "2"), ready(ledger, "1")
    with ledger.transaction() as cur:
        found = claiming.preview(cur, ORDERS, [entry, later])
    assert [look.id for look in found] == [later, entry]
    assert claim(ledger, entry) is not None


def test_what_is_written_closes_what_is_older(ledger: Ledger) -> None:
    old = ready(ledger, "1", "old")
    blocker = taken(ledger, old)
    newer = ready(ledger, "1", "new")  # The older stays open, for it is being written.
    with ledger.transaction() as cur:
        claiming.give_back(cur, blocker)
    samples.write(ledger, newer)
    assert samples.states(ledger, "1") == ["superseded", "written"]
    assert one(ledger, "select written_version from record") == 2


def test_an_older_version_than_the_written_one_says_so_to_its_writer(ledger: Ledger) -> None:
    old = ready(ledger, "1", "old")
    with ledger.transaction() as cur:
        cur.execute("update record set version = 2, written_version = 2")
    mine = taken(ledger, old)
    assert (mine.version, mine.written_version, mine.newest_version) == (1, 2, 2)


def test_a_worker_that_was_away_too_long_does_not_touch_what_went_on(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    for_mapping(ledger, entry, lease_s=0)
    samples.map_(ledger, entry)  # Another mapper was faster.
    with ledger.transaction() as cur:
        assert not entries.hold(cur, entry, "map", [samples.finding()], actor="slow")
        entries.retry(cur, entry, "map", delay_s=0, why="slow", actor="slow")
    assert state(ledger, entry) == "mapped"
    samples.write(ledger, entry)
    with ledger.transaction() as cur:
        assert not entries.hold(cur, entry, "write", [samples.finding()], actor="slow")
        entries.retry(cur, entry, "write", delay_s=0, why="slow", actor="slow")
    assert state(ledger, entry) == "written"
    assert one(ledger, "select count(*) from event where actor = 'slow'") == 0
    assert one(ledger, "select count(*) from finding") == 0


def test_the_outcome_of_the_first_of_two_mappers_counts(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    (slow,) = for_mapping(ledger, entry, lease_s=0)
    samples.map_(ledger, entry, body=b"fast")
    with ledger.transaction() as cur:
        late = entries.Mapped(entry, slow.round, slow.detected_at, b"slow", "10")
        assert entries.mapped(cur, ORDERS, [late], actor="slow") == []
    assert taken(ledger, entry).mapped == b"fast"

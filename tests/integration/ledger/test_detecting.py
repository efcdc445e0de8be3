"""What a read saw becomes entries: one per change, none for what is as it was, whoever reads at once."""

from datetime import date, timedelta

import pytest

from shared.ledger import claiming, detecting, entries, watermarks
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, detect, later, new, one, seen, skipped, state, states


def test_what_is_unchanged_costs_no_entry(ledger: Ledger) -> None:
    detect(ledger, seen("1"), seen("2"))
    again = detect(ledger, seen("1"), seen("2"))
    assert (again.entries, again.unchanged) == ((), 2)
    assert one(ledger, "select count(*) from entry") == 2
    assert one(ledger, "select count(*) from event") == 2


def test_there_and_back_again_is_three_versions(ledger: Ledger) -> None:
    for text in ("a", "b", "a"):
        assert len(detect(ledger, seen("1", text)).entries) == 1
    assert ledger.rows("select version, state from entry order by version") == [
        (1, "superseded"),
        (2, "superseded"),
        (3, "detected"),
    ]


def test_entries_come_in_the_order_in_which_they_were_read(ledger: Ledger) -> None:
    found = detect(ledger, seen("9"), seen("10"), seen("2"))
    keys = [one(ledger, "select key from entry where id = %s", entry) for entry in found.entries]
    assert keys == ["9", "10", "2"]
    assert list(found.entries) == sorted(found.entries)


def test_the_raw_bytes_are_kept_as_they_came(ledger: Ledger) -> None:
    raw = b'{"header": {"amount": 1.50, "name": "\\u0000 \\ud800"}}\xff\x00'
    (entry,) = detect(ledger, seen("1", raw=raw, company="1\x00\ud800", stamp="\x00")).entries
    assert bytes(one(ledger, "select raw from body where entry_id = %s", entry)) == raw
    assert one(ledger, "select company from entry") == "1\\u0000\\ud800"


def test_a_read_that_began_earlier_brings_no_news(ledger: Ledger) -> None:
    with ledger.transaction() as cur:
        began = detecting.database_now(cur)
    newer = new(ledger, "1", "newer")
    stale = detect(ledger, seen("1", "older"), read_at=began)
    assert (stale.entries, stale.unchanged) == ((), 0)
    assert state(ledger, newer) == "detected"
    assert len(detect(ledger, seen("1", "newest")).entries) == 1


def test_two_reads_at_once_of_a_new_record_make_one_entry(ledger: Ledger) -> None:
    for key in ("1", "2", "3", "4", "5"):
        found = samples.at_once([lambda key=key: detect(ledger, seen(key))] * 6)  # type: ignore[misc]
        assert sum(len(one.entries) for one in found) == 1
        assert sum(one.unchanged for one in found) == 5
    assert one(ledger, "select count(*) from record") == 5


def test_batches_that_name_the_same_records_in_another_order_do_not_get_stuck(ledger: Ledger) -> None:
    batch = [seen(f"{number}") for number in range(40)]
    works = [lambda batch=order: detect(ledger, *batch) for order in (batch, batch[::-1], batch[20:] + batch[:20])]
    found = samples.at_once(works)
    assert sum(len(one.entries) for one in found) == 40


def test_a_page_that_names_a_record_twice_counts_its_last_row(ledger: Ledger) -> None:
    (entry,) = detect(ledger, seen("1", "a"), seen("1", "b")).entries
    assert b'"b"' in bytes(one(ledger, "select raw from body where entry_id = %s", entry))


@pytest.mark.parametrize("was", ["detected", "mapped", "retrying", "held", "waiting"])
def test_a_newer_version_closes_an_older_open_one(ledger: Ledger, was: str) -> None:
    old = new(ledger, "1", "old")
    if was in {"mapped", "waiting"}:
        samples.map_(ledger, old)
    if was == "waiting":
        samples.wait_for(ledger, old, "suppliers/S1@main")
    if was == "retrying":
        samples.rest(ledger, old, delay_s=600)
    if was == "held":
        samples.hold(ledger, old)
    found = detect(ledger, seen("1", "new"))
    assert states(ledger, "1") == ["superseded", "detected"]
    assert found.unheld == (((old, "map"),) if was == "held" else ())
    assert one(ledger, "select count(*) from finding where open") == 0
    assert samples.story(ledger, old)[-1] == "superseded"


def test_a_closed_version_stays_as_it_ended(ledger: Ledger) -> None:
    old = samples.ready(ledger, "1")
    samples.write(ledger, old)
    new(ledger, "1", "new")
    assert states(ledger, "1") == ["written", "detected"]


def test_a_version_that_is_being_written_is_left_to_its_writer(ledger: Ledger) -> None:
    old = samples.ready(ledger, "1", "old")
    mine = samples.taken(ledger, old)
    newer = new(ledger, "1", "new")
    assert state(ledger, old) == "mapped"
    with ledger.transaction() as cur:
        newest = claiming.let_go(cur, [mine], written=True)
        assert newest == {old: 2}, "its writer learns that there is a newer one"
        entries.written(cur, [mine], actor="test", why={old: ""})
    assert states(ledger, "1") == ["written", "detected"]
    assert state(ledger, newer) == "detected"


def test_a_lease_that_ran_out_protects_nothing(ledger: Ledger) -> None:
    old = samples.ready(ledger, "1", "old")
    samples.taken(ledger, old, lease_s=0)
    new(ledger, "1", "new")
    assert state(ledger, old) == "superseded"


def test_records_that_are_left_alone_are_counted_and_make_no_entry(ledger: Ledger) -> None:
    first = detect(ledger, skipped("1"), skipped("2"), seen("3"))
    assert (len(first.entries), first.skipped) == (1, 2)
    again = detect(ledger, skipped("1"), skipped("2", tag="changed"), seen("3"))
    assert (again.entries, again.skipped, again.unchanged) == ((), 2, 2)


def test_a_record_that_was_left_alone_is_sent_once_it_is_for_us(ledger: Ledger) -> None:
    detect(ledger, skipped("1", "in state Planned, which is left alone"))
    (entry,) = detect(ledger, seen("1")).entries
    assert one(ledger, "select version from entry where id = %s", entry) == 1
    assert detect(ledger, skipped("1", "in state Closed, which is left alone")).skipped == 1
    (again,) = detect(ledger, seen("1")).entries
    assert one(ledger, "select version from entry where id = %s", again) == 2, (
        "though its fingerprint is that of before"
    )


def test_records_of_other_flows_with_the_same_key_are_others(ledger: Ledger) -> None:
    assert len(detect(ledger, seen("1")).entries) == 1
    assert len(detect(ledger, seen("1"), flow=samples.SUPPLIERS).entries) == 1


def sweep(ledger: Ledger, number: int, *keys: str) -> None:
    detect(ledger, *(seen(key) for key in keys), sweep=number)


def begun(ledger: Ledger) -> int:
    sql = """
        insert into poll (flow, source, strategy, pulled_at) values (%s, '', 'sweep', clock_timestamp()) returning id
    """
    return int(one(ledger, sql, ORDERS))


def gone(ledger: Ledger, number: int) -> list[str]:
    with ledger.transaction() as cur:
        return watermarks.vanished(cur, ORDERS, number)


def test_what_a_whole_sweep_did_not_meet_has_vanished_and_is_told_once(ledger: Ledger) -> None:
    detect(ledger, *(seen(f"{number}") for number in range(1, 5)))
    first = begun(ledger)
    sweep(ledger, first, "1", "3")
    assert gone(ledger, first) == ["2", "4"]
    second = begun(ledger)
    sweep(ledger, second, "1", "3")
    assert gone(ledger, second) == []
    with ledger.transaction() as cur:
        assert watermarks.population(cur, ORDERS) == 2


def test_what_comes_back_unchanged_is_there_again_without_an_entry(ledger: Ledger) -> None:
    detect(ledger, seen("1"), seen("2"))
    first = begun(ledger)
    sweep(ledger, first, "1")
    gone(ledger, first)
    assert detect(ledger, seen("2")).entries == ()
    with ledger.transaction() as cur:
        assert watermarks.population(cur, ORDERS) == 2


def test_a_record_that_appeared_behind_the_sweep_has_not_vanished(ledger: Ledger) -> None:
    detect(ledger, seen("5"))
    number = begun(ledger)
    sweep(ledger, number, "5")
    detect(ledger, seen("1"))  # Read by key, after the sweep had passed its place.
    assert gone(ledger, number) == []


def test_a_record_that_was_asked_for_and_never_read_cannot_vanish(ledger: Ledger) -> None:
    samples.ask(ledger, "1")
    number = begun(ledger)
    assert gone(ledger, number) == []


def test_an_unchanged_record_that_was_read_again_later_still_stops_a_stale_read(ledger: Ledger) -> None:
    detect(ledger, seen("1", "a", header_tag="x"))
    began = later(-5)
    at = later(60)
    detect(ledger, seen("1", "a", header_tag="y"), read_at=at)
    assert detect(ledger, seen("1", "b"), read_at=began).entries == ()
    assert len(detect(ledger, seen("1", "b"), read_at=at + timedelta(seconds=1)).entries) == 1


def test_a_record_is_dated_as_it_was_last_seen(ledger: Ledger) -> None:
    def dated() -> list[object]:
        return [row[0] for row in ledger.rows("select dated from record order by key")]

    detect(ledger, seen("1", dated=date(2026, 3, 1)), seen("2"))
    assert dated() == [date(2026, 3, 1), None]
    detect(ledger, seen("1", "b", dated=date(2026, 4, 1)), seen("2", dated=date(2026, 3, 9)))
    assert dated() == [date(2026, 4, 1), date(2026, 3, 9)]

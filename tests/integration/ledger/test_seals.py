"""Seals find any later change of the events and bodies, and are never set before a transaction is over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from shared.ledger import seals
from shared.ledger.connection import Cur, Ledger
from shared.ledger.seals import Verdict
from tests.integration.ledger import samples
from tests.integration.ledger.samples import held, new, one, ready


def seal(ledger: Ledger, batch: int = seals.BATCH) -> int:
    with ledger.transaction() as cur:
        return seals.seal(cur, batch)


def verdict(ledger: Ledger) -> Verdict:
    with ledger.transaction() as cur:
        return seals.verify(cur)


@contextmanager
def as_superuser(ledger: Ledger) -> Iterator[Cur]:
    """Go behind the triggers, as somebody who owns the tables can."""
    with ledger.transaction() as cur:
        cur.execute("set local session_replication_role = replica")
        yield cur


def a_year(ledger: Ledger) -> None:
    """Record some events under three seals, and one that is not sealed yet."""
    for number in range(3):
        held(ledger, f"1{number}")
        ready(ledger, f"2{number}")
        assert seal(ledger) == 4
    new(ledger, "9")


def test_an_untouched_ledger_is_intact(ledger: Ledger) -> None:
    assert verdict(ledger) == Verdict(seals=0, events=0, unsealed=0, head="0" * 64, broken=())
    a_year(ledger)
    found = verdict(ledger)
    assert (found.seals, found.events, found.unsealed, found.intact) == (3, 12, 1, True)


def test_nothing_new_makes_no_seal(ledger: Ledger) -> None:
    new(ledger, "1")
    assert [seal(ledger), seal(ledger)] == [1, 0]
    assert one(ledger, "select count(*) from seal") == 1


EDITS = {
    "a reason": "update event set why = 'nobody knows' where id = 5",
    "an actor": "update event set actor = 'somebody else' where id = 5",
    "a time": "update event set happened_at = happened_at - interval '1 microsecond' where id = 5",
    "a state": "update event set becomes = 'written' where id = 5",
    "the entry": "update event set entry_id = entry_id + 1 where id = 5",
    "a transaction": "update event set xid = (xid::text::bigint + 1)::text::xid8 where id = 5",
    "one deleted": "delete from event where id = 5",
    "one deleted of the newest seal": "delete from event where id = 12",
    "one inserted": """
        insert into event (entry_id, was, becomes, actor, xid)
        select entry_id, was, becomes, actor, xid from event where id = 5""",
    "a seal deleted": "delete from seal where id = 2",
    "a seal renewed": "update seal set digest = repeat('a', 64) where id = 1",
    "a seal moved": "update seal set below_xid = (select xid from event where id = 12) where id = 3",
}


def test_any_edit_behind_the_triggers_is_found(ledger: Ledger) -> None:
    a_year(ledger)
    for what, edit in EDITS.items():
        with ledger.connection().transaction(force_rollback=True), ledger.connection().cursor() as cur:
            cur.execute("set local session_replication_role = replica")
            cur.execute(edit.encode())
            found = seals.verify(cur)
        assert not found.intact, what
        assert "seal" in found.broken[0]
    assert verdict(ledger).intact


def test_words_cannot_be_moved_from_one_field_to_the_next(ledger: Ledger) -> None:
    with ledger.transaction() as cur:
        cur.execute(
            "insert into event (entry_id, was, becomes, actor, why, detail) values (1, '', '', 'a', 'b|c', 'd')"
        )
    seal(ledger)
    with as_superuser(ledger) as cur:
        cur.execute("update event set why = 'b', detail = 'c|d'")
    assert not verdict(ledger).intact


def test_a_broken_seal_names_its_moment_and_its_counts(ledger: Ledger) -> None:
    a_year(ledger)
    with as_superuser(ledger) as cur:
        cur.execute("delete from event where id = 5")
    broken = verdict(ledger).broken[0]
    assert broken.startswith("seal 2 of ")
    assert broken.endswith(" UTC is broken: 4 events then, 3 now")


def test_later_seals_stand_on_the_earlier_ones(ledger: Ledger) -> None:
    new(ledger, "1")
    seal(ledger)
    head = verdict(ledger).head
    new(ledger, "2")
    seal(ledger)
    assert verdict(ledger).head != head
    with as_superuser(ledger) as cur:
        cur.execute("delete from seal; update event set why = 'nothing was here' where id = 1")
    seal(ledger)
    found = verdict(ledger)
    assert found.intact, "who rewrites everything leaves no trace in here"
    assert found.head != head, "but the head that was kept elsewhere tells"


def test_a_session_with_other_habits_finds_the_same(ledger: Ledger) -> None:
    a_year(ledger)
    with ledger.transaction() as cur:
        cur.execute("set local timezone = 'Asia/Kathmandu'")
        cur.execute("set local datestyle = 'German'")
        assert seals.verify(cur).intact


def test_an_open_transaction_never_ends_up_below_a_seal(ledger: Ledger, database_url: str) -> None:
    with psycopg.connect(database_url) as slow:
        slow.execute("insert into event (entry_id, was, becomes, actor) values (77, '', '', 'slow')")
        new(ledger, "1")
        assert seal(ledger) == 0, "the slow one began earlier: nothing above it may be sealed"
        slow.commit()
    assert seal(ledger) == 2
    assert verdict(ledger).intact


def test_many_writers_and_sealers_at_once_leave_an_intact_ledger(ledger: Ledger) -> None:
    def write(number: int) -> Callable[[], int]:
        return lambda: sum(len(samples.detect(ledger, samples.seen(f"{number}-{one}")).entries) for one in range(12))

    def sealing() -> int:
        return sum(seal(ledger) for _ in range(25))

    counts = samples.at_once([*(write(number) for number in range(4)), sealing, sealing])
    rest = seal(ledger)
    assert sum(counts[:4]) == 48
    assert sum(counts[4:]) + rest == 48, "every event is under exactly one seal"
    found = verdict(ledger)
    assert (found.intact, found.events, found.unsealed) == (True, 48, 0)


def test_a_large_backlog_is_sealed_in_several_parts(ledger: Ledger) -> None:
    samples.detect(ledger, *(samples.seen(f"a{number}") for number in range(7)))
    for number in range(5):
        new(ledger, f"b{number}")
    assert seal(ledger, batch=3) == 12
    counts = [row[0] for row in ledger.rows("select events from seal order by id")]
    assert counts == [7, 3, 2], "a transaction is never cut in two"
    assert verdict(ledger).intact


def test_an_edited_body_is_found(ledger: Ledger) -> None:
    entry = ready(ledger, "1")
    for kind in ("source", "mapped"):
        for edit in ("raw = 'x'", "raw = 'x', digest = encode(sha256('x'), 'hex')"):
            with ledger.connection().transaction(force_rollback=True), ledger.connection().cursor() as cur:
                cur.execute(f"update body set {edit} where kind = %s", (kind,))  # noqa: S608 - from the list above
                broken = seals.verify(cur).broken
            assert f"the {kind} body of entry {entry} is not what was recorded" in broken


def test_a_lost_body_is_found(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    with ledger.transaction() as cur:
        cur.execute("delete from body")
    assert verdict(ledger).broken == (f"a body that entry {entry} had when it was detected is missing",)

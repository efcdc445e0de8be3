"""The database keeps to the table of legal moves, and what is past cannot be changed."""

import psycopg
import pytest

from shared.ledger.connection import Ledger
from shared.ledger.states import MOVES, STATES
from tests.integration.ledger import samples
from tests.integration.ledger.samples import new, one


def test_the_moves_of_the_code_are_the_moves_of_the_database(ledger: Ledger) -> None:
    rows = ledger.rows("select was, becomes from move")
    assert {(row[0], row[1]) for row in rows} == {(was, then) for was, moves in MOVES.items() for then in moves}


def test_every_move_is_allowed_or_refused_as_the_table_says(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    for was in STATES:
        for becomes in STATES:
            if was == becomes:
                continue
            with ledger.connection().transaction(force_rollback=True), ledger.connection().cursor() as cur:
                # As a superuser would, to get there whatever the way.
                cur.execute("alter table entry disable trigger entry_moves")
                cur.execute("update entry set state = %s where id = %s", (was, entry))
                cur.execute("alter table entry enable trigger entry_moves")
                move = "update entry set state = %s where id = %s"
                if becomes in MOVES[was]:
                    cur.execute(move, (becomes, entry))
                else:
                    with pytest.raises(psycopg.errors.CheckViolation, match=f"from {was} to {becomes}"):
                        cur.execute(move, (becomes, entry))


def test_a_state_that_does_not_exist_is_refused(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    with pytest.raises(psycopg.errors.CheckViolation), ledger.transaction() as cur:
        cur.execute("update entry set state = 'lost' where id = %s", (entry,))


def test_what_is_past_cannot_be_changed(ledger: Ledger) -> None:
    with ledger.transaction() as cur:
        cur.execute(
            "insert into event (entry_id, was, becomes, actor, recorded_at) values (1, '', '', '', '2019-05-05')"
        )
        cur.execute("insert into seal (below_xid, events, digest) values ('1', 0, '')")
        cur.execute("insert into mapping_edit (table_name, key, who) values ('accounts', '{}', 'me')")
    for table in ("event", "event_default", "seal", "mapping_edit"):
        for statement in ("update {} set id = default", "delete from {}", "truncate {}"):
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
                ledger.transaction() as cur,
            ):
                cur.execute(statement.format(table))


def test_no_partition_of_the_events_lets_itself_be_emptied_or_edited(ledger: Ledger) -> None:
    new(ledger, "1")
    with ledger.transaction() as cur:
        cur.execute("select ensure_partitions(now()::date, 6)")
    parts = [
        row[0]
        for row in ledger.rows("select inhrelid::regclass::text from pg_inherits where inhparent = 'event'::regclass")
    ]
    assert len(parts) >= 8
    filled = one(ledger, "select tableoid::regclass::text from event limit 1")
    for part in parts:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.transaction() as cur:
            cur.execute(f"truncate {part}")
    for statement in ("update {} set why = 'x'", "delete from {}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.transaction() as cur:
            cur.execute(statement.format(filled))


def test_every_move_tells_its_story(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    samples.rest(ledger, entry)
    samples.rest(ledger, entry)
    samples.map_(ledger, entry)
    samples.write(ledger, entry)
    assert samples.story(ledger, entry) == ["detected", "retrying", "retrying", "mapped", "written"]
    assert one(ledger, "select count(*) from event where actor = '' or happened_at is null") == 0

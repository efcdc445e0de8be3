"""Hints: many calls are one hint, one reader at a time, and nothing that came during a read is lost with it."""

from datetime import datetime

import psycopg
import pytest

from shared.ledger import hints
from shared.ledger.connection import Ledger
from shared.ledger.detecting import database_now
from shared.ledger.hints import Hint, Waiting

A, B, C = (f"{first}d0c1f5e-0a3b-4b1e-9a55-0f6b1a0f7f10" for first in "567")


def receive(ledger: Ledger, *targets: str, account: str = "main") -> int:
    with ledger.transaction() as cur:
        return hints.receive(cur, account, hints.SUPPLIER, targets)


def take(ledger: Ledger, account: str = "main", lease_s: float = 60) -> Hint | None:
    with ledger.transaction() as cur:
        return hints.take(cur, account, lease_s)


def taken(ledger: Ledger) -> Hint:
    hint = take(ledger)
    assert hint is not None
    return hint


def now(ledger: Ledger) -> datetime:
    with ledger.transaction() as cur:
        return database_now(cur)


def answer(ledger: Ledger, hint: Hint, read_at: datetime, rest_s: float = 0, *, dropped: bool = False) -> None:
    with ledger.transaction() as cur:
        hints.answered(cur, hint, read_at=read_at, rest_s=rest_s, dropped=dropped)


def waiting(ledger: Ledger, account: str = "main") -> Waiting:
    with ledger.transaction() as cur:
        return hints.waiting(cur, [account])[0]


def test_many_calls_about_one_record_are_one_hint(ledger: Ledger) -> None:
    assert [receive(ledger, A) for _ in range(3)] == [0, 1, 1]
    assert receive(ledger, A, B, B) == 1
    assert waiting(ledger).waiting == 2
    assert {taken(ledger).target, taken(ledger).target} == {A, B}
    assert take(ledger) is None


def test_the_oldest_is_taken_first_and_only_once_and_by_its_own_account(ledger: Ledger) -> None:
    receive(ledger, A)
    receive(ledger, B)
    receive(ledger, A)
    assert take(ledger, account="second") is None
    assert (taken(ledger).target, taken(ledger).target, take(ledger)) == (A, B, None)


def test_what_an_answer_stood_for_is_over_and_counted(ledger: Ledger) -> None:
    receive(ledger, A)
    receive(ledger, A)
    answer(ledger, taken(ledger), now(ledger))
    assert take(ledger) is None
    told = waiting(ledger)
    assert (told.waiting, told.oldest_s, told.calls, told.reads, told.dropped) == (0, None, 2, 1, 0)
    receive(ledger, A)
    answer(ledger, taken(ledger), now(ledger), dropped=True)
    assert (waiting(ledger).calls, waiting(ledger).reads, waiting(ledger).dropped) == (3, 2, 1)


def test_a_call_that_comes_during_a_read_is_answered_by_another_read(ledger: Ledger) -> None:
    receive(ledger, A)
    read_at, hint = now(ledger), taken(ledger)
    receive(ledger, A)
    assert take(ledger) is None
    answer(ledger, hint, read_at)
    again = taken(ledger)
    assert (again.calls, again.attempts, again.since >= read_at) == (2, 1, True)
    answer(ledger, again, now(ledger))
    assert take(ledger) is None


def test_a_record_that_was_just_read_rests(ledger: Ledger) -> None:
    receive(ledger, A)
    answer(ledger, taken(ledger), now(ledger), rest_s=30)
    receive(ledger, A)
    assert take(ledger) is None
    ledger.rows("update hint set due_at = now() returning 1")
    assert taken(ledger).target == A


def test_a_hint_whose_reader_died_is_taken_again_after_its_lease(ledger: Ledger) -> None:
    receive(ledger, A)
    first = take(ledger, lease_s=0)
    assert first is not None
    second = taken(ledger)
    assert (second.target, second.attempts) == (A, 2)
    assert take(ledger) is None
    # The first one was only frozen: its late answer ends no more than it knew of.
    receive(ledger, A)
    answer(ledger, first, now(ledger))
    assert waiting(ledger).waiting == 1


def test_what_could_not_be_read_comes_again_later(ledger: Ledger) -> None:
    receive(ledger, A)
    hint = taken(ledger)
    with ledger.transaction() as cur:
        hints.put_off(cur, hint, 30)
    assert take(ledger) is None
    ledger.rows("update hint set due_at = now() returning 1")
    assert taken(ledger).attempts == 2


def test_a_look_at_all_changes_answers_what_came_before_it_and_nothing_else(ledger: Ledger) -> None:
    receive(ledger, A)
    receive(ledger, A)
    began = now(ledger)
    receive(ledger, B)
    with ledger.transaction() as cur:
        assert hints.answered_by_poll(cur, "second", hints.SUPPLIER, began) == 0
        assert hints.answered_by_poll(cur, "main", hints.SUPPLIER, began) == 2
    assert (taken(ledger).target, take(ledger)) == (B, None)


def test_what_was_answered_long_ago_is_forgotten_and_what_waits_is_not(ledger: Ledger) -> None:
    receive(ledger, A)
    answer(ledger, taken(ledger), now(ledger))
    receive(ledger, B)
    with ledger.transaction() as cur:
        hints.answered_by_poll(cur, "main", hints.SUPPLIER, database_now(cur))
    receive(ledger, C)
    ledger.rows("update hint set last_at = last_at - interval '2 days' returning 1")
    with ledger.transaction() as cur:
        assert hints.forget_old(cur, 1) == 2
    assert (waiting(ledger).waiting, waiting(ledger).calls) == (1, 2)


def test_an_account_that_never_got_a_call_is_told_with_zeros(ledger: Ledger) -> None:
    assert waiting(ledger, "quiet") == Waiting(account="quiet", waiting=0, oldest_s=None, calls=0, reads=0, dropped=0)


def test_what_a_person_said_of_two_suppliers_is_not_changed_afterwards(ledger: Ledger) -> None:
    with ledger.transaction() as cur:
        cur.execute(
            "insert into rejection (account, one, other, rejected, who, why) values ('', 'a', 'b', true, 'ann', 'x')"
        )
    for sql in ("update rejection set who = 'bob'", "delete from rejection", "truncate rejection"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.transaction() as cur:
            cur.execute(sql)

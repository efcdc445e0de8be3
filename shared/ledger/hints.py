"""Hints: records in Cin7 that somebody says may have changed. Many calls about one record are one hint.

A hint is never the news itself: whoever takes one reads the record through the API. So a forged, repeated or lost call
changes nothing but when a record is read.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from shared.ledger.connection import Cur

#: The kind of record a hint is about; there is one.
SUPPLIER: Final = "supplier"


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """A hint that was taken. `calls` is how many had named the record by then, `attempts` counts this one."""

    account: str
    kind: str
    target: str
    calls: int
    attempts: int
    since: datetime


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for one account, and what became of the calls before; `oldest_s` is None where nothing waits."""

    account: str
    waiting: int
    oldest_s: float | None
    calls: int
    reads: int
    dropped: int


def receive(cur: Cur, account: str, kind: str, targets: Sequence[str]) -> int:
    """Keep hints, in one statement; return how many of them were waiting already."""
    rows = cur.execute(
        """
        insert into hint as h (account, kind, target) select %s, %s, unnest(%s::text[])
        on conflict (account, kind, target) do update
        set calls = h.calls + 1, last_at = clock_timestamp(),
            since = case when h.answered < h.calls then h.since else clock_timestamp() end
        returning h.calls - h.answered
        """,
        # In order, so that two calls which name the same records wait for each other and not both.
        (account, kind, sorted(set(targets))),
    ).fetchall()
    return sum(1 for row in rows if row[0] > 1)


def any_due(cur: Cur, account: str) -> bool:
    """Say whether `take` may find something; a look only."""
    row = cur.execute(
        """
        select exists (
            select 1 from hint where account = %s and answered < calls and due_at <= now()
            and (lease_until is null or lease_until < now())
        )
        """,
        (account,),
    ).fetchone()
    return row is not None and bool(row[0])


def take(cur: Cur, account: str, lease_s: float) -> Hint | None:
    """Take the oldest hint of an account that is due and that nobody has; None where there is none."""
    row = cur.execute(
        """
        with next as materialized (
            select account, kind, target from hint
            where account = %(account)s and answered < calls and due_at <= now()
              and (lease_until is null or lease_until < now())
            order by since limit 1 for update skip locked
        )
        update hint set lease_until = now() + make_interval(secs => %(lease)s), attempts = attempts + 1
        from next where hint.account = next.account and hint.kind = next.kind and hint.target = next.target
        returning hint.account, hint.kind, hint.target, hint.calls, hint.attempts, hint.since
        """,
        {"account": account, "lease": lease_s},
    ).fetchone()
    return None if row is None else Hint(**dict(zip(Hint.__struct_fields__, row, strict=True)))


def answered(cur: Cur, hint: Hint, *, read_at: datetime, rest_s: float, dropped: bool = False) -> None:
    """End what a hint stood for, in the transaction that records what was read.

    Args:
        read_at: the ledger's clock before the read began; calls that came since then wait for another one.
        rest_s: seconds in which the record is not read again, whoever hints at it.
        dropped: there is no such record.
    """
    row = cur.execute(
        """
        with was as (
            select answered from hint where account = %(account)s and kind = %(kind)s and target = %(target)s for update
        )
        update hint set answered = greatest(hint.answered, %(calls)s), read_at = %(read_at)s, lease_until = null,
            attempts = 0, due_at = now() + make_interval(secs => %(rest)s),
            since = case when hint.calls > %(calls)s then greatest(hint.since, %(read_at)s) else hint.since end
        from was where hint.account = %(account)s and hint.kind = %(kind)s and hint.target = %(target)s
        returning hint.answered - was.answered
        """,
        {
            "account": hint.account,
            "kind": hint.kind,
            "target": hint.target,
            "calls": hint.calls,
            "read_at": read_at,
            "rest": rest_s,
        },
    ).fetchone()
    _count(cur, hint.account, calls=int(row[0]) if row else 0, reads=1, dropped=int(dropped))


def _count(cur: Cur, account: str, *, calls: int, reads: int = 0, dropped: int = 0) -> None:
    cur.execute(
        """
        insert into hint_tally as t (account, calls, reads, dropped) values (%s, %s, %s, %s)
        on conflict (account) do update
        set calls = t.calls + excluded.calls, reads = t.reads + excluded.reads, dropped = t.dropped + excluded.dropped
        """,
        (account, calls, reads, dropped),
    )


def put_off(cur: Cur, hint: Hint, delay_s: float) -> None:
    """Let a hint that could not be answered rest, and be taken again."""
    cur.execute(
        """
        update hint set lease_until = null, due_at = now() + make_interval(secs => %s)
        where account = %s and kind = %s and target = %s
        """,
        (delay_s, hint.account, hint.kind, hint.target),
    )


def answered_by_poll(cur: Cur, account: str, kind: str, began_at: datetime) -> int:
    """End the hints that came before a complete look at what changed began; return how many calls they stood for."""
    row = cur.execute(
        """
        with ended as (
            select account, kind, target, calls - answered as calls from hint
            where account = %(account)s and kind = %(kind)s and answered < calls and last_at < %(began_at)s
            for update skip locked
        ), marked as (
            update hint set answered = hint.calls, lease_until = null, attempts = 0
            from ended where hint.account = ended.account and hint.kind = ended.kind and hint.target = ended.target
        )
        select coalesce(sum(calls), 0) from ended
        """,
        {"account": account, "kind": kind, "began_at": began_at},
    ).fetchone()
    calls = int(row[0]) if row else 0
    if calls:
        _count(cur, account, calls=calls)
    return calls


def forget_old(cur: Cur, days: int) -> int:
    """Remove what was answered long ago; return how many."""
    return cur.execute(
        "delete from hint where answered >= calls and last_at < now() - make_interval(days => %s)", (days,)
    ).rowcount


def waiting(cur: Cur, accounts: Sequence[str]) -> list[Waiting]:
    """Return what waits, for every one of `accounts`."""
    rows = cur.execute(
        """
        select a.account, coalesce(w.waiting, 0), w.oldest_s, coalesce(t.calls, 0), coalesce(t.reads, 0),
               coalesce(t.dropped, 0)
        from unnest(%s::text[]) with ordinality as a (account, place)
        left join (
            select account, count(*) as waiting, extract(epoch from clock_timestamp() - min(since))::float as oldest_s
            from hint where answered < calls group by account
        ) w on w.account = a.account
        left join hint_tally t on t.account = a.account order by a.place
        """,
        (list(accounts),),
    ).fetchall()
    return [Waiting(**dict(zip(Waiting.__struct_fields__, row, strict=True))) for row in rows]

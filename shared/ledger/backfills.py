"""Backfills: spans of business dates that are brought in after the fact: read page by page, let go as calls allow.

What a backfill takes in is an entry like any other, but kept back: it is due at no time until it is let go. So a
backfill of ten thousand documents never stands in a queue before live work.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from shared.ledger.connection import Cur
from shared.ledger.events import move
from shared.ledger.messages import Message, write_messages

#: Why a record is left out again whose backfill was stopped.
STOPPED: Final = "kept back by a backfill that was stopped"


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """`position` is where its reading goes on; `taken` are the documents that became entries."""

    id: int
    flow: str
    first: date | None
    last: date | None
    position: str | None
    pages: int
    rows: int
    taken: int
    unchanged: int
    left_out: int
    read: bool


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A backfill that goes on: `read` once all of it is recorded; `left` of the `taken` are still to be written."""

    id: int
    flow: str
    first: date | None
    last: date | None
    read: bool
    taken: int
    left: int
    begun_at: datetime
    actor: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the entries of a backfill so far; `moving` counts those that are kept back, too."""

    moving: int = 0
    waiting: int = 0
    held: int = 0
    written: int = 0
    closed: int = 0


_COLUMNS = "id, flow, first, last, position, pages, rows, taken, unchanged, left_out, read_at is not null"


def resume(cur: Cur, flow: str, first: date | None, last: date | None, *, actor: str) -> Backfill:
    """Return the backfill of this span that was not read to its end, or a new one."""
    cur.execute(
        "insert into backfill (flow, first, last, actor) values (%s, %s, %s, %s) on conflict do nothing",
        (flow, first, last, actor),
    )
    row = cur.execute(
        f"""
        select {_COLUMNS} from backfill
        where flow = %s and first is not distinct from %s and last is not distinct from %s
          and read_at is null and stopped_at is null
        """,  # noqa: S608 - columns of this module
        (flow, first, last),
    ).fetchone()
    assert row is not None  # noqa: S101 - inserted above, or there before
    return Backfill(**dict(zip(Backfill.__struct_fields__, row, strict=True)))


def of_number(cur: Cur, number: int) -> Backfill:
    row = cur.execute(f"select {_COLUMNS} from backfill where id = %s", (number,)).fetchone()  # noqa: S608 - as above
    assert row is not None  # noqa: S101 - whoever asks has seen it
    return Backfill(**dict(zip(Backfill.__struct_fields__, row, strict=True)))


def unfinished(cur: Cur) -> list[Unfinished]:
    """Return the backfills that are not read to their end, or of which something still moves."""
    rows = cur.execute(
        """
        select b.id, b.flow, b.first, b.last, b.read_at is not null, b.taken, coalesce(moving.count, 0), b.begun_at,
               b.actor
        from backfill b left join (
            select backfill_id, count(*) from entry
            where state in ('detected', 'mapped', 'retrying') and backfill_id is not null group by backfill_id
        ) moving on moving.backfill_id = b.id
        where b.stopped_at is null and (b.read_at is null or moving.count > 0) order by b.id
        """
    ).fetchall()
    return [Unfinished(**dict(zip(Unfinished.__struct_fields__, row, strict=True))) for row in rows]


def count_page(
    cur: Cur, number: int, *, position: str, rows: int, taken: int, unchanged: int, left_out: int
) -> None:  # fmt: skip
    """Add a page in the transaction that records it: what is counted is in the ledger, and what is there is counted."""
    cur.execute(
        """
        update backfill set position = %s, pages = pages + 1, rows = rows + %s, taken = taken + %s,
               unchanged = unchanged + %s, left_out = left_out + %s
        where id = %s
        """,
        (position, rows, taken, unchanged, left_out, number),
    )


def end_reading(cur: Cur, number: int) -> None:
    """Let the span count as dated after the start from now on."""
    cur.execute("update backfill set read_at = now() where id = %s and read_at is null", (number,))


def keep_back(cur: Cur, number: int, ids: Sequence[int]) -> None:
    """Keep new entries back, in the transaction that makes them."""
    cur.execute(
        "update entry set backfill_id = %s, due_at = 'infinity', message_id = null where id = any(%s)",
        (number, list(ids)),
    )


def admitted(cur: Cur, flow: str) -> tuple[tuple[str, str], ...]:
    """Return the spans whose documents count as dated after the start, since they have been brought in."""
    rows = cur.execute(
        """
        select first, last from backfill
        where flow = %s and read_at is not null and stopped_at is null and first is not null order by id
        """,
        (flow,),
    ).fetchall()
    return tuple((row[0].isoformat(), row[1].isoformat()) for row in rows)


def on_its_way(cur: Cur) -> tuple[int, int]:
    """Return how many entries of backfills are being worked on, and how many rest after a failure."""
    row = cur.execute(
        """
        select count(*) filter (where due_at <= now()), count(*) filter (where due_at > now()) from entry
        where backfill_id is not null and state in ('detected', 'mapped', 'retrying') and due_at < 'infinity'
        """
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return int(row[0]), int(row[1])


def kept_back(cur: Cur) -> bool:
    """Say whether anything waits to be let go."""
    row = cur.execute(
        "select exists (select 1 from entry where state = 'detected' and due_at = 'infinity' limit 1)"
    ).fetchone()
    return row is not None and bool(row[0])


def let_go(cur: Cur, count: int) -> list[Message]:
    """Let the oldest so many go, in dependency order of nothing but their age; return their messages.

    One process at a time: two would each let go what is missing.
    """
    taken = cur.execute("select pg_try_advisory_xact_lock(hashtextextended('backfills', 5))").fetchone()
    if taken is None or not taken[0]:
        return []
    rows = cur.execute(
        """
        update entry set due_at = now() from (
            select id from entry where state = 'detected' and due_at = 'infinity' order by id limit %s
            for update skip locked
        ) next where entry.id = next.id returning entry.id, entry.flow
        """,
        (count,),
    ).fetchall()
    messages: list[Message] = []
    for flow in dict.fromkeys(str(row[1]) for row in rows):
        messages += write_messages(cur, "map", flow, sorted(int(row[0]) for row in rows if row[1] == flow))
    return messages


def let_go_of(cur: Cur, flow: str, key: str) -> list[int]:
    """Let one record go at once, since live work waits for it; return its entries."""
    rows = cur.execute(
        """
        update entry set due_at = now(), lane = 'live'
        where flow = %s and key = %s and state = 'detected' and due_at = 'infinity' returning id
        """,
        (flow, key),
    ).fetchall()
    return [int(row[0]) for row in rows]


def stop(cur: Cur, flow: str, *, actor: str) -> int:
    """Close what backfills of a flow keep back, unwritten; what is on its way ends by itself. Return how many."""
    cur.execute(
        """
        update backfill set stopped_at = now() where flow = %s and stopped_at is null
        and (read_at is null or exists (select 1 from entry where backfill_id = backfill.id
                                        and state = 'detected' and due_at = 'infinity'))
        """,
        (flow,),
    )
    rows = cur.execute(
        "select id, key from entry where flow = %s and state = 'detected' and due_at = 'infinity' for update", (flow,)
    ).fetchall()
    # Left out again, so that a later backfill takes them in anew.
    cur.execute(
        "update record set skipped = %s where flow = %s and key = any(%s)", (STOPPED, flow, [row[1] for row in rows])
    )
    ids = [int(row[0]) for row in rows]
    return len(move(cur, ids, "dismissed", actor=actor, why="the backfill was stopped", sets="due_at = now()"))


#: The backfills of one span: who repeats one wants to see what the earlier ones have brought, too.
_ALIKE = """
    (select id from backfill where flow = %s and first is not distinct from %s and last is not distinct from %s)
"""


def left_by_company(cur: Cur, of: Backfill) -> dict[str, int]:
    """Return how many entries of this span are still to be written, by company."""
    rows = cur.execute(
        f"""
        select company, count(*) from entry
        where backfill_id in {_ALIKE} and state in ('detected', 'mapped', 'retrying', 'waiting') group by company
        """,  # noqa: S608 - a literal of this module
        (of.flow, of.first, of.last),
    ).fetchall()
    return {str(row[0]): int(row[1]) for row in rows}


def progress(cur: Cur, of: Backfill) -> Progress:
    """Return what became of the entries of this span."""
    rows = cur.execute(
        f"select state, count(*) from entry where backfill_id in {_ALIKE} group by state",  # noqa: S608 - as above
        (of.flow, of.first, of.last),
    ).fetchall()
    counts = {str(row[0]): int(row[1]) for row in rows}
    return Progress(
        moving=sum(counts.get(state, 0) for state in ("detected", "mapped", "retrying")),
        waiting=counts.get("waiting", 0),
        held=counts.get("held", 0),
        written=counts.get("written", 0),
        closed=sum(counts.get(state, 0) for state in ("superseded", "echo", "dismissed")),
    )

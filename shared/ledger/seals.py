"""Seals over the events: each digest stands on the one before, so that a later edit of any event is found."""

from typing import Final

import msgspec

from shared.ledger.connection import Cur

_GENESIS: Final = "0" * 64
# A row as text quotes its fields, so that no text can be moved from one field, or one event, into the next unseen.
_LINES: Final = """
    select coalesce(string_agg(row(id, entry_id, was, becomes, happened_at, recorded_at, actor, why, detail,
                                   xid)::text, E'\\n' order by id), '') as lines, count(*) as events
    from event where xid >= %(above)s::text::xid8 and xid < %(below)s::text::xid8
"""
#: Events under one seal, more or less: what is hashed at once must fit into one value.
BATCH: Final = 50_000


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`broken`: seals whose events are not what they were. `head` is worth keeping outside the database."""

    seals: int
    events: int
    unsealed: int
    head: str
    broken: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.broken


def seal(cur: Cur, batch: int = BATCH) -> int:
    """Seal every event whose transaction is certainly over; return how many there were.

    Transactions below the oldest running one have all ended, so nothing can be added below a seal any more.
    """
    cur.execute("select pg_advisory_xact_lock(hashtextextended('seal', 0))")
    _write_dates_alike(cur)
    row = cur.execute("select pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    assert row is not None  # noqa: S101 - a select without a table gives one row
    over = str(row[0])
    total = 0
    while events := _seal_next(cur, over, batch):
        total += events
    return total


def _seal_next(cur: Cur, over: str, batch: int) -> int:
    last = cur.execute("select below_xid::text, digest from seal order by id desc limit 1").fetchone()
    above, previous = (str(last[0]), str(last[1])) if last else ("0", _GENESIS)
    # Whole transactions only: the one that the batch ends in comes under the same seal.
    end = cur.execute(
        """
        select (xid::text::bigint + 1)::text from event
        where xid >= %s::text::xid8 and xid < %s::text::xid8 order by xid offset %s limit 1
        """,
        (above, over, batch - 1),
    ).fetchone()
    below = str(end[0]) if end else over
    digest, events = _digest(cur, previous, above, below)
    if events:
        cur.execute(
            "insert into seal (below_xid, events, digest) values (%s::text::xid8, %s, %s)", (below, events, digest)
        )
    return events


def _write_dates_alike(cur: Cur) -> None:
    """Have instants written as text in one way, whatever this session or server prefers."""
    cur.execute("set local timezone = 'UTC'")
    cur.execute("set local datestyle = 'ISO, YMD'")


def _digest(cur: Cur, previous: str, above: str, below: str) -> tuple[str, int]:
    row = cur.execute(
        f"""
        select encode(sha256(convert_to(%(previous)s || E'\\n' || batch.lines, 'UTF8')), 'hex'), batch.events
        from ({_LINES}) batch
        """,  # noqa: S608 - a constant of this module
        {"previous": previous, "above": above, "below": below},
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return str(row[0]), int(row[1])


def verify(cur: Cur) -> Verdict:
    """Compute every seal again, and compare every stored body with the digest that its entry's events name."""
    _write_dates_alike(cur)
    seals = cur.execute("select id, below_xid::text, events, digest, sealed_at from seal order by id").fetchall()
    above, previous, total = "0", _GENESIS, 0
    broken: list[str] = []
    for number, below, events, digest, sealed_at in seals:
        again, count = _digest(cur, previous, above, below)
        if again != digest:
            what = f"{events} events then, {count} now" if count != events else "an event was changed"
            broken.append(f"seal {number} of {sealed_at:%Y-%m-%d %H:%M:%S} UTC is broken: {what}")
        above, previous, total = below, digest, total + int(events)
    broken += _changed_bodies(cur) + _missing_bodies(cur)
    row = cur.execute("select count(*) from event where xid >= %s::text::xid8", (above,)).fetchone()
    assert row is not None  # noqa: S101 - count gives one row
    return Verdict(seals=len(seals), events=total, unsealed=int(row[0]), head=previous, broken=tuple(broken))


def _changed_bodies(cur: Cur) -> list[str]:
    rows = cur.execute(
        """
        select b.entry_id, b.kind from body b
        where encode(sha256(b.raw), 'hex') <> b.digest
           or not exists (select 1 from event v where v.entry_id = b.entry_id and v.detail = b.digest)
        order by b.entry_id limit 100
        """
    ).fetchall()
    return [f"the {kind} body of entry {entry} is not what was recorded" for entry, kind in rows]


def _missing_bodies(cur: Cur) -> list[str]:
    rows = cur.execute(
        """
        select v.entry_id, v.becomes from event v
        where v.becomes in ('detected', 'mapped') and v.detail ~ '^[0-9a-f]{64}$'
          and not exists (select 1 from body b where b.entry_id = v.entry_id and b.digest = v.detail)
        order by v.entry_id limit 100
        """
    ).fetchall()
    return [f"a body that entry {entry} had when it was {becomes} is missing" for entry, becomes in rows]

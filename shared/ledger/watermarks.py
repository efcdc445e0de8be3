"""Who polls a stream, from where, and what every pull saw. All changes are fenced by the lease's generation."""

from datetime import datetime

import msgspec

from shared.errors import ConnectorError
from shared.ledger.connection import Cur, storable


class LeaseLost(ConnectorError):
    """Another poller leads this stream now."""


class Watermark(msgspec.Struct, frozen=True, kw_only=True):
    """`position` is opaque: only the reading of its stream knows what it says. `due_at` is when to poll next."""

    stream: str
    position: str | None
    generation: int
    start_from: str
    swept_at: datetime | None
    due: bool
    lease_s: float


def due(cur: Cur, stream: str) -> bool:
    """Say whether a stream is to be polled now; a look only, which takes no lead."""
    row = cur.execute("select due_at <= now() from watermark where stream = %s", (stream,)).fetchone()
    return row is None or bool(row[0])


def lead(cur: Cur, stream: str, holder: str, lease_s: float) -> Watermark | None:
    """Take or keep the lead of a stream for `lease_s` seconds; None while another process has it."""
    row = cur.execute(
        """
        insert into lease as l (name, generation, holder, until)
        values (%(stream)s, 1, %(holder)s, now() + make_interval(secs => %(lease)s))
        on conflict (name) do update
        set generation = l.generation + case when l.holder = excluded.holder and l.until > now() then 0 else 1 end,
            holder = excluded.holder, until = excluded.until
        where l.holder = excluded.holder or l.until < now()
        returning generation
        """,
        {"stream": stream, "holder": holder, "lease": lease_s},
    ).fetchone()
    if row is None:
        return None
    cur.execute("insert into watermark (stream) values (%s) on conflict do nothing", (stream,))
    mark = cur.execute(
        """
        update watermark set generation = %s where stream = %s
        returning stream, position, generation, start_from, swept_at, due_at <= now(), %s::float
        """,
        (row[0], stream, lease_s),
    ).fetchone()
    assert mark is not None  # noqa: S101 - inserted above
    return Watermark(**dict(zip(Watermark.__struct_fields__, mark, strict=True)))


def still_leads(cur: Cur, mark: Watermark) -> None:
    """Renew the lead in the caller's transaction.

    Raises:
        LeaseLost: another process took over; the transaction must not commit.
    """
    row = cur.execute(
        "update lease set until = now() + make_interval(secs => %s) where name = %s and generation = %s returning 1",
        (mark.lease_s, mark.stream, mark.generation),
    ).fetchone()
    if row is None:
        raise LeaseLost(f"another process polls {mark.stream} now")


def let_go(cur: Cur, mark: Watermark) -> None:
    """Give the lead back at once, so that another process need not wait for the lease to end."""
    cur.execute(
        "update lease set until = '-infinity' where name = %s and generation = %s", (mark.stream, mark.generation)
    )


def advance(
    cur: Cur,
    mark: Watermark,
    *,
    position: str | None = None,
    start_from: str | None = None,
    swept: bool = False,
    next_in_s: float | None = None,
) -> None:
    """Move the watermark in the transaction that stores what was read.

    Raises:
        LeaseLost: another process took over; the transaction must not commit.
    """
    still_leads(cur, mark)
    row = cur.execute(
        """
        update watermark set position = coalesce(%s, position), start_from = coalesce(%s, start_from),
               swept_at = case when %s then now() else swept_at end,
               due_at = case when %s::float is null then due_at else now() + make_interval(secs => %s::float) end,
               updated_at = now()
        where stream = %s and generation = %s returning 1
        """,
        (position, start_from, swept, next_in_s, next_in_s, mark.stream, mark.generation),
    ).fetchone()
    if row is None:
        raise LeaseLost(f"another process polls {mark.stream} now")


def begin_poll(cur: Cur, mark: Watermark, *, flow: str, company: str, source: str) -> int:
    """Open the audit row of one pull. A pull that its process never closed is closed as abandoned."""
    cur.execute(
        """
        update poll set outcome = 'abandoned', finished_at = now()
        where flow = %s and source = %s and outcome = 'running' and generation < %s and strategy <> 'backfill'
        """,
        (flow, source, mark.generation),
    )
    row = cur.execute(
        """
        insert into poll (flow, company, source, strategy, watermark_from, generation)
        values (%s, %s, %s, '', %s, %s) returning id
        """,
        (flow, company, source, mark.position, mark.generation),
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row[0])


def count_page(
    cur: Cur, poll_id: int, *, filter_: str, pages: int, rows: int, changed: int, unchanged: int, skipped: int
) -> None:
    """Add one batch to the audit row. The filter kept is the first page's, which says what was asked for."""
    cur.execute(
        """
        update poll set filter = case when pages = 0 then %s else filter end, pages = pages + %s, rows = rows + %s,
               changed = changed + %s, unchanged = unchanged + %s, skipped = skipped + %s
        where id = %s
        """,
        (filter_, pages, rows, changed, unchanged, skipped, poll_id),
    )


def end_poll(
    cur: Cur, poll_id: int, *, outcome: str, strategy: str, position: str | None = None, error: str = ""
) -> None:
    cur.execute(
        """
        update poll set outcome = %s, strategy = %s, watermark_to = coalesce(%s, watermark_to, watermark_from),
               error = %s, finished_at = now()
        where id = %s
        """,
        (outcome, strategy, position, storable(error), poll_id),
    )


def vanished(cur: Cur, flow: str, sweep: int, scope: str = "") -> list[str]:
    """Mark the records that a complete sweep did not meet; return their keys.

    What was read by key since the sweep began may have appeared behind it, and is not gone. `scope`: only records whose
    keys begin so were looked for.
    """
    rows = cur.execute(
        """
        update record set vanished_at = now()
        where flow = %s and starts_with(key, %s) and sweep < %s and vanished_at is null and fingerprint <> ''
          and read_at < (select pulled_at from poll where id = %s)
        returning key
        """,
        (flow, scope, sweep, sweep),
    ).fetchall()
    return sorted(str(row[0]) for row in rows)


def population(cur: Cur, flow: str, scope: str = "") -> int:
    """Return how many records of a flow are known and were there at the last sweep; of those whose keys begin so."""
    row = cur.execute(
        """
        select count(*) from record
        where flow = %s and starts_with(key, %s) and vanished_at is null and fingerprint <> ''
        """,
        (flow, scope),
    ).fetchone()
    assert row is not None  # noqa: S101 - count gives one row
    return int(row[0])

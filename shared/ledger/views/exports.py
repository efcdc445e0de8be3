"""The audit export: every event of a span of days with the entry it belongs to, a few at a time. Reads only."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec

from shared.ledger.connection import Conn

#: Rows fetched at once: memory stays flat however long the span is.
FETCHED: Final = 2_000


class ExportedEvent(msgspec.Struct, frozen=True, kw_only=True):
    event: int
    entry: int
    flow: str
    key: str
    version: int
    company: str
    was: str
    becomes: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    why: str
    detail: str


def events(conn: Conn, first: date, last: date) -> Iterator[ExportedEvent]:
    """Yield the events recorded from the beginning of `first` to the end of `last`, days of UTC, in order."""
    since = datetime.combine(first, time(), UTC)
    before = datetime.combine(last, time(), UTC) + timedelta(days=1)
    # A cursor of the server lives in a transaction.
    with conn.transaction(), conn.cursor(name="export") as cur:
        cur.itersize = FETCHED
        cur.execute(
            """
            select v.id, v.entry_id, e.flow, e.key, e.version, e.company, v.was, v.becomes, v.happened_at,
                   v.recorded_at, v.actor, v.why, v.detail
            from event v join entry e on e.id = v.entry_id
            where v.recorded_at >= %s and v.recorded_at < %s order by v.recorded_at, v.id
            """,
            (since, before),
        )
        for row in cur:
            yield ExportedEvent(**dict(zip(ExportedEvent.__struct_fields__, row, strict=True)))

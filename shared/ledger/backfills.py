"""Backfills: spans of business dates that are brought in after the fact: read page by page, let go as calls allow."""

from shared.ledger.connection import Cur


def admitted(cur: Cur, flow: str) -> tuple[tuple[str, str], ...]:
    """Return the spans whose documents count as dated after the start, since they have been brought in."""
    rows = cur.execute(
        "select first, last from backfill where flow = %s and read_at is not null and first is not null order by id",
        (flow,),
    ).fetchall()
    return tuple((row[0].isoformat(), row[1].isoformat()) for row in rows)

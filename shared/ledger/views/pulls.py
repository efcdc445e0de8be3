"""The pull audit: what every pull asked for, and what it saw. Reads only."""

from datetime import datetime

import msgspec

from shared.ledger.connection import Cur


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """One pull; the watermarks are opaque positions of their stream."""

    id: int
    flow: str
    company: str
    source: str
    strategy: str
    filter: str
    pulled_at: datetime
    finished_at: datetime | None
    pages: int
    rows: int
    changed: int
    unchanged: int
    skipped: int
    watermark_from: str | None
    watermark_to: str | None
    outcome: str
    error: str


def pulls(cur: Cur, *, flow: str = "", limit: int = 50) -> list[Pull]:
    """Return the newest pulls first."""
    columns = ", ".join(Pull.__struct_fields__)
    rows = cur.execute(
        f"select {columns} from poll where (%(flow)s = '' or flow = %(flow)s) order by id desc limit %(limit)s",  # noqa: S608
        {"flow": flow, "limit": limit},
    ).fetchall()
    return [Pull(**dict(zip(Pull.__struct_fields__, row, strict=True))) for row in rows]

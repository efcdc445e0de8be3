"""What moves, rests and waits, in a few figures: for `connector wait` and `connector status`. Reads only."""

from datetime import datetime
from typing import Final

import msgspec

from shared.flows import FLOWS
from shared.ledger.connection import Cur
from shared.ledger.states import MOVING, STATES

#: Moving entries are counted up to here: whoever waits asks often, and "many" is answer enough.
COUNTED_MAX: Final = 1_000


class Motion(msgspec.Struct, frozen=True, kw_only=True):
    """`moving` is at most COUNTED_MAX; `ready` are held entries whose causes are gone."""

    moving: int
    held: int
    ready: int

    def idle(self, *, auto_replay: bool) -> bool:
        """Say whether nothing moves; what is ready is about to, where the policy replays by itself."""
        return not self.moving and not (auto_replay and self.ready)


class FlowCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one flow by state; `lag_s` is the age of the oldest that moves, None where none does."""

    flow: str
    detected: int = 0
    mapped: int = 0
    waiting: int = 0
    retrying: int = 0
    held: int = 0
    written: int = 0
    superseded: int = 0
    echo: int = 0
    dismissed: int = 0
    lag_s: float | None = None


class LastPull(msgspec.Struct, frozen=True, kw_only=True):
    flow: str
    pulled_at: datetime
    outcome: str
    rows: int
    changed: int
    error: str


def motion(cur: Cur) -> Motion:
    """Count what keeps `connector wait` waiting; answered from the small indexes of moving and held entries."""
    row = cur.execute(
        """
        select (select count(*) from (select 1 from entry where state in ('detected', 'mapped', 'retrying')
                                      limit %s) moving),
               count(*), count(*) filter (where ready)
        from entry where state = 'held'
        """,
        (COUNTED_MAX,),
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return Motion(moving=row[0], held=row[1], ready=row[2])


def counts(cur: Cur) -> list[FlowCounts]:
    """Return every flow's entries by state, in flow order, flows without entries included."""
    rows = cur.execute("select flow, state, count(*) from entry group by flow, state").fetchall()
    lags: dict[str, float] = dict(
        cur.execute(
            """
            select flow, extract(epoch from clock_timestamp() - min(detected_at))::float from entry
            where state = any(%s) and due_at < 'infinity' group by flow
            """,
            (list(MOVING),),
        ).fetchall()
    )
    found: dict[str, dict[str, int]] = {flow.name: {} for flow in FLOWS}
    for flow, state, count in rows:
        if flow in found and state in STATES:
            found[flow][state] = count
    return [FlowCounts(flow=flow, lag_s=lags.get(flow), **states) for flow, states in found.items()]


def last_pulls(cur: Cur) -> list[LastPull]:
    """Return the newest pull of every flow that was ever pulled, in flow order."""
    rows = cur.execute(
        """
        select p.* from unnest(%s::text[]) with ordinality as known (flow, place)
        cross join lateral (
            select flow, pulled_at, outcome, rows, changed, error from poll
            where poll.flow = known.flow and strategy <> 'backfill' order by id desc limit 1
        ) p order by known.place
        """,
        ([flow.name for flow in FLOWS],),
    ).fetchall()
    return [LastPull(**dict(zip(LastPull.__struct_fields__, row, strict=True))) for row in rows]

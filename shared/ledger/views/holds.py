"""What is held and why, and what a person must repair. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.ledger.connection import Cur


class HeldFinding(msgspec.Struct, frozen=True, kw_only=True):
    """`before`, `ifs` and `cin7` are the three values of a conflict, empty for every other reason."""

    code: str
    field: str
    value: str
    company: str
    message: str
    remedy: str
    before: str = ""
    ifs: str = ""
    cin7: str = ""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """One held entry with every reason; `ready` once all of them are seen to be gone."""

    id: int
    flow: str
    key: str
    company: str
    stage: str
    since: datetime
    attempts: int
    round: int
    ready: bool
    findings: tuple[HeldFinding, ...]


class OpenCause(msgspec.Struct, frozen=True, kw_only=True):
    """What a person must repair once for `entries` held entries; `since` the first of them is held for it."""

    id: int
    code: str
    company: str
    value: str
    status: str
    entries: int
    since: datetime
    remedy: str


class HeldBody(msgspec.Struct, frozen=True, kw_only=True):
    """The source body of an entry that one cause holds."""

    cause_id: int
    entry_id: int
    flow: str
    raw: bytes


def holds(cur: Cur, *, flow: str = "", code: str = "", ids: Sequence[int] | None = None) -> list[Hold]:
    """Return held entries, oldest first.

    Args:
        flow: only of this flow.
        code: only those that have a finding with this code.
        ids: only these entries, in whatever state they are.
    """
    conditions = ["e.state = 'held'" if ids is None else "e.id = any(%(ids)s)"]
    if flow:
        conditions.append("e.flow = %(flow)s")
    if code:
        conditions.append(
            "exists (select 1 from finding c where c.entry_id = e.id and c.round = e.round and c.code = %(code)s)"
        )
    rows = cur.execute(
        f"""
        select e.id, e.flow, e.key, e.company, e.stage, e.changed_at, e.attempts, e.round, e.ready,
               coalesce((select json_agg(json_build_object('code', f.code, 'field', f.field, 'value', f.value,
                            'company', f.company, 'message', f.message, 'remedy', f.remedy, 'before', f.before,
                            'ifs', f.ifs, 'cin7', f.cin7) order by f.id)
                         from finding f where f.entry_id = e.id and f.round = e.round), '[]')
        from entry e where {" and ".join(conditions)} order by e.changed_at, e.id
        """,  # noqa: S608 - the conditions are literals of this function
        {"flow": flow, "code": code, "ids": list(ids or ())},
    ).fetchall()
    return [_hold(row) for row in rows]


def _hold(row: Sequence[Any]) -> Hold:
    named = dict(zip(Hold.__struct_fields__, row, strict=True))
    named["findings"] = msgspec.convert(named["findings"], tuple[HeldFinding, ...])
    return Hold(**named)


def held_by(cur: Cur, code: str, value: str | None = None) -> list[int]:
    """Return the held entries that one kind of cause holds, oldest first; `value` None stands for any."""
    rows = cur.execute(
        """
        select e.id from entry e
        where e.state = 'held'
          and exists (select 1 from finding f where f.entry_id = e.id and f.round = e.round and f.code = %s
                      and (%s::text is null or f.value = %s))
        order by e.id
        """,
        (code, value, value),
    ).fetchall()
    return [int(row[0]) for row in rows]


def all_held(cur: Cur) -> list[int]:
    """Return everything that is held, oldest first."""
    return [int(row[0]) for row in cur.execute("select id from entry where state = 'held' order by id").fetchall()]


def open_causes(cur: Cur) -> list[OpenCause]:
    """Return the causes that hold something now: most entries first, then the oldest."""
    rows = cur.execute(
        """
        select c.id, c.code, c.company, c.value, c.status, count(distinct f.entry_id)::int, min(f.at), c.remedy
        from cause c join finding f on f.cause_id = c.id and f.open
        join entry e on e.id = f.entry_id and e.state = 'held'
        where c.status <> 'cleared'
        group by c.id order by 6 desc, 7, c.id
        """
    ).fetchall()
    return [OpenCause(**dict(zip(OpenCause.__struct_fields__, row, strict=True))) for row in rows]


def held_bodies(cur: Cur, flow: str, limit: int) -> list[HeldBody]:
    """Return the source bodies of held entries of a flow, one for each cause that holds them; at most `limit`."""
    rows = cur.execute(
        """
        select distinct on (f.cause_id, e.id) f.cause_id, e.id, e.flow, b.raw
        from entry e join finding f on f.entry_id = e.id and f.open
        join body b on b.entry_id = e.id and b.kind = 'source' and b.at = e.detected_at
        where e.state = 'held' and e.flow = %s limit %s
        """,
        (flow, limit),
    ).fetchall()
    return [HeldBody(cause_id=row[0], entry_id=row[1], flow=row[2], raw=bytes(row[3])) for row in rows]

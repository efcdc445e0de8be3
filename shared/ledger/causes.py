"""Causes: what a person must repair once for all the entries it holds."""

from collections.abc import Sequence

import msgspec

from shared.findings import SELF_CLEARING, Difference, Finding
from shared.ledger.connection import Cur, storable


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    code: str
    company: str
    value: str


def _three_values(finding: Finding) -> tuple[str, str, str]:
    """Return the values of a difference; empty for any other reason."""
    if not isinstance(finding, Difference):
        return "", "", ""
    return storable(finding.before), storable(finding.ifs), storable(finding.cin7)


def keep_findings(cur: Cur, entry_id: int, round_: int, findings: Sequence[Finding]) -> None:
    """Record every reason and tie it to its cause, opening causes that are new.

    Causes are locked in one order, so that two holds with the same causes cannot meet head-on.
    """
    causes: dict[tuple[str, str, str], int] = {}
    wanted = {
        (finding.code, storable(finding.company), storable(finding.value)): storable(finding.remedy)
        for finding in findings
    }
    for (code, company, value), remedy in sorted(wanted.items()):
        row = cur.execute(
            """
            insert into cause (code, company, value, remedy) values (%s, %s, %s, %s)
            on conflict (code, company, value) where status <> 'cleared' do update set remedy = excluded.remedy
            returning id
            """,
            (code, company, value, remedy),
        ).fetchone()
        assert row is not None  # noqa: S101 - an upsert returns its row
        causes[code, company, value] = row[0]
    cur.executemany(
        """
        insert into finding (entry_id, round, code, field, value, company, message, remedy, before, ifs, cin7, cause_id)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            (
                entry_id,
                round_,
                finding.code,
                storable(finding.field),
                storable(finding.value),
                storable(finding.company),
                storable(finding.message),
                storable(finding.remedy),
                *_three_values(finding),
                causes[finding.code, storable(finding.company), storable(finding.value)],
            )
            for finding in findings
        ],
    )


def open_causes(cur: Cur, *, self_clearing: bool = True) -> list[Cause]:
    """Return the causes that still hold something."""
    rows = cur.execute(
        """
        select id, code, company, value from cause
        where status <> 'cleared' and (not %s or code = any(%s)) order by id
        """,
        (self_clearing, sorted(SELF_CLEARING)),
    ).fetchall()
    return [Cause(id=row[0], code=row[1], company=row[2], value=row[3]) for row in rows]


def companies_doubted(cur: Cur, ending: str) -> list[str]:
    """Return the companies with an open finding on a field of that ending."""
    rows = cur.execute(
        """
        select distinct f.company from finding f join entry e on e.id = f.entry_id
        where f.open and e.state = 'held' and right(f.field, length(%s)) = %s
        """,
        (ending, ending),
    ).fetchall()
    return [str(row[0]) for row in rows]


def witnesses(cur: Cur, cause_id: int, limit: int = 1) -> list[int]:
    """Return held entries that this cause holds, oldest first: mapping one again shows whether it is gone."""
    rows = cur.execute(
        """
        select distinct f.entry_id from finding f join entry e on e.id = f.entry_id
        where f.cause_id = %s and f.open and e.state = 'held' order by f.entry_id limit %s
        """,
        (cause_id, limit),
    ).fetchall()
    return [int(row[0]) for row in rows]


def clear(cur: Cur, cause_ids: Sequence[int]) -> list[int]:
    """Close causes that are seen to be gone; return the entries that nothing holds any more, now marked ready.

    One at a time: two that close the two causes of one entry would each find it still held by the other.
    """
    if not cause_ids:
        return []
    cur.execute("select pg_advisory_xact_lock(hashtextextended('causes', 0))")
    cur.execute(
        "update cause set status = 'cleared', cleared_at = now() where id = any(%s) and status <> 'cleared'",
        (list(cause_ids),),
    )
    rows = cur.execute(
        """
        with answered as (
            update finding set open = false where cause_id = any(%(causes)s) and open returning entry_id
        ), free as (
            select e.id from entry e
            where e.state = 'held' and e.id in (select entry_id from answered)
              and not exists (select 1 from finding f where f.entry_id = e.id and f.open
                              and f.cause_id <> all(%(causes)s))
            order by e.id for update
        )
        update entry set ready = true from free where entry.id = free.id returning entry.id
        """,
        {"causes": list(cause_ids)},
    ).fetchall()
    return sorted(int(row[0]) for row in rows)


def close_idle(cur: Cur) -> int:
    """Close causes that hold nothing any more (their entries were dismissed, superseded or replayed through).

    They are locked first and looked at again in a second statement: a hold that ties an entry to one of them meanwhile
    is seen by it, or passed over by the lock.
    """
    idle = "cause.status <> 'cleared' and not exists (select 1 from finding f where f.cause_id = cause.id and f.open)"
    rows = cur.execute(f"select id from cause where {idle} order by id for update skip locked").fetchall()  # noqa: S608 - a literal
    return cur.execute(
        f"update cause set status = 'cleared', cleared_at = now() where id = any(%s) and {idle}",  # noqa: S608 - a literal
        ([row[0] for row in rows],),
    ).rowcount

"""What the ledger knows of many documents at once: records, their newest entries, why those rest. Reads only."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec

from shared.findings import Finding
from shared.ledger.connection import Cur


class KnownRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record and its newest entry; `entry` None: it never led to one."""

    key: str
    company: str
    fingerprint: str
    skipped: str
    dated: date | None
    read_at: datetime | None
    entry: int | None
    state: str
    waits_on: str
    due_at: datetime | None
    changed_at: datetime | None


_COLUMNS: Final = """
    r.key, r.company, r.fingerprint, r.skipped, r.dated, case when isfinite(r.read_at) then r.read_at end,
    e.id, coalesce(e.state, ''), coalesce(e.waits_on, ''), case when isfinite(e.due_at) then e.due_at end, e.changed_at
"""


def records(cur: Cur, flow: str, keys: Sequence[str]) -> dict[str, KnownRecord]:
    """Return what is known of these records, by key."""
    rows = cur.execute(
        f"""
        select {_COLUMNS} from record r
        left join lateral (
            select id, state, waits_on, due_at, changed_at from entry
            where entry.key = r.key and entry.flow = r.flow order by version desc limit 1
        ) e on true
        where r.flow = %s and r.key = any(%s)
        """,  # noqa: S608 - columns of this module
        (flow, list(keys)),
    ).fetchall()
    return {row[0]: KnownRecord(**dict(zip(KnownRecord.__struct_fields__, row, strict=True))) for row in rows}


def dated_within(cur: Cur, flow: str, first: date, last: date) -> list[str]:
    """Return the keys of the records that were dated in these days when they were last seen."""
    rows = cur.execute(
        "select key from record where flow = %s and dated between %s and %s order by key", (flow, first, last)
    ).fetchall()
    return [str(row[0]) for row in rows]


def linked_to(cur: Cur, flow: str, account: str, purchases: Sequence[str]) -> dict[str, str]:
    """Return the keys of records that are linked to these purchases, by Cin7 id; bills name the task behind a slash."""
    rows = cur.execute(
        """
        select cin7_id, ifs_key from link
        where flow = %s and cin7_account = %s and split_part(cin7_id, '/', 1) = any(%s)
        """,
        (flow, account, list(purchases)),
    ).fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def keys_of(cur: Cur, flow: str, account: str) -> dict[str, str]:
    """Return every link of one flow to one Cin7 account: Cin7's id to the record's key."""
    rows = cur.execute(
        "select cin7_id, ifs_key from link where flow = %s and cin7_account = %s", (flow, account)
    ).fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def findings(cur: Cur, entries: Sequence[int]) -> dict[int, list[Finding]]:
    """Return why entries are held, by entry."""
    rows = cur.execute(
        """
        select entry_id, code, field, value, message, remedy, company from finding
        where entry_id = any(%s) and open order by id
        """,
        (list(entries),),
    ).fetchall()
    found: dict[int, list[Finding]] = {}
    names = ("code", "field", "value", "message", "remedy", "company")
    for row in rows:
        values: dict[str, Any] = dict(zip(names, row[1:], strict=True))
        found.setdefault(int(row[0]), []).append(Finding(**values))
    return found


def last_words(cur: Cur, entries: Sequence[int]) -> dict[int, str]:
    """Return the reason that the last event of each entry gives."""
    rows = cur.execute(
        """
        select distinct on (entry_id) entry_id, why from event where entry_id = any(%s) order by entry_id, id desc
        """,
        (list(entries),),
    ).fetchall()
    return {int(row[0]): str(row[1]) for row in rows}

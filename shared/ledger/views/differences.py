"""Differences of reconciled months, and the history of one. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.ledger.connection import Cur
from shared.ledger.reconciliations import State, Stored

_FIELDS = Stored.__struct_fields__


class DifferenceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """`reconciliation` None: a person did it. `was` equals `becomes` where only the owner or the reason changed."""

    at: datetime
    was: str
    becomes: str
    kind: str
    owner: str
    actor: str
    reason: str
    reconciliation: int | None


class LastRun(msgspec.Struct, frozen=True, kw_only=True):
    """The newest comparison of a month that ended well."""

    period: str
    reconciliation: int
    finished_at: datetime
    open: int


def differences(
    cur: Cur, *, period: str = "", company: str = "", owner: str = "", states: Sequence[State] = ("open",)
) -> list[Stored]:  # fmt: skip
    """Return differences, by month and company, the oldest first; empty texts stand for any."""
    return _stored(
        cur,
        """
        state = any(%(states)s) and (%(period)s = '' or period = %(period)s)
        and (%(company)s = '' or company = %(company)s) and (%(owner)s = '' or owner = %(owner)s)
        """,
        {"states": list(states), "period": period, "company": company, "owner": owner},
    )


def difference(cur: Cur, number: int) -> Stored | None:
    return next(iter(_stored(cur, "id = %(id)s", {"id": number})), None)


def _stored(cur: Cur, condition: str, params: dict[str, Any]) -> list[Stored]:
    rows = cur.execute(
        f"select {', '.join(_FIELDS)} from difference where {condition} order by period, company, id",  # noqa: S608
        params,
    ).fetchall()
    found = []
    for row in rows:
        named: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
        found.append(Stored(**{**named, "body": bytes(named["body"])}))
    return found


def history(cur: Cur, number: int) -> list[DifferenceEvent]:
    """Return what happened to one difference, in order."""
    rows = cur.execute(
        """
        select at, was, becomes, kind, owner, actor, reason, reconciliation_id from difference_event
        where difference_id = %s order by id
        """,
        (number,),
    ).fetchall()
    return [DifferenceEvent(**dict(zip(DifferenceEvent.__struct_fields__, row, strict=True))) for row in rows]

"""Every move of every entry, with who and why: one statement moves the entries and appends the events."""

from collections.abc import Mapping, Sequence

from shared.ledger.connection import Cur, storable
from shared.ledger.states import State


def move(
    cur: Cur,
    ids: Sequence[int],
    becomes: State,
    *,
    actor: str,
    why: str | Mapping[int, str] = "",
    detail: str = "",
    sets: str = "",
    where: str = "true",
) -> list[int]:
    """Move entries and append one event each; return the ids that moved.

    Args:
        why: for all of them, or for each.
        sets: further assignments of the update, in SQL, such as `claims = 0`.
        where: a further condition on the row `e`, in SQL; entries that fail it stay as they are.
    """
    reasons = [storable(why if isinstance(why, str) else why[entry]) for entry in ids]
    moved = cur.execute(
        f"""
        with was as (
            select e.id, e.state, t.why from entry e
            join unnest(%(ids)s::bigint[], %(reasons)s::text[]) as t (id, why) on t.id = e.id
            where e.state <> %(becomes)s and {where}
            order by e.id for update of e
        ), moved as (
            update entry set state = %(becomes)s{", " + sets if sets else ""}
            from was where entry.id = was.id returning entry.id, was.state, was.why
        ), told as (
            insert into event (entry_id, was, becomes, actor, why, detail)
            select id, state, %(becomes)s, %(actor)s, why, %(detail)s from moved order by id
        )
        select id from moved order by id
        """,  # noqa: S608 - `sets` and `where` are literals of this package
        {
            "ids": list(ids),
            "reasons": reasons,
            "becomes": becomes,
            "actor": actor,
            "detail": storable(detail),
        },
    )
    return [int(row[0]) for row in moved]


def note(cur: Cur, entry_id: int, *, actor: str, why: str, detail: str = "") -> None:
    """Append an event that changes no state, such as a call that was sent."""
    cur.execute(
        """
        insert into event (entry_id, was, becomes, actor, why, detail)
        select id, state, state, %s, %s, %s from entry where id = %s
        """,
        (actor, storable(why), storable(detail), entry_id),
    )

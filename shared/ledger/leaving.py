"""Records that leave the set they are read from in the ordinary course, as vouchers do that are posted."""

from collections.abc import Sequence
from typing import Final

from shared.ledger import detecting
from shared.ledger.connection import Cur

#: What is said of a record that has left its set.
LEFT: Final = "no longer in IFS's set: posted, or removed"


def leave(cur: Cur, flow: str, keys: Sequence[str], *, why: str, actor: str) -> tuple[tuple[int, str], ...]:
    """Note that records have left the set they are read from, and close what is open of them; return the held ones.

    For sets that records leave in the ordinary course: nothing is missed. One that comes back counts as changed.

    Args:
        why: for whoever asks what became of the record.
    """
    rows = cur.execute(
        "select key, version from record where flow = %s and key = any(%s) order by key for update",
        (flow, sorted(keys)),
    ).fetchall()
    versions = {str(row[0]): int(row[1]) + 1 for row in rows}
    cur.execute(
        """
        update record set skipped = %s, vanished_at = coalesce(vanished_at, now())
        where flow = %s and key = any(%s)
        """,
        (why, flow, list(versions)),
    )
    return detecting.supersede_older(cur, flow, list(versions), versions, actor, why=why)


def left_open(cur: Cur, flow: str) -> list[str]:
    """Return the records that have left their set and have something open, such as what a writer had in its hands."""
    rows = cur.execute(
        """
        select distinct e.key from entry e join record r on r.flow = e.flow and r.key = e.key
        where e.flow = %s and e.state in ('detected', 'mapped', 'waiting', 'retrying', 'held')
          and r.vanished_at is not null
        """,
        (flow,),
    ).fetchall()
    return [str(row[0]) for row in rows]


def held_keys(cur: Cur, flow: str, at_most: int) -> list[str]:
    """Return records that something holds: of very many, others every time."""
    rows = cur.execute(
        """
        select key from (select distinct key from entry where flow = %s and state = 'held') as held
        order by random() limit %s
        """,
        (flow, at_most),
    ).fetchall()
    return [str(row[0]) for row in rows]

"""What a person decided about one supplier, as events of its entry: append-only, sealed, with a name."""

from shared import flows
from shared.ledger import events
from shared.ledger.connection import Cur


def create_anyway(cur: Cur, entry_id: int, account: str, *, actor: str, why: str) -> None:
    """Record that this supplier is to be created in `account` although one there resembles it."""
    events.note(
        cur,
        entry_id,
        actor=actor,
        why=f"to be created in {account} although suppliers there resemble it: {why}",
        detail=_create_in(account),
    )


def may_create(cur: Cur, key: str, account: str) -> bool:
    """Say whether a person decided so for this supplier."""
    row = cur.execute(
        """
        select 1 from event v join entry e on e.id = v.entry_id
        where e.flow = %s and e.key = %s and v.detail = %s limit 1
        """,
        (flows.SUPPLIERS.name, key, _create_in(account)),
    ).fetchone()
    return row is not None


def _create_in(account: str) -> str:
    return f"create in {account}"


def create_in_ifs(cur: Cur, entry_id: int, *, actor: str, why: str) -> None:
    """Record that a supplier of Cin7 is to be created in IFS, whatever resembles it there."""
    events.note(cur, entry_id, actor=actor, why=f"to be created in IFS: {why}", detail=_IN_IFS)


def may_create_in_ifs(cur: Cur, key: str) -> bool:
    """Say whether a person decided so for this supplier."""
    row = cur.execute(
        """
        select 1 from event v join entry e on e.id = v.entry_id
        where e.flow = %s and e.key = %s and v.detail = %s limit 1
        """,
        (flows.CIN7_SUPPLIERS.name, key, _IN_IFS),
    ).fetchone()
    return row is not None


_IN_IFS = "create in IFS"

"""Purchases of Cin7 as they were last read in whole: while the list shows the same stamp, they need no further call."""

from collections.abc import Sequence

import msgspec

from shared.ledger.connection import Cur, storable


class KeptPurchase(msgspec.Struct, frozen=True, kw_only=True):
    """`stamp` is the `LastUpdatedDate` that it showed; `body` is what the reader makes of it."""

    id: str
    stamp: str
    body: bytes


def keep(cur: Cur, account: str, purchases: Sequence[KeptPurchase]) -> None:
    """Keep purchases as they have just been read.

    What somebody slower read earlier may replace what is newer; its stamp gives that away, at the price of a call.
    """
    cur.execute(
        """
        insert into cin7_purchase (account, id, stamp, body)
        select %s, id, stamp, body
        from unnest(%s::text[], %s::text[], %s::bytea[]) as read (id, stamp, body) order by id
        on conflict (account, id) do update
        set stamp = excluded.stamp, body = excluded.body, read_at = now()
        """,
        (
            account,
            [one.id for one in purchases],
            [storable(one.stamp) for one in purchases],
            [one.body for one in purchases],
        ),
    )


def kept(cur: Cur, account: str, ids: Sequence[str]) -> dict[str, KeptPurchase]:
    """Return what is kept of these purchases, by id."""
    rows = cur.execute(
        "select id, stamp, body from cin7_purchase where account = %s and id = any(%s)", (account, list(ids))
    ).fetchall()
    return {str(row[0]): KeptPurchase(id=row[0], stamp=row[1], body=bytes(row[2])) for row in rows}

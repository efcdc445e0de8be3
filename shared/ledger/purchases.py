"""Purchases of Cin7 as they were last read in whole: while the list shows the same stamp, they need no further call."""

from collections.abc import Iterable, Sequence

import msgspec

from shared.ledger.connection import Cur, storable


class KeptPurchase(msgspec.Struct, frozen=True, kw_only=True):
    """`stamp` is the `LastUpdatedDate` that it showed; `body` is what the reader makes of it."""

    account: str
    id: str
    stamp: str
    body: bytes


def keep(cur: Cur, purchases: Iterable[KeptPurchase]) -> None:
    """Keep purchases as they have just been read; of one that was read twice, the last.

    What somebody slower read earlier may replace what is newer; its stamp gives that away, at the price of a call.
    """
    # In one order everywhere, so that two that keep the same ones cannot meet head-on.
    kept = sorted({(one.account, one.id): one for one in purchases}.items())
    cur.execute(
        """
        insert into cin7_purchase (account, id, stamp, body)
        select * from unnest(%s::text[], %s::text[], %s::text[], %s::bytea[])
        on conflict (account, id) do update
        set stamp = excluded.stamp, body = excluded.body, read_at = now()
        """,
        (
            [one.account for _, one in kept],
            [one.id for _, one in kept],
            [storable(one.stamp) for _, one in kept],
            [one.body for _, one in kept],
        ),
    )


def kept(cur: Cur, account: str, ids: Sequence[str]) -> dict[str, KeptPurchase]:
    """Return what is kept of these purchases, by id."""
    rows = cur.execute(
        "select id, stamp, body from cin7_purchase where account = %s and id = any(%s)", (account, list(ids))
    ).fetchall()
    return {str(row[0]): KeptPurchase(account=account, id=row[0], stamp=row[1], body=bytes(row[2])) for row in rows}

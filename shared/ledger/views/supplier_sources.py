"""The suppliers that IFS has and Cin7 may have too: those without a link. Reads only."""

from collections.abc import Iterator
from typing import Final

import msgspec

from shared import flows
from shared.ledger.connection import Cur, Ledger

#: Suppliers fetched at once.
FETCHED: Final = 500


class SupplierSource(msgspec.Struct, frozen=True, kw_only=True):
    """A supplier's newest version as it was received."""

    key: str
    entry_id: int
    state: str
    raw: bytes


def unlinked(ledger: Ledger, accounts: int) -> Iterator[SupplierSource]:
    """Yield the suppliers that are linked in fewer than so many accounts, by key; those dismissed are left out."""
    after = ""
    while True:
        with ledger.transaction() as cur:
            found = _select(cur, "r.key > %(after)s and r.key <> ''", after=after, accounts=accounts)
        yield from found
        if len(found) < FETCHED:
            return
        after = found[-1].key


def every(ledger: Ledger) -> Iterator[SupplierSource]:
    """Yield all suppliers that IFS has, linked or not, by key; those dismissed are left out."""
    return unlinked(ledger, 1 << 30)


def one(cur: Cur, key: str) -> SupplierSource | None:
    """Return the newest version of one supplier; None where none was ever read."""
    found = _select(cur, "r.key = %(after)s", after=key, accounts=1 << 30)
    return found[0] if found else None


def _select(cur: Cur, condition: str, *, after: str, accounts: int) -> list[SupplierSource]:
    rows = cur.execute(
        f"""
        select r.key, e.id, e.state, b.raw from record r
        cross join lateral (
            select id, state, detected_at from entry where flow = r.flow and key = r.key order by version desc limit 1
        ) e
        join body b on b.entry_id = e.id and b.kind = 'source' and b.at = e.detected_at
        where r.flow = %(flow)s and {condition} and r.vanished_at is null and r.skipped = '' and e.state <> 'dismissed'
          and (select count(*) from link l where l.flow = r.flow and l.ifs_key = r.key) < %(accounts)s
        order by r.key limit %(limit)s
        """,  # noqa: S608 - the conditions are literals of this module
        {"flow": flows.SUPPLIERS.name, "after": after, "accounts": accounts, "limit": FETCHED},
    ).fetchall()
    return [SupplierSource(key=row[0], entry_id=row[1], state=row[2], raw=bytes(row[3])) for row in rows]

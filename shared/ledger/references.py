"""Cin7's reference data as last read, in the ledger, and the revision that tells every process to look again."""

import msgspec

from shared.fingerprints import digest
from shared.ledger.connection import Cur


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One part of an account's reference data; `age_s` on the ledger's clock."""

    account: str
    kind: str
    body: bytes
    age_s: float


def keep(cur: Cur, account: str, kind: str, body: bytes) -> bool:
    """Keep what was just read; return whether it differs from what was known."""
    row = cur.execute(
        "select digest from reference where account = %s and kind = %s for update", (account, kind)
    ).fetchone()
    news = digest(body)
    cur.execute(
        """
        insert into reference (account, kind, body, digest) values (%s, %s, %s, %s)
        on conflict (account, kind) do update
        set body = excluded.body, digest = excluded.digest, read_at = clock_timestamp()
        """,
        (account, kind, body, news),
    )
    if row is not None and row[0] == news:
        return False
    cur.execute("update rules_revision set revision = revision + 1")
    return True


def kept(cur: Cur) -> list[Kept]:
    """Return everything that was read."""
    rows = cur.execute(
        "select account, kind, body, extract(epoch from clock_timestamp() - read_at)::float from reference"
    ).fetchall()
    return [Kept(account=row[0], kind=row[1], body=bytes(row[2]), age_s=row[3]) for row in rows]


def age_s(cur: Cur, account: str, kind: str) -> float | None:
    """Return how long ago a part was read; None where it never was."""
    row = cur.execute(
        """
        select extract(epoch from clock_timestamp() - read_at)::float from reference
        where account = %s and kind = %s
        """,
        (account, kind),
    ).fetchone()
    return None if row is None else float(row[0])


def lock_refresh(cur: Cur, account: str) -> None:
    """Let one process at a time refresh an account; held to the end of the transaction."""
    cur.execute("select pg_advisory_xact_lock(hashtextextended(%s, 2))", (account,))


def revision(cur: Cur) -> int:
    """Return the number that moves with every edit of a mapping table and every change of reference data."""
    row = cur.execute("select revision from rules_revision").fetchone()
    assert row is not None  # noqa: S101 - the migration puts the row in
    return int(row[0])

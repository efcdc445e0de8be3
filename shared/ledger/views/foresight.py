"""What a poll and a writer would start from, for the dry run. Reads only."""

from collections.abc import Sequence

import msgspec

from shared.ledger.connection import Cur
from shared.ledger.detecting import COUNTED


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Where the next pull of a stream begins; `start_from` is empty until the first one."""

    position: str | None = None
    start_from: str = ""


def mark(cur: Cur, stream: str) -> Mark:
    row = cur.execute("select position, start_from from watermark where stream = %s", (stream,)).fetchone()
    return Mark() if row is None else Mark(position=row[0], start_from=row[1])


def known(cur: Cur, flow: str, headers: Sequence[tuple[str, str]]) -> set[str]:
    """Return those of the (key, header tag) pairs that are as they were last time."""
    rows = cur.execute(
        """
        select r.key from record r
        join unnest(%s::text[], %s::text[]) as seen (key, tag) on seen.key = r.key and seen.tag = r.header_tag
        where r.flow = %s and r.skipped = ''
        """,
        ([key for key, _ in headers], [tag for _, tag in headers], flow),
    ).fetchall()
    return {str(row[0]) for row in rows}


def fingerprints(cur: Cur, flow: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the fingerprints under which records are known already."""
    rows = cur.execute(
        "select key, fingerprint from record where flow = %s and key = any(%s) and skipped = any(%s)",
        (flow, list(keys), ["", COUNTED]),
    ).fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def cin7_supplier(cur: Cur, account: str, cin7_id: str) -> bytes | None:
    """Return a supplier of Cin7 as it was last read."""
    row = cur.execute("select body from cin7_supplier where account = %s and id = %s", (account, cin7_id)).fetchone()
    return None if row is None else bytes(row[0])


def suppliers_read(cur: Cur, account: str) -> bool:
    """Say whether the suppliers of a Cin7 account were ever read."""
    return cur.execute("select 1 from cin7_supplier_read where account = %s", (account,)).fetchone() is not None

"""What the ledger knows of a supplier that lives in both systems: its link, IFS's side as last read, our own writes."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shared.flows import CIN7_SUPPLIERS, SUPPLIERS
from shared.ledger import links
from shared.ledger.connection import Cur
from shared.ledger.links import Link

IFS_TARGET = "ifs"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A supplier as IFS showed it last.

    Attributes:
        read_at: when that reading began, on the ledger's clock.
        stamp: IFS's own time of the header's last change; empty where it tells none.
    """

    raw: bytes
    read_at: datetime
    stamp: str


def link_of(cur: Cur, account: str, cin7_id: str, *, lock: bool = False) -> Link | None:
    """Return the link of a Cin7 supplier."""
    return links.of_cin7(cur, SUPPLIERS.name, account, [cin7_id], lock=lock).get(cin7_id)


def ifs_source(cur: Cur, key: str) -> Source | None:
    """Return what was read of a supplier of IFS last; None where nothing was."""
    row = cur.execute(
        """
        select b.raw, e.read_at, e.stamp from entry e
        join body b on b.entry_id = e.id and b.kind = 'source' and b.at = e.detected_at
        where e.flow = %s and e.key = %s order by e.version desc limit 1
        """,
        (SUPPLIERS.name, key),
    ).fetchone()
    return None if row is None else Source(raw=bytes(row[0]), read_at=row[1], stamp=str(row[2]))


def is_known_to_ifs(cur: Cur, key: str) -> bool:
    """Say whether IFS was seen to have a supplier with this number."""
    row = cur.execute(
        "select 1 from record where flow = %s and key = %s and fingerprint <> '' and vanished_at is null",
        (SUPPLIERS.name, key),
    ).fetchone()
    return row is not None


def is_being_created(cur: Cur, account: str, name: str) -> bool:
    """Say whether we are creating a supplier of this name in Cin7 right now: what is seen there may be it."""
    row = cur.execute(
        """
        select 1 from effect where target = %s and flow = %s and step = 'create' and state in ('INTENT', 'UNKNOWN')
        and lower(btrim(marker)) = lower(btrim(%s)) limit 1
        """,
        (f"cin7/{account}", SUPPLIERS.name, name),
    ).fetchone()
    return row is not None


def made_header(cur: Cur, key: str) -> str:
    """Return the marker of a header that was made in IFS for a Cin7 supplier; "" where none was."""
    row = cur.execute(
        """
        select marker from effect
        where target = %s and flow = %s and key = %s and step = 'create' and state = 'APPLIED'
        """,
        (IFS_TARGET, CIN7_SUPPLIERS.name, key),
    ).fetchone()
    return "" if row is None else str(row[0])


def writes_since(cur: Cur, link: Link, entry_id: int, window_s: float) -> int:
    """Return how many other entries, of either direction, changed this supplier within so many seconds."""
    row = cur.execute(
        """
        select count(distinct entry_id) from effect
        where ((flow = %(forward)s and key = %(ifs)s and target = %(cin7)s)
               or (flow = %(back)s and key = %(own)s and target = %(target)s))
          and state = 'APPLIED' and ended_at > now() - make_interval(secs => %(window)s) and entry_id <> %(entry)s
        """,
        {
            "forward": SUPPLIERS.name,
            "ifs": link.ifs_key,
            "cin7": f"cin7/{link.cin7_account}",
            "back": CIN7_SUPPLIERS.name,
            "own": f"{link.cin7_account}/{link.cin7_id}",
            "target": IFS_TARGET,
            "window": window_s,
            "entry": entry_id,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - count gives one row
    return int(row[0])


def newest_sources(cur: Cur) -> Sequence[tuple[str, bytes]]:
    """Return every supplier of IFS that is there, as it was read last."""
    return [
        (str(row[0]), bytes(row[1]))
        for row in cur.execute(
            """
            select distinct on (e.key) e.key, b.raw from entry e
            join record r on r.flow = e.flow and r.key = e.key and r.vanished_at is null
            join body b on b.entry_id = e.id and b.kind = 'source' and b.at = e.detected_at
            where e.flow = %s order by e.key, e.version desc
            """,
            (SUPPLIERS.name,),
        )
    ]

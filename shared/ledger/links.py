"""Links: which Cin7 record an IFS record is, and what the connector wrote there last."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec
from psycopg.rows import TupleRow

from shared.ledger.connection import Cur, storable
from shared.ledger.events import move
from shared.ledger.messages import Message, write_messages


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Which record of Cin7 a record of IFS is.

    Attributes:
        written: the canonical body as last written, or as both sides last had it in common; b"" where a person linked
            it.
        verified: once read back.
        own: entries that Cin7 has for itself, id to mark, as JSON; None until somebody looked.
        asserted: fields in which IFS is to prevail for once.
        echo: what IFS shows next is our own write.
        making: the supplier is being created in IFS, part by part; until that is done, nobody else writes it.
        for_ifs, for_cin7: the canonical body that both sides will have in common once a write to that side is done;
            None where no write there is under way, or was interrupted.
        ifs_at, cin7_at: when the connector changed that side last, on the ledger's clock; never stored from here.
    """

    flow: str
    ifs_key: str
    cin7_account: str
    cin7_id: str
    cin7_number: str
    written: bytes
    version: int
    verified: bool
    own: str | None = None
    asserted: tuple[str, ...] = ()
    echo: bool = False
    making: bool = False
    for_ifs: bytes | None = None
    for_cin7: bytes | None = None
    ifs_at: datetime | None = None
    cin7_at: datetime | None = None


_COLUMNS: Final = (
    "flow, ifs_key, cin7_account, cin7_id, cin7_number, written, version, verified, own::text, asserted, echo, "
    "making, for_ifs, for_cin7, ifs_at, cin7_at"
)
#: Which side a write went to.
Side = Literal["", "ifs", "cin7", "both"]


def _link(row: TupleRow) -> Link:
    values = (*row[:5], bytes(row[5]), *row[6:9], tuple(row[9]), *row[10:])
    return Link(**dict(zip(Link.__struct_fields__, values, strict=True)))


def find(cur: Cur, flow: str, ifs_key: str, cin7_account: str) -> Link | None:
    row = cur.execute(
        f"select {_COLUMNS} from link where flow = %s and ifs_key = %s and cin7_account = %s",  # noqa: S608 - constant
        (flow, ifs_key, cin7_account),
    ).fetchone()
    return None if row is None else _link(row)


def find_all(cur: Cur, wanted: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], Link]:
    """Return the links that there are of those named by flow, IFS key and Cin7 account."""
    rows = cur.execute(
        f"""
        select {_COLUMNS} from link
        join (select distinct * from unnest(%s::text[], %s::text[], %s::text[]) as named (flow, ifs_key, cin7_account))
             as wanted using (flow, ifs_key, cin7_account)
        """,  # noqa: S608 - constant
        tuple(map(list, zip(*wanted, strict=True))) if wanted else ([], [], []),
    ).fetchall()
    return {(row[0], row[1], row[2]): _link(row) for row in rows}


def of_keys(cur: Cur, flow: str, keys: Sequence[str]) -> dict[str, list[Link]]:
    """Return the links of many records, by IFS key."""
    found: dict[str, list[Link]] = {}
    for row in cur.execute(
        f"select {_COLUMNS} from link where flow = %s and ifs_key = any(%s) order by ifs_key, cin7_account",  # noqa: S608
        (flow, list(keys)),
    ):
        found.setdefault(row[1], []).append(_link(row))
    return found


def owner(cur: Cur, flow: str, cin7_account: str, cin7_id: str) -> str | None:
    """Return the IFS key that a Cin7 record is linked to."""
    row = cur.execute(
        "select ifs_key from link where flow = %s and cin7_account = %s and cin7_id = %s",
        (flow, cin7_account, cin7_id),
    ).fetchone()
    return None if row is None else str(row[0])


def of_cin7(cur: Cur, flow: str, cin7_account: str, ids: Sequence[str], *, lock: bool = False) -> dict[str, Link]:
    """Return the links of records of Cin7, by their ids; `lock`ed, nobody else changes them in the meantime."""
    rows = cur.execute(
        f"""
        select {_COLUMNS} from link where flow = %s and cin7_account = %s and cin7_id = any(%s)
        order by cin7_id {"for update" if lock else ""}
        """,  # noqa: S608 - constants
        (flow, cin7_account, list(ids)),
    ).fetchall()
    return {str(row[3]): _link(row) for row in rows}


def linked_ids(cur: Cur, flow: str, cin7_account: str, ids: list[str]) -> set[str]:
    """Return those of `ids` that some IFS record is linked to already."""
    rows = cur.execute(
        "select cin7_id from link where flow = %s and cin7_account = %s and cin7_id = any(%s)",
        (flow, cin7_account, ids),
    ).fetchall()
    return {str(row[0]) for row in rows}


class Stored(msgspec.Struct, frozen=True):
    """A link to be inserted or renewed.

    Attributes:
        origin: how a new one came to be.
        wrote: the side that was changed since the link was last stored.
    """

    link: Link
    origin: str = "created"
    wrote: Side = ""


def store(cur: Cur, links: Sequence[Stored]) -> None:
    """Insert or renew links, each record's at most once."""
    cur.execute(
        """
        insert into link (flow, ifs_key, cin7_account, cin7_id, cin7_number, written, version, verified, origin, own,
                          asserted, echo, making, for_ifs, for_cin7, ifs_at, cin7_at)
        select flow, ifs_key, account, cin7_id, number, written, version, verified, origin, own::jsonb,
               array(select json_array_elements_text(asserted::json)), echo, making, for_ifs, for_cin7,
               case when wrote in ('ifs', 'both') then clock_timestamp() end,
               case when wrote in ('cin7', 'both') then clock_timestamp() end
        from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bigint[], %s::bool[],
                    %s::text[], %s::text[], %s::text[], %s::bool[], %s::bool[], %s::bytea[], %s::bytea[], %s::text[])
             as one (flow, ifs_key, account, cin7_id, number, written, version, verified, origin, own, asserted, echo,
                     making, for_ifs, for_cin7, wrote)
        on conflict (flow, ifs_key, cin7_account) do update
        set cin7_id = excluded.cin7_id, cin7_number = excluded.cin7_number, written = excluded.written,
            version = excluded.version, verified = excluded.verified, own = excluded.own, asserted = excluded.asserted,
            echo = excluded.echo, making = excluded.making, for_ifs = excluded.for_ifs, for_cin7 = excluded.for_cin7,
            ifs_at = coalesce(excluded.ifs_at, link.ifs_at),
            cin7_at = coalesce(excluded.cin7_at, link.cin7_at), written_at = now()
        """,
        (
            [one.link.flow for one in links],
            [one.link.ifs_key for one in links],
            [one.link.cin7_account for one in links],
            [one.link.cin7_id for one in links],
            [storable(one.link.cin7_number) for one in links],
            [one.link.written for one in links],
            [one.link.version for one in links],
            [one.link.verified for one in links],
            [one.origin for one in links],
            [one.link.own for one in links],
            [msgspec.json.encode(one.link.asserted).decode() for one in links],
            [one.link.echo for one in links],
            [one.link.making for one in links],
            [one.link.for_ifs for one in links],
            [one.link.for_cin7 for one in links],
            [one.wrote for one in links],
        ),
    )


def remove(cur: Cur, link: Link) -> None:
    """Forget a link, unless it leads elsewhere by now."""
    cur.execute(
        "delete from link where flow = %s and ifs_key = %s and cin7_account = %s and cin7_id = %s",
        (link.flow, link.ifs_key, link.cin7_account, link.cin7_id),
    )


def dependency(flow: str, key: str, account: str) -> str:
    """Return the name under which dependants wait for a link."""
    return f"{flow}/{key}@{account}"


def lock_dependencies(cur: Cur, names: Sequence[str]) -> None:
    """Take the locks that both who waits and who satisfies take, so that no wake-up is lost between them.

    Always in one order, so that two that take several cannot meet head-on.
    """
    cur.execute(
        "select pg_advisory_xact_lock(hashtextextended(name, 1)) from unnest(%s::text[]) as name", (sorted(set(names)),)
    )


def wake(cur: Cur, names: Sequence[str], *, actor: str) -> list[Message]:
    """Send on the entries that waited for `names`, whose locks the caller holds."""
    rows = cur.execute(
        "select id, flow, waits_on from entry where state = 'waiting' and waits_on = any(%s) order by id",
        (list(names),),
    ).fetchall()
    messages: list[Message] = []
    for flow in sorted({str(row[1]) for row in rows}):
        waited = {int(row[0]): f"{row[2]} is there" for row in rows if row[1] == flow}
        woken = move(
            cur,
            list(waited),
            "mapped",
            actor=actor,
            why=waited,
            sets="waits_on = null, due_at = now(), claims = 0",
            where="e.state = 'waiting'",
        )
        messages += write_messages(cur, "write", flow, woken)
    return messages


def waiters(cur: Cur, flow: str, key: str) -> list[tuple[int, str, str, str]]:
    """Return (entry, its flow, account it needs, company) of all that waits for one record.

    The record is locked first, as by who asks for it: nothing begins to wait for it until the transaction is over.
    """
    cur.execute("select 1 from record where flow = %s and key = %s for update", (flow, key))
    rows = cur.execute(
        """
        select id, flow, waits_on, company from entry
        where state = 'waiting' and starts_with(waits_on, %s) order by id
        """,
        (f"{flow}/{key}@",),
    ).fetchall()
    # A key may hold an @ of its own.
    found = [(int(row[0]), str(row[1]), str(row[2]).rpartition("@"), str(row[3])) for row in rows]
    return [(entry, of, name[2], company) for entry, of, name, company in found if name[0] == f"{flow}/{key}"]

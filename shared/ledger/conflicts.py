"""Differences that a person is asked to settle: the three versions as they were when an entry was held for them."""

from collections.abc import Sequence

import msgspec

from shared.ledger.connection import Cur


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier in one Cin7 account on which both sides differ.

    Attributes:
        before: what both sides had in common, with what else the link remembers; canonical, like the two others.
        ifs, cin7: what each side had then, in Cin7's words.
        silent: fields in which IFS has no say.
    """

    entry_id: int
    round: int
    account: str
    ifs_key: str
    before: bytes
    ifs: bytes
    cin7: bytes
    silent: tuple[str, ...] = ()


def keep(cur: Cur, conflict: Conflict) -> None:
    """Keep the versions beside the findings of the entry's round."""
    cur.execute(
        """
        insert into conflict (entry_id, round, account, ifs_key, before, ifs, cin7, silent)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (entry_id, round, account) do update
        set before = excluded.before, ifs = excluded.ifs, cin7 = excluded.cin7, silent = excluded.silent, at = now()
        """,
        (
            conflict.entry_id,
            conflict.round,
            conflict.account,
            conflict.ifs_key,
            conflict.before,
            conflict.ifs,
            conflict.cin7,
            list(conflict.silent),
        ),
    )


def of_entry(cur: Cur, entry_id: int) -> list[Conflict]:
    """Return what an entry's present round is held for, by account."""
    rows = cur.execute(
        """
        select c.entry_id, c.round, c.account, c.ifs_key, c.before, c.ifs, c.cin7, c.silent
        from conflict c join entry e on e.id = c.entry_id and e.round = c.round
        where c.entry_id = %s order by c.account
        """,
        (entry_id,),
    ).fetchall()
    return [_conflict(row) for row in rows]


def held_elsewhere(cur: Cur, flow: str, ifs_key: str, account: str) -> list[int]:
    """Return the entries of `flow` that are held for this supplier in this account now."""
    rows = cur.execute(
        """
        select e.id from conflict c join entry e on e.id = c.entry_id and e.round = c.round
        where c.ifs_key = %s and c.account = %s and e.flow = %s and e.state = 'held' order by e.id
        """,
        (ifs_key, account, flow),
    ).fetchall()
    return [int(row[0]) for row in rows]


def _conflict(row: Sequence[object]) -> Conflict:
    names = Conflict.__struct_fields__
    values = [bytes(value) if isinstance(value, memoryview) else value for value in row]
    return msgspec.convert(dict(zip(names, values, strict=True)), Conflict)

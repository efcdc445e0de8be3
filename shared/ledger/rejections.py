"""Pairs of suppliers that a person said are two, in a table whose rows are only ever added to; the newest counts."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from shared.ledger.connection import Cur, storable

IFS: Final = "ifs"
CIN7: Final = "cin7"


class Pair(msgspec.Struct, frozen=True):
    """Two suppliers, each as `ifs/KEY` or `cin7/ID`, in order; `account` is empty where both are of IFS."""

    account: str
    one: str
    other: str


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said of a pair last, if that is that they are two."""

    account: str
    one: str
    other: str
    who: str
    why: str
    decided_at: datetime


def named(system: str, key: str) -> str:
    return f"{system}/{key.lower() if system == CIN7 else key}"


def pair(account: str, *suppliers: str) -> Pair:
    """Return the pair of two named suppliers, whichever comes first."""
    one, other = sorted(suppliers)
    in_account = any(name.startswith(f"{CIN7}/") for name in suppliers)
    return Pair(account if in_account else "", one, other)


def decide(cur: Cur, of: Pair, *, rejected: bool, who: str, why: str) -> None:
    """Record what a person says of a pair."""
    cur.execute(
        "insert into rejection (account, one, other, rejected, who, why) values (%s, %s, %s, %s, %s, %s)",
        (of.account, storable(of.one), storable(of.other), rejected, who, storable(why)),
    )


def current(cur: Cur, accounts: Iterable[str]) -> dict[Pair, Rejection]:
    """Return every pair of these accounts, or within IFS, that is rejected now."""
    rows = cur.execute(
        """
        select account, one, other, who, why, decided_at from (
            select distinct on (account, one, other) * from rejection where account = any(%s) or account = ''
            order by account, one, other, id desc
        ) newest where rejected order by decided_at
        """,
        (list(accounts),),
    ).fetchall()
    found = [Rejection(**dict(zip(Rejection.__struct_fields__, row, strict=True))) for row in rows]
    return {Pair(one.account, one.one, one.other): one for one in found}


def rejected_for_vendor(cur: Cur, cin7_id: str, account: str) -> set[str]:
    """Return the keys of IFS suppliers that a supplier of an account is not."""
    rows = cur.execute(
        """
        select other from (
            select distinct on (other) other, rejected from rejection
            where account = %s and one = %s and starts_with(other, 'ifs/') order by other, id desc
        ) newest where rejected
        """,
        (account, named(CIN7, cin7_id)),
    ).fetchall()
    return {str(row[0]).removeprefix(f"{IFS}/") for row in rows}


def rejected_for(cur: Cur, key: str, account: str) -> set[str]:
    """Return the ids of an account's suppliers that an IFS supplier is not."""
    rows = cur.execute(
        """
        select one from (
            select distinct on (one) one, rejected from rejection
            where account = %s and other = %s order by one, id desc
        ) newest where rejected
        """,
        (account, named(IFS, key)),
    ).fetchall()
    return {str(row[0]).removeprefix(f"{CIN7}/") for row in rows}

"""Our webhooks in Cin7: which they are, and whether Cin7 still calls them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from shared.ledger.connection import Cur, storable

State = Literal["on", "off", "gone"]


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook of ours, as the last look found it.

    Attributes:
        secret_at: when the secret that it bears was stored; another one stored since needs a new registration.
        state: `off` where Cin7 switched it off (or a person did), `gone` where it was deleted there.
        since: when it was first seen in that state.
        error: why the last look failed; "" where it did not.
    """

    account: str
    type: str
    id: str
    url: str
    secret_at: datetime
    state: State
    since: datetime
    looked_at: datetime
    error: str


_COLUMNS: Final = ", ".join(Ours.__struct_fields__)


def all_of(cur: Cur, accounts: Sequence[str] | None = None) -> list[Ours]:
    """Return our webhooks, of some accounts or of all."""
    rows = cur.execute(
        f"select {_COLUMNS} from webhook where %(accounts)s::text[] is null or account = any(%(accounts)s) "  # noqa: S608
        "order by account, type",
        {"accounts": None if accounts is None else list(accounts)},
    ).fetchall()
    return [Ours(**dict(zip(Ours.__struct_fields__, row, strict=True))) for row in rows]


def find(cur: Cur, account: str, kind: str) -> Ours | None:
    return next((ours for ours in all_of(cur, [account]) if ours.type == kind), None)


def keep(cur: Cur, account: str, kind: str, webhook_id: str, url: str, secret_at: datetime) -> None:
    """Remember a webhook that Cin7 has just confirmed."""
    cur.execute(
        """
        insert into webhook as w (account, type, id, url, secret_at) values (%s, %s, %s, %s, %s)
        on conflict (account, type) do update
        set id = excluded.id, url = excluded.url, secret_at = excluded.secret_at, state = 'on', error = '',
            since = case when w.state = 'on' then w.since else now() end, looked_at = now()
        """,
        (account, kind, webhook_id, storable(url), secret_at),
    )


def forget(cur: Cur, account: str, kind: str) -> None:
    cur.execute("delete from webhook where account = %s and type = %s", (account, kind))


def due(cur: Cur, accounts: Sequence[str], every_s: float) -> list[str]:
    """Take the accounts whose webhooks are to be looked at, for this process; others look again after `every_s`."""
    rows = cur.execute(
        """
        with next as materialized (
            select account, type from webhook where account = any(%s) and look_due_at <= now()
            for update skip locked
        )
        update webhook w set look_due_at = now() + make_interval(secs => %s)
        from next where w.account = next.account and w.type = next.type returning w.account
        """,
        (list(accounts), every_s),
    ).fetchall()
    return sorted({str(row[0]) for row in rows})


def seen(cur: Cur, ours: Ours, state: State) -> bool:
    """Record what a look found; say whether that is news."""
    row = cur.execute(
        """
        update webhook w set state = %(state)s, looked_at = now(), error = '',
               since = case when w.state = %(state)s then w.since else now() end
        from webhook was where was.account = w.account and was.type = w.type
          and w.account = %(account)s and w.type = %(type)s and w.id = %(id)s returning was.state
        """,
        {"state": state, "account": ours.account, "type": ours.type, "id": ours.id},
    ).fetchone()
    return row is not None and row[0] != state


def unseen(cur: Cur, account: str, error: str) -> None:
    """Record why a look found nothing out; what was known stays."""
    cur.execute("update webhook set error = %s where account = %s", (storable(error)[:500], account))

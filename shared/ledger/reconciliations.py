"""Comparisons of a month and the differences they found: records with a state, an owner, and a history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from shared.fingerprints import digest
from shared.ledger.connection import Cur, storable

State = Literal["open", "explained", "accepted", "closed"]
Place = tuple[str, str, str]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A difference as a comparison found it.

    Attributes:
        substance: what it is about; while that is the same, it is the same difference that a person looked at.
        settled: it lies in a rule and stops no month.
        body: all that is shown of it, as JSON.
    """

    flow: str
    key: str
    step: str
    document: str
    company: str
    cin7_account: str
    kind: str
    settled: bool
    substance: bytes
    body: bytes

    @property
    def place(self) -> Place:
        return self.flow, self.key, self.step


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A difference as the ledger has it."""

    id: int
    period: str
    flow: str
    key: str
    step: str
    document: str
    company: str
    cin7_account: str
    kind: str
    state: State
    owner: str
    note: str
    opened_at: datetime
    changed_at: datetime
    body: bytes
    digest: str

    @property
    def place(self) -> Place:
        return self.flow, self.key, self.step


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison looked at: what it did not find there is gone. `companies` empty: all of them.

    `accounts`: Cin7 accounts whose documents may be of one of the companies, though nobody can say of which.
    """

    period: str
    companies: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()

    def covers(self, one: Stored) -> bool:
        if one.flow not in self.flows:
            return False
        return not self.companies or one.company in self.companies or (
            not one.company and one.cin7_account in self.accounts
        )  # fmt: skip


_FIELDS: Final = Stored.__struct_fields__
_COLUMNS: Final = ", ".join(_FIELDS)


def next_state(was: State | None, *, settled: bool, same: bool) -> State:
    """Return the state of a difference that was found. Pure.

    Args:
        was: its state before; None: it is new.
        settled: it stops no month.
        same: it is about the same amounts and reason as before.
    """
    if was == "accepted" and same:
        return "accepted"
    return "explained" if settled else "open"


def begin(cur: Cur, scope: Scope, *, actor: str) -> int:
    """Open the row of one comparison; one that its process never closed is closed as abandoned by the next."""
    row = cur.execute(
        "insert into reconciliation (period, companies, flows, actor) values (%s, %s, %s, %s) returning id",
        (scope.period, list(scope.companies), list(scope.flows), actor),
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row[0])


def fail(cur: Cur, run: int, error: str) -> None:
    cur.execute(
        "update reconciliation set outcome = 'failed', error = %s, finished_at = now() where id = %s",
        (storable(error), run),
    )


def record(
    cur: Cur, run: int, scope: Scope, found: Sequence[Found], *, actor: str, report: bytes
) -> dict[Place, Stored]:  # fmt: skip
    """Record what a comparison found, and close what it did not find any more; return all that is not closed.

    In the caller's transaction, one comparison of a month after the other. One that was overtaken by another that began
    later records nothing: what it saw is older.
    """
    cur.execute("select pg_advisory_xact_lock(hashtextextended(%s, 4))", (f"reconciliation/{scope.period}",))
    overtaken = cur.execute(
        "select 1 from reconciliation where period = %s and id > %s and outcome = 'done' limit 1", (scope.period, run)
    ).fetchone()
    if overtaken is not None:
        cur.execute("update reconciliation set outcome = 'overtaken', finished_at = now() where id = %s", (run,))
        return _standing(cur, scope)
    cur.execute(
        "update reconciliation set outcome = 'abandoned', finished_at = now() "
        "where period = %s and id < %s and outcome = 'running'",
        (scope.period, run),
    )
    before = {one.place: one for one in _of_period(cur, scope.period)}
    for one in found:
        _keep(cur, run, scope.period, one, before.get(one.place), actor)
    still = {one.place for one in found}
    for place, old in before.items():
        if place not in still and old.state != "closed" and scope.covers(old):
            _move(cur, run, old, "closed", actor=actor, reason="gone")
    stored = _standing(cur, scope)
    is_open = sum(1 for one in stored.values() if one.state == "open")
    cur.execute(
        "update reconciliation set outcome = 'done', finished_at = now(), open = %s, report = %s where id = %s",
        (is_open, report, run),
    )
    return stored


def was_overtaken(cur: Cur, run: int) -> bool:
    row = cur.execute("select outcome = 'overtaken' from reconciliation where id = %s", (run,)).fetchone()
    return row is not None and bool(row[0])


def _standing(cur: Cur, scope: Scope) -> dict[Place, Stored]:
    return {one.place: one for one in _of_period(cur, scope.period) if one.state != "closed" and scope.covers(one)}


def _of_period(cur: Cur, period: str) -> list[Stored]:
    rows = cur.execute(
        f"select {_COLUMNS} from difference where period = %s order by id for update",  # noqa: S608 - of this module
        (period,),
    ).fetchall()
    return [_stored(row) for row in rows]


def _stored(row: Sequence[object]) -> Stored:
    named: dict[str, object] = dict(zip(_FIELDS, row, strict=True))
    named["body"] = bytes(named["body"])  # type: ignore[call-overload]
    return Stored(**named)  # type: ignore[arg-type]


def _keep(cur: Cur, run: int, period: str, one: Found, old: Stored | None, actor: str) -> None:
    """Insert what is new, renew what is known, and tell what has changed about it."""
    mark = digest(one.substance)
    same = old is not None and old.digest == mark
    state = next_state(old.state if old else None, settled=one.settled, same=same)
    row = cur.execute(
        """
        insert into difference as d (period, flow, key, step, document, company, cin7_account, kind, state, digest,
                                     body, seen_in)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (period, flow, key, step) do update
        set document = excluded.document, company = excluded.company, cin7_account = excluded.cin7_account,
            kind = excluded.kind, state = excluded.state, digest = excluded.digest, body = excluded.body,
            seen_in = excluded.seen_in,
            changed_at = case when d.state = excluded.state and d.digest = excluded.digest then d.changed_at
                              else now() end
        returning id, owner
        """,
        (
            period,
            one.flow,
            storable(one.key),
            one.step,
            one.document,
            storable(one.company),
            one.cin7_account,
            one.kind,
            state,
            mark,
            one.body,
            run,
        ),
    ).fetchone()
    assert row is not None  # noqa: S101 - an upsert returns its row
    if old is None or old.state != state or not same:
        _tell(
            cur,
            _Told(difference=row[0], was=old.state if old else "", becomes=state, kind=one.kind, owner=row[1]),
            run=run,
            mark=mark,
            actor=actor,
            reason=_why(old, same=same),
        )


def _why(old: Stored | None, *, same: bool) -> str:
    if old is None:
        return "found"
    if old.state == "closed":
        return "found again"
    if old.state == "accepted":
        return "is not what was accepted any more"
    return "looked at by other rules" if same else "changed"


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says of a difference."""

    difference: int
    was: str
    becomes: State
    kind: str
    owner: str


def _move(cur: Cur, run: int | None, old: Stored, becomes: State, *, actor: str, reason: str) -> None:
    cur.execute("update difference set state = %s, changed_at = now() where id = %s", (becomes, old.id))
    told = _Told(difference=old.id, was=old.state, becomes=becomes, kind=old.kind, owner=old.owner)
    _tell(cur, told, run=run, mark=old.digest, actor=actor, reason=reason)


def _tell(cur: Cur, told: _Told, *, run: int | None, mark: str, actor: str, reason: str) -> None:
    cur.execute(
        """
        insert into difference_event
            (difference_id, reconciliation_id, was, becomes, kind, owner, digest, actor, reason)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            told.difference,
            run,
            told.was,
            told.becomes,
            told.kind,
            told.owner,
            mark,
            actor,
            storable(reason),
        ),
    )


def _held(cur: Cur, ids: Sequence[int]) -> list[Stored]:
    rows = cur.execute(
        f"select {_COLUMNS} from difference where id = any(%s) order by id for update",  # noqa: S608 - as above
        (list(ids),),
    ).fetchall()
    return [_stored(row) for row in rows]


def assign(cur: Cur, ids: Sequence[int], owner: str, *, actor: str) -> list[int]:
    """Give differences to somebody, whatever their state; return those that there are."""
    found = _held(cur, ids)
    for one in found:
        cur.execute("update difference set owner = %s where id = %s", (storable(owner), one.id))
        told = _Told(difference=one.id, was=one.state, becomes=one.state, kind=one.kind, owner=storable(owner))
        _tell(cur, told, run=None, mark=one.digest, actor=actor, reason=f"assigned to {owner}")
    return [one.id for one in found]


def accept(cur: Cur, ids: Sequence[int], reason: str, *, actor: str) -> list[int]:
    """Let differences stop the month no longer, as they are now; return those that were open or explained."""
    return _decide(cur, ids, ("open", "explained"), "accepted", reason, actor)


def reopen(cur: Cur, ids: Sequence[int], reason: str, *, actor: str) -> list[int]:
    """Take an acceptance back; return those that had one."""
    return _decide(cur, ids, ("accepted",), "open", reason, actor)


def _decide(
    cur: Cur, ids: Sequence[int], states: Sequence[State], becomes: State, reason: str, actor: str
) -> list[int]:  # fmt: skip
    chosen = [one for one in _held(cur, ids) if one.state in states]
    for one in chosen:
        cur.execute("update difference set note = %s where id = %s", (storable(reason), one.id))
        _move(cur, None, one, becomes, actor=actor, reason=reason)
    return [one.id for one in chosen]

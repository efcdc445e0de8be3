"""Effects: every call that was meant to change a target, recorded before its first byte leaves."""

from datetime import datetime

import msgspec

from shared.fingerprints import digest
from shared.ledger.claiming import WritingClaim
from shared.ledger.connection import Cur, storable


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One intended call whose outcome is not known yet.

    `age_s`, on the ledger's clock, counts from when its answer was given up; from the intent where the worker died.
    """

    id: int
    entry_id: int
    target: str
    step: str
    round: int
    state: str
    marker: str
    intent_at: datetime
    age_s: float


def intend(
    cur: Cur, claim: WritingClaim, *, target: str, step: str, request: str, body: bytes, marker: str, call_key: str,
    actor: str,
) -> int:  # fmt: skip
    """Record that `request` is about to be sent; commit before sending. Return the effect's id."""
    row = cur.execute(
        """
        insert into effect (entry_id, target, flow, key, version, step, round, state, request, digest, marker,
                            call_key, actor)
        select %(entry)s, %(target)s, %(flow)s, %(key)s, %(version)s, %(step)s, coalesce(max(round), 0) + 1, 'INTENT',
               %(request)s, %(digest)s, %(marker)s, %(call_key)s, %(actor)s
        from effect where target = %(target)s and flow = %(flow)s and key = %(key)s and version = %(version)s
                      and step = %(step)s
        returning id
        """,
        {
            "entry": claim.id,
            "target": target,
            "flow": claim.flow,
            "key": claim.key,
            "version": claim.version,
            "step": step,
            "request": request,
            "digest": digest(body),
            "marker": storable(marker),
            "call_key": call_key,
            "actor": actor,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without group gives one row
    return int(row[0])


def conclude(
    cur: Cur, effect_id: int, state: str, *, answer: bytes = b"", detail: str = "", unfound: bool = False
) -> None:
    """Record the outcome: APPLIED, REFUSED (without effect) or UNKNOWN.

    `unfound`: its answer was lost and it was looked for in vain, so that it will be looked for once more.
    """
    cur.execute(
        """
        update effect set state = %s, ended_at = now(), answer_digest = %s, detail = %s, unfound = %s
        where id = %s and state in ('INTENT', 'UNKNOWN')
        """,
        (state, digest(answer) if answer else "", storable(detail), unfound, effect_id),
    )


def unresolved(cur: Cur, flow: str, key: str) -> list[Effect]:
    """Return the calls of a record whose outcome nobody knows, oldest first."""
    rows = cur.execute(
        """
        select id, entry_id, target, step, round, state, marker, intent_at,
               extract(epoch from clock_timestamp() - coalesce(ended_at, intent_at))::float
        from effect where flow = %s and key = %s and state in ('INTENT', 'UNKNOWN') order by id
        """,
        (flow, key),
    ).fetchall()
    names = Effect.__struct_fields__
    return [Effect(**dict(zip(names, row, strict=True))) for row in rows]


def intended(cur: Cur, effect: Effect) -> bytes:
    """Return the mapped body that a call was made for, b"" where there is none: its record may be another by now."""
    row = cur.execute(
        """
        select b.raw from body b join entry e on e.id = b.entry_id and e.detected_at = b.at
        where b.entry_id = %s and b.kind = 'mapped' order by b.round desc limit 1
        """,
        (effect.entry_id,),
    ).fetchone()
    return bytes(row[0]) if row else b""

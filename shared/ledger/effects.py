"""Effects: every call that was meant to change a target, recorded before its first byte leaves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from shared.fingerprints import digest
from shared.ledger.claiming import WritingClaim
from shared.ledger.connection import Cur, storable

State = Literal["INTENT", "APPLIED", "REFUSED", "UNKNOWN"]


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


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is about to be sent.

    Attributes:
        step: names the call within this version of the record, such as `create`.
        body: what is sent; only its digest is kept.
        marker: by which it can be found in the target should its answer be lost.
        call_key: label of the application key.
    """

    claim: WritingClaim
    target: str
    step: str
    request: str
    body: bytes
    marker: str
    call_key: str


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call: APPLIED, REFUSED (without effect) or UNKNOWN.

    `unfound`: its answer was lost and it was looked for in vain, so that it will be looked for once more.
    """

    effect_id: int
    state: State
    answer: bytes = b""
    detail: str = ""
    unfound: bool = False


def intend(cur: Cur, intents: Sequence[Intent], *, actor: str) -> dict[int, int]:
    """Record calls, one per entry, that are about to be sent; commit before sending. Return the effects by entry."""
    rows = cur.execute(
        """
        insert into effect (entry_id, target, flow, key, version, step, round, state, request, digest, marker,
                            call_key, actor)
        select i.entry, i.target, i.flow, i.key, i.version, i.step,
               coalesce((select max(e.round) from effect e
                         where e.target = i.target and e.flow = i.flow and e.key = i.key and e.version = i.version
                           and e.step = i.step), 0) + 1,
               'INTENT', i.request, i.digest, i.marker, i.call_key, %s
        from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],
                    %s::text[], %s::text[]) with ordinality
             as i (entry, target, flow, key, version, step, request, digest, marker, call_key, place)
        order by i.place
        returning entry_id, id
        """,
        (
            actor,
            [intent.claim.id for intent in intents],
            [intent.target for intent in intents],
            [intent.claim.flow for intent in intents],
            [intent.claim.key for intent in intents],
            [intent.claim.version for intent in intents],
            [intent.step for intent in intents],
            [intent.request for intent in intents],
            [digest(intent.body) for intent in intents],
            [storable(intent.marker) for intent in intents],
            [intent.call_key for intent in intents],
        ),
    ).fetchall()
    return {int(row[0]): int(row[1]) for row in rows}


def conclude(cur: Cur, conclusions: Sequence[Conclusion]) -> None:
    """Record the outcomes of calls that have none yet."""
    cur.execute(
        """
        update effect set state = c.state, ended_at = now(), answer_digest = c.answer, detail = c.detail,
                          unfound = c.unfound
        from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bool[])
             as c (id, state, answer, detail, unfound)
        where effect.id = c.id and effect.state in ('INTENT', 'UNKNOWN')
        """,
        (
            [one.effect_id for one in conclusions],
            [one.state for one in conclusions],
            [digest(one.answer) if one.answer else "" for one in conclusions],
            [storable(one.detail) for one in conclusions],
            [one.unfound for one in conclusions],
        ),
    )


def unresolved(cur: Cur, flow: str, keys: Sequence[str]) -> dict[str, list[Effect]]:
    """Return the calls whose outcome nobody knows, by record, oldest first."""
    rows = cur.execute(
        """
        select key, id, entry_id, target, step, round, state, marker, intent_at,
               extract(epoch from clock_timestamp() - coalesce(ended_at, intent_at))::float
        from effect where flow = %s and key = any(%s) and state in ('INTENT', 'UNKNOWN') order by id
        """,
        (flow, list(keys)),
    ).fetchall()
    found: dict[str, list[Effect]] = {}
    for key, *values in rows:
        found.setdefault(key, []).append(Effect(**dict(zip(Effect.__struct_fields__, values, strict=True))))
    return found


def was_created(cur: Cur, target: str, flow: str, key: str) -> bool:
    """Say whether a create of this record in this target had its effect."""
    row = cur.execute(
        "select 1 from effect where target = %s and flow = %s and key = %s and step = 'create' and state = 'APPLIED'",
        (target, flow, key),
    ).fetchone()
    return row is not None


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

"""What should be moving and is not: found in the ledger, so that Redis may lose anything at any time."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec

from shared.findings import Finding
from shared.flows import Stage
from shared.ledger import entries
from shared.ledger.connection import Cur
from shared.ledger.messages import Message, write_messages

#: Seconds a message may be on its way before anybody asks after it.
GRACE_S: Final = 5
#: Entries looked at in one statement.
LIMIT: Final = 2_000


class Stuck(msgspec.Struct, frozen=True, kw_only=True):
    """A moving entry whose message may be lost. `message_id` None: there never was one."""

    id: int
    flow: str
    stage: Stage
    queue: str
    message_id: UUID | None
    message_ended: bool
    claims: int


def due_retries(cur: Cur) -> list[Message]:
    """Send the entries whose rest is over, by stage and flow, in the order in which they are due.

    They are looked at once more under their locks: another sweep may have sent them since this one began to look.
    """
    rested = """
        from entry e left join message m on m.id = e.message_id
        where e.state = 'retrying' and e.due_at <= now() and (e.lease_until is null or e.lease_until < now())
          and (m.id is null or m.written_at < e.due_at)
    """
    found = cur.execute(f"select e.id {rested} order by e.due_at limit %s for update of e skip locked", (LIMIT,))
    ids = [int(row[0]) for row in found]
    if not ids:
        return []
    rows = cur.execute(f"select e.id, e.flow, e.stage {rested} and e.id = any(%s) order by e.due_at, e.id", (ids,))
    return _messages(cur, [(int(row[0]), str(row[1]), row[2], False) for row in rows])


def stuck(cur: Cur, after: int = 0) -> list[Stuck]:
    """Return moving entries beyond id `after` that nobody works on and whose message is not fresh, oldest first.

    At most `LIMIT` at once: ask again after the last.
    """
    rows = cur.execute(
        """
        select e.id, e.flow, case when e.state = 'mapped' then 'write' when e.state = 'detected' then 'map'
                             else e.stage end, coalesce(m.queue, ''),
               m.id, m.ended_at is not null, e.claims
        from entry e left join message m on m.id = e.message_id
        join record r on r.flow = e.flow and r.key = e.key
        where e.id > %s and e.state in ('detected', 'mapped', 'retrying') and e.due_at <= now()
          and (e.lease_until is null or e.lease_until < now())
          and (r.lease_until is null or r.lease_until < now())
          and (m.id is null or greatest(m.written_at, m.handed_over_at, m.ended_at) < now() - make_interval(secs => %s))
        order by e.id limit %s
        """,
        (after, GRACE_S, LIMIT),
    ).fetchall()
    return [Stuck(**dict(zip(Stuck.__struct_fields__, row, strict=True))) for row in rows]


def send_stuck(cur: Cur, lost: Sequence[Stuck]) -> list[Message]:
    """Write new messages for entries whose message is lost; what has been claimed before travels alone.

    Entries that moved meanwhile, or that another sweep has sent, are left out.
    """
    if not lost:
        return []
    known = {stuck.id: stuck for stuck in lost}
    rows = cur.execute(
        """
        select e.id, e.message_id from entry e
        where e.id = any(%s) and e.state in ('detected', 'mapped', 'retrying') and e.due_at <= now()
          and (e.lease_until is null or e.lease_until < now())
        order by e.id for update skip locked
        """,
        (list(known),),
    ).fetchall()
    carried = [
        (known[row[0]].id, known[row[0]].flow, known[row[0]].stage, known[row[0]].claims > 0)
        for row in rows
        if row[1] == known[row[0]].message_id
    ]
    return _messages(cur, carried)


def _messages(cur: Cur, carried: Sequence[tuple[int, str, Stage, bool]]) -> list[Message]:
    messages: list[Message] = []
    for flow, stage in dict.fromkeys((flow, stage) for _, flow, stage, _ in carried):
        mine = [(entry, alone) for entry, of, at, alone in carried if of == flow and at == stage]
        messages += write_messages(cur, stage, flow, [entry for entry, alone in mine if not alone])
        messages += write_messages(cur, stage, flow, [entry for entry, alone in mine if alone], batch=1)
    return messages


def waited_too_long(
    cur: Cur, limit_s: float, *, actor: str, finding: Callable[[str, str], Finding]
) -> list[tuple[int, str]]:
    """Hold what has waited longer than the limit; return (entry, flow) of what is held now."""
    rows = cur.execute(
        """
        select id, flow, waits_on, company from entry
        where state = 'waiting' and changed_at < now() - make_interval(secs => %s)
        order by id limit %s for update skip locked
        """,
        (limit_s, LIMIT),
    ).fetchall()
    return [
        (int(entry), str(flow))
        for entry, flow, waits_on, company in rows
        if entries.hold(cur, entry, "write", [finding(str(waits_on), str(company))], actor=actor)
    ]


def close_overtaken(cur: Cur, actor: str) -> int:
    """Close what rests although its record has a newer version; return how many entries.

    Whoever records a newer version closes the older ones, but leaves out those that somebody has in his hands in that
    moment, since waiting for them could be a circle. One of these may have been put to rest a moment later.
    """
    rows = cur.execute(
        """
        select e.id from entry e join record r on r.flow = e.flow and r.key = e.key
        where e.state in ('held', 'waiting') and e.version < r.version
          and (r.lease_until is null or r.lease_until < now())
        order by e.id limit %s for update of e skip locked
        """,
        (LIMIT,),
    ).fetchall()
    ids = [int(row[0]) for row in rows]
    return len(entries.close(cur, ids, "superseded", actor=actor, why="a newer version was seen")) if ids else 0


def held(cur: Cur) -> dict[tuple[str, Stage], list[tuple[int, float]]]:
    """Return all that is held, as (entry, held since in epoch seconds), by flow and stage."""
    rows = cur.execute(
        "select flow, stage, id, extract(epoch from changed_at)::float from entry where state = 'held' order by id"
    ).fetchall()
    found: dict[tuple[str, Stage], list[tuple[int, float]]] = {}
    for flow, stage, entry, since in rows:
        found.setdefault((flow, stage), []).append((int(entry), float(since)))
    return found

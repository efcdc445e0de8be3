"""How an entry ends a stage: mapped, written, waiting, retrying, held or closed; and how it is sent again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from shared.findings import Finding
from shared.fingerprints import digest
from shared.flows import Stage
from shared.ledger import backfills, bodies
from shared.ledger.causes import keep_findings
from shared.ledger.claiming import WritingClaim
from shared.ledger.connection import Cur
from shared.ledger.events import move, note
from shared.ledger.messages import BATCH, Message, carriers_of, write_carriers, write_messages

_FREE: Final = "claims = 0, lease_until = null"
#: Which entries are at a stage. A worker that lost its claim unawares finds the entry gone on, and leaves it alone.
_AT: Final[dict[Stage, str]] = {
    "map": "(e.state = 'detected' or (e.state = 'retrying' and e.stage = 'map'))",
    "write": "(e.state in ('mapped', 'waiting') or (e.state = 'retrying' and e.stage = 'write'))",
}


class Mapped(msgspec.Struct, frozen=True):
    """The result of one mapping, as the writer will read it."""

    entry_id: int
    round: int
    detected_at: datetime
    body: bytes
    company: str


def mapped(cur: Cur, flow: str, results: Sequence[Mapped], *, actor: str) -> list[Message]:
    """Keep what the mapping made of a batch and hand its entries to the writers.

    What was mapped meanwhile by another worker, or closed, is left as it is.
    """
    if not results:
        return []
    digests = [digest(result.body) for result in results]
    carriers = carriers_of("write", len(results))
    moved = cur.execute(
        """
        with was as (
            select e.id, e.state, b.digest, b.to_company, b.message_id from entry e
            join unnest(%(ids)s::bigint[], %(rounds)s::int[], %(digests)s::text[], %(companies)s::text[],
                        %(carriers)s::uuid[]) as b (entry_id, round, digest, to_company, message_id)
              on b.entry_id = e.id and b.round = e.round
            where e.state = 'detected' or (e.state = 'retrying' and e.stage = 'map') order by e.id for update of e
        ), moved as (
            update entry set state = 'mapped', stage = 'write', claims = 0, attempts = 0, lease_until = null,
                             reread = false, due_at = now(), company = was.to_company, message_id = was.message_id
            from was where entry.id = was.id returning entry.id
        ), told as (
            insert into event (entry_id, was, becomes, actor, detail)
            select id, state, 'mapped', %(actor)s, digest from was
        )
        select id from moved order by id
        """,
        {
            "ids": [result.entry_id for result in results],
            "rounds": [result.round for result in results],
            "digests": digests,
            "companies": [result.company for result in results],
            "carriers": carriers,
            "actor": actor,
        },
    ).fetchall()
    gone_on = {int(row[0]) for row in moved}
    going = [
        (one, mark, by) for one, mark, by in zip(results, digests, carriers, strict=True) if one.entry_id in gone_on
    ]
    bodies.keep(cur, "mapped", ((one.entry_id, one.round, one.detected_at, one.body, mark) for one, mark, _ in going))
    return write_carriers(cur, "write", flow, sorted((one.entry_id, by) for one, _, by in going))


def hold(cur: Cur, entry_id: int, stage: Stage, findings: Sequence[Finding], *, actor: str) -> bool:
    """Hold one entry with every reason; False where it has been closed, or has left this stage, meanwhile."""
    held = move(
        cur,
        [entry_id],
        "held",
        actor=actor,
        why="; ".join(sorted({finding.code for finding in findings})),
        sets=f"stage = '{stage}', waits_on = null, ready = false, {_FREE}",
        where=_AT[stage],
    )
    if not held:
        return False
    row = cur.execute("select round from entry where id = %s", (entry_id,)).fetchone()
    keep_findings(cur, entry_id, row[0] if row else 1, findings)
    return True


def retry(cur: Cur, entry_id: int, stage: Stage, *, delay_s: float, why: str, actor: str, counts: bool = True) -> None:
    """Let an entry rest and go on by itself.

    Args:
        counts: False where the failure says nothing about the entry (the call rate, a refused credential).
    """
    attempt = "attempts = attempts + 1" if counts else "attempts = attempts"
    sets = f"stage = '{stage}', due_at = now() + make_interval(secs => {float(delay_s)!r}), {attempt}, {_FREE}"
    state = {"map": "detected", "write": "mapped"}[stage]
    if move(cur, [entry_id], "retrying", actor=actor, why=why, sets=sets, where=f"e.state = '{state}'"):
        return
    # It was retrying already: the same state, a later hour.
    later = cur.execute(
        f"update entry set {sets} where id = %s and state = 'retrying' and stage = %s",  # noqa: S608 - literals and a number
        (entry_id, stage),
    )
    if later.rowcount:
        note(cur, entry_id, actor=actor, why=why)


def put_off(cur: Cur, ids: Sequence[int], delay_s: float) -> None:
    """Let entries that nobody began to write come again a little later; no event, since nothing happened to them."""
    if ids:
        cur.execute(
            f"update entry e set due_at = now() + make_interval(secs => %s) where id = any(%s) and {_AT['write']}",  # noqa: S608 - a literal
            (delay_s, list(ids)),
        )


def wait(cur: Cur, entry_id: int, dependency: str, *, actor: str) -> None:
    """Let an entry wait for `dependency`, whose lock the caller holds; `links.wake` sends it on."""
    move(cur, [entry_id], "waiting", actor=actor, why=f"waits for {dependency}", sets=f"stage = 'write', {_FREE}")
    cur.execute("update entry set waits_on = %s where id = %s and state = 'waiting'", (dependency, entry_id))


def written(
    cur: Cur,
    claims: Sequence[WritingClaim],
    *,
    actor: str,
    why: Mapping[int, str],
    becomes: Literal["written", "echo"] = "written",
) -> None:
    """Close entries as written, or as our own write coming back, and the older open entries as superseded.

    The caller has locked the records. An older entry that somebody is claiming right now is left to that claim, which
    waits for the record and then finds a newer version written: to wait for it would be a circle.

    Args:
        why: by entry.
    """
    move(cur, [claim.id for claim in claims], becomes, actor=actor, why=why, sets=_FREE, where=_AT["write"])
    if overtaking := [claim for claim in claims if claim.version > 1]:
        rows = cur.execute(
            """
            select e.id from entry e
            join unnest(%s::text[], %s::text[], %s::bigint[]) as newer (flow, key, version)
              on newer.flow = e.flow and newer.key = e.key and newer.version > e.version
            where e.state in ('detected', 'mapped', 'waiting', 'retrying', 'held')
            order by e.id for update of e skip locked
            """,
            (
                [claim.flow for claim in overtaking],
                [claim.key for claim in overtaking],
                [claim.version for claim in overtaking],
            ),
        ).fetchall()
        close(cur, [int(row[0]) for row in rows], "superseded", actor=actor, why="a newer version was written")


def close(
    cur: Cur, ids: Sequence[int], becomes: Literal["superseded", "echo", "dismissed"], *, actor: str, why: str
) -> list[int]:
    """End entries unwritten: `superseded`, `echo` or `dismissed`. Their findings are answered by it."""
    closed = move(
        cur,
        ids,
        becomes,
        actor=actor,
        why=why,
        sets=f"ready = false, waits_on = null, reread = false, {_FREE}",
    )
    cur.execute("update finding set open = false where entry_id = any(%s) and open", (closed,))
    return closed


def send_again(cur: Cur, flow: str, ids: Sequence[int], *, actor: str, why: str, lane: str = "replay") -> list[Message]:
    """Replay held entries: the source is read again and mapped by today's rules, as a new round beside the old ones."""
    moved = move(
        cur,
        ids,
        "detected",
        actor=actor,
        why=why,
        sets=f"stage = 'map', reread = true, round = entry.round + 1, attempts = 0, ready = false, "
        f"due_at = now(), lane = '{lane}', {_FREE}",
        where="e.state = 'held'",
    )
    cur.execute("update finding set open = false where entry_id = any(%s) and open", (moved,))
    return write_messages(cur, "map", flow, moved)


def ask(cur: Cur, flow: str, key: str, *, actor: str, why: str, lane: str = "live") -> list[Message]:
    """Ask for one record by key, unless something about it is under way: an entry without a body, to be read.

    Returns no message where the record has an open entry already. One that a backfill keeps back goes on at once.
    `lane`: of the budgets, that of who asks.
    """
    cur.execute("insert into record (flow, key) values (%s, %s) on conflict do nothing", (flow, key))
    cur.execute("select 1 from record where flow = %s and key = %s for update", (flow, key))
    if parked := backfills.let_go_of(cur, flow, key):
        return write_messages(cur, "map", flow, parked)
    row = cur.execute(
        """
        with fresh as (
            insert into entry (flow, key, version, fingerprint, state, reread, lane)
            select %(flow)s, %(key)s, (select version + 1 from record where flow = %(flow)s and key = %(key)s),
                   '', 'detected', true, %(lane)s
            where not exists (select 1 from entry where flow = %(flow)s and key = %(key)s
                              and state in ('detected', 'mapped', 'waiting', 'retrying', 'held'))
            returning id
        ), counted as (
            update record set version = version + 1
            where flow = %(flow)s and key = %(key)s and exists (select 1 from fresh)
        ), told as (
            insert into event (entry_id, was, becomes, actor, why)
            select id, '', 'detected', %(actor)s, %(why)s from fresh
        )
        select id from fresh
        """,
        {"flow": flow, "key": key, "actor": actor, "why": why, "lane": lane},
    ).fetchone()
    return write_messages(cur, "map", flow, [int(row[0])], batch=BATCH["map"]) if row else []


def is_moving(cur: Cur, flow: str, key: str) -> bool:
    """Say whether something about a record goes on by itself."""
    row = cur.execute(
        "select 1 from entry where key = %s and flow = %s and state in ('detected', 'mapped', 'retrying') limit 1",
        (key, flow),
    ).fetchone()
    return row is not None

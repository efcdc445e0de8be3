"""Turns what a read saw into new entries: a record whose fingerprint changed gets its next version, others nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from shared.fingerprints import digest
from shared.ledger import bodies
from shared.ledger.connection import Cur, storable
from shared.ledger.messages import Message, carriers_of, write_carriers

#: Why a record is left alone that was there before anybody looked; it is, for as long as nobody changes it.
COUNTED: Final = "there before the first look, and linked to nothing"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One record as a read saw it.

    `skipped` says why it is not for us (dated before the start, a state we leave alone); then `raw` may be empty.
    `dated`: its business date; None where it has none.
    """

    key: str
    raw: bytes
    fingerprint: str
    header_tag: str = ""
    company: str = ""
    stamp: str = ""
    skipped: str = ""
    dated: date | None = None


class Detected(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: ids of new entries in the order of the batch, and counts."""

    entries: tuple[int, ...] = ()
    unchanged: int = 0
    skipped: int = 0
    #: Held entries that a newer version closed, by the stage in which they rested.
    unheld: tuple[tuple[int, str], ...] = ()
    messages: tuple[Message, ...] = ()


def database_now(cur: Cur) -> datetime:
    """Return the ledger's clock; take it before a read, so that the order of reads is known afterwards."""
    row = cur.execute("select clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - a select without a table gives one row
    moment: datetime = row[0]
    return moment


def followed(cur: Cur, flow: str, keys: Sequence[str]) -> set[str]:
    """Return those of the keys whose records have entries, and are not just counted."""
    rows = cur.execute(
        "select key from record where flow = %s and key = any(%s) and skipped = ''", (flow, list(keys))
    ).fetchall()
    return {str(row[0]) for row in rows}


def record_seen(
    cur: Cur,
    flow: str,
    batch: Sequence[Seen],
    *,
    read_at: datetime,
    actor: str,
    poll_id: int | None = None,
    lane: str = "live",
    sweep: int = 0,
    carried: bool = False,
    why: str = "",
) -> Detected:
    """Record one batch in the caller's transaction.

    With `carried`, the messages that bring the new entries to the mappers are written too. `why`: what their events
    say; empty: that a pull or a read by key saw them.

    A read that began before the last one recorded cannot bring news: what it saw differently is older, and left out.
    A newer version closes every older open entry of its record, except one that a writer holds right now.
    """
    latest = {seen.key: seen for seen in batch}  # A page may name a record twice; the later row is as true.
    known, created = _hold_records(cur, flow, latest, read_at, sweep)
    changed: list[Seen] = []
    unchanged: list[Seen] = []
    for key, seen in latest.items():
        if key in created:
            continue
        _, fingerprint, last_read_at, skipped = known[key]
        same = seen.fingerprint == fingerprint and (
            seen.skipped == skipped or (skipped == COUNTED and not seen.skipped)
        )
        if same:
            unchanged.append(seen)
        elif read_at >= last_read_at:
            changed.append(seen)
    if unchanged:
        _touch(cur, flow, unchanged, read_at, sweep)
    versions = {seen.key: known[seen.key][0] + (0 if seen.skipped else 1) for seen in changed}
    if changed:
        _advance(cur, flow, changed, versions, read_at, sweep)
    sent = [seen for seen in latest.values() if not seen.skipped and (seen.key in versions or seen.key in created)]
    why = why or (f"seen changed by pull {poll_id}" if poll_id else "read again by key")
    detected = _insert_entries(
        cur, flow, sent, versions, read_at=read_at, actor=actor, poll_id=poll_id, lane=lane, carried=carried, why=why
    )
    older = [seen.key for seen in changed if known[seen.key][0] > 0]
    unheld = supersede_older(cur, flow, older, versions, actor) if older else ()
    return msgspec.structs.replace(
        detected,
        unchanged=len(unchanged),
        skipped=sum(1 for seen in latest.values() if seen.skipped),
        unheld=unheld,
    )


_Known = dict[str, tuple[int, str, datetime, str]]


def _hold_records(
    cur: Cur, flow: str, latest: Mapping[str, Seen], read_at: datetime, sweep: int
) -> tuple[_Known, set[str]]:
    """Lock the records of a batch; return what is known of those that were there, and which are new with it."""
    keys = sorted(latest)
    known = lock_records(cur, flow, keys)
    missing = [key for key in keys if key not in known]
    created = _create_records(cur, flow, [latest[key] for key in missing], read_at, sweep) if missing else set()
    if len(created) < len(missing):  # Another process made them since we looked.
        known |= lock_records(cur, flow, [key for key in missing if key not in created])
    return known, created


def lock_records(cur: Cur, flow: str, keys: Sequence[str]) -> _Known:
    """Lock records, in one order everywhere; return version, fingerprint, `read_at` and `skipped` of each, by key."""
    rows = cur.execute(
        """
        select key, version, fingerprint, read_at, skipped from record
        where flow = %s and key = any(%s) order by key for update
        """,
        (flow, keys),
    ).fetchall()
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def _create_records(cur: Cur, flow: str, fresh: Sequence[Seen], read_at: datetime, sweep: int) -> set[str]:
    """Insert records that were never seen before, as this batch saw them; return the keys that were new indeed."""
    rows = cur.execute(
        """
        insert into record (flow, key, version, fingerprint, header_tag, company, skipped, dated, read_at, sweep)
        select %s, key, version, fingerprint, tag, company, skipped, dated, %s, %s
        from unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::date[])
             as seen (key, version, fingerprint, tag, company, skipped, dated)
        on conflict do nothing returning key
        """,
        (
            flow,
            read_at,
            sweep,
            [seen.key for seen in fresh],
            [0 if seen.skipped else 1 for seen in fresh],
            [seen.fingerprint for seen in fresh],
            [seen.header_tag for seen in fresh],
            [storable(seen.company) for seen in fresh],
            [storable(seen.skipped) for seen in fresh],
            [seen.dated for seen in fresh],
        ),
    ).fetchall()
    return {str(row[0]) for row in rows}


def _touch(cur: Cur, flow: str, unchanged: Sequence[Seen], read_at: datetime, sweep: int) -> None:
    cur.execute(
        """
        update record set header_tag = seen.tag, read_at = greatest(read_at, %s), sweep = greatest(sweep, %s),
                          vanished_at = null, dated = seen.dated
        from unnest(%s::text[], %s::text[], %s::date[]) as seen (key, tag, dated)
        where record.flow = %s and record.key = seen.key
          and (header_tag <> seen.tag or %s > 0 or vanished_at is not null or record.dated is distinct from seen.dated)
        """,
        (
            read_at,
            sweep,
            [seen.key for seen in unchanged],
            [seen.header_tag for seen in unchanged],
            [seen.dated for seen in unchanged],
            flow,
            sweep,
        ),
    )


def _advance(
    cur: Cur, flow: str, changed: Sequence[Seen], versions: Mapping[str, int], read_at: datetime, sweep: int
) -> None:
    cur.execute(
        """
        update record set version = seen.version, fingerprint = seen.fingerprint, header_tag = seen.tag,
                          company = seen.company, skipped = seen.skipped, dated = seen.dated, read_at = %s,
                          sweep = greatest(sweep, %s), vanished_at = null
        from unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::date[])
             as seen (key, version, fingerprint, tag, company, skipped, dated)
        where record.flow = %s and record.key = seen.key
        """,
        (
            read_at,
            sweep,
            [seen.key for seen in changed],
            [versions[seen.key] for seen in changed],
            [seen.fingerprint for seen in changed],
            [seen.header_tag for seen in changed],
            [storable(seen.company) for seen in changed],
            [storable(seen.skipped) for seen in changed],
            [seen.dated for seen in changed],
            flow,
        ),
    )


def _insert_entries(
    cur: Cur,
    flow: str,
    sent: Sequence[Seen],
    versions: Mapping[str, int],
    *,
    read_at: datetime,
    actor: str,
    poll_id: int | None,
    lane: str,
    carried: bool,
    why: str,
) -> Detected:
    """Insert an entry for each record, the first version where `versions` names none, with its event and body."""
    if not sent:
        return Detected()
    digests = [digest(seen.raw) for seen in sent]
    carriers = carriers_of("map", len(sent)) if carried else [None] * len(sent)
    rows = cur.execute(
        """
        with fresh as (
            insert into entry (flow, key, version, fingerprint, state, company, stamp, poll_id, lane, message_id,
                               read_at)
            select %(flow)s, key, version, fingerprint, 'detected', company, stamp, %(poll)s, %(lane)s, message_id,
                   %(read_at)s
            from unnest(%(keys)s::text[], %(versions)s::bigint[], %(fingerprints)s::text[], %(companies)s::text[],
                        %(stamps)s::text[], %(carriers)s::uuid[]) with ordinality
                 as seen (key, version, fingerprint, company, stamp, message_id, place)
            order by place
            returning id, key, detected_at
        ), told as (
            insert into event (entry_id, was, becomes, actor, why, detail)
            select id, '', 'detected', %(actor)s, %(why)s, seen.digest
            from fresh join unnest(%(keys)s::text[], %(digests)s::text[]) as seen (key, digest) using (key) order by id
        )
        select id, key, detected_at from fresh order by id
        """,
        {
            "flow": flow,
            "poll": poll_id,
            "read_at": read_at,
            "lane": lane,
            "actor": actor,
            "why": why,
            "keys": [seen.key for seen in sent],
            "versions": [versions.get(seen.key, 1) for seen in sent],
            "fingerprints": [seen.fingerprint for seen in sent],
            "companies": [storable(seen.company) for seen in sent],
            "stamps": [storable(seen.stamp) for seen in sent],
            "carriers": carriers,
            "digests": digests,
        },
    ).fetchall()
    # Ids were given in the order of the batch.
    bodies.keep(
        cur,
        "source",
        ((row[0], 1, row[2], seen.raw, mark) for row, seen, mark in zip(rows, sent, digests, strict=True)),
    )
    ids = tuple(int(row[0]) for row in rows)
    pairs = [(entry, carrier) for entry, carrier in zip(ids, carriers, strict=True) if carrier is not None]
    return Detected(entries=ids, messages=tuple(write_carriers(cur, "map", flow, pairs)))


def supersede_older(
    cur: Cur,
    flow: str,
    keys: Sequence[str],
    versions: Mapping[str, int],
    actor: str,
    *,
    why: str = "a newer version was seen",
) -> tuple[tuple[int, str], ...]:
    """Close what a newer version overtook; return the held ones, whose dead letters must go."""
    rows = cur.execute(
        """
        with older as (
            select e.id, e.state, e.stage from entry e
            join unnest(%(keys)s::text[], %(versions)s::bigint[]) as seen (key, version) on seen.key = e.key
            join record r on r.flow = e.flow and r.key = e.key
            where e.flow = %(flow)s and e.version < seen.version
              and e.state in ('detected', 'mapped', 'waiting', 'retrying', 'held')
              and (r.lease_until is null or r.lease_until < now())
            -- An entry that a writer is claiming right now is left to it; waiting for it could wait for ourselves.
            order by e.id for update of e skip locked
        ), closed as (
            update entry set state = 'superseded', ready = false, waits_on = null, lease_until = null
            from older where entry.id = older.id returning entry.id
        ), told as (
            insert into event (entry_id, was, becomes, actor, why)
            select id, state, 'superseded', %(actor)s, %(why)s from older
        ), answered as (
            update finding set open = false from older where finding.entry_id = older.id and finding.open
        )
        select id, stage from older where state = 'held'
        """,
        {
            "flow": flow,
            "keys": list(keys),
            "versions": [versions[key] for key in keys],
            "actor": actor,
            "why": storable(why),
        },
    ).fetchall()
    return tuple((int(row[0]), str(row[1])) for row in rows)

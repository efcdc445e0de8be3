"""One record's whole story: every version that was seen, what happened to it, and every call it led to. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from shared.ledger.connection import Cur

S = TypeVar("S", bound=msgspec.Struct)


class StoryEvent(msgspec.Struct, frozen=True, kw_only=True):
    """`was` equals `becomes` where something was only noted; `was` is empty at the beginning."""

    was: str
    becomes: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    why: str
    detail: str


class StoryEffect(msgspec.Struct, frozen=True, kw_only=True):
    """One call that was meant to change `target`; `digest` and `answer_digest` are SHA-256 of what went and came."""

    target: str
    step: str
    round: int
    state: str
    request: str
    digest: str
    marker: str
    intent_at: datetime
    ended_at: datetime | None
    answer_digest: str
    detail: str
    actor: str


class StoryFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One reason of a hold; `open` until it is answered. `round` counts the replays."""

    round: int
    at: datetime
    code: str
    field: str
    value: str
    company: str
    message: str
    remedy: str
    open: bool


class StoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    version: int
    state: str
    stage: str
    company: str
    detected_at: datetime
    changed_at: datetime
    round: int
    attempts: int
    waits_on: str | None
    poll_id: int | None
    events: list[StoryEvent] = []
    effects: list[StoryEffect] = []
    findings: list[StoryFinding] = []


class StoryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the record itself. `skipped`: why its newest state is not sent; empty where it is."""

    version: int
    written_version: int
    company: str
    skipped: str
    read_at: datetime | None
    vanished_at: datetime | None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    flow: str
    key: str
    record: StoryRecord | None
    entries: tuple[StoryEntry, ...]


class Bodies(msgspec.Struct, frozen=True, kw_only=True):
    """An entry's source as it was received, and what the last mapping made of it; None where there is none."""

    source: bytes | None
    mapped: bytes | None


def story(cur: Cur, flow: str, key: str) -> Story:
    """Return the story of one record; without record and entries where it was never seen."""
    found = cur.execute(
        """
        select version, written_version, company, skipped,
               case when isfinite(read_at) then read_at end, vanished_at
        from record where flow = %s and key = %s
        """,
        (flow, key),
    ).fetchone()
    record = None if found is None else StoryRecord(**dict(zip(StoryRecord.__struct_fields__, found, strict=True)))
    rows = cur.execute("select id from entry where flow = %s and key = %s order by version", (flow, key)).fetchall()
    return Story(flow=flow, key=key, record=record, entries=tuple(entries(cur, [int(row[0]) for row in rows])))


def entries(cur: Cur, ids: Sequence[int]) -> list[StoryEntry]:
    """Return entries with their events, effects and findings, in the order of their ids."""
    names = StoryEntry.__struct_fields__[:-3]
    rows = cur.execute(
        f"select {', '.join(names)} from entry where id = any(%s) order by id",  # noqa: S608 - names of a struct
        (list(ids),),
    ).fetchall()
    story_of = {
        row[0]: StoryEntry(**dict(zip(names, row, strict=True)), events=[], effects=[], findings=[]) for row in rows
    }
    for entry, event in _parts(cur, "event", StoryEvent, ids):
        story_of[entry].events.append(event)
    for entry, effect in _parts(cur, "effect", StoryEffect, ids):
        story_of[entry].effects.append(effect)
    for entry, finding in _parts(cur, "finding", StoryFinding, ids):
        story_of[entry].findings.append(finding)
    return list(story_of.values())


def _parts(cur: Cur, table: str, shape: type[S], ids: Sequence[int]) -> list[tuple[int, S]]:
    columns = shape.__struct_fields__
    rows: list[tuple[Any, ...]] = cur.execute(
        f"select entry_id, {', '.join(columns)} from {table} where entry_id = any(%s) order by id",  # noqa: S608
        (list(ids),),
    ).fetchall()
    return [(row[0], shape(**dict(zip(columns, row[1:], strict=True)))) for row in rows]


def bodies(cur: Cur, entry_id: int) -> Bodies:
    """Return what an entry was made of and what it became."""
    rows: dict[str, bytes] = dict(
        cur.execute(
            """
            select distinct on (b.kind) b.kind, b.raw from body b join entry e on e.id = b.entry_id
            where b.entry_id = %s and b.at = e.detected_at order by b.kind, b.round desc
            """,
            (entry_id,),
        ).fetchall()
    )
    source, mapped = rows.get("source"), rows.get("mapped")
    return Bodies(source=None if source is None else bytes(source), mapped=None if mapped is None else bytes(mapped))

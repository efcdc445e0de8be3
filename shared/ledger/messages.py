"""The record of every queue message: written with the change that causes it, before it is sent."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from shared.flows import Stage, queue_of
from shared.ledger.connection import Cur

#: Entries a message carries at most. Mapping is pure, so large batches pay; a writer's are small, so that all threads
#: of all writers have work.
BATCH: dict[Stage, int] = {"map": 50, "write": 25}


class Message(msgspec.Struct, frozen=True):
    """One claim check: the ids of ledger entries of one flow."""

    id: UUID
    queue: str
    entries: tuple[int, ...]


def write_messages(cur: Cur, stage: Stage, flow: str, ids: Sequence[int], *, batch: int | None = None) -> list[Message]:
    """Write the messages that will carry `ids`, and mark their entries as carried by them."""
    if not ids:
        return []
    carriers = carriers_of(stage, len(ids), batch=batch)
    cur.execute(
        """
        update entry set message_id = carried.message_id
        from unnest(%s::bigint[], %s::uuid[]) as carried (id, message_id) where entry.id = carried.id
        """,
        (list(ids), carriers),
    )
    return write_carriers(cur, stage, flow, list(zip(ids, carriers, strict=True)))


def carriers_of(stage: Stage, count: int, *, batch: int | None = None) -> list[UUID]:
    """Return for each of so many entries, in order, the id of the message that is to carry it."""
    size = batch or BATCH[stage]
    return [carrier for start in range(0, count, size) for carrier in [uuid4()] * min(size, count - start)]


def write_carriers(cur: Cur, stage: Stage, flow: str, carried: Sequence[tuple[int, UUID]]) -> list[Message]:
    """Write the messages of entries that bear the ids of their messages already: pairs of entry and message."""
    if not carried:
        return []
    queue = queue_of(stage, flow)
    members: dict[UUID, list[int]] = {}
    for entry, message in carried:
        members.setdefault(message, []).append(entry)
    cur.execute(
        """
        insert into message (id, queue, entries)
        select id, %s, array_agg(entry order by place)
        from unnest(%s::bigint[], %s::uuid[]) with ordinality as carried (entry, id, place) group by id
        """,
        (queue, [entry for entry, _ in carried], [message for _, message in carried]),
    )
    return [Message(message, queue, tuple(entries)) for message, entries in members.items()]


def handed_over(cur: Cur, messages: Sequence[Message]) -> None:
    cur.execute("update message set handed_over_at = now() where id = any(%s)", ([message.id for message in messages],))


def picked_up(cur: Cur, message_id: UUID) -> None:
    cur.execute("update message set picked_up_at = now() where id = %s and picked_up_at is null", (message_id,))


def ended(cur: Cur, message_id: UUID, outcome: str) -> None:
    cur.execute("update message set ended_at = now(), outcome = %s where id = %s", (outcome, message_id))

"""The record of every queue message: written with the change that causes it, before it is sent."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from shared.flows import Stage, queue_of
from shared.ledger.connection import Cur

#: Entries a message carries at most. Mapping is pure, so large batches pay; a writer's are small, so that all threads
#: of all writers have work.
BATCH: dict[Stage, int] = {"map": 50, "write": 10}


class Message(msgspec.Struct, frozen=True):
    """One claim check: the ids of ledger entries of one flow."""

    id: UUID
    queue: str
    entries: tuple[int, ...]


def write_messages(cur: Cur, stage: Stage, flow: str, ids: Sequence[int], *, batch: int | None = None) -> list[Message]:
    """Write the messages that will carry `ids`, and mark their entries as carried by them."""
    if not ids:
        return []
    size = batch or BATCH[stage]
    queue = queue_of(stage, flow)
    messages = [Message(uuid4(), queue, tuple(ids[start : start + size])) for start in range(0, len(ids), size)]
    cur.executemany(
        "insert into message (id, queue, entries) values (%s, %s, %s)",
        [(message.id, message.queue, list(message.entries)) for message in messages],
    )
    carried = [(entry, message.id) for message in messages for entry in message.entries]
    cur.execute(
        """
        update entry set message_id = carried.message_id
        from unnest(%s::bigint[], %s::uuid[]) as carried (id, message_id) where entry.id = carried.id
        """,
        ([entry for entry, _ in carried], [message for _, message in carried]),
    )
    return messages


def handed_over(cur: Cur, messages: Sequence[Message]) -> None:
    cur.execute("update message set handed_over_at = now() where id = any(%s)", ([message.id for message in messages],))


def picked_up(cur: Cur, message_id: UUID) -> None:
    cur.execute("update message set picked_up_at = now() where id = %s and picked_up_at is null", (message_id,))


def ended(cur: Cur, message_id: UUID, outcome: str) -> None:
    cur.execute("update message set ended_at = now(), outcome = %s where id = %s", (outcome, message_id))

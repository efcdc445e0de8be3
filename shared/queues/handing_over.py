"""Puts messages onto Redis queues in dramatiq's own form, many in one round trip."""

import time
from collections.abc import Iterable, Sequence

import dramatiq
import redis
import structlog

from shared.ledger.connection import Ledger
from shared.ledger.messages import Message, handed_over
from shared.queues.broker import NAMESPACE

log = structlog.get_logger()


def actor_of(queue: str) -> str:
    """Return the name of the one actor that serves `queue`: `map.suppliers` is served by `map_suppliers`."""
    return queue.replace(".", "_")


def encode(message: Message) -> bytes:
    """Return the message as dramatiq would have encoded it."""
    return dramatiq.Message(
        queue_name=message.queue,
        actor_name=actor_of(message.queue),
        args=(list(message.entries),),
        kwargs={},
        options={"redis_message_id": str(message.id)},
        message_id=str(message.id),
        message_timestamp=int(time.time() * 1000),
    ).encode()


def enqueue(client: redis.Redis, messages: Iterable[Message]) -> None:
    """Append messages to their queues, in order.

    Writes the two keys that dramatiq's own script writes (hash, then list), so a consumer never meets an id without
    its message. Source: docs/decisions/0030-broker.md.
    """
    with client.pipeline(transaction=True) as pipe:
        for message in messages:
            pipe.hset(f"{NAMESPACE}:{message.queue}.msgs", str(message.id), encode(message))
            pipe.rpush(f"{NAMESPACE}:{message.queue}", str(message.id))
        pipe.execute()


def hand_over(client: redis.Redis, ledger: Ledger, messages: Sequence[Message]) -> None:
    """Enqueue what the ledger has committed; a failure is left to the sweep, which sends it again.

    Also Redis's refusals: with `noeviction` a full one takes no message.
    """
    if not messages:
        return
    try:
        enqueue(client, messages)
    except redis.RedisError as error:
        log.warning("messages not handed over; the sweep will", messages=len(messages), reason=str(error))
        return
    with ledger.statement() as cur:
        handed_over(cur, messages)


def in_redis(client: redis.Redis, messages: Sequence[tuple[str, str]]) -> list[bool]:
    """Say for each (queue, message id) whether Redis still holds the message, waiting or taken."""
    with client.pipeline(transaction=False) as pipe:
        for queue, message_id in messages:
            pipe.hexists(f"{NAMESPACE}:{queue}.msgs", message_id)
        return [bool(found) for found in pipe.execute()]


def waiting(client: redis.Redis, queue: str) -> int:
    """Return how many messages of `queue` nobody has taken yet."""
    return int(client.llen(f"{NAMESPACE}:{queue}"))

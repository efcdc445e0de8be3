"""The hold as dramatiq shows it: one dead letter per held entry, in the dead-letter queue of its stage."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

import redis
from dramatiq import Message as DramatiqMessage
from dramatiq.errors import DecodeError

from shared.ledger.messages import Message
from shared.queues.broker import NAMESPACE
from shared.queues.handing_over import encode


def letter_id(entry_id: int) -> UUID:
    """Return the id of the dead letter of an entry: always the same, so that resting it twice leaves one."""
    return UUID(int=entry_id)


def rest(client: redis.Redis, queue: str, entries: Iterable[tuple[int, float]]) -> None:
    """Lay one letter per (entry id, held since as epoch seconds) into the dead-letter queue of `queue`."""
    dead = f"{NAMESPACE}:{queue}.XQ"
    with client.pipeline(transaction=True) as pipe:
        for entry_id, since_s in entries:
            letter = Message(letter_id(entry_id), queue, (entry_id,))
            pipe.hset(f"{dead}.msgs", str(letter.id), encode(letter))
            pipe.zadd(dead, {str(letter.id): int(since_s * 1000)})
        pipe.execute()


def remove(client: redis.Redis, queue: str, letters: Sequence[str]) -> None:
    """Take letters out of the dead-letter queue of `queue`."""
    if not letters:
        return
    dead = f"{NAMESPACE}:{queue}.XQ"
    with client.pipeline(transaction=True) as pipe:
        pipe.zrem(dead, *letters)
        pipe.hdel(f"{dead}.msgs", *letters)
        pipe.execute()


def remove_entries(client: redis.Redis, queue: str, entries: Iterable[int]) -> None:
    remove(client, queue, [str(letter_id(entry)) for entry in entries])


def resting(client: redis.Redis, queue: str) -> dict[str, tuple[int, ...]]:
    """Return the letters of `queue`, oldest first: letter id to entry ids, () where it cannot be read."""
    dead = f"{NAMESPACE}:{queue}.XQ"
    letters = [_text(letter) for letter in client.zrange(dead, 0, -1)]
    if not letters:
        return {}
    bodies = client.hmget(f"{dead}.msgs", letters)
    return {letter: _entries(body) for letter, body in zip(letters, bodies, strict=True)}


def _text(raw: object) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)


def _entries(body: object) -> tuple[int, ...]:
    if not isinstance(body, bytes):
        return ()
    try:
        args = DramatiqMessage.decode(body).args
        return tuple(int(entry) for entry in args[0])
    except (DecodeError, json.JSONDecodeError, LookupError, TypeError, ValueError, KeyError):
        return ()


def depths(client: redis.Redis, queue: str) -> tuple[int, int, int]:
    """Return how many messages are ready, delayed and dead in `queue`."""
    with client.pipeline(transaction=False) as pipe:
        pipe.llen(f"{NAMESPACE}:{queue}")
        pipe.llen(f"{NAMESPACE}:{queue}.DQ")
        pipe.zcard(f"{NAMESPACE}:{queue}.XQ")
        ready, delayed, dead = pipe.execute()
    return int(ready), int(delayed), int(dead)

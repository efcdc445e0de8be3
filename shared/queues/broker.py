"""The dramatiq broker every process uses: nothing expires, nothing is stranded, nothing is acknowledged by mistake.

What stock dramatiq 2.2 loses in ordinary faults, and why these few lines suffice: docs/decisions/0030-broker.md.
"""

from collections.abc import Iterable
from typing import Any, Final

import dramatiq
import redis
from dramatiq import Message, MessageProxy, Middleware
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from dramatiq.middleware import CurrentMessage, ShutdownNotifications, TimeLimit
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.errors import Misconfigured

NAMESPACE: Final = "dramatiq"
#: Milliseconds; three thousand years. A dead letter is a hold and must never expire.
DEAD_LETTER_TTL_MS: Final = 10**14
#: Milliseconds without a sign of life before a worker's messages go back. Running twice is harmless: the ledger's
#: claims decide, so this may be short.
HEARTBEAT_MS: Final = 15_000
#: Per million commands: how often a worker looks for dead ones. Often, so that a quiet queue recovers soon.
MAINTENANCE_CHANCE: Final = 200_000
#: Milliseconds between looks at a queue of delayed messages.
DELAYED_LOOK_MS: Final = 1_000
#: Milliseconds an actor may take: a batch of writes that waits for a call budget, not a stuck loop.
TIME_LIMIT_MS: Final = 3_600_000

LOST = (redis.ConnectionError, redis.TimeoutError)


def redis_client(redis_url: str) -> redis.Redis:
    """Return a client that never repeats a command by itself: a script that ran must not run twice."""
    try:
        return redis.Redis.from_url(
            redis_url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=30,
            socket_connect_timeout=5,
            health_check_interval=15,
        )
    except ValueError as error:
        raise Misconfigured(f"REDIS_URL is not a Redis address: {error}") from error


class SafeConsumer(_RedisConsumer):
    """Takes back what a lost reply left with this process, and puts undecodable bytes aside by id."""

    def __init__(self, broker: "SafeBroker", queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)
        if queue_name.endswith(".DQ"):
            # Nothing of ours is ever delayed in Redis: the ledger says when an entry is due. No need to look often.
            self.timeout = max(timeout, DELAYED_LOOK_MS)
            # The worker has dropped the delayed messages it held in memory; nobody else will run them.
            broker.live.pop(queue_name, None)
        self._live = broker.live.setdefault(queue_name, set())
        try:
            self._reclaim()
        except LOST as error:
            raise ConnectionClosed(error) from None

    def _reclaim(self) -> None:
        broker = self.broker
        acks = f"{broker.namespace}:__acks__.{broker.broker_id}.{self.queue_name}"
        back = []
        for raw_id in broker.client.smembers(acks):
            redis_id = raw_id.decode()
            if redis_id in self._live:
                continue
            if _is_sound(broker.client.hget(f"{broker.namespace}:{self.queue_name}.msgs", redis_id), redis_id):
                back.append(redis_id)
            else:
                broker.do_nack(self.queue_name, redis_id)
        if back:
            broker.do_requeue(self.queue_name, *back)
        self.message_cache: list[Any] = []

    def __next__(self) -> MessageProxy | None:
        try:
            try:
                message: MessageProxy | None = super().__next__()
                if message is not None:
                    self._live.add(message.options["redis_message_id"])
            except (DecodeError, LookupError, TypeError):
                self._reclaim()
                return None
        except LOST as error:
            raise ConnectionClosed(error) from None
        return message

    def ack(self, message: MessageProxy) -> None:
        try:
            super().ack(message)
        except LOST as error:
            raise ConnectionClosed(error) from None  # The worker tries again; until then it is not taken back.
        self._live.discard(message.options["redis_message_id"])

    def nack(self, message: MessageProxy) -> None:
        try:
            super().nack(message)
        except LOST as error:
            raise ConnectionClosed(error) from None  # The worker tries again; until then it is not taken back.
        self._live.discard(message.options["redis_message_id"])


def _is_sound(body: bytes | None, redis_id: str) -> bool:
    """Say whether these bytes are a message that a worker can take, run and acknowledge."""
    try:
        message = Message.decode(body or b"")
    except DecodeError:
        return False
    texts = (message.queue_name, message.actor_name, message.message_id)
    options = message.options
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(options, dict)
        and options.get("redis_message_id") == redis_id
    )


class SafeBroker(RedisBroker):
    """A RedisBroker whose consumers are `SafeConsumer`s."""

    def __init__(self, client: redis.Redis, middleware: Iterable[Middleware]) -> None:
        self.live: dict[str, set[str]] = {}
        super().__init__(
            client=client,
            middleware=list(middleware),
            namespace=NAMESPACE,
            dead_message_ttl=DEAD_LETTER_TTL_MS,
            heartbeat_timeout=HEARTBEAT_MS,
            maintenance_chance=MAINTENANCE_CHANCE,
        )

    @property
    def consumer_class(self) -> type[SafeConsumer]:
        return SafeConsumer


def build_broker(redis_url: str) -> SafeBroker:
    """Return the broker and make it dramatiq's own.

    No `Retries`: an actor records its failures in the ledger, which sends the entry again when it is due. What ends an
    actor all the same (the ledger is down) leaves the message to dramatiq's dead letters and the sweep.
    """
    broker = SafeBroker(
        redis_client(redis_url), [TimeLimit(time_limit=TIME_LIMIT_MS), ShutdownNotifications(), CurrentMessage()]
    )
    dramatiq.set_broker(broker)
    return broker


def require_safe_redis(client: redis.Redis) -> str:
    """Check what the queues stand on; return a warning, or "".

    Raises:
        Misconfigured: Redis may throw messages away when memory is short.
    """
    try:
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "")
        durable = client.config_get("appendonly").get("appendonly", "") == "yes" or bool(
            client.config_get("save").get("save", "")
        )
    except redis.ResponseError:
        return "Redis does not tell its configuration, so its eviction policy could not be checked."
    if policy and policy != "noeviction":
        raise Misconfigured(
            f"Redis may evict messages: its maxmemory-policy is `{policy}`. Set it to `noeviction` and start again."
        )
    return "" if durable else "Redis keeps nothing on disk; after its restart the ledger sends everything again."

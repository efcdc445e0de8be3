"""A message is written before it is sent, and what Redis does not take is only late."""

import threading
from uuid import UUID

import dramatiq
import redis
from dramatiq import Worker
from dramatiq.middleware import CurrentMessage

from shared.embedded import EmbeddedRedis
from shared.ledger.connection import Ledger
from shared.ledger.messages import BATCH, Message, ended, picked_up, write_messages
from shared.queues.broker import NAMESPACE, SafeBroker, redis_client
from shared.queues.handing_over import enqueue, hand_over, in_redis, waiting
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, one

QUEUE = f"map.{ORDERS}"


def written(ledger: Ledger, *ids: int) -> list[Message]:
    with ledger.transaction() as cur:
        return write_messages(cur, "map", ORDERS, ids)


def new(ledger: Ledger, count: int) -> list[int]:
    return list(samples.detect(ledger, *(samples.seen(f"{number}") for number in range(count))).entries)


def test_a_message_is_on_record_before_it_is_sent(ledger: Ledger, client: redis.Redis) -> None:
    ids = new(ledger, 2)
    (message,) = written(ledger, *ids)
    assert waiting(client, QUEUE) == 0
    assert ledger.rows("select queue, entries, handed_over_at from message") == [(QUEUE, ids, None)]
    assert ledger.rows("select distinct message_id from entry") == [(message.id,)]
    hand_over(client, ledger, [message])
    assert waiting(client, QUEUE) == 1
    assert one(ledger, "select handed_over_at >= written_at from message")


def test_a_message_carries_no_more_than_its_stage_allows(ledger: Ledger) -> None:
    ids = new(ledger, BATCH["map"] + 1)
    messages = written(ledger, *ids)
    assert [len(message.entries) for message in messages] == [BATCH["map"], 1]
    assert [entry for message in messages for entry in message.entries] == ids


def test_nothing_to_send_writes_nothing(ledger: Ledger, client: redis.Redis) -> None:
    assert written(ledger) == []
    hand_over(client, ledger, [])
    assert one(ledger, "select count(*) from message") == 0


def test_a_redis_that_is_away_only_delays_the_message(ledger: Ledger) -> None:
    messages = written(ledger, *new(ledger, 1))
    hand_over(redis_client("redis://127.0.0.1:1/0"), ledger, messages)
    assert one(ledger, "select handed_over_at is null from message")


def test_a_redis_that_is_full_only_delays_the_message(
    ledger: Ledger, client: redis.Redis, redis_server: EmbeddedRedis
) -> None:
    messages = written(ledger, *new(ledger, 1))
    client.config_set("maxmemory", "1")
    try:
        hand_over(client, ledger, messages)
    finally:
        client.config_set("maxmemory", "0")
    assert redis_server.alive()
    assert one(ledger, "select handed_over_at is null from message")
    assert waiting(client, QUEUE) == 0


def test_dramatiq_runs_our_messages_in_order_and_tells_their_ids(ledger: Ledger, client: redis.Redis) -> None:
    messages = [message for entry in new(ledger, 5) for message in written(ledger, entry)]
    hand_over(client, ledger, messages)
    broker = SafeBroker(client, [CurrentMessage()])
    told: list[tuple[UUID, tuple[int, ...]]] = []
    over = threading.Event()

    def work(ids: list[int]) -> None:
        current = CurrentMessage.get_current_message()
        assert current is not None
        told.append((UUID(current.message_id), tuple(ids)))
        if len(told) == len(messages):
            over.set()

    dramatiq.actor(actor_name="map_purchase_orders", queue_name=QUEUE, broker=broker)(work)
    worker = Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    assert over.wait(15)
    worker.stop(timeout=5000)
    assert told == [(message.id, message.entries) for message in messages]


def test_redis_is_asked_what_it_still_holds(ledger: Ledger, client: redis.Redis) -> None:
    messages = [message for entry in new(ledger, 3) for message in written(ledger, entry)]
    enqueue(client, messages[:2])
    broker = SafeBroker(client, [])
    broker.do_fetch(QUEUE, 1)  # Taken by a worker, and not ended yet.
    asked = [(QUEUE, str(message.id)) for message in messages]
    assert in_redis(client, asked) == [True, True, False]
    client.flushall()
    assert in_redis(client, asked) == [False, False, False]


def test_only_ids_travel(ledger: Ledger, client: redis.Redis) -> None:
    (entry,) = samples.detect(ledger, samples.seen("secret-key", "secret-text")).entries
    hand_over(client, ledger, written(ledger, entry))
    (body,) = client.hgetall(f"{NAMESPACE}:{QUEUE}.msgs").values()
    assert b"secret" not in body


def test_the_way_of_a_message_is_on_record(ledger: Ledger) -> None:
    (message,) = written(ledger, *new(ledger, 1))
    with ledger.transaction() as cur:
        picked_up(cur, message.id)
    first = one(ledger, "select picked_up_at from message")
    with ledger.transaction() as cur:
        picked_up(cur, message.id)
        ended(cur, message.id, "1 taken")
    assert ledger.rows("select picked_up_at, outcome, ended_at is not null from message") == [(first, "1 taken", True)]

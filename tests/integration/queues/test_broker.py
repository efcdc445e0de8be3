"""What stock dramatiq loses or strands in ordinary faults, and our broker does not."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import dramatiq
import pytest
import redis
from dramatiq import Worker
from dramatiq.middleware import CurrentMessage
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.embedded import EmbeddedRedis
from shared.errors import Misconfigured
from shared.ledger.messages import Message
from shared.queues import dead_letters
from shared.queues.broker import NAMESPACE, SafeBroker, anybody_working, build_broker, redis_client, require_safe_redis
from shared.queues.handing_over import encode, enqueue

QUEUE = "map.purchase_orders"
COMMAND, OF = 4, 6  # Places of dramatiq's command and queue among the words of EVALSHA.


class Flaky(redis.Redis):
    """A client whose network loses answers: the server did what it was told, and we never hear of it."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as its base has it
        self.losing: Counter[tuple[object, ...]] = Counter()
        super().__init__(*args, **options)

    def lose(self, command: str, times: int = 1, queue: str = QUEUE) -> None:
        self.losing = Counter({(command, queue): times})

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as its base has it
        answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        words = tuple(args[place] for place in (COMMAND, OF)) if args[0] == "EVALSHA" and len(args) > OF else ()
        # A fetch that brought nothing has nothing to lose.
        if self.losing[words] > 0 and (words[0] != "fetch" or answer):
            self.losing[words] -= 1
            raise redis.TimeoutError("the answer was lost")
        return answer


class Stage:
    """A worker of one queue, and how often each entry was worked on."""

    def __init__(self, url: str) -> None:
        retry = Retry(NoBackoff(), 0)
        client = Flaky.from_url(url, retry=retry)
        assert isinstance(client, Flaky)
        self.client = client
        self.broker = SafeBroker(self.client, [CurrentMessage()])
        self.runs: Counter[int] = Counter()
        self.fails = False
        self._lock = threading.Lock()
        dramatiq.actor(actor_name="map_purchase_orders", queue_name=QUEUE, broker=self.broker)(self.work)

    def work(self, ids: list[int]) -> None:
        with self._lock:
            self.runs.update(ids)
        if self.fails:
            raise RuntimeError("on purpose")

    @contextmanager
    def working(self) -> Iterator[None]:
        worker = Worker(self.broker, worker_threads=2, worker_timeout=20)
        worker.queue_prefetch = 8
        worker.start()
        try:
            yield
        finally:
            worker.stop(timeout=5_000)
            self.broker.close()

    def send(self, *entries: int, delay_ms: int | None = None) -> None:
        if delay_ms is None:
            enqueue(self.client, [Message(uuid4(), QUEUE, (entry,)) for entry in entries])
            return
        for entry in entries:
            bare: dramatiq.Message[None] = dramatiq.Message(QUEUE, "map_purchase_orders", ([entry],), {}, {})
            self.broker.enqueue(bare, delay=delay_ms)

    def left(self) -> dict[str, int]:
        """Return what Redis still holds of the queue, by kind."""
        names = {f"{NAMESPACE}:{QUEUE}": "waiting", f"{NAMESPACE}:{QUEUE}.DQ": "delayed"}
        found = {word: int(self.client.llen(name)) for name, word in names.items()}
        found["bodies"] = int(self.client.hlen(f"{NAMESPACE}:{QUEUE}.msgs"))
        found["taken"] = sum(int(self.client.scard(key)) for key in self.client.keys(f"{NAMESPACE}:__acks__*"))
        return {word: count for word, count in found.items() if count}

    def dead(self) -> list[str]:
        return list(dead_letters.resting(self.client, QUEUE))


def until(happened: Callable[[], object], timeout_s: float = 15) -> None:
    end = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def stage(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    # dramatiq waits seconds before it takes up a queue or an acknowledgement again; the waits are not what is tested.
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.02)
    monkeypatch.setattr("dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS", 0.02)
    stage = Stage(redis_url)
    yield stage
    stage.client.close()


def body(**changes: object) -> dict[str, object]:
    whole = json.loads(encode(Message(uuid4(), QUEUE, (99,))))
    return {**whole, "options": {"redis_message_id": "poison"}, **changes}


POISON = {
    "bytes": b"\xff\xfe",
    "half a message": b'{"queue_name": "map',
    "no message": b"[]",
    "an empty object": b"{}",
    "no bytes": b"",
    "no id": json.dumps(body(options={})).encode(),
    "no options": json.dumps(body(options=None)).encode(),
    "an id that is none": json.dumps(body(message_id=["x"])).encode(),
    "no actor": json.dumps(body(actor_name=None)).encode(),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_poison_becomes_a_dead_letter_and_its_neighbours_run(stage: Stage, poison: bytes) -> None:
    stage.send(*range(5))
    stage.client.hset(f"{NAMESPACE}:{QUEUE}.msgs", "poison", poison)
    stage.client.rpush(f"{NAMESPACE}:{QUEUE}", "poison")
    stage.send(*range(5, 10))
    with stage.working():
        until(lambda: len(stage.runs) == 10 and stage.dead())
        until(lambda: not stage.left())
    assert stage.runs == Counter(range(10))
    assert stage.dead() == ["poison"]


def test_lost_answers_to_fetches_lose_no_message_and_double_none(stage: Stage) -> None:
    stage.client.lose("fetch", times=3)
    stage.send(*range(40))
    with stage.working():
        until(lambda: len(stage.runs) == 40)
        until(lambda: not stage.left())
    assert stage.runs == Counter(range(40))


def test_delayed_messages_survive_a_lost_connection(stage: Stage) -> None:
    stage.send(*range(10), delay_ms=600)
    with stage.working():
        until(lambda: not stage.client.llen(f"{NAMESPACE}:{QUEUE}.DQ"))  # All lie in the worker's memory.
        stage.send(77, delay_ms=1)
        stage.client.lose("fetch", queue=f"{QUEUE}.DQ")
        stage.send(78, delay_ms=1)
        until(lambda: len(stage.runs) == 12)
    assert set(stage.runs) == {*range(10), 77, 78}


def test_a_lost_answer_to_an_acknowledgement_stops_nothing(stage: Stage) -> None:
    stage.client.lose("ack", times=2)
    stage.send(*range(12))
    with stage.working():
        until(lambda: len(stage.runs) == 12)
        until(lambda: not stage.left())
    assert stage.runs == Counter(range(12))


def test_an_actor_that_fails_leaves_nothing_stuck_in_redis(stage: Stage) -> None:
    stage.fails = True
    stage.send(1, 2)
    with stage.working():
        until(lambda: len(stage.runs) == 2)
        until(lambda: not stage.left())
    assert stage.dead() == [], "the ledger knows what became of its entries, and the sweep sends them"


def test_a_message_for_an_actor_that_does_not_exist_is_put_aside(stage: Stage) -> None:
    message = Message(uuid4(), QUEUE, (1,))
    whole = {**json.loads(encode(message)), "actor_name": "map_nothing"}
    stage.client.hset(f"{NAMESPACE}:{QUEUE}.msgs", str(message.id), json.dumps(whole))
    stage.client.rpush(f"{NAMESPACE}:{QUEUE}", str(message.id))
    stage.send(2)
    with stage.working():
        until(lambda: stage.runs[2] and stage.dead())
    assert stage.dead() == [str(message.id)]


def test_messages_of_a_dead_worker_are_run_by_another(stage: Stage, redis_url: str) -> None:
    stage.send(1, 2, 3)
    gone = SafeBroker(redis_client(redis_url), [])
    gone.do_fetch(QUEUE, 10)
    long_ago_ms = int(time.time() * 1000) - 3_600_000
    stage.client.zadd(f"{NAMESPACE}:__heartbeats__", {gone.broker_id: long_ago_ms})
    with stage.working():
        until(lambda: len(stage.runs) == 3)


def test_dead_letters_never_expire(stage: Stage) -> None:
    dead_letters.rest(stage.client, QUEUE, [(7, 1.0)])  # It died in 1970.
    stage.broker.maintenance_chance = 1_000_000  # Every command looks for what has expired.
    stage.send(1)
    with stage.working():
        until(lambda: stage.runs[1] == 1)
        stage.broker.do_fetch(QUEUE, 1)
    assert dead_letters.resting(stage.client, QUEUE) == {str(dead_letters.letter_id(7)): (7,)}


def test_the_broker_of_every_process_keeps_dead_letters_and_repeats_no_command(redis_url: str) -> None:
    broker = build_broker(redis_url)
    assert broker.dead_message_ttl >= 1000 * 3600 * 24 * 365 * 1000, "milliseconds of a thousand years"
    names = {type(middleware).__name__ for middleware in broker.middleware}
    assert not names & {"AgeLimit", "Retries", "Callbacks", "Pipelines"}
    retry = broker.client.connection_pool.connection_kwargs["retry"]
    assert retry.get_retries() == 0
    broker.close()


@contextmanager
def configured(server: EmbeddedRedis, **settings: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url, decode_responses=False) as client:
        names = [name.replace("_", "-") for name in settings]
        before = {name: client.config_get(name)[name] for name in names}
        try:
            for name, value in zip(names, settings.values(), strict=True):
                client.config_set(name, value)
            yield redis_client(server.url)
        finally:
            for name, value in before.items():
                client.config_set(name, value)


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_a_redis_that_may_evict_is_refused(redis_server: EmbeddedRedis, policy: str) -> None:
    with configured(redis_server, maxmemory_policy=policy) as client, pytest.raises(Misconfigured) as refused:
        require_safe_redis(client)
    assert policy in str(refused.value)
    assert "noeviction" in str(refused.value)


def test_a_redis_that_keeps_nothing_is_only_warned_of(own_folder: Path) -> None:
    with EmbeddedRedis(own_folder / "redis") as server, redis.Redis.from_url(server.url) as client:
        assert require_safe_redis(client) == ""
        client.config_set("appendonly", "no")
        assert "nothing on disk" in require_safe_redis(client)


def test_an_address_that_is_none_is_one_sentence() -> None:
    with pytest.raises(Misconfigured, match="REDIS_URL"):
        redis_client("nonsense://here")


def test_whether_anybody_is_at_work_is_told_by_the_workers_signs_of_life(stage: Stage) -> None:
    assert not anybody_working(stage.client)
    with stage.working():
        until(lambda: anybody_working(stage.client))
    beats = f"{NAMESPACE}:__heartbeats__"
    stage.client.execute_command("ZADD", beats, 1, stage.client.zrange(beats, 0, 0)[0])  # Long ago.
    assert not anybody_working(stage.client)

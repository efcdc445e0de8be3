import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.budgets import Budget, Slot
from shared.embedded import EmbeddedRedis
from shared.errors import Retryable

KEYS = ("main/1", "main/2", "main/3")

#: Takes calls until told to stop and prints, for each, its key and when it was granted and when it "arrived".
WORKER = """
import random, sys, threading, time
import redis
from shared.budgets import Budget
url, limit, window_s, seconds, threads = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), 6
budget = Budget(redis.Redis.from_url(url), "cin7/main", ("main/1", "main/2", "main/3"), limit, window_s)
end = time.monotonic() + seconds
arrived = []
def work():
    while (left := end - time.monotonic()) > 0:
        try:
            slot = budget.take(timeout_s=left)
        except Exception:
            return
        with budget.spending(slot):
            time.sleep(random.random() * 0.03)
            arrived.append((str(slot), time.monotonic()))
            time.sleep(random.random() * 0.01)
crew = [threading.Thread(target=work) for _ in range(threads)]
for member in crew: member.start()
for member in crew: member.join()
for key, moment in arrived: print(key, moment)
"""


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as connected:
        yield connected


def budget(client: "redis.Redis", limit: int = 2, window_s: float = 60, keys: Sequence[str] = ("main/1",)) -> Budget:
    return Budget(client, "cin7/main", keys, limit, window_s)


def spend(budget: Budget, slot: Slot) -> None:
    with budget.spending(slot):
        pass


def most_in_any_window(moments: Sequence[float], window_s: float) -> int:
    ordered = sorted(moments)
    return max(sum(1 for other in ordered if start <= other < start + window_s) for start in ordered)


def test_the_keys_of_an_account_add_up_and_the_one_with_most_room_goes_first(client: "redis.Redis") -> None:
    pooled = budget(client, limit=2, keys=KEYS)
    taken = [pooled.take(timeout_s=0) for _ in range(6)]
    assert sorted(taken[:3]) == sorted(taken[3:]) == list(KEYS)
    with pytest.raises(Retryable) as caught:
        pooled.take(timeout_s=0)
    assert caught.value.executed is False
    assert 59 < (caught.value.delay_s or 0) < 62


def test_a_call_becomes_free_once_its_window_has_passed(client: "redis.Redis") -> None:
    quick = budget(client, limit=2, window_s=0.3)
    moments = []
    for _ in range(5):
        slot = quick.take(timeout_s=5)
        moments.append(time.monotonic())
        spend(quick, slot)
    assert most_in_any_window(moments, 0.3) <= 2
    assert moments[4] - moments[0] < 1.5


def test_a_call_that_takes_long_to_arrive_counts_from_its_arrival(client: "redis.Redis") -> None:
    slow = budget(client, limit=1, window_s=0.3)
    with slow.spending(slow.take(timeout_s=0)):
        time.sleep(0.2)
    arrived_at = time.monotonic()
    slow.take(timeout_s=5)
    assert time.monotonic() - arrived_at >= 0.3


def test_a_call_that_was_not_made_is_given_back(client: "redis.Redis") -> None:
    single = budget(client, limit=1)
    single.give_back(single.take(timeout_s=0))
    assert single.take(timeout_s=0) == "main/1"


def test_a_closed_key_is_closed_for_every_process_and_the_others_go_on(client: "redis.Redis") -> None:
    here, there = budget(client, keys=KEYS), budget(client, keys=KEYS)
    here.close("main/2", 30)
    here.close("main/2", 1)  # The longer closure stays.
    assert {there.take(timeout_s=0) for _ in range(4)} == {"main/1", "main/3"}
    with pytest.raises(Retryable) as caught:
        there.take(timeout_s=0)
    assert 28 < (caught.value.delay_s or 0) <= 30
    assert [use.closed_s > 0 for use in there.used()] == [False, True, False]


def test_a_closed_key_opens_again(client: "redis.Redis") -> None:
    single = budget(client)
    single.close("main/1", 0.2)
    started = time.monotonic()
    assert single.take(timeout_s=5) == "main/1"
    assert 0.15 < time.monotonic() - started < 2


def test_what_is_used_is_shown_per_key(client: "redis.Redis") -> None:
    shown = budget(client, limit=5, keys=KEYS)
    for _ in range(4):
        spend(shown, shown.take(timeout_s=0))
    assert sorted(use.used for use in shown.used()) == [1, 1, 2]
    assert [(use.key, use.limit) for use in shown.used()] == [(key, 5) for key in KEYS]


def test_a_higher_lane_goes_first_and_within_a_lane_whoever_came_first(client: "redis.Redis") -> None:
    busy = budget(client, limit=1, window_s=0.15)
    spend(busy, busy.take(timeout_s=0))
    served: list[str] = []

    def wait(lane: str, name: str) -> None:
        slot = busy.take(lane, timeout_s=10)
        served.append(name)
        spend(busy, slot)

    wishes = [
        ("reconciliation", "reconciliation"),
        ("backfill", "backfill"),
        ("replay", "replay"),
        ("live", "live 1"),
        ("live", "live 2"),
    ]
    crew = [threading.Thread(target=wait, args=wish) for wish in wishes]
    for member in crew:
        member.start()
        time.sleep(0.02)
    for member in crew:
        member.join(10)
    assert served == ["live 1", "live 2", "replay", "backfill", "reconciliation"]


def test_a_lower_lane_is_not_served_while_a_higher_one_waits(client: "redis.Redis") -> None:
    single = budget(client, limit=1, window_s=0.5)
    spend(single, single.take(timeout_s=0))
    crew = threading.Thread(target=lambda: spend(single, single.take("live", timeout_s=5)))
    crew.start()
    time.sleep(0.1)
    with pytest.raises(Retryable) as caught:
        single.take("backfill", timeout_s=0)
    assert (caught.value.delay_s or 0) >= 0.5
    crew.join(5)


def test_whoever_gives_up_or_dies_in_the_line_does_not_hold_up_the_others(client: "redis.Redis") -> None:
    single = budget(client, limit=1, window_s=1.5)
    spend(single, single.take(timeout_s=0))
    with pytest.raises(Retryable):
        single.take(timeout_s=0.3)
    # One that died: in the line, but it will not come back.
    client.zadd("{budget:cin7/main}:line", {"dead": 1})
    client.zadd("{budget:cin7/main}:alive", {"dead": int((time.time() + 0.5) * 1e6)})
    started = time.monotonic()
    single.take(timeout_s=10)
    assert time.monotonic() - started < 4


def test_an_unknown_lane_is_a_mistake_of_ours(client: "redis.Redis") -> None:
    with pytest.raises(KeyError):
        budget(client).take("fast")


def test_accounts_do_not_share_a_budget(client: "redis.Redis") -> None:
    one = budget(client, limit=1)
    other = Budget(client, "cin7/other", ["other/1"], 1, 60)
    one.take(timeout_s=0)
    assert other.take(timeout_s=0) == "other/1"


def test_a_lowered_limit_is_kept_at_once(client: "redis.Redis") -> None:
    wide = budget(client, limit=4, window_s=0.4)
    for _ in range(4):
        spend(wide, wide.take(timeout_s=0))
    narrow = budget(client, limit=1, window_s=0.4)
    with pytest.raises(Retryable):
        narrow.take(timeout_s=0)
    assert narrow.take(timeout_s=5)


def test_nothing_is_left_in_redis_for_ever(client: "redis.Redis") -> None:
    single = budget(client, limit=1, window_s=0.2)
    for _ in range(3):
        spend(single, single.take(timeout_s=5))
    single.close("main/1", 0.2)
    assert all(client.pttl(key) > 0 for key in client.keys("*"))


def test_a_redis_that_forgot_the_script_or_everything_is_no_obstacle(client: "redis.Redis") -> None:
    single = budget(client)
    single.take(timeout_s=0)
    client.script_flush()
    single.take(timeout_s=0)
    client.flushall()
    single.take(timeout_s=0)


def test_without_redis_nothing_is_called_and_nothing_is_lost() -> None:
    # Port 1 answers nobody.
    away = Budget(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), "cin7/main", ["main/1"], 1, 60)
    for refused in (away.take, away.used, lambda: away.close("main/1", 1)):
        with pytest.raises(Retryable) as caught:
            refused()
        assert caught.value.executed is False


def test_four_processes_use_what_is_permitted_and_never_more(redis_server: EmbeddedRedis, redis_url: str) -> None:
    limit, window_s, seconds = 20, 1.0, 5.0
    command = [sys.executable, "-c", WORKER, redis_url, str(limit), str(window_s), str(seconds)]
    crew = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    arrived: dict[str, list[float]] = {key: [] for key in KEYS}
    for member in crew:
        printed, _ = member.communicate(timeout=60)
        for line in printed.splitlines():
            key, moment = line.split()
            arrived[key].append(float(moment))
    for moments in arrived.values():
        assert most_in_any_window(moments, window_s) <= limit
    first, last = min(map(min, arrived.values())), max(map(max, arrived.values()))
    permitted = limit * len(KEYS) * (last - first) / window_s
    assert sum(map(len, arrived.values())) >= 0.85 * permitted


def test_several_calls_are_taken_in_one_go_and_no_more_than_are_free(client: "redis.Redis") -> None:
    pooled = budget(client, limit=2, keys=KEYS)
    first = pooled.take_free(4)
    assert len(first) == len({slot.token for slot in first}) == 4
    assert len(pooled.take_free(10)) == 2
    assert pooled.take_free(10) == []
    assert [use.used for use in pooled.used()] == [2, 2, 2]
    pooled.give_back(first[1])
    pooled.give_back(first[3])
    assert len(pooled.take_free(10)) == 2


def test_calls_taken_in_one_go_count_from_when_each_is_made(client: "redis.Redis") -> None:
    quick = budget(client, limit=3, window_s=0.6)
    slots = quick.take_free(3)
    for slot in slots:
        time.sleep(0.1)
        spend(quick, slot)
    began = time.monotonic()
    assert quick.take_free(3) == []
    quick.take(timeout_s=5), quick.take(timeout_s=5)
    assert time.monotonic() - began > 0.45, "the second of them was made 0.1 s before we began"


def test_several_calls_leave_room_for_those_who_wait_longer(client: "redis.Redis") -> None:
    single = budget(client, limit=1, window_s=0.5)
    spend(single, single.take(timeout_s=0))
    waited: list[Slot] = []
    crew = threading.Thread(target=lambda: waited.append(single.take(timeout_s=5)))
    crew.start()
    time.sleep(0.1)
    assert single.take_free(5) == []
    crew.join()
    assert len(waited) == 1

"""The hold as it lies in Redis: one letter per held entry, oldest first."""

import redis

from shared.queues import dead_letters
from shared.queues.broker import NAMESPACE
from shared.queues.dead_letters import letter_id

QUEUE = "map.purchase_orders"


def test_an_entry_has_one_letter_however_often_it_is_laid(client: redis.Redis) -> None:
    dead_letters.rest(client, QUEUE, [(7, 2.0)])
    dead_letters.rest(client, QUEUE, [(7, 2.0), (8, 1.0)])
    assert list(dead_letters.resting(client, QUEUE).values()) == [(8,), (7,)], "oldest hold first"


def test_a_letter_that_is_taken_away_leaves_nothing(client: redis.Redis) -> None:
    dead_letters.rest(client, QUEUE, [(7, 1.0), (8, 2.0)])
    dead_letters.remove_entries(client, QUEUE, [7])
    assert dead_letters.resting(client, QUEUE) == {str(letter_id(8)): (8,)}
    dead_letters.remove_entries(client, QUEUE, [8, 9])
    assert client.keys(f"{NAMESPACE}:{QUEUE}*") == []


def test_letters_that_cannot_be_read_are_shown_as_such(client: redis.Redis) -> None:
    for number, body in enumerate((b"\xff", b"[]", b'{"args": 1}', b"")):
        client.zadd(f"{NAMESPACE}:{QUEUE}.XQ", {f"poison-{number}": number})
        client.hset(f"{NAMESPACE}:{QUEUE}.XQ.msgs", f"poison-{number}", body)
    client.zadd(f"{NAMESPACE}:{QUEUE}.XQ", {"without-body": 9})
    found = dead_letters.resting(client, QUEUE)
    assert set(found.values()) == {()}
    assert len(found) == 5


def test_depths_count_what_waits_and_what_is_dead(client: redis.Redis) -> None:
    assert dead_letters.depths(client, QUEUE) == (0, 0, 0)
    dead_letters.rest(client, QUEUE, [(7, 1.0), (8, 2.0)])
    client.rpush(f"{NAMESPACE}:{QUEUE}", "x")
    assert dead_letters.depths(client, QUEUE) == (1, 0, 2)

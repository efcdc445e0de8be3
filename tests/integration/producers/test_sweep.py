"""What Redis loses is sent again from the ledger, and nothing else is."""

import json
import time
from collections.abc import Callable

import pytest
import redis

from producers.sweep import Sweeper
from shared.flows import queue_of
from shared.ledger import sweeping
from shared.ledger.connection import Ledger
from shared.ledger.messages import Message, write_messages
from shared.queues import dead_letters
from shared.queues.broker import NAMESPACE, SafeBroker, redis_client
from shared.queues.handing_over import hand_over
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, SUPPLIERS, held, hold, map_, new, one, ready, rest, state, taken

MAP = queue_of("map", ORDERS)
WRITE = queue_of("write", ORDERS)


@pytest.fixture
def sweeper(ledger: Ledger, client: redis.Redis) -> Sweeper:
    return Sweeper(ledger, client, "sweeper", wait_limit_s=3600)


def send(ledger: Ledger, client: redis.Redis, *ids: int) -> list[Message]:
    with ledger.transaction() as cur:
        messages = write_messages(cur, "map", ORDERS, ids)
    hand_over(client, ledger, messages)
    return messages


def queued(client: redis.Redis, queue: str = MAP) -> list[tuple[int, ...]]:
    """Return what the messages of a queue carry, in order."""
    names = client.lrange(f"{NAMESPACE}:{queue}", 0, -1)
    bodies = client.hmget(f"{NAMESPACE}:{queue}.msgs", names) if names else []
    return [tuple(json.loads(body or b"")["args"][0]) for body in bodies]


def test_after_redis_lost_everything_exactly_what_was_moving_is_sent_again(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper
) -> None:
    lost, mapped, written = new(ledger, "lost"), ready(ledger, "mapped"), ready(ledger, "written")
    resting, on_hold, waiting = new(ledger, "resting"), held(ledger, "held"), ready(ledger, "waiting")
    being_mapped, being_written = new(ledger, "being mapped"), ready(ledger, "being written")
    send(ledger, client, lost, resting, being_mapped)
    samples.write(ledger, written)
    rest(ledger, resting, delay_s=600)
    samples.wait_for(ledger, waiting, "suppliers/S1@main")
    samples.take_for_mapping(ledger, being_mapped)
    taken(ledger, being_written)
    client.flushall()
    samples.age(ledger, 60)
    assert sweeper.send_lost() == 2
    assert queued(client) == [(lost,)]
    assert queued(client, WRITE) == [(mapped,)]
    assert sweeper.send_lost() == 0, "they are on their way now"
    assert state(ledger, on_hold) == "held"


def test_what_waits_in_redis_or_is_being_worked_on_is_left_alone_however_old(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper
) -> None:
    send(ledger, client, new(ledger, "1"))
    send(ledger, client, new(ledger, "2"))
    SafeBroker(client, []).do_fetch(MAP, 1)
    samples.age(ledger, 3600)
    assert sweeper.send_lost() == 0


def test_a_message_that_was_just_written_is_not_asked_after(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper
) -> None:
    with ledger.transaction() as cur:
        write_messages(cur, "map", ORDERS, [new_in(ledger)])
    assert sweeper.send_lost() == 0, "its sender is about to hand it over"
    samples.age(ledger, sweeping.GRACE_S + 1)
    assert sweeper.send_lost() == 1


def new_in(ledger: Ledger) -> int:
    return new(ledger, "1")


def test_what_a_message_left_undone_is_sent_again(ledger: Ledger, client: redis.Redis, sweeper: Sweeper) -> None:
    (message,) = send(ledger, client, new(ledger, "1"))
    with ledger.transaction() as cur:
        cur.execute("update message set ended_at = now() where id = %s", (message.id,))
    samples.age(ledger, 60)
    assert sweeper.send_lost() == 1
    assert len(queued(client)) == 2


def test_what_was_claimed_in_vain_travels_alone(ledger: Ledger, client: redis.Redis, sweeper: Sweeper) -> None:
    ids = [new(ledger, key) for key in ("1", "2", "3")]
    send(ledger, client, *ids)
    samples.take_for_mapping(ledger, ids[1], lease_s=0)
    client.flushall()
    samples.age(ledger, 60)
    assert sweeper.send_lost() == 2
    assert sorted(queued(client)) == [(ids[0], ids[2]), (ids[1],)]


def test_more_than_fits_into_one_look_is_found(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "LIMIT", 4)
    samples.detect(ledger, *(samples.seen(f"{number}") for number in range(11)))
    assert sweeper.send_lost() == 3
    assert sum(len(ids) for ids in queued(client)) == 11


def test_a_rest_that_is_over_is_sent_once(ledger: Ledger, client: redis.Redis, sweeper: Sweeper) -> None:
    soon, later, writing = new(ledger, "1"), new(ledger, "2"), ready(ledger, "3")
    send(ledger, client, soon, later)
    client.flushall()
    rest(ledger, soon)
    rest(ledger, later, delay_s=600)
    rest(ledger, writing, "write")
    assert sweeper.send_due() == 2
    assert sweeper.send_due() == 0
    assert (queued(client), queued(client, WRITE)) == ([(soon,)], [(writing,)])


def test_a_rest_that_is_over_is_sent_again_if_redis_loses_it(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper
) -> None:
    entry = new(ledger, "1")
    rest(ledger, entry)
    sweeper.send_due()
    client.flushall()
    samples.age(ledger, 60)
    assert sweeper.send_due() + sweeper.send_lost() >= 1
    assert set(queued(client)) == {(entry,)}


def test_each_rest_is_sent_when_it_is_over(ledger: Ledger, client: redis.Redis, sweeper: Sweeper) -> None:
    entry = new(ledger, "1")
    for _ in range(3):
        rest(ledger, entry)
        assert sweeper.send_due() == 1
    assert queued(client) == [(entry,)] * 3


def other(database_url: str, redis_url: str) -> Sweeper:
    return Sweeper(Ledger(database_url), redis_client(redis_url), "other", wait_limit_s=3600)


def test_two_sweepers_at_once_send_nothing_twice(
    ledger: Ledger, client: redis.Redis, database_url: str, redis_url: str
) -> None:
    for number in range(8):
        due = [new(ledger, f"due-{number}-{place}") for place in range(6)]
        for entry in due:
            rest(ledger, entry)
        lost = [new(ledger, f"lost-{number}-{place}") for place in range(6)]
        client.flushall()
        works: list[Callable[[], int]] = []
        for _ in range(3):
            sweeper = other(database_url, redis_url)
            works += [sweeper.send_due, sweeper.send_lost]
        samples.at_once(works)
        sent = [entry for ids in queued(client) for entry in ids]
        assert sorted(sent) == sorted(due + lost)
        with ledger.transaction() as cur:
            cur.execute("update entry set state = 'superseded' where state in ('detected', 'retrying')")


def test_two_that_saw_the_same_loss_send_it_once(ledger: Ledger, client: redis.Redis) -> None:
    """The one looked before the other sent, and sends after it."""
    (message,) = send(ledger, client, new(ledger, "1"))
    new(ledger, "2")  # Never had a message.
    with ledger.transaction() as cur:
        cur.execute("update message set ended_at = now() where id = %s", (message.id,))
    samples.age(ledger, 60)
    with ledger.transaction() as cur:
        seen = sweeping.stuck(cur)
    assert len(seen) == 2
    counts = []
    for _ in range(2):
        with ledger.transaction() as cur:
            counts.append(len(sweeping.send_stuck(cur, seen)))
    assert counts == [1, 0]


def test_the_dead_letter_queues_are_rebuilt_from_the_ledger(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper
) -> None:
    first, second = held(ledger, "1"), held(ledger, "2")
    supplier = held(ledger, "S1", flow=SUPPLIERS)
    written = ready(ledger, "3")
    hold(ledger, written, stage="write")
    sweeper.rebuild_dead_letters()
    assert list(dead_letters.resting(client, MAP).values()) == [(first,), (second,)]
    assert list(dead_letters.resting(client, WRITE).values()) == [(written,)]
    assert list(dead_letters.resting(client, queue_of("map", SUPPLIERS)).values()) == [(supplier,)]
    before = dead_letters.resting(client, MAP)
    client.flushall()
    sweeper.rebuild_dead_letters()
    assert dead_letters.resting(client, MAP) == before


def test_letters_without_a_hold_are_taken_away(ledger: Ledger, client: redis.Redis, sweeper: Sweeper) -> None:
    kept, gone = held(ledger, "1"), new(ledger, "2")
    dead_letters.rest(client, MAP, [(kept, 1.0), (gone, 1.0), (4711, 1.0)])
    dead_letters.rest(client, WRITE, [(kept, 1.0)])
    client.zadd(f"{NAMESPACE}:{MAP}.XQ", {"poison": 1})
    client.hset(f"{NAMESPACE}:{MAP}.XQ.msgs", "poison", b"\xff")
    sweeper.rebuild_dead_letters()
    assert list(dead_letters.resting(client, MAP).values()) == [(kept,)]
    assert dead_letters.resting(client, WRITE) == {}


def test_who_waits_too_long_is_held_for_what_it_waits_for(ledger: Ledger, client: redis.Redis) -> None:
    entry, patient = ready(ledger, "1"), ready(ledger, "2")
    samples.wait_for(ledger, entry, "suppliers/S/1@main")
    samples.wait_for(ledger, patient, "suppliers/S2@main")
    with ledger.transaction() as cur:
        cur.execute("update entry set changed_at = changed_at - interval '2 hours' where id = %s", (entry,))
    Sweeper(ledger, client, "sweeper", wait_limit_s=3600).sweep()
    assert (state(ledger, entry), state(ledger, patient)) == ("held", "waiting")
    assert ledger.rows("select code, value, field, company from finding") == [
        ("dependency.missing", "S/1", "suppliers@main", "10")
    ]
    assert list(dead_letters.resting(client, WRITE).values()) == [(entry,)]


def test_what_was_held_while_its_newer_version_was_recorded_is_closed(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper, database_url: str
) -> None:
    """Whoever records a newer version passes over an older one that somebody has locked in that moment."""
    old, waiting, newest = new(ledger, "1"), ready(ledger, "2"), held(ledger, "3")
    with samples.in_other_hands(database_url, old, waiting):
        new(ledger, "1", "newer")
        new(ledger, "2", "newer")
    hold(ledger, old)
    samples.wait_for(ledger, waiting, "suppliers/S1@main")
    assert samples.states(ledger, "1") == ["held", "detected"]
    sweeper.sweep()
    assert samples.states(ledger, "1") == ["superseded", "detected"]
    assert samples.states(ledger, "2") == ["superseded", "detected"]
    assert list(dead_letters.resting(client, MAP).values()) == [(newest,)]
    assert one(ledger, "select count(*) from finding where open") == 1


def test_a_sweep_seals_and_closes_causes_that_hold_nothing(
    ledger: Ledger, client: redis.Redis, sweeper: Sweeper
) -> None:
    held(ledger, "1")
    new(ledger, "1", "newer")  # It closes the held one.
    sweeper.sweep()
    assert one(ledger, "select sum(events) from seal") == 4
    assert one(ledger, "select status from cause") == "cleared"


def test_room_is_made_for_months_to_come(ledger: Ledger, sweeper: Sweeper) -> None:
    count = "select count(*) from pg_inherits where inhparent = 'event'::regclass"
    before = one(ledger, count)
    sweeper.keep_house()
    sweeper.keep_house()
    assert one(ledger, count) >= before


def test_a_sweeper_waits_for_a_redis_that_is_away(ledger: Ledger) -> None:
    new(ledger, "1")
    turns = iter([False, True])
    began = time.monotonic()
    Sweeper(ledger, redis_client("redis://127.0.0.1:1/0"), "sweeper", 3600).run(lambda: next(turns))
    assert time.monotonic() - began < 10


def test_a_sent_entry_may_have_moved_before(ledger: Ledger, client: redis.Redis, sweeper: Sweeper) -> None:
    moved, rested = new(ledger, "1"), new(ledger, "2")
    samples.age(ledger, 60)
    with ledger.transaction() as cur:
        seen = sweeping.stuck(cur)
    map_(ledger, moved)
    rest(ledger, rested, delay_s=600)
    with ledger.transaction() as cur:
        assert sweeping.send_stuck(cur, seen) == []

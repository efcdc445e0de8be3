"""Messages that come twice, too late or as rubbish change nothing; of many quick changes the last one stays."""

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
import redis

from sandbox.world import build_plain_world
from shared.ledger.messages import Message
from shared.queues.broker import redis_client
from shared.queues.handing_over import enqueue
from tests.acceptance.checks import assert_sound, purchases
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

ORDERS = 12


@pytest.fixture
def stage(own_folder: Path, ready_url: str, redis_url: str) -> Iterator[Stage]:
    with staged(
        own_folder,
        ready_url,
        redis_url,
        build_plain_world(4, ORDERS),
        set_up=False,
        cin7={"calls_per_minute": 100_000, "settle_s": 0.3, "read_timeout_s": 2},
        ifs={"requests_per_minute": 100_000},
        streams={flow: {"every_s": 0.2} for flow in ("suppliers", "purchase_orders")},
        policy={"lease_s": 10},
    ) as built:
        yield built


def order_quantity(stage: Stage, number: str, quantity: int) -> None:
    line = {"OrderNo": number, "LineNo": "1", "ReleaseNo": "1", "BuyQtyDue": Decimal(quantity)}
    stage.ifs.control("rows", {"set": "PurchaseOrderLineSet", "patch": [line]})


def quantities_sent(stage: Stage, number: str) -> list[int]:
    """Return the first line's quantity of every order of `number` that reached Cin7, in order."""
    calls = stage.cin7.control("requests?method=POST&path=purchase/order")["requests"]
    bodies = [json.loads(call["body"]) for call in calls]
    return [int(body["Lines"][0]["Quantity"]) for body in bodies if body["Memo"].endswith(f"/{number}")]


def test_of_ten_quick_changes_the_last_one_stays_and_none_comes_after_a_newer_one(stage: Stage) -> None:
    numbers = sorted(row["OrderNo"] for row in stage.ifs_rows("PurchaseOrderSet"))
    stage.start_all(writers=3)
    until(lambda: len(purchases(stage)) == ORDERS)
    stage.wait()
    stage.cin7.control("latency", {"ms": 400})
    lost = {"kind": "drop", "method": "POST", "path": "/purchase/order", "times": 3, "after_commit": True}
    stage.cin7.control("faults", {"rules": [lost]})
    for change in range(10):
        for number in numbers[:4]:
            order_quantity(stage, number, 100 + change)
        time.sleep(0.4)
    stage.cin7.control("latency", {"ms": 0})
    until(lambda: stage.cin7.control("faults")["rules"][0]["hits"] == 3)
    stage.cin7.control("faults", method="DELETE")
    until(lambda: all(quantities_sent(stage, number)[-1] == 109 for number in numbers[:4]), 60)
    stage.wait()
    for number in numbers[:4]:
        sent = quantities_sent(stage, number)[1:]
        assert sent == sorted(sent), f"an older version of {number} followed a newer one: {sent}"
        ends = stage.rows("select state, count(*) from entry where key = %s group by state", [number])
        assert {state for state, _ in ends} <= {"written", "superseded"}
    superseded = stage.rows("select count(*) from entry where state = 'superseded'")[0][0]
    assert superseded > 0, "nothing was overtaken: the changes were too slow to show anything"
    assert_sound(stage)


def test_a_message_that_comes_again_or_means_nothing_changes_nothing(stage: Stage) -> None:
    stage.start("sweeper", "mapper", "writer", "writer")
    stage.connector("poll")
    stage.wait()
    calls = stage.cin7.control("requests?summary=true")["summary"]
    events = stage.rows("select count(*) from event")
    client = redis_client(stage.environment["REDIS_URL"])
    suppliers, orders = (
        tuple(row[0] for row in stage.rows("select id from entry where flow = %s order by id", [flow]))
        for flow in ("suppliers", "purchase_orders")
    )
    for stage_name in ("map", "write"):
        for _ in range(2):
            enqueue(client, [Message(uuid4(), f"{stage_name}.suppliers", suppliers)])
        enqueue(client, [Message(uuid4(), f"{stage_name}.suppliers", (10**12, -1, 0))])
        enqueue(client, [Message(uuid4(), f"{stage_name}.suppliers", orders)])
        spoil(client, f"{stage_name}.purchase_orders")
    queues = [f"dramatiq:{of}.{flow}" for of in ("map", "write") for flow in ("suppliers", "purchase_orders")]
    until(lambda: not any(client.llen(queue) for queue in queues))
    until(lambda: not any(client.hlen(f"{queue}.msgs") for queue in queues))
    assert stage.cin7.control("requests?summary=true")["summary"] == calls
    assert stage.rows("select count(*) from event") == events
    the_neighbours_of_rubbish_go_on(stage, client)
    assert_sound(stage)


def spoil(client: redis.Redis, queue: str) -> None:
    """Put a message into `queue` that no decoder takes."""
    client.hset(f"dramatiq:{queue}.msgs", "spoilt", b"\xff\x00 not a message")
    client.rpush(f"dramatiq:{queue}", "spoilt")


def the_neighbours_of_rubbish_go_on(stage: Stage, client: redis.Redis) -> None:
    """What is fetched together with it is written all the same."""
    stage.stop(only="writer")
    numbers = sorted(row["OrderNo"] for row in stage.ifs_rows("PurchaseOrderSet"))
    for number in numbers[:2]:
        order_quantity(stage, number, 55)
    stage.connector("poll", "purchase_orders")
    until(lambda: stage.rows("select count(*) from entry where state = 'mapped'") == [(2,)])
    first, second = (row[0] for row in stage.rows("select id from entry where state = 'mapped' order by id"))
    client.delete("dramatiq:write.purchase_orders", "dramatiq:write.purchase_orders.msgs")
    enqueue(client, [Message(uuid4(), "write.purchase_orders", (first, first))])
    spoil(client, "write.purchase_orders")
    enqueue(client, [Message(uuid4(), "write.purchase_orders", (second,))])
    enqueue(client, [Message(uuid4(), "write.purchase_orders", (first, second))])
    stage.start("writer")
    stage.wait()
    assert all(quantities_sent(stage, number)[1:] == [55] for number in numbers[:2])

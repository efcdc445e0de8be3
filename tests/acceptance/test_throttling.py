"""Call limits: never overstepped by all processes together, survived in each style of refusal, stalling nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from sandbox.world import World, build_plain_world, build_world
from tests.acceptance.checks import assert_sound
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

CALLS, WINDOW_S = 30, 2.0
SLUGGISH = "1000007"


@contextmanager
def limited(folder: Path, database_url: str, redis_url: str, world: World, **cin7: Any) -> Iterator[Stage]:  # noqa: ANN401
    with staged(
        folder,
        database_url,
        redis_url,
        world,
        set_up=False,
        cin7={"settle_s": 0.3, "read_timeout_s": 2, **cin7},
        ifs={"requests_per_minute": 100_000},
        policy={"lease_s": 20},
    ) as built:
        yield built


def keys(stage: Stage) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = stage.cin7.control("limits")["limits"]
    return [row for row in rows if row["calls"]]


def spurious(style: str, path: str) -> dict[str, object]:
    """Return a refusal for the rate that no window gave reason for, in one of the styles on record."""
    words = "You have reached 60 calls per 60 seconds API limit."
    kind = {
        "429": {"kind": "429"},
        "400": {"kind": "refuse", "text": words},
        "200": {"kind": "error200", "text": words},
    }
    return {**kind[style], "path": path, "times": 3, "skip": 10}


def test_no_window_is_overstepped_and_what_is_refused_all_the_same_goes_through_later(
    own_folder: Path, ready_url: str, redis_url: str
) -> None:
    world = build_plain_world(30, 60, cin7_limit={"calls": CALLS, "window_s": WINDOW_S, "retry_after_s": 1})
    with limited(own_folder, ready_url, redis_url, world, calls_per_minute=CALLS, window_s=WINDOW_S) as stage:
        faults = [
            spurious("429", "/supplier"),
            spurious("400", "/purchase/order"),
            spurious("200", "/advanced-purchase"),
            {"kind": "500", "path": "/purchase/order", "body_contains": f"IFS PO 10/{SLUGGISH}"},
        ]
        stage.cin7.control("faults", {"rules": faults})
        stage.start("sweeper", "mapper", "writer", "writer", "writer")
        stage.connector("poll", "suppliers", "purchase_orders")
        # All but the one that always meets an error are through, while that one is still being tried.
        until(lambda: written(stage) == 30 + 60 - 1, 60)
        ((state, attempts),) = stage.rows("select state, attempts from entry where key = %s", [SLUGGISH])
        assert state in {"retrying", "mapped"}
        assert attempts >= 1
        hits = [rule["hits"] for rule in stage.cin7.control("faults")["rules"]]
        assert hits[:3] == [3, 3, 3]
        stage.cin7.control("faults", method="DELETE")
        stage.wait()
        used = keys(stage)
        assert len(used) >= 2
        assert all(row["max_in_window"] <= CALLS for row in used), used
        assert sum(row["refused"] for row in used) == 0, used
        assert_sound(stage)


def written(stage: Stage) -> int:
    return int(stage.rows("select count(*) from entry where state = 'written'")[0][0])


def test_an_account_that_is_throttled_to_nearly_nothing_does_not_stall_the_other(
    own_folder: Path, ready_url: str, redis_url: str
) -> None:
    world = build_world(3, suppliers=60, orders=120, cin7_limit={"calls": 6000, "window_s": 60})
    with limited(own_folder, ready_url, redis_url, world, calls_per_minute=6000) as stage:
        slow, fast = (stage.world.credentials["cin7"][account]["account_id"] for account in ("main", "second"))
        stage.cin7.control("limits", {"account": slow, "retry_after_s": 600})
        refusal = {"kind": "429", "account": slow, "path": "/supplier"}
        stage.cin7.control("faults", {"rules": [refusal]})
        stage.start("sweeper", "mapper", "writer")
        stage.connector("poll", "suppliers", "purchase_orders")
        # Reference data apart, its keys made no more calls than there are threads, and are closed for ten minutes.
        wanted = count_of_second(stage)
        until(lambda: orders_in(stage, fast) >= wanted, 30)
        assert orders_in(stage, slow) == 0
        assert sum(rule["hits"] for rule in stage.cin7.control("faults")["rules"]) <= 8
        stage.cin7.control("faults", method="DELETE")
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        until(lambda: orders_in(stage, slow) > 0, 60)


def orders_in(stage: Stage, account_id: str) -> int:
    """Return how many purchases of an account have their order."""
    for account in stage.cin7.control("state")["accounts"]:
        if account["account_id"] == account_id:
            return sum(1 for purchase in account["purchases"] if purchase["Order"]["Status"] == "AUTHORISED")
    raise AssertionError(account_id)


def count_of_second(stage: Stage) -> int:
    """Return how many orders of company 20, which buys in the second account, need nothing from a person."""
    orders, vendors = stage.world.expected["purchase_orders"], stage.world.expected["suppliers"]
    return sum(
        1
        for row in stage.world.rows("PurchaseOrderSet")
        if row["Company"] == "20"
        and orders[row["OrderNo"]].outcome == "applied"
        and (row["VendorNo"] not in vendors or vendors[row["VendorNo"]].outcome == "applied")
    )

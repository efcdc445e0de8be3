"""A backfill over real processes: killed in the middle and repeated, every document once; and live work goes first."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import World, build_plain_world
from tests.acceptance.checks import purchases
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

ORDERS = 150
FROM = ("--from", "2025-06-01")
FAST: dict[str, Any] = {
    "cin7": {"calls_per_minute": 6000, "settle_s": 0.5},
    "ifs": {"requests_per_minute": 60000, "page_size": 20},
    "policy": {"lease_s": 35},
    "start_from": "2025-07-01",
}


@pytest.fixture
def world() -> World:
    return build_plain_world(5, ORDERS)


@pytest.fixture
def stage(own_folder: Path, ready_url: str, redis_url: str, world: World) -> Iterator[Stage]:
    with staged(own_folder, ready_url, redis_url, world, set_up=False, **FAST) as built:
        yield built


def backfill(stage: Stage, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start the command, to be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "console", "backfill", "purchase_orders", *FROM, *arguments],
        cwd=stage.folder,
        env=stage.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def states(stage: Stage) -> dict[str, int]:
    rows = stage.rows("select state, count(*) from entry where flow = 'purchase_orders' group by state")
    return {str(row[0]): int(row[1]) for row in rows}


def written(stage: Stage) -> int:
    return states(stage).get("written", 0)


def pages(stage: Stage) -> int:
    return sum(row[0] for row in stage.rows("select pages from backfill"))


def kill_a_writer(stage: Stage) -> None:
    """Kill one writer and start another."""
    name, process = next(one for one in stage.running if one[0] == "writer")
    process.send_signal(signal.SIGKILL)
    process.wait()
    stage.running.remove((name, process))
    stage.start("writer")


def test_killed_again_and_again_it_brings_every_document_once(stage: Stage) -> None:
    stage.ifs.control("latency", {"ms": 60})
    stage.cin7.control("latency", {"ms": 50})
    stage.start("sweeper", "mapper", "replayer", "writer", "writer")
    for far_enough in (
        lambda: stage.rows("select 1 from backfill"),
        lambda: pages(stage) >= 2,
        lambda: pages(stage) >= 4,
        lambda: written(stage) >= 10,
    ):
        command = backfill(stage, "--detach")
        until(far_enough, every_s=0.02)
        command.kill()
        command.wait()
        # The lease of the one that was killed is not waited for here.
        stage.rows("update lease set until = '-infinity' where name like 'backfill/%%' returning 1")
    kill_a_writer(stage)
    assert written(stage) < ORDERS
    ended = stage.ask("backfill", "purchase_orders", *FROM, "--timeout", "180")
    assert (ended["done"], ended["written"], ended["documents"]) == (True, ORDERS, ORDERS)
    found = purchases(stage)
    assert Counter(len(rows) for rows in found.values()) == {1: ORDERS}
    assert all(rows[0]["Order"]["Status"] == "AUTHORISED" for rows in found.values())
    assert states(stage) == {"written": ORDERS}
    again = stage.ask("backfill", "purchase_orders", *FROM)
    assert (again["taken"], again["unchanged"]) == (0, ORDERS)
    assert {len(rows) for rows in purchases(stage).values()} == {1}
    stage.connector("verify")


def test_live_work_is_not_delayed_by_it(stage: Stage, world: World) -> None:
    """One application key's budget, scaled: 12 calls in 4 s, so that the backfill takes minutes."""
    text = (stage.folder / "connector.toml").read_text()
    slow = text.replace("calls_per_minute = 6000", "calls_per_minute = 12\nwindow_s = 4")
    (stage.folder / "connector.toml").write_text(slow)
    stage.cin7.control("limits", {"calls": 12, "window_s": 4})
    stage.start("poller", "sweeper", "mapper", "replayer", "writer")
    until(lambda: len(stage.ask("polls")) > 1)
    stage.ask("backfill", "purchase_orders", *FROM, "--detach")
    until(lambda: written(stage) >= 5, 90)
    line = dict(world.rows("PurchaseOrderLineSet")[0])
    took = []
    for number in range(4):
        key = str(2_000_000 + number)
        header = {**world.rows("PurchaseOrderSet")[0], "OrderNo": key, "OrderDate": "2025-07-02T00:00:00Z"}
        stage.ifs.control("rows", {"set": "PurchaseOrderLineSet", "upsert": [{**line, "OrderNo": key}]})
        stage.ifs.control("rows", {"set": "PurchaseOrderSet", "upsert": [header]})
        began = time.monotonic()
        stage.connector("poll", "purchase_orders", "--sweep")
        pulled = time.monotonic()
        until(lambda key=key: stage.rows("select 1 from link where ifs_key = %s and verified", [key]), 60)  # type: ignore[misc]
        took.append(round(time.monotonic() - pulled, 1))
        assert pulled - began < 60
    left = ORDERS - written(stage)
    assert left > 40, "the backfill was over before it could be in the way"
    # Three calls of its own, each after the one that is free next: a window and a half at the most.
    assert max(took) < 10, took
    lanes = stage.rows("select lane, count(*) from entry where flow = 'purchase_orders' group by lane order by lane")
    assert dict(lanes) == {"backfill": ORDERS, "live": 4}

"""Workers killed before, between and after each call and commit; what they left half-done is brought to its end."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import build_plain_world
from tests.acceptance.checks import assert_sound
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

#: More events than any one write has: the last plans survive, which shows that every moment before was met.
MOMENTS = 40
LEASE_S = 3.0


@pytest.fixture
def stage(own_folder: Path, ready_url: str, redis_url: str) -> Iterator[Stage]:
    with staged(
        own_folder,
        ready_url,
        redis_url,
        build_plain_world(MOMENTS + 1, 2 * MOMENTS),
        set_up=False,
        cin7={"calls_per_minute": 100_000, "settle_s": 0.5, "read_timeout_s": 1},
        ifs={"requests_per_minute": 100_000},
        policy={"lease_s": LEASE_S},
    ) as built:
        yield built


def mapped(stage: Stage, flow: str) -> dict[str, int]:
    """Return the entries of a flow that are ready to be written, by key."""
    return dict(stage.rows("select key, id from entry where flow = %s and state = 'mapped'", [flow]))


def poll_and_map(stage: Stage, flow: str, count: int) -> dict[str, int]:
    stage.connector("poll", flow)
    until(lambda: len(mapped(stage, flow)) >= count)
    return mapped(stage, flow)


def kill_at_every_moment(stage: Stage, *plans: dict[str, Any]) -> list[str]:
    """Carry out plans in workers that kill themselves; return where they died."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.dying"],
        cwd=stage.folder,
        env=stage.environment,
        input=json.dumps(plans),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    died: list[str] = [fate["died"] for fate in json.loads(done.stdout)]
    return died


def plans(flow: str, entries: list[int], together: int = 1) -> list[dict[str, Any]]:
    """Return a plan for every moment, each with entries of its own."""
    batches = [entries[start : start + together] for start in range(0, len(entries), together)]
    return [{"flow": flow, "stage": "write", "entries": batch, "at": at} for at, batch in enumerate(batches, 1)]


def assert_every_moment_was_met(died: list[str], *calls: str) -> None:
    """All died up to some moment, and none after it; each of `calls` was among the moments, from both sides."""
    met = [moment for moment in died if moment]
    assert met == died[: len(met)], "a worker survived although a later one died"
    assert len(met) < len(died), f"more than {len(died)} moments: {met}"
    for call in calls:
        assert [moment.split()[0] for moment in met if call in moment][:2] == ["before", "after"], (call, met)
    assert met.count("before a commit") >= 4


def finish(stage: Stage) -> None:
    """Let a normal writer bring everything to its end."""
    time.sleep(LEASE_S)
    stage.start("writer")
    stage.wait(90)
    stage.stop(only="writer")


def test_a_writer_killed_at_any_moment_leaves_nothing_doubled_and_nothing_half_done(stage: Stage) -> None:
    stage.start("mapper", "sweeper")
    first, *others = sorted(poll_and_map(stage, "suppliers", MOMENTS + 1).values())
    # What Cin7 holds is read once a minute; with that done, all workers go through the same moments.
    assert kill_at_every_moment(stage, {"flow": "suppliers", "stage": "write", "entries": [first], "at": 999}) == [""]
    died = kill_at_every_moment(stage, *plans("suppliers", others))
    assert_every_moment_was_met(died, "POST /ExternalApi/v2/supplier")
    finish(stage)
    entries = poll_and_map(stage, "purchase_orders", 2 * MOMENTS)
    died = kill_at_every_moment(stage, *plans("purchase_orders", sorted(entries.values())[:MOMENTS]))
    assert_every_moment_was_met(
        died, "POST /ExternalApi/v2/advanced-purchase", "POST /ExternalApi/v2/purchase/order", "GET /ExternalApi"
    )
    finish(stage)
    assert_sound(stage)
    the_same_for_changes(stage)


def the_same_for_changes(stage: Stage) -> None:
    """Suppliers move, half of the orders are amended and the other half cancelled."""
    numbers = sorted(row["OrderNo"] for row in stage.ifs_rows("PurchaseOrderSet"))
    amended, cancelled = numbers[:MOMENTS], numbers[MOMENTS:]
    stage.ifs.control("rows", [
        {"set": "SupplierInfoAddressSet", "patch": [
            {"SupplierId": row["SupplierId"], "AddressId": row["AddressId"], "Address1": "Kungsgatan 2"}
            for row in stage.ifs_rows("SupplierInfoAddressSet")
        ]},
        {"set": "PurchaseOrderLineSet", "patch": [
            {"OrderNo": number, "LineNo": "1", "ReleaseNo": "1", "BuyQtyDue": Decimal(77)} for number in amended
        ]},
        {"set": "PurchaseOrderSet", "patch": [{"OrderNo": number, "Objstate": "Cancelled"} for number in cancelled]},
    ])  # fmt: skip
    entries = poll_and_map(stage, "suppliers", MOMENTS + 1)
    died = kill_at_every_moment(stage, *plans("suppliers", sorted(entries.values())))
    assert_every_moment_was_met(died, "PUT /ExternalApi/v2/supplier")
    entries = poll_and_map(stage, "purchase_orders", 2 * MOMENTS)
    died = kill_at_every_moment(stage, *plans("purchase_orders", [entries[number] for number in amended]))
    assert_every_moment_was_met(died, "DELETE /ExternalApi/v2/advanced-purchase", "POST /ExternalApi/v2/purchase/order")
    died = kill_at_every_moment(stage, *plans("purchase_orders", [entries[number] for number in cancelled]))
    assert_every_moment_was_met(died, "DELETE /ExternalApi/v2/advanced-purchase")
    finish(stage)
    assert_sound(stage, voided=cancelled)


def test_orders_written_side_by_side_by_a_writer_killed_at_any_moment_are_each_there_once(stage: Stage) -> None:
    together = 2
    stage.start("mapper", "sweeper", "writer")
    stage.connector("poll", "suppliers")
    stage.wait(90)
    stage.stop(only="writer")
    entries = sorted(poll_and_map(stage, "purchase_orders", 2 * MOMENTS).values())
    died = kill_at_every_moment(stage, *plans("purchase_orders", entries, together))
    assert_every_moment_was_met(died, "GET /ExternalApi")
    for call in ("POST /ExternalApi/v2/advanced-purchase", "POST /ExternalApi/v2/purchase/order"):
        moments = [moment.split()[0] for moment in died if call in moment]
        assert moments == ["before", "after"] * together, "the calls of a group follow each other without a commit"
    finish(stage)
    assert_sound(stage)


def test_a_mapper_killed_within_a_batch_leaves_every_entry_to_end_once(stage: Stage) -> None:
    size = 5
    stage.connector("poll", "suppliers")
    entries = [int(row[0]) for row in stage.rows("select id from entry order by id")]
    batches = [entries[start : start + size] for start in range(0, len(entries) - size, size)]
    died = kill_at_every_moment(
        stage,
        *[{"flow": "suppliers", "stage": "map", "entries": batch, "at": at} for at, batch in enumerate(batches, 1)],
    )
    met = [moment for moment in died if moment]
    assert len(met) == len(batches), "every moment up to the last is one of a batch's mapping"
    time.sleep(LEASE_S)
    stage.start("mapper", "sweeper", "writer")
    stage.wait(90)
    ends = stage.rows("select entry_id, count(*) from event where becomes = 'mapped' group by entry_id")
    assert sorted(ends) == [(entry, 1) for entry in entries]
    stage.connector("poll", "purchase_orders")
    stage.wait(90)
    assert_sound(stage)


def test_the_one_record_that_kills_its_mapper_is_held_and_its_neighbours_go_through(stage: Stage) -> None:
    deadly = sorted(row["OrderNo"] for row in stage.ifs_rows("PurchaseOrderSet"))[20]
    stage.connector("poll", "suppliers")
    stage.connector("poll", "purchase_orders")
    stage.start("sweeper", "writer")
    deaths, end = 0, time.monotonic() + 100
    while not stage.rows("select 1 from entry where key = %s and state = 'held'", [deadly]):
        assert time.monotonic() < end, stage.logs()
        mapper = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.dying", "purchase_orders", deadly],
            cwd=stage.folder,
            env=stage.environment,
        )
        stage.running.append(("mapper", mapper))
        while mapper.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
            if stage.rows("select 1 from entry where key = %s and state = 'held'", [deadly]):
                break
        deaths += mapper.poll() is not None
    assert deaths == 3
    stage.wait(60)
    findings = stage.rows("select code, count(*) from finding where open group by code")
    assert findings == [("crashes-worker", 1)]
    assert_sound(stage, held={f"purchase_orders/{deadly}"})

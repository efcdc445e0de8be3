"""The whole story over real processes and both stand-ins: once, changed, cancelled, held, repaired, replayed."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import World, build_world
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

FAST = {"calls": 6000, "window_s": 60}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(1, suppliers=60, orders=150, cin7_limit=FAST)


@pytest.fixture
def stage(own_folder: Path, database_url: str, redis_url: str, world: World) -> Iterator[Stage]:
    with staged(
        own_folder,
        database_url,
        redis_url,
        world,
        cin7={"calls_per_minute": 6000, "settle_s": 0.5},
        ifs={"requests_per_minute": 6000},
        streams={"suppliers": {"every_s": 1}, "purchase_orders": {"every_s": 1}},
    ) as built:
        yield built


def purchases(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return Cin7's purchases by the marker their note begins with."""
    found: dict[str, dict[str, Any]] = {}
    for account in stage.cin7.control("state")["accounts"]:
        for purchase in account["purchases"]:
            marker = purchase["Note"].splitlines()[0]
            assert marker not in found, f"{marker} is in Cin7 twice"
            found[marker] = purchase
    return found


def writes(stage: Stage) -> int:
    """Return how many calls that change something Cin7 has had."""
    seen = stage.cin7.control("requests?limit=1000000")["requests"]
    return sum(1 for one in seen if one["method"] != "GET")


def test_the_story(stage: Stage, world: World) -> None:
    stage.start_all(writers=2)
    until(lambda: sum(flow["written"] for flow in stage.ask("status")["flows"]) > 50)
    first = stage.wait()
    assert first["idle"]
    by_flow = {flow["flow"]: flow for flow in first["flows"]}
    for flow, expected in world.expected.items():
        held = sum(1 for one in expected.values() if one.outcome == "held")
        assert by_flow[flow]["held"] == held, stage.ask("holds")
    brought = purchases(stage)
    wanted = {key for key, one in world.expected["purchase_orders"].items() if one.outcome == "applied"}
    assert {marker.rpartition("/")[2] for marker in brought if "K/1042" not in marker} == wanted - {"K/1042"}
    assert stage.connector("verify").strip()
    the_idle_run_writes_nothing(stage)
    an_amendment_replaces_the_order(stage, brought)
    a_cancellation_voids_the_purchase(stage, brought)
    a_dry_run_sends_nothing(stage)
    what_an_account_holds_goes_on_once_it_is_there(stage, world)


def the_idle_run_writes_nothing(stage: Stage) -> None:
    before = writes(stage)
    polls = len(stage.ask("polls", "--limit", "1000"))
    until(lambda: len(stage.ask("polls", "--limit", "1000")) > polls + 3)
    assert writes(stage) == before


def a_written(stage: Stage, brought: dict[str, dict[str, Any]], place: int) -> tuple[str, dict[str, Any]]:
    """Return an order number and its purchase, one with a stock line."""
    with_lines = [marker for marker in sorted(brought) if brought[marker]["Order"]["Lines"]]
    marker = [one for one in with_lines if one.rpartition("/")[2].isdigit()][place]
    return marker.rpartition("/")[2], brought[marker]


def an_amendment_replaces_the_order(stage: Stage, brought: dict[str, dict[str, Any]]) -> None:
    number, purchase = a_written(stage, brought, 0)
    line = next(row for row in stage.world.rows("PurchaseOrderLineSet") if row["OrderNo"] == number and row["PartNo"])
    keys = {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
    changed = {"BuyQtyDue": Decimal(line["BuyQtyDue"]) + 7, "NetAmtCurr": None, "GrossAmtCurr": None}
    stage.ifs.control("rows", {"set": "PurchaseOrderLineSet", "patch": [{**keys, **changed}]})
    before = purchase["Order"]["Total"]
    until(lambda: purchases(stage)[purchase["Note"].splitlines()[0]]["Order"]["Total"] != before)
    stage.wait()
    story = stage.ask("ledger", "show", "purchase_orders", number)
    assert [entry["state"] for entry in story["entries"]] == ["written", "written"]
    assert [effect["step"] for effect in story["entries"][1]["effects"]] == ["undo", "order"]
    assert purchases(stage)[purchase["Note"].splitlines()[0]]["Order"]["Status"] == "AUTHORISED"


def a_cancellation_voids_the_purchase(stage: Stage, brought: dict[str, dict[str, Any]]) -> None:
    number, purchase = a_written(stage, brought, 1)
    stage.ifs.control("rows", {"set": "PurchaseOrderSet", "patch": [{"OrderNo": number, "Objstate": "Cancelled"}]})
    until(lambda: purchases(stage)[purchase["Note"].splitlines()[0]]["Status"] == "VOIDED")


def a_dry_run_sends_nothing(stage: Stage) -> None:
    before = writes(stage)
    stage.connector("poll", "--dry-run", codes=(0, 3))
    assert writes(stage) == before


def what_an_account_holds_goes_on_once_it_is_there(stage: Stage, world: World) -> None:
    waiting = [key for key, one in world.expected["purchase_orders"].items() if one.value == "9999"]
    causes = {(cause["code"], cause["value"]): cause for cause in stage.ask("causes")}
    assert causes["account.missing", "9999"]["entries"] == len(waiting)
    assert causes["account.missing", "9999"]["company"] == "10"
    account = world.cin7_seed["accounts"][0]["account_id"]
    row = {"Code": "9999", "Name": "Found again", "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE"}
    stage.cin7.control("accounts", {"account": account, "row": row})
    held = len(stage.ask("holds"))
    until(lambda: len(stage.ask("holds")) == held - len(waiting), timeout_s=90)
    stage.wait()
    there = purchases(stage)
    for number in waiting:
        assert f"IFS PO 10/{number}" in there
        (entry,) = stage.ask("ledger", "show", "purchase_orders", number)["entries"]
        assert [event["becomes"] for event in entry["events"] if event["was"] != event["becomes"]] == [
            "detected",
            "held",
            "detected",
            "mapped",
            "written",
        ]

"""Supplier invoices and credit notes over real processes: each once on its purchase, to the cent, whatever is lost."""

import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import World, build_world
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

FAST = {"calls": 6000, "window_s": 60}
TOML: dict[str, Any] = {
    "cin7": {"calls_per_minute": 6000, "settle_s": 0.5, "read_timeout_s": 2},
    "ifs": {"requests_per_minute": 6000},
    "policy": {"lease_s": 5},
    "streams": {flow: {"every_s": 2} for flow in ("suppliers", "purchase_orders", "supplier_invoices")},
}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(3, suppliers=60, orders=120, invoices=80, cin7_limit=FAST)


@pytest.fixture
def stage(own_folder: Path, database_url: str, redis_url: str, world: World) -> Iterator[Stage]:
    with staged(own_folder, database_url, redis_url, world, **TOML) as built:
        yield built


def bills(stage: Stage) -> list[tuple[str, dict[str, Any]]]:
    """Return (purchase id, bill) of every invoice and credit note in Cin7 that is not void."""
    found = []
    for account in stage.cin7.control("state")["accounts"]:
        for purchase in account["purchases"]:
            for stage_name in ("Invoice", "CreditNote"):
                found += [
                    (purchase["ID"], bill)
                    for bill in purchase[stage_name]
                    if bill["Status"] not in {"NOT AVAILABLE", "VOIDED", ""}
                ]
    return found


def number_of(bill: dict[str, Any]) -> str:
    return str(bill.get("CreditNoteNumber") or bill.get("InvoiceNumber"))


def require_books(stage: Stage, world: World) -> None:
    """Every invoice that is to be applied is in Cin7 once, authorised, with IFS's amounts; nothing else is."""
    wanted: Counter[tuple[str, Decimal]] = Counter()
    rows = {f"{row['Company']}/{row['InvoiceId']}": row for row in world.rows("ManSuppInvoiceSet")}
    for key, expected in world.expected["supplier_invoices"].items():
        if expected.outcome == "applied":
            row = rows[key]
            total = Decimal(row["NetCurrAmount"]) + Decimal(row["VatCurrAmount"])
            wanted[str(row["InvoiceNo"]), abs(total).normalize()] += 1
    there = bills(stage)
    assert all(bill["Status"] == "AUTHORISED" for _, bill in there)
    got = Counter((number_of(bill), Decimal(str(bill["Total"])).normalize()) for _, bill in there)
    missing = {number for number, _ in wanted - got}
    keys = {key for key, row in rows.items() if row["InvoiceNo"] in missing}
    reasons = [finding["message"] for hold in stage.ask("holds") if hold["key"] in keys for finding in hold["findings"]]
    assert got == wanted, reasons
    assert len({(order, number_of(bill)) for order, bill in there}) == len(there)


def require_outcomes(stage: Stage, world: World) -> None:
    holds = {(hold["flow"], hold["key"]): hold for hold in stage.ask("holds")}
    for key, expected in world.expected["supplier_invoices"].items():
        if expected.outcome == "held":
            codes = [finding["code"] for finding in holds["supplier_invoices", key]["findings"]]
            assert expected.code in codes, key
        else:
            unexpected = holds.get(("supplier_invoices", key), {"findings": []})
            assert [finding["message"] for finding in unexpected["findings"]] == [], key


def test_invoices_arrive_once_on_the_right_purchase_to_the_cent(stage: Stage, world: World) -> None:
    stage.start_all(writers=2)
    until(lambda: sum(flow["written"] for flow in stage.ask("status")["flows"]) > 150)
    stage.wait()
    require_outcomes(stage, world)
    require_books(stage, world)
    stage.connector("verify")


def test_lost_answers_leave_no_invoice_twice(stage: Stage, world: World) -> None:
    paths = ("/advanced-purchase/invoice", "/advanced-purchase/creditnote", "/advanced-purchase", "/purchase/order")
    rules = [
        {"method": "POST", "path": path, "kind": "drop", "after_commit": after, "probability": 0.15}
        for path in paths
        for after in (True, False)
    ]
    stage.cin7.control("faults", {"rules": rules, "seed": 7})
    stage.start_all(writers=2)
    until(lambda: sum(flow["written"] for flow in stage.ask("status")["flows"]) > 150, timeout_s=120)
    stage.cin7.control("faults", method="DELETE")
    stage.wait()
    require_books(stage, world)
    stage.connector("verify")


def test_killed_writers_leave_no_invoice_twice_and_none_half_written(stage: Stage, world: World) -> None:
    stage.start("poller", "sweeper", "mapper", "replayer")
    until(lambda: sum(flow["mapped"] for flow in stage.ask("status")["flows"]) > 100)
    for _ in range(5):
        writers = stage.start("writer", "writer")
        time.sleep(2.5)  # Long enough to be in the middle of something.
        for writer in writers:
            writer.kill()
    stage.start("writer", "writer")
    until(lambda: sum(flow["written"] for flow in stage.ask("status")["flows"]) > 150, timeout_s=120)
    stage.wait()
    require_books(stage, world)
    stage.connector("verify")

"""A month over real processes: closed without a difference; ten planted ones found and explained; repaired, closed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import Month, build_month
from sandbox.world.month import MONTH
from tests.acceptance.staging import Stage, staged, until
from tests.planting import Planter

pytestmark = pytest.mark.slow

TOML: dict[str, Any] = {
    "cin7": {"calls_per_minute": 6000, "settle_s": 0.5},
    "ifs": {"requests_per_minute": 6000},
    "streams": {flow: {"every_s": 1} for flow in ("suppliers", "purchase_orders", "supplier_invoices")},
}
RECONCILE = ("reconcile", "--period", MONTH)


class Closing:
    """An installation, the month that it brings over, and what people may do to it."""

    def __init__(self, stage: Stage, month: Month) -> None:
        self.stage = stage
        self.month = month
        self.plant = Planter(month, stage.ifs.control, self._cin7, stage.cin7.url)

    def _cin7(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        return self.stage.cin7.control(path, body or None)

    def run(self) -> None:
        self.stage.start_all()
        wanted = sum(len(expected) for expected in self.month.world.expected.values())
        until(lambda: sum(flow["written"] for flow in self.stage.ask("status")["flows"]) >= wanted)
        self.stage.wait()

    def standstill(self) -> None:
        """Stop what pulls, so that what people do in IFS now is not seen."""
        self.stage.stop(only="poller")

    def compared(self, code: int) -> dict[str, Any]:
        found: dict[str, Any] = self.stage.ask(*RECONCILE, codes=(code,))
        return found

    def open(self) -> dict[str, dict[str, Any]]:
        return {one["key"]: one for one in self.compared(3)["differences"] if one["state"] == "open"}


@pytest.fixture
def closing(own_folder: Path, database_url: str, redis_url: str) -> Iterator[Closing]:
    month = build_month()
    with staged(own_folder, database_url, redis_url, month.world, **TOML) as stage:
        one = Closing(stage, month)
        yield one
        one.plant.close()


def test_a_month_is_closed_and_ten_kinds_of_differences_are_found_and_cleared(closing: Closing) -> None:
    stage = closing.stage
    closing.run()
    the_reversed_invoice_is_voided(closing)
    found = closing.compared(0)
    assert (found["ready"], found["differences"]) == (True, [])
    assert {row["document"] for row in found["totals"]} == {"order", "invoice", "credit_note"}
    closing.standstill()

    expected = ten_plantings(closing)
    opened = closing.open()
    assert {key: one["kind"] for key, one in opened.items()} == {key: kind for key, (kind, _) in expected.items()}
    assert len({kind for kind, _ in expected.values()}) == 10
    for key, (_, words) in expected.items():
        assert words in opened[key]["explanation"], opened[key]
        assert opened[key]["remedy"]
    stage.connector("differences", "assign", *(str(one["id"]) for one in opened.values()), "Ann")

    repair(closing, opened)
    left = closing.open()
    assert {one["kind"] for one in left.values()} == {"voided-in-cin7", "gone-from-ifs", "keyed-by-hand", "dismissed"}
    assert {one["owner"] for one in left.values()} == {"Ann"}
    stage.connector(
        "differences", "accept", *(str(one["id"]) for one in left.values()), "--reason", "agreed with the auditor"
    )
    page = stage.folder / "month.html"
    assert f"{MONTH} is ready to close." in stage.connector(*RECONCILE, "--html", str(page))
    assert "agreed with the auditor" in page.read_text()
    states = {one["id"]: one["state"] for one in stage.ask("differences", "list", "--state", "all")}
    assert sorted(states.values()) == ["accepted"] * 4 + ["closed"] * 6
    stage.connector("verify")


def the_reversed_invoice_is_voided(closing: Closing) -> None:
    closing.plant.invoice_state(closing.month.reversed, "Cancelled")
    key = closing.month.reversed.key
    until(
        lambda: (
            [one["state"] for one in closing.stage.ask("ledger", "show", "supplier_invoices", key)["entries"]]
            == ["written", "written"]
        )
    )


def ten_plantings(closing: Closing) -> dict[str, tuple[str, str]]:
    """Plant ten differences; return kind and a part of the explanation of each, by key."""
    month, plant, stage = closing.month, closing.plant, closing.stage
    first, second, third, fourth, fifth, sixth = month.plain[:6]
    half, other = month.halves
    plant.recode(third, "9999")
    plant.recode(fifth, "9999")
    stage.connector("poll", "--sweep")
    stage.wait()
    holds = {hold["key"]: hold["id"] for hold in stage.ask("holds")}
    stage.connector("holds", "dismiss", str(holds[fifth.order_no]), "--reason", "done in Cin7")
    plant.copy_order(first, "900001")
    plant.more_pieces(first, 7)
    plant.order_state(second, "Cancelled")
    plant.remove(fourth)
    plant.edit_invoice(plant.purchase_of(month.orders[0]), half.header["InvoiceNo"], Total=99)
    plant.edit_purchase(plant.purchase_of(sixth), void=True)
    plant.edit_invoice(plant.purchase_of(month.orders[0]), other.header["InvoiceNo"], undo=True)
    by_hand = plant.key_by_hand()
    return {
        third.order_no: ("held", "Account 9999 is not in the chart"),
        fifth.order_no: ("dismissed", "done in Cin7"),
        "900001": ("not-pulled", "no pull has brought it"),
        first.order_no: ("edited-in-ifs", "Changed in IFS after it was read"),
        second.order_no: ("cancelled-in-ifs", "Cancelled in IFS after it was read"),
        fourth.order_no: ("gone-from-ifs", "IFS shows it no more"),
        half.key: ("edited-in-cin7", "was changed in Cin7 since"),
        sixth.order_no: ("voided-in-cin7", "was voided in Cin7, and is alive in IFS"),
        other.key: ("not-authorised-in-cin7", "is DRAFT now"),
        f"cin7:main/{by_hand}": ("keyed-by-hand", "keyed in Cin7 by hand"),
    }


def repair(closing: Closing, opened: dict[str, dict[str, Any]]) -> None:
    """Repair what can be repaired: pull, add the account, undo what was done in Cin7."""
    month, plant, stage = closing.month, closing.plant, closing.stage
    row = {"Code": "9999", "Name": "Found again", "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE"}
    plant.cin7("accounts", {"account": plant.account, "row": row})
    half, other = month.halves
    purchase = plant.purchase_of(month.orders[0])
    plant.edit_invoice(purchase, half.header["InvoiceNo"], Total=half.items[0]["NetCurrAmount"])
    authorise(plant, purchase, other.header["InvoiceNo"])
    stage.start("poller")
    held = opened[month.plain[2].order_no]["key"]

    def through() -> bool:
        entries = stage.ask("ledger", "show", "purchase_orders", held)["entries"]
        return bool(entries[-1]["state"] == "written")

    until(through, 90)
    until(lambda: stage.ask("ledger", "show", "purchase_orders", "900001")["entries"])
    stage.wait()
    closing.standstill()


def authorise(plant: Planter, purchase: str, number: str) -> None:
    """Authorise a drafted invoice as a person would: as it is."""
    state = plant.cin7("state", {})
    (found,) = [
        (one, bill)
        for account in state["accounts"]
        for one in account["purchases"]
        if one["OrderNumber"] == purchase
        for bill in one["Invoice"]
        if bill["InvoiceNumber"] == number
    ]
    one, bill = found
    kept = ("TaskID", "InvoiceDate", "InvoiceDueDate", "InvoiceNumber", "Lines", "AdditionalCharges")
    body = {name: bill[name] for name in kept} | {
        "PurchaseID": one["ID"], "CombineAdditionalCharges": False, "Status": "AUTHORISED"
    }  # fmt: skip
    plant.post("advanced-purchase/invoice", body)

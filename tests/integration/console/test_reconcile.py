"""`connector reconcile` against both stand-ins: a month that adds up, and everything that keeps one from it."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.ifs.faults import Fault
from sandbox.world import Month, build_month
from sandbox.world.month import MONTH
from tests.integration.console.installation import Installation, installed
from tests.planting import Planter

FAST: dict[str, Any] = {"cin7": {"calls_per_minute": 6000, "settle_s": 0}, "ifs": {"requests_per_minute": 6000}}
RECONCILE = ("reconcile", "--period", MONTH)


class Closing:
    """An installation whose month has been brought over, and what people may do to it."""

    def __init__(self, site: Installation, month: Month) -> None:
        self.site = site
        self.month = month
        base = site.worker.settings.cin7["main"].base_url.partition("/ExternalApi")[0]
        self.plant = Planter(month, self._ifs, self._cin7, base)

    def _ifs(self, path: str, body: dict[str, Any]) -> None:
        assert path == "rows"
        self.site.edit(body.pop("set"), **body)

    def _cin7(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        return self.site.cin7.control("GET" if path == "state" else "POST", path, body or None)

    def poll(self) -> None:
        assert self.site("poll", "--sweep")[0] == 0
        self.site.work()

    def __call__(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        return self.site.json(*RECONCILE, *arguments, code=code)

    def kinds(self, *arguments: str, code: int = 3) -> dict[str, str]:
        """Return the kinds of what is open, by key."""
        found = self(*arguments, code=code)["differences"]
        return {one["key"]: one["kind"] for one in found if one["state"] == "open"}


@pytest.fixture(scope="module")
def month() -> Month:
    return build_month()


@pytest.fixture
def closing(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    month: Month,
) -> Iterator[Closing]:
    with installed(tmp_path, database_url, redis_url, month.world, capsys, monkeypatch, **FAST) as site:
        one = Closing(site, month)
        one.poll()
        yield one
        one.plant.close()


def cin7_reads(closing: Closing) -> list[str]:
    seen = closing.site.cin7.control("GET", "requests")["requests"]
    return [f"{call['method']} {call['path']}" for call in seen]


def test_a_month_that_adds_up_is_ready_to_close_and_costs_one_call_to_each_account(closing: Closing) -> None:
    before = len(cin7_reads(closing))
    found = closing()
    assert (found["ready"], found["open"], found["differences"]) == (True, 0, [])
    assert found["documents"] == sum(len(one) for one in closing.month.world.expected.values()) - 2
    for row in found["totals"]:
        assert row["ifs"] == row["ledger"] == row["cin7"], row
        assert row["difference"].strip("0.") == ""
    assert {row["document"] for row in found["totals"]} == {"order", "invoice", "credit_note"}
    reads = cin7_reads(closing)[before:]
    assert len(reads) == 2
    assert all("purchaselist" in read.lower() for read in reads)
    assert found["calls"]["cin7/main"] == found["calls"]["cin7/second"] == 1


def test_a_full_look_reads_every_purchase_and_finds_the_same(closing: Closing) -> None:
    found = closing("--full")
    assert found["ready"]
    assert found["calls"]["cin7/main"] == 1 + len(closing.month.orders) - 1 + 1  # The list, orders, the one without.


@pytest.mark.parametrize(
    "switches",
    [{"list_invoice": "last"}, {"list_amount": "shown"}, {"list_amount": "shown", "list_invoice": "last"}],
)
def test_however_the_list_shows_several_invoices_the_month_adds_up_and_an_edit_is_found(
    closing: Closing, switches: dict[str, str]
) -> None:
    closing.site.cin7.control("POST", "switches", switches)
    found = closing()
    assert (found["ready"], found["calls"]["cin7/main"]) == (True, 1)
    key = amount_edited_in_cin7(closing)
    assert closing.kinds() == {key: "edited-in-cin7"}


def test_a_list_whose_stamps_are_not_those_of_the_purchases_costs_a_call_each_and_hides_nothing(
    closing: Closing,
) -> None:
    closing.site.cin7.control("POST", "switches", {"list_stamp": "seconds"})
    found = closing()
    assert found["ready"]
    assert found["calls"]["cin7/main"] > len(closing.month.orders) * 3 // 4
    key = amount_edited_in_cin7(closing)
    assert closing.kinds() == {key: "edited-in-cin7"}


def test_every_call_is_made_in_the_lowest_lane(closing: Closing, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.budgets import Budget  # noqa: PLC0415 - only here

    lanes: list[str] = []
    take = Budget.take

    def seen(self: Budget, lane: str = "live", **named: Any) -> Any:  # noqa: ANN401 - as the budget's
        lanes.append(lane)
        return take(self, lane, **named)

    monkeypatch.setattr(Budget, "take", seen)
    closing("--full")
    assert set(lanes) == {"reconciliation"}


Plant = Callable[[Closing], str]


def held(on: Closing) -> str:
    order = on.month.plain[1]
    on.plant.recode(order, "9999")
    on.poll()
    return order.order_no


def not_pulled(on: Closing) -> str:
    on.plant.copy_order(on.month.plain[0], "900001")
    return "900001"


def edited_in_ifs(on: Closing) -> str:
    on.plant.more_pieces(on.month.plain[0], 7)
    return on.month.plain[0].order_no


def cancelled_in_ifs(on: Closing) -> str:
    on.plant.invoice_state(on.month.alone, "Cancelled")
    return on.month.alone.key


def gone_from_ifs(on: Closing) -> str:
    on.plant.remove(on.month.plain[0])
    return on.month.plain[0].order_no


def amount_edited_in_cin7(on: Closing) -> str:
    half = on.month.halves[0]
    on.plant.edit_invoice(on.plant.purchase_of(on.month.orders[0]), half.header["InvoiceNo"], Total=99)
    return half.key


def account_edited_in_cin7(on: Closing) -> str:
    half = on.month.halves[1]
    on.plant.edit_invoice(on.plant.purchase_of(on.month.orders[0]), half.header["InvoiceNo"], Account="6230")
    return half.key


def dated_otherwise_in_cin7(on: Closing) -> str:
    whole = on.month.credited[0]
    on.plant.edit_invoice(
        on.plant.purchase_of(on.month.orders[1]), whole.header["InvoiceNo"], InvoiceDate="2025-06-01T00:00:00"
    )
    return whole.key


def voided_in_cin7(on: Closing) -> str:
    order = on.month.plain[0]
    on.plant.edit_purchase(on.plant.purchase_of(order), void=True)
    return order.order_no


def drafted_in_cin7(on: Closing) -> str:
    taken = on.month.reversed
    on.plant.edit_invoice(on.plant.purchase_of(on.month.orders[2]), taken.header["InvoiceNo"], undo=True)
    return taken.key


def keyed_by_hand(on: Closing) -> str:
    return f"cin7:main/{on.plant.key_by_hand()}"


def bearing_our_marker(on: Closing) -> str:
    number = on.month.plain[0].order_no
    return f"cin7:main/{on.plant.key_by_hand(note=f'IFS PO 10/{number}')}"


def dismissed(on: Closing) -> str:
    order = on.month.plain[1]
    on.plant.recode(order, "9999")
    on.poll()
    (hold,) = on.site.json("holds")
    on.site.json("holds", "dismiss", str(hold["id"]), "--reason", "done in Cin7")
    return order.order_no


def mapped_otherwise(on: Closing) -> str:
    """Let the table of accounts say another code than when the order was written."""
    order = on.month.other[0]
    account = next(
        one["AccountNo"] for one in order.codings if one["PreAccountingId"] == order.lines[0]["PreAccountingId"]
    )
    others = {"310", "400", "429"} - {account}
    file = on.site.folder / "more.csv"
    file.write_text(f"company,ifs_account,cin7_code\n20,{account},{min(others)}\n")
    on.site.json("mappings", "import", "accounts", str(file))
    return order.order_no


PLANTS: dict[str, Plant] = {
    "held": held,
    "not-pulled": not_pulled,
    "edited-in-ifs": edited_in_ifs,
    "cancelled-in-ifs": cancelled_in_ifs,
    "gone-from-ifs": gone_from_ifs,
    "edited-in-cin7": amount_edited_in_cin7,
    "edited-in-cin7 (account)": account_edited_in_cin7,
    "edited-in-cin7 (date)": dated_otherwise_in_cin7,
    "voided-in-cin7": voided_in_cin7,
    "not-authorised-in-cin7": drafted_in_cin7,
    "keyed-by-hand": keyed_by_hand,
    "orphan-in-cin7": bearing_our_marker,
    "dismissed": dismissed,
    "account-differs": mapped_otherwise,
}


@pytest.mark.parametrize("kind", PLANTS)
def test_what_is_planted_is_found_and_named(closing: Closing, kind: str) -> None:
    assert closing()["ready"]
    key = PLANTS[kind](closing)
    found = closing(code=3)
    of_key = {one["kind"] for one in found["differences"] if one["key"] == key}
    assert of_key == {kind.partition(" ")[0]}, found["differences"]
    others = {one["key"] for one in found["differences"] if one["key"] != key}
    # The table of accounts is about every document that stands on the account.
    assert not others or kind == "account-differs"
    for one in found["differences"]:
        assert one["explanation"].endswith(".")
        assert one["remedy"]
        assert one["id"]


def test_an_invoice_whose_order_is_held_says_what_it_waits_for(closing: Closing) -> None:
    order = closing.month.plain[0]
    closing.plant.copy_order(order, "900002", VendorNo="NOBODY")
    closing.poll()
    assert closing.kinds()["900002"] in {"waiting", "held"}


def test_what_is_keyed_by_hand_is_laid_beside_the_invoice_that_it_is(closing: Closing) -> None:
    alone = closing.month.alone
    purchase = closing.plant.number_of(f"IFS INV {alone.key}")
    closing.plant.edit_invoice(purchase, alone.header["InvoiceNo"], void=True)
    number = closing.plant.key_by_hand(invoice=alone.header["InvoiceNo"])
    found = closing(code=3)
    assert {one["kind"] for one in found["differences"] if one["state"] == "open"} == {
        "voided-in-cin7",
        "keyed-by-hand",
    }
    assert number in json.dumps(found["differences"])


def test_a_difference_keeps_its_owner_and_is_closed_when_it_is_gone(closing: Closing) -> None:
    key = amount_edited_in_cin7(closing)
    (one,) = closing(code=3)["differences"]
    closing.site.json("differences", "assign", str(one["id"]), "Ann")
    (again,) = closing(code=3)["differences"]
    assert (again["id"], again["owner"], again["key"]) == (one["id"], "Ann", key)
    half = closing.month.halves[0]
    total = sum(item["NetCurrAmount"] for item in half.items[:1])
    closing.plant.edit_invoice(
        closing.plant.purchase_of(closing.month.orders[0]), half.header["InvoiceNo"], Total=total
    )
    assert closing()["differences"] == []
    shown = closing.site.json("differences", "show", str(one["id"]))
    assert (shown["state"], shown["owner"]) == ("closed", "Ann")
    assert [event["becomes"] for event in shown["events"]] == ["open", "open", "closed"]
    assert [event["reason"] for event in shown["events"]] == ["found", "assigned to Ann", "gone"]


def test_what_is_accepted_stops_the_month_no_more_until_it_becomes_something_else(closing: Closing) -> None:
    amount_edited_in_cin7(closing)
    (one,) = closing(code=3)["differences"]
    closing.site.json("differences", "accept", str(one["id"]), "--reason", "agreed with the supplier")
    found = closing()
    assert found["ready"]
    assert [(one["state"], one["note"]) for one in found["differences"]] == [("accepted", "agreed with the supplier")]
    closing.plant.edit_invoice(
        closing.plant.purchase_of(closing.month.orders[0]), closing.month.halves[0].header["InvoiceNo"], Total=98
    )
    (changed,) = closing(code=3)["differences"]
    assert (changed["id"], changed["state"]) == (one["id"], "open")
    events = closing.site.json("differences", "show", str(one["id"]))["events"]
    assert [event["becomes"] for event in events] == ["open", "accepted", "open"]
    assert events[1]["actor"].startswith("operator ")


def test_only_what_is_open_can_be_accepted_and_only_what_is_accepted_reopened(closing: Closing) -> None:
    amount_edited_in_cin7(closing)
    (one,) = closing(code=3)["differences"]
    number = str(one["id"])
    assert closing.site("differences", "reopen", number, "--reason", "x")[0] == 1
    assert closing.site("differences", "accept", number, "--reason", " ")[0] == 2
    assert closing.site.json("differences", "accept", number, "--reason", "x") == {"accepted": [1], "not_found": []}
    assert closing.site("differences", "accept", number, "--reason", "x")[0] == 1
    assert closing.site.json("differences", "reopen", number, "--reason", "y") == {"reopened": [1], "not_found": []}
    assert [one["state"] for one in closing.site.json("differences", "list")] == ["open"]
    code, _, err = closing.site("differences", "show", "99")
    assert (code, err) == (1, "connector: There is no difference 99.\n")


def test_a_rule_explains_what_it_leaves_out_and_stops_no_month(closing: Closing) -> None:
    closing.plant.copy_order(closing.month.plain[0], "900003", Objstate="Planned")
    closing.poll()
    found = closing()
    assert found["ready"]
    assert [(one["key"], one["kind"], one["state"]) for one in found["differences"]] == [
        ("900003", "left-alone", "explained")
    ]


def test_the_differences_are_what_the_totals_differ_by(closing: Closing) -> None:
    not_pulled(closing), amount_edited_in_cin7(closing), voided_in_cin7(closing)
    found = closing(code=3)
    whole = sum(float(row["difference"]) for row in found["totals"] if row["account"] is None)
    parts = sum(
        float(one["ifs"] or 0) - float(one["cin7"] or 0) + (0 if one["ifs"] is None else -float(one["ledger"] or 0))
        + (0 if one["cin7"] is None else float(one["ledger"] or 0))
        for one in found["differences"]
    )  # fmt: skip
    assert whole == pytest.approx(parts)


def test_one_company_is_looked_at_by_itself(closing: Closing) -> None:
    amount_edited_in_cin7(closing)
    assert closing("--company", "20")["ready"]
    assert not closing("--company", "10", code=3)["ready"]
    # What the other company does not show is not taken for gone.
    assert closing("--company", "20")["ready"]
    assert len(closing.site.json("differences")) == 1
    code, _, err = closing.site(*RECONCILE, "--company", "99")
    assert code == 2
    assert "neither in the table companies" in err


def test_a_month_without_documents_is_ready(closing: Closing) -> None:
    assert closing.site.json("reconcile", "--period", "2024-01")["totals"] == []


@pytest.mark.parametrize("period", ["2025-13", "may", "2025-5"])
def test_what_is_no_month_is_exit_2(closing: Closing, period: str) -> None:
    assert closing.site("reconcile", "--period", period)[0] == 2


def test_a_side_that_cannot_be_read_is_one_sentence_and_changes_no_difference(closing: Closing) -> None:
    amount_edited_in_cin7(closing)
    closing(code=3)
    closing.site.ifs.tenant.faults.add([Fault(kind="503", path="PurchaseOrderSet", times=50)])
    code, _, err = closing.site(*RECONCILE)
    assert code == 1
    assert len(err.strip().splitlines()) == 1
    assert len(closing.site.json("differences")) == 1
    outcomes = closing.site.worker.ledger.rows("select outcome from reconciliation order by id")
    assert outcomes == [("done",), ("failed",)]


def test_the_sheet_and_the_page_say_the_same_and_run_nothing(closing: Closing, tmp_path: Path) -> None:
    closing.plant.edit_invoice(
        closing.plant.purchase_of(closing.month.orders[0]),
        closing.month.halves[0].header["InvoiceNo"],
        InvoiceNumber="=cmd|' /C calc'!A0<script>alert(1)</script>",
    )
    sheet, page = tmp_path / "month.csv", tmp_path / "month.html"
    found = closing("--csv", str(sheet), "--html", str(page), code=3)
    rows = list(csv.DictReader(sheet.read_text().splitlines()))
    assert {row["row"] for row in rows} == {"total", "account", "difference"}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())
    totals = [row for row in rows if row["row"] == "total"]
    assert [row["ifs_amount"] for row in totals] == [
        row["ifs"]["amount"] for row in found["totals"] if row["account"] is None
    ]
    text = page.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "<svg" in text
    assert "http://" not in text
    assert "https://" not in text
    assert found["differences"][0]["explanation"].split(":")[0] in text


def test_people_read_a_table_and_a_verdict(closing: Closing) -> None:
    code, out, _ = closing.site(*RECONCILE)
    assert code == 0
    assert f"{MONTH} is ready to close." in out
    assert "credit notes" in out
    key = voided_in_cin7(closing)
    code, out, _ = closing.site(*RECONCILE)
    assert code == 3
    assert "voided in Cin7 only" in out
    assert key in out
    code, out, _ = closing.site("differences")
    assert code == 0
    assert key in out

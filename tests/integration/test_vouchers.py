"""Vouchers of the hold table from poll to verdict, on real servers: held, corrected, posted, and shown in IFS."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sandbox.ifs.faults import Fault
from sandbox.world import World, build_plain_world
from shared.ledger import causes
from tests.integration.console.installation import Installation, installed
from workers.composition import refresh, releaser_of, writing_stages

ROWS, HEADS = "VoucherRowSet", "VoucherSet"
FIELD = "Cf_Cin7Check"
SHOWN = {"policy": {"journal_verdict_field": FIELD}, "ifs": {"settle_s": 0}}
KEY = ("Company", "AccountingYear", "VoucherType", "VoucherNo")
#: Accounts of companies 10 and 20 that both sides have.
GOOD = {"10": ("4010", "2440"), "20": ("400", "800"), "30": ("4300", "4300")}
EXPIRED = "5410"
Row = dict[str, Any]
Open = Callable[..., AbstractContextManager["Desk"]]


def world() -> World:
    """Nothing but the two companies that are mapped, and one that is not; one account is not valid any more."""
    made = build_plain_world(0, 0)
    made.ifs_seed["clients"][0]["companies"] = ["10", "20", "30"]
    for row in made.rows("AccountSet"):
        if (row["Company"], row["Account"]) == ("10", EXPIRED):
            row["ValidUntil"] = "2025-12-31"
    return made


class Desk:
    """An installation, and what people do with vouchers in IFS."""

    def __init__(self, site: Installation) -> None:
        self.site = site

    def enter(self, number: int, company: str = "10", account: str = "", off: int = 0, **changes: object) -> str:
        """Enter a voucher into the hold table; return its key."""
        debit, credit = GOOD[company]
        key = {"Company": company, "AccountingYear": 2026, "VoucherType": "I", "VoucherNo": number}
        said = {**key, "VoucherDate": "2026-03-21", "EntryDate": "2026-03-22"}
        rows = [
            {**said, "RowNo": 1, "Account": account or debit, "DebetAmount": 46, **changes},
            {**said, "RowNo": 2, "Account": credit, "CreditAmount": 46 + off, **changes},
        ]
        self.site.edit(HEADS, upsert=[{**key, "VoucherDate": "2026-03-21", "VoucherText": "Bolts"}])
        self.site.edit(ROWS, upsert=rows)
        return "/".join(str(part) for part in key.values())

    def correct(self, key: str, account: str = "4010") -> None:
        """Correct the first row, as its clerk would: the day of entry stays."""
        self.site.edit(ROWS, patch=[{**named(key), "RowNo": 1, "Account": account}])

    def post(self, key: str) -> None:
        """Let the update of the general ledger take the voucher."""
        self.site.edit(HEADS, patch=[{**named(key), "VoucherUpdated": True}])

    def go(self, *arguments: str) -> None:
        """Poll once and work off what that brought."""
        code, _, err = self.site("poll", "journals", *arguments)
        assert code == 0, err
        self.site.work()

    def again(self) -> None:
        """Write what rests now."""
        ledger = self.site.worker.ledger
        rows = ledger.rows("update entry set due_at = now() where state = 'retrying' returning id")
        stages = writing_stages(self.site.worker, lambda: False)
        for flow, stage in stages.items():
            if flow.name == "journals":
                stage.run([row[0] for row in rows])

    def states(self, key: str) -> list[str]:
        rows = self.site.worker.ledger.rows(
            "select state from entry where flow = 'journals' and key = %s order by version", (key,)
        )
        return [row[0] for row in rows]

    def reasons(self) -> dict[str, list[tuple[str, str]]]:
        """Return code and value of what holds each voucher."""
        return {
            hold["key"]: [(one["code"], one["value"]) for one in hold["findings"]]
            for hold in self.site.json("holds", "list", "--flow", "journals")
        }

    def effects(self) -> list[tuple[str, ...]]:
        return self.site.worker.ledger.rows("select target, step, state from effect order by id")

    def release(self) -> None:
        """Look whether causes are gone, as the replayer does once a minute, and work off what that frees."""
        self.site.worker.ledger.rows("update reference set read_at = now() - interval '1 hour' returning 1")
        releaser = releaser_of(self.site.worker)
        with self.site.worker.ledger.transaction() as cur:
            waiting = causes.open_causes(cur)
        refresh(self.site.worker, waiting)
        releaser.release()
        releaser.send_ready()
        self.site.work()

    def add_account(self, code: str) -> None:
        """Add an account to the charts of Cin7."""
        row = {"Code": code, "Name": code, "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE"}
        for account in self.site.cin7.control("GET", "state", brief="true")["accounts"]:
            self.site.cin7.control("POST", "accounts", {"account": account["account_id"], "row": row})

    # What IFS saw and shows

    def shown(self, key: str) -> object:
        """Return what the voucher shows of its verdict in IFS."""
        table = self.site.ifs.tenant.store.tables[HEADS]
        row = table.rows[tuple(named(key).values())]
        return row.values[table.kind.position[FIELD]]

    def patches(self) -> list[Mapping[str, Any]]:
        return [call for call in self.site.ifs.tenant.requests.report() if call["method"] == "PATCH"]

    def fail(self, **fault: Any) -> None:  # noqa: ANN401 - fields of a fault
        self.site.ifs.tenant.faults.add([Fault(**fault)])

    def later(self) -> None:
        """Let a second pass, so that the next edit has another ETag."""
        self.site.ifs.tenant.clock.advance(2)


def named(key: str) -> Row:
    company, year, kind, number = key.split("/")
    return {"Company": company, "AccountingYear": int(year), "VoucherType": kind, "VoucherNo": int(number)}


@pytest.fixture
def opened(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Open:
    @contextmanager
    def open_(**options: Any) -> Iterator[Desk]:  # noqa: ANN401 - of connector_toml
        with installed(tmp_path, database_url, redis_url, world(), capsys, monkeypatch, **options) as site:
            yield Desk(site)

    return open_


@pytest.fixture
def desk(opened: Open) -> Iterator[Desk]:
    with opened() as one:
        yield one


@pytest.fixture
def showing(opened: Open) -> Iterator[Desk]:
    """A desk whose verdicts are shown in IFS."""
    with opened(**SHOWN) as one:
        yield one


# The verdict


def test_what_may_be_posted_ends_written_and_what_may_not_is_held_with_its_reasons(desk: Desk) -> None:
    good, other = desk.enter(1), desk.enter(1, company="20")
    bad, off = desk.enter(2, account="9999"), desk.enter(3, off=1)
    stranger, late = desk.enter(4, company="30"), desk.enter(5, account=EXPIRED)
    desk.go()
    assert [desk.states(key) for key in (good, other)] == [["written"], ["written"]]
    assert desk.reasons() == {
        bad: [("account.missing", "9999")],
        off: [("journal.unbalanced", off)],
        stranger: [("company.unmapped", "30")],
        late: [("account.inactive", EXPIRED)],
    }
    (status,) = [flow for flow in desk.site.json("status")["flows"] if flow["flow"] == "journals"]
    assert (status["written"], status["held"]) == (2, 4)
    assert ("account.missing", "10", "9999", 1) in {
        (one["code"], one["company"], one["value"], one["entries"]) for one in desk.site.json("causes")
    }
    (entry,) = desk.site.json("ledger", "show", "journals", good)["entries"]
    assert entry["events"][-1]["why"] == "it may be posted"
    (hold,) = [one for one in desk.site.json("holds") if one["key"] == bad]
    code, out, _ = desk.site("holds", "show", str(hold["id"]))
    assert (code, "9999" in out) == (0, True)
    assert desk.site.cin7_calls() > 0
    assert desk.site.writes() == []
    assert desk.patches() == []


def test_a_dry_run_shows_the_verdicts_and_ends_nothing(desk: Desk) -> None:
    good, bad = desk.enter(1), desk.enter(2, account="9999")
    previews = desk.site.json("poll", "journals", "--dry-run", code=3)
    assert {one["key"]: one["action"] for one in previews} == {good: "passed", bad: "held"}
    assert desk.states(good) == []
    code, out, _ = desk.site("poll", "journals", "--dry-run")
    assert (code, f"journals {good}: passed" in out, "account.missing" in out) == (3, True, True)


def test_a_voucher_that_is_corrected_in_ifs_changes_its_verdict_by_itself(desk: Desk) -> None:
    key = desk.enter(1, account="9999")
    desk.go()
    desk.correct(key)
    desk.go()
    assert desk.states(key) == ["superseded", "written"]
    desk.correct(key, account="9999")
    desk.go()
    assert desk.states(key) == ["superseded", "written", "held"]
    desk.go()
    assert len(desk.states(key)) == 3, "what is unchanged makes no entry"


@pytest.mark.parametrize("change", ["add", "remove"])
def test_a_row_that_comes_or_goes_changes_the_whole_voucher(desk: Desk, change: str) -> None:
    key = desk.enter(1)
    desk.go()
    row = {**named(key), "RowNo": 2 if change == "remove" else 3}
    more = {**row, "VoucherDate": "2026-03-21", "Account": "4010", "DebetAmount": 5}
    desk.site.edit(ROWS, **({"upsert": [more]} if change == "add" else {"delete": [row]}))
    desk.go()
    assert desk.reasons() == {key: [("journal.unbalanced", key)]}


def test_an_account_that_is_added_in_cin7_releases_its_vouchers(desk: Desk) -> None:
    keys = [desk.enter(number, account="9999") for number in (1, 2)]
    both = desk.enter(3, account="9999", off=1)
    desk.go()
    desk.add_account("9999")
    desk.release()
    assert [desk.states(key) for key in keys] == [["written"]] * 2
    assert desk.reasons() == {both: [("account.missing", "9999"), ("journal.unbalanced", both)]}
    assert [one["value"] for one in desk.site.json("causes")] == [both], "of its two reasons one is left"


def test_an_account_whose_validity_is_mended_in_ifs_releases_its_vouchers(desk: Desk) -> None:
    key = desk.enter(1, account=EXPIRED)
    desk.go()
    assert desk.reasons() == {key: [("account.inactive", EXPIRED)]}
    desk.site.edit("AccountSet", patch=[{"Company": "10", "Account": EXPIRED, "ValidUntil": None}])
    desk.release()
    assert desk.states(key) == ["written"]


def test_a_mapping_that_is_added_releases_its_vouchers(desk: Desk) -> None:
    key = desk.enter(1, account="9999")
    desk.go()
    (desk.site.folder / "one.csv").write_text("company,ifs_account,cin7_code\n10,9999,5010\n")
    assert desk.site("mappings", "import", "accounts", str(desk.site.folder / "one.csv"))[0] == 0
    desk.release()
    assert desk.states(key) == ["written"]


def test_a_company_that_is_added_to_the_table_has_its_vouchers_judged(desk: Desk) -> None:
    key = desk.enter(1, company="30")
    desk.go()
    (desk.site.folder / "one.csv").write_text("company,cin7_account,lead\n30,main,no\n")
    assert desk.site("mappings", "import", "companies", str(desk.site.folder / "one.csv"))[0] == 0
    desk.release()
    assert ("company.unmapped", "30") not in desk.reasons().get(key, [])
    desk.go()
    assert len(desk.states(key)) == 1


def test_held_vouchers_are_replayed_and_drained_like_any_others(desk: Desk) -> None:
    first, second = desk.enter(1, account="9999"), desk.enter(2, account="9999")
    desk.go()
    assert {one["queue"]: one["dead"] for one in desk.site.json("status")["queues"]}["map.journals"] == 2
    (hold,) = [one for one in desk.site.json("holds") if one["key"] == first]
    desk.add_account("9999")
    desk.site.worker.ledger.rows("update reference set read_at = now() - interval '1 hour' returning 1")
    assert desk.site("holds", "replay", str(hold["id"]))[0] == 0
    desk.site.work()
    assert (desk.states(first), desk.states(second)) == (["written"], ["held"])
    assert desk.site("drain", "map.journals")[0] == 0
    desk.site.work()
    assert desk.states(second) == ["written"]


def test_without_ifs_s_own_chart_the_rest_is_judged_and_the_ledger_says_so(desk: Desk) -> None:
    desk.site.ifs.tenant.store.switches = desk.site.ifs.tenant.store.switches.changed(
        {"inactive_services": ["AccountEntity"]}
    )
    good, bad = desk.enter(1, account=EXPIRED), desk.enter(2, account="9999")
    desk.go()
    assert (desk.states(good), desk.states(bad)) == (["written"], ["held"])
    (entry,) = desk.site.json("ledger", "show", "journals", good)["entries"]
    assert "IFS's own accounts are not known" in entry["events"][-1]["why"]
    desk.enter(3)
    desk.go()
    asked = [call for call in desk.site.ifs.tenant.requests.report() if "AccountSet" in call["path"]]
    assert len(asked) == 1, "what IFS refuses is not asked for again with every message"


def test_only_vouchers_from_the_start_on_are_judged_where_one_is_set(opened: Open) -> None:
    with opened(streams={"journals": {"start_from": "2026-03-01"}}) as desk:
        old, new = desk.enter(1, VoucherDate="2026-02-28"), desk.enter(2)
        desk.go()
        assert (desk.states(old), desk.states(new)) == ([], ["written"])


# Leaving the hold table


def test_a_voucher_that_is_posted_is_no_loss_and_whatever_held_it_is_answered(desk: Desk) -> None:
    bad, good = desk.enter(1, account="9999"), desk.enter(2)
    desk.go()
    desk.post(bad)
    desk.post(good)
    desk.go()
    assert (desk.states(bad), desk.states(good)) == (["superseded"], ["written"])
    assert desk.reasons() == {}
    assert desk.site.json("causes") == []
    (poll,) = desk.site.json("polls", "--flow", "journals")[:1]
    assert (poll["outcome"], poll["error"]) == ("done", "")
    (entry,) = desk.site.json("ledger", "show", "journals", bad)["entries"]
    assert "posted, or removed" in entry["events"][-1]["why"]
    assert {one["queue"]: one["dead"] for one in desk.site.json("status")["queues"]}["map.journals"] == 0


def test_vouchers_that_were_out_of_sight_for_a_while_are_judged_again(desk: Desk) -> None:
    keys = [desk.enter(number, account="9999") for number in range(1, 31)]
    desk.go()
    known = desk.site.ifs.tenant.tokens.clients
    granted = known["CIN7CONN"]
    known["CIN7CONN"] = msgspec.structs.replace(granted, companies=["20"])
    desk.go()
    assert {state for key in keys for state in desk.states(key)} == {"superseded"}
    assert "lost companies in IFS" in desk.site.json("polls", "--flow", "journals")[0]["error"]
    known["CIN7CONN"] = granted
    desk.go()
    assert len(desk.reasons()) == 30


def test_a_replay_of_a_voucher_that_was_posted_meanwhile_closes_it(desk: Desk) -> None:
    key = desk.enter(1, account="9999")
    desk.go()
    desk.post(key)
    assert desk.site("holds", "replay", "--all")[0] == 0
    desk.site.work()
    assert desk.states(key) == ["superseded"]
    assert desk.reasons() == {}


# By the day of entry


def test_a_correction_that_keeps_its_day_of_entry_is_seen_at_the_next_poll(opened: Open) -> None:
    with opened(streams={"journals": {"modified_field": "EntryDate"}}) as desk:
        key, posted = desk.enter(1, account="9999"), desk.enter(2, account="9999")
        recent = desk.enter(3, EntryDate="2026-06-30")
        desk.go()
        desk.correct(key)
        desk.post(posted)
        desk.go()
        assert desk.site.json("polls", "--flow", "journals")[0]["strategy"] == "modified"
        assert desk.states(key) == ["superseded", "written"]
        assert (desk.states(posted), desk.states(recent)) == (["superseded"], ["written"])


def test_a_row_without_a_number_is_held_and_stays_so(opened: Open) -> None:
    with opened(streams={"journals": {"modified_field": "EntryDate"}}) as desk:
        desk.enter(1)
        broken = json.dumps({"Company": "10", "AccountingYear": 2026, "VoucherType": "I", "VoucherNo": "?", "RowNo": 1})
        desk.site.ifs.tenant.store.tables[ROWS].raw[("10", 2026, "I", 1, 1)] = broken.encode()
        for _ in range(3):
            desk.go()
        assert ("source.invalid", "?") in desk.reasons()["10/2026/I/?"]
        assert len(desk.states("10/2026/I/?")) == 1


def test_an_edit_of_a_good_voucher_is_seen_by_the_full_read_that_comes_every_quarter_of_an_hour(opened: Open) -> None:
    with opened(streams={"journals": {"modified_field": "EntryDate"}}) as desk:
        key, _ = desk.enter(1), desk.enter(3, EntryDate="2026-06-30")
        desk.go()
        desk.correct(key, account="9999")
        desk.go()
        assert desk.states(key) == ["written"], "nothing in IFS says that it was changed"
        desk.site.worker.ledger.rows("update watermark set swept_at = now() - interval '16 minutes' returning 1")
        desk.go()
        assert desk.states(key) == ["written", "held"]


def test_a_tenant_without_the_set_is_read_in_all_else(desk: Desk) -> None:
    known = desk.site.ifs.tenant.tokens.clients
    services = ["SupplierHandling", "PurchaseOrderHandling", "ManSuppInvoiceEntity"]
    known["CIN7CONN"] = msgspec.structs.replace(known["CIN7CONN"], services=services)
    code, _, err = desk.site("poll")
    assert code == 0
    assert "journals is not read" in err
    outcomes = {one["flow"]: one["outcome"] for one in desk.site.json("polls")}
    assert (outcomes["journals"], outcomes["purchase_orders"]) == ("unserved", "done")


# Shown in IFS


def test_both_verdicts_are_shown_in_ifs_by_exact_etags(showing: Desk) -> None:
    good, bad, stranger = showing.enter(1), showing.enter(2, account="9999"), showing.enter(3, company="30")
    showing.go()
    assert [showing.shown(key) for key in (good, bad, stranger)] == ["CfEnum_PASSED", "CfEnum_FAILED", None]
    assert showing.states(good) == ["written"]
    assert showing.reasons() == {bad: [("account.missing", "9999")], stranger: [("company.unmapped", "30")]}
    assert showing.effects() == [("ifs", "verdict", "APPLIED")] * 2
    assert len(showing.patches()) == 2
    assert all(call["if_match"].startswith('W/"') for call in showing.patches())


def test_a_verdict_changes_in_ifs_when_the_account_is_added_and_is_not_written_twice(showing: Desk) -> None:
    key = showing.enter(1, account="9999")
    showing.go()
    assert showing.site("holds", "replay", "--all")[0] == 0
    showing.site.work()
    assert (showing.shown(key), len(showing.patches())) == ("CfEnum_FAILED", 1), "it is shown already"
    showing.later()
    showing.add_account("9999")
    showing.release()
    assert (showing.states(key), showing.shown(key)) == (["written"], "CfEnum_PASSED")
    assert len(showing.patches()) == 2


def test_the_values_of_the_verdict_are_settings(opened: Open) -> None:
    policy = {"journal_verdict_field": FIELD, "journal_verdict_passed": "OK", "journal_verdict_failed": "see Cin7"}
    with opened(policy=policy) as desk:
        good, bad = desk.enter(1), desk.enter(2, account="9999")
        desk.go()
        assert (desk.shown(good), desk.shown(bad)) == ("OK", "see Cin7")


@pytest.mark.parametrize("form", ["412", "20114"])
def test_an_edit_between_our_look_and_our_change_is_kept(showing: Desk, form: str) -> None:
    showing.site.ifs.tenant.store.switches = showing.site.ifs.tenant.store.switches.changed({"stale_match": form})
    key = showing.enter(1)
    showing.later()
    edit = {"set": HEADS, "patch": [{**named(key), "VoucherText": "Nuts"}]}
    showing.fail(kind="edit", method="GET", path=rf"{HEADS}\(", edits=[edit])
    showing.go()
    assert showing.shown(key) == "CfEnum_PASSED"
    row = showing.site.ifs.tenant.store.tables[HEADS].rows[tuple(named(key).values())]
    assert "Nuts" in row.values
    assert showing.effects() == [("ifs", "verdict", "REFUSED"), ("ifs", "verdict", "APPLIED")]


def test_a_voucher_that_others_keep_changing_is_held_after_five_rounds(showing: Desk) -> None:
    key = showing.enter(1)
    for place in range(5):
        edit = {"set": HEADS, "patch": [{**named(key), "VoucherText": f"Edit {place}"}]}
        showing.fail(kind="edit", method="GET", path=rf"{HEADS}\(", edits=[edit])
    patched = showing.site.ifs.control.edit

    def edited(edits: Any) -> None:  # noqa: ANN401 - as the stand-in takes them
        showing.later()
        patched(edits)

    showing.site.ifs.control.edit = edited  # type: ignore[method-assign]
    showing.go()
    assert [code for code, _ in showing.reasons()[key]] == ["target.refused"]
    assert showing.effects() == [("ifs", "verdict", "REFUSED")] * 5


@pytest.mark.parametrize(("kind", "states"), [("drop_after", ["APPLIED"]), ("drop_before", ["REFUSED", "APPLIED"])])
def test_a_lost_answer_is_settled_by_reading_back(showing: Desk, kind: str, states: list[str]) -> None:
    key = showing.enter(1)
    showing.fail(kind=kind, method="PATCH")
    showing.go()
    assert showing.states(key) == ["retrying"]
    assert showing.effects() == [("ifs", "verdict", "UNKNOWN")]
    showing.again()
    assert showing.states(key) == ["written"]
    assert [state for *_, state in showing.effects()] == states
    assert len(showing.patches()) == len(states)
    assert showing.shown(key) == "CfEnum_PASSED"


def test_a_lost_answer_is_not_looked_for_before_its_time(opened: Open) -> None:
    with opened(policy={"journal_verdict_field": FIELD}, ifs={"settle_s": 60}) as desk:
        key = desk.enter(1)
        desk.fail(kind="drop_after", method="PATCH")
        desk.go()
        desk.again()
        assert desk.states(key) == ["retrying"]
        assert desk.effects() == [("ifs", "verdict", "UNKNOWN")]


def test_a_worker_that_died_after_its_change_finds_it_there(showing: Desk) -> None:
    """The intent is committed, the change made, and nothing more is known."""
    key = showing.enter(1)
    showing.fail(kind="drop_after", method="PATCH")
    showing.go()
    showing.site.worker.ledger.rows("update effect set state = 'INTENT', ended_at = null returning 1")
    showing.again()
    assert (showing.states(key), len(showing.patches())) == (["written"], 1)


def test_a_corrected_voucher_settles_what_its_older_verdict_left_open(showing: Desk) -> None:
    key = showing.enter(1, account="9999")
    showing.fail(kind="drop_after", method="PATCH")
    showing.go()
    showing.correct(key)
    showing.later()
    showing.go()
    assert showing.states(key) == ["superseded", "written"]
    assert [state for *_, state in showing.effects()] == ["APPLIED", "APPLIED"], "the first did show FAILED"
    assert showing.shown(key) == "CfEnum_PASSED"


@pytest.mark.parametrize("header", ["stays", "goes"])
def test_a_voucher_that_is_posted_before_its_verdict_could_be_shown_ends_in_peace(showing: Desk, header: str) -> None:
    good, bad = showing.enter(1), showing.enter(2, account="9999")
    code, _, _ = showing.site("poll", "journals")
    assert code == 0
    for key in (good, bad):
        showing.post(key)
        if header == "goes":
            showing.site.edit(HEADS, delete=[named(key)])
    showing.site.work()
    assert showing.states(good) == ["written"]
    (entry,) = showing.site.json("ledger", "show", "journals", good)["entries"]
    assert "it left the hold table before IFS could show that" in entry["events"][-1]["why"]
    assert showing.reasons() == {bad: [("account.missing", "9999")]}
    showing.go()
    assert (showing.states(bad), showing.reasons()) == (["superseded"], {})


def test_a_set_of_headers_that_is_not_served_holds_and_names_the_setting(showing: Desk) -> None:
    tenant = showing.site.ifs.tenant
    tenant.store.switches = tenant.store.switches.changed(
        {"inactive_services": ["VoucherEntity"], "inactive_status": 403}
    )
    good, bad = showing.enter(1), showing.enter(2, account="9999")
    showing.go()
    assert showing.reasons() == {
        good: [("target.refused", good)],
        bad: [("account.missing", "9999"), ("target.refused", bad)],
    }
    (hold,) = [one for one in showing.site.json("holds") if one["key"] == good]
    assert "[ifs.streams.journals.sets.verdict]" in hold["findings"][0]["remedy"]


def test_headers_that_are_elsewhere_are_told_from_vouchers_that_left(showing: Desk) -> None:
    key = showing.enter(1)
    showing.site.edit(HEADS, delete=[named(key)])
    showing.go()
    assert showing.reasons() == {key: [("target.refused", key)]}
    (hold,) = showing.site.json("holds")
    assert "though its rows are in the hold table" in hold["findings"][0]["message"]


def test_a_tenant_without_the_custom_field_says_so_in_ifs_s_words(showing: Desk) -> None:
    tenant = showing.site.ifs.tenant
    tenant.store.switches = tenant.store.switches.changed({"voucher_custom_fields": False})
    key = showing.enter(1)
    showing.go()
    (reason,) = showing.reasons()[key]
    assert (reason[0], FIELD in reason[1]) == ("target.refused", True)


def test_ifs_is_asked_without_harm_where_it_answers_204(showing: Desk) -> None:
    tenant = showing.site.ifs.tenant
    tenant.store.switches = tenant.store.switches.changed({"patch_answer": 204})
    key = showing.enter(1)
    showing.go()
    assert (showing.states(key), showing.shown(key), len(showing.patches())) == (["written"], "CfEnum_PASSED", 1)


def test_a_check_of_the_set_up_tries_where_verdicts_are_shown(showing: Desk) -> None:
    showing.enter(1)
    results = json.loads(showing.site("check", "--json")[1])
    assert [one["detail"] for one in results if one["outcome"] == "fail" and one["system"] == "ifs"] == []
    details = " ".join(one["detail"] for one in results)
    assert f"VoucherEntity/VoucherSet has {FIELD}" in details
    assert "A row of VoucherEntity/VoucherSet is read by its key, with an ETag" in details
    assert "A whole record of journals is read and understood" in details
    asked = [
        call["query"].get("$filter", "") for call in showing.site.ifs.tenant.requests.report() if ROWS in call["path"]
    ]
    assert all("Company eq '" in one for one in asked)

"""Pull, look, repair, replay: the commands an operator steers the connector with, on real servers."""

import threading

import pytest
import redis

from shared.flows import FLOWS
from shared.ledger.connection import Ledger
from shared.queues import dead_letters
from tests.integration.console.installation import Installation

STATES = {"detected", "mapped", "waiting", "retrying", "held", "written", "superseded", "echo", "dismissed"}
ORDERS = ["1000000", "1000001", "1000002", "1000003"]


@pytest.fixture(name="held")
def held_fixture(site: Installation) -> Installation:
    """Everything is pulled and worked off: the suppliers are written, the four orders held."""
    assert site("poll")[0] == 0
    site.work()
    return site


def repair(site: Installation) -> None:
    """Add the account to Cin7's chart, as an accountant would, and let the connector read it again at once."""
    site.cin7.control("POST", "accounts", {"account": company(site), "row": {"Code": "9999", "Name": "Clearing",
                      "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE"}})  # fmt: skip
    site.worker.ledger.rows(
        "update reference set read_at = now() - interval '1 hour' where kind = 'accounts' returning 1"
    )


def company(site: Installation) -> str:
    """Return the id of the Cin7 account that company 10 goes to."""
    accounts = site.cin7.control("GET", "state", brief="true")["accounts"]
    return str(accounts[0]["account_id"])


def dead(site: Installation, queue: str) -> int:
    with redis.Redis.from_url(site.variables["REDIS_URL"]) as client:
        return dead_letters.depths(client, queue)[2]


# Polling


def test_a_poll_tells_what_it_saw(site: Installation) -> None:
    pulled = site.json("poll")
    assert [(one["flow"], one["rows"], one["changed"], one["outcome"]) for one in pulled] == [
        ("suppliers", 3, 3, "done"),
        ("purchase_orders", 4, 4, "done"),
        ("supplier_invoices", 0, 0, "done"),
        ("journals", 0, 0, "done"),
        ("cin7_suppliers", 0, 0, "done"),
        ("cin7_suppliers", 0, 0, "done"),
    ], "one of each Cin7 account"
    again = site.json("poll", "suppliers")
    assert [(one["flow"], one["changed"]) for one in again] == [("suppliers", 0)]
    code, out, _ = site("poll", "--sweep", "suppliers")
    assert (code, "(sweep); 0 changed, 3 unchanged" in out) == (0, True)
    polls = site.json("polls")
    assert (polls[0]["flow"], polls[0]["strategy"]) == ("suppliers", "sweep")
    assert {"id", "company", "source", "filter", "pulled_at", "pages", "rows", "changed", "unchanged", "error"} < set(
        polls[0]
    )
    assert [pull["flow"] for pull in site.json("polls", "--flow", "purchase_orders")] == ["purchase_orders"]
    assert len(site.json("polls", "--limit", "1")) == 1


def test_an_unknown_flow_is_exit_2_and_names_those_there_are(site: Installation) -> None:
    code, out, err = site("poll", "invoices")
    assert (code, out) == (2, "")
    assert "suppliers" in err
    assert "purchase_orders" in err


def test_a_failed_pull_is_exit_1_with_its_sentence(site: Installation) -> None:
    site.ifs.tenant.tokens.clients.clear()
    code, _, err = site("poll", "suppliers")
    assert (code, err.count("connector: ")) == (1, 1)
    assert "suppliers: " in err
    assert site.json("polls")[0]["outcome"] == "failed"


def test_a_poll_waits_for_the_process_that_is_at_it(site: Installation) -> None:
    with site.worker.ledger.transaction() as cur:
        cur.execute(
            "insert into lease (name, generation, holder, until) "
            "values ('suppliers', 1, 'other', now() + interval '1 second')"
        )
    assert [one["outcome"] for one in site.json("poll", "suppliers")] == ["done"]


# Waiting


def test_waiting_ends_when_nothing_moves_and_says_what_is_held(site: Installation) -> None:
    assert site.json("wait") == {"idle": True, "held": 0, "seconds": 0.0}
    site("poll")
    code, out, _ = site("wait", "--timeout", "0.4")
    assert (code, "7 entries still move" in out) == (4, True)
    site.work()
    waited = site.json("wait", code=3)
    assert (waited["idle"], waited["held"]) == (True, 4)


def test_waiting_returns_as_soon_as_the_last_entry_rests(site: Installation) -> None:
    site("poll", "suppliers")
    worker = threading.Thread(target=site.work)
    worker.start()
    waited = site.json("wait", "--timeout", "30")
    worker.join(30)
    assert (waited["idle"], waited["held"]) == (True, 0)


def test_what_is_ready_still_moves_unless_nobody_sends_it(held: Installation) -> None:
    held.worker.ledger.rows("update entry set ready = true where state = 'held' returning id")
    assert held.json("wait", "--timeout", "0", code=4)["idle"] is False
    assert held.json("status")["idle"] is False
    settings = held.folder / "connector.toml"
    settings.write_text(settings.read_text().replace("[policy]", "[policy]\nauto_replay = false"))
    assert held.json("wait", "--timeout", "0", code=3)["idle"] is True


# Status


def test_status_lists_every_flow_queue_and_key(held: Installation) -> None:
    status = held.json("status")
    assert status["idle"] is True
    assert [flow["flow"] for flow in status["flows"]] == [flow.name for flow in FLOWS]
    assert set(status["flows"][0]) > STATES
    assert [(flow["written"], flow["held"]) for flow in status["flows"]] == [(3, 0), (0, 4), (0, 0), (0, 0), (0, 0)]
    assert [queue["queue"] for queue in status["queues"]] == [
        "map.suppliers",
        "write.suppliers",
        "map.purchase_orders",
        "write.purchase_orders",
        "map.supplier_invoices",
        "write.supplier_invoices",
        "map.journals",
        "write.journals",
        "map.cin7_suppliers",
        "write.cin7_suppliers",
    ]
    assert status["queues"][2]["dead"] == 4
    assert {"target", "key", "limit", "used"} < set(status["budgets"][0])
    used = {budget["key"]: budget["used"] for budget in status["budgets"]}
    assert used["ifs"] > 0
    assert sum(count for key, count in used.items() if key.startswith("main/")) > 0
    code, out, _ = held("status")
    assert code == 0
    assert "account.missing" in out
    assert "Idle." in out


def test_status_works_before_anything_is_set_up(site: Installation) -> None:
    site.worker.ledger.rows("delete from credential returning name")
    status = site.json("status")
    assert [flow["detected"] for flow in status["flows"]] == [0] * len(FLOWS)
    assert {budget["target"] for budget in status["budgets"]} == {"ifs"}
    (site.folder / "connector.toml").unlink()
    assert site.json("status")["budgets"] == []


def test_status_without_redis_shows_what_the_ledger_knows(held: Installation) -> None:
    held.variables["REDIS_URL"] = "redis://127.0.0.1:1/0"
    status = held.json("status", code=1)
    assert (status["queues"], status["flows"][1]["held"]) == ([], 4)
    _, _, err = held("status")
    assert err.count("\n") == 1
    assert "Redis cannot be reached" in err


# Holds


def test_holds_say_why_and_what_to_do(held: Installation) -> None:
    holds = held.json("holds")
    assert [hold["key"] for hold in holds] == ORDERS
    assert set(holds[0]) >= {"id", "flow", "key", "company", "stage", "since", "attempts", "ready", "findings"}
    finding = holds[0]["findings"][0]
    assert (finding["code"], finding["value"]) == ("account.missing", "9999")
    assert finding["message"]
    assert finding["remedy"]
    assert held.json("holds", "list", "--flow", "suppliers") == []
    assert len(held.json("holds", "list", "--code", "account.missing")) == 4
    assert held.json("holds", "--code", "tax.unmapped") == []
    code, out, _ = held("holds")
    assert (code, out.count("1000002") >= 1) == (0, True)


def test_one_hold_is_shown_with_its_source_and_its_story(held: Installation) -> None:
    first = held.json("holds")[0]["id"]
    shown = held.json("holds", "show", str(first))
    assert (shown["key"], shown["state"]) == (ORDERS[0], "held")
    assert shown["source"]["header"]["OrderNo"] == ORDERS[0]
    assert (shown["mapped"], shown["effects"]) == (None, [])
    assert [event["becomes"] for event in shown["events"]] == ["detected", "held"]
    assert held("holds", "show", str(first))[0] == 0
    code, _, err = held("holds", "show", "999999")
    assert (code, "no entry 999999" in err) == (1, True)


def test_causes_name_the_repair_and_the_money_it_holds(held: Installation) -> None:
    causes = held.json("causes")
    assert [(cause["code"], cause["company"], cause["value"], cause["status"]) for cause in causes] == [
        ("account.missing", "10", "9999", "open")
    ]
    assert causes[0]["entries"] == 4
    assert {"since", "remedy"} < set(causes[0])
    assert float(causes[0]["money"]["SEK"]) > 0
    code, out, _ = held("causes")
    assert (code, "9999" in out, "SEK" in out) == (0, True, True)


def test_a_replay_of_what_is_repaired_goes_through_once(held: Installation) -> None:
    repair(held)
    done = held.json("holds", "replay", "--cause", "account.missing=9999")
    assert (len(done["replayed"]), done["not_held"]) == (4, [])
    assert dead(held, "map.purchase_orders") == 0
    held.work()
    assert held.json("wait") == {"idle": True, "held": 0, "seconds": 0.0}
    assert [write for write in held.writes() if "advanced-purchase" in write] == [
        "POST /ExternalApi/v2/advanced-purchase"
    ] * 4
    story = held.json("ledger", "show", "purchase_orders", ORDERS[0])
    assert [event["becomes"] for event in story["entries"][0]["events"]][:3] == ["detected", "held", "detected"]
    assert "replayed by" in story["entries"][0]["events"][2]["why"]
    assert story["entries"][0]["events"][2]["actor"].startswith("operator ")


def test_an_entry_that_is_not_held_is_named_while_the_others_go(held: Installation) -> None:
    first = held.json("holds")[0]["id"]
    code, out, err = held("holds", "replay", "1", str(first), "--json")
    assert code == 1
    assert f'"replayed": [\n    {first}\n  ]' in out
    assert "Not held, so not replayed: 1." in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["replay"], "Name entries"),
        (["replay", "1", "--all"], "Name entries"),
        (["replay", "--cause", "acount.missing"], "did you mean 'account.missing'?"),
        (["dismiss", "1"], "--reason"),
        (["dismiss", "1", "--reason", "  "], "--reason is empty"),
        (["list", "--code", "nonsense"], "nonsense"),
    ],
)
def test_a_wrong_review_is_exit_2(site: Installation, arguments: list[str], words: str) -> None:
    code, out, err = site("holds", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_replaying_all_or_a_kind_of_cause_takes_what_it_names(held: Installation) -> None:
    assert held.json("holds", "replay", "--cause", "account.missing=1")["replayed"] == []
    assert len(held.json("holds", "replay", "--cause", "account.missing")["replayed"]) == 4
    held.work()
    assert len(held.json("holds", "replay", "--all")["replayed"]) == 4
    held.work()
    assert [hold["round"] for hold in held.json("holds")] == [3, 3, 3, 3]


def test_a_dismissal_keeps_the_reason_and_takes_the_dead_letter_away(held: Installation) -> None:
    first = held.json("holds")[0]["id"]
    assert held.json("holds", "dismiss", str(first), "--reason", "keyed by hand") == {
        "dismissed": [first],
        "not_held": [],
    }
    assert dead(held, "map.purchase_orders") == 3
    event = held.json("ledger", "show", "purchase_orders", ORDERS[0])["entries"][0]["events"][-1]
    assert (event["becomes"], event["why"].endswith(": keyed by hand")) == ("dismissed", True)
    assert event["actor"].startswith("operator ")
    assert held("holds", "dismiss", str(first), "--reason", "again")[0] == 1


def test_draining_replays_what_rests_in_one_queue(held: Installation) -> None:
    drained = held.json("drain", "map.purchase_orders.XQ")
    assert (drained["queue"], len(drained["replayed"])) == ("map.purchase_orders", 4)
    assert drained["replayed"] == sorted(drained["replayed"])
    assert held.json("drain", "write.purchase_orders") == {"queue": "write.purchase_orders", "replayed": []}
    code, _, err = held("drain", "write.invoices")
    assert (code, "write.purchase_orders" in err) == (2, True)


def test_a_new_mapping_row_releases_what_it_repairs_at_once(held: Installation) -> None:
    file = held.folder / "more.csv"
    file.write_text("company,ifs_account,cin7_code\n10,9999,4010\n")
    imported = held.json("mappings", "import", "accounts", str(file))
    assert (imported["added"], len(imported["released"])) == (1, 4)
    held.work()
    assert held.json("status")["flows"][1]["written"] == 4


def test_an_import_stands_although_cin7_cannot_be_asked(held: Installation) -> None:
    held.variables["REDIS_URL"] = "redis://127.0.0.1:1/0"
    held.worker.ledger.rows("delete from reference returning kind")
    file = held.folder / "more.csv"
    file.write_text("company,ifs_account,cin7_code\n10,9999,4010\n")
    code, out, err = held("mappings", "import", "accounts", str(file))
    assert (code, "1 added" in out) == (0, True)
    assert "goes on later" in err
    with Ledger(held.variables["DATABASE_URL"]).transaction() as cur:
        assert cur.execute("select count(*) from entry where state = 'held'").fetchone() == (4,)

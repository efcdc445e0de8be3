"""One record's story, links, the tamper check and the audit export."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger import seals
from tests.integration.console.installation import Installation

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


@pytest.fixture(name="done")
def done_fixture(site: Installation) -> Installation:
    """Everything is pulled and worked off: the suppliers are written, the four orders held."""
    assert site("poll")[0] == 0
    site.work()
    return site


def test_the_story_of_a_record_has_every_event_and_call(done: Installation) -> None:
    story = done.json("ledger", "show", "suppliers", "S000001")
    entry = story["entries"][0]
    assert (story["flow"], story["key"], entry["version"], entry["state"]) == ("suppliers", "S000001", 1, "written")
    assert [(event["was"], event["becomes"]) for event in entry["events"]] == [
        ("", "detected"),
        ("detected", "mapped"),
        ("mapped", "written"),
    ]
    assert set(entry["events"][0]) == {"was", "becomes", "happened_at", "recorded_at", "actor", "why", "detail"}
    assert [(call["target"], call["step"], call["state"]) for call in entry["effects"]] == [
        ("cin7/main", "create", "APPLIED")
    ]
    call = entry["effects"][0]
    assert set(call) >= {"round", "request", "digest", "marker", "intent_at", "ended_at", "answer_digest", "detail"}
    assert len(call["digest"]) == len(call["answer_digest"]) == 64
    assert entry["findings"] == []
    assert [link["cin7_account"] for link in story["links"]] == ["main"]
    code, out, _ = done("ledger", "show", "suppliers", "S000001")
    assert (code, "POST /supplier" in out) == (0, True)


def test_a_record_that_is_left_alone_says_why(site: Installation) -> None:
    site.edit("PurchaseOrderSet", patch=[{"OrderNo": "1000000", "OrderDate": "2019-01-01T00:00:00Z"}])
    site("poll", "purchase_orders")
    story = site.json("ledger", "show", "purchase_orders", "1000000")
    assert story["entries"] == []
    assert "dated 2019-01-01" in story["record"]["skipped"]
    code, out, _ = site("ledger", "show", "purchase_orders", "1000000")
    assert (code, "is not sent: dated 2019-01-01" in out) == (0, True)


def test_a_record_that_was_never_seen_is_exit_1(site: Installation) -> None:
    code, _, err = site("ledger", "show", "suppliers", "nobody")
    assert (code, "never seen nobody" in err) == (1, True)
    assert site("ledger", "show", "invoices", "1")[0] == 2


def test_links_are_found_from_either_side(done: Installation) -> None:
    links = done.json("links")
    assert [link["ifs_key"] for link in links] == ["S000000", "S000001", "S000002"]
    assert {"flow", "ifs_key", "cin7_account", "cin7_id", "cin7_number", "written_at"} < set(links[0])
    assert done.json("ledger", "links", links[1]["cin7_id"].upper()) == [links[1]]
    assert done.json("links", "--flow", "purchase_orders") == []
    assert done.json("links", "--account", "nowhere") == []


def test_an_edited_event_is_found_and_named(done: Installation) -> None:
    with done.worker.ledger.transaction() as cur:
        seals.seal(cur)
    verdict = done.json("verify")
    assert (verdict["intact"], verdict["seals"], verdict["broken"]) == (True, 1, [])
    assert done.json("ledger", "verify")["head"] == verdict["head"]
    with done.worker.ledger.transaction() as cur:
        cur.execute("set local session_replication_role = replica")
        cur.execute("update event set why = 'nothing happened' where id = (select min(id) from event)")
    broken = done.json("verify", code=1)
    assert broken["intact"] is False
    code, out, _ = done("verify")
    assert (code, "seal 1 of" in out, "an event was changed" in out) == (1, True, True)


def test_an_export_holds_every_event_of_its_days(done: Installation) -> None:
    (count,) = done.worker.ledger.rows("select count(*) from event")[0]
    code, out, _ = done("export", "--from", TODAY, "--to", TODAY)
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, len(rows)) == (0, count)
    assert {"flow", "key", "version", "was", "becomes", "recorded_at", "actor", "why"} < set(rows[0])
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    assert done("export", "--from", "2020-01-01", "--to", yesterday)[1] == ""
    file = done.folder / "events.csv"
    written = done.json("ledger", "export", "--from", TODAY, "--to", TODAY, "--format", "csv", "--output", str(file))
    assert (written["events"], list(done.folder.glob("*.part"))) == (count, [])
    assert len(list(csv.DictReader(io.StringIO(file.read_text())))) == count


def test_an_export_cannot_trick_a_spreadsheet(done: Installation) -> None:
    first = done.json("holds")[0]["id"]
    with done.worker.ledger.transaction() as cur:
        cur.execute("update entry set company = '=cmd()' where id = %s", (first,))
    _, out, _ = done("export", "--from", TODAY, "--to", TODAY, "--format", "csv")
    companies = {row["company"] for row in csv.DictReader(io.StringIO(out))}
    assert "'=cmd()" in companies
    assert "=cmd()" not in companies


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--to is before --from"),
        (["--from", "yesterday", "--to", "2026-03-01"], "yesterday"),
        (["--from", "2026-03-01", "--to", "2026-03-01", "--json"], "--output"),
    ],
)
def test_a_wrong_span_is_exit_2(site: Installation, arguments: list[str], words: str) -> None:
    code, out, err = site("export", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_an_export_that_cannot_be_written_is_exit_1(site: Installation) -> None:
    code, _, err = site("export", "--from", TODAY, "--to", TODAY, "--output", str(site.folder / "none" / "x.csv"))
    assert (code, "cannot be written" in err) == (1, True)

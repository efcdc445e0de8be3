"""Verdicts on vouchers over real processes: each shown in IFS once, whoever dies and whatever answer is lost."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import build_plain_world
from tests.acceptance.checks import assert_sound
from tests.acceptance.staging import Stage, staged, until
from tests.acceptance.test_crashes import LEASE_S, assert_every_moment_was_met, kill_at_every_moment, mapped, plans

pytestmark = pytest.mark.slow

#: More moments than the writing of one verdict has.
MOMENTS = 24
VOUCHERS = 3 * MOMENTS
FIELD = "Cf_Cin7CheckState"
KEY = ("Company", "AccountingYear", "VoucherType", "VoucherNo")


@pytest.fixture
def stage(own_folder: Path, ready_url: str, redis_url: str) -> Iterator[Stage]:
    with staged(
        own_folder,
        ready_url,
        redis_url,
        build_plain_world(0, 0, vouchers=VOUCHERS, voucher_rows=3),
        set_up=False,
        cin7={"calls_per_minute": 100_000, "read_timeout_s": 1},
        ifs={"requests_per_minute": 100_000, "settle_s": 0.3},
        policy={"lease_s": LEASE_S, "journal_verdict_field": FIELD},
        streams={"journals": {"every_s": 0.5}},
    ) as built:
        yield built


def shown(stage: Stage) -> dict[str, str]:
    """Return what every voucher shows of its verdict in IFS."""
    return {"/".join(str(row[name]) for name in KEY): row[FIELD] or "" for row in stage.ifs_rows("VoucherSet")}


def changes(stage: Stage) -> Counter[str]:
    """Return how often each voucher was changed through the API."""
    calls: list[Mapping[str, Any]] = stage.ifs.control("requests?path=VoucherSet")
    assert not [call for call in calls if call["method"] == "PATCH" and call["if_match"] in (None, "", "*")]
    return Counter(call["path"] for call in calls if call["method"] == "PATCH" and call["status"] == 200)


def named(key: str) -> dict[str, object]:
    company, year, kind, number = key.split("/")
    return {"Company": company, "AccountingYear": int(year), "VoucherType": kind, "VoucherNo": int(number)}


def test_a_writer_killed_at_any_moment_shows_every_verdict_once(stage: Stage) -> None:
    stage.start("mapper", "sweeper")
    stage.connector("poll", "journals")
    until(lambda: len(mapped(stage, "journals")) >= VOUCHERS)
    entries = sorted(mapped(stage, "journals").values())
    alone, together = entries[:MOMENTS], entries[MOMENTS:]
    died = kill_at_every_moment(stage, *plans("journals", alone))
    assert_every_moment_was_met(died, "PATCH", "GET http")
    died = kill_at_every_moment(stage, *plans("journals", together, 2))
    assert [moment for moment in died if "PATCH" in moment], "two are written side by side"
    time.sleep(LEASE_S)
    stage.start("writer")
    stage.wait(90)
    assert set(shown(stage).values()) == {"CfEnum_PASSED"}
    counts = changes(stage)
    assert (len(counts), set(counts.values())) == (VOUCHERS, {1})
    assert_sound(stage)


def test_no_answer_of_any_shape_loses_a_verdict_or_writes_over_an_edit(stage: Stage) -> None:
    """Carried out or not, refused for the rate or by a gateway, and people who edit the same vouchers meanwhile."""
    faults: list[dict[str, object]] = [
        {"kind": kind, "method": "PATCH", "path": "VoucherSet", "times": 3, "skip": 2 * place}
        for place, kind in enumerate(("drop_after", "drop_before", "502", "503", "timeout", "modified", "truncated"))
    ]
    keys = sorted(shown(stage))
    edited = keys[::6]
    faults += [
        {
            "kind": "edit",
            "method": "GET",
            "path": rf"VoucherSet\(.*VoucherNo={named(key)['VoucherNo']}\)",
            "edits": [{"set": "VoucherSet", "patch": [{**named(key), "VoucherText": "edited by hand"}]}],
        }
        for key in edited
    ]
    faults.append({"kind": "429", "retry_after": 1, "method": "PATCH", "path": "VoucherSet", "times": 2})
    stage.ifs.control("clock", {"advance_s": 5})
    stage.ifs.control("faults", faults)
    stage.start_all(writers=2)
    until(lambda: len(stage.rows("select 1 from entry where state = 'written'")) >= VOUCHERS, timeout_s=120)
    stage.wait(60)
    assert stage.ifs.control("faults") == [], "every fault was met"
    assert set(shown(stage).values()) == {"CfEnum_PASSED"}
    texts = {"/".join(str(row[name]) for name in KEY): row["VoucherText"] for row in stage.ifs_rows("VoucherSet")}
    assert [key for key, text in texts.items() if text == "edited by hand"] == edited
    changes(stage)
    assert_sound(stage)


def test_verdicts_follow_corrections_repairs_and_postings_by_themselves(stage: Stage) -> None:
    keys = sorted(shown(stage))
    wrong, repaired, posted = keys[:3], keys[3:6], keys[6:9]
    stage.ifs.control(
        "rows",
        {
            "set": "VoucherRowSet",
            "patch": [{**named(key), "RowNo": 1, "Account": "9999"} for key in (*wrong, *repaired, *posted)],
        },
    )
    stage.start_all()
    until(lambda: len(stage.ask("holds")) == 9)
    assert {shown(stage)[key] for key in (*wrong, *repaired, *posted)} == {"CfEnum_FAILED"}
    stage.ifs.control("clock", {"advance_s": 5})
    stage.ifs.control(
        "rows",
        [
            {"set": "VoucherRowSet", "patch": [{**named(key), "RowNo": 1, "Account": "4010"} for key in wrong]},
            {"set": "VoucherSet", "patch": [{**named(key), "VoucherUpdated": True} for key in posted]},
        ],
    )
    until(lambda: len(stage.ask("holds")) == 3)
    assert {hold["key"] for hold in stage.ask("holds")} == set(repaired)
    (stage.folder / "more.csv").write_text("company,ifs_account,cin7_code\n10,9999,5010\n")
    stage.connector("mappings", "import", "accounts", str(stage.folder / "more.csv"))
    until(lambda: not stage.ask("holds"))
    stage.wait(60)
    there = shown(stage)
    assert {there[key] for key in posted} == {"CfEnum_FAILED"}
    assert {there[key] for key in keys if key not in posted} == {"CfEnum_PASSED"}
    assert {poll["error"] for poll in stage.ask("polls", "--flow", "journals")} == {""}
    states = dict(stage.rows("select key, state from entry where key = any(%s)", [posted]))
    assert set(states.values()) == {"superseded"}

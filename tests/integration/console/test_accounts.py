"""`connector accounts` on real servers and both stand-ins: what differs, what it holds up, that nothing is written."""

from typing import Any

import pytest

from tests.integration.console.installation import Installation
from tests.integration.console.test_documented_shapes import keys
from tests.unit.console.documented import examples, sections


def row(rows: list[dict[str, Any]], account: str, company: str = "10") -> dict[str, Any]:
    (found,) = [one for one in rows if (one["company"], one["account"]) == (company, account)]
    return found


def main_account(site: Installation) -> str:
    return str(site.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"])


@pytest.fixture(name="held")
def held_fixture(site: Installation) -> Installation:
    """Four orders are held for account 9999."""
    assert site("poll")[0] == 0
    site.work()
    return site


def test_every_difference_is_listed_worst_first_with_the_documents_it_holds_up(held: Installation) -> None:
    rows = held.json("accounts", "--company", "10", code=3)
    assert rows[0] == {
        "company": "10",
        "account": "9999",
        "cin7_account": "main",
        "cin7_code": "9999",
        "ifs_name": "Clearing of projects",
        "cin7_name": "",
        "finding": "missing",
        "documents": 4,
    }
    archived = row(rows, "6990")
    assert (archived["finding"], archived["documents"]) == ("archived", 0)
    mapped = row(rows, "40-10")
    assert (mapped["cin7_code"], mapped["finding"]) == ("4011", "ok")
    assert keys(rows) == keys(examples(sections()["accounts"][1])[0])


def test_accounts_that_no_document_can_use_are_left_out(held: Installation) -> None:
    listed = {one["account"] for one in held.json("accounts", "--company", "10", code=3)}
    assert listed.isdisjoint({"2440", "5020", "ST100"})  # A ledger account, an expired one, a statistical one.


def test_an_account_of_another_name_is_shown_with_both_names(site: Installation) -> None:
    site.edit("AccountSet", patch=[{"Company": "10", "Account": "5410", "Description": "  CONSUMABLES "}])
    assert row(site.json("accounts", "--company", "10", code=3), "5410")["finding"] == "ok"
    site.worker.ledger.rows("update reference set read_at = now() - interval '2 minutes' returning kind")
    site.edit("AccountSet", patch=[{"Company": "10", "Account": "5410", "Description": "Tools"}])
    found = row(site.json("accounts", "--company", "10", code=3), "5410")
    assert (found["finding"], found["ifs_name"], found["cin7_name"]) == ("named differently", "Tools", "Consumables")
    code, out, _ = site("accounts", "--company", "10")
    assert (code, "named differently" in out, "accounts align." in out) == (3, True, True)


def test_nothing_is_written_and_the_charts_are_read_at_most_once_a_minute(held: Installation) -> None:
    written = held.writes()
    assert held("accounts", "--company", "10")[0] == 3
    calls = held.cin7_calls()
    assert held("accounts", "--company", "10")[0] == 3
    assert (held.cin7_calls(), held.writes()) == (calls, written)
    held.worker.ledger.rows("update reference set read_at = now() - interval '2 minutes' returning kind")
    assert held("accounts", "--company", "10")[0] == 3
    assert held.cin7_calls() > calls


def test_one_company_is_asked_for_in_ifs_with_its_code_and_nothing_else(site: Installation) -> None:
    rows = site.json("accounts", "--company", "10", code=3)
    assert {one["company"] for one in rows} == {"10"}
    asked = [call["query"] for call in site.ifs.tenant.requests.report(path="AccountSet")]
    assert asked
    assert all("Company eq '10'" in query["$filter"] for query in asked)


def test_a_company_that_is_not_mapped_is_a_usage_error_with_a_hint(site: Installation) -> None:
    code, _, err = site("accounts", "--company", "100")
    assert (code, "did you mean '10'?" in err) == (2, True)


def test_a_company_that_ifs_does_not_show_is_no_alignment(site: Installation) -> None:
    code, out, err = site("accounts")
    assert code == 1
    assert "IFS shows no account of company 20" in err
    assert "9999" in out  # The other company is reported all the same.


def test_a_code_that_no_ifs_account_becomes_is_listed_too(held: Installation) -> None:
    held.edit("AccountSet", delete=[{"Company": "10", "Account": "9999"}])
    (found,) = [one for one in held.json("accounts", "--company", "10", code=3) if one["documents"]]
    assert (found["account"], found["cin7_code"], found["finding"], found["documents"]) == ("", "9999", "missing", 4)


def test_a_repaired_chart_is_seen_at_once_and_aligned(held: Installation) -> None:
    before = held.json("accounts", "--company", "10", code=3)
    held.worker.ledger.rows("update reference set read_at = now() - interval '2 minutes' returning kind")
    added = {"Code": "9999", "Name": "Clearing of projects"}
    held.cin7.control("POST", "accounts", {"account": main_account(held), "row": added})
    assert row(before, "9999")["finding"] == "missing"
    after = row(held.json("accounts", "--company", "10", code=3), "9999")
    assert (after["finding"], after["documents"]) == ("ok", 4)

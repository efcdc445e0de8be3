"""Existing vendors: proposed with evidence, linked or created by a person, on record, never twice."""

from typing import Any

import pytest

from tests.integration.console.installation import Installation


def vendor(site: Installation, **fields: str) -> str:
    """Key a vendor into Cin7 by hand; return its id."""
    row = {"Currency": "SEK", "PaymentTerm": "30 days", "AccountPayable": "2440", "TaxRule": "Purchases 25%",
           "Status": "Active", "TaxNumber": "", **fields}  # fmt: skip
    return str(site.cin7.control("POST", "suppliers", {"account": account(site), "supplier": row})["ID"])


def account(site: Installation) -> str:
    return str(site.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"])


def vendors(site: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.cin7.control("GET", "state", account=account(site))["accounts"][0]["suppliers"]
    return found


def held_codes(site: Installation) -> dict[str, str]:
    return {hold["key"]: hold["findings"][0]["code"] for hold in site.json("holds", "--flow", "suppliers")}


@pytest.fixture(name="populated")
def populated_fixture(site: Installation) -> tuple[Installation, dict[str, str]]:
    """Cin7 has S000000 for certain (name and tax number) and a namesake of S000001; all suppliers are pulled."""
    ids = {
        "S000000": vendor(site, Name="PLAIN  Supplier 0 AB", TaxNumber="SE00000001"),
        "S000001": vendor(site, Name="Plain Supplier 1 AB"),
    }
    site("poll", "suppliers")
    return site, ids


def test_a_match_proposes_with_evidence_and_changes_nothing(populated: tuple[Installation, dict[str, str]]) -> None:
    site, ids = populated
    found = site.json("suppliers", "match")
    assert [(one["ifs_key"], one["kind"], one["candidates"][0]["supplier_id"]) for one in found["proposals"]] == [
        ("S000000", "exact", ids["S000000"]),
        ("S000001", "possible", ids["S000001"]),
    ]
    assert found["proposals"][0]["candidates"][0]["evidence"] == ["name", "tax number"]
    assert (found["new"], found["held"], found["linked"], found["replayed"]) == (1, 0, [], [])
    assert (site.json("links"), site.writes()) == ([], [])
    code, out, _ = site("suppliers", "match")
    assert (code, "name, tax number" in out) == (0, True)


def test_accepting_links_what_is_certain_and_nothing_else(populated: tuple[Installation, dict[str, str]]) -> None:
    site, ids = populated
    found = site.json("suppliers", "match", "--accept", "exact")
    assert found["linked"] == [{"ifs_key": "S000000", "cin7_account": "main", "cin7_id": ids["S000000"]}]
    links = site.json("links")
    assert [(link["ifs_key"], link["cin7_id"], link["origin"]) for link in links] == [
        ("S000000", ids["S000000"], "accepted")
    ]
    story = site.json("ledger", "show", "suppliers", "S000000")["entries"][0]["events"]
    assert "accepted by" in story[-1]["why"]
    assert story[-1]["actor"].startswith("operator ")
    assert site.json("suppliers", "match", "--accept", "exact")["linked"] == []


@pytest.fixture(name="twins")
def twins_fixture(site: Installation) -> Installation:
    """Two suppliers of IFS have the name and tax number of one vendor."""
    vendor(site, Name="Twin AB", TaxNumber="SE77")
    for key in ("S000000", "S000001"):
        site.edit("SupplierInfoGeneralSet", patch=[{"SupplierId": key, "Name": "Twin AB"}])
        named = {"SupplierId": key, "AddressId": "1", "Company": "10"}
        site.edit("SupplierDocumentTaxInfoSet", patch=[{**named, "VatNo": "SE77"}])
    site("poll", "suppliers")
    return site


def test_a_vendor_that_two_suppliers_claim_needs_a_person(twins: Installation) -> None:
    found = twins.json("suppliers", "match", "--accept", "exact")
    assert [one["kind"] for one in found["proposals"]] == ["possible", "possible"]
    assert (found["linked"], twins.json("links")) == ([], [])


def test_of_two_that_claim_a_vendor_the_writer_links_one_and_holds_the_other(twins: Installation) -> None:
    twins.work()
    assert held_codes(twins)["S000001"] == "supplier.possible-duplicate"
    assert len([row for row in vendors(twins) if row["Name"] == "Twin AB"]) == 1


def test_a_held_namesake_is_linked_by_a_person_and_goes_on(populated: tuple[Installation, dict[str, str]]) -> None:
    site, ids = populated
    site.work()
    assert held_codes(site)["S000001"] == "supplier.possible-duplicate"
    linked = site.json("suppliers", "link", "S000001", ids["S000001"].upper(), "--account", "main")
    assert (linked["cin7_id"], linked["linked"], len(linked["replayed"])) == (ids["S000001"], True, 1)
    link = site.json("links", "S000001")[0]
    assert (link["origin"], link["verified"]) == ("person", False)
    site.work()
    assert held_codes(site).get("S000001") != "supplier.possible-duplicate"
    assert len([row for row in vendors(site) if row["Name"] == "Plain Supplier 1 AB"]) == 1
    again = site.json("suppliers", "link", "S000001", ids["S000001"], "--account", "main")
    assert again["linked"] is False


def test_neither_side_may_be_linked_otherwise(populated: tuple[Installation, dict[str, str]]) -> None:
    site, ids = populated
    site.work()
    taken = site.json("links", "S000002")[0]["cin7_id"]
    code, _, err = site("suppliers", "link", "S000001", taken, "--account", "main")
    assert (code, "linked to supplier S000002 already" in err) == (1, True)
    code, _, err = site("suppliers", "link", "S000002", ids["S000001"], "--account", "main")
    assert (code, "already, which is there" in err) == (1, True)
    assert len(site.json("links", "S000002")) == 1


def test_what_cannot_be_linked_is_said_in_a_sentence(site: Installation) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    site("poll", "suppliers")
    code, _, err = site("suppliers", "link", "S000001", nobody, "--account", "main")
    assert (code, f"Cin7 account main has no supplier {nobody}" in err) == (1, True)
    assert site("suppliers", "link", "S000001", "not-an-id")[0] == 2
    code, _, err = site("suppliers", "link", "S000001", nobody, "--account", "mian")
    assert (code, "did you mean 'main'?" in err) == (2, True)
    code, _, err = site("suppliers", "link", "stranger", vendor(site, Name="Somebody"), "--account", "main")
    assert (code, "never seen supplier stranger" in err) == (1, True)
    code, _, err = site("suppliers", "create", "S000001")
    assert (code, "not held as a possible duplicate" in err) == (1, True)


def test_a_supplier_that_is_being_written_is_not_linked_meanwhile(
    populated: tuple[Installation, dict[str, str]],
) -> None:
    site, ids = populated
    site.worker.ledger.rows(
        "update record set lease_until = now() + interval '1 minute' where key = 'S000001' returning key"
    )
    code, _, err = site("suppliers", "link", "S000001", ids["S000001"], "--account", "main")
    assert (code, "being written to Cin7 right now" in err) == (1, True)
    assert site.json("links") == []


def test_a_lookalike_is_created_once_a_person_says_so(site: Installation) -> None:
    vendor(site, Name="Plain Suplier 1 AB")
    site("poll", "suppliers")
    site.work()
    assert held_codes(site) == {"S000001": "supplier.possible-duplicate"}
    created = site.json("suppliers", "create", "S000001")
    assert len(created["replayed"]) == 1
    site.work()
    assert held_codes(site) == {}
    names = [row["Name"] for row in vendors(site) if "1 AB" in row["Name"]]
    assert sorted(names) == ["Plain Suplier 1 AB", "Plain Supplier 1 AB"]
    events = site.json("ledger", "show", "suppliers", "S000001")["entries"][0]["events"]
    assert any("decided by" in event["why"] and "resemble" in event["why"] for event in events)


def test_the_account_goes_without_saying_where_there_is_one_for_the_supplier(
    populated: tuple[Installation, dict[str, str]],
) -> None:
    site, ids = populated
    assert site.json("suppliers", "link", "S000000", ids["S000000"])["cin7_account"] == "main"

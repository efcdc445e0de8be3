"""What people settle about vendors: scored proposals, links taken away, pairs ignored and taken back, and doubles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import build_plain_world
from tests.integration.console.installation import Installation, installed
from tests.integration.console.test_suppliers import (
    account,
    held_codes,
    populated_fixture,
    vendor,
    vendors,
)

__all__ = ["populated_fixture"]

Populated = tuple[Installation, dict[str, str]]


def events(site: Installation, key: str) -> list[dict[str, Any]]:
    story = site.json("ledger", "show", "suppliers", key)
    return [event for entry in story["entries"] for event in entry["events"]]


def test_proposals_have_scores_and_the_certain_ones_come_first(populated: Populated) -> None:
    site, _ = populated
    found = site.json("suppliers", "match")
    first, second = found["proposals"]
    assert (first["kind"], second["kind"]) == ("exact", "possible")
    assert 1 > first["score"] >= 0.95 > second["score"] > 0
    assert first["candidates"][0]["score"] == first["score"]
    assert second["candidates"][0]["against"] == []
    code, out, _ = site("suppliers", "match")
    assert (code, "for it" in out, f"{first['score']:.2f}" in out) == (0, True, True)


def test_country_and_mail_domain_speak_for_a_vendor_and_another_tax_number_against(site: Installation) -> None:
    site.edit("CommMethodSet", upsert=[
        {"PartyType": "Supplier", "Identity": "S000001", "CommId": 7, "AddressId": "1", "MethodId": "E_MAIL",
         "Value": "info@plain.example"}
    ])  # fmt: skip
    vendor(
        site,
        Name="Plain Supplier 1 AB",
        TaxNumber="SE99999999",
        Addresses=[{"Line1": "x", "Country": "Sweden", "Type": "Billing"}],  # type: ignore[arg-type]
        Contacts=[{"Name": "Jo", "Email": "jo@plain.example"}],  # type: ignore[arg-type]
    )
    site("poll", "suppliers")
    (proposal,) = site.json("suppliers", "match")["proposals"]
    (candidate,) = proposal["candidates"]
    assert candidate["evidence"] == ["name", "e-mail domain", "country"]
    assert candidate["against"] == ["another tax number"]


def test_an_ignored_vendor_is_not_proposed_again_and_the_supplier_goes_on(populated: Populated) -> None:
    site, ids = populated
    site.work()
    assert held_codes(site)["S000001"] == "supplier.possible-duplicate"
    vendor_id = ids["S000001"]
    site.cin7.control("POST", "suppliers", {
        "account": account(site), "supplier": {"ID": vendor_id, "Name": "Plain Supplier 1 of Lund AB"},
    })  # fmt: skip
    done = site.json("suppliers", "ignore", "S000001", vendor_id.upper(), "--reason", "the shop in Lund")
    assert (done["ignored"], len(done["replayed"]), done["one"]) == (True, 1, f"cin7/{vendor_id}")
    found = site.json("suppliers", "match")
    assert [one["ifs_key"] for one in found["proposals"]] == []
    assert [(one["other"], "the shop in Lund" in one["why"]) for one in found["ignored"]] == [("ifs/S000001", True)]
    said = events(site, "S000001")
    assert any("the shop in Lund" in event["why"] and event["actor"].startswith("operator ") for event in said)
    site.work()
    assert held_codes(site) == {}
    assert sum(1 for row in vendors(site) if row["Name"].startswith("Plain Supplier 1 ")) == 2
    assert "1 pairs are ignored" in site("suppliers", "match")[1]


def test_what_was_ignored_can_be_proposed_again(populated: Populated) -> None:
    site, ids = populated
    pair = ("S000001", ids["S000001"])
    site.json("suppliers", "ignore", *pair, "--reason", "no")
    assert len(site.json("suppliers", "match")["proposals"]) == 1
    back = site.json("suppliers", "ignore", *reversed(pair), "--undo", "--reason", "it is")
    assert (back["ignored"], back["replayed"]) == (False, [])
    assert len(site.json("suppliers", "match")["proposals"]) == 2
    assert site.json("suppliers", "match")["ignored"] == []
    code, _, err = site("suppliers", "ignore", *pair, "--undo", "--reason", "again")
    assert (code, "not ignored" in err) == (1, True)


def test_a_certain_vendor_that_a_person_ignored_is_linked_neither_at_once_nor_by_the_writer(
    populated: Populated,
) -> None:
    site, ids = populated
    renamed = {"ID": ids["S000000"], "Name": "Plain Supplier 0 AB"}
    site.cin7.control("POST", "suppliers", {"account": account(site), "supplier": renamed})
    site.json("suppliers", "ignore", "S000000", ids["S000000"], "--reason", "they split in 2019")
    assert site.json("suppliers", "match", "--accept", "exact")["linked"] == []
    site.work()
    # Cin7 refuses a second vendor of that name, so nothing is created either: a person renames one of them.
    assert held_codes(site)["S000000"] == "supplier.possible-duplicate"
    assert site.json("links", "S000000") == []


def test_a_link_of_a_person_overrides_what_was_ignored(populated: Populated) -> None:
    site, ids = populated
    site.json("suppliers", "ignore", "S000001", ids["S000001"], "--reason", "no")
    linked = site.json("suppliers", "link", "S000001", ids["S000001"], "--reason", "yes after all")
    assert linked["linked"] is True
    assert site.json("suppliers", "match")["ignored"] == []
    assert any("yes after all" in event["why"] for event in events(site, "S000001"))


def test_a_link_that_was_taken_away_is_not_made_again_by_itself(populated: Populated) -> None:
    site, ids = populated
    site.json("suppliers", "match", "--accept", "exact")
    site.work()
    gone = site.json("suppliers", "unlink", "S000000", "--reason", "another company")
    assert (gone["cin7_id"], gone["cin7_account"]) == (ids["S000000"], "main")
    assert site.json("links", "S000000") == []
    assert any("taken away" in event["why"] and "another company" in event["why"] for event in events(site, "S000000"))
    assert [one["ifs_key"] for one in site.json("suppliers", "match")["proposals"]] == ["S000001"]
    site.edit("SupplierInfoGeneralSet", patch=[{"SupplierId": "S000000", "Name": "Plain Supplier 0 Sverige AB"}])
    site("poll", "suppliers")
    site.work()
    links = site.json("links", "S000000")
    assert [link["cin7_id"] == ids["S000000"] for link in links] == [False]
    code, _, err = site("suppliers", "unlink", "S000002", "--reason", "x", "--account", "mian")
    assert (code, "did you mean" in err) == (2, True)


def test_what_the_connector_created_is_not_created_a_second_time_after_an_unlinking(site: Installation) -> None:
    site("poll", "suppliers")
    site.work()
    (made,) = site.json("links", "S000002")
    assert made["origin"] == "created"
    site.json("suppliers", "unlink", "S000002", "--reason", "a test record")
    site.edit("SupplierInfoGeneralSet", patch=[{"SupplierId": "S000002", "Name": "Plain Supplier 2 Norden AB"}])
    before = len(vendors(site))
    site("poll", "suppliers")
    site.work()
    assert held_codes(site) == {"S000002": "supplier.possible-duplicate"}
    assert len(vendors(site)) == before
    linked = site.json("suppliers", "link", "S000002", made["cin7_id"])
    assert (linked["linked"], len(linked["replayed"])) == (True, 1)
    site.work()
    assert held_codes(site).get("S000002") in {None, "supplier.conflict"}
    assert len(vendors(site)) == before


def test_what_cannot_be_unlinked_or_ignored_is_said_in_a_sentence(populated: Populated) -> None:
    site, ids = populated
    code, _, err = site("suppliers", "unlink", "S000000", "--reason", "x")
    assert (code, "not linked anywhere" in err) == (1, True)
    code, _, err = site("suppliers", "unlink", "S000000", "--account", "main", "--reason", "x")
    assert (code, "not linked in main" in err) == (1, True)
    assert site("suppliers", "unlink", "S000000")[0] == 2
    site.json("suppliers", "match", "--accept", "exact")
    code, _, err = site("suppliers", "ignore", "S000000", ids["S000000"], "--reason", "x")
    assert (code, "suppliers unlink S000000" in err) == (1, True)
    assert site("suppliers", "ignore", "S000000", "S000000", "--reason", "x")[0] == 2
    site.worker.ledger.rows(
        "update record set lease_until = now() + interval '1 minute' where key = 'S000000' returning key"
    )
    code, _, err = site("suppliers", "unlink", "S000000", "--reason", "x")
    assert (code, "being written" in err) == (1, True)


@pytest.fixture(name="doubles")
def doubles_fixture(site: Installation) -> Installation:
    """Cin7 has one company twice, and a third time deprecated; IFS has another one twice."""
    vendor(site, Name="Bolt & Co", TaxNumber="SE1")
    vendor(site, Name="Bolt och Co", TaxNumber="SE1")
    vendor(site, Name="Bolt Company old", TaxNumber="SE1", Status="Deprecated")
    site.edit("SupplierInfoGeneralSet", patch=[{"SupplierId": "S000001", "Name": "Plain Supplier 0 AB"}])
    named = {"SupplierId": "S000001", "AddressId": "1", "Company": "10"}
    site.edit("SupplierDocumentTaxInfoSet", patch=[{**named, "VatNo": "SE00000001"}])
    site("poll", "suppliers")
    return site


def test_vendors_doubled_within_one_system_are_listed_and_can_be_ignored(doubles: Installation) -> None:
    found = doubles.json("suppliers", "match")["doubled"]
    told = {(one["system"], one["account"]): one for one in found}
    assert set(told) == {("cin7", "main"), ("ifs", "")}
    assert sorted(told["cin7", "main"]["names"]) == ["Bolt & Co", "Bolt och Co"]
    assert told["cin7", "main"]["evidence"][0] == "tax number"
    assert told["ifs", ""]["keys"] == ["S000000", "S000001"]
    assert "Held twice" in doubles("suppliers", "match")[1]
    for one in found:
        more = ("--account", one["account"]) if one["account"] else ()
        assert doubles("suppliers", "ignore", *one["keys"], *more, "--reason", "two shops")[0] == 0
    assert doubles.json("suppliers", "match")["doubled"] == []
    doubles.json("suppliers", "ignore", "S000001", "S000000", "--undo", "--reason", "one shop")
    assert [one["system"] for one in doubles.json("suppliers", "match")["doubled"]] == ["ifs"]


@pytest.fixture(name="creating")
def creating_fixture(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    """Suppliers that are new in Cin7 are to be created in IFS; those that IFS has are linked already."""
    policy = {"cin7_supplier_unknown": "create"}
    world = build_plain_world(3, 0)
    with installed(tmp_path, database_url, redis_url, world, capsys, monkeypatch, policy=policy) as one:
        one("poll", "suppliers")
        one.work()
        one("poll", "cin7_suppliers")
        one.work()
        yield one


def test_a_new_vendor_that_a_person_tells_apart_is_not_held_for_that_supplier_again(creating: Installation) -> None:
    new = vendor(creating, Name="Plain Suplier 1 AB", AdditionalAttribute1="V900", AttributeSet="ERP link")
    creating("poll", "cin7_suppliers")
    creating.work()
    (held,) = creating.json("holds", "--flow", "cin7_suppliers")
    assert held["findings"][0]["code"] == "supplier.possible-duplicate"
    assert "S000001" in held["findings"][0]["message"]
    done = creating.json("suppliers", "ignore", "S000001", new, "--reason", "a shop next door")
    assert done["replayed"] == [held["id"]]
    creating.work()
    assert not [
        finding for hold in creating.json("holds") for finding in hold["findings"] if "S000001" in finding["message"]
    ]
    assert [link["cin7_id"] for link in creating.json("links", "V900")] == [new]

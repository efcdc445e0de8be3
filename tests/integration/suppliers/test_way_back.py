"""A change in Cin7 reaches IFS, comes back as an echo, and stops there."""

from typing import Any

import pytest
import redis

from tests.integration.suppliers.pair import Pair


def settled(pair: Pair) -> dict[str, Any]:
    """Bring S1 to Cin7, and let its echoes end; return it as Cin7 holds it."""
    pair.quiet()
    pair.writes()
    return pair.in_cin7(AdditionalAttribute1="S1")


def test_what_we_wrote_comes_back_from_cin7_as_an_echo_and_stops(pair: Pair) -> None:
    settled(pair)
    assert (pair.states("suppliers"), pair.states()) == (["written"], ["echo"])
    pair.quiet()
    assert pair.writes() == []


def test_a_change_in_cin7_reaches_ifs_and_comes_back_as_an_echo(pair: Pair) -> None:
    supplier = settled(pair)
    pair.edit_cin7(ID=supplier["ID"], Name="Acme Holdings", PaymentTerm="60 days")
    pair.quiet()
    assert pair.in_ifs("SupplierInfoGeneralSet", SupplierId="S1")[0]["Name"] == "Acme Holdings"
    assert pair.in_ifs("IdentityInvoiceInfoSet", Identity="S1")[0]["PayTermId"] == "60"
    assert pair.writes() == [("PATCH", "SupplierInfoGeneralSet"), ("PATCH", "IdentityInvoiceInfoSet")]
    assert pair.states() == ["echo", "written"]
    assert pair.states("suppliers") == ["written", "echo"]


def test_changes_of_both_sides_to_different_fields_meet(pair: Pair) -> None:
    supplier = settled(pair)
    pair.edit_cin7(ID=supplier["ID"], PaymentTerm="60 days")
    pair.edit_ifs("SupplierInfoGeneralSet", SupplierId="S1", Name="Acme Group")
    pair.quiet()
    after = pair.in_cin7(AdditionalAttribute1="S1")
    assert (after["Name"], after["PaymentTerm"]) == ("Acme Group", "60 days")
    assert pair.in_ifs("SupplierInfoGeneralSet", SupplierId="S1")[0]["Name"] == "Acme Group"
    assert pair.in_ifs("IdentityInvoiceInfoSet", Identity="S1")[0]["PayTermId"] == "60"
    assert pair.findings() == []


def test_a_conflict_is_held_once_and_nothing_is_written(pair: Pair) -> None:
    supplier = settled(pair)
    pair.edit_cin7(ID=supplier["ID"], Name="From Cin7")
    pair.edit_ifs("SupplierInfoGeneralSet", SupplierId="S1", Name="From IFS")
    pair.quiet()
    assert [one[1:] for one in pair.findings()] == [("supplier.conflict", "name")]
    assert pair.writes() == []


@pytest.mark.parametrize(("side", "name"), [("ifs", "From IFS"), ("cin7", "From Cin7")])
def test_the_settings_may_settle_a_conflict(database_url: str, client: redis.Redis, side: str, name: str) -> None:
    pair = Pair(database_url, client, policy={"supplier_conflict": side})
    supplier = settled(pair)
    pair.edit_cin7(ID=supplier["ID"], Name="From Cin7")
    pair.edit_ifs("SupplierInfoGeneralSet", SupplierId="S1", Name="From IFS")
    pair.quiet()
    assert pair.in_cin7(AdditionalAttribute1="S1")["Name"] == name
    assert pair.in_ifs("SupplierInfoGeneralSet", SupplierId="S1")[0]["Name"] == name
    assert pair.findings() == []
    pair.close()

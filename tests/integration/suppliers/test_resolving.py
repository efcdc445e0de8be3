"""A person settles what the connector may not: one side is right, by name and on record."""

from typing import Any

import pytest
import redis

from console.resolving import Resolved, resolve
from shared.errors import ConnectorError
from tests.integration.suppliers.pair import Pair
from tests.integration.suppliers.test_creating import BALTIC, whole
from workers.writing.merging import Take

HEADERS = "SupplierInfoGeneralSet"


def settle(pair: Pair, take: Take, field: str = "", *, entry: int = 0) -> Resolved:
    (only,) = [entry] if entry else pair.held()
    return resolve(pair.parts, only, take, field, person="ann")


def conflicted(pair: Pair) -> dict[str, Any]:
    """Let both sides change the name, the number and the phone differently."""
    pair.quiet()
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    jo = supplier["Contacts"][0]
    pair.edit_cin7(ID=supplier["ID"], Name="Cin7", TaxNumber="C", Contacts=[{"ID": jo["ID"], "Phone": "7"}])
    pair.edit_ifs(HEADERS, SupplierId="S1", Name="IFS", AssociationNo="I")
    pair.edit_ifs("CommMethodSet", PartyType="Supplier", Identity="S1", CommId=1, Value="4")
    pair.quiet()
    return supplier


def both(pair: Pair) -> dict[str, tuple[str, str]]:
    """Return what each side holds, IFS's first."""
    (header,) = pair.in_ifs(HEADERS, SupplierId="S1")
    (phone,) = pair.in_ifs("CommMethodSet", CommId=1)
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    return {
        "name": (header["Name"], supplier["Name"]),
        "tax_number": (header["AssociationNo"], supplier["TaxNumber"]),
        "phone": (phone["Value"], supplier["Contacts"][0]["Phone"]),
    }


def test_every_conflict_shows_the_three_values_once(pair: Pair) -> None:
    conflicted(pair)
    assert sorted(one[1:] for one in pair.findings()) == [
        ("supplier.conflict", "contacts Jo phone"),
        ("supplier.conflict", "name"),
        ("supplier.conflict", "tax_number"),
    ]
    rows = pair.rows("select field, before, ifs, cin7 from finding where open order by field")
    assert rows == [
        ("contacts Jo phone", "1", "4", "7"),
        ("name", "Acme S1", "IFS", "Cin7"),
        ("tax_number", "AN-S1", "I", "C"),
    ]


@pytest.mark.parametrize(("take", "values"), [("ifs", ("IFS", "I", "4")), ("cin7", ("Cin7", "C", "7"))])
def test_taking_one_side_brings_it_to_the_other(pair: Pair, take: Take, values: tuple[str, ...]) -> None:
    conflicted(pair)
    done = settle(pair, take)
    assert sorted(done.fields["main"]) == ["contacts Jo phone", "name", "tax_number"]
    pair.quiet()
    assert list(both(pair).values()) == [(value, value) for value in values]
    assert pair.findings() == []
    (why,) = pair.rows("select why from event where why like 'ann takes %'")
    assert why[0].startswith(f"ann takes {take} for main: ")


def test_field_by_field_each_goes_its_own_way(pair: Pair) -> None:
    conflicted(pair)
    settle(pair, "ifs", "name")
    pair.quiet()
    assert sorted(one[2] for one in pair.findings()) == ["contacts Jo phone", "tax_number"]
    settle(pair, "cin7", "contacts")
    pair.quiet()
    settle(pair, "cin7", "tax_number")
    pair.quiet()
    assert both(pair) == {"name": ("IFS", "IFS"), "tax_number": ("C", "C"), "phone": ("7", "7")}
    assert pair.findings() == []


def test_a_change_after_the_decision_is_a_conflict_again(pair: Pair) -> None:
    conflicted(pair)
    settle(pair, "ifs")
    pair.edit_cin7(ID=pair.in_cin7(AdditionalAttribute1="S1")["ID"], Name="Cin7 once more")
    pair.quiet()
    assert pair.findings() != []
    assert {one[2] for one in pair.findings()} == {"name"}


def test_a_change_before_the_decision_is_not_overwritten_by_it(pair: Pair) -> None:
    conflicted(pair)
    pair.edit_ifs(HEADERS, SupplierId="S1", Name="IFS later")
    settle(pair, "cin7")
    pair.quiet()
    assert {one[2] for one in pair.findings()} == {"name"}
    assert both(pair)["name"] == ("IFS later", "Cin7")


def test_what_ifs_cannot_hold_may_be_put_back(pair: Pair) -> None:
    pair.quiet()
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    pair.cin7.control("POST", "terms", {"rows": [{"Name": "Net 7"}]})
    pair.edit_cin7(ID=supplier["ID"], PaymentTerm="Net 7")
    pair.quiet()
    assert pair.findings() == [("cin7_suppliers", "term.unmapped", "PaymentTerm")]
    settle(pair, "ifs")
    pair.quiet()
    assert pair.in_cin7(AdditionalAttribute1="S1")["PaymentTerm"] == "30 days"
    assert pair.findings() == []


@pytest.mark.parametrize(("take", "status"), [("cin7", "Deprecated"), ("ifs", "Active")])
def test_a_deprecation_that_ifs_has_no_field_for_is_noted_or_undone(pair: Pair, take: Take, status: str) -> None:
    pair.quiet()
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    pair.edit_cin7(ID=supplier["ID"], Status="Deprecated")
    pair.quiet()
    assert pair.findings() == [("cin7_suppliers", "supplier.conflict", "status")]
    settle(pair, take)
    pair.quiet()
    assert (pair.in_cin7(AdditionalAttribute1="S1")["Status"], pair.findings()) == (status, [])
    pair.edit_ifs(HEADERS, SupplierId="S1", Name="Later")
    pair.edit_cin7(ID=supplier["ID"], TaxNumber="9")
    pair.quiet()
    after = pair.in_cin7(AdditionalAttribute1="S1")
    assert (after["Name"], after["Status"], pair.findings()) == ("Later", status, [])


def test_an_unknown_supplier_may_be_created_by_a_persons_word(database_url: str, client: redis.Redis) -> None:
    pair = Pair(database_url, client)
    pair.quiet()
    pair.edit_cin7(**BALTIC)
    pair.quiet()
    with pytest.raises(ConnectorError, match="dismiss"):
        settle(pair, "ifs")
    settle(pair, "cin7")
    pair.quiet()
    whole(pair, "S900")
    pair.close()


def test_a_lookalike_may_be_created_by_a_persons_word(database_url: str, client: redis.Redis) -> None:
    pair = Pair(database_url, client, policy={"cin7_supplier_unknown": "create"})
    pair.quiet()
    pair.edit_cin7(**{**BALTIC, "TaxNumber": "AN-S1"})
    pair.quiet()
    assert pair.findings() == [("cin7_suppliers", "supplier.possible-duplicate", "Name")]
    settle(pair, "cin7")
    pair.quiet()
    assert len(pair.in_ifs(HEADERS, Name="Baltic Timber OU")) == 1
    pair.close()


def test_only_what_is_held_can_be_settled(pair: Pair) -> None:
    pair.quiet()
    (entry,) = pair.rows("select id from entry where flow = 'suppliers'")
    with pytest.raises(ConnectorError, match="is not held"):
        settle(pair, "ifs", entry=entry[0])
    conflicted(pair)
    with pytest.raises(ConnectorError, match="not held for currency"):
        settle(pair, "ifs", "currency")

"""Renamed onto a name that exists, names swapped, deprecated, blocked, expired, revived: each ends right or held."""

from typing import Any

import pytest
import redis

from tests.integration.suppliers.pair import Pair, ifs_rows
from tests.integration.suppliers.test_creating import BALTIC
from tests.integration.suppliers.wires import Killed, Trouble

HEADERS = "SupplierInfoGeneralSet"


@pytest.fixture
def three(database_url: str, client: redis.Redis) -> Any:  # noqa: ANN401 - a generator.
    pair = Pair(database_url, client, numbers=("S1", "S2", "S3"))
    pair.quiet()
    pair.writes()
    yield pair
    pair.close()


def names(pair: Pair) -> dict[str, tuple[str, str]]:
    """Return each supplier's name in IFS and in Cin7, by number."""
    headers = {row["SupplierId"]: row["Name"] for row in pair.in_ifs(HEADERS)}
    return {number: (name, pair.in_cin7(AdditionalAttribute1=number)["Name"]) for number, name in headers.items()}


def rename(pair: Pair, **wanted: str) -> None:
    for number, name in wanted.items():
        pair.edit_ifs(HEADERS, SupplierId=number, Name=name)


@pytest.mark.parametrize(
    "wanted",
    [
        {"S1": "Acme S2", "S2": "Acme S1"},
        {"S1": "Acme S2", "S2": "Acme S3", "S3": "Acme S1"},
        {"S1": "Acme S3", "S3": "Acme S2", "S2": "Acme S1"},
        {"S1": "Acme S2", "S2": "Acme S3", "S3": "New"},
        {"S3": "Acme S2", "S2": "Acme S1", "S1": "New"},
    ],
)
def test_names_that_change_places_in_ifs_within_one_poll_do_so_in_cin7(three: Pair, wanted: dict[str, str]) -> None:
    rename(three, **wanted)
    three.quiet()
    assert three.findings() == []
    assert {number: pair for number, pair in names(three).items() if number in wanted} == {
        number: (name, name) for number, name in wanted.items()
    }
    three.writes()
    three.quiet()
    assert three.writes() == []


def test_names_that_change_places_in_cin7_do_so_in_ifs(three: Pair) -> None:
    one, two = (three.in_cin7(AdditionalAttribute1=number)["ID"] for number in ("S1", "S2"))
    for cin7_id, name in ((one, "Aside"), (two, "Acme S1"), (one, "Acme S2")):
        three.edit_cin7(ID=cin7_id, Name=name)
    three.quiet()
    assert names(three) == {"S1": ("Acme S2",) * 2, "S2": ("Acme S1",) * 2, "S3": ("Acme S3",) * 2}


@pytest.mark.parametrize("trouble", ["lost before", "lost after", "killed before", "killed after"])
@pytest.mark.parametrize("place", range(4))
def test_a_swap_ends_right_whatever_becomes_of_a_call(three: Pair, trouble: Trouble, place: int) -> None:
    rename(three, S1="Acme S2", S2="Acme S1")
    seen: list[str] = []

    def befall(method: str, path: str) -> Trouble | None:
        if method == "PUT":
            seen.append(path)
            return trouble if len(seen) == place + 1 else None
        return None

    three.calls.trouble = befall
    for _ in range(3):
        try:
            three.poll()
            three.work()
        except Killed:
            three.restart()
    three.calls.trouble = lambda _method, _path: None
    three.quiet()
    assert three.findings() == []
    assert names(three) == {"S1": ("Acme S2",) * 2, "S2": ("Acme S1",) * 2, "S3": ("Acme S3",) * 2}


def test_a_name_in_ifs_that_another_vendor_of_cin7_keeps_is_held(three: Pair) -> None:
    rename(three, S1="Acme S2")
    three.quiet()
    assert three.findings() == [("suppliers", "supplier.possible-duplicate", "Name")]
    assert names(three)["S1"] == ("Acme S2", "Acme S1")


def test_a_name_in_cin7_that_another_supplier_of_ifs_has_goes_to_ifs_which_does_not_mind(three: Pair) -> None:
    rename(three, S2="Elsewhere")
    three.quiet()
    three.edit_cin7(ID=three.in_cin7(AdditionalAttribute1="S1")["ID"], Name="Acme S2")
    three.quiet()
    assert names(three)["S1"] == ("Acme S2", "Acme S2")


def test_a_deprecated_namesake_is_not_revived_unasked(pair: Pair) -> None:
    pair.edit_cin7(**{**BALTIC, "Name": "Acme S9", "TaxNumber": "AN-S9", "AdditionalAttribute1": "",
                      "Status": "Deprecated", "Addresses": [], "Contacts": []})  # fmt: skip
    for table, rows in ifs_rows("S9", "Acme S9").items():
        for row in rows:
            pair.add_to_ifs(table, row)
    pair.quiet()
    assert ("suppliers", "supplier.conflict", "status") in pair.findings()
    assert len([one for one in pair.all_in_cin7() if one["Name"] == "Acme S9"]) == 1


BLOCKING = {"blocked": "Cf_Blocked", "expires": "Cf_ExpireDate"}


@pytest.fixture
def telling(database_url: str, client: redis.Redis) -> Any:  # noqa: ANN401 - a generator.
    """A tenant that tells whether a supplier is blocked, or has expired."""
    pair = Pair(database_url, client, fields=BLOCKING)
    pair.ifs.tenant.store.switches = pair.ifs.tenant.store.switches.changed({"supplier_custom_fields": True})
    pair.quiet()
    pair.writes()
    yield pair
    pair.close()


def status(pair: Pair) -> str:
    return str(pair.in_cin7(AdditionalAttribute1="S1")["Status"])


def test_what_is_blocked_in_ifs_is_deprecated_in_cin7_and_revived_with_it(telling: Pair) -> None:
    for blocked, expected in ((True, "Deprecated"), (False, "Active")):
        telling.edit_ifs(HEADERS, SupplierId="S1", Cf_Blocked=blocked)
        telling.quiet()
        assert (status(telling), telling.findings()) == (expected, [])


def test_what_is_deprecated_in_cin7_is_blocked_in_ifs_and_revived_with_it(telling: Pair) -> None:
    cin7_id = telling.in_cin7(AdditionalAttribute1="S1")["ID"]
    for wanted, blocked in (("Deprecated", True), ("Active", False)):
        telling.edit_cin7(ID=cin7_id, Status=wanted)
        telling.quiet()
        assert (telling.in_ifs(HEADERS, SupplierId="S1")[0]["Cf_Blocked"], telling.findings()) == (blocked, [])


def test_what_expires_in_ifs_is_deprecated_in_cin7(telling: Pair) -> None:
    telling.edit_ifs(HEADERS, SupplierId="S1", Cf_ExpireDate="2020-01-01")
    telling.quiet()
    assert (status(telling), telling.findings()) == ("Deprecated", [])
    telling.edit_cin7(ID=telling.in_cin7(AdditionalAttribute1="S1")["ID"], Status="Active")
    telling.quiet()
    assert telling.findings() == [("cin7_suppliers", "supplier.conflict", "status")]


def test_a_deprecation_in_cin7_and_another_edit_in_ifs_meet(telling: Pair) -> None:
    telling.edit_cin7(ID=telling.in_cin7(AdditionalAttribute1="S1")["ID"], Status="Deprecated")
    telling.edit_ifs(HEADERS, SupplierId="S1", Name="Renamed")
    telling.quiet()
    assert (status(telling), names(telling)["S1"]) == ("Deprecated", ("Renamed", "Renamed"))
    assert telling.in_ifs(HEADERS, SupplierId="S1")[0]["Cf_Blocked"] is True


def test_a_supplier_that_was_written_too_often_is_held_as_a_loop(database_url: str, client: redis.Redis) -> None:
    pair = Pair(database_url, client, policy={"loop_changes": 6})
    pair.quiet()
    cin7_id = pair.in_cin7(AdditionalAttribute1="S1")["ID"]
    for number in range(8):
        pair.edit_cin7(ID=cin7_id, TaxNumber=f"N{number}")
        pair.quiet()
        if pair.findings():
            break
    assert pair.findings() == [("cin7_suppliers", "supplier.conflict", "loop")]
    assert number == 5, "six writes within the window, the first of them IFS's own creation; then it is held"
    pair.run("update effect set ended_at = now() - interval '1 hour' where ended_at is not null")
    pair.replay()
    pair.quiet()
    assert pair.findings() == []
    assert pair.in_ifs(HEADERS, SupplierId="S1")[0]["AssociationNo"] == f"N{number}"
    pair.close()

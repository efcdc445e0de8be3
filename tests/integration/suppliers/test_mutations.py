"""IFS is changed by its own rules: exact ETags, rivals at every round, lost answers, tenants of every kind."""

from typing import Any

import pytest

from tests.integration.suppliers.pair import Pair
from tests.integration.suppliers.wires import Killed, Trouble

HEADERS = "SupplierInfoGeneralSet"


def settled(pair: Pair) -> dict[str, Any]:
    """Bring S1 to Cin7, and let its echoes end; return it as Cin7 holds it."""
    pair.quiet()
    pair.writes()
    return pair.in_cin7(AdditionalAttribute1="S1")


def header(pair: Pair) -> dict[str, Any]:
    return pair.in_ifs(HEADERS, SupplierId="S1")[0]


def rename_in_cin7(pair: Pair, name: str) -> None:
    pair.edit_cin7(ID=pair.in_cin7(AdditionalAttribute1="S1")["ID"], Name=name)


def rivals(pair: Pair, times: int, **changes: str) -> None:
    """Let somebody edit the header before each of the next PATCHes, after its ETag was read."""
    left = list(range(times))

    def between(method: str, path: str) -> None:
        if method == "PATCH" and HEADERS in path and left:
            number = left.pop()
            values = {name: f"{text} {number}" for name, text in changes.items()}
            pair.ifs.tenant.clock.advance(2)
            pair.ifs.control.edit([_edit(**values)])

    pair.calls.between = between


def test_every_change_carries_the_exact_etag_and_only_what_changed(pair: Pair) -> None:
    settled(pair)
    pair.ifs.tenant.requests.clear()
    rename_in_cin7(pair, "Acme Holdings")
    pair.quiet()
    sent = [call for call in pair.ifs.tenant.requests.report() if call["method"] != "GET"]
    assert [(call["method"], call["status"]) for call in sent if call["method"] == "PATCH"] == [("PATCH", 0)]
    tags = {call["if_match"] for call in sent if call["method"] == "PATCH"}
    assert all(tag and tag.startswith('W/"') for tag in tags)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_rival_in_another_field_at_every_round_is_not_overwritten(pair: Pair, times: int) -> None:
    settled(pair)
    rename_in_cin7(pair, "Acme Holdings")
    rivals(pair, times, AssociationNo="NEW")
    pair.quiet()
    assert header(pair)["Name"] == "Acme Holdings"
    assert header(pair)["AssociationNo"] == "NEW 0"
    assert pair.in_cin7(AdditionalAttribute1="S1")["TaxNumber"] == "NEW 0"


def test_a_rival_who_never_stops_holds_the_supplier(pair: Pair) -> None:
    settled(pair)
    rename_in_cin7(pair, "Acme Holdings")
    rivals(pair, 1000, SuppliersOwnId="x")
    pair.poll()
    pair.work()
    assert ("cin7_suppliers", "target.refused", "Name") in pair.findings()
    assert len([one for one in pair.writes() if one[0] == "PATCH"]) == 5


@pytest.mark.parametrize("times", [1, 3])
def test_a_rival_in_the_same_field_is_a_conflict_that_shows_both(pair: Pair, times: int) -> None:
    settled(pair)
    rename_in_cin7(pair, "From Cin7")
    rivals(pair, times, Name="From a rival")
    pair.quiet()
    assert [one[1:] for one in pair.findings()] == [("supplier.conflict", "name")]
    (row,) = pair.rows("select before, ifs, cin7 from finding where open and code = 'supplier.conflict'")
    assert row == ("Acme S1", f"From a rival {times - 1}", "From Cin7")


def test_an_edit_in_the_second_of_our_look_is_seen_before_we_write(pair: Pair) -> None:
    """The ETag tells the second only: an edit right after our look would leave it as it is."""
    settled(pair)
    rename_in_cin7(pair, "From Cin7")
    patched: list[str] = []

    def between(method: str, path: str) -> None:
        if method == "GET" and f"{HEADERS}(SupplierId" in path and not patched:
            # Somebody saves in this very second: were ours sent now, an edit in between would not show in the ETag.
            patched.append("first")
            pair.ifs.control.edit([_edit(AssociationNo="FIRST")])
        elif method == "PATCH" and patched == ["first"]:
            patched.append("second")
            pair.ifs.control.edit([_edit(Name="In the same second")])

    pair.calls.between = between
    pair.quiet()
    assert patched == ["first", "second"]
    assert [one[1:] for one in pair.findings()] == [("supplier.conflict", "name")]
    assert header(pair)["Name"] == "In the same second"


def _edit(**changes: str) -> Any:  # noqa: ANN401 - an edit of the control plane.
    from sandbox.ifs.control import Edit  # noqa: PLC0415 - only here.

    return Edit(set=HEADERS, patch=[{"SupplierId": "S1", **changes}])


@pytest.mark.parametrize(
    "switches",
    [
        {"stale_match": "20114"},
        {"missing_match": "upsert"},
        {"patch_answer": 204},
        {"system_fields": "refused"},
        {"collection_etags": False},
        {"inactive_services": ["SupplierInfoAddressEntity", "SupplierInfoAddressTypeEntity", "CommMethodEntity",
                               "IdentityInvoiceInfoEntity", "SupplierDocumentTaxInfoEntity"]},
    ],
    ids=lambda switches: next(iter(switches)),
)  # fmt: skip
def test_tenants_of_every_kind_are_changed_alike(pair: Pair, switches: dict[str, Any]) -> None:
    pair.ifs.tenant.store.switches = pair.ifs.tenant.store.switches.changed(switches)
    supplier = settled(pair)
    jo, mill = supplier["Contacts"][0], supplier["Addresses"][0]
    pair.edit_cin7(
        ID=supplier["ID"],
        Name="Acme Holdings",
        PaymentTerm="60 days",
        TaxRule="Zero",
        Contacts=[{"ID": jo["ID"], "Phone": "2", "Fax": "3"}],
        Addresses=[{"ID": mill["ID"], "City": "York"}, {"Line1": "9 Quay", "Country": "France", "Type": "Shipping"}],
    )
    rivals(pair, 1, SuppliersOwnId="ours")
    pair.quiet()
    assert pair.findings() == []
    assert (header(pair)["Name"], header(pair)["SuppliersOwnId"]) == ("Acme Holdings", "ours 0")
    (agreed,) = pair.in_ifs("IdentityInvoiceInfoSet", Identity="S1")
    assert (agreed["PayTermId"], agreed["DefVatCode"]) == ("60", "V0")
    assert {row["MethodId"]: row["Value"] for row in pair.in_ifs("CommMethodSet")} == {
        "Phone": "2",
        "Email": "jo@a.example",
        "Fax": "3",
    }
    assert [row["City"] for row in pair.in_ifs("SupplierInfoAddressSet", AddressId="1")] == ["York"]
    assert [row["Country"] for row in pair.in_ifs("SupplierInfoAddressSet", AddressId="2")] == ["FR"]
    assert len(pair.in_ifs("SupplierInfoAddressTypeSet", AddressId="2")) == 1
    after = pair.in_cin7(AdditionalAttribute1="S1")
    assert len(after["Addresses"]) == 2
    pair.writes()
    pair.quiet()
    assert pair.writes() == [], "nothing goes to and fro"


@pytest.mark.parametrize("trouble", ["lost before", "lost after", "killed before", "killed after", "late"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_whatever_becomes_of_an_answer_each_change_is_made_once(pair: Pair, trouble: Trouble, place: int) -> None:
    supplier = settled(pair)
    jo = supplier["Contacts"][0]
    pair.edit_cin7(
        ID=supplier["ID"],
        Name="Acme Holdings",
        PaymentTerm="60 days",
        Contacts=[{"ID": jo["ID"], "Fax": "3"}],
    )
    pair.poll()
    seen: list[str] = []

    def befall(method: str, path: str) -> Trouble | None:
        if method in ("PATCH", "POST"):
            seen.append(path)
            return trouble if len(seen) == place + 1 else None
        return None

    pair.calls.trouble = befall
    for _ in range(3):
        try:
            pair.work()
        except Killed:
            pair.restart()
    pair.calls.trouble = lambda _method, _path: None
    pair.catch_up()
    pair.quiet()
    assert pair.findings() == []
    assert header(pair)["Name"] == "Acme Holdings"
    assert [row["PayTermId"] for row in pair.in_ifs("IdentityInvoiceInfoSet", Identity="S1")] == ["60"]
    faxes = [row["Value"] for row in pair.in_ifs("CommMethodSet", MethodId="Fax")]
    if (trouble, place) == ("late", 1):
        # The one window for a double: a row that IFS numbers itself, made later than anybody looked.
        assert set(faxes) == {"3"}
    else:
        assert faxes == ["3"]
    assert pair.rows("select count(*) from effect where state in ('INTENT', 'UNKNOWN')") == [(0,)]


@pytest.mark.parametrize("when", ["killed before", "killed after"])
@pytest.mark.parametrize("number", range(1, 16))
def test_a_kill_at_any_commit_loses_and_doubles_nothing(pair: Pair, when: Trouble, number: int) -> None:
    supplier = settled(pair)
    pair.edit_cin7(ID=supplier["ID"], Name="Acme Holdings", PaymentTerm="60 days")
    commits: list[int] = []

    def befall(method: str, _path: str) -> Trouble | None:
        if method != "COMMIT":
            return None
        commits.append(1)
        return when if len(commits) == number else None

    pair.calls.trouble = befall
    for _ in range(4):
        try:
            pair.poll()
            pair.work()
        except Killed:
            pair.restart()
    pair.calls.trouble = lambda _method, _path: None
    pair.quiet()
    assert pair.findings() == []
    assert header(pair)["Name"] == "Acme Holdings"
    assert [row["PayTermId"] for row in pair.in_ifs("IdentityInvoiceInfoSet", Identity="S1")] == ["60"]
    patches = [one for one in pair.writes() if one[0] == "PATCH"]
    assert sorted(set(patches)) == [("PATCH", "IdentityInvoiceInfoSet"), ("PATCH", HEADERS)]
    assert len(patches) == 2, "each part was written once"

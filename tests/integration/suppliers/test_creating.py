"""Suppliers that are new in Cin7: counted, held, waited for, or created in IFS in full, whatever dies on the way."""

from typing import Any

import pytest
import redis

from tests.integration.suppliers.pair import Pair
from tests.integration.suppliers.wires import Killed, Trouble

BALTIC: dict[str, Any] = {
    "Name": "Baltic Timber OU",
    "Currency": "GBP",
    "PaymentTerm": "60 days",
    "AccountPayable": "800",
    "TaxRule": "Zero",
    "TaxNumber": "EE1020",
    "AdditionalAttribute1": "s900",
    "Addresses": [
        {"Line1": "1 Sadama", "City": "Tallinn", "Country": "Estonia", "Type": "Billing", "DefaultForType": True},
        {"Line1": "1 Sadama", "City": "Tallinn", "Country": "Estonia", "Type": "Shipping"},
        {"Line1": "2 Metsa", "City": "Tartu", "Country": "Estonia", "Type": "Business"},
    ],
    "Contacts": [{"Name": "Mari", "Phone": "+372 1", "Email": "mari@b.example"}, {"Name": "Nobody"}],
}


@pytest.fixture
def creating(database_url: str, client: redis.Redis) -> Any:  # noqa: ANN401 - a generator.
    pair = Pair(database_url, client, policy={"cin7_supplier_unknown": "create"})
    pair.quiet()
    pair.writes()
    yield pair
    pair.close()


def whole(pair: Pair, number: str) -> None:
    """Check that a supplier is in IFS in full, once, and that both sides rest."""
    (header,) = pair.in_ifs("SupplierInfoGeneralSet", Name="Baltic Timber OU")
    assert (header["SupplierId"], header["Country"], header["AssociationNo"]) == (number, "EE", "EE1020")
    addresses = pair.in_ifs("SupplierInfoAddressSet", SupplierId=number)
    assert [(row["AddressId"], row["Address1"], row["City"]) for row in addresses] == [
        ("1", "1 Sadama", "Tallinn"),
        ("2", "2 Metsa", "Tartu"),
    ]
    types = pair.in_ifs("SupplierInfoAddressTypeSet", SupplierId=number)
    assert sorted((row["AddressId"], row["AddressTypeCode"], row["DefAddress"]) for row in types) == [
        ("1", "Delivery", False),
        ("1", "Document", True),
        ("1", "Pay", False),
        ("2", "Visit", False),
    ]
    methods = pair.in_ifs("CommMethodSet", Identity=number)
    assert sorted((row["Name"], row["MethodId"], row["Value"]) for row in methods) == [
        ("Mari", "Email", "mari@b.example"),
        ("Mari", "Phone", "+372 1"),
    ]
    (agreed,) = pair.in_ifs("IdentityInvoiceInfoSet", Identity=number)
    assert [agreed[name] for name in ("Company", "DefCurrency", "PayTermId", "DefVatCode")] == ["10", "GBP", "60", "V0"]
    assert [row["Company"] for row in pair.in_ifs("IdentityPayInfoSet", Identity=number)] == ["10"]
    assert [row["CurrencyCode"] for row in pair.in_ifs("SupplierSet", VendorNo=number)] == ["GBP"]
    assert pair.in_cin7(Name="Baltic Timber OU")["AdditionalAttribute1"] == number
    assert pair.rows("select ifs_key, making from link where ifs_key = %s", (number,)) == [(number, False)]
    assert pair.rows("select count(*) from effect where state in ('INTENT', 'UNKNOWN')") == [(0,)]
    assert pair.findings() == []
    pair.writes()
    pair.quiet()
    assert pair.writes() == [], "nothing goes to and fro"
    assert len(pair.all_in_cin7()) == 2


def test_suppliers_that_were_in_cin7_before_the_first_look_are_only_counted(pair: Pair) -> None:
    for number in range(3):
        pair.edit_cin7(**{**BALTIC, "Name": f"Older {number}", "AdditionalAttribute1": ""})
    pair.quiet()
    assert (pair.findings(), pair.states()) == ([], ["echo"])
    (row,) = pair.rows(
        "select rows, skipped, filter, source from poll where flow = 'cin7_suppliers' order by id limit 1"
    )
    assert row == (3, 3, "IncludeDeprecated=true", "cin7.main/supplier")
    pair.poll(sweep=True)
    pair.work()
    assert pair.findings() == [], "not even the nightly full comparison brings them up"


def test_a_counted_supplier_that_is_changed_counts_from_then_on(pair: Pair) -> None:
    made = pair.edit_cin7(**{**BALTIC, "AdditionalAttribute1": ""})
    pair.quiet()
    pair.edit_cin7(ID=made["ID"], Comments="not what both sides hold")
    pair.quiet()
    assert pair.findings() == []
    pair.edit_cin7(ID=made["ID"], TaxNumber="EE1021")
    pair.quiet()
    assert pair.findings() == [("cin7_suppliers", "supplier.unknown", "ID")]


def test_a_supplier_new_in_cin7_is_held_as_unknown_by_default(pair: Pair) -> None:
    pair.quiet()
    pair.edit_cin7(**BALTIC)
    pair.quiet()
    assert pair.findings() == [("cin7_suppliers", "supplier.unknown", "ID")]
    assert pair.in_ifs("SupplierInfoGeneralSet", Name="Baltic Timber OU") == []


def test_a_supplier_new_in_cin7_is_created_in_ifs_in_full_and_linked(creating: Pair) -> None:
    creating.edit_cin7(**BALTIC)
    creating.quiet()
    assert creating.writes() == [
        ("POST", "SupplierInfoGeneralSet"),
        ("POST", "SupplierInfoAddressSet"),
        ("POST", "SupplierInfoAddressSet"),
        *[("POST", "SupplierInfoAddressTypeSet")] * 4,
        *[("POST", "CommMethodSet")] * 2,
        ("POST", "IdentityInvoiceInfoSet"),
        ("POST", "IdentityPayInfoSet"),
        ("POST", "SupplierSet"),
        ("PUT", "supplier"),
    ]
    whole(creating, "S900")
    assert creating.states()[-1] == "written" or creating.states()[-2:] == ["written", "echo"]


def test_a_change_after_the_creation_flows_like_any(creating: Pair) -> None:
    made = creating.edit_cin7(**BALTIC)
    creating.quiet()
    creating.edit_cin7(ID=made["ID"], PaymentTerm="30 days")
    creating.edit_ifs("SupplierInfoGeneralSet", SupplierId="S900", Name="Baltic Timber AS")
    creating.quiet()
    assert creating.in_ifs("IdentityInvoiceInfoSet", Identity="S900")[0]["PayTermId"] == "30"
    assert creating.in_cin7(AdditionalAttribute1="S900")["Name"] == "Baltic Timber AS"


@pytest.mark.parametrize("series", ["S{}", "V{:04}"])
def test_ifs_may_give_the_number_itself(database_url: str, client: redis.Redis, series: str) -> None:
    pair = Pair(
        database_url,
        client,
        policy={"cin7_supplier_unknown": "create"},
        cin7={"new_supplier_number": "series"},
        ifs={"new_supplier": {"invoice_info": {"GroupId": "1"}, "purchase_info": {"SuppGrp": "7"}}},
    )
    pair.ifs.tenant.store.switches = pair.ifs.tenant.store.switches.changed({"supplier_series": series})
    pair.quiet()
    pair.edit_cin7(**{**BALTIC, "AdditionalAttribute1": ""})
    pair.quiet()
    number = {"S{}": "S2", "V{:04}": "V0001"}[series]
    whole(pair, number)
    assert pair.in_ifs("IdentityInvoiceInfoSet", Identity=number)[0]["GroupId"] == "1"
    assert pair.in_ifs("SupplierSet", VendorNo=number)[0]["SuppGrp"] == "7"
    assert pair.in_ifs("SupplierInfoGeneralSet", SupplierId=number)[0]["SuppliersOwnId"]
    pair.close()


@pytest.mark.parametrize("trouble", ["lost before", "lost after", "killed before", "killed after"])
@pytest.mark.parametrize(
    ("place", "by_series"), [*((place, False) for place in range(13)), (0, True), (1, True), (12, True)]
)
def test_a_creation_goes_on_where_it_stopped_whatever_becomes_of_a_call(
    database_url: str, client: redis.Redis, trouble: Trouble, place: int, by_series: bool
) -> None:
    number = {"new_supplier_number": "series"} if by_series else {}
    pair = Pair(database_url, client, policy={"cin7_supplier_unknown": "create"}, cin7=number)
    pair.ifs.tenant.store.switches = pair.ifs.tenant.store.switches.changed({"supplier_series": "V{}"})
    pair.quiet()
    pair.edit_cin7(**{**BALTIC, "AdditionalAttribute1": "" if by_series else "S900"})
    pair.poll()
    seen: list[str] = []

    def befall(method: str, path: str) -> Trouble | None:
        if method in ("POST", "PUT"):
            seen.append(path)
            return trouble if len(seen) == place + 1 else None
        return None

    pair.calls.trouble = befall
    for _ in range(3):
        try:
            pair.poll()
            pair.work()
        except Killed:
            pair.restart()
    pair.calls.trouble = lambda _method, _path: None
    pair.quiet()
    whole(pair, "V1" if by_series else "S900")
    pair.close()


@pytest.mark.parametrize("when", ["killed before", "killed after"])
@pytest.mark.parametrize("number", range(1, 40, 4))
def test_a_kill_at_any_commit_of_a_creation_makes_one_whole_supplier(
    creating: Pair, when: Trouble, number: int
) -> None:
    creating.edit_cin7(**BALTIC)
    commits: list[int] = []

    def befall(method: str, _path: str) -> Trouble | None:
        if method != "COMMIT":
            return None
        commits.append(1)
        return when if len(commits) == number else None

    creating.calls.trouble = befall
    for _ in range(4):
        try:
            creating.poll()
            creating.work()
        except Killed:
            creating.restart()
    creating.calls.trouble = lambda _method, _path: None
    creating.quiet()
    whole(creating, "S900")


def test_what_cannot_be_kept_in_ifs_is_held_before_the_first_call(creating: Pair) -> None:
    creating.cin7.control("POST", "terms", {"rows": [{"Name": "Net 7"}]})
    creating.edit_cin7(**{**BALTIC, "PaymentTerm": "Net 7"})
    creating.quiet()
    assert creating.findings() == [("cin7_suppliers", "term.unmapped", "PaymentTerm")]
    assert creating.writes() == []


def test_without_a_number_a_supplier_waits_for_one(creating: Pair) -> None:
    made = creating.edit_cin7(**{**BALTIC, "AdditionalAttribute1": ""})
    creating.quiet()
    assert creating.findings() == [("cin7_suppliers", "supplier.unknown", "ID")]
    creating.edit_cin7(ID=made["ID"], AdditionalAttribute1="S900")
    creating.quiet()
    whole(creating, "S900")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": "Acme S1"}, "supplier.possible-duplicate"),
        ({"TaxNumber": "AN-S1"}, "supplier.possible-duplicate"),
        ({"AdditionalAttribute1": "S1"}, "supplier.possible-duplicate"),
        ({"AdditionalAttribute1": "x" * 21}, "source.invalid"),
    ],
)
def test_no_vendor_is_made_a_second_time(creating: Pair, changes: dict[str, str], code: str) -> None:
    creating.edit_cin7(ID=creating.in_cin7(AdditionalAttribute1="S1")["ID"], Name="Renamed in Cin7")
    creating.quiet()
    creating.edit_ifs("SupplierInfoGeneralSet", SupplierId="S1", Name="Acme S1")
    before = len(creating.in_ifs("SupplierInfoGeneralSet"))
    creating.edit_cin7(**{**BALTIC, **changes})
    creating.quiet()
    assert code in [one[1] for one in creating.findings()]
    assert len(creating.in_ifs("SupplierInfoGeneralSet")) == before


def test_a_supplier_entered_on_both_sides_at_once_is_linked_not_doubled(creating: Pair) -> None:
    from tests.integration.suppliers.pair import ifs_rows  # noqa: PLC0415 - only here.

    for table, rows in ifs_rows("S900", "Baltic Timber OU").items():
        for row in rows:
            if table == "SupplierInfoGeneralSet":
                row["AssociationNo"] = "EE1020"
            creating.add_to_ifs(table, row)
    creating.edit_cin7(**{**BALTIC, "AdditionalAttribute1": ""})
    for _ in range(3):
        creating.poll()
        creating.work()
    assert len(creating.in_ifs("SupplierInfoGeneralSet", Name="Baltic Timber OU")) == 1
    assert len([one for one in creating.all_in_cin7() if one["Name"] == "Baltic Timber OU"]) == 1
    assert creating.rows("select ifs_key from link where ifs_key = 'S900'") == [("S900",)]

"""Reads: pages, order, envelope, nested paths, row security, metadata."""

import base64
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from xml.etree import ElementTree as ET

import pytest

from tests.sandbox.ifs_client import (
    ADDRESSES,
    ENTITY,
    LINES,
    ORDERS,
    PROJECTION,
    SUPPLIERS,
    Ifs,
    ifs_served,
    line,
    order,
    supplier,
)

STATE = "IfsApp.PurchaseOrderHandling.PurchaseOrderState"


@pytest.fixture(scope="module")
def served() -> Iterator[Ifs]:
    rng = Random(7)  # noqa: S311 - it shuffles rows.
    suppliers = [supplier(f"S{number:03d}") for number in range(120)] + [supplier("O'B/1 & Ö"), supplier("S1")]
    rng.shuffle(suppliers)
    orders = [order(str(1000 + number), ChangeDate=f"2025-05-01T08:00:{number // 4:02d}Z") for number in range(200)]
    orders += [order("T1", Company="20", Contract="S20"), order("T3", Company="30", Contract="S30", NoteText="x")]
    rng.shuffle(orders)
    with ifs_served() as ifs:
        yield ifs.start(
            SupplierInfoGeneralSet=suppliers,
            SupplierInfoAddressSet=[
                {"SupplierId": "S1", "AddressId": number, "City": "Leeds", "Country": "GB"} for number in ("1", "HQ/2")
            ],
            SupplierInfoAddressTypeSet=[
                {"SupplierId": "S1", "AddressId": "1", "AddressTypeCode": code} for code in ("Pay", "Document")
            ],
            CommMethodSet=[
                {
                    "PartyType": party,
                    "Identity": "S1",
                    "CommId": number,
                    "AddressId": place,
                    "MethodId": "Phone",
                    "Value": "1",
                }
                for party, number, place in (("Supplier", 1, "1"), ("Supplier", 2, None), ("Customer", 1, "1"))
            ],
            IdentityInvoiceInfoSet=[
                {"Company": company, "Identity": "S1", "PartyType": "Supplier", "DefCurrency": "EUR", "PayTermId": "30"}
                for company in ("10", "30")
            ],
            PurchaseOrderSet=orders,
            PurchaseOrderLineSet=[
                *(line("1000", str(number), PartNo=None if number % 3 else "P") for number in range(1, 13)),
                line("T3", "1"),
            ],
            CompanySiteSet=[{"Contract": "S30", "Company": "30"}],
            AccountSet=[
                {"Company": company, "Account": "4010", "Description": "Materials"} for company in ("10", "30")
            ],
        )


@pytest.fixture
def ifs(served: Ifs) -> Iterator[Ifs]:
    before = served.app.tenant.store.switches
    yield served
    served.app.tenant.store.switches = before


def test_a_keyset_walk_by_stamp_and_key_gives_every_row_once_and_in_order(ifs: Ifs) -> None:
    seen: list[tuple[str, str]] = []
    stamp, number = "2025-01-01T00:00:00Z", ""
    while True:
        condition = f"ChangeDate gt {stamp} or (ChangeDate eq {stamp} and OrderNo gt '{number}')"
        page = ifs.rows(ORDERS, filter=f"Company eq '10' and ({condition})", orderby="ChangeDate,OrderNo", top=7)
        seen += [(row["ChangeDate"], row["OrderNo"]) for row in page]
        if len(page) < 7:
            break
        stamp, number = seen[-1]
    assert seen == sorted(set(seen))
    assert len(seen) == 200


def test_a_skip_walk_gives_every_row_once(ifs: Ifs) -> None:
    seen = [
        key
        for skip in range(0, 140, 20)
        for key in ifs.keys(SUPPLIERS, "SupplierId", orderby="SupplierId", top=20, skip=skip)
    ]
    assert seen == sorted(seen)
    assert len(seen) == 122


def test_without_top_a_read_ends_after_25_rows_and_says_nothing(ifs: Ifs) -> None:
    answer = ifs.get(SUPPLIERS).json()
    assert len(answer["value"]) == 25
    assert "@odata.nextLink" not in answer


def test_a_page_above_the_cap_is_cut_silently(ifs: Ifs) -> None:
    ifs.switch(page_cap=50)
    answer = ifs.get(SUPPLIERS, top=100).json()
    assert len(answer["value"]) == 50
    assert "@odata.nextLink" not in answer


@pytest.mark.parametrize("form", ["absolute", "relative"])
@pytest.mark.parametrize("top", [None, 60])
def test_next_links_lead_through_all_rows_asked_for(ifs: Ifs, form: str, top: int | None) -> None:
    ifs.switch(paging="next_link", next_link_rows=25, next_link_form=form)
    options: dict[str, str | int] = {"orderby": "SupplierId"}
    if top:
        options["top"] = top
    answer = ifs.get(SUPPLIERS, **options).json()
    seen = [row["SupplierId"] for row in answer["value"]]
    while link := answer.get("@odata.nextLink"):
        assert link.startswith("http://") is (form == "absolute")
        root = SUPPLIERS.rpartition("/")[0]
        answer = ifs.http.get(link if form == "absolute" else f"{root}/{link}", headers=ifs.headers()).json()
        seen += [row["SupplierId"] for row in answer["value"]]
    assert seen == sorted(set(seen))
    assert len(seen) == (top or 122)


def test_a_long_or_chain_finds_exactly_its_keys(ifs: Ifs) -> None:
    wanted = [str(1000 + number) for number in range(0, 200, 3)]
    condition = " or ".join(f"OrderNo eq '{number}'" for number in [*wanted, "nowhere"])
    assert ifs.keys(ORDERS, "OrderNo", filter=condition, orderby="OrderNo", top=500) == wanted


def test_line_numbers_sort_as_text(ifs: Ifs) -> None:
    assert ifs.keys(LINES, "LineNo", filter="OrderNo eq '1000'", orderby="LineNo", top=500)[:4] == [
        "1",
        "10",
        "11",
        "12",
    ]


def test_descending_order_and_count_work(ifs: Ifs) -> None:
    answer = ifs.get(LINES, filter="OrderNo eq '1000'", orderby="PartNo desc,LineNo", top=2, count="true").json()
    assert answer["@odata.count"] == 12
    assert [row["LineNo"] for row in answer["value"]] == ["12", "3"]


def test_a_row_carries_its_envelope_and_all_properties_null_or_not(ifs: Ifs) -> None:
    row = ifs.rows(LINES, filter="OrderNo eq '1000' and LineNo eq '2'", top=5)[0]
    assert row["luname"] == "PurchaseOrderLine"
    assert row["keyref"] == "LINE_NO=2^ORDER_NO=1000^RELEASE_NO=1^"
    assert row["PartNo"] is None
    inner = base64.b64decode(row["@odata.etag"].removeprefix('W/"').removesuffix('"')).decode()
    objid, version = inner.removeprefix('W/"').removesuffix('"').split(":")
    assert len(objid) == 18
    assert len(version) == 14
    assert version.isdigit()


def test_a_key_with_quote_slash_and_umlaut_is_found(ifs: Ifs) -> None:
    answer = ifs.get(f"{SUPPLIERS}(SupplierId='O''B%2F1%20%26%20%C3%96')")
    assert answer.json()["SupplierId"] == "O'B/1 & Ö"
    assert answer.headers["ETag"] == answer.json()["@odata.etag"]


def test_collection_rows_can_come_without_etag(ifs: Ifs) -> None:
    ifs.switch(collection_etags=False)
    assert "@odata.etag" not in ifs.rows(SUPPLIERS, top=1)[0]
    assert ifs.get(f"{SUPPLIERS}(SupplierId='S1')").json()["@odata.etag"]


def test_flat_sets_and_nested_paths_serve_the_same_children(ifs: Ifs) -> None:
    nested = ifs.rows(f"{SUPPLIERS}(SupplierId='S1')/SupplierInfoAddresses", top=50)
    assert nested == ifs.rows(ADDRESSES, filter="SupplierId eq 'S1'", top=50)
    address = f"{SUPPLIERS}(SupplierId='S1')/SupplierInfoAddresses(SupplierId='S1',AddressId='1')"
    types = ifs.keys(f"{address}/AddressTypes", "AddressTypeCode", top=50)
    assert types == ["Pay", "Document"]
    assert ifs.keys(f"{address}/AddressCommunicationMethods", "CommId", top=50) == [1]
    party = "IfsApp.CommMethodEntity.PartyType'Supplier'"
    flat = f"{ENTITY}CommMethodEntity.svc/CommMethodSet"
    assert ifs.keys(flat, "CommId", filter=f"Identity eq 'S1' and PartyType eq {party}", top=50) == [1, 2]


def test_lines_without_a_part_have_a_set_of_their_own(ifs: Ifs) -> None:
    rows = ifs.rows(
        f"{PROJECTION}PurchaseOrderHandling.svc/PurchaseOrderLineNopartSet", filter="OrderNo eq '1000'", top=50
    )
    assert {row["PartNo"] for row in rows} == {None}
    assert len(rows) == 8


@pytest.mark.parametrize(
    ("address", "options"),
    [
        (ORDERS, {"filter": "Company eq '30'", "top": 5}),
        (LINES, {"filter": "OrderNo eq 'T3'", "top": 5}),
        (f"{ENTITY}AccountEntity.svc/AccountSet", {"filter": "Company eq '30'", "top": 5}),
        (f"{ENTITY}IdentityInvoiceInfoEntity.svc/IdentityInvoiceInfoSet", {"filter": "Company eq '30'", "top": 5}),
    ],
)
def test_rows_of_companies_that_are_not_granted_vanish_without_an_error(
    ifs: Ifs, address: str, options: dict[str, str | int]
) -> None:
    assert ifs.rows(address, **options) == []


def test_a_row_out_of_sight_is_not_found_by_its_key(ifs: Ifs) -> None:
    assert ifs.get(f"{ORDERS}(OrderNo='T3')").status_code == 404
    assert ifs.get(f"{ORDERS}(OrderNo='T1')").status_code == 200


@pytest.mark.parametrize(
    ("address", "options", "status", "code"),
    [
        (f"{PROJECTION}Nowhere.svc/Set", {}, 404, "MI_METADATA_NOTFOUND"),
        (f"{PROJECTION}SupplierHandling.svc/Nowhere", {}, 404, "ODP_RESOURCE_NOTFOUND"),
        (f"{PROJECTION}PurchaseOrderLineEntity.svc/PurchaseOrderLineSet", {}, 404, "MI_METADATA_NOTFOUND"),
        (f"{SUPPLIERS}(SupplierId='none')", {}, 404, "ODP_RESOURCE_NOTFOUND"),
        (f"{SUPPLIERS}(SupplierId='none')/SupplierInfoAddresses", {}, 404, "ODP_RESOURCE_NOTFOUND"),
        (f"{SUPPLIERS}('S1')", {}, 400, "ODP_UNSUPPORTED_URL"),
        (SUPPLIERS, {"filter": "Oops eq 1"}, 400, "EXPRESSION_PROPERTY_NOT_IN_TYPE"),
        (SUPPLIERS, {"orderby": "Oops"}, 400, "EXPRESSION_PROPERTY_NOT_IN_TYPE"),
        (SUPPLIERS, {"select": "SupplierInfoAddresses"}, 400, "ODP_UNSUPPORTED_URL"),
        (SUPPLIERS, {"expand": "SupplierInfoAddresses"}, 501, "ODP_NOT_IMPLEMENTED"),
        (SUPPLIERS, {"top": "-1"}, 400, "ODP_UNSUPPORTED_URL"),
        (SUPPLIERS, {"search": "x"}, 501, "ODP_NOT_IMPLEMENTED"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_code(
    ifs: Ifs, address: str, options: dict[str, str | int], status: int, code: str
) -> None:
    answer = ifs.get(address, **options)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_an_encoded_dollar_sign_is_refused(ifs: Ifs) -> None:
    assert ifs.http.get(f"{SUPPLIERS}?%24top=1", headers=ifs.headers()).status_code == 400


def test_an_address_longer_than_the_ingress_takes_is_refused(ifs: Ifs) -> None:
    answer = ifs.get(SUPPLIERS, filter=" or ".join(f"SupplierId eq 'S{number:06d}'" for number in range(400)))
    assert answer.status_code == 414
    assert "html" in answer.headers["content-type"]


def test_select_and_one_to_one_expand_show_what_was_asked(ifs: Ifs) -> None:
    row = ifs.rows(ORDERS, filter="OrderNo eq 'T1'", select="OrderNo", expand="VendorNoRef($select=Name)", top=1)[0]
    assert {key for key in row if "@" not in key} == {"luname", "keyref", "Objgrants", "OrderNo", "VendorNoRef"}
    assert row["VendorNoRef"] == {"Name": "Supplier S1"}


@pytest.mark.parametrize("status", [403, 404])
def test_an_entity_service_that_nobody_activated_answers_an_error(ifs: Ifs, status: int) -> None:
    ifs.switch(inactive_services=["SupplierInfoAddressEntity"], inactive_status=status)
    assert ifs.get(ADDRESSES, top=1).status_code == status
    assert ifs.get(f"{SUPPLIERS}(SupplierId='S1')/SupplierInfoAddresses", top=1).status_code == 200


def test_metadata_lists_types_and_leaves_out_what_the_tenant_lacks(ifs: Ifs) -> None:
    def properties(service: str, name: str) -> dict[str, str]:
        tree = ET.fromstring(ifs.get(f"{PROJECTION}{service}.svc/$metadata").text)  # noqa: S314 - our own document.
        edm = "{http://docs.oasis-open.org/odata/ns/edm}"
        for kind in tree.iter(f"{edm}EntityType"):
            if kind.get("Name") == name:
                return {found.get("Name", ""): found.get("Type", "") for found in kind.iter(f"{edm}Property")}
        raise AssertionError(name)

    orders = properties("PurchaseOrderHandling", "PurchaseOrder")
    assert orders["ChangeDate"] == "Edm.DateTimeOffset"
    assert orders["Objstate"] == "IfsApp.PurchaseOrderHandling.PurchaseOrderState"
    assert "ChangeDate" not in properties("SupplierHandling", "SupplierInfoGeneral")
    assert properties("SupplierHandling", "SupplierInfoAddress")["AddressId"] == "Edm.String"
    ifs.switch(supplier_change_date=True, hidden_properties={"PurchaseOrderSet": ["Company"]})
    assert properties("SupplierHandling", "SupplierInfoGeneral")["ChangeDate"] == "Edm.DateTimeOffset"
    assert "Company" not in properties("PurchaseOrderHandling", "PurchaseOrder")
    assert "Company" not in ifs.rows(ORDERS, filter="OrderNo eq 'T1'", top=1)[0]
    assert ifs.rows(ORDERS, filter="OrderNo eq 'T3'", top=1) == []


def test_the_service_document_and_the_catalogue_list_what_exists(ifs: Ifs) -> None:
    listed = ifs.get(f"{PROJECTION}PurchaseOrderHandling.svc/").json()["value"]
    assert [entry["name"] for entry in listed] == ["PurchaseOrderSet", "PurchaseOrderLineNopartSet"]
    names = ifs.keys(f"{PROJECTION}AllProjections.svc/Projections", "Name", top=100)
    assert "PreAccountingEntity" in names


def test_numbers_are_exact_and_can_come_as_texts(ifs: Ifs) -> None:
    ifs.app.tenant.store.load("PurchaseOrderLineSet", [line("N1", "1", BuyUnitPrice=Decimal("0.1234567891"))])
    raw = ifs.get(LINES, filter="OrderNo eq 'N1'", top=1).text
    assert '"BuyUnitPrice":0.1234567891,' in raw
    accept = {"Accept": "application/json;odata.metadata=full;IEEE754Compatible=true"}
    row = ifs.get_with(accept, LINES, filter="OrderNo eq 'N1'", top=1).json()["value"][0]
    assert (row["BuyUnitPrice"], row["BuyQtyDue"]) == ("0.1234567891", "2")


def test_true_utc_works_only_where_the_api_knows_it(ifs: Ifs) -> None:
    aware = {"X-Ifs-Time-Zone-Aware-Request": "true"}
    condition = "OrderNo eq '1000' and ChangeDate ge 2025-05-01T06:00:00Z and ChangeDate lt 2025-05-01T06:00:01Z"
    assert ifs.get_with(aware, ORDERS, filter=condition, top=1).status_code == 400
    ifs.switch(aware_tables=["PurchaseOrderSet"])
    row = ifs.get_with(aware, ORDERS, filter=condition, top=1).json()["value"][0]
    assert row["ChangeDate"] == "2025-05-01T06:00:00Z"
    assert ifs.rows(ORDERS, filter="OrderNo eq '1000'", top=1)[0]["ChangeDate"] == "2025-05-01T08:00:00Z"


def test_a_server_side_state_filter_can_be_forbidden(ifs: Ifs) -> None:
    condition = f"OrderNo eq '1000' and Objstate eq {STATE}'Released'"
    assert len(ifs.rows(ORDERS, filter=condition, top=5)) == 1
    ifs.switch(objstate_filter=False)
    assert ifs.get(ORDERS, filter=condition, top=5).status_code == 400

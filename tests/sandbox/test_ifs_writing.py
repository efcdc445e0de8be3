"""Writes: preconditions, conflicts, references, stamps and the history that they leave."""

from collections.abc import Iterator

import httpx
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

S1 = f"{SUPPLIERS}(SupplierId='S1')"
A1 = f"{S1}/SupplierInfoAddresses(SupplierId='S1',AddressId='1')"
HISTORY = f"{PROJECTION}HistoryLogHandling.svc/"


@pytest.fixture(scope="module")
def served() -> Iterator[Ifs]:
    with ifs_served() as ifs:
        yield ifs


@pytest.fixture
def ifs(served: Ifs) -> Ifs:
    served.start(
        SupplierInfoGeneralSet=[supplier("S1", CreationDate="2020-01-01")],
        SupplierInfoAddressSet=[{"SupplierId": "S1", "AddressId": "1", "City": "Leeds", "Country": "GB"}],
        PurchaseOrderSet=[order("1000")],
        PurchaseOrderLineSet=[line("1000", "1")],
        CompanySet=[{"Company": "10", "Name": "Ten"}],
        PaymentTermSet=[{"Company": "10", "PayTermId": "30"}],
    )
    served.control("clock", {"advance_s": 60})
    return served


def etag(ifs: Ifs, address: str) -> str:
    return str(ifs.get(address).headers["ETag"])


def test_a_patch_with_the_current_etag_changes_what_was_sent_and_nothing_else(ifs: Ifs) -> None:
    before = ifs.get(S1).json()
    answer = ifs.send("PATCH", S1, {"Name": "Renamed"}, before["@odata.etag"])
    assert answer.status_code == 200
    assert answer.headers["ETag"] == answer.json()["@odata.etag"] != before["@odata.etag"]
    after = ifs.get(S1).json()
    assert after == before | {"Name": "Renamed", "@odata.etag": after["@odata.etag"]}


def test_a_null_clears_a_property(ifs: Ifs) -> None:
    assert ifs.send("PATCH", A1, {"City": None}, etag(ifs, A1)).json()["City"] is None


@pytest.mark.parametrize(("form", "status"), [("412", 412), ("20114", 400)])
def test_a_stale_etag_is_refused_and_changes_nothing(ifs: Ifs, form: str, status: int) -> None:
    ifs.switch(stale_match=form)
    stale = etag(ifs, S1)
    ifs.control("rows", {"set": "SupplierInfoGeneralSet", "patch": [{"SupplierId": "S1", "Name": "By a person"}]})
    answer = ifs.send("PATCH", S1, {"Name": "By us"}, stale)
    assert answer.status_code == status
    assert "already been changed" in answer.text
    assert ifs.get(S1).json()["Name"] == "By a person"


def test_two_edits_within_one_second_share_an_etag(ifs: Ifs) -> None:
    first = ifs.send("PATCH", S1, {"Name": "One"}, "*").headers["ETag"]
    assert ifs.send("PATCH", S1, {"Name": "Two"}, first).headers["ETag"] == first
    ifs.control("clock", {"advance_s": 1})
    assert ifs.send("PATCH", S1, {"Name": "Three"}, first).headers["ETag"] != first


def test_without_if_match_a_patch_is_refused_in_strict_mode(ifs: Ifs) -> None:
    answer = ifs.send("PATCH", S1, {"Name": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (428, "ODP_MISSING_PRECONDITION")


def test_without_if_match_a_patch_creates_and_updates_in_upsert_mode(ifs: Ifs) -> None:
    ifs.switch(missing_match="upsert")
    assert ifs.send("PATCH", S1, {"Name": "x"}).status_code == 200
    created = ifs.send("PATCH", f"{SUPPLIERS}(SupplierId='S2')", {"Name": "New"})
    assert (created.status_code, created.json()["SupplierId"]) == (201, "S2")


def test_a_child_is_created_below_its_parent_and_the_parent_stays_as_it_is(ifs: Ifs) -> None:
    before = etag(ifs, S1)
    answer = ifs.send("POST", f"{S1}/SupplierInfoAddresses", {"SupplierId": "S1", "AddressId": "2", "Country": "SE"})
    assert answer.status_code == 201
    assert etag(ifs, S1) == before
    assert ifs.keys(ADDRESSES, "AddressId", top=9) == ["1", "2"]
    assert ifs.send("DELETE", A1.replace("AddressId='1'", "AddressId='2'"), if_match="*").status_code == 204
    assert etag(ifs, S1) == before


def test_a_second_post_of_the_same_key_says_that_it_exists(ifs: Ifs) -> None:
    answer = ifs.send("POST", SUPPLIERS, {"SupplierId": "S1", "Name": "Again"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "DATABASE_ERROR")
    assert "already exists" in answer.json()["error"]["details"][0]["message"]


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (SUPPLIERS, {"SupplierId": "S9"}),
        (f"{S1}/SupplierInfoAddresses", {"AddressId": "3"}),
        (ADDRESSES, {"SupplierId": "none", "AddressId": "1", "Country": "SE"}),
        (f"{S1}/SupplierInvoiceCompanies", {"Company": "99", "DefCurrency": "SEK", "PayTermId": "30"}),
        (f"{S1}/SupplierInvoiceCompanies", {"Company": "10", "DefCurrency": "SEK", "PayTermId": "77"}),
        (SUPPLIERS, {"SupplierId": "S9", "Name": "x" * 101}),
    ],
)
def test_a_broken_rule_of_the_database_is_refused(ifs: Ifs, address: str, body: dict[str, str]) -> None:
    answer = ifs.send("POST", address, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "DATABASE_ERROR")


INVOICE_INFO = f"{ENTITY}IdentityInvoiceInfoEntity.svc/IdentityInvoiceInfoSet"
PAY_INFO = f"{ENTITY}IdentityPayInfoEntity.svc/IdentityPayInfoSet"
PURCHASE_INFO = f"{ENTITY}SupplierEntity.svc/SupplierSet"
TYPES = f"{ENTITY}SupplierInfoAddressTypeEntity.svc/SupplierInfoAddressTypeSet"
COMMUNICATION = f"{ENTITY}CommMethodEntity.svc/CommMethodSet"
TAX_INFO = f"{ENTITY}SupplierDocumentTaxInfoEntity.svc/SupplierDocumentTaxInfoSet"

#: Every part of a new supplier in the order in which IFS takes them: (flat address, path below the supplier, body).
PARTS: list[tuple[str, str, dict[str, object]]] = [
    (SUPPLIERS, "", {"SupplierId": "N1", "Name": "New", "Country": "SE"}),
    (ADDRESSES, "SupplierInfoAddresses", {"SupplierId": "N1", "AddressId": "1", "Country": "SE", "Address1": "A"}),
    (
        TYPES,
        "SupplierInfoAddresses(SupplierId='N1',AddressId='1')/AddressTypes",
        {"SupplierId": "N1", "AddressId": "1", "AddressTypeCode": "Document", "DefAddress": True},
    ),
    (
        COMMUNICATION,
        "SupplierInfoAddresses(SupplierId='N1',AddressId='1')/AddressCommunicationMethods",
        {"PartyType": "Supplier", "Identity": "N1", "AddressId": "1", "MethodId": "Phone", "Value": "1"},
    ),
    (
        INVOICE_INFO,
        "SupplierInvoiceCompanies",
        {"Company": "10", "Identity": "N1", "PartyType": "Supplier", "DefCurrency": "SEK", "PayTermId": "30"},
    ),
    (
        TAX_INFO,
        "SupplierInfoAddresses(SupplierId='N1',AddressId='1')/SupplierDocumentTaxInfoArray",
        {"SupplierId": "N1", "AddressId": "1", "Company": "10", "VatNo": "SE1"},
    ),
    (PAY_INFO, "SupplierPayments", {"Company": "10", "Identity": "N1", "PartyType": "Supplier"}),
    (PURCHASE_INFO, "SupplierPurchases", {"VendorNo": "N1", "CurrencyCode": "SEK"}),
]


@pytest.mark.parametrize("nested", [False, True])
def test_a_supplier_is_made_part_by_part_through_flat_sets_or_nested_paths(ifs: Ifs, nested: bool) -> None:
    for flat, below, body in PARTS:
        address = f"{SUPPLIERS}(SupplierId='N1')/{below}" if nested and below else flat
        answer = ifs.send("POST", address, body)
        assert answer.status_code == 201, answer.text
        assert body.items() <= answer.json().items()
    for flat, _, _ in PARTS:
        assert len(ifs.rows(flat, filter="true eq true", top=9)) >= 1


#: Places in PARTS: what is asked for, and what is there when it is.
@pytest.mark.parametrize(
    ("place", "there"), [(1, []), (2, [0]), (3, [0]), (4, []), (5, [0]), (6, [0]), (7, [0, 1]), (7, [0, 1, 4])]
)
def test_a_part_whose_turn_has_not_come_is_refused(ifs: Ifs, place: int, there: list[int]) -> None:
    for earlier in there:
        assert ifs.send("POST", *PARTS[earlier][::2]).status_code == 201
    answer = ifs.send("POST", *PARTS[place][::2])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "DATABASE_ERROR")


def test_payment_and_purchase_information_may_come_first_where_the_tenant_does_not_mind(ifs: Ifs) -> None:
    ifs.switch(creation_order="references")
    ifs.send("POST", *PARTS[0][::2])
    assert ifs.send("POST", *PARTS[6][::2]).status_code == 201
    assert ifs.send("POST", *PARTS[7][::2]).status_code == 201


def test_a_supplier_without_a_number_gets_the_next_of_the_series_where_there_is_one(ifs: Ifs) -> None:
    assert ifs.send("POST", SUPPLIERS, {"Name": "New"}).status_code == 400
    ifs.switch(supplier_series="S{}")
    answer = ifs.send("POST", SUPPLIERS, {"Name": "New"})
    assert (answer.status_code, answer.json()["SupplierId"]) == (201, "S2")


def test_a_child_is_patched_and_deleted_by_its_whole_key_in_either_place(ifs: Ifs) -> None:
    for flat, _, body in PARTS:
        ifs.send("POST", flat, body)
    party = "IfsApp.IdentityInvoiceInfoEntity.PartyType'Supplier'"
    flat = f"{INVOICE_INFO}(Company='10',Identity='N1',PartyType={party})"
    assert ifs.send("PATCH", flat, {"DefCurrency": "EUR"}, etag(ifs, flat)).json()["DefCurrency"] == "EUR"
    party = "IfsApp.SupplierHandling.PartyType'Supplier'"
    nested = f"{SUPPLIERS}(SupplierId='N1')/SupplierInvoiceCompanies(Company='10',Identity='N1',PartyType={party})"
    assert ifs.send("PATCH", nested, {"PayTermId": "77"}, etag(ifs, nested)).status_code == 400
    phone = f"{COMMUNICATION}(PartyType=IfsApp.CommMethodEntity.PartyType'Supplier',Identity='N1',CommId=1)"
    before = etag(ifs, f"{SUPPLIERS}(SupplierId='N1')")
    assert ifs.send("DELETE", phone, if_match=etag(ifs, phone)).status_code == 204
    assert ifs.get(phone).status_code == 404
    assert etag(ifs, f"{SUPPLIERS}(SupplierId='N1')") == before


def test_a_body_that_names_another_parent_than_its_address_is_refused(ifs: Ifs) -> None:
    ifs.send("POST", *PARTS[0][::2])
    body = {"SupplierId": "N1", "AddressId": "9", "Country": "SE"}
    assert ifs.send("POST", f"{S1}/SupplierInfoAddresses", body).status_code == 400


def test_rows_of_a_company_that_is_not_allowed_are_neither_made_nor_changed(ifs: Ifs) -> None:
    ifs.control(
        "rows",
        [
            {"set": "CompanySet", "upsert": [{"Company": "30", "Name": "Thirty"}]},
            {"set": "PaymentTermSet", "upsert": [{"Company": "30", "PayTermId": "30"}]},
        ],
    )
    body = {"Company": "30", "Identity": "S1", "PartyType": "Supplier", "DefCurrency": "SEK", "PayTermId": "30"}
    answer = ifs.send("POST", INVOICE_INFO, body)
    assert (answer.status_code, "not allowed" in answer.text) == (400, True)
    ifs.control("rows", {"set": "IdentityInvoiceInfoSet", "upsert": [body]})
    row = f"{INVOICE_INFO}(Company='30',Identity='S1',PartyType=IfsApp.IdentityInvoiceInfoEntity.PartyType'Supplier')"
    assert ifs.send("PATCH", row, {"DefCurrency": "EUR"}, "*").status_code == 404


def test_custom_fields_are_there_where_an_administrator_made_them(ifs: Ifs) -> None:
    assert "Cf_Blocked" not in ifs.get(S1).json()
    assert ifs.send("PATCH", S1, {"Cf_Blocked": True}, "*").status_code == 400
    ifs.switch(supplier_custom_fields=True)
    assert ifs.send("PATCH", S1, {"Cf_Blocked": True}, "*").json()["Cf_Blocked"] is True


@pytest.mark.parametrize(("edited", "name"), [(False, "Late"), (True, "By a person")])
def test_a_call_whose_client_has_gone_takes_effect_later_if_its_etag_still_holds(
    ifs: Ifs, edited: bool, name: str
) -> None:
    ifs.control("faults", {"kind": "drop_late", "method": "PATCH", "delay_s": 60})
    with pytest.raises(httpx.HTTPError):
        ifs.send("PATCH", S1, {"Name": "Late"}, etag(ifs, S1))
    if edited:
        ifs.control("rows", {"set": "SupplierInfoGeneralSet", "patch": [{"SupplierId": "S1", "Name": "By a person"}]})
    assert ifs.get(S1).json()["Name"] != "Late"
    ifs.control("clock", {"advance_s": 61})
    assert ifs.get(S1).json()["Name"] == name


def test_invoice_information_with_known_company_and_term_is_taken(ifs: Ifs) -> None:
    body = {"Company": "10", "DefCurrency": "SEK", "PayTermId": "30"}
    answer = ifs.send("POST", f"{S1}/SupplierInvoiceCompanies", body)
    assert (answer.status_code, answer.json()["Identity"], answer.json()["PartyType"]) == (201, "S1", "Supplier")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"Name": 5}', b'{"Nowhere": "x"}'])
def test_a_body_that_cannot_be_read_is_refused(ifs: Ifs, content: bytes) -> None:
    headers = {**ifs.headers(), "Content-Type": "application/json", "If-Match": "*"}
    answer = ifs.http.patch(S1, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ODP_DESERIALIZATION_ERROR")


def test_a_body_of_another_content_type_is_refused(ifs: Ifs) -> None:
    headers = {**ifs.headers(), "Content-Type": "text/plain", "If-Match": "*"}
    assert ifs.http.patch(S1, content=b"{}", headers=headers).status_code == 400


def test_bookkeeping_fields_are_ignored_or_refused(ifs: Ifs) -> None:
    body = {"Name": "Ok", "luname": "x", "@odata.etag": "x", "CreationDate": "1999-01-01"}
    answer = ifs.send("PATCH", S1, body, "*")
    assert (answer.status_code, answer.json()["CreationDate"]) == (200, "2020-01-01")
    ifs.switch(system_fields="refused")
    assert ifs.send("PATCH", S1, body, "*").status_code == 400


def test_what_is_in_use_is_not_deleted_and_orders_are_read_only(ifs: Ifs) -> None:
    assert ifs.send("DELETE", S1, if_match="*").status_code == 400
    assert ifs.send("DELETE", S1).status_code == 428
    assert ifs.send("PATCH", f"{ORDERS}(OrderNo='1000')", {}, "*").status_code == 405
    assert ifs.send("POST", LINES, line("1000", "2")).status_code == 405


def test_a_patch_may_be_answered_without_a_body(ifs: Ifs) -> None:
    ifs.switch(patch_answer=204)
    answer = ifs.send("PATCH", S1, {"Name": "x"}, "*")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("mode", "header_edit_moves", "line_edit_moves"),
    [("header", True, False), ("never", False, False), ("children", True, True)],
)
def test_the_stamp_of_an_order_moves_as_the_switch_says(
    ifs: Ifs, mode: str, header_edit_moves: bool, line_edit_moves: bool
) -> None:
    ifs.switch(order_change_date=mode)

    def stamp() -> str:
        return str(ifs.rows(ORDERS, top=1)[0]["ChangeDate"])

    before, tag = stamp(), etag(ifs, f"{ORDERS}(OrderNo='1000')")
    edit = {"OrderNo": "1000", "LineNo": "1", "ReleaseNo": "1", "BuyQtyDue": 5}
    ifs.control("rows", {"set": "PurchaseOrderLineSet", "patch": [edit]})
    assert ifs.rows(LINES, top=1)[0]["LastActivityDate"] == "2025-06-02T10:01:00Z"
    assert (stamp() != before) is line_edit_moves
    assert (etag(ifs, f"{ORDERS}(OrderNo='1000')") != tag) is line_edit_moves
    before = stamp()
    ifs.control("clock", {"advance_s": 60})
    ifs.control("rows", {"set": "PurchaseOrderSet", "patch": [{"OrderNo": "1000", "NoteText": "x"}]})
    assert (stamp() != before) is header_edit_moves


def test_a_supplier_has_a_stamp_only_where_the_tenant_added_one(ifs: Ifs) -> None:
    ifs.switch(supplier_change_date=True)
    ifs.control("rows", {"set": "SupplierInfoGeneralSet", "patch": [{"SupplierId": "S1", "Name": "x"}]})
    condition = "ChangeDate ge 2025-06-02T10:01:00Z"
    assert ifs.keys(SUPPLIERS, "SupplierId", filter=condition, top=5) == ["S1"]
    ifs.switch(supplier_change_date=False)
    assert ifs.get(SUPPLIERS, filter=condition, top=5).status_code == 400


def test_a_late_commit_shows_later_with_its_early_stamp(ifs: Ifs) -> None:
    edit = {"set": "PurchaseOrderSet", "patch": [{"OrderNo": "1000", "NoteText": "late"}], "lag_s": 300}
    ifs.control("rows", edit)
    ifs.control("clock", {"advance_s": 299})
    assert ifs.rows(ORDERS, top=1)[0]["NoteText"] is None
    ifs.control("clock", {"advance_s": 2})
    row = ifs.rows(ORDERS, top=1)[0]
    assert (row["NoteText"], row["ChangeDate"]) == ("late", "2025-06-02T10:01:00Z")


def test_a_row_that_an_open_transaction_holds_is_not_written_by_anybody_else(ifs: Ifs) -> None:
    tag = etag(ifs, S1)
    edit = {"set": "SupplierInfoGeneralSet", "patch": [{"SupplierId": "S1", "Name": "Slow"}], "lag_s": 300}
    ifs.control("rows", edit)
    answer = ifs.send("PATCH", S1, {"AssociationNo": "1"}, tag)
    assert (answer.status_code, "ORA-30006" in answer.text) == (500, True)
    ifs.control("clock", {"advance_s": 301})
    assert ifs.send("PATCH", S1, {"AssociationNo": "1"}, tag).status_code == 412


def test_the_history_log_tells_who_did_what_once_it_is_on(ifs: Ifs) -> None:
    overview = f"{HISTORY}HistoryLogOverviewSet"
    patch = {"set": "SupplierInfoAddressSet", "patch": [{"SupplierId": "S1", "AddressId": "1", "City": "Hull"}]}
    ifs.control("rows", patch)
    assert ifs.rows(overview, top=9) == []
    ifs.switch(history=True)
    ifs.control("rows", patch | {"patch": [{"SupplierId": "S1", "AddressId": "1", "City": "York"}], "user": "ANNA"})
    ifs.control("rows", {"set": "SupplierInfoGeneralSet", "upsert": [supplier("S2")]})
    ifs.control("rows", {"set": "SupplierInfoAddressSet", "delete": [{"SupplierId": "S1", "AddressId": "1"}]})
    condition = "LuName eq 'SupplierInfoAddress' and TimeStamp ge 2025-06-02T10:01:00Z"
    rows = ifs.rows(overview, filter=condition, orderby="LogId", top=9)
    assert [(row["HistoryType"], row["Username"], row["Keys"]) for row in rows] == [
        ("Update", "ANNA", "ADDRESS_ID=1^SUPPLIER_ID=S1^"),
        ("Delete", "IFSAPP", "ADDRESS_ID=1^SUPPLIER_ID=S1^"),
    ]
    details = f"{HISTORY}HistoryLogDetailsSet(LogId={rows[0]['LogId']})/HistoryLogAttributeArray"
    (change,) = ifs.rows(details, top=9)
    assert (change["ColumnName"], change["OldValue"], change["NewValue"]) == ("CITY", "Hull", "York")
    assert ifs.keys(overview, "HistoryType", filter="LuName eq 'SupplierInfo'", top=9) == ["Insert"]

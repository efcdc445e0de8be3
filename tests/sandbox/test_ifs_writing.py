"""Writes: preconditions, conflicts, references, stamps and the history that they leave."""

from collections.abc import Iterator

import pytest

from tests.sandbox.ifs_client import (
    ADDRESSES,
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

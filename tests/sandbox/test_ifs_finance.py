"""Supplier invoices, vouchers and accounts as the IFS stand-in serves them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.ifs_client import ENTITY, PROJECTION, Ifs, ifs_served

INVOICES = f"{ENTITY}ManSuppInvoiceEntity.svc/ManSuppInvoiceSet"
ITEMS = f"{ENTITY}ManSuppInvoiceItemEntity.svc/ManSuppInvoiceItemSet"
POSTINGS = f"{ENTITY}ManSuppInvoicePostingsEntity.svc/ManSuppInvoicePostingsSet"
ROWS = f"{PROJECTION}VoucherRowsAnalysis.svc/VoucherRowSet"
LEDGER_ROWS = f"{PROJECTION}GLVoucherRowsAnalysis.svc/GenLedVoucherRowSet"
VOUCHERS = f"{ENTITY}VoucherEntity.svc/VoucherSet"
ACCOUNTS = f"{ENTITY}AccountEntity.svc/AccountSet"
FIRST = f"{VOUCHERS}(Company='10',AccountingYear=2025,VoucherType='I',VoucherNo=1)"
CHECK = {"Cf_Cin7Check": "account 9999 is missing", "Cf_Cin7CheckState": "CfEnum_FAILED"}


def invoice(company: str, number: int) -> dict[str, object]:
    row = {
        "Company": company,
        "InvoiceId": number,
        "Identity": "S1",
        "PartyType": "Supplier",
        "InvoiceNo": f"N{number}",
    }
    return {**row, "InvoiceDate": "2025-05-02", "Currency": "EUR", "NetCurrAmount": 46.5, "Objstate": "Posted"}


def posting(company: str, number: int, row: int) -> dict[str, object]:
    return {"Company": company, "InvoiceId": number, "RowId": row, "CodeA": "4010", "CurrAmount": 46.5}


def voucher(company: str, kind: str = "I", number: int = 1, year: int = 2025) -> dict[str, Any]:
    key = {"Company": company, "AccountingYear": year, "VoucherType": kind, "VoucherNo": number}
    return {**key, "AccountingPeriod": 5, "VoucherDate": "2025-05-20"}


def voucher_row(row: int, **of: Any) -> dict[str, Any]:  # noqa: ANN401 - as `voucher`.
    return {**voucher(**{"company": "10", **of}), "RowNo": row, "EntryDate": "2025-05-21", "Account": "4010"}


@pytest.fixture(scope="module")
def served() -> Iterator[Ifs]:
    with ifs_served() as ifs:
        yield ifs


@pytest.fixture
def ifs(served: Ifs) -> Ifs:
    accounts = {"Company": "10", "Account": "4010", "ValidFrom": "2015-01-01", "ValidUntil": "2025-05-31"}
    served.start(
        ManSuppInvoiceSet=[invoice("10", 7), invoice("10", 8), invoice("40", 7)],
        ManSuppInvoiceItemSet=[{"Company": "10", "InvoiceId": 7, "ItemId": 1, "NetCurrAmount": 46.5}],
        ManSuppInvoicePostingsSet=[posting("10", 7, 1), posting("10", 8, 1), posting("40", 7, 1)],
        VoucherSet=[voucher("10"), voucher("10", kind="M"), voucher("10", year=2026), voucher("40")],
        VoucherRowSet=[
            *(voucher_row(number) for number in (1, 2)),
            voucher_row(1, kind="M"),
            voucher_row(1, year=2026),
            voucher_row(1, company="40"),
        ],
        AccountSet=[
            {**accounts, "LedgFlag": True, "StatAccount": False, "LogicalAccountType": "L"},
            {"Company": "40", "Account": "4010"},
        ],
    )
    served.control("clock", {"advance_s": 60})
    return served


def etag(ifs: Ifs, address: str) -> str:
    return str(ifs.get(address).headers["ETag"])


def test_invoices_items_and_postings_are_read_flat_for_several_invoices_at_once(ifs: Ifs) -> None:
    condition = "Company eq '10' and (InvoiceId eq 7 or InvoiceId eq 8)"
    assert ifs.keys(INVOICES, "InvoiceNo", filter=condition, orderby="InvoiceId", top=9) == ["N7", "N8"]
    assert ifs.keys(ITEMS, "ItemId", filter=condition, top=9) == [1]
    assert ifs.keys(POSTINGS, "CodeA", filter=condition, top=9) == ["4010", "4010"]
    row = ifs.get(f"{INVOICES}(Company='10',InvoiceId=7)").json()
    assert (row["keyref"], row["luname"]) == ("COMPANY=10^INVOICE_ID=7^", "ManSuppInvoice")
    assert (row["InvoiceDate"], row["PoRefNumber"]) == ("2025-05-02", None)


@pytest.mark.parametrize("address", [INVOICES, POSTINGS, ROWS, VOUCHERS, ACCOUNTS])
def test_rows_of_a_company_that_is_not_granted_vanish(ifs: Ifs, address: str) -> None:
    assert set(ifs.keys(address, "Company", top=99)) == {"10"}
    assert ifs.rows(address, filter="Company eq '40'", top=9) == []


def test_by_key_they_are_absent_and_cannot_be_changed_either(ifs: Ifs) -> None:
    for mode in ("strict", "upsert"):
        ifs.switch(missing_match=mode)
        assert ifs.get(f"{INVOICES}(Company='40',InvoiceId=7)").status_code == 404
        assert ifs.send("PATCH", FIRST.replace("'10'", "'40'"), CHECK, "*").status_code == 404


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("PATCH", f"{INVOICES}(Company='10',InvoiceId=7)"),
        ("POST", POSTINGS),
        ("PATCH", f"{ROWS}(Company='10',AccountingYear=2025,VoucherType='I',VoucherNo=1,RowNo=1)"),
        ("PATCH", FIRST.replace(VOUCHERS, f"{PROJECTION}VouchersAnalysis.svc/VoucherSet")),
        ("PATCH", f"{ACCOUNTS}(Company='10',Account='4010')"),
        ("PATCH", f"{PROJECTION}VoucherRowsAnalysis.svc/Reference_Account(Company='10',Account='4010')"),
        ("POST", VOUCHERS),
        ("DELETE", FIRST),
    ],
)
def test_what_finance_only_shows_refuses_every_write(ifs: Ifs, method: str, address: str) -> None:
    assert ifs.send(method, address, {"Text": "x"}, "*").status_code == 405


def test_the_version_of_an_invoice_counts_and_a_posting_does_not_move_it(ifs: Ifs) -> None:
    address = f"{INVOICES}(Company='10',InvoiceId=7)"
    first = etag(ifs, address)
    ifs.control("rows", {"set": "ManSuppInvoicePostingsSet", "patch": [posting("10", 7, 1) | {"CodeA": "9999"}]})
    assert etag(ifs, address) == first
    for state in ("PostedAuth", "PaidPosted"):
        ifs.control("rows", {"set": "ManSuppInvoiceSet", "patch": [invoice("10", 7) | {"Objstate": state}]})
    # Two edits within one second are told apart, unlike those of rows whose version is a date.
    assert len({first, etag(ifs, address)}) == 2
    assert ifs.get(address).json()["Objstate"] == "PaidPosted"


def test_new_invoices_and_vouchers_are_given_the_day_they_were_entered_and_keep_it(ifs: Ifs) -> None:
    ifs.control("rows", {"set": "ManSuppInvoiceSet", "upsert": [invoice("10", 9)]})
    new = {key: value for key, value in voucher_row(1, number=5).items() if key != "EntryDate"}
    ifs.control("rows", {"set": "VoucherRowSet", "upsert": [new]})
    ifs.control("clock", {"advance_s": 86400})
    ifs.control("rows", {"set": "VoucherRowSet", "patch": [new | {"Account": "4011"}]})
    (row,) = ifs.rows(ROWS, filter="EntryDate ge 2025-06-01", top=9)
    assert (row["VoucherNo"], row["EntryDate"], row["Account"]) == (5, "2025-06-02", "4011")
    assert ifs.keys(INVOICES, "InvoiceId", filter="CreationDate eq 2025-06-02", top=9) == [9]


def test_numbers_repeat_across_years_and_types_so_only_the_whole_key_is_one_voucher(ifs: Ifs) -> None:
    order = "AccountingYear,VoucherType,VoucherNo,RowNo"
    rows = ifs.rows(ROWS, filter="Company eq '10' and VoucherNo eq 1", orderby=order, top=9)
    found = [(row["AccountingYear"], row["VoucherType"], row["RowNo"]) for row in rows]
    assert found == [(2025, "I", 1), (2025, "I", 2), (2025, "M", 1), (2026, "I", 1)]
    assert rows[0]["keyref"] == "ACCOUNTING_YEAR=2025^COMPANY=10^ROW_NO=1^VOUCHER_NO=1^VOUCHER_TYPE=I^"


def test_a_custom_field_of_a_voucher_is_changed_under_its_etag_and_no_row_moves(ifs: Ifs) -> None:
    row = f"{ROWS}(Company='10',AccountingYear=2025,VoucherType='I',VoucherNo=1,RowNo=1)"
    before, tag = etag(ifs, row), etag(ifs, FIRST)
    answer = ifs.send("PATCH", FIRST, CHECK, tag)
    assert (answer.status_code, answer.json()["Cf_Cin7CheckState"]) == (200, "CfEnum_FAILED")
    assert answer.headers["ETag"] != tag
    assert etag(ifs, row) == before
    assert ifs.send("PATCH", FIRST, {"Cf_Cin7CheckState": "FAILED"}, "*").status_code == 400


@pytest.mark.parametrize(("form", "status"), [("412", 412), ("20114", 400)])
def test_a_stale_etag_of_a_voucher_is_refused_in_either_form(ifs: Ifs, form: str, status: int) -> None:
    ifs.switch(stale_match=form)
    stale = etag(ifs, FIRST)
    ifs.control("rows", {"set": "VoucherSet", "patch": [voucher("10") | {"VoucherText": "by a person"}]})
    answer = ifs.send("PATCH", FIRST, CHECK, stale)
    assert answer.status_code == status
    assert "already been changed" in answer.text
    assert ifs.get(FIRST).json()["Cf_Cin7Check"] is None


def test_without_if_match_a_voucher_is_refused_or_changed_as_the_mode_says_and_never_created(ifs: Ifs) -> None:
    assert ifs.send("PATCH", FIRST, CHECK).status_code == 428
    ifs.switch(missing_match="upsert")
    assert ifs.send("PATCH", FIRST, CHECK).json()["Cf_Cin7Check"] == CHECK["Cf_Cin7Check"]
    assert ifs.send("PATCH", FIRST.replace("VoucherNo=1", "VoucherNo=99"), CHECK).status_code == 404


def test_the_rest_of_a_voucher_is_the_finance_users_own(ifs: Ifs) -> None:
    body = {"VoucherDate": "2025-01-01", "Objstate": "Cancelled", **CHECK}
    answer = ifs.send("PATCH", FIRST, body, "*").json()
    assert (answer["VoucherDate"], answer["Objstate"]) == ("2025-05-20", None)
    ifs.switch(system_fields="refused")
    assert ifs.send("PATCH", FIRST, body, "*").status_code == 400


def test_a_voucher_in_the_general_ledger_leaves_the_hold_table_and_cannot_be_changed(ifs: Ifs) -> None:
    ifs.control("rows", {"set": "VoucherSet", "patch": [voucher("10") | {"VoucherUpdated": True}]})
    condition = "AccountingYear eq 2025 and VoucherType eq 'I'"
    assert ifs.rows(ROWS, filter=condition, top=9) == []
    assert ifs.keys(LEDGER_ROWS, "RowNo", filter=condition, orderby="RowNo", top=9) == [1, 2]
    assert len(ifs.rows(ROWS, top=9)) == 2
    answer = ifs.send("PATCH", FIRST, CHECK, etag(ifs, FIRST))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "DATABASE_ERROR")
    assert "general ledger" in answer.json()["error"]["details"][0]["message"]


def test_a_tenant_without_the_custom_fields_does_not_know_them(ifs: Ifs) -> None:
    ifs.switch(voucher_custom_fields=False)
    assert "Cf_Cin7Check" not in ifs.get(FIRST).json()
    assert ifs.send("PATCH", FIRST, CHECK, "*").status_code == 400
    assert "Cf_Cin7Check" not in ifs.get(f"{ENTITY}VoucherEntity.svc/$metadata").text
    ifs.switch(voucher_custom_fields=True)
    assert 'Name="Cf_Cin7Check"' in ifs.get(f"{ENTITY}VoucherEntity.svc/$metadata").text


def test_an_account_tells_its_validity_and_kind_and_is_linked_from_rows(ifs: Ifs) -> None:
    (row,) = ifs.rows(ACCOUNTS, filter="ValidUntil ge 2025-05-20 and LedgFlag eq true", top=9)
    assert (row["LogicalAccountType"], row["StatAccount"], row["ValidUntil"]) == ("L", False, "2025-05-31")
    found = ifs.rows(ROWS, expand="AccountRef($select=ValidUntil)", top=1)
    assert found[0]["AccountRef"] == {"ValidUntil": "2025-05-31"}


def test_postings_enter_the_history_log_under_their_invoice(ifs: Ifs) -> None:
    ifs.switch(history=True)
    ifs.control("rows", {"set": "ManSuppInvoicePostingsSet", "patch": [posting("10", 7, 1) | {"CodeA": "5010"}]})
    log = f"{PROJECTION}HistoryLogHandling.svc/HistoryLogOverviewSet"
    (entry,) = ifs.rows(log, filter="LuName eq 'ManSuppInvoicePostings'", top=9)
    assert entry["Keys"] == "COMPANY=10^INVOICE_ID=7^ROW_ID=1^"

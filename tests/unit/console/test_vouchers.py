"""Bytes to vouchers: amounts to the last digit, texts as texts, and one sentence for whatever cannot be read."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.vouchers import VoucherFault, from_json, read_vouchers

HEADINGS = "Company,AccountingYear,VoucherType,VoucherNo,VoucherDate,RowNo,Account,DebetAmount,CreditAmount"
ROW = '{"RowNo": 1, "Account": "0761", "DebetAmount": 0.1}'


def document(rows: str) -> str:
    return (
        '{"Company": "10", "AccountingYear": 2026, "VoucherType": "I", "VoucherNo": 45, "VoucherDate": "2026-03-21", '
        f'"rows": {rows}}}'
    )


def lines(*rows: str) -> str:
    return "\n".join([HEADINGS, *rows, ""])


def test_json_keeps_amounts_and_accounts_as_they_are_written() -> None:
    exact = "12345678901234567890.12345678901234567890"
    (voucher,) = read_vouchers(document(f'[{ROW}, {{"RowNo": 2, "CreditAmount": {exact}, "Extra": [1]}}]').encode())
    assert voucher.key == "10/2026/I/45"
    assert [row.account for row in voucher.rows] == ["0761", None]
    assert [row.debet_amount for row in voucher.rows] == [Decimal("0.1"), None]
    assert voucher.rows[1].credit_amount == Decimal(exact)


def test_a_list_holds_several_and_a_byte_order_mark_is_passed_over() -> None:
    assert len(read_vouchers(f"\ufeff [{document('[]')}, {document('[]')}]".encode())) == 2


def test_csv_rows_make_vouchers_in_the_order_in_which_they_begin() -> None:
    rows = (
        "20,2026,I,1,2026-03-22,1,4010,5,",
        "10,2026,I,1,2026-03-21,1,0761,46.00,",
        ",,,,,,,,",
        "20,2026,I,1,2026-03-22,2,4011,,-5",
    )
    first, second = read_vouchers(lines(*rows).encode())
    assert (first.key, [row.row_no for row in first.rows]) == ("20/2026/I/1", [1, 2])
    assert first.rows[1].credit_amount == Decimal(-5)
    assert (second.key, second.rows[0].account, second.voucher_date) == ("10/2026/I/1", "0761", "2026-03-21")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (document('[{"RowNo": 1, "Account": 761}]'), "Row 1, field Account is not a text in quotes."),
        (document('[{"RowNo": 1}, {"Account": "1"}]'), "Row 2, field RowNo is missing."),
        (document("{}"), "Field rows is not a list."),
        (document("[1]"), "Row 1 is not an object."),
        (f"[{document('[]')}, {{}}]", "Voucher 2, field Company is missing."),
        (f"[{document('[]')}, {document('[{}]')}]", "Voucher 2, row 1, field RowNo is missing."),
        (document('[{"RowNo": 1, "CreditAmount": "1,5"}]'), "Row 1, field CreditAmount is not a number."),
        ("[]", "There is no voucher in it."),
        (lines(), "There is no voucher in it."),
        (lines('10,2026,I,1,2026-03-21,1,4010,"5,00",'), "Line 2, field DebetAmount ('5,00') is not a number."),
        (lines("10,2026,I,1,2026-03-21,,4010,5,"), "Line 2, field RowNo is missing."),
        (lines("10,year,I,1,2026-03-21,1,4010,5,"), "Line 2, field AccountingYear ('year') is not a whole number."),
        (
            lines("10,2026,I,1,2026-03-21,1,4010,5,", "10,2026,I,1,2026-03-22,2,4010,5,"),
            "Line 3, field VoucherDate: another date than on line 2 of its voucher.",
        ),
        (lines("10,2026"), "Line 2 has 2 cells, the headings name 9."),
        (lines('"'), "Line 2 is not CSV (unexpected end of data): check the quotes."),
        (HEADINGS.replace("Debet", "Debit"), "Line 1: heading DebetAmount is missing; did you mean 'DebitAmount'?"),
        (HEADINGS + ",Account", f"Line 1: heading Account stands there twice; the headings are {HEADINGS}."),
        (
            HEADINGS.replace(",", ";"),
            "Line 1: the columns are separated by semicolons; save the file as CSV with commas.",
        ),
    ],
)
def test_a_fault_is_one_sentence_that_names_row_and_field(text: str, sentence: str) -> None:
    with pytest.raises(VoucherFault) as fault:
        read_vouchers(text.encode())
    assert str(fault.value) == sentence


@pytest.mark.parametrize("raw", [b"", b"{", b"[[", b'"x"', b"\xff", b"[" * 200_000, b'{"Company": "\xff"}', b"\x00"])
def test_what_is_neither_json_nor_csv_is_a_fault(raw: bytes) -> None:
    with pytest.raises(VoucherFault):
        read_vouchers(raw)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100) | st.text(max_size=60).map(lambda text: lines(text).encode("utf-8", "replace")))
def test_any_bytes_are_vouchers_or_a_fault(raw: bytes) -> None:
    for read in (read_vouchers, from_json):
        try:
            assert read(raw)
        except VoucherFault as fault:
            assert str(fault).endswith((".", "?", ")"))  # noqa: PT017 - one of two ends, both fine.

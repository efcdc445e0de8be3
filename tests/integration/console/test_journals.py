"""`connector journals check` on real servers and both stand-ins: one verdict from files and from standard input."""

import time
from typing import Any

import pytest

from sandbox.ifs.control import Edit
from tests.integration.console.installation import Installation, feed
from tests.integration.console.test_documented_shapes import keys
from tests.integration.console.vouchers import Row, text, voucher
from tests.unit.console.documented import examples, sections

CSV = """Company,AccountingYear,VoucherType,VoucherNo,VoucherDate,RowNo,Account,CodeB,DebetAmount,CreditAmount
10,2026,I,1,2026-03-21,1,0761,100,46.00,
10,2026,I,1,2026-03-21,2,2440,,,46.00
10,2026,I,2,2026-03-21,1,9999,,5,
10,2026,I,2,2026-03-21,2,6990,,,5
"""


def checked(site: Installation, *vouchers: Row, code: int = 0) -> Any:  # noqa: ANN401 - JSON of any shape
    file = site.folder / "vouchers.json"
    file.write_text(text(*vouchers))
    return site.json("journals", "check", str(file), code=code)


def reasons(answer: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 - JSON of any shape
    return [(one["code"], one["field"], one["value"]) for found in answer["vouchers"] for one in found["findings"]]


def test_a_voucher_that_both_sides_can_take_may_be_posted(site: Installation) -> None:
    answer = checked(site, voucher())
    assert answer == {
        "ok": True,
        "vouchers": [{"key": "10/2026/I/2600045", "ok": True, "dates_checked": True, "findings": []}],
    }


def test_every_row_that_fails_has_a_finding_and_the_exit_code_says_so(site: Installation) -> None:
    answer = checked(site, voucher("9999", "6990", "4010", "2440"), voucher(VoucherNo=2), code=3)
    assert [(one["key"], one["ok"]) for one in answer["vouchers"]] == [
        ("10/2026/I/2600045", False),
        ("10/2026/I/2", True),
    ]
    assert reasons(answer) == [
        ("account.missing", "row 1 Account", "9999"),
        ("account.inactive", "row 2 Account", "6990"),
    ]
    assert keys(answer) == keys(examples(sections()["journals check"][1])[1])


def test_an_account_that_is_not_valid_on_the_voucher_s_date_is_named_with_its_dates(site: Installation) -> None:
    answer = checked(site, voucher("5020", "2440"), code=3)
    (finding,) = answer["vouchers"][0]["findings"]
    assert (finding["code"], finding["value"]) == ("account.inactive", "5020")
    assert "until 2020-12-31, not on 2026-03-21" in finding["message"]


def test_what_does_not_balance_names_both_sums(site: Installation) -> None:
    spoilt = voucher()
    spoilt["rows"][1]["CreditAmount"] = 45.99
    (finding,) = checked(site, spoilt, code=3)["vouchers"][0]["findings"]
    assert (finding["code"], finding["value"]) == ("journal.unbalanced", "10/2026/I/2600045")
    assert "46.0 debit and 45.99 credit" in finding["message"]


def test_a_company_that_is_not_mapped_is_held_and_never_guessed(site: Installation) -> None:
    answer = checked(site, voucher(Company="30"), code=3)
    assert reasons(answer) == [("company.unmapped", "Company", "30")]
    assert answer["vouchers"][0]["dates_checked"] is False


def test_the_cached_charts_answer_without_a_call(site: Installation) -> None:
    checked(site, voucher())
    calls, asked = site.cin7_calls(), site.ifs.tenant.requests.count
    since = time.monotonic()
    checked(site, voucher(), voucher("9999", "2440"), code=3)
    assert time.monotonic() - since < 2
    assert (site.cin7_calls(), site.ifs.tenant.requests.count) == (calls, asked)


def test_an_account_that_was_just_added_in_cin7_is_seen(site: Installation) -> None:
    checked(site, voucher("9999", "2440"), code=3)
    account = str(site.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"])
    site.cin7.control("POST", "accounts", {"account": account, "row": {"Code": "9999", "Name": "Clearing"}})
    site.worker.ledger.rows("update reference set read_at = now() - interval '61 seconds' returning kind")
    assert checked(site, voucher("9999", "2440"))["ok"] is True


def test_a_validity_that_was_just_changed_in_ifs_is_seen(site: Installation) -> None:
    checked(site, voucher("5020", "2440"), code=3)
    site.ifs.control.edit(
        [Edit(set="AccountSet", patch=[{"Company": "10", "Account": "5020", "ValidUntil": "2049-12-31"}])]
    )
    site.worker.ledger.rows("update reference set read_at = now() - interval '61 seconds' returning kind")
    assert reasons(checked(site, voucher("5020", "2440"), code=3)) == [("account.missing", "row 1 Account", "5020")]


def test_without_ifs_the_verdict_says_what_was_not_looked_at(site: Installation) -> None:
    site.json("accounts", "--company", "10", code=3)
    site.worker.ledger.rows("delete from reference where account = '@ifs-accounts' returning kind")
    site.worker.ledger.rows("delete from credential where name = 'ifs' returning name")
    file = site.folder / "voucher.json"
    file.write_text(text(voucher("5010", "2440")))
    code, out, err = site("journals", "check", str(file))
    assert code == 0
    assert "1 of 1 vouchers may be posted." in out
    assert "Not checked: whether the accounts are valid in IFS on the voucher's date (company 10)." in out
    assert "IFS's accounts are as read before, or unknown" in err


def test_csv_and_standard_input_are_read_like_files(site: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    file = site.folder / "vouchers.csv"
    file.write_text(CSV)
    expected = [("account.missing", "row 1 Account", "9999"), ("account.inactive", "row 2 Account", "6990")]
    answer = site.json("journals", "check", str(file), code=3)
    assert [one["key"] for one in answer["vouchers"]] == ["10/2026/I/1", "10/2026/I/2"]
    assert reasons(answer) == expected
    feed(monkeypatch, CSV)
    assert reasons(site.json("journals", "check", "-", code=3)) == expected


def test_people_get_a_table_with_why_and_what_to_do(site: Installation) -> None:
    file = site.folder / "voucher.json"
    file.write_text(text(voucher("9999", "2440")))
    code, out, _ = site("journals", "check", str(file))
    assert code == 3
    assert "Add account 9999 in Cin7" in out
    assert "0 of 1 vouchers may be posted." in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text(voucher(rows=[{"RowNo": 1, "Account": 4010, "DebetAmount": 1}])), "Row 1, field Account is not a text"),
        ("{", "This is no JSON in UTF-8"),
        (CSV.replace("46.00,\n", '"46,00",\n', 1), "Line 2, field DebetAmount ('46,00') is not a number."),
        ("", "Line 1: heading Company is missing"),
    ],
)
def test_what_cannot_be_read_is_exit_2_and_one_sentence(site: Installation, content: str, said: str) -> None:
    file = site.folder / "vouchers"
    file.write_text(content)
    code, out, err = site("journals", "check", str(file))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_a_file_that_is_not_there_is_exit_2(site: Installation) -> None:
    code, _, err = site("journals", "check", str(site.folder / "nothing"))
    assert (code, "cannot be read" in err) == (2, True)

"""A voucher before it is posted: every rule by itself, all reasons at once, and no input that breaks the verdict."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config.rules import Rules
from shared.findings import CODES, is_about_ifs
from shared.ifs.records.accounts import Account
from shared.ifs.records.journals import Voucher, VoucherDocument, VoucherHead, VoucherRow
from tests.unit.mapping.samples import RULES, policy
from tests.unit.mapping.test_totality import FAIR_RULES, MAYBE, NUMBERS, TEXTS
from workers.mapping.journals import Verdict, map_journal, verdict
from workers.mapping.results import JournalVerdict

DEBIT = VoucherRow(row_no=1, account="4010", code_b="C100", debet_amount=Decimal("46.00"))
CREDIT = VoucherRow(row_no=2, account="5000", credit_amount=Decimal("46.00"))
VOUCHER = Voucher(
    company="10",
    accounting_year=2026,
    voucher_type="I",
    voucher_no=2600045,
    voucher_date="2026-03-21",
    rows=(DEBIT, CREDIT),
)
IN_IFS = {
    "4010": Account(company="10", account="4010", valid_from="2015-01-01", valid_until="2026-03-21T00:00:00Z"),
    "5000": Account(company="10", account="5000"),
}
CHARTED = msgspec.structs.replace(RULES, ifs_accounts={"10": IN_IFS})


def debit(**changes: object) -> Voucher:
    """Return VOUCHER with its first row changed."""
    return of(msgspec.structs.replace(DEBIT, **changes), CREDIT)


def of(*rows: VoucherRow, **changes: object) -> Voucher:
    return msgspec.structs.replace(VOUCHER, rows=rows, **changes)


def reasons(found: Verdict) -> list[tuple[str, str, str]]:
    assert found.ok is not bool(found.findings)
    return [(finding.code, finding.field, finding.value) for finding in found.findings]


def test_what_balances_on_accounts_that_are_active_may_be_posted() -> None:
    assert verdict(VOUCHER, RULES) == Verdict(ok=True)
    assert verdict(VOUCHER, CHARTED) == Verdict(ok=True, dates_checked=True)


@pytest.mark.parametrize(
    ("account", "code", "value"),
    [
        ("9999", "account.missing", "9999"),
        ("7000", "account.inactive", "7000"),
        ("", "account.missing", ""),
        (None, "account.missing", ""),
    ],
)
def test_an_account_must_be_in_the_cin7_chart_and_active(account: str | None, code: str, value: str) -> None:
    assert reasons(verdict(debit(account=account), RULES)) == [(code, "row 1 Account", value)]


def test_an_account_must_be_mapped_where_the_policy_is_explicit() -> None:
    found = verdict(VOUCHER, policy(accounts="explicit"))
    assert reasons(found) == [("account.unmapped", "row 1 Account", "4010")]


def test_a_company_must_be_mapped_and_the_balance_is_looked_at_all_the_same() -> None:
    found = verdict(msgspec.structs.replace(debit(debet_amount=Decimal(1)), company="99"), RULES)
    assert reasons(found) == [
        ("company.unmapped", "Company", "99"),
        ("journal.unbalanced", "DebetAmount, CreditAmount", "99/2026/I/2600045"),
    ]


@pytest.mark.parametrize(("date", "ok"), [("2026-03-21", True), ("2026-03-22", False), ("2014-12-31", False)])
def test_an_account_must_be_valid_in_ifs_on_the_voucher_s_date(date: str, ok: bool) -> None:
    found = verdict(msgspec.structs.replace(VOUCHER, voucher_date=date), CHARTED)
    assert found.ok is ok
    if not ok:
        (finding,) = found.findings
        assert (finding.code, finding.value, is_about_ifs(finding)) == ("account.inactive", "4010", True)
        assert f"from 2015-01-01 until 2026-03-21, not on {date}" in finding.message


def test_an_account_that_ifs_lacks_is_missing_whatever_cin7_has() -> None:
    found = verdict(debit(account="6100"), CHARTED)
    assert reasons(found) == [("account.missing", "row 1 Account in IFS", "6100")]
    assert verdict(debit(account="6100"), RULES).ok


def test_a_row_has_one_finding_about_its_account() -> None:
    assert len(verdict(debit(account="9999"), CHARTED).findings) == 1


def test_the_sums_must_be_equal_to_the_last_digit() -> None:
    found = verdict(debit(debet_amount=Decimal("46.0001")), RULES)
    assert reasons(found) == [("journal.unbalanced", "DebetAmount, CreditAmount", "10/2026/I/2600045")]
    assert "46.0001 debit and 46.00 credit" in found.findings[0].message
    huge = "1" + "0" * 60
    assert not verdict(
        of(
            msgspec.structs.replace(DEBIT, debet_amount=Decimal(f"{huge}.01")),
            msgspec.structs.replace(CREDIT, credit_amount=Decimal(huge)),
        ),
        RULES,
    ).ok


def test_a_correction_is_negative_on_the_same_side() -> None:
    minus = msgspec.structs.replace(DEBIT, row_no=3, debet_amount=Decimal("-6.00"))
    assert verdict(of(msgspec.structs.replace(DEBIT, debet_amount=Decimal("52.00")), CREDIT, minus), RULES).ok
    assert reasons(verdict(of(DEBIT, CREDIT, minus), RULES))[0][0] == "journal.unbalanced"


def test_the_other_side_may_be_zero_but_not_set_too() -> None:
    assert verdict(debit(credit_amount=Decimal("0.00")), RULES).ok
    assert reasons(verdict(debit(credit_amount=Decimal(1)), RULES)) == [
        ("source.invalid", "row 1 DebetAmount", "46.00")
    ]


def test_a_row_needs_an_amount_unless_it_is_of_quantities() -> None:
    assert reasons(verdict(debit(debet_amount=None), RULES)) == [("source.invalid", "row 1 DebetAmount", "")]
    counted = VoucherRow(row_no=3, account="4010", quantity=Decimal(7))
    assert verdict(of(DEBIT, CREDIT, counted), RULES).ok


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+99", "1E-99"])
def test_what_is_no_amount_is_named_and_no_sum_is_made_of_it(amount: str) -> None:
    found = verdict(debit(debet_amount=Decimal(amount)), RULES)
    assert reasons(found) == [("source.invalid", "row 1 DebetAmount", amount)]


def test_the_date_must_be_one() -> None:
    for date in ("", "21.03.2026", "2026-02-30", "2026-W12-6", "20260321"):
        found = verdict(msgspec.structs.replace(VOUCHER, voucher_date=date), CHARTED)
        assert [finding.field for finding in found.findings] == ["VoucherDate"]
        assert found.dates_checked is False


def test_a_row_of_another_company_and_a_voucher_without_rows_are_refused() -> None:
    assert reasons(verdict(debit(company="20"), RULES)) == [("source.invalid", "row 1 Company", "20")]
    assert reasons(verdict(of(), RULES)) == [("source.invalid", "rows", "")]


def test_every_reason_is_told_at_once() -> None:
    rows = [msgspec.structs.replace(DEBIT, row_no=number, account=f"99{number}") for number in range(1, 21)]
    found = verdict(of(*rows, voucher_date=""), RULES)
    assert [finding.field for finding in found.findings] == [
        "VoucherDate",
        *[f"row {number} Account" for number in range(1, 21)],
        "DebetAmount, CreditAmount",
    ]


def document(voucher: Voucher = VOUCHER) -> VoucherDocument:
    """Return a voucher as the hold table shows it."""
    head = VoucherHead(
        company=voucher.company,
        accounting_year=voucher.accounting_year,
        voucher_type=voucher.voucher_type,
        voucher_no=voucher.voucher_no,
        voucher_date=voucher.voucher_date,
    )
    return VoucherDocument(header=head, rows=voucher.rows)


def test_a_good_verdict_is_for_the_ledger_alone_unless_a_field_shows_it() -> None:
    found = map_journal(document(), CHARTED)
    assert isinstance(found, JournalVerdict)
    assert (found.key, found.ok, found.dates_checked, found.field) == (VOUCHER.key, True, True, "")
    shown = map_journal(document(), policy(journal_verdict_field="Cf_Cin7Check"))
    assert isinstance(shown, JournalVerdict)
    assert (shown.field, shown.value) == ("Cf_Cin7Check", "CfEnum_PASSED")


def test_a_bad_verdict_holds_at_once_unless_a_field_is_to_show_it_first() -> None:
    bad = document(debit(account="9999"))
    assert isinstance(map_journal(bad, RULES), list)
    shown = map_journal(bad, policy(journal_verdict_field="Cf_Cin7Check", journal_verdict_failed="No"))
    assert isinstance(shown, JournalVerdict)
    assert (shown.ok, shown.value, [one.code for one in shown.findings]) == (False, "No", ["account.missing"])


def test_nothing_is_written_to_the_vouchers_of_a_company_that_is_not_ours() -> None:
    stranger = document(msgspec.structs.replace(VOUCHER, company="99"))
    found = map_journal(stranger, policy(journal_verdict_field="Cf_Cin7Check"))
    assert isinstance(found, list)
    assert [one.code for one in found] == ["company.unmapped"]


def test_a_voucher_without_a_date_says_so_beside_all_else() -> None:
    headless = msgspec.structs.replace(document(debit(account="9999")).header, voucher_date=None)
    found = map_journal(VoucherDocument(header=headless, rows=debit(account="9999").rows), RULES)
    assert isinstance(found, list)
    assert [one.code for one in found] == ["source.invalid", "account.missing"]


ROWS = st.builds(
    VoucherRow,
    company=st.none() | TEXTS,
    row_no=st.integers(),
    account=MAYBE,
    debet_amount=st.none() | NUMBERS,
    credit_amount=st.none() | NUMBERS,
    quantity=st.none() | NUMBERS,
)
VOUCHERS = st.builds(
    Voucher,
    company=TEXTS,
    accounting_year=st.integers(),
    voucher_type=TEXTS,
    voucher_no=st.integers(),
    voucher_date=TEXTS | st.dates().map(str),
    rows=st.lists(ROWS, max_size=5).map(tuple),
)
CHARTS = st.none() | st.dictionaries(
    TEXTS, st.builds(Account, company=TEXTS, account=TEXTS, valid_from=MAYBE, valid_until=MAYBE), max_size=3
)


@settings(max_examples=300, deadline=None)
@given(VOUCHERS, FAIR_RULES, CHARTS)
def test_any_voucher_gives_a_verdict(voucher: Voucher, rules: Rules, chart: dict[str, Account] | None) -> None:
    charts = {} if chart is None else {voucher.company: chart}
    found = verdict(voucher, msgspec.structs.replace(rules, ifs_accounts=charts))
    assert found.ok is not bool(found.findings)
    assert {finding.code for finding in found.findings} <= CODES
    assert all(finding.field and finding.message and finding.remedy for finding in found.findings)
    assert b"\\u0000" not in msgspec.json.encode(found)


AMOUNTS = st.lists(st.decimals(min_value=-10_000_000, max_value=10_000_000, places=3), min_size=1, max_size=20)


@settings(max_examples=300, deadline=None)
@given(AMOUNTS, st.sampled_from([Decimal(0), Decimal("0.001"), Decimal(-1)]))
def test_a_voucher_balances_exactly_where_its_sums_are_equal(amounts: list[Decimal], off: Decimal) -> None:
    rows = [VoucherRow(row_no=number, account="4010", debet_amount=amount) for number, amount in enumerate(amounts)]
    other = VoucherRow(row_no=99, account="4010", credit_amount=sum(amounts, off))
    assert verdict(of(*rows, other), RULES).ok is (off == 0)

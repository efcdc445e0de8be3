"""A voucher to the verdict whether it may be posted: its accounts in Cin7 and IFS, its amounts, its balance. Pure."""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from shared.config.rules import IfsAccount, Rules
from shared.findings import IN_IFS, Finding
from shared.ifs.records.journals import Voucher, VoucherDocument, VoucherRow
from shared.money import total_of
from workers.mapping.accounts import cin7_code_of
from workers.mapping.companies import Destination, destination_of
from workers.mapping.results import JournalVerdict
from workers.mapping.texts import escaped, invalid, shown

#: Digits before and after the point. Source: docs/apis/ifs.md#literals (precision 130, scale 65).
_DIGITS_MAX: Final = 65
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(T.*)?", re.ASCII)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a voucher may be posted, and every reason why not.

    `dates_checked`: IFS's accounts were known, so that their validity on the voucher's date was looked at too.
    """

    ok: bool
    findings: tuple[Finding, ...] = ()
    dates_checked: bool = False


def map_journal(document: VoucherDocument, rules: Rules) -> JournalVerdict | list[Finding]:
    """Return the verdict on a voucher of the hold table, or every reason why it fails.

    A verdict that IFS's people are to see is handed to the writer, good or bad; it is none of ours to write to the
    vouchers of a company that we do not know.
    """
    policy = rules.policy
    found = verdict(document.voucher, rules)
    unknown = any(finding.code == "company.unmapped" for finding in found.findings)
    if not found.ok and (unknown or not policy.journal_verdict_field):
        return list(found.findings)
    header = document.header
    return JournalVerdict(
        company=header.company,
        accounting_year=header.accounting_year,
        voucher_type=header.voucher_type,
        voucher_no=header.voucher_no,
        ok=found.ok,
        dates_checked=found.dates_checked,
        field=policy.journal_verdict_field,
        value=policy.journal_verdict_passed if found.ok else policy.journal_verdict_failed,
        findings=found.findings,
    )


def verdict(voucher: Voucher, rules: Rules) -> Verdict:
    """Return the verdict on `voucher`, with one finding for every account and every amount that fails.

    Args:
        voucher: of the hold table, or not yet in IFS at all.
        rules: the mapping tables and both systems' charts; where IFS's is not known, it is not looked at.
    """
    company = shown(voucher.company)
    findings: list[Finding] = []
    destination = destination_of(voucher.company, rules)
    if isinstance(destination, Finding):
        findings.append(destination)
    date = _date(voucher, findings)
    if not voucher.rows:
        findings.append(invalid("rows", "", "The voucher has no rows.", "Add its rows.", company))
    debets: list[Decimal] = []
    credits_: list[Decimal] = []
    known = rules.ifs_accounts.get(voucher.company) if date is not None else None
    for row in voucher.rows:
        if found := _account_finding(row, voucher, destination, rules, known, date):
            findings.append(found)
        if found := _amount_finding(row, company):
            findings.append(found)
        else:
            debets.append(row.debet_amount or Decimal(0))
            credits_.append(row.credit_amount or Decimal(0))
    if len(debets) == len(voucher.rows) and (found := _balance_finding(voucher, debets, credits_)):
        findings.append(found)
    return Verdict(ok=not findings, findings=tuple(findings), dates_checked=known is not None)


def _date(voucher: Voucher, findings: list[Finding]) -> dt.date | None:
    text = voucher.voucher_date.strip()
    try:
        if found := _DATE.fullmatch(text):
            return dt.date.fromisoformat(found[1])
    except ValueError:
        pass  # 2026-02-30 is none either.
    message = f"VoucherDate is {shown(text)!r}, which is no date." if text else "VoucherDate is empty."
    remedy = "Write the date of the voucher as YYYY-MM-DD."
    findings.append(invalid("VoucherDate", text, message, remedy, shown(voucher.company)))
    return None


def _account_finding(
    row: VoucherRow,
    voucher: Voucher,
    destination: Destination | Finding,
    rules: Rules,
    known: Mapping[str, IfsAccount] | None,
    date: dt.date | None,
) -> Finding | None:
    """Return why the row's account cannot be posted to: first what IFS says, since a row on it must move anyway."""
    account = (row.account or "").strip()
    where = f"row {row.row_no} Account"
    company = shown(voucher.company)
    if row.company is not None and row.company != voucher.company:
        message = f"Row {row.row_no} is of company {shown(row.company)}, its voucher of company {company}."
        remedy = "Give every row the company of its voucher."
        return invalid(f"row {row.row_no} Company", row.company, message, remedy, company)
    if account and known is not None and date is not None:
        held = known.get(account)
        if held is None:
            message = f"Account {shown(account)} does not exist in company {company} of IFS (row {row.row_no})."
            remedy = "Post to an account that exists, or create it in IFS."
            return _about_account("account.missing", where, account, message, remedy, company)
        if not held.valid_on(date):
            message = (
                f"Account {shown(account)} of company {company} is valid in IFS {shown(held.span)}, "
                f"not on {date} (row {row.row_no})."
            )
            remedy = "Post to an account that is valid on the voucher's date, or change its validity in IFS."
            return _about_account("account.inactive", where, account, message, remedy, company)
    if isinstance(destination, Finding):
        return None  # Without a company there is no chart to ask.
    found = cin7_code_of(destination, account, rules, field=where)
    return found if isinstance(found, Finding) else None


def _about_account(code: str, where: str, account: str, message: str, remedy: str, company: str) -> Finding:
    return Finding(
        code=code,
        field=f"{where}{IN_IFS}",
        value=shown(account),
        message=escaped(message),
        remedy=remedy,
        company=company,
    )


def _amount_finding(row: VoucherRow, company: str) -> Finding | None:
    """Return what is wrong with the amounts of a row; a row of quantities only has none."""
    for name, amount in (("DebetAmount", row.debet_amount), ("CreditAmount", row.credit_amount)):
        if amount is not None and not _usable(amount):
            message = f"{name} of row {row.row_no} is {shown(str(amount))}, which is no amount."
            remedy = "Write an amount of the company's currency."
            return invalid(f"row {row.row_no} {name}", amount, message, remedy, company)
    where = f"row {row.row_no} DebetAmount"
    if row.debet_amount is None and row.credit_amount is None and row.quantity is None:
        message = f"Row {row.row_no} has neither DebetAmount nor CreditAmount."
        return invalid(where, "", message, "Set one of them, in the company's currency.", company)
    if row.debet_amount and row.credit_amount:
        message = f"Row {row.row_no} has both DebetAmount {row.debet_amount} and CreditAmount {row.credit_amount}."
        return invalid(
            where, row.debet_amount, message, "Set one of them; split the row where both are meant.", company
        )
    return None


def _usable(amount: Decimal) -> bool:
    """Tell whether sums of such amounts are exact: not NaN, not infinite, within what IFS can hold."""
    if not amount.is_finite():
        return False
    places = amount.as_tuple().exponent
    return isinstance(places, int) and places >= -_DIGITS_MAX and amount.adjusted() < _DIGITS_MAX


def _balance_finding(voucher: Voucher, debets: list[Decimal], credits_: list[Decimal]) -> Finding | None:
    debet, credit = total_of(*debets), total_of(*credits_)
    if debet == credit:
        return None
    return Finding(
        code="journal.unbalanced",
        field="DebetAmount, CreditAmount",
        value=shown(voucher.key),
        message=f"The rows sum to {debet:f} debit and {credit:f} credit in the company's currency.",
        remedy="Correct the amounts until both sums are equal.",
        company=shown(voucher.company),
    )

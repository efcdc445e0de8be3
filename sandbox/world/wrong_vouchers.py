"""Vouchers that are wrong on purpose, and those that nobody checks any more."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from sandbox.world.books_ground import (
    ACCRUED,
    BOOKS_FROM,
    EXPIRED_ACCOUNT,
    EXPIRED_ON,
    HIDDEN_COMPANY,
    UNMAPPED_ACCOUNT,
)
from sandbox.world.expected import APPLIED, Expected, held
from sandbox.world.ground import BY_CODE, INACTIVE_ACCOUNT, MISSING_ACCOUNT, UNMAPPED_COMPANY, Company
from sandbox.world.vouchering import Bookkeeper, Entry, Voucher, total


@dataclass(frozen=True, kw_only=True)
class WrongVoucher:
    voucher: Voucher
    expected: Expected


def wrong_vouchers(bookkeeper: Bookkeeper) -> Iterator[WrongVoucher]:
    """Yield vouchers of every kind whose verdict is not good, and the ones beside the mark that are."""
    ten, twenty = BY_CODE["10"], BY_CODE["20"]
    for company, off in ((ten, Decimal("0.05")), (twenty, Decimal(-100))):
        costs = bookkeeper.costs(company, company.currency, 3)
        credit = Entry(account=ACCRUED[company.code], amount=total(costs) + off, debet=False)
        expected = held("journal.unbalanced", "", f"debet and credit differ by {abs(off)}")
        yield WrongVoucher(voucher=bookkeeper.voucher(company, [*costs, credit]), expected=expected)
    for account, code, why in (
        (MISSING_ACCOUNT, "account.missing", "Cin7 lacks the account"),
        (MISSING_ACCOUNT, "account.missing", "Cin7 lacks the account"),
        (UNMAPPED_ACCOUNT, "account.missing", "no table maps the account, and Cin7 has none of the same code"),
        (INACTIVE_ACCOUNT, "account.inactive", "the account is archived in Cin7"),
    ):
        yield WrongVoucher(voucher=_on(bookkeeper, ten, account), expected=held(code, account, why))
    expired = held("account.inactive", EXPIRED_ACCOUNT, "the account is not valid in IFS at the voucher's date")
    late = _on(bookkeeper, ten, EXPIRED_ACCOUNT, day=EXPIRED_ON + timedelta(days=1))
    yield WrongVoucher(voucher=late, expected=expired)
    yield WrongVoucher(voucher=_on(bookkeeper, ten, EXPIRED_ACCOUNT, day=EXPIRED_ON), expected=APPLIED)
    unmapped = held("company.unmapped", UNMAPPED_COMPANY, "the company is not in the tables")
    yield WrongVoucher(voucher=_plain(bookkeeper, BY_CODE[UNMAPPED_COMPANY]), expected=unmapped)
    hidden = _plain(bookkeeper, replace(ten, code=HIDDEN_COMPANY))
    unseen = Expected(outcome="left_out", value=HIDDEN_COMPANY, why="IFS does not grant us its company")
    yield WrongVoucher(voucher=hidden, expected=unseen)
    for company in (ten, twenty):
        posted = bookkeeper.draw(company)
        posted.header["VoucherUpdated"] = True
        done = Expected(outcome="left_out", why="already in the general ledger")
        yield WrongVoucher(voucher=posted, expected=done)
    early = _plain(bookkeeper, ten, day=BOOKS_FROM - timedelta(days=20))
    yield WrongVoucher(voucher=early, expected=Expected(outcome="left_out", why="dated before go-live"))


def _plain(bookkeeper: Bookkeeper, company: Company, day: date | None = None) -> Voucher:
    """Return a balanced voucher on accounts of the company's own."""
    debet = Entry(account=company.accounts[0].code, amount=Decimal(1200), debet=True)
    return bookkeeper.voucher(company, [debet, replace(debet, debet=False)], day=day)


def _on(bookkeeper: Bookkeeper, company: Company, account: str, day: date | None = None) -> Voucher:
    """Return a balanced voucher with two rows on `account`."""
    costs = bookkeeper.costs(company, company.currency, 2)
    debits = [*costs, *(Entry(account=account, amount=Decimal("99.50"), debet=True) for _ in range(2))]
    credit = Entry(account=ACCRUED[company.code], amount=total(debits), debet=False)
    return bookkeeper.voucher(company, [*debits, credit], day=day)

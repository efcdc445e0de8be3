"""Draws vouchers of the hold table: rows that balance in the company's currency. Made up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Final

from sandbox.world.books_ground import ACCRUED, BANK, PAYABLE, TAX
from sandbox.world.currencies import in_home, rate, rounded
from sandbox.world.ground import Company, Row
from sandbox.world.ordering import LAST_DAY, START_FROM

_FIRST_NUMBER: Final = 2_500_001
#: First month of the accounting year, which is named for the calendar year in which it ends; others keep to January.
_YEAR_BEGINS: Final = {"20": 5}
_CURRENCIES: Final = ("EUR", "USD", "JPY", "KWD")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row to be: an account and a signed amount in the voucher's currency. `debet`: the side it stands on."""

    account: str
    amount: Decimal
    debet: bool
    centre: str | None = None


@dataclass(frozen=True, kw_only=True)
class Voucher:
    header: Row
    rows: list[Row]

    @property
    def key(self) -> str:
        header = self.header
        return f"{header['Company']}/{header['AccountingYear']}/{header['VoucherType']}/{header['VoucherNo']}"


class Bookkeeper:
    """Draws vouchers one after the other; numbers start anew at `first` for each company, year and type."""

    def __init__(self, rng: Random, first: int = _FIRST_NUMBER) -> None:
        self._rng = rng
        self._first = first
        self._numbers: dict[tuple[str, int, str], count[int]] = {}

    def draw(self, company: Company) -> Voucher:
        """Return a voucher that nothing is wrong with: an invoice, a payment, an accrual or a correction."""
        kinds: Sequence[Callable[[Company], Voucher]] = (self._invoice, self._payment, self._accrual, self._correction)
        return self._rng.choices(kinds, weights=(50, 20, 20, 10))[0](company)

    def voucher(
        self,
        company: Company,
        entries: Sequence[Entry],
        *,
        kind: str = "M",
        day: date | None = None,
        currency: str = "",
        state: str = "Confirmed",
    ) -> Voucher:
        """Return a voucher of these entries, balanced or not; `currency` empty: the company's own."""
        rng = self._rng
        day = day or START_FROM + timedelta(days=rng.randrange((LAST_DAY - START_FROM).days + 1))
        year, period = _period(company.code, day)
        number = next(self._numbers.setdefault((company.code, year, kind), count(self._first)))
        key = {"Company": company.code, "AccountingYear": year, "VoucherType": kind, "VoucherNo": number}
        dated = {**key, "AccountingPeriod": period, "VoucherDate": day.isoformat()}
        entered = (day + timedelta(days=rng.randrange(4))).isoformat()
        header = {
            **dated,
            "DateReg": entered,
            "UserGroup": "AC",
            "Userid": rng.choice(("ANNA", "ÖRJAN")),
            "FunctionGroup": kind,
            "VoucherText": rng.choice(("Month end", 'Correction of "2500001"', "Årsavgift", None)),
            "VoucherUpdated": False,
            "Objstate": state,
        }
        common = {**dated, "EntryDate": entered, "YearPeriodKey": year * 100 + period, "Text": header["VoucherText"]}
        rows = [
            {**common, "RowNo": place, **_amounts(entry, currency or company.currency, company)}
            for place, entry in enumerate(entries, 1)
        ]
        return Voucher(header=header, rows=_balanced(rows, entries))

    def costs(self, company: Company, currency: str, lines: int = 0) -> list[Entry]:
        """Return debits of `lines` cost accounts; 0: a few."""
        rng = self._rng
        return [
            Entry(
                account=rng.choice(company.codings or (company.accounts[0].code,)),
                amount=rounded(Decimal(rng.randrange(10_000, 9_000_000)).scaleb(-3), currency),
                debet=True,
                centre=rng.choice(company.cost_centres),
            )
            for _ in range(lines or rng.choice((1, 1, 2, 3, 18)))
        ]

    def _invoice(self, company: Company) -> Voucher:
        currency = self._rng.choice(_CURRENCIES) if self._rng.random() < 0.3 else company.currency
        costs = self.costs(company, currency)
        tax = rounded(total(costs) * company.taxes[0].percent / 100, currency)
        debits = [*costs, Entry(account=TAX[company.code], amount=tax, debet=True)]
        credit = Entry(account=PAYABLE[company.code], amount=total(debits), debet=False)
        return self.voucher(company, [*debits, credit], kind="I", currency=currency)

    def _payment(self, company: Company) -> Voucher:
        amount = self.costs(company, company.currency, 1)[0].amount
        paid = Entry(account=PAYABLE[company.code], amount=amount, debet=True)
        return self.voucher(company, [paid, Entry(account=BANK[company.code], amount=amount, debet=False)], kind="U")

    def _accrual(self, company: Company) -> Voucher:
        costs = self.costs(company, company.currency)
        accrued = Entry(account=ACCRUED[company.code], amount=total(costs), debet=False)
        return self.voucher(company, [*costs, accrued], state="AwaitingApproval")

    def _correction(self, company: Company) -> Voucher:
        """Return a voucher that moves an amount by a negative debit instead of a credit."""
        right = self.costs(company, company.currency, 1)[0]
        wrong = Entry(account=company.accounts[0].code, amount=-right.amount, debet=True, centre=right.centre)
        return self.voucher(company, [wrong, right])


def total(entries: Sequence[Entry]) -> Decimal:
    return sum((entry.amount for entry in entries), Decimal(0))


def rows_of(vouchers: Sequence[Voucher]) -> dict[str, list[Row]]:
    """Return the rows of vouchers by table of IFS; those already in the general ledger are not in the hold table."""
    sets: dict[str, list[Row]] = {"VoucherSet": [], "VoucherRowSet": [], "GenLedVoucherRowSet": []}
    for voucher in vouchers:
        sets["VoucherSet"].append(voucher.header)
        sets["GenLedVoucherRowSet" if voucher.header["VoucherUpdated"] else "VoucherRowSet"] += voucher.rows
    return sets


def _period(company: str, day: date) -> tuple[int, int]:
    begins = _YEAR_BEGINS.get(company, 1)
    year = day.year + 1 if begins > 1 and day.month >= begins else day.year
    return year, (day.month - begins) % 12 + 1


def _amounts(entry: Entry, currency: str, company: Company) -> Row:
    amount, home = entry.amount, in_home(entry.amount, currency, company.currency)
    sign = 1 if entry.debet else -1
    return {
        "Account": entry.account,
        "CodeB": entry.centre,
        "CurrencyCode": currency,
        "CurrencyDebetAmount": amount if entry.debet else None,
        "CurrencyCreditAmount": None if entry.debet else amount,
        "CurrencyAmount": sign * amount,
        "DebetAmount": home if entry.debet else None,
        "CreditAmount": None if entry.debet else home,
        "Amount": sign * home,
        "CurrencyRate": rate(currency, company.currency).rate,
    }


def _balanced(rows: list[Row], entries: Sequence[Entry]) -> list[Row]:
    """Return `rows`; where their own currency balances, what rounding leaves over goes on the last one."""
    left = sum((row["Amount"] for row in rows), Decimal(0))
    if left and not sum((entry.amount if entry.debet else -entry.amount for entry in entries), Decimal(0)):
        last, side = rows[-1], "DebetAmount" if entries[-1].debet else "CreditAmount"
        last["Amount"] -= left
        last[side] = abs(last["Amount"]) if last[side] >= 0 else -abs(last["Amount"])
    return rows

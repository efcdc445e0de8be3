"""The charts of one company compared: what each IFS account becomes in Cin7, and what it holds up. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from shared.config.rules import ChartAccount, Rules
from shared.ifs.records.accounts import Account
from workers.mapping.accounts import cin7_code_of
from workers.mapping.companies import Destination

Outcome = Literal["missing", "unmapped", "archived", "named differently", "ok"]

#: What holds a document for an account, worst first, and what it says of the charts.
_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "account.missing": "missing",
    "account.unmapped": "unmapped",
    "account.inactive": "archived",
}
_ORDER: Final[tuple[Outcome, ...]] = (*_OUTCOMES.values(), "named differently", "ok")


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """How many documents wait for an account: of a finding's code and value."""

    code: str
    value: str
    documents: int


class Alignment(msgspec.Struct, frozen=True, kw_only=True):
    """One IFS account beside what it becomes; `account` empty: held documents need a code that no IFS account has."""

    company: str
    account: str
    cin7_account: str
    cin7_code: str
    ifs_name: str
    cin7_name: str
    finding: Outcome
    documents: int


def concerns_accounts(code: str) -> bool:
    """Say whether a finding of this code is about an account."""
    return code in _OUTCOMES


def align(
    destination: Destination, chart: Mapping[str, Account], uses: Sequence[Use], rules: Rules, today: dt.date
) -> list[Alignment]:
    """Return every account that is valid today or that documents wait for, worst first.

    Ledger (control) and statistical accounts count only where documents wait for them: no line of a document is coded
    to the ones, and the others carry no money.

    Args:
        destination: the company, and the Cin7 chart it is compared with.
        chart: IFS's accounts of the company.
        uses: what the company's documents wait for.
        rules: how accounts are mapped.
        today: the company's business date.
    """
    company = destination.code
    valid = {one.account for one in chart.values() if one.valid_on(today) and not one.ledg_flag and not one.statistical}
    known = sorted(chart.keys() | {account for code, account in rules.tables.accounts if code == company})
    becomes = {account: _becomes(destination, account, rules) for account in known}
    waiting: Counter[str] = Counter()
    strays: Counter[str] = Counter()
    for use in uses:
        accounts = _used(use, becomes, valid)
        for account in accounts:
            waiting[account] += use.documents
        if not accounts and use.value:
            strays[use.value] += use.documents
    rows = [
        _row(destination, account, chart.get(account), becomes.get(account, ("", "unmapped")), waiting[account])
        for account in valid | waiting.keys()
    ]
    rows += [_stray(destination, code, documents) for code, documents in strays.items()]
    return worst_first(rows)


def worst_first(rows: Iterable[Alignment]) -> list[Alignment]:
    """Return the rows in the order in which they are worth a person's time."""
    return sorted(
        rows,
        key=lambda row: (
            row.finding == "ok",
            -row.documents,
            _ORDER.index(row.finding),
            row.company,
            row.account,
            row.cin7_code,
        ),
    )


def _becomes(destination: Destination, account: str, rules: Rules) -> tuple[str, Outcome]:
    """Return the Cin7 code of an account, and whether documents can use it."""
    found = cin7_code_of(destination, account, rules, field="Account")
    if isinstance(found, str):
        return found, "ok"
    outcome = _OUTCOMES[found.code]
    return "" if outcome == "unmapped" else found.value, outcome


def _used(use: Use, becomes: Mapping[str, tuple[str, Outcome]], valid: set[str]) -> list[str]:
    """Return the IFS accounts that a finding is about: its value is IFS's account, or a code that some become."""
    if use.code == "account.unmapped":
        return [use.value] if use.value else []
    accounts = [account for account, (code, _) in becomes.items() if code == use.value]
    # Several may become the one code; those that can be posted to are the likelier.
    return (
        [account for account in accounts if account in valid]
        or accounts
        or [one for one in becomes if one == use.value]
    )


def _row(
    destination: Destination, account: str, known: Account | None, becomes: tuple[str, Outcome], documents: int
) -> Alignment:
    code, outcome = becomes
    held = destination.reference.accounts.get(code)
    ifs_name = (known.description or "").strip() if known else ""
    if outcome == "ok" and held and ifs_name and _folded(ifs_name) != _folded(held.name):
        outcome = "named differently"
    return _alignment(destination, account, code, ifs_name, held, outcome, documents)


def _stray(destination: Destination, code: str, documents: int) -> Alignment:
    held = destination.reference.accounts.get(code)
    outcome: Outcome = "missing" if held is None else "ok" if held.active else "archived"
    return _alignment(destination, "", code, "", held, outcome, documents)


def _alignment(
    destination: Destination,
    account: str,
    code: str,
    ifs_name: str,
    held: ChartAccount | None,
    outcome: Outcome,
    documents: int,
) -> Alignment:
    return Alignment(
        company=destination.code,
        account=account,
        cin7_account=destination.account,
        cin7_code=code,
        ifs_name=ifs_name,
        cin7_name=held.name if held else "",
        finding=outcome,
        documents=documents,
    )


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()

"""How long a number of documents takes with the calls that are free: the forecast of a backfill."""

from collections.abc import Mapping
from typing import Final

import msgspec

from shared.assembly import Assembly
from shared.budgets import Budget, KeyUse
from shared.config.rules import Rules
from shared.errors import ConnectorError

#: Calls that a document takes at the most where nothing is odd about it: writes, and reading back.
#: Source: docs/benchmarks.md, `calls`; an invoice without an order takes one more than one with an order.
CALLS_EACH: Final[Mapping[str, int]] = {"suppliers": 2, "purchase_orders": 3, "supplier_invoices": 4}
MINUTE_S: Final = 60.0


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """`minutes` None: some document goes to an account whose calls cannot be told, or that has none."""

    calls: int
    free_per_minute: int
    minutes: float | None


def forecast(needed: Mapping[str, int], free: Mapping[str, int]) -> Forecast:
    """Return the forecast of calls needed per account, where so many are free a minute. Pure."""
    short = any(count and not free.get(account) for account, count in needed.items())
    spans = [count / free[account] for account, count in needed.items() if free.get(account)]
    return Forecast(
        calls=sum(needed.values()),
        free_per_minute=sum(free.get(account, 0) for account, count in needed.items() if count),
        minutes=None if short else round(max(spans, default=0.0), 1),
    )


def needed_calls(flow: str, documents: Mapping[str, int], rules: Rules) -> dict[str, int]:
    """Return the calls that documents need, per Cin7 account, from their number per company. Pure.

    What names no company (a supplier) is taken to go to the account of every company; what names one that goes nowhere
    is held, and needs none.
    """
    accounts = {one.company: one.cin7_account for one in rules.tables.companies.values()}
    found: dict[str, int] = {}
    for company, count in documents.items():
        for account in {accounts[company]} if company in accounts else set(accounts.values()) if not company else set():
            found[account] = found.get(account, 0) + count * CALLS_EACH[flow]
    return found


def free_calls(parts: Assembly, accounts: Mapping[str, int]) -> dict[str, int]:
    """Return the calls a minute that nobody uses just now, per account; an account without credentials has none."""
    found = {}
    for account in accounts:
        try:
            budget = parts.cin7(account).budget
        except (KeyError, ConnectorError):
            continue
        found[account] = free_of(budget, budget.used())
    return found


def free_of(budget: Budget, used: list[KeyUse]) -> int:
    per_minute = MINUTE_S / budget.window_s
    return max(0, int(sum(key.limit - key.used for key in used) * per_minute))

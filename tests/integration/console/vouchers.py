"""A good voucher of company 10, and the ways in which tests spoil it."""

import json
from typing import Any

Row = dict[str, Any]


def rows(*accounts: str) -> list[Row]:
    """Return two rows of 46.00 for every pair of accounts: debit, then credit."""
    return [
        {"RowNo": number, "Account": account, ("CreditAmount" if number % 2 == 0 else "DebetAmount"): 46.00}
        for number, account in enumerate(accounts, start=1)
    ]


def voucher(*accounts: str, **changes: Any) -> Row:  # noqa: ANN401 - JSON of any shape
    """Return a voucher that balances, by default on accounts that both sides have."""
    return {
        "Company": "10",
        "AccountingYear": 2026,
        "VoucherType": "I",
        "VoucherNo": 2600045,
        "VoucherDate": "2026-03-21",
        "rows": rows(*(accounts or ("4010", "2440"))),
        **changes,
    }


def text(*vouchers: Row) -> str:
    return json.dumps(vouchers[0] if len(vouchers) == 1 else vouchers)

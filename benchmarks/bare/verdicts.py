"""The least that anybody must do for a verdict: parse the rows, look each account up, compare the sums."""

import json
from collections.abc import Set
from decimal import Decimal


def is_good(raw: bytes, accounts: Set[str]) -> bool:
    """Say whether the voucher in `raw` balances on accounts that exist. No reason, no validity, no company."""
    rows = json.loads(raw, parse_float=Decimal, parse_int=Decimal)["rows"]
    debit = sum((row["DebetAmount"] or Decimal(0) for row in rows), Decimal(0))
    credit = sum((row["CreditAmount"] or Decimal(0) for row in rows), Decimal(0))
    return debit == credit and all(row["Account"] in accounts for row in rows)

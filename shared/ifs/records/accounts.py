"""A GL account of one company as IFS holds it.

Names follow docs/apis/ifs.md#accounts; each property name is only the default of a setting.
"""

import datetime as dt
from typing import Final

import msgspec

from shared.ifs.sources import SetSource, Source

#: Logical account types that carry quantities, no money. Source: docs/apis/ifs.md#accounts.
_STATISTICAL: Final = frozenset({"S", "O"})


class Account(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`account` is a text: `0761` is not `761`. Dates are texts as IFS sends them; None: no bound.

    Attributes:
        ledg_flag: a ledger (control) account, which takes no manual posting.
        stat_account: it carries quantities, no money.
    """

    company: str
    account: str
    description: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    logical_account_type: str | None = None
    ledg_flag: bool | None = None
    stat_account: bool | None = None

    @property
    def statistical(self) -> bool:
        return bool(self.stat_account) or (self.logical_account_type or "").strip().upper() in _STATISTICAL

    @property
    def span(self) -> str:
        """The days on which it is valid, in words."""
        first, last = _day(self.valid_from), _day(self.valid_until)
        return " ".join([*([f"from {first}"] if first else []), *([f"until {last}"] if last else [])]) or "always"

    def valid_on(self, day: dt.date) -> bool:
        """Say whether it may be posted to on `day`; a bound that is no date bounds nothing."""
        first, last = _day(self.valid_from), _day(self.valid_until)
        return (first is None or first <= day) and (last is None or day <= last)


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None


class AccountDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An account has nothing below it."""

    header: Account


#: Service and set: docs/apis/ifs.md#accounts.
SOURCE: Final = Source(
    flow="accounts",
    document=AccountDocument,
    header=SetSource(
        name="header",
        service="AccountEntity",
        entity_set="AccountSet",
        shape=Account,
        key=("company", "account"),
    ),
)

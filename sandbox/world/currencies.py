"""Currencies: their decimal places, and what they are worth in the currency of each company. Made up, and constant."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

#: Decimal places (ISO 4217) where they are not two.
_PLACES: Final[Mapping[str, int]] = {"JPY": 0, "KWD": 3}


@dataclass(frozen=True)
class Rate:
    """`rate` units of the company's currency are paid for `factor` units of the foreign one."""

    rate: Decimal
    factor: Decimal


_HUNDRED: Final = Decimal(100)
_ONE: Final = Decimal(1)
#: By the company's currency, then the foreign one. Small units are quoted by the hundred.
_RATES: Final[Mapping[str, Mapping[str, Rate]]] = {
    "SEK": {
        "EUR": Rate(Decimal("11.2450"), _ONE),
        "GBP": Rate(Decimal("13.1075"), _ONE),
        "USD": Rate(Decimal("9.8420"), _ONE),
        "CHF": Rate(Decimal("11.8850"), _ONE),
        "KWD": Rate(Decimal("32.1065"), _ONE),
        "DKK": Rate(Decimal("150.75"), _HUNDRED),
        "NOK": Rate(Decimal("95.30"), _HUNDRED),
        "JPY": Rate(Decimal("6.7125"), _HUNDRED),
    },
    "GBP": {
        "EUR": Rate(Decimal("0.8530"), _ONE),
        "USD": Rate(Decimal("0.7490"), _ONE),
        "CHF": Rate(Decimal("0.9070"), _ONE),
        "KWD": Rate(Decimal("2.4410"), _ONE),
        "SEK": Rate(Decimal("7.629"), _HUNDRED),
        "DKK": Rate(Decimal("11.435"), _HUNDRED),
        "NOK": Rate(Decimal("7.42"), _HUNDRED),
        "JPY": Rate(Decimal("0.5125"), _HUNDRED),
    },
}
_SAME: Final = Rate(_ONE, _ONE)


def rate(currency: str, home: str) -> Rate:
    """Return what `currency` is worth in `home`; for companies without rates of their own, one to one."""
    return _RATES.get(home, {}).get(currency, _SAME)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return `amount` in whole smallest units of `currency`, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-_PLACES.get(currency, 2)), ROUND_HALF_UP)


def in_home(amount: Decimal, currency: str, home: str) -> Decimal:
    quoted = rate(currency, home)
    return rounded(amount * quoted.rate / quoted.factor, home)

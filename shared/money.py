"""The one place where amounts are rounded, multiplied and compared: Decimal only, half up. Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

#: Decimal places of a price, a quantity and a discount in Cin7. Source: docs/apis/cin7.md#data-formats.
PRICE_PLACES: Final = 4
QUANTITY_PLACES: Final = 4
DISCOUNT_PLACES: Final = 2
#: Decimal places of a rate of exchange; our own choice, as none are documented.
RATE_PLACES: Final = 6

#: Active codes of ISO 4217 that a document can be priced in (funds, metals and test codes left out).
CURRENCIES: Final = frozenset(
    "AED AFN ALL "  # noqa: SIM905 -- as a list, ISO 4217 would fill two pages.
    "AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG".split()
)

#: Minor units that are not 2. Source: ISO 4217, table A.1.
_MINOR_UNITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}

#: Digits before and places after the point within which every product below is exact.
_DIGITS_MAX: Final = 12
_PLACES_MAX: Final = 30

#: Wide enough for quantity x price x discount at those limits, so that only the last step rounds.
_EXACT: Final = Context(prec=150, rounding=ROUND_HALF_UP)
_STEPS: Final = tuple(Decimal(1).scaleb(-places) for places in range(7))
_HUNDRED: Final = Decimal(100)


def usable(value: Decimal) -> bool:
    """Tell whether `value` is a number that can be reckoned with: not NaN, not infinite, not absurdly large or fine."""
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return value.is_zero() or (
        value.adjusted() < _DIGITS_MAX and isinstance(exponent, int) and exponent >= -_PLACES_MAX
    )


def minor_units(currency: str) -> int:
    """Return the decimal places of an amount in `currency`: 0, 2 or 3."""
    return _MINOR_UNITS.get(currency, 2)


def rounded_to(value: Decimal, places: int) -> Decimal:
    """Return `value` with exactly `places` decimal places, half up (away from zero)."""
    return value.quantize(_STEPS[places], context=_EXACT)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return `amount` in whole minor units of `currency`, half up."""
    return rounded_to(amount, minor_units(currency))


def in_units(amount: Decimal, currency: str) -> Decimal:
    """Return `amount` with as many decimal places as its currency has, where it loses nothing by that."""
    places = minor_units(currency)
    return rounded_to(amount, places) if fits(amount, places) else amount


def fits(value: Decimal, places: int) -> bool:
    """Tell whether `value` loses nothing at `places` decimal places; `1.50000` fits 4."""
    return rounded_to(value, places) == value


def plain(value: Decimal) -> Decimal:
    """Return `value` without trailing zeros and without exponent, so that equal numbers have equal texts."""
    if not value:
        return Decimal(0)
    bare = value.normalize(_EXACT)
    exponent = bare.as_tuple().exponent
    return rounded_to(bare, 0) if isinstance(exponent, int) and exponent > 0 else bare


def line_total(quantity: Decimal, price: Decimal, discount_percent: Decimal, currency: str) -> Decimal:
    """Return quantity x price less discount, rounded once, at the end.

    Args:
        quantity: usable, as are the others.
        price: per unit.
        discount_percent: 0 to 100.
        currency: its minor units are what is rounded to.
    """
    gross = _EXACT.multiply(quantity, price)
    if discount_percent:
        gross = _EXACT.divide(_EXACT.multiply(gross, _EXACT.subtract(_HUNDRED, discount_percent)), _HUNDRED)
    return rounded(gross, currency)


def tax_on(net: Decimal, percent: Decimal, currency: str) -> Decimal:
    """Return the tax on top of a net amount, per line, rounded to minor units."""
    return rounded(_EXACT.divide(_EXACT.multiply(net, percent), _HUNDRED), currency)


def tax_within(gross: Decimal, percent: Decimal, currency: str) -> Decimal:
    """Return the tax contained in an amount that includes it, per line, rounded to minor units."""
    return rounded(_EXACT.divide(_EXACT.multiply(gross, percent), _EXACT.add(_HUNDRED, percent)), currency)


def total_of(*amounts: Decimal) -> Decimal:
    """Return the exact sum."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def shares(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Return `amount` split in proportion to `weights`, each part in whole minor units, together exactly `amount`.

    Weights that sum to nothing leave all of it to the first. `amount` is in whole minor units.
    """
    whole = total_of(*weights)
    parts: list[Decimal] = []
    given = reached = Decimal(0)
    for weight in weights:
        reached = _EXACT.add(reached, weight)
        share = amount if not whole else rounded(_EXACT.divide(_EXACT.multiply(amount, reached), whole), currency)
        parts.append(_EXACT.subtract(share, given))
        given = share
    return parts


def rate_of(rate: Decimal, units: Decimal) -> Decimal:
    """Return what one unit of a currency is worth where `units` of them are worth `rate`, to six places."""
    return rounded_to(_EXACT.divide(rate, units), RATE_PLACES)


def tolerance_from(text: str) -> Decimal:
    """Return the tolerance that a setting spells; a text that is no amount tolerates nothing."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return Decimal(0)
    return value if usable(value) and value > 0 else Decimal(0)


def agree(one: Decimal, other: Decimal, tolerance: Decimal) -> bool:
    """Tell whether two amounts are equal within `tolerance`, its edge included."""
    return _EXACT.subtract(one, other).copy_abs() <= tolerance

"""Rounding, totals and tolerance."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import money

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
PRICES = st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=6)
QUANTITIES = st.decimals(min_value=1, max_value=10**6, allow_nan=False, places=4)
PERCENTAGES = st.decimals(min_value=0, max_value=100, allow_nan=False, places=3)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("1.005", "EUR", "1.01"),
        ("1.004999", "EUR", "1.00"),
        ("-1.005", "EUR", "-1.01"),
        ("184.5", "JPY", "185"),
        ("1.2345", "KWD", "1.235"),
    ],
)
def test_an_amount_is_rounded_half_up_to_its_currencys_minor_unit(amount: str, currency: str, expected: str) -> None:
    assert str(money.rounded(Decimal(amount), currency)) == expected


def test_a_line_total_is_rounded_once_at_the_end() -> None:
    # Rounding the discounted price first would give 3 x 0.33 = 0.99.
    assert money.line_total(Decimal(3), Decimal("0.37"), Decimal(10), "EUR") == Decimal("1.00")


@given(QUANTITIES, PRICES, PERCENTAGES, CURRENCIES)
def test_a_line_total_is_the_exact_product_rounded(
    quantity: Decimal, price: Decimal, discount: Decimal, currency: str
) -> None:
    total = money.line_total(quantity, price, discount, currency)
    exact = Fraction(quantity) * Fraction(price) * (100 - Fraction(discount)) / 100
    half = Fraction(1, 2 * 10 ** money.minor_units(currency))
    assert -half < Fraction(total) - exact <= half
    assert total.as_tuple().exponent == -money.minor_units(currency)


@given(PRICES, PERCENTAGES, CURRENCIES)
def test_tax_taken_out_of_an_amount_leaves_a_net_that_it_is_the_tax_of(
    amount: Decimal, percent: Decimal, currency: str
) -> None:
    gross = money.rounded(amount, currency)
    tax = money.tax_within(gross, percent, currency)
    unit = Decimal(1).scaleb(-money.minor_units(currency))
    assert 0 <= tax <= gross
    assert money.agree(money.tax_on(gross - tax, percent, currency), tax, unit)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+12", "1E-31", "9E+999999"])
def test_a_number_that_cannot_be_reckoned_with_is_not_usable(text: str) -> None:
    assert not money.usable(Decimal(text))


@pytest.mark.parametrize("text", ["0", "0E+500", "-12.5", "999999999999.9999", "0.333333333333333333333333333333"])
def test_an_ordinary_number_is_usable(text: str) -> None:
    assert money.usable(Decimal(text))


def test_equal_numbers_have_equal_plain_texts() -> None:
    assert str(money.plain(Decimal("250.0000"))) == str(money.plain(Decimal("2.5E+2"))) == "250"
    assert str(money.plain(Decimal("-0.00"))) == "0"


def test_trailing_zeros_take_no_places() -> None:
    assert money.fits(Decimal("1.500000"), 4)
    assert not money.fits(Decimal("1.50001"), 4)


def test_the_edge_of_the_tolerance_is_within_it() -> None:
    assert money.agree(Decimal("10.00"), Decimal("10.01"), Decimal("0.01"))
    assert not money.agree(Decimal("10.00"), Decimal("10.0101"), Decimal("0.01"))


@pytest.mark.parametrize("text", ["", "a cent", "NaN", "-0.01", "1E+40"])
def test_a_tolerance_that_is_no_amount_tolerates_nothing(text: str) -> None:
    assert money.tolerance_from(text) == 0


@given(st.lists(PRICES, max_size=20))
def test_a_sum_loses_nothing(amounts: list[Decimal]) -> None:
    assert Fraction(money.total_of(*amounts)) == sum(map(Fraction, amounts), Fraction(0))


def test_every_currency_is_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in money.CURRENCIES)
    assert {"EUR", "USD", "GBP", "JPY", "KWD", "SEK"} <= money.CURRENCIES


@given(PRICES, st.integers(min_value=0, max_value=6))
def test_rounding_agrees_with_the_standard_library(value: Decimal, places: int) -> None:
    assert money.rounded_to(value, places) == value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    st.lists(st.decimals(min_value=0, max_value=10**6, places=2), min_size=1, max_size=8),
)
def test_shares_are_together_exactly_what_is_shared(amount: Decimal, weights: list[Decimal]) -> None:
    parts = money.shares(amount, weights, "EUR")
    assert len(parts) == len(weights)
    assert sum(parts) == amount


def test_a_rate_is_for_one_unit() -> None:
    assert money.rate_of(Decimal("0.61"), Decimal(100)) == Decimal("0.0061")


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("1.5", "EUR", "1.50"), ("1.005", "EUR", "1.005"), ("2.00", "JPY", "2"), ("2", "KWD", "2.000")],
)
def test_an_amount_is_shown_in_the_units_of_its_currency_but_never_rounded(
    amount: str, currency: str, expected: str
) -> None:
    assert str(money.in_units(Decimal(amount), currency)) == expected

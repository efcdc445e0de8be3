"""A month is its days, whatever instants IFS writes for them."""

import datetime as dt

import pytest

from shared.ifs.spans import Span, date_condition, month_span, period_before

FEBRUARY = Span(dt.date(2028, 2, 1), dt.date(2028, 2, 29))


def test_a_month_ends_with_its_last_day() -> None:
    assert month_span("2028-02") == FEBRUARY
    assert month_span("2026-12") == Span(dt.date(2026, 12, 1), dt.date(2026, 12, 31))


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "2026-01-01", "march", "", "9999-12"])
def test_what_is_no_month_is_none(text: str) -> None:
    assert month_span(text) is None


@pytest.mark.parametrize(("period", "before"), [("2026-01", "2025-12"), ("2026-03", "2026-02")])
def test_the_month_before(period: str, before: str) -> None:
    assert period_before(period) == before


@pytest.mark.parametrize(
    ("day", "within"),
    [("2028-02-01", True), ("2028-02-29T23:59:59Z", True), ("2028-03-01", False), ("2028-01-31", False), ("?", False)],
)
def test_both_ends_are_within(day: str, within: bool) -> None:
    assert FEBRUARY.has(day) is within
    assert Span().has("2028-02-01")


def test_an_instant_is_asked_for_up_to_the_next_day() -> None:
    asked = date_condition("OrderDate", "Edm.DateTimeOffset", FEBRUARY)
    assert asked == "OrderDate ge 2028-02-01T00:00:00Z and OrderDate lt 2028-03-01T00:00:00Z"
    assert (
        date_condition("InvoiceDate", "Edm.Date", FEBRUARY) == "InvoiceDate ge 2028-02-01 and InvoiceDate le 2028-02-29"
    )


def test_an_open_end_is_not_asked_for() -> None:
    assert date_condition("D", "Edm.Date", Span(FEBRUARY.first)) == "D ge 2028-02-01"
    assert date_condition("D", "Edm.Date", Span()) == ""

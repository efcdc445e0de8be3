"""How long documents take with the calls that are free."""

import pytest

from console.forecasting import Forecast, forecast, needed_calls
from tests.unit.mapping.samples import RULES


def test_the_slowest_account_says_how_long_it_takes() -> None:
    found = forecast({"main": 3000, "west": 60}, {"main": 60, "west": 6})
    assert found == Forecast(calls=3060, free_per_minute=66, minutes=50.0)


@pytest.mark.parametrize("free", [{"main": 0}, {}])
def test_an_account_without_free_calls_has_no_end_to_foretell(free: dict[str, int]) -> None:
    assert forecast({"main": 3}, free).minutes is None


def test_nothing_takes_no_time() -> None:
    assert forecast({}, {}) == Forecast(calls=0, free_per_minute=0, minutes=0.0)


def test_documents_go_to_the_account_of_their_company_and_suppliers_to_every_one() -> None:
    assert needed_calls("purchase_orders", {"10": 2, "20": 1, "30": 1, "99": 5}, RULES) == {"main": 9, "west": 3}
    assert needed_calls("suppliers", {"": 4}, RULES) == {"main": 8, "west": 8}

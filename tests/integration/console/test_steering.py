"""Pull, look, repair, replay: the commands an operator steers the connector with, on real servers."""

import pytest

from tests.integration.console.installation import Installation


@pytest.fixture(name="held")
def held_fixture(site: Installation) -> Installation:
    """Everything is pulled and worked off: the suppliers are written, the four orders held."""
    site.json("poll")
    site.work()
    return site


def test_a_poll_tells_what_it_saw(site: Installation) -> None:
    pulled = site.json("poll")
    assert [(one["flow"], one["rows"], one["changed"], one["outcome"]) for one in pulled] == [
        ("suppliers", 3, 3, "done"),
        ("purchase_orders", 4, 4, "done"),
    ]
    again = site.json("poll", "suppliers")
    assert [(one["flow"], one["changed"]) for one in again] == [("suppliers", 0)]

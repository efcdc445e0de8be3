"""A side that is suddenly near-empty has lost its rights, not its records."""

import pytest

from producers.brake import SMALL, near_empty

SUSPECT = "check the allowed companies"


@pytest.mark.parametrize(
    ("met", "known"), [(0, 0), (0, SMALL - 1), (SMALL, SMALL), (50, 100), (51, 100), (100, 100), (500, 100)]
)
def test_an_ordinary_sweep_is_believed(met: int, known: int) -> None:
    assert near_empty(met, known, SUSPECT) == ""


@pytest.mark.parametrize(("met", "known"), [(0, SMALL), (9, SMALL), (49, 100), (0, 10_000)])
def test_a_sweep_that_met_next_to_nothing_is_not(met: int, known: int) -> None:
    said = near_empty(met, known, SUSPECT)
    assert f"met {met} of {known}" in said
    assert SUSPECT in said, "where to look"

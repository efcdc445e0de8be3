"""Texts as PostgreSQL can hold them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.connection import storable


@pytest.mark.parametrize(
    ("text", "kept"),
    [("Größe", "Größe"), ("a\x00b", "a\\u0000b"), ("\ud800", "\\ud800"), ("", ""), ("x\n\t", "x\n\t"), ("😀", "😀")],
)
def test_only_what_cannot_be_held_is_spelt_out(text: str, kept: str) -> None:
    assert storable(text) == kept


@given(st.text())
def test_any_text_can_be_held_afterwards(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert storable(kept) == kept

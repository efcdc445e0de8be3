"""A ledger on a fresh database."""

from collections.abc import Iterator

import pytest

from shared.ledger.connection import Ledger


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()

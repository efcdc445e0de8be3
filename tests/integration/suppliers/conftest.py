"""One pair of stand-ins per test, on the servers that all tests share."""

from collections.abc import Iterator

import pytest
import redis

from tests.integration.ledger.fixtures import client, database_url, emptied_url, ledger
from tests.integration.suppliers.pair import Pair

__all__ = ["client", "database_url", "emptied_url", "ledger"]


@pytest.fixture
def pair(database_url: str, client: redis.Redis) -> Iterator[Pair]:
    made = Pair(database_url, client)
    yield made
    made.close()

"""A ledger and an empty Redis."""

from collections.abc import Iterator

import pytest
import redis

from shared.ledger.connection import Ledger
from shared.queues.broker import redis_client
from tests.integration.producers.tenants import Site, site_of


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client = redis_client(redis_url)
    yield client
    client.close()


@pytest.fixture
def site(ledger: Ledger, database_url: str, redis_url: str) -> Iterator[Site]:
    with site_of(ledger, database_url, redis_url) as site:
        yield site

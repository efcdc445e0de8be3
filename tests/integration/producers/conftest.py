"""A ledger on an empty database, an empty Redis, and a tenant of IFS."""

from collections.abc import Iterator

import pytest

from shared.ledger.connection import Ledger
from tests.integration.ledger import fixtures
from tests.integration.producers.tenants import Site, site_of

emptied_url = fixtures.emptied_url
database_url = fixtures.database_url
ledger = fixtures.ledger
client = fixtures.client


@pytest.fixture
def site(ledger: Ledger, database_url: str, redis_url: str) -> Iterator[Site]:
    with site_of(ledger, database_url, redis_url) as site:
        yield site

"""A receiver on an empty ledger."""

from collections.abc import Iterator

import pytest

from tests.integration.hooks.receiving import Hooks
from tests.integration.ledger import fixtures

emptied_url = fixtures.emptied_url
database_url = fixtures.database_url


@pytest.fixture
def closed(database_url: str, redis_url: str) -> Iterator[Hooks]:
    """No secret is stored."""
    hooks = Hooks(database_url, redis_url)
    yield hooks
    hooks.close()


@pytest.fixture
def hooks(closed: Hooks) -> Hooks:
    closed.store()
    return closed

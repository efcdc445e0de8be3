"""A database on which an operator has done the first steps, copied for each test that starts from there."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import build_plain_world
from shared.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.acceptance.staging import staged

_TEMPLATE = "set_up"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def set_up_template(postgres: EmbeddedPostgres, redis_server: EmbeddedRedis, migrated_template: str) -> str:
    """The name of a database with credentials and mapping tables; they are those of every world."""
    url = postgres.create_database(_TEMPLATE, template=migrated_template)
    with (
        tempfile.TemporaryDirectory(prefix="connector-") as folder,
        staged(Path(folder), url, redis_server.url, build_plain_world(1, 1)),
    ):
        return _TEMPLATE


@pytest.fixture
def ready_url(postgres: EmbeddedPostgres, set_up_template: str) -> Iterator[str]:
    """A fresh database that is set up."""
    name = f"ready_{next(_numbers)}"
    yield postgres.create_database(name, template=set_up_template)
    postgres.drop_database(name)

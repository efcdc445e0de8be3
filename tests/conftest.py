"""Real servers for the tests that need them: one of each for the whole run, a fresh database or an empty one a test."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from shared.embedded import EmbeddedPostgres, EmbeddedRedis

_TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A short path others may pass through: as root, PostgreSQL may have to run as `nobody`."""
    with tempfile.TemporaryDirectory(prefix="connector-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.fixture
def own_folder(servers_folder: Path) -> Path:
    """A folder for servers that the test starts itself."""
    folder = servers_folder / f"own-{next(_numbers)}"
    folder.mkdir(mode=0o711)
    return folder


@pytest.fixture(scope="session")
def postgres(servers_folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(servers_folder / "postgres", fsync=False) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(servers_folder: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(servers_folder / "redis") as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres) -> str:
    """The name of a database with the current schema, to be copied."""
    # Here, so that a test that needs no schema does not need the ledger either.
    from shared.ledger.migrations import migrate  # noqa: PLC0415

    migrate(postgres.create_database(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """A fresh database with the current schema."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name, template=migrated_template)
    postgres.drop_database(name)


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url

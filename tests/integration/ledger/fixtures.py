"""One database for all tests of a package, emptied between them: a fresh one costs as much as ten of these tests."""

import itertools
from collections.abc import Iterator

import psycopg
import pytest
import redis

from shared.embedded import EmbeddedPostgres
from shared.ledger.connection import Ledger
from shared.queues.broker import redis_client

_numbers = itertools.count(1)
#: Behind the triggers, which let nothing of the past be deleted; and ids begin at 1 again.
EMPTY = """
set session_replication_role = replica;
do $$
declare
    name regclass;
    ids record;
begin
    for name in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                and not relispartition and relname not in ('move', 'schema_migration') loop
        execute format('delete from %s', name);
    end loop;
    for ids in select pg_get_serial_sequence(attrelid::regclass::text, attname) as name from pg_attribute
               where attidentity <> '' and attrelid in (select oid from pg_class where not relispartition) loop
        execute format('alter sequence %s restart', ids.name);
    end loop;
    insert into rules_revision default values;
end
$$
"""


@pytest.fixture(scope="module")
def emptied_url(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    name = f"emptied_{next(_numbers)}_{id(postgres)}"
    yield postgres.create_database(name, template=migrated_template)
    postgres.drop_database(name)


@pytest.fixture
def database_url(emptied_url: str) -> str:
    """A database with the current schema and nothing in it."""
    with psycopg.connect(emptied_url, autocommit=True) as conn:
        conn.execute(EMPTY.encode())
    return emptied_url


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

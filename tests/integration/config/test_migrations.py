"""The schema, brought up to date by whoever comes first."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from shared.embedded import EmbeddedPostgres
from shared.errors import Misconfigured
from shared.ledger.connection import connect
from shared.ledger.migrations import migrate, pending, require_current

ROOT = Path(__file__).parents[3]
NAMES = sorted(path.name for path in (ROOT / "shared" / "ledger" / "migrations").glob("*.sql"))


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"empty_{time.monotonic_ns()}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


def test_an_empty_database_gets_everything_once(empty_url: str) -> None:
    assert pending(empty_url) == NAMES
    assert migrate(empty_url) == NAMES
    assert pending(empty_url) == []
    assert migrate(empty_url) == []


def test_several_that_migrate_at_once_share_the_work(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(migrate, [empty_url] * 4))
    assert sorted(results) == [[], [], [], NAMES]


def test_a_migration_killed_at_any_moment_leaves_the_old_schema_or_the_new(empty_url: str) -> None:
    program = f"from shared.ledger.migrations import migrate; print('go', flush=True); migrate({empty_url!r})"
    for delay_s in (0.005, 0.02, 0.06):
        with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay_s)
            os.kill(process.pid, signal.SIGKILL)
        assert pending(empty_url) in (NAMES, [])
    migrate(empty_url)
    with connect(empty_url) as conn:
        require_current(conn)


def test_a_process_refuses_a_schema_that_lacks_something(empty_url: str) -> None:
    with connect(empty_url) as conn, pytest.raises(Misconfigured, match="run `connector migrate`"):
        require_current(conn)


def test_a_schema_of_a_newer_connector_is_refused(database_url: str) -> None:
    with connect(database_url) as conn:
        conn.execute("insert into schema_migration (name, digest) values ('9999_later.sql', 'x')")
        with pytest.raises(Misconfigured, match=r"9999_later\.sql.*install that version"):
            require_current(conn)
    with pytest.raises(Misconfigured, match="newer"):
        migrate(database_url)


def test_a_migration_changed_after_it_was_applied_is_noticed(database_url: str) -> None:
    with connect(database_url) as conn:
        conn.execute("update schema_migration set digest = 'other' where name = %s", (NAMES[0],))
    with pytest.raises(Misconfigured, match="in another version"):
        migrate(database_url)


def test_a_schema_that_cannot_be_made_is_one_sentence_and_changes_nothing(empty_url: str) -> None:
    with connect(empty_url) as conn:
        conn.execute("create table credential (x int)")
    with pytest.raises(Misconfigured) as caught:
        migrate(empty_url)
    assert '0002_config.sql cannot be applied, and nothing was changed: relation "credential"' in str(caught.value)
    assert pending(empty_url) == NAMES


def test_a_server_that_starts_late_is_waited_for(own_folder: Path) -> None:
    server = EmbeddedPostgres(own_folder / "late", fsync=False)
    with server:
        url = server.url
        server.stop()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(migrate, url)
            time.sleep(1)
            assert not waiting.done()
            server.start()
            assert waiting.result(timeout=60) == NAMES


def test_a_server_that_never_comes_is_one_sentence() -> None:
    began = time.monotonic()
    with pytest.raises(Misconfigured, match="waited 1 s"):
        migrate("postgresql://me:hunter2@127.0.0.1:1/x", patience_s=1)
    assert time.monotonic() - began < 10


def test_a_wrong_password_is_not_waited_for(postgres: EmbeddedPostgres) -> None:
    began = time.monotonic()
    wrong = psycopg.conninfo.make_conninfo(postgres.url, password="hunter2")
    with pytest.raises(Misconfigured) as caught:
        migrate(wrong)
    assert "hunter2" not in str(caught.value)
    assert time.monotonic() - began < 10

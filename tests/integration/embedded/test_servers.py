import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from shared.embedded import EmbeddedPostgres, EmbeddedRedis
from shared.errors import Misconfigured

#: A program that owns both servers, says so, and waits to be killed.
OWNER = """
import sys, time
from pathlib import Path
from shared.embedded import EmbeddedPostgres, EmbeddedRedis
folder = Path(sys.argv[1])
with EmbeddedPostgres(folder / "postgres", fsync=False) as p, EmbeddedRedis(folder / "redis") as r:
    print(p.pid, r.pid, flush=True)
    time.sleep(120)
"""


def test_what_postgres_committed_survives_its_crash(own_folder: Path) -> None:
    with EmbeddedPostgres(own_folder / "postgres", fsync=False) as server:
        url = server.url
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE seen (number int)")
            connection.execute("INSERT INTO seen SELECT generate_series(1, 1000)")
        torn = psycopg.connect(url)
        torn.execute("INSERT INTO seen VALUES (0)")
        server.kill()
        assert not server.alive()
        server.start()
        assert server.url == url
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*), min(number) FROM seen").fetchone() == (1000, 1)


def test_what_redis_answered_survives_its_crash(own_folder: Path) -> None:
    with EmbeddedRedis(own_folder / "redis") as server:
        url = server.url
        with redis.Redis.from_url(url) as client:
            client.rpush("queue", *range(1000))
            server.kill()
            server.start()
            assert server.url == url
            assert client.llen("queue") == 1000
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_data_is_there_again_for_the_next_owner(own_folder: Path) -> None:
    with EmbeddedPostgres(own_folder / "postgres") as server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert not server.alive()
    with EmbeddedPostgres(own_folder / "postgres") as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_wrong_password_is_refused_and_the_right_one_is_on_no_command_line(
    postgres: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    for url, pid in ((postgres.url, postgres.pid), (redis_server.url, redis_server.pid)):
        password = url.split(":")[2].split("@")[0]
        listed = subprocess.run(
            ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True
        )
        assert "127.0.0.1" in listed.stdout
        assert password not in listed.stdout
        with pytest.raises((psycopg.OperationalError, redis.AuthenticationError)):
            _use(url.replace(password, "guess"))


def _use(url: str) -> None:
    if url.startswith("redis"):
        redis.Redis.from_url(url).ping()
    psycopg.connect(url, connect_timeout=5)


def test_a_database_is_copied_from_a_template_in_use(postgres: EmbeddedPostgres) -> None:
    template = postgres.create_database("in_use")
    with psycopg.connect(template, autocommit=True) as connection:
        connection.execute("CREATE TABLE original AS SELECT 1 AS number")
        copy = postgres.create_database("copy_of_in_use", template="in_use")
    with psycopg.connect(copy) as connection:
        assert connection.execute("SELECT number FROM original").fetchone() == (1,)
    for name in ("copy_of_in_use", "in_use"):
        postgres.drop_database(name)


def test_data_of_another_major_is_not_touched(own_folder: Path) -> None:
    with EmbeddedPostgres(own_folder / "postgres", fsync=False):
        pass
    version = own_folder / "postgres/data/PG_VERSION"
    made_by = version.read_text()
    version.write_text("11\n")
    with pytest.raises(Misconfigured, match=r"was made by PostgreSQL 11.*set PG_BINDIR"):
        EmbeddedPostgres(own_folder / "postgres").start()
    version.write_text(made_by)
    with EmbeddedPostgres(own_folder / "postgres", fsync=False) as server:
        assert server.alive()


def test_queues_of_another_engine_are_not_touched(own_folder: Path) -> None:
    with EmbeddedRedis(own_folder / "redis"):
        pass
    (own_folder / "redis/made-by").write_text("Redis 99")
    with pytest.raises(Misconfigured, match=r"was made by Redis 99.*set REDIS_SERVER_BIN"):
        EmbeddedRedis(own_folder / "redis").start()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends a child with its parent")
def test_both_servers_end_with_an_owner_that_is_killed(own_folder: Path) -> None:
    owner = _owner(own_folder)
    pids = _pids(owner)
    owner.kill()
    owner.wait()
    assert _gone(*pids, within_s=20)


def test_a_server_that_outlived_its_owner_is_replaced(own_folder: Path) -> None:
    """As on a system that does not end a child with its parent: here the owner is stopped, and so cannot end them."""
    owner = _owner(own_folder)
    pids = _pids(owner)
    try:
        owner.send_signal(signal.SIGSTOP)
        with (
            EmbeddedPostgres(own_folder / "postgres", fsync=False) as server,
            EmbeddedRedis(own_folder / "redis") as queues,
        ):
            assert server.alive()
            assert queues.alive()
            assert not {server.pid, queues.pid} & set(pids)
    finally:
        owner.kill()
        owner.wait()


def _owner(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)


def _pids(owner: "subprocess.Popen[str]") -> list[int]:
    assert owner.stdout is not None
    return [int(word) for word in owner.stdout.readline().split()]


def _gone(*pids: int, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not any(_exists(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that ended may wait to be collected by whoever adopted it.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

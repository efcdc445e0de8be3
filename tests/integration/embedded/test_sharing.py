import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from shared.embedded import resolve
from shared.errors import Misconfigured

#: A command that resolves its servers, reports what it was lent, and stays until told to end.
COMMAND = """
import os, sys
from pathlib import Path
from shared.embedded import resolve
with resolve({}, Path(sys.argv[1])) as urls:
    print(urls.database, urls.redis, flush=True)
    sys.stdin.readline()
"""


def test_urls_of_the_operator_start_nothing(own_folder: Path) -> None:
    with resolve({"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://queues/0"}, own_folder) as urls:
        assert urls == ("postgresql://db/x", "redis://queues/0")
    assert list(own_folder.iterdir()) == []


def test_only_the_missing_server_is_started(own_folder: Path) -> None:
    with resolve({"DATABASE_URL": "postgresql://db/x"}, own_folder) as urls, redis.Redis.from_url(urls.redis) as client:
        assert client.ping()
        assert sorted(path.name for path in (own_folder / ".connector").iterdir()) == [
            "redis",
            "redis.json",
            "redis.lock",
        ]
        assert (own_folder / ".connector/redis.json").stat().st_mode & 0o077 == 0


def test_commands_in_one_folder_share_the_servers_of_the_first(own_folder: Path) -> None:
    first, second = _command(own_folder), _command(own_folder)
    try:
        lent = {_said(first), _said(second)}
        assert len(lent) == 1
        with resolve({}, own_folder) as urls:
            assert f"{urls.database} {urls.redis}" in lent
            with psycopg.connect(urls.database) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        for command in (first, second):
            command.communicate("end\n", timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert not list((own_folder / ".connector").glob("*.json"))


def test_the_next_command_takes_over_after_the_owner_is_killed(own_folder: Path) -> None:
    owner = _command(own_folder)
    database = _said(owner).split()[0]
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    owner.kill()
    owner.communicate(timeout=60)
    with resolve({}, own_folder) as urls, psycopg.connect(urls.database) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_a_server_that_dies_is_started_again_at_the_same_address(own_folder: Path) -> None:
    with resolve({}, own_folder) as urls, redis.Redis.from_url(urls.redis) as client:
        os.kill(
            int((own_folder / ".connector/postgres/data/postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL
        )
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        assert _answers_again(urls.database, urls.redis, within_s=60)


def test_a_folder_that_cannot_be_used_is_one_sentence(own_folder: Path) -> None:
    (own_folder / ".connector").write_text("in the way")
    with pytest.raises(Misconfigured, match=r"cannot use .*\.connector"), resolve({}, own_folder):
        pass


def _command(own_folder: Path) -> "subprocess.Popen[str]":
    line = [sys.executable, "-c", COMMAND, str(own_folder)]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _said(command: "subprocess.Popen[str]") -> str:
    assert command.stdout is not None
    return command.stdout.readline().strip()


def _answers_again(database: str, queues: str, *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            psycopg.connect(database, connect_timeout=5).close()
            return bool(redis.Redis.from_url(queues).ping())
        except (psycopg.OperationalError, redis.ConnectionError):
            time.sleep(0.1)
    return False

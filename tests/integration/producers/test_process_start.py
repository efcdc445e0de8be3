"""Processes refuse to start on what is unsafe: exit 5, one sentence, no traceback and no secret."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from shared import assembly
from shared.assembly import Assembly
from shared.config.environment import Environment
from shared.embedded import EmbeddedPostgres, EmbeddedRedis
from shared.errors import Misconfigured
from shared.ledger.connection import Ledger
from tests.integration.producers.tenants import KEY

ROOT = Path(__file__).parents[3]
SETTINGS = """
[ifs]
base_url = "https://ifs.example"
realm = "acme1"

[cin7.main]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "connector.toml"
    path.write_text(SETTINGS)
    return path


def start(module: str, *arguments: str, **variables: str | Path) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONNECTOR_", "PG"))}
    kept.pop("DATABASE_URL", None)
    kept.pop("REDIS_URL", None)
    ours = {"CONNECTOR_MASTER_KEY": KEY, "CONNECTOR_LOG": "json", **{k: str(v) for k, v in variables.items()}}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**kept, **ours},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(process: subprocess.Popen[str]) -> str:
    """Return the one sentence with which a process refuses to start."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == 5, said
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, said
    return lines[0]


def test_every_process_refuses_in_one_sentence_that_names_it(config: Path) -> None:
    modules = {
        "producers": "poller",
        "producers.sweep": "sweeper",
        "workers.mapping": "mapper",
        "workers.writing": "writer",
        "workers.releasing": "replayer",
    }
    started = {role: start(module, CONNECTOR_CONFIG=config) for module, role in modules.items()}
    for role, process in started.items():
        said = refused(process)
        assert said.startswith(f"{role}: A single process needs DATABASE_URL and REDIS_URL")


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"bare_{time.monotonic_ns()}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def evicting(redis_server: EmbeddedRedis) -> Iterator[str]:
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        yield redis_server.url
        client.config_set("maxmemory-policy", "noeviction")


def test_what_is_unsafe_is_named_with_its_remedy(
    config: Path, tmp_path: Path, database_url: str, empty_url: str, redis_server: EmbeddedRedis
) -> None:
    redis_url = redis_server.url
    there, _, rest = database_url.partition("?")
    gone = f"{there}_gone" + (f"?{rest}" if rest else "")
    broken = tmp_path / "broken.toml"
    broken.write_text("[ifs\n")
    urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    ours = {**urls, "CONNECTOR_CONFIG": str(config)}
    cases = {
        "missing.toml": start("producers", **urls, CONNECTOR_CONFIG=tmp_path / "missing.toml"),
        "broken.toml": start("producers", **urls, CONNECTOR_CONFIG=broken),
        "run `connector migrate`": start("producers", **{**ours, "DATABASE_URL": empty_url}),
        "does not exist": start("producers", **{**ours, "DATABASE_URL": gone}),
        "known are suppliers, purchase_orders": start("producers", "orders", **ours),
        "REDIS_URL": start("producers", **{**ours, "REDIS_URL": "amqp://here"}),
    }
    for words, process in cases.items():
        said = refused(process)
        assert words in said
        assert said.startswith("poller: ")
        assert KEY not in said


def test_a_redis_that_may_evict_is_refused(config: Path, database_url: str, evicting: str) -> None:
    said = refused(start("producers.sweep", DATABASE_URL=database_url, REDIS_URL=evicting, CONNECTOR_CONFIG=config))
    assert "allkeys-lru" in said
    assert "noeviction" in said


def test_a_process_ends_well_when_it_is_told_to(config: Path, database_url: str, redis_url: str) -> None:
    process = start("producers.sweep", DATABASE_URL=database_url, REDIS_URL=redis_url, CONNECTOR_CONFIG=config)
    assert process.stderr is not None
    for line in process.stderr:
        if "started" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.fixture
def parts(config: Path, database_url: str, redis_url: str) -> Iterator[Assembly]:
    environment = Environment(master_key=KEY, config_path=config)
    made = Assembly(environment, database_url=database_url, redis_url=redis_url, role="test", root=config.parent)
    yield made
    made.ledger.close()
    made.redis.close()


@pytest.mark.parametrize("skew_s", [-3600.0, 31.0])
def test_a_clock_that_is_wrong_is_refused(parts: Assembly, monkeypatch: pytest.MonkeyPatch, skew_s: float) -> None:
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + skew_s)
    with pytest.raises(Misconfigured, match=r"clock and PostgreSQL's differ by \d+ s: set them by NTP"):
        parts.stand()


def test_a_clock_that_is_nearly_right_is_good_enough(parts: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + 20)
    parts.stand()


def test_a_server_that_stays_away_is_named_without_its_password() -> None:
    away = Ledger("postgresql://connector:hunter2@127.0.0.1:1/ledger")
    with pytest.raises(Misconfigured, match="did not answer within 0 s: PostgreSQL cannot be reached") as refusal:
        assembly.patiently(away.connection, 0)
    assert "hunter2" not in str(refusal.value)


def test_a_server_that_comes_late_is_waited_for() -> None:
    tries = iter([redis.ConnectionError("loading"), redis.TimeoutError("slow")])

    def attempt() -> str:
        for error in tries:
            raise error
        return "there"

    assert assembly.patiently(attempt, 20) == "there"

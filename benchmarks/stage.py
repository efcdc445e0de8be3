"""An installation that is measured: real servers with durable settings, both stand-ins, processes started by name."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from sandbox.world import World, as_json
from shared.embedded import EmbeddedPostgres, EmbeddedRedis
from shared.ledger.migrations import migrate
from tests.acceptance.staging import Stage, StandIn

#: Seconds a process may take to start, and to end.
START_S = 60
#: More calls than any run makes: the measured limit is the machine, not the budget.
UNLIMITED = 10_000_000

Toml = Mapping[str, Mapping[str, Any]]

#: No limit on calls, and one pull of each stream a run.
ONE_PULL: Toml = {
    "cin7": {"calls_per_minute": UNLIMITED},
    "ifs": {"requests_per_minute": UNLIMITED},
    "streams": {"purchase_orders": {"every_s": 3600}, "suppliers": {"every_s": 3600}, "journals": {"every_s": 3600}},
}

MODULES = {
    "poller": "producers",
    "sweeper": "producers.sweep",
    "mapper": "workers.mapping",
    "writer": "workers.writing",
    "replayer": "workers.releasing",
    "web": "console.web",
    "hooks": "console.hooks",
    "bare poller": "benchmarks.bare.poll",
    "bare mapper": "benchmarks.bare.mapping",
    "bare writer": "benchmarks.bare.writing",
}


class Running:
    """One started process."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> str:
        """Ask it to end, wait, and return what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.said()


class Bench:
    """One prepared installation; each run of it gets a fresh copy of the ledger as it was at `keep`."""

    def __init__(
        self, folder: Path, postgres: EmbeddedPostgres, redis_url: str, world: World, toml: Toml, *, canned: bool
    ) -> None:
        self.postgres = postgres
        self.redis_url = redis_url
        self.folder = folder
        self.runs = 0
        self.database = "prepared"
        url = postgres.create_database(self.database)
        migrate(url)
        self.flush()
        self.stage = Stage(folder, url, redis_url, world, toml)
        if canned:
            self.stage.ifs.close()
            self.stage.ifs = StandIn("benchmarks.canned", as_json(world.ifs_seed), folder)
            settings = world.connector_toml(self.stage.ifs.url, self.stage.cin7.url, **toml)
            (folder / "connector.toml").write_text(settings)
        self.ifs, self.cin7 = self.stage.ifs, self.stage.cin7
        self.started: list[Running] = []
        self.cin7.control("requests", {"bodies": False})

    @property
    def database_url(self) -> str:
        return self.stage.environment["DATABASE_URL"]

    def keep_account(self, name: str) -> None:
        """Take all other Cin7 accounts out of the settings."""
        file = self.folder / "connector.toml"
        sections = file.read_text().split("\n[")
        kept = [one for one in sections if not one.startswith("cin7.") or one.startswith(f"cin7.{name}]")]
        file.write_text("\n[".join(kept))

    def flush(self) -> None:
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def fresh(self) -> None:
        """End what runs; go on with an empty Redis and a copy of the ledger as it was prepared."""
        self.stop()
        self.flush()
        if self.runs:
            self.postgres.drop_database(f"run_{self.runs}")
        self.runs += 1
        url = self.postgres.create_database(f"run_{self.runs}", template=self.database)
        self.stage.environment["DATABASE_URL"] = url
        self.cin7.control("requests", method="DELETE")
        self.ifs.control("requests", method="DELETE")

    def start(self, name: str, *arguments: str, **environment: str) -> Running:
        """Start one process and wait until it is at work."""
        log = self.folder / f"{len(self.started)}-{self.runs}-{name.replace(' ', '-')}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", MODULES[name], *arguments],
                cwd=self.folder,
                env={**self.stage.environment, **environment},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        running = Running(process, log)
        self.started.append(running)
        until(lambda: "started" in running.said() or process.poll() is not None, START_S, every_s=0.02)
        if "started" not in running.said():
            raise RuntimeError(f"{name} did not start: {running.said()[-2000:]}")
        return running

    def stop(self) -> None:
        for running in reversed(self.started):
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
        for running in self.started:
            said = running.stop()
            assert "Traceback" not in said, said[-4000:]
        self.started.clear()

    def one(self, sql: str, params: Sequence[object] | None = None) -> Any:  # noqa: ANN401 - whatever the column holds
        """Return the first column of the first row."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(sql, params).fetchone()
        return row[0] if row else None

    def row(self, sql: str, params: Sequence[object] | None = None) -> tuple[Any, ...]:
        """Return the first row."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(sql, params).fetchone()
        assert row is not None, sql
        return row

    def due(self, flow: str) -> None:
        """Let the next look of a poller find this stream due."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("update watermark set due_at = now() where stream = %s", (flow,))

    def calls(self, endpoint: str) -> int:
        """Return how many calls Cin7 has had whose path begins so."""
        summary = self.cin7.control(f"requests?summary=true&path={endpoint}")["summary"]
        return sum(int(row["calls"]) for row in summary)

    def ifs_calls(self) -> int:
        return int(self.ifs.control("state")["requests"])

    def queued(self, queue: str) -> int:
        """Return how many messages wait in a list of Redis."""
        with redis.Redis.from_url(self.redis_url) as client:
            return int(client.llen(queue))

    def written(self, flow: str = "purchase_orders") -> int:
        return int(self.one("select count(*) from entry where flow = %s and state = 'written'", (flow,)))

    def pulled(self, flow: str = "purchase_orders") -> bool:
        """Say whether a pull of `flow` has ended."""
        return bool(self.one("select exists (select 1 from poll where flow = %s and outcome <> 'running')", (flow,)))

    def bring_suppliers(self, count: int) -> None:
        """Link every supplier, keep the ledger as it then is, and let every later run begin there."""
        self.start("mapper"), self.start("writer"), self.start("poller", "suppliers")
        until(lambda: self.written("suppliers") >= count, 300)
        self.stop()

    def close(self) -> None:
        for running in self.started:
            running.process.kill()
            running.process.wait()
        self.stage.close()
        if self.runs:
            self.postgres.drop_database(f"run_{self.runs}")
        self.postgres.drop_database(self.database)


@contextmanager
def servers() -> Iterator[tuple[Path, EmbeddedPostgres, EmbeddedRedis]]:
    """Both servers as an operator runs them: fsync on, append-only file on."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedRedis(folder / "redis") as queue:
            yield folder, postgres, queue


@contextmanager
def bench(world: World, toml: Toml, *, canned: bool = False) -> Iterator[Bench]:
    """Set up one installation for `world`, and take everything down again.

    Args:
        toml: sections of the settings that differ from their defaults.
        canned: IFS answers from memory what it has been asked before, see `canned.py`.
    """
    with servers() as (folder, postgres, queue):
        home = folder / "home"
        home.mkdir()
        made = Bench(home, postgres, queue.url, world, toml, canned=canned)
        try:
            made.stage.set_up()
            yield made
        except TimeoutError:
            for running in made.started:
                sys.stderr.write(f"== {running.log.name}\n{running.said()[-2000:]}\n")
            raise
        finally:
            made.close()


def until(happened: Callable[[], object], timeout_s: float = 120, every_s: float = 0.1) -> None:
    """Wait until something is true, or fail."""
    end = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen in time")
        time.sleep(every_s)


def peak_mb(pid: int) -> float:
    """Return the most memory that a process has had resident so far."""
    return _memory_kb(pid, "VmHWM:") / 1024


def resident_mb(pid: int) -> float:
    return _memory_kb(pid, "VmRSS:") / 1024


def _memory_kb(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name)))


def last_json(said: str) -> Any:  # noqa: ANN401 - whatever was printed
    """Return the last line of a log that is JSON."""
    return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])

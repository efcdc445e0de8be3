"""A whole installation on loopback: real servers, both stand-ins and the connector's own processes and commands."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from sandbox.world import World, as_json

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    "poller": ["-m", "producers"],
    "sweeper": ["-m", "producers.sweep"],
    "mapper": ["-m", "workers.mapping"],
    "writer": ["-m", "workers.writing"],
    "replayer": ["-m", "workers.releasing"],
    "hooks": ["-m", "console.hooks"],
}


class StandIn:
    """One stand-in program and its control plane."""

    def __init__(self, module: str, seed: bytes, folder: Path) -> None:
        seed_file = folder / f"{module}.json"
        seed_file.write_bytes(seed)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0", "--seed-file", str(seed_file)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "ready" in line, f"{module} said {line!r}"
        address = next(word for word in line.split() if word.startswith("http"))
        self.url = "/".join(address.split("/")[:3])

    def control(self, path: str, body: object = None, method: str | None = None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else as_json(body)
        request = urllib.request.Request(  # noqa: S310 - our own stand-in
            f"{self.url}/_sandbox/{path}",
            data=data,
            method=method or ("GET" if data is None else "POST"),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            text = answer.read()
        return json.loads(text) if text else None

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Stage:
    """One installation. Processes are started by name, any number of each."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, world: World, toml: Mapping[str, Any]) -> None:
        self.folder = folder
        self.world = world
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.started = 0
        self.ifs = StandIn("sandbox.ifs", as_json(world.ifs_seed), folder)
        self.cin7 = StandIn("sandbox.cin7", as_json(world.cin7_seed), folder)
        (folder / "connector.toml").write_text(world.connector_toml(self.ifs.url, self.cin7.url, **toml))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("CONNECTOR_", "PG"))},
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONNECTOR_CONFIG": str(folder / "connector.toml"),
            "CONNECTOR_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "CONNECTOR_LOG": "json",
            "PYTHONPATH": str(ROOT),
        }

    def set_up(self) -> None:
        """Do what an operator does first: migrate, credentials, tables."""
        self.connector("migrate")
        self.connector("credentials", "set", "ifs", stdin=json.dumps(self.world.credentials["ifs"]))
        for account, body in self.world.credentials["cin7"].items():
            self.connector("credentials", "set", "cin7", account, stdin=json.dumps(body))
        for table, text in self.world.tables.items():
            path = self.folder / f"{table}.csv"
            path.write_text(text)
            self.connector("mappings", "import", table, str(path))

    def connector(self, *args: str, stdin: str = "", codes: Sequence[int] = (0,), timeout: float = 240) -> str:
        """Run one command and return what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "console", *args],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode in codes, f"connector {' '.join(args)} ended {done.returncode}: {done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def ask(self, *args: str, codes: Sequence[int] = (0, 3)) -> Any:  # noqa: ANN401 - JSON
        """Run one command with --json and return its document."""
        return json.loads(self.connector(*args, "--json", codes=codes))

    def start(self, *names: str, **environment: str) -> list[subprocess.Popen[bytes]]:
        started = []
        for name in names:
            self.started += 1
            log = (self.folder / f"{name}-{self.started}.log").open("wb")
            process = subprocess.Popen(
                [sys.executable, *MODULES[name]],
                cwd=self.folder,
                env={**self.environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            self.running.append((name, process))
            started.append(process)
        return started

    def start_all(self, writers: int = 1, **environment: str) -> None:
        self.start("poller", "sweeper", "mapper", "replayer", *["writer"] * writers, **environment)

    def stop(self, sig: int = signal.SIGTERM, only: str = "") -> None:
        """Stop all processes, or those of one name."""
        stopping = [(name, process) for name, process in self.running if not only or name == only]
        for _, process in stopping:
            if process.poll() is None:
                process.send_signal(sig)
        for _, process in stopping:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = [pair for pair in self.running if pair not in stopping]

    def rows(self, sql: str, params: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """Return what the ledger answers."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(sql, params).fetchall()

    def ifs_rows(self, table: str) -> list[dict[str, Any]]:
        """Return what IFS holds in one table now."""
        rows: list[dict[str, Any]] = self.ifs.control(f"state?set={table}")
        return rows

    def wait(self, timeout: float = 180) -> dict[str, Any]:
        """Wait until nothing moves; return the status."""
        self.connector("wait", "--timeout", str(int(timeout)), codes=(0, 3), timeout=timeout + 30)
        status: dict[str, Any] = self.ask("status")
        return status

    def logs(self) -> str:
        return "\n".join(f"== {path.name}\n{path.read_text()[-4000:]}" for path in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        self.ifs.close()
        self.cin7.close()


@contextmanager
def staged(
    folder: Path,
    database_url: str,
    redis_url: str,
    world: World,
    *,
    set_up: bool = True,
    **toml: Any,  # noqa: ANN401 - sections of the settings, as the world writes them
) -> Iterator[Stage]:
    """Set up an installation and take it down again."""
    stage = Stage(folder, database_url, redis_url, world, toml)
    try:
        if set_up:
            stage.set_up()
        yield stage
    finally:
        stage.close()


def until(happened: Callable[[], object], timeout_s: float = 60, every_s: float = 0.2) -> None:
    """Wait until something is true, or fail."""
    end = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(every_s)

"""Valkey or Redis as a child of this process: append-only file, no eviction, a random password, a loopback port."""

import os
import secrets
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import redis

from shared.embedded.children import Child, command, free_port, stop_stranger, wait_until
from shared.embedded.programs import Engine, redis_engine
from shared.errors import Misconfigured

_ATTEMPTS = 8
_READY_S = 120  # A long append-only file is read first.
_STOP = ((signal.SIGTERM, 20.0),)


def configuration(*, port: int, password: str, folder: Path) -> str:
    """Return the server's configuration file: the queues must outlive it, and must never be evicted. Pure."""
    settings: Mapping[str, object] = {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": password,
        "dir": f'"{folder}"',
        "pidfile": f'"{folder / "pid"}"',
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory-policy": "noeviction",
    }
    return "".join(f"{name} {setting}\n" for name, setting in settings.items())


def readable_by(made_by: str, engine: Engine) -> bool:
    """Say whether `engine` reads an append-only file written by `made_by`, a stamp such as `Valkey 9`. Pure."""
    name, _, major = made_by.partition(" ")
    return name == engine.name and major.isdigit() and int(major) <= engine.major


class EmbeddedRedis:
    """One server on one folder; started on entering, stopped on leaving, its data kept.

    Port and password stay the same for the life of the object. Whoever makes one must be the folder's only owner.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.port = 0
        self._password = secrets.token_urlsafe(24)
        self._engine: Engine | None = None
        self._child: Child | None = None

    def __enter__(self) -> "EmbeddedRedis":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("The embedded Redis was never started.")
        return self._child.pid

    def alive(self) -> bool:
        return self._child is not None and self._child.alive()

    def start(self) -> None:
        """Start the server on what the folder holds and wait until it answers.

        Raises:
            Misconfigured: no program, data of another engine, or a server that does not come up.
        """
        if self._engine is None:
            self._prepare()
        first = not self.port
        for attempt in range(_ATTEMPTS):
            self.port = self.port or free_port()
            self._child = self._spawn()
            if wait_until(self._answers, self._child, timeout_s=_READY_S):
                return
            if "bind" not in self._child.said().lower():
                break
            # Another process took the port between finding and binding it; after a restart it may yet leave.
            self.port = 0 if first else self.port
            time.sleep(0.2 * 2 ** min(attempt, 4))
        said = self._child.said().splitlines()[-1:] if self._child else []
        raise Misconfigured(f"The embedded Redis does not start: {''.join(said)} ({self.folder / 'log'}).")

    def stop(self) -> None:
        """Write everything out and stop; a no-op where it does not run."""
        if self._child is not None:
            self._child.stop(_STOP)

    def kill(self) -> None:
        """End the server as a crash would; `start` brings it back on the same port with what it had written."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _prepare(self) -> None:
        engine = redis_engine(os.environ)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stop_stale()
        stamp = self.folder / "made-by"
        if stamp.exists() and not readable_by(made_by := stamp.read_text().strip(), engine):
            raise Misconfigured(
                f"{self.folder} was made by {made_by}, and {engine.program} is {engine.stamp}: set REDIS_SERVER_BIN to "
                f"{made_by}, or remove that folder (the ledger sends again what was queued in it)."
            )
        stamp.write_text(engine.stamp)
        self._engine = engine

    def _spawn(self) -> Child:
        if self._engine is None:
            raise RuntimeError("`start` prepares first.")
        # In a file of this user's alone: every process of the machine may read a command line.
        file = self.folder / "server.conf"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(configuration(port=self.port, password=self._password, folder=self.folder))
        return Child(command("self", self._engine.program, str(file)), folder=self.folder, log=self.folder / "log")

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=5, socket_timeout=5) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # Loading its file counts as the first.
            return False

    def _stop_stale(self) -> None:
        """Stop a server of an owner that is gone: the folder is ours alone now."""
        try:
            pid = int((self.folder / "pid").read_text())
            settings = dict(line.split(" ", 1) for line in (self.folder / "server.conf").read_text().splitlines())
        except (OSError, ValueError):
            return
        title = f"127.0.0.1:{settings.get('port')}"
        stop_stranger(pid, lambda said: "-server" in said and title in said, (*_STOP, (signal.SIGKILL, 5.0)))

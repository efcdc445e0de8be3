"""PostgreSQL as a child of this process: a data directory, a random password, a loopback port."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql

from shared.embedded.children import (
    Child,
    Identity,
    clean_environment,
    command,
    free_port,
    identity_for,
    stop_stranger,
    wait_until,
)
from shared.embedded.programs import Engine, postgres_engine
from shared.errors import Misconfigured

DATABASE = USER = "connector"
_ATTEMPTS = 8
_READY_S = 180  # Recovery after a crash replays the log first.
#: A "fast" stop; then an "immediate" one. SIGTERM would wait for clients to leave.
#: Source: docs/apis/postgresql.md#shutdown-signals.
_STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
_RETRIED = re.compile(r"could not bind|Address already in use|shared memory block|postmaster\.pid", re.IGNORECASE)


class EmbeddedPostgres:
    """One server on one folder; started on entering, stopped on leaving, its data kept.

    Port and password stay the same for the life of the object, so a URL handed out before a crash is good after it.
    Whoever makes one must be the folder's only owner.

    Args:
        folder: where its data, password and log live; made when missing, private to this user.
        fsync: False trades durability against power cuts (not against a killed server) for speed, as tests do.
    """

    def __init__(self, folder: Path, fsync: bool = True) -> None:
        self.folder = folder.absolute()
        self.port = 0
        self._fsync = fsync
        self._data = self.folder / "data"
        self._password = ""
        self._engine: Engine | None = None
        self._identity: Identity = "self"
        self._child: Child | None = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("The embedded PostgreSQL was never started.")
        return self._child.pid

    def url_of(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def alive(self) -> bool:
        return self._child is not None and self._child.alive()

    def start(self) -> None:
        """Make the data directory if there is none, start the server and wait until it answers.

        Raises:
            Misconfigured: no program, a data directory of another major, or a server that does not come up.
        """
        if self._engine is None:
            self._prepare()
        first = not self.port
        for attempt in range(_ATTEMPTS):
            self.port = self.port or free_port()
            self._child = self._spawn()
            if wait_until(self._answers, self._child, timeout_s=_READY_S):
                self._ensure_database(DATABASE)
                return
            if not _RETRIED.search(self._child.said()):
                break
            # Either another process took the port in between, or a killed server's last backend is still leaving.
            self.port = 0 if first else self.port
            time.sleep(0.2 * 2 ** min(attempt, 4))
        said = self._child.said() if self._child else ""
        raise Misconfigured(f"The embedded PostgreSQL does not start: {_last_line(said)} ({self.folder / 'log'}).")

    def stop(self) -> None:
        """End every connection and stop; a no-op where it does not run."""
        if self._child is not None:
            self._child.stop(_STOP)

    def kill(self) -> None:
        """End the server as a crash would; `start` recovers it on the same port."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, as a copy of `template` if one is named, and return its URL."""
        with self._administration() as connection:
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if template is not None:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [template]
                )
                statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
            connection.execute(statement)
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending its connections."""
        with self._administration() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _prepare(self) -> None:
        engine = postgres_engine(os.environ)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stop_stale()
        self._identity = identity_for(engine.program, self.folder)
        if self._data.exists():
            made_by = int((self._data / "PG_VERSION").read_text())
            if made_by != engine.major:
                raise Misconfigured(
                    f"{self._data} was made by PostgreSQL {made_by}, and {engine.program} is {engine.major}: "
                    f"set PG_BINDIR to the programs of PostgreSQL {made_by}, or move that folder away."
                )
            self._password = (self.folder / "password").read_text()
        else:
            self._initialise(engine)
        self._engine = engine

    def _initialise(self, engine: Engine) -> None:
        """Run `initdb` beside the final place and move it there whole: a crash in between leaves nothing half-made."""
        made, password = self.folder / "data.new", self.folder / "password"
        shutil.rmtree(made, ignore_errors=True)
        password.unlink(missing_ok=True)
        self._password = secrets.token_urlsafe(24)
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._password)
        if self._identity == "nobody":
            shutil.chown(password, "nobody")
        done = subprocess.run(  # noqa: S603 - built by `command`.
            command(
                self._identity,
                engine.program.with_name("initdb"),
                *("-D", str(made), "-U", USER, "-A", "scram-sha-256", f"--pwfile={password}"),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            ),
            cwd=self.folder,
            env=clean_environment(os.environ),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise Misconfigured(f"initdb could not make {made}: {_last_line(done.stderr or done.stdout)}.")
        made.rename(self._data)

    def _spawn(self) -> Child:
        if self._engine is None:
            raise RuntimeError("`start` prepares first.")
        settings = {
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
            "logging_collector": "off",
            "fsync": "on" if self._fsync else "off",
            "full_page_writes": "on" if self._fsync else "off",
        }
        arguments = ["-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1"]
        # No unix socket: its path would break at some hundred bytes in a deep checkout.
        arguments += ["-c", "unix_socket_directories="]
        for name, setting in settings.items():
            arguments += ["-c", f"{name}={setting}"]
        line = command(self._identity, self._engine.program, *arguments, death_signal=signal.SIGQUIT)
        return Child(line, folder=self.folder, log=self.folder / "log")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _administration(self) -> psycopg.Connection:
        return psycopg.connect(self.url_of("postgres"), autocommit=True, connect_timeout=10)

    def _ensure_database(self, name: str) -> None:
        with self._administration() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _stop_stale(self) -> None:
        """Stop a server of an owner that is gone: the folder is ours alone now."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        stop_stranger(pid, lambda said: "postgres" in said and str(self._data) in said, _STOP)


def _last_line(said: str) -> str:
    """Return the line that says most: the last one that names an error, else the last one. Pure."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    named = [line for line in lines if re.search(r"FATAL|PANIC|error:|cannot", line)]
    return (named or lines)[-1].rstrip(".")

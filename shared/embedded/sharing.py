"""The two URLs everything stands on: the operator's, or embedded servers that all commands of one folder share."""

import contextlib
import fcntl
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple, Protocol

import psycopg
import redis

from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.redis import EmbeddedRedis
from shared.errors import Misconfigured

#: Under the working directory: data, logs, passwords and state of the embedded servers.
FOLDER = ".connector"
#: A first start makes a data directory; one after a crash recovers it.
_PATIENCE_S = 240
_LOOK_EVERY_S = 0.5


class Urls(NamedTuple):
    database: str
    redis: str


class Server(Protocol):
    """What sharing needs of an embedded server."""

    @property
    def url(self) -> str: ...
    @property
    def pid(self) -> int: ...
    def alive(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@contextlib.contextmanager
def resolve(environ: Mapping[str, str], root: Path) -> Iterator[Urls]:
    """Lend `DATABASE_URL` and `REDIS_URL`, or embedded servers in their place, for the length of the context.

    The first command in `root` starts the servers and stops them at its end; those that come meanwhile use the same
    ones, and lose them with their owner.

    Args:
        environ: where the two URLs are looked up.
        root: the folder that holds, or will hold, `.connector`.

    Raises:
        Misconfigured: a server can be neither found nor started.
    """
    with contextlib.ExitStack() as stack:
        folder = root.absolute() / FOLDER
        try:
            database = environ.get("DATABASE_URL") or stack.enter_context(
                _shared(folder / "postgres", EmbeddedPostgres, _postgres_answers)
            )
            queues = environ.get("REDIS_URL") or stack.enter_context(
                _shared(folder / "redis", EmbeddedRedis, _redis_answers)
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Misconfigured(
                f"The embedded servers cannot use {folder} ({error}): run as its owner, or in another folder."
            ) from error
        yield Urls(database, queues)


@contextlib.contextmanager
def _shared(home: Path, make: Callable[[Path], Server], answers: Callable[[str], bool]) -> Iterator[str]:
    """Lend the URL of the server that lives in `home`: a running one, else one of our own."""
    # Root's servers run as somebody else, who must be able to pass through.
    home.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    state = home.with_suffix(".json")
    with home.with_suffix(".lock").open("a") as lock:
        deadline = time.monotonic() + _PATIENCE_S
        while not _locked(lock):
            url = _recorded(state)
            if url is not None and answers(url):
                yield url
                return
            if time.monotonic() > deadline:
                raise Misconfigured(
                    f"Another command holds {lock.name} and its server does not answer: end that command, then repeat."
                )
            time.sleep(0.1)
        state.unlink(missing_ok=True)
        with _owned(make(home)) as server:
            _record(state, server)
            try:
                yield server.url
            finally:
                state.unlink(missing_ok=True)


@contextlib.contextmanager
def _owned(server: Server) -> Iterator[Server]:
    """Run a server for the length of the context, and start it again whenever it dies.

    One thread does all of it: a server started by a thread ends with that thread.
    """
    started, ending = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def keep() -> None:
        try:
            server.start()
        except Exception as error:  # noqa: BLE001 - raised in the caller's thread, below.
            failures.append(error)
            return
        finally:
            started.set()
        delay_s = _LOOK_EVERY_S
        while not ending.wait(delay_s):
            delay_s = _LOOK_EVERY_S if server.alive() else _revived(server, delay_s)
        server.stop()

    keeper = threading.Thread(target=keep, name="embedded-server", daemon=True)
    keeper.start()
    try:
        started.wait()
        if failures:
            raise failures[0]
        yield server
    finally:
        ending.set()
        keeper.join()


def _revived(server: Server, delay_s: float) -> float:
    """Start a server that died; return how long to wait before looking again, longer after each failure."""
    try:
        server.start()
    except (Misconfigured, OSError):
        return min(delay_s * 2, 30.0)
    return _LOOK_EVERY_S


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _record(state: Path, server: Server) -> None:
    """Tell other commands where the server is; the URL holds its password."""
    fresh = state.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump({"url": server.url, "owner": os.getpid()}, out)
    fresh.replace(state)


def _recorded(state: Path) -> str | None:
    try:
        return str(json.loads(state.read_text())["url"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False

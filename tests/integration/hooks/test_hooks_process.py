"""The hooks process over real connections: strangers, slow and broken ones, crashes, and an address that is taken."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from console.web.serving import TimedProtocol
from sandbox.serving import serving
from shared.embedded.children import free_port
from tests.integration.hooks.hostile import Hostility
from tests.integration.hooks.receiving import KEY, PATH, SECRET, A, Hooks, body

ROOT = Path(__file__).parents[3]
SETTINGS = """
[ifs]
base_url = "http://127.0.0.1:1"
realm = "acme1"
[cin7.main]
base_url = "http://127.0.0.1:1/ExternalApi/v2/"
"""
#: Calls over the network; CONNECTOR_HOSTILE_CALLS asks for some thousand more.
CALLS = 5_000 if "CONNECTOR_HOSTILE_CALLS" in os.environ else 1_000
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n"


def until(happened: Callable[[], object], within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def raw(port: int, data: bytes, timeout_s: float = 10) -> bytes:
    """Send bytes as they are; return the first that come back, b"" where the connection is closed."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=timeout_s)) as connection:
        with suppress(ConnectionError):
            connection.sendall(data)
        try:
            return connection.recv(4096)
        except ConnectionError:
            return b""


@pytest.fixture(name="served")
def served_fixture(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a receiver that has little patience."""
    monkeypatch.setattr("console.web.serving.REQUEST_S", 1.0)
    monkeypatch.setattr("console.web.admission.BODY_S", 0.5)
    with serving(hooks.app, protocol_class=TimedProtocol) as url:
        yield httpx.URL(url).port or 0


def test_a_call_over_the_network_is_taken(served: int, hooks: Hooks) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{served}{PATH}", content=body(A), headers={"authorization": f"Bearer {SECRET}"}
    )
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert hooks.hints() == {A}


def test_who_sends_no_request_is_not_waited_for(served: int) -> None:
    for beginning in (b"", b"POST /ho", HEAD.encode()):
        with closing(socket.create_connection(("127.0.0.1", served), timeout=10)) as connection:
            began = time.monotonic()
            connection.sendall(beginning)
            with suppress(ConnectionResetError):
                assert connection.recv(100) == b""
            assert time.monotonic() - began < 5


def test_a_slow_body_of_who_has_the_secret_is_told_so_and_a_strangers_is_cut_off(served: int) -> None:
    assert raw(served, f"{HEAD}Content-Length: 100\r\n\r\n{{".encode()).startswith(b"HTTP/1.1 408 ")
    stranger = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", served), timeout=10)) as connection:
        connection.sendall(stranger.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 8:
                connection.sendall(b" ")
                time.sleep(0.1)
        assert time.monotonic() - began < 6


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("Content-Length: 2\r\n\r\n{}", b"200"),
        ("Content-Length: 1048577\r\n\r\n{}", b"413"),
        ("Content-Length: 99999999999999999999\r\n\r\n{}", b"413"),
        ("Content-Length: -5\r\n\r\n{}", b"400"),
        ("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
        ("Content-Length: abc\r\n\r\n{}", b"400"),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"200"),
        ("Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", b"400"),
        ("Transfer-Encoding: gzip\r\n\r\n{}", b"501"),
        ("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", b"100"),
        ("X: " + "y" * 70_000 + "\r\n\r\n", b"200"),
        ("\r\n\r\n", b"200"),
    ],
)
def test_lengths_that_are_wrong_are_refused_and_break_nothing(served: int, rest: str, status: bytes) -> None:
    got = raw(served, f"{HEAD}{rest}".encode())
    # What h11 does not speak it says so itself.
    assert got.split(b" ")[1] in {status, b"400"} or not got, got[:80]
    assert raw(served, f"{HEAD}Content-Length: 2\r\n\r\n{{}}".encode()).startswith(b"HTTP/1.1 200 ")


def test_some_thousand_hostile_calls_over_the_network_are_never_a_5xx(
    served: int, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.web.admission.BODY_S", 0.1)
    hostility = Hostility(seed=7)
    statuses: Counter[int] = Counter()
    lock = threading.Lock()
    calls = [hostility.draw() for _ in range(CALLS)]

    def send(some: list[int]) -> None:
        for number in some:
            call = calls[number]
            content = b"".join(call.chunks)
            wrong = random.Random(number).choice([0, 0, 0, 0, -3, 5])  # noqa: S311 - made-up calls
            length = max(0, len(content) + (wrong if not call.cut else 10))
            bearer = f"Authorization: Bearer {SECRET}\r\n" if call.headers and number % 20 else ""
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{bearer}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            got = raw(served, head.encode() + content)
            with lock:
                statuses[int(got.split(b" ")[1]) if got else 0] += 1

    threads = [threading.Thread(target=send, args=(list(range(start, len(calls), 8)),)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(status >= 500 for status in statuses), statuses
    assert statuses[200] > CALLS / 2
    assert set(hostility.unlisted).isdisjoint(hooks.hints())


class Process:
    """A hooks process of its own."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        (folder / "connector.toml").write_text(SETTINGS)
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONNECTOR_CONFIG": str(folder / "connector.toml"),
            "CONNECTOR_MASTER_KEY": KEY,
            "CONNECTOR_HOOKS_BIND": f"127.0.0.1:{self.port}",
            "CONNECTOR_LOG": "json",
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *module: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", *(module or ("console.hooks",))],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def call(self) -> int:
        """Send one call; return its status, 0 where there is no answer."""
        headers = {"authorization": f"Bearer {SECRET}"}
        try:
            return httpx.post(f"http://127.0.0.1:{self.port}{PATH}", content=body(A), headers=headers).status_code
        except httpx.HTTPError:
            return 0

    def stop(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture(name="process")
def process_fixture(tmp_path: Path, hooks: Hooks, database_url: str, redis_url: str) -> Iterator[Process]:
    assert hooks.hints() == set()
    made = Process(tmp_path, database_url, redis_url)
    yield made
    made.stop()


def test_it_starts_takes_and_ends_when_told_to(process: Process, hooks: Hooks) -> None:
    running = process.start()
    until(lambda: listens(process.port) or running.poll() is not None)
    assert process.call() == 200
    assert hooks.hints() == {A}
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 0, said
    assert "Traceback" not in said
    assert SECRET not in said


@pytest.mark.parametrize(("moment", "kept"), [("before", set()), ("after", {A})])
def test_a_crash_between_the_hint_and_the_answer_is_made_good_by_the_next_call(
    process: Process, hooks: Hooks, moment: str, kept: set[str]
) -> None:
    dying = process.start("tests.integration.hooks.dying_receiver", moment)
    until(lambda: listens(process.port) or dying.poll() is not None)
    assert process.call() == 0
    assert dying.wait(30) == -signal.SIGKILL
    assert hooks.hints() == kept
    process.start()
    until(lambda: listens(process.port))
    assert process.call() == 200
    assert (hooks.hints(), hooks.waiting().waiting) == ({A}, 1)


def test_an_address_that_is_taken_is_waited_for_and_stops_nothing(process: Process) -> None:
    taken = socket.create_server(("127.0.0.1", process.port))
    waiting, stopped = process.start(), process.start()
    assert waiting.stderr is not None
    assert stopped.stderr is not None
    for one in (waiting, stopped):
        assert "webhooks are not received" in (one.stderr or sys.stderr).readline()
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(30) == 0
    taken.close()
    until(lambda: process.call() == 200)
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(30) == 0


def test_an_address_of_another_machine_is_exit_5_with_the_variable_to_change(process: Process) -> None:
    process.environment["CONNECTOR_HOOKS_BIND"] = "192.0.2.1:8081"
    running = process.start()
    _, said = running.communicate(timeout=30)
    assert (running.returncode, said.startswith("hooks: ")) == (5, True)
    assert "CONNECTOR_HOOKS_BIND" in said

"""`connector run` as an operator types it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from shared.embedded.children import free_port

ROOT = Path(__file__).parents[2]
SETTINGS = """
[ifs]
base_url = "http://127.0.0.1:1"
realm = "acme1"
[cin7.main]
base_url = "http://127.0.0.1:1/ExternalApi/v2/"
"""

pytestmark = pytest.mark.timeout(120)


class Runner:
    """A folder with settings, and nothing else: servers and key are made by the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.hooks_port = free_port()
        (folder / "connector.toml").write_text(SETTINGS)

    @contextmanager
    def started(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CONNECTOR_LOG": "json"}
        process = subprocess.Popen(
            [sys.executable, "-m", "console", "run", *arguments],
            cwd=self.folder,
            env=environment
            | {
                "CONNECTOR_CONSOLE_BIND": f"127.0.0.1:{self.port}",
                "CONNECTOR_HOOKS_BIND": f"127.0.0.1:{self.hooks_port}",
            },
            stdout=(self.folder / "out").open("wb"),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=30)

    def ended(self, *arguments: str) -> tuple[int, str]:
        with self.started(*arguments) as process:
            _, said = process.communicate(timeout=90)
        return process.returncode, said

    def out(self) -> str:
        return (self.folder / "out").read_text()

    def ready(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            try:
                connection.request("GET", "/readyz")
            except OSError:
                return False
            return bool(json.loads(connection.getresponse().read())["ready"])


def until(happened: Callable[[], object], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def runner(own_folder: Path) -> Runner:
    return Runner(own_folder)


def test_it_makes_what_is_missing_runs_every_process_and_ends_when_told_to(runner: Runner) -> None:
    with runner.started("--scale", "writer=2", "--scale", "poller=0") as process:
        until(lambda: process.poll() is not None or runner.ready())
        assert process.poll() is None, runner.out()
        expected = ["sweeper", "mapper", "writer.1", "writer.2", "replayer", "reconciler", "web", "hooks"]
        until(lambda: all(f"supervisor | {name} started, process " in runner.out() for name in expected))
        assert f"http://127.0.0.1:{runner.port}/readyz" in runner.out()
        assert (runner.folder / ".connector" / "master.key").exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert "poller started" not in runner.out()
    assert "Applied 0001_ledger.sql" in runner.out()


def test_only_the_processes_that_are_named_run(runner: Runner) -> None:
    with runner.started("--only", "web") as process:
        until(runner.ready)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert runner.out().count(" started, process ") == 1


@pytest.mark.parametrize("arguments", [("--scale", "writer"), ("--scale", "righter=2"), ("--only", "righter")])
def test_a_process_that_is_not_in_the_procfile_is_exit_2_and_starts_nothing(
    runner: Runner, arguments: tuple[str, ...]
) -> None:
    code, said = runner.ended(*arguments)
    assert (code, said.count("\n")) == (2, 1)
    assert not (runner.folder / ".connector").exists()


def test_faulty_settings_are_exit_5_and_start_nothing(runner: Runner) -> None:
    (runner.folder / "connector.toml").write_text('[ifs]\nbase_url = "ftp://x"\n')
    code, said = runner.ended()
    assert (code, said.count("\n")) == (5, 1)
    assert not (runner.folder / ".connector").exists()


def test_a_process_that_cannot_run_ends_everything_in_its_own_words(runner: Runner) -> None:
    with socket.create_server(("127.0.0.1", runner.port)):
        code, said = runner.ended()
    assert code == 5
    last = said.splitlines()[-1]
    assert last.startswith(f"connector: web: 127.0.0.1:{runner.port} cannot be listened on")

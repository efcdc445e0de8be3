"""The demo as a stranger meets it: one command, from nothing to a summary, and nothing left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
#: What an operator's own shell may hold; the demo must not go there.
ELSEWHERE = {
    "DATABASE_URL": "postgresql://nobody:hunter2@127.0.0.1:1/production",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "CONNECTOR_CONFIG": "/nowhere/connector.toml",
    "CONNECTOR_MASTER_KEY_FILE": "/nowhere/master.key",
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Demo:
    """A folder to run the demo in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), **ELSEWHERE}

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "console", "demo", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done

    @contextlib.contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run it live, its words in two files, until people edit records in IFS."""
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "console", "demo"], cwd=self.folder, env=self.environment, stdout=out, stderr=err
            )
        try:
            until(lambda: process.poll() is not None or "Now people edit" in self.said(), within_s=300)
            assert process.poll() is None, self.said()
            yield process
        finally:
            process.kill()
            process.wait(30)

    def said(self) -> str:
        return (self.folder / "err").read_text()

    def ask(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:  # noqa: ANN401 - JSON of any shape
        """Run another command in the demo's own installation, as the summary suggests."""
        done = subprocess.run(
            [sys.executable, "-m", "console", *arguments, "--json"],
            cwd=self.folder / ".connector" / "demo",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in codes, done.stderr
        return json.loads(done.stdout)

    def left_behind(self) -> list[str]:
        """Return the command lines of all processes that know the folder, by an argument or a variable."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (process / "cmdline").read_bytes()
                if os.fsencode(self.folder) in line + (process / "environ").read_bytes():
                    found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        return found


def until(happened: Callable[[], object], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


@pytest.fixture
def demo(own_folder: Path) -> Iterator[Demo]:
    demo = Demo(own_folder)
    yield demo
    if sys.platform.startswith("linux"):
        until(lambda: not demo.left_behind(), within_s=20)


def test_it_runs_from_nothing_to_a_summary_and_does_so_again(demo: Demo) -> None:
    first = demo("--headless")
    assert first.returncode == 3, first.stdout + first.stderr
    assert "records ended as this world says they must." in first.stdout
    assert "Exit code 3: done, and 64 records are held or wait" in first.stdout
    assert "Verdicts that IFS shows on its vouchers: 7 CfEnum_FAILED, 68 CfEnum_PASSED." in first.stdout
    assert "Duplicates in Cin7: 0. Purchases left unfinished: 0." in first.stdout
    assert "Ledger: intact" in first.stdout
    assert "suppliers S" in first.stderr, "the first records show at once"
    causes = demo.ask("causes")
    missing = next(cause for cause in causes if cause["code"] == "account.missing")
    assert (missing["company"], missing["value"], missing["entries"]) == ("10", "9999", 16)
    again = demo("--headless", "--seed", "2")
    assert again.returncode == 3, again.stdout + again.stderr


def test_what_it_prints_to_try_can_be_copied_as_it_is(demo: Demo) -> None:
    printed = demo("--headless").stdout
    lines = [line.strip() for line in printed.partition("Look around:")[2].splitlines() if line.strip()]
    assert len(lines) >= 6
    folder, commands = lines[0], [line for line in lines[1:] if "connector " in line]
    for line in commands:
        # Through the installed interpreter rather than `./run`, which would make an environment of its own.
        own = line.partition("connector ")[2]
        done = subprocess.run(
            ["sh", "-c", f"{folder} && {sys.executable} -m console {own}"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        assert done.stdout.strip()


def test_live_an_account_that_is_added_sends_its_documents_through(demo: Demo) -> None:
    with demo.running() as process:
        held = [(hold["flow"], hold["key"]) for hold in demo.ask("holds", codes=(0, 3)) if _lacks_account(hold)]
        assert Counter(flow for flow, _ in held) == {"purchase_orders": 12, "supplier_invoices": 2, "journals": 2}
        refused = demo("--headless")
        assert refused.returncode == 5
        assert "A demo is running in" in refused.stderr
        assert demo("--repair").returncode == 0
        until(lambda: all(f"{flow} {key}: written" in demo.said() for flow, key in held), within_s=120)
        assert "IFS   " in demo.said()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def _lacks_account(hold: dict[str, Any]) -> bool:
    return any((one["code"], one["value"]) == ("account.missing", "9999") for one in hold["findings"])


def test_killed_it_takes_everything_with_it(demo: Demo) -> None:
    with demo.running() as process:
        assert len(demo.left_behind()) > 8
        process.kill()
    until(lambda: not demo.left_behind(), within_s=20)


def test_without_a_demo_there_is_nothing_to_repair(demo: Demo) -> None:
    done = demo("--repair")
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from console.supervising import Supervisor, prefixed, supervise
from console.supervisor.procfile import lines_of, processes_of
from shared.errors import Misconfigured

#: Ends when asked, after a while; says both.
DRAINS = """import signal, sys, time
def end(*_):
    print('draining'); time.sleep(1); print('drained'); sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('ready')
while True: time.sleep(0.05)
"""
#: A master and a worker in its group, as dramatiq has; both ignore being asked.
FAMILY = """import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = os.fork()
if worker: print('worker', worker)
while True: time.sleep(0.05)
"""
#: The supervisor as a command of its own.
COMMAND = """
import os, sys
from pathlib import Path
from console.supervising import prefixed, supervise
write = lambda text: (sys.stdout.write(text), sys.stdout.flush())
supervise(Path(sys.argv[1]), os.environ, on_line=prefixed(['one'], write))
"""


class Heard:
    """What the processes wrote, as it comes."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, text: str) -> None:
        self.lines.append((name, text))

    def of(self, name: str) -> list[str]:
        return [text for speaker, text in self.lines if speaker == name]


def until(true: Callable[[], object], *, within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # An orphan that ended may wait to be collected by whoever adopted it.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def heard() -> Heard:
    return Heard()


class Run(Protocol):
    def __call__(self, processes: dict[str, str], *, grace_s: float = 10.0) -> Supervisor: ...


@pytest.fixture
def run(tmp_path: Path, heard: Heard) -> Run:
    """Makes a supervisor in a folder that holds both programs."""
    (tmp_path / "drains.py").write_text(DRAINS)
    (tmp_path / "family.py").write_text(FAMILY)

    def run(processes: dict[str, str], *, grace_s: float = 10.0) -> Supervisor:
        return Supervisor(processes, os.environ, folder=tmp_path, on_line=heard, grace_s=grace_s)

    return run


def test_a_process_that_is_killed_is_started_again(run: Run, heard: Heard) -> None:
    with run({"one": "python drains.py", "two": "python drains.py"}) as supervisor:
        assert until(lambda: heard.of("one") and heard.of("two"))
        first, neighbour = supervisor.pids()["one"], supervisor.pids()["two"]
        os.kill(first, signal.SIGKILL)
        assert until(lambda: supervisor.pids().get("one", first) != first)
        assert supervisor.pids()["two"] == neighbour
    assert "one ended with signal 9; it starts again in 1 s" in heard.of("supervisor")


def test_a_process_that_keeps_failing_is_started_ever_more_rarely(run: Run, heard: Heard) -> None:
    with run({"one": "sh -c 'echo trying; exit 3'"}):
        assert until(lambda: len(heard.of("one")) == 3)
    delays = [line for line in heard.of("supervisor") if line.startswith("one ended with status 3; ")]
    assert [line.rpartition(" in ")[2] for line in delays[:2]] == ["1 s", "2 s"]


def test_asked_to_end_a_process_finishes_what_it_began(run: Run, heard: Heard) -> None:
    with run({"one": "python drains.py"}):
        assert until(lambda: heard.of("one"))
    assert heard.of("one") == ["ready", "draining", "drained"]


def test_so_does_one_behind_a_shell(run: Run, heard: Heard) -> None:
    with run({"one": "true && python drains.py"}):
        assert until(lambda: heard.of("one"))
    assert heard.of("one") == ["ready", "draining", "drained"]


def test_a_process_that_does_not_end_is_killed_after_the_grace(run: Run, heard: Heard) -> None:
    with run({"one": "python family.py"}, grace_s=0.5) as supervisor:
        assert until(lambda: heard.of("one"))
        master, began = supervisor.pids()["one"], time.monotonic()
    assert time.monotonic() - began < 8
    assert gone(master)
    assert until(lambda: gone(int(heard.of("one")[0].split()[1])))


def test_the_workers_of_a_killed_master_go_with_it(run: Run, heard: Heard) -> None:
    with run({"one": "python family.py"}, grace_s=0.5) as supervisor:
        assert until(lambda: heard.of("one"))
        worker = int(heard.of("one")[0].split()[1])
        os.kill(supervisor.pids()["one"], signal.SIGKILL)
        assert until(lambda: gone(worker), within_s=5)


def test_python_is_ours_and_nothing_lingers_in_a_buffer(run: Run, heard: Heard) -> None:
    with run({"one": "python -c 'import sys, time; print(sys.prefix); time.sleep(60)'"}):
        assert until(lambda: heard.of("one"))
    assert heard.of("one") == [sys.prefix]


def test_a_process_misconfigured_from_the_start_ends_the_run(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "Procfile").write_text("one: sleep 60\ntwo: sh -c 'echo No key: make one.; exit 5'\n")
    with pytest.raises(Misconfigured, match=r"^No key: make one\.$"):
        supervise(tmp_path / "Procfile", os.environ, on_line=heard)
    assert heard.of("supervisor")[-1] == "two is misconfigured: everything stops"


def test_the_same_line_runs_as_often_as_asked(tmp_path: Path, heard: Heard) -> None:
    lines = lines_of("writer: sleep 60\npoller: sleep 60\n")
    with Supervisor(processes_of(lines, scale={"writer": 3}), os.environ, folder=tmp_path, on_line=heard) as supervisor:
        assert until(lambda: sorted(supervisor.pids()) == ["poller", "writer.1", "writer.2", "writer.3"])


def test_a_missing_procfile_is_one_sentence(tmp_path: Path, heard: Heard) -> None:
    with pytest.raises(Misconfigured, match="Cannot read the Procfile"):
        supervise(tmp_path / "Procfile", os.environ, on_line=heard)


def test_lines_stand_behind_the_name_of_their_process() -> None:
    written: list[str] = []
    on_line = prefixed(["web"], written.append)
    on_line("web", "ready")
    on_line("supervisor", "done")
    assert written == ["web        | ready\n", "supervisor | done\n"]


@pytest.fixture
def command(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    (tmp_path / "family.py").write_text(FAMILY)
    (tmp_path / "Procfile").write_text("one: python family.py\n")
    started = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(tmp_path / "Procfile")], stdout=subprocess.PIPE, text=True
    )
    yield started
    started.kill()
    started.communicate(timeout=30)


def _worker_of(command: "subprocess.Popen[str]") -> int:
    assert command.stdout is not None
    return int(next(line for line in command.stdout if " | worker " in line).split()[-1])


def test_a_second_signal_ends_everything_at_once(command: "subprocess.Popen[str]") -> None:
    worker = _worker_of(command)
    command.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert command.poll() is None, "the family does not end when asked, so the first signal waits for it"
    command.send_signal(signal.SIGINT)
    assert command.wait(10) == 0
    assert until(lambda: gone(worker))


def test_the_processes_go_when_the_supervisor_is_killed(command: "subprocess.Popen[str]") -> None:
    worker = _worker_of(command)
    command.kill()
    command.wait(10)
    assert until(lambda: gone(worker), within_s=10)


def test_the_context_may_be_left_from_another_thread(run: Run, heard: Heard) -> None:
    supervisor = run({"one": "python drains.py"})
    with supervisor:
        assert until(lambda: heard.of("one"))
        stopper = threading.Thread(target=supervisor.stop)
        stopper.start()
        stopper.join(20)
        assert supervisor.pids() == {}

"""Runs the Procfile's processes side by side: starts again what ends, and ends all of it when told to."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType

from console.supervisor import guard
from console.supervisor.procfile import is_compound, lines_of, processes_of, shell_line
from shared.errors import Misconfigured

#: Receives the name of a process and one line it wrote; called by one thread at a time.
OnLine = Callable[[str, str], None]

#: Longer than a worker may take to finish what it has begun.
GRACE_S = 30.0
#: The exit code by which a process says that only the operator can help.
EXIT_MISCONFIGURED = 5
#: The name under which the supervisor speaks for itself.
OWN_NAME = "supervisor"

_BACKOFF_S, _BACKOFF_MAX_S = 1.0, 30.0
_SETTLED_S = 60.0
_LOOK_EVERY_S = 0.1
_LINE_MAX_BYTES = 64 * 1024


def supervise(
    procfile: Path,
    environ: Mapping[str, str],
    *,
    scale: Mapping[str, int] | None = None,
    only: Iterable[str] = (),
    on_line: OnLine,
    folder: Path | None = None,
) -> None:
    """Run every line of `procfile` until SIGTERM, SIGINT or SIGHUP.

    The first signal lets the processes finish what they have begun, the second ends them at once. Call it from the
    main thread.

    Args:
        procfile: the list of the processes.
        environ: theirs, but for PATH, where this program's own `bin` comes first.
        scale: how many of a process type to run; one where it is not said.
        only: the process types to run; empty means all.
        on_line: gets every line the processes write.
        folder: their working directory; None takes the Procfile's.

    Raises:
        Misconfigured: the Procfile cannot be read, or lacks a process that `scale` or `only` names; or a process said
            on its very first start that it is misconfigured, in whose words.
    """
    try:
        lines = lines_of(procfile.read_text())
    except OSError as error:
        raise Misconfigured(f"Cannot read the Procfile {procfile}: {error.strerror}.") from error
    supervisor = Supervisor(
        processes_of(lines, scale=scale, only=only), environ, folder=folder or procfile.parent, on_line=on_line
    )
    with _listening(supervisor) as signals, supervisor:
        while not signals and not supervisor.ended.wait(_LOOK_EVERY_S):
            pass
    if supervisor.misconfigured:
        raise Misconfigured(supervisor.misconfigured)


def prefixed(names: Iterable[str], write: Callable[[str], object]) -> OnLine:
    """Return an `on_line` that writes each line behind the name of its process, in a column."""
    width = max((len(name) for name in (*names, OWN_NAME)), default=0)

    def on_line(name: str, text: str) -> None:
        write(f"{name:<{width}} | {text}\n")

    return on_line


class Supervisor:
    """The processes, from entering to leaving the context; a thread of its own looks after them.

    Args:
        processes: command by name, as `processes_of` returns them.
        environ: the processes' environment.
        folder: their working directory.
        on_line: gets every line they write.
        grace_s: how long they may take to end when asked to.
    """

    def __init__(
        self,
        processes: Mapping[str, str],
        environ: Mapping[str, str],
        *,
        folder: Path,
        on_line: OnLine,
        grace_s: float = GRACE_S,
    ) -> None:
        self.grace_s = grace_s
        #: Set by whoever wants an end, or by the supervisor where going on is pointless.
        self.ended = threading.Event()
        #: What a process said that cannot run at all; empty while there is none.
        self.misconfigured = ""
        self._speaking = threading.Lock()
        self._on_line = on_line
        self._guard = _Guard()
        self._processes = [
            _Process(name, command, environ=_for_children(environ), folder=folder, guard=self._guard, say=self._say)
            for name, command in processes.items()
        ]
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> "Supervisor":
        self._guard.start()
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask every process to end, kill those that have not after the grace, and return when all are gone."""
        self.ended.set()
        self._watcher.join()
        self._guard.stop()

    def pids(self) -> dict[str, int]:
        """Return the process id of everything that runs now."""
        return {process.name: pid for process in self._processes if (pid := process.pid) is not None}

    def _watch(self) -> None:
        while not self.ended.is_set():
            for process in self._processes:
                process.look(time.monotonic())
                if process.misconfigured:
                    self.misconfigured = process.misconfigured
                    self.ended.set()
            self.ended.wait(_LOOK_EVERY_S)
        for process in self._processes:
            process.ask_to_end()
        began = time.monotonic()
        while any(process.running() for process in self._processes):
            if time.monotonic() > began + self.grace_s:
                break
            time.sleep(_LOOK_EVERY_S / 2)
        for process in self._processes:
            process.finish()

    def _say(self, name: str, text: str) -> None:
        with self._speaking:
            self._on_line(name, text)


class _Process:
    """One line of the Procfile: the program that runs it now, and when to start the next."""

    def __init__(
        self, name: str, command: str, *, environ: Mapping[str, str], folder: Path, guard: "_Guard", say: OnLine
    ) -> None:
        self.name = name
        self.misconfigured = ""
        self._command = command
        self._environ = environ
        self._folder = folder
        self._guard = guard
        self._say = say
        self._running: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._last_words = ""
        self._starts = 0
        self._started_at = 0.0
        self._start_at = 0.0
        self._delay_s = _BACKOFF_S

    @property
    def pid(self) -> int | None:
        running = self._running
        return running.pid if running is not None and running.poll() is None else None

    def running(self) -> bool:
        """Say whether anything that is to end by itself has not yet."""
        if self.pid is not None:
            return True
        # A shell ends at the first signal, while what it started may still be finishing.
        return self._running is not None and is_compound(self._command) and _exists(self._running.pid)

    def look(self, now: float) -> None:
        """Start the program when it is time to; note when it has ended."""
        if self._running is None:
            if now >= self._start_at:
                self._start(now)
        elif (status := self._running.poll()) is not None:
            self.finish()
            if status == EXIT_MISCONFIGURED and self._starts == 1:
                self._say(OWN_NAME, f"{self.name} is misconfigured: everything stops")
                self.misconfigured = self._last_words or f"{self.name} is misconfigured and does not say how."
                return
            if now - self._started_at > _SETTLED_S:
                self._delay_s = _BACKOFF_S
            how = f"signal {-status}" if status < 0 else f"status {status}"
            self._say(OWN_NAME, f"{self.name} ended with {how}; it starts again in {self._delay_s:.0f} s")
            self._start_at = now + self._delay_s
            self._delay_s = min(self._delay_s * 2, _BACKOFF_MAX_S)

    def ask_to_end(self) -> None:
        running = self._running
        if running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # Only the program itself where there is no shell before it: a dramatiq worker that gets the signal from
            # its master and from us takes the second for impatience.
            (os.killpg if is_compound(self._command) else os.kill)(running.pid, signal.SIGTERM)

    def finish(self) -> None:
        """Leave nothing of the program's group behind: a killed master's workers would go on without it."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
            if self._reader is not None:
                self._reader.join(2)  # Its last words come before ours about it.
            self._guard.ended(self._running.pid)
            self._running = None

    def _start(self, now: float) -> None:
        self._running = subprocess.Popen(  # noqa: S603 - the operator's own Procfile.
            ["/bin/sh", "-c", shell_line(self._command)],
            cwd=self._folder,
            env=dict(self._environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._starts += 1
        self._started_at = now
        self._say(OWN_NAME, f"{self.name} started, process {self._running.pid}")
        if self._running.stdout is not None:
            self._guard.started(self._running.pid, self._running.stdout.fileno())
            self._reader = threading.Thread(target=self._pass_on, args=(self._running,), daemon=True)
            self._reader.start()

    def _pass_on(self, running: "subprocess.Popen[bytes]") -> None:
        if running.stdout is None:
            return
        with running.stdout as lines:
            while line := lines.readline(_LINE_MAX_BYTES):
                text = line.decode(errors="replace").rstrip()
                self._last_words = text or self._last_words
                self._say(self.name, text)


class _Guard:
    """The process that ends the others if this one is killed."""

    def __init__(self) -> None:
        self._line, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own script.
                [sys.executable, "-I", "-S", guard.__file__], stdin=self._theirs.fileno(), start_new_session=True
            )

    def started(self, group: int, output: int) -> None:
        self._tell(b"+", group, [output])

    def ended(self, group: int) -> None:
        self._tell(b"-", group, [])

    def stop(self) -> None:
        self._line.close()
        if self._process is not None:
            self._process.wait(30)

    def _tell(self, sign: bytes, group: int, descriptors: list[int]) -> None:
        # A guard that was itself killed is missed only if this process is too.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._line, [guard.MESSAGE.pack(sign, group)], descriptors)


def _for_children(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the processes: `python` is ours, and nothing lingers in a buffer."""
    own = str(Path(sys.executable).parent)
    shown = "text" if sys.stdout.isatty() else "json"  # They write to a pipe, and cannot see our terminal.
    return {
        "CONNECTOR_LOG": shown,
        **environ,
        "PATH": os.pathsep.join([own, environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
    }


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


@contextlib.contextmanager
def _listening(supervisor: Supervisor) -> Iterator[list[int]]:
    """Lend the list of the signals that meant an end; from the second on, the processes get no more time."""
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        # No event is set here: its lock may be held by the very code that the signal interrupted.
        signals.append(number)
        if len(signals) > 1:
            supervisor.grace_s = 0.0

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

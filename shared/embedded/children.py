"""Server programs as children of this process: started, watched, stopped, and gone when this process is."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from shared.errors import Misconfigured

#: As whom a server runs: as this user; or, where this is root, in a user namespace of its own, or as `nobody`.
Identity = Literal["self", "namespace", "nobody"]

#: Signals to send in turn, each with the seconds to wait for the end.
Signals = tuple[tuple[signal.Signals, float], ...]

_LAUNCH = str(Path(__file__).with_name("launch.py"))
_LOG_TAIL_BYTES = 2_000


#: What would make a server behave otherwise on another person's machine, and what is none of its business.
_NOT_FOR_SERVERS = ("PG", "LC_", "LANG", "CONNECTOR_", "DATABASE_URL", "REDIS_URL")


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of `environ` that a server is started with. Pure."""
    kept = {name: text for name, text in environ.items() if not name.startswith(_NOT_FOR_SERVERS)}
    return {**kept, "LC_ALL": "C"}


def command(
    identity: Identity, program: Path, *arguments: str, death_signal: signal.Signals = signal.SIGKILL
) -> list[str]:
    """Return the command line that runs `program` as `identity` and ends it by `death_signal` with this process."""
    launcher = [sys.executable, "-I", "-S", _LAUNCH, str(os.getpid()), str(int(death_signal)), identity]
    return [*launcher, str(program), *arguments]


def identity_for(program: Path, folder: Path) -> Identity:
    """Return as whom `program`, which refuses root, can run with its files in `folder`, and hand it the folder.

    Raises:
        Misconfigured: this is root, and neither way out is open.
    """
    if os.geteuid() != 0:
        return "self"
    if sys.platform.startswith("linux") and _can_run("namespace", program, folder):
        return "namespace"
    if not _can_run("nobody", program, folder.parent):
        raise Misconfigured(
            f"{program.name} refuses to run as root, and `nobody` cannot reach {program} or {folder}: "
            "run as an ordinary user, move the checkout out of root's home, or set DATABASE_URL."
        )
    for path in [folder, *folder.rglob("*")]:
        shutil.chown(path, "nobody")
    return "nobody"


def _can_run(identity: Identity, program: Path, folder: Path) -> bool:
    """Say whether `program` runs at all under `identity` from within `folder`."""
    probe = subprocess.run(  # noqa: S603 - our own launcher.
        command(identity, program, "--version"), cwd="/", capture_output=True, timeout=30, check=False
    )
    reach = subprocess.run(  # noqa: S603 - our own launcher.
        command(identity, Path("/bin/sh"), "-c", 'cd "$0"', str(folder)), capture_output=True, timeout=30, check=False
    )
    return probe.returncode == 0 and reach.returncode == 0


class Child:
    """One running server program, its output in a log file.

    Fork from a thread that outlives the child: Linux sends the death signal when the forking *thread* ends.
    """

    def __init__(self, command_line: list[str], *, folder: Path, log: Path) -> None:
        self.log = log
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            self._begins = out.tell()
            self._process = subprocess.Popen(  # noqa: S603 - built by `command`.
                command_line,
                cwd=folder,
                env=clean_environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C at the terminal is for the command, which then stops its servers.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """Return the end of what this child wrote to its log."""
        with self.log.open("rb") as log:
            log.seek(max(self._begins, self.log.stat().st_size - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace").strip()

    def stop(self, signals: Signals) -> None:
        """Send each signal in turn and wait its seconds for the end, then kill whatever is left of the group."""
        for number, patience_s in signals:
            if self.alive():
                self._process.send_signal(number)
                try:
                    self._process.wait(patience_s)
                except subprocess.TimeoutExpired:
                    continue
        self.kill()

    def kill(self) -> None:
        """End it the hard way, as a power cut would."""
        if self.alive():
            self._process.kill()
        self._process.wait(30)


def wait_until(ready: Callable[[], bool], child: Child, *, timeout_s: float) -> bool:
    """Return True once `ready`, False when the child has ended first.

    Raises:
        Misconfigured: neither within the time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if ready():
            return True
        if not child.alive():
            return False
        time.sleep(0.02)
    raise Misconfigured(f"The embedded server did not answer within {timeout_s:.0f} s: see {child.log}.")


def free_port() -> int:
    """Return a port that was free a moment ago; whoever binds it must be ready to try another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop_stranger(pid: int, is_ours: Callable[[str], bool], signals: Signals) -> None:
    """Stop a server that outlived its owner, as happens where the kernel sends no death signal (macOS).

    Args:
        pid: from a file the server left behind; by now it may belong to anyone.
        is_ours: recognises our server by its command line.
        signals: each is sent in turn, with the seconds it is given.
    """
    for number, patience_s in signals:
        if not is_ours(_command_of(pid)):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and is_ours(_command_of(pid)):
            time.sleep(0.05)


def _command_of(pid: int) -> str:
    """Return the command line of a process, or nothing if there is none."""
    if sys.platform.startswith("linux"):  # A slim image has no `ps`.
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listed = subprocess.run(  # noqa: S603 - a number is all that varies.
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=30, check=False
    )
    return listed.stdout.strip()

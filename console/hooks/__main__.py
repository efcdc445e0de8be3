"""The hooks process: receives Cin7's webhooks on CONNECTOR_HOOKS_BIND until told to stop."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping

import structlog

from console.hooks.app import build_app
from console.web.serving import AddressTaken, listen, serve
from shared.assembly import Assembly, from_environment
from shared.errors import Misconfigured
from shared.logs import set_up
from shared.process import MISCONFIGURED

log = structlog.get_logger()

#: Connections at a time; more are told to come back. Cin7 comes with a handful; a proxy holds the strangers.
CONNECTIONS_MAX = 256
#: Seconds between two tries for an address that is taken, and between two lines about it in the log.
TRY_EVERY_S = 2.0
TELL_EVERY = 30


def main(variables: Mapping[str, str]) -> int:
    """Serve until a signal; return the exit code.

    It starts without its servers, and says so to whoever calls. An address that somebody else has is waited for: hints
    only save time, and nothing else is to stop for want of them.
    """
    try:
        parts = from_environment(variables, "hooks")
        set_up(parts.environment.log, debug=parts.environment.debug)
        parts.settings  # noqa: B018 - a fault in the file is told at once
        stop = stopping()
        listener = listening(parts, stop.is_set, stop.wait)
    except Misconfigured as error:
        sys.stderr.write(f"hooks: {error}\n")
        return MISCONFIGURED
    if listener is not None:
        serve(build_app(parts), listener, "hooks", CONNECTIONS_MAX)
    return 0


def listening(parts: Assembly, stopped: Callable[[], bool], wait: Callable[[float], bool]) -> socket.socket | None:
    """Return the socket to serve on; None where the process was told to stop before the address was free.

    Raises:
        Misconfigured: the address is not of this machine.
    """
    tries = 0
    while not stopped():
        try:
            return listen(parts.environment.hooks_bind, "CONNECTOR_HOOKS_BIND")
        except AddressTaken as error:
            if tries % TELL_EVERY == 0:
                log.warning("webhooks are not received; changes in Cin7 are polled for as ever", reason=str(error))
            tries += 1
            wait(TRY_EVERY_S)
    return None


def stopping() -> threading.Event:
    """Return what is set by the signals that end a process."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main(os.environ))

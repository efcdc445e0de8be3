"""A process of the Procfile: stands on what it checked, runs until a signal, and says in one sentence why it cannot."""

import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from shared.assembly import Assembly, from_environment
from shared.errors import ConnectorError, Misconfigured
from shared.logs import set_up

log = structlog.get_logger()

MISCONFIGURED: Final = 5
FAILED: Final = 1


def run(role: str, work: Callable[[Assembly, Callable[[], bool]], None], variables: Mapping[str, str]) -> int:
    """Run `work` until it ends or a signal says stop; return the exit code.

    Args:
        role: who acts, as events and logs name it.
        work: gets the parts of this process, and a function that says whether it is to stop.
        variables: the process's environment.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        parts = from_environment(variables, role)
        set_up(parts.environment.log, debug=parts.environment.debug)
        parts.stand()
        log.info("started", role=role)
        work(parts, stop.is_set)
    except Misconfigured as error:
        sys.stderr.write(f"{role}: {error}\n")
        return MISCONFIGURED
    except ConnectorError as error:
        sys.stderr.write(f"{role}: {error}\n")
        return FAILED
    return 0

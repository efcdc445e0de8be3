"""A worker process: broker, actors and threads; drains on a signal and ends within its grace."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

import structlog
from dramatiq import Worker

from shared.assembly import Assembly, from_environment
from shared.errors import ConnectorError, Misconfigured
from shared.logs import set_up
from shared.queues.broker import SafeBroker, build_broker

log = structlog.get_logger()

#: Milliseconds between looks at an empty queue: two hops stay well below half a second.
LOOK_EVERY_MS: Final = 100
#: Milliseconds for running actors to end; below the supervisor's and compose's grace.
GRACE_MS: Final = 25_000

Declare = Callable[[SafeBroker, Assembly, Callable[[], bool]], None]


def serve(role: str, declare: Declare, *, threads: int, prefetch: int) -> int:
    """Run until told to stop; return the exit code.

    Args:
        role: who acts, as events name it.
        declare: declares the actors with the broker.
        threads: entries worked on at the same time.
        prefetch: messages taken ahead of them.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        parts = from_environment(os.environ, role)
        set_up(parts.environment.log, debug=parts.environment.debug)
        parts.stand()
        broker = build_broker(parts.redis_url)
        declare(broker, parts, stop.is_set)
    except Misconfigured as error:
        sys.stderr.write(f"{role}: {error}\n")
        return 5
    except ConnectorError as error:
        sys.stderr.write(f"{role}: {error}\n")
        return 1
    worker = Worker(broker, worker_threads=threads, worker_timeout=LOOK_EVERY_MS)
    worker.queue_prefetch = prefetch
    worker.start()
    log.info("working", role=role, threads=threads)
    while not stop.wait(1.0):
        pass
    worker.stop(timeout=GRACE_MS)
    broker.close()
    return 0

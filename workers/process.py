"""A worker process: broker, actors and threads; drains on a signal and ends within its grace."""

import os
import time
from collections.abc import Callable
from typing import Final

from dramatiq import Worker

from shared.assembly import Assembly
from shared.process import run
from shared.queues.broker import SafeBroker, build_broker

#: Milliseconds between looks at an empty queue: two hops stay well below half a second.
LOOK_EVERY_MS: Final = 100
#: Milliseconds for running actors to end; below the supervisor's and compose's grace.
GRACE_MS: Final = 25_000

Declare = Callable[[SafeBroker, Assembly, Callable[[], bool]], None]


def serve(role: str, declare: Declare, *, threads: int, prefetch: int) -> int:
    """Run a worker until told to stop; return the exit code.

    Args:
        role: who acts, as events name it.
        declare: declares the actors with the broker.
        threads: messages worked on at the same time.
        prefetch: messages taken ahead of them.
    """

    def work(parts: Assembly, stopping: Callable[[], bool]) -> None:
        broker = build_broker(parts.redis_url)
        declare(broker, parts, stopping)
        worker = Worker(broker, worker_threads=threads, worker_timeout=LOOK_EVERY_MS)
        worker.queue_prefetch = prefetch
        worker.start()
        while not stopping():
            time.sleep(0.2)
        worker.stop(timeout=GRACE_MS)
        broker.close()

    return run(role, work, os.environ)

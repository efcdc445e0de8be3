"""What the bare processes share: the stock broker, and work until a signal, which is answered with a tally."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from shared.assembly import Assembly, from_environment

MAP_QUEUE = "bare.map"
WRITE_QUEUE = "bare.write"
#: As our own workers: how long an idle worker sleeps is not what is compared.
LOOK_EVERY_MS = 100


def stock_broker(parts: Assembly) -> RedisBroker:
    """Return dramatiq's Redis broker with the middleware it has by itself."""
    broker = RedisBroker(url=parts.redis_url)  # type: ignore[no-untyped-call]  # dramatiq types it in part.
    dramatiq.set_broker(broker)
    return broker


class Tally:
    """When the last piece of work ended, and how many there were."""

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            self.count += 1
            self.last = time.time()


def serve(queue: str, declare: Callable[[RedisBroker, Assembly, Tally], None], threads: int) -> None:
    """Work on `queue` until SIGTERM, then print the tally."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    parts = from_environment(os.environ, "bare")
    broker, tally = stock_broker(parts), Tally()
    declare(broker, parts, tally)
    worker = dramatiq.Worker(broker, queues={queue}, worker_threads=threads, worker_timeout=LOOK_EVERY_MS)
    worker.start()
    print("started", flush=True)
    stop.wait()
    worker.stop()
    json.dump({"count": tally.count, "last": tally.last}, sys.stdout)
    print(flush=True)

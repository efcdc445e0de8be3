"""The poller: one process that polls every stream, or the ones named, until told to stop."""

import os
import sys
import threading
from collections.abc import Callable
from typing import Final

import structlog

from producers.hooks import hook_threads
from producers.poller import Poller, Stream
from producers.streams import poller_of, streams_of
from shared.assembly import Assembly
from shared.errors import ConnectorError, Misconfigured
from shared.flows import BY_NAME
from shared.process import run

log = structlog.get_logger()

#: Seconds between looks whether a stream is due.
LOOK_EVERY_S: Final = 0.2


def poll_all(parts: Assembly, stopping: Callable[[], bool], names: list[str]) -> None:
    """Poll every stream in a thread of its own, so that a long pull delays no other."""
    if unknown := sorted(set(names) - set(BY_NAME)):
        raise Misconfigured(f"There is no flow {unknown[0]!r}: known are {', '.join(BY_NAME)}.")
    poller = poller_of(parts)
    chosen = [stream for stream in streams_of(parts) if not names or stream.flow.name in names]
    threads = [threading.Thread(target=_loop, args=(poller, stream, stopping), daemon=True) for stream in chosen]
    if not names:
        threads += hook_threads(parts, stopping)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _loop(poller: Poller, stream: Stream, stopping: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not stopping():
        try:
            pulled = poller.turn(stream)
        except ConnectorError as error:
            log.warning("poll put off", stream=stream.name, reason=str(error))
            pause.wait(2)
            continue
        except Exception:
            log.exception("a bug in the poller; the stream goes on", stream=stream.name)
            pause.wait(10)
            continue
        if pulled is not None and (pulled.changed or pulled.outcome != "done"):
            log.info(
                "pulled",
                stream=stream.name,
                outcome=pulled.outcome,
                rows=pulled.rows,
                changed=pulled.changed,
                skipped=pulled.skipped,
            )
        pause.wait(LOOK_EVERY_S)


if __name__ == "__main__":
    sys.exit(run("poller", lambda parts, stopping: poll_all(parts, stopping, sys.argv[1:]), os.environ))

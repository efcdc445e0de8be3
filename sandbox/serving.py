"""Serves a stand-in on loopback from a thread of this process, for tests and for the demo."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

#: Seconds a server may take to start or to stop; both take milliseconds on an idle machine.
PATIENCE_S = 20.0


def build_server(app: ASGIApp, protocol_class: type[asyncio.Protocol] | None = None) -> uvicorn.Server:
    """Return a quiet server for `app`; `protocol_class` replaces uvicorn's own HTTP protocol."""
    config = uvicorn.Config(
        app,
        http=protocol_class or "h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
        timeout_graceful_shutdown=1,
        # Longer than any client keeps an idle connection: closing first would look like a fault.
        timeout_keep_alive=75,
    )
    return uvicorn.Server(config)


@contextmanager
def serving(app: ASGIApp, port: int = 0, protocol_class: type[asyncio.Protocol] | None = None) -> Iterator[str]:
    """Serve `app` on loopback while the block runs; yields its base URL, without a slash at the end.

    Args:
        app: any ASGI program.
        port: 0 takes a free one.
        protocol_class: what speaks HTTP; None takes the program's own `protocol_class`, or else uvicorn's protocol.

    Raises:
        RuntimeError: the server did not start or did not stop in time.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    server = build_server(app, protocol_class or getattr(app, "protocol_class", None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="stand-in", daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        listener.close()
    if thread.is_alive():
        raise RuntimeError("The stand-in did not stop in time: a request of it is stuck.")


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("The stand-in did not start: look at its program for an error at start-up.")
        time.sleep(0.005)

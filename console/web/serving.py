"""Serves a program on one address until told to stop, and lets nobody hold a connection for longer than a request."""

import asyncio
import errno
import signal
import socket
from typing import Final

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.config.environment import Bind
from shared.errors import Misconfigured

log = structlog.get_logger()

#: Seconds an idle connection is kept, and a request may take to end when told to stop.
KEEP_ALIVE_S: Final = 15
GRACE_S: Final = 10
#: Seconds from a connection, or from the end of its last request, to the end of the next: an idle time and a slow body.
REQUEST_S: Final = 45.0


class AddressTaken(Misconfigured):
    """Somebody else listens there."""


class TimedProtocol(H11Protocol):
    """Closes a connection on which no request comes to its end: uvicorn would wait for ever for the rest of a head."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        # An answer that came before all of its request did leaves the clock running.
        if self.conn.their_state is not h11.SEND_BODY:
            self._arm()
        super().on_response_complete()

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def listen(bind: Bind, variable: str) -> socket.socket:
    """Return a socket that listens on `bind`, which `variable` names.

    Raises:
        AddressTaken: somebody else does.
        Misconfigured: the address is not of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        raise (AddressTaken if error.errno == errno.EADDRINUSE else Misconfigured)(
            f"{bind.host}:{bind.port} cannot be listened on ({error.strerror}): "
            f"set {variable} to an address of this machine and a free port."
        ) from error
    return listener


def serve(app: ASGIApp, listener: socket.socket, role: str, connections_max: int) -> None:
    """Serve `app` until a signal. More than `connections_max` connections at a time are told to come back."""
    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=connections_max,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    # uvicorn ends at a signal, then sends it again: that one is not to end us before everything is closed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    host, port = listener.getsockname()[:2]
    log.info("started", role=role, host=host, port=port)
    uvicorn.Server(config).run(sockets=[listener])

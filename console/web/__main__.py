"""The web process: serves health and figures on CONNECTOR_CONSOLE_BIND until told to stop."""

import os
import signal
import socket
import sys
from collections.abc import Mapping

import structlog
import uvicorn

from console.web.pages import build_app
from shared.assembly import from_environment
from shared.config.environment import Bind
from shared.errors import Misconfigured
from shared.logs import set_up
from shared.process import MISCONFIGURED

log = structlog.get_logger()

#: Connections at a time; more are told to come back. Monitoring needs a handful.
CONNECTIONS_MAX = 64
#: Seconds an idle connection is kept, and a request may take to end when told to stop.
KEEP_ALIVE_S = 15
GRACE_S = 10


def main(variables: Mapping[str, str]) -> int:
    """Serve until a signal; return the exit code.

    Unlike the other processes it starts without its servers: to say that they are away is its task.
    """
    try:
        parts = from_environment(variables, "web")
        set_up(parts.environment.log, debug=parts.environment.debug)
        parts.settings  # noqa: B018 - a fault in the file is told at once
        listener = listen(parts.environment.console_bind)
    except Misconfigured as error:
        sys.stderr.write(f"web: {error}\n")
        return MISCONFIGURED
    config = uvicorn.Config(
        build_app(parts),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    # uvicorn ends at a signal, then sends it again: that one is not to end us before everything is closed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    host, port = listener.getsockname()[:2]
    log.info("started", role="web", host=host, port=port)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def listen(bind: Bind) -> socket.socket:
    """Return a socket that listens on `bind`.

    Raises:
        Misconfigured: the address is not of this machine, or taken.
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
        raise Misconfigured(
            f"{bind.host}:{bind.port} cannot be listened on ({error.strerror}): "
            "set CONNECTOR_CONSOLE_BIND to an address of this machine and a free port."
        ) from error
    return listener


if __name__ == "__main__":
    sys.exit(main(os.environ))

"""Speaks plain HTTP/1.1 under uvicorn with little overhead, and can close a connection without an answer.

Only what a stand-in needs: bodies with a content length, one request at a time on a connection, kept alive.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope
from uvicorn.config import Config
from uvicorn.server import ServerState

#: Scope extension: a function that closes the connection at once, with no answer.
DROP = "sandbox.drop"

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024

_log = logging.getLogger("uvicorn.error")
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    for status in HTTPStatus
    if status.value >= 200
}


class BadRequest(Exception):
    """What arrived is no request this protocol reads; the text is the status to answer with."""


class LeanProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._app: ASGIApp = config.loaded_app
        self._server_state = server_state
        self._loop = _loop or asyncio.get_event_loop()
        self._buffer = bytearray()
        self._head: tuple[Scope, int] | None = None
        self._busy = False
        self._keep_alive = True
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("LeanProtocol needs a stream transport.")
        self._transport = transport
        self._client = transport.get_extra_info("peername")[:2]
        self._server = transport.get_extra_info("sockname")[:2]
        self._server_state.connections.add(self)  # type: ignore[arg-type]  # uvicorn names its own protocols only.

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
        self._server_state.connections.discard(self)

    def shutdown(self) -> None:
        """Close when idle, else after the answer under way. Uvicorn calls this when it stops."""
        self._keep_alive = False
        if not self._busy:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        """Start on the next request if all of it has arrived."""
        try:
            if self._head is None:
                self._head = self._read_head()
            if self._head is None or len(self._buffer) < self._head[1]:
                return
        except BadRequest as error:
            self._write(int(str(error)), [], b"")
            self._transport.close()
            return
        scope, length = self._head
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        self._busy = True
        task = self._loop.create_task(self._run(scope, body))
        self._server_state.tasks.add(task)
        task.add_done_callback(self._server_state.tasks.discard)

    def _read_head(self) -> tuple[Scope, int] | None:
        """Return the scope of the next request and the length of its body; None until its head is complete."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise BadRequest("431")
            return None
        first, *lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        parts = first.split(b" ")
        if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):
            raise BadRequest("400")
        headers: list[tuple[bytes, bytes]] = []
        length = 0
        self._keep_alive = self._keep_alive and parts[2] == b"HTTP/1.1"
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon:
                raise BadRequest("400")
            name, value = name.lower(), value.strip()
            headers.append((name, value))
            if name == b"content-length":
                length = _length(value)
            elif name == b"transfer-encoding":
                raise BadRequest("411")
            elif name == b"connection" and value.lower() == b"close":
                self._keep_alive = False
            elif name == b"expect":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw_path, _, query = parts[1].partition(b"?")
        path = raw_path.decode("latin-1")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": parts[0].decode("latin-1"),
            "scheme": "http",
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers,
            "client": self._client,
            "server": self._server,
            "extensions": {DROP: self._transport.close},
        }
        return scope, length

    async def _run(self, scope: Scope, body: bytes) -> None:
        cycle = _Cycle(self._closed, body)
        try:
            await self._app(scope, cycle.receive, cycle.send)
        except Exception:  # noqa: BLE001 - whatever the program raises, its client gets a 500.
            _log.exception("The stand-in failed on %s %s", scope["method"], scope["path"])
            cycle.status = None
        self._busy = False
        if self._transport.is_closing():
            return
        if cycle.complete and cycle.status is not None:
            self._write(cycle.status, cycle.headers, bytes(cycle.body))
        else:
            self._write(500, [], b"")
            self._keep_alive = False
        if self._keep_alive:
            self._next()
        else:
            self._transport.close()

    def _write(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        parts = [_STATUS_LINES[status]]
        for name, value in headers:
            if name != b"content-length":
                parts += (name, b": ", value, b"\r\n")
        parts += (b"content-length: ", str(len(body)).encode(), b"\r\n\r\n", body)
        self._transport.write(b"".join(parts))


class _Cycle:
    """One request and its answer, as the program sees them. The answer is written once it is complete."""

    def __init__(self, closed: asyncio.Event, body: bytes) -> None:
        self._closed = closed
        self._request: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.complete = False

    async def receive(self) -> Message:
        if self._request is not None:
            message, self._request = self._request, None
            return message
        await self._closed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        else:
            self.body += message.get("body", b"")
            self.complete = not message.get("more_body", False)


def _length(value: bytes) -> int:
    if not value.isdigit():
        raise BadRequest("400")
    length = int(value)
    if length > BODY_BYTES_MAX:
        raise BadRequest("413")
    return length

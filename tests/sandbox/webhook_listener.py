"""A receiver of webhooks that keeps what it is sent, and answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from starlette.types import Receive, Scope, Send

from sandbox.serving import serving


class Got(NamedTuple):
    """One call as it arrived; `at` is on this process's monotonic clock."""

    at: float
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape
        return json.loads(self.body)


class Listener:
    """An ASGI program; `statuses` are answered one after the other, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses or (200,))
        self.got: list[Got] = []
        self.url = ""
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        with self._lock:
            self.got.append(Got(time.monotonic(), scope["path"], headers, body))
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def wait(self, count: int, within_s: float = 10) -> list[Got]:
        """Return what came, once there are so many."""
        end = time.monotonic() + within_s
        while len(self.got) < count:
            assert time.monotonic() < end, f"{len(self.got)} of {count} calls came"
            time.sleep(0.005)
        return list(self.got)


@contextmanager
def listening(*statuses: int) -> Iterator[Listener]:
    listener = Listener(*statuses)
    with serving(listener) as url:
        listener.url = url
        yield listener

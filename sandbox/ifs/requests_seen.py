"""Every call the stand-in got, for assertions; never a secret or a token."""

from collections import deque
from typing import Any

import msgspec

from sandbox.ifs.answers import Request
from sandbox.ifs.queries import raw_pairs

#: Calls remembered; the oldest go first.
SEEN_MAX = 20_000


class Call(msgspec.Struct, kw_only=True):
    """`status` 0: no answer was given, the connection was cut or is still open."""

    number: int
    at: float
    method: str
    path: str
    query: dict[str, str]
    if_match: str | None
    client_id: str = ""
    status: int = 0


class RequestsSeen:
    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=SEEN_MAX)
        self.count = 0

    def add(self, request: Request, path: str, at: float) -> Call:
        self.count += 1
        call = Call(
            number=self.count,
            at=at,
            method=request.method,
            path=path,
            query=dict(raw_pairs(request.query)),
            if_match=request.headers.get("if-match"),
        )
        self._calls.append(call)
        return call

    def clear(self) -> None:
        self._calls.clear()

    def report(self, *, since: int = 0, path: str = "") -> list[dict[str, Any]]:
        """Return the calls numbered above `since` whose path holds `path`, oldest first."""
        found: list[dict[str, Any]] = [
            msgspec.to_builtins(call) for call in self._calls if call.number > since and path in call.path
        ]
        return found

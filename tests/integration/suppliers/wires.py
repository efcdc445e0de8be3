"""The way to a stand-in without a network: the same bytes to and fro, and trouble on the way where a test wants it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

import msgspec

from sandbox.cin7 import Cin7Sandbox
from sandbox.cin7.api import Api
from sandbox.cin7.api import Request as Cin7Request
from sandbox.ifs.answers import Request as IfsRequest
from sandbox.ifs.app import IfsApp
from shared.errors import Retryable
from shared.http import Answer, Http

#: What may become of a call: it never leaves, its answer is lost, it takes effect much later, or the process dies
#: before or after it.
Trouble = Literal["lost before", "lost after", "late", "killed before", "killed after"]


class Killed(BaseException):
    """The process is gone: nothing of ours runs any more, and nobody catches this."""


@dataclass
class Calls:
    """What was called, and what is to go wrong.

    Attributes:
        trouble: asked before every call that may change something; its answer is what becomes of that call.
        between: happens before a call is carried out, as somebody else's doing.
        spoil: changes the body of an answer on its way.
        dead: the process was killed: nothing of it reaches anything any more.
    """

    seen: list[tuple[str, str]] = field(default_factory=list)
    trouble: Callable[[str, str], Trouble | None] = lambda _method, _path: None
    between: Callable[[str, str], None] = lambda _method, _path: None
    spoil: Callable[[bytes], bytes] = bytes
    dead: bool = False

    def die(self) -> NoReturn:
        """End the process here and now."""
        self.dead = True
        raise Killed


class Wire(Http):
    """Stands where `shared.http.Http` does."""

    def __init__(
        self, calls: Calls, answer: Callable[..., Answer], late: Callable[[Callable[[], object]], None]
    ) -> None:
        self.calls = calls
        self.answer = answer
        self.late = late

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        parts = urlsplit(url)
        what = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if self.calls.dead:
            raise Killed
        if parts.path.startswith("/auth/"):
            return self.answer(method, parts.path, parts.query, headers, content or b"")
        self.calls.between(method, what)
        trouble = self.calls.trouble(method, what) if method != "GET" else None
        if trouble == "killed before":
            self.calls.die()
        if trouble == "lost before":
            raise Retryable("the answer was lost", executed=True)
        if trouble == "late":
            self.late(lambda: self.answer(method, parts.path, parts.query, headers, content or b""))
            raise Retryable("the answer was lost", executed=True)
        self.calls.seen.append((method, what))
        found = self.answer(method, parts.path, parts.query, headers, content or b"")
        if trouble == "killed after":
            self.calls.die()
        if trouble == "lost after":
            raise Retryable("the answer was lost", executed=True)
        return msgspec.structs.replace(found, body=self.calls.spoil(found.body))

    def close(self) -> None:
        """Close nothing."""


def to_ifs(app: IfsApp) -> Callable[..., Answer]:
    """Return what answers a call to IFS; its `Date` is the stand-in's clock."""

    def answer(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        request = IfsRequest(
            method=method,
            path=path,
            query=query,
            headers={name.lower(): text for name, text in headers.items()},
            body=body,
        )
        found = app.tenant.answer(request, app.tenant.seen(request))
        date = formatdate(app.tenant.clock.now_s(), usegmt=True)
        return Answer(found.status, {name.lower(): text for name, text in found.headers} | {"date": date}, found.body)

    return answer


def to_cin7(sandbox: Cin7Sandbox) -> Callable[..., Answer]:
    """Return what answers a call to Cin7."""
    api: Api = sandbox._api

    def answer(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        raw = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
        request = Cin7Request(method, path, query.encode(), raw, body)
        refused = api.admit(request)
        company: Any = request.company
        found = refused if refused is not None else api.carry_out(request, company)
        shown = {name.decode().lower(): text.decode() for name, text in found.headers}
        return Answer(found.status, shown, found.body)

    return answer

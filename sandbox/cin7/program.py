"""The stand-in as an ASGI program: Cin7's API under /ExternalApi/v2/, its control plane under /_sandbox/."""

import asyncio
import hmac
from collections.abc import Sequence

from starlette.types import Message, Receive, Scope, Send

from sandbox.cin7.api import Api, Request
from sandbox.cin7.calls import query_of
from sandbox.cin7.cloud import Cloud
from sandbox.cin7.control import PREFIX, Control
from sandbox.cin7.errors import Answer
from sandbox.cin7.wire import Json, decode, encode
from sandbox.lean_http import DROP, LeanProtocol


class Cin7Sandbox:
    """Cin7 Core in memory. Serve it with `sandbox.serving.serving`, or steer it directly with `control`.

    Args:
        control_token: bearer token that the control plane asks for; empty: none.
        seed: `{"accounts": [...]}` as for POST /_sandbox/seed; None: one company with default reference data.
    """

    #: What `serving` should speak HTTP with: it can close a connection without an answer.
    protocol_class = LeanProtocol

    def __init__(self, control_token: str = "", seed: Json | None = None) -> None:
        self._cloud = Cloud()
        self._api = Api(self._cloud)
        self._control = Control(self._cloud)
        self._token = control_token
        self._cloud.reset()
        if seed is not None:
            self._cloud.seed(seed["accounts"])

    def control(self, method: str, path: str, body: object = None, /, **query: str) -> Json:
        """Run one order of the control plane from this process, from any thread.

        `path` stands without its prefix: `control("POST", "seed", {...})`. Raises ValueError for what makes no sense.
        """
        raw = b"" if body is None else encode(body)
        with self._cloud.lock:
            status, live = self._control.run(method, PREFIX + path, query, raw)
            # A copy: the original changes under the reader's feet.
            result = decode(encode(live))
        if status != 200 or not isinstance(result, dict):
            raise ValueError(str(result))
        return result

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        if scope["path"].startswith(PREFIX):
            await _reply(scope, receive, send, self._controlled(scope, body))
            return
        request = Request(scope["method"], scope["path"], scope["query_string"], scope["headers"], body)
        with self._cloud.lock:
            answer = self._api.admit(request)
        if answer is None and request.company is not None:
            fault = request.fault
            if fault is not None and fault.kind == "slow" and not fault.after_commit:
                await asyncio.sleep(fault.seconds)
            with self._cloud.lock:
                answer = self._api.carry_out(request, request.company)
        if answer is None:
            raise RuntimeError("A call was neither let in nor refused.")
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if request.record is not None:
            request.record.status = answer.status
        await _reply(scope, receive, send, answer)

    def _controlled(self, scope: Scope, body: bytes) -> Answer:
        if self._token and not _bears(scope["headers"], self._token):
            return Answer(401, encode({"error": "The control plane needs its bearer token."}))
        with self._cloud.lock:
            status, result = self._control.run(scope["method"], scope["path"], query_of(scope["query_string"]), body)
            return Answer(status, encode(result))


def _bears(headers: Sequence[tuple[bytes, bytes]], token: str) -> bool:
    expected = f"Bearer {token}".encode()
    return any(name == b"authorization" and hmac.compare_digest(value, expected) for name, value in headers)


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _reply(scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
    if not answer.drop:
        length = (b"content-length", str(len(answer.body)).encode())
        await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
        await send({"type": "http.response.body", "body": answer.body})
        return
    drop = scope.get("extensions", {}).get(DROP)
    if drop is None:
        # On another server: an answer cut off after its head is the nearest to none at all.
        start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}
        await send(start)
        return
    drop()
    await receive()

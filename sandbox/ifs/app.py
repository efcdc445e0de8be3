"""The ASGI program: receives a call, lets faults have their say, sends the tenant's answer."""

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import msgspec

from sandbox.ifs.answers import Answer, Refused, Request, data
from sandbox.ifs.connections import CuttableProtocol
from sandbox.ifs.control import PREFIX, Control, Edit, Seed
from sandbox.ifs.faults import Fault
from sandbox.ifs.requests_seen import Call
from sandbox.ifs.tenant import Tenant
from sandbox.lean_http import DROP

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: A body that trickles comes in this many pieces.
_PIECES = 5


class IfsApp:
    """One tenant behind HTTP.

    Serve it with `CuttableProtocol`, or with `LeanProtocol` where no body needs to trickle: other protocols cannot drop
    a connection, and say so with status 500.
    """

    protocol_class = CuttableProtocol

    def __init__(self, control_token: str = "") -> None:
        self.tenant = Tenant()
        self.control = Control(self.tenant, control_token)
        self._jitter = random.Random(0)

    def seed(self, body: dict[str, Any]) -> dict[str, int]:
        """Seed from within the process: the same body as the control plane takes, without the way through HTTP."""
        return self.control.seed(msgspec.convert(body, Seed))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        if request.path.startswith(PREFIX):
            await _send(send, self.control.answer(request))
            return
        call = self.tenant.seen(request)
        fault = self.tenant.faults.take(request.method, unquote(f"{request.path}?{request.query}"))
        if fault is not None and fault.kind in ("drop_before", "drop_late"):
            if fault.kind == "drop_late":
                self.tenant.put_off(request, call, fault.delay_s)
            await _cut(scope, send)
            return
        await self._wait(request, fault)
        answer = self._answer(request, call, fault)
        if fault is not None and fault.kind == "drop_after":
            await _cut(scope, send)
            return
        call.status = answer.status
        await _send(send, answer, trickle_s=fault.delay_s if fault is not None and fault.kind == "slow_body" else 0)

    def _answer(self, request: Request, call: Call, fault: Fault | None) -> Answer:
        if fault is None:
            return self.tenant.answer(request, call)
        if fault.kind == "unauthorized":
            self.tenant.tokens.revoke_all()
        instead = fault.answer(self.tenant.clock.now_s())
        if instead is not None:
            self._name_client(request, call)
            return instead
        answer = self.tenant.answer(request, call)
        if fault.kind == "truncated":
            return Answer(
                status=answer.status, body=answer.body[: len(answer.body) // 2], content_type=answer.content_type
            )
        if fault.kind == "edit":
            self.control.edit(msgspec.convert(fault.edits, list[Edit]))
        return answer

    def _name_client(self, request: Request, call: Call) -> None:
        """Note who called although the call never got to the tenant."""
        try:
            call.client_id = self.tenant.tokens.client_of(request.headers.get("authorization", "")).client_id
        except Refused:
            call.client_id = ""

    async def _wait(self, request: Request, fault: Fault | None) -> None:
        wait_s = fault.delay_s if fault is not None and fault.kind == "slow" else 0.0
        if not request.path.startswith("/auth/"):
            wait_s += self.tenant.latency_s + self._jitter.random() * self.tenant.latency_jitter_s
        if wait_s:
            await asyncio.sleep(wait_s)


async def _request(scope: Scope, receive: Receive) -> Request:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"],
        # Some servers put the query behind the raw path.
        path=path.decode("latin-1").partition("?")[0],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(parts),
    )


async def _send(send: Send, answer: Answer, *, trickle_s: float = 0) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status != 204:
        headers.append((b"content-type", answer.content_type.encode()))
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if trickle_s:
        step = -(-len(answer.body) // _PIECES) or 1
        for start in range(0, len(answer.body), step):
            await asyncio.sleep(trickle_s / _PIECES)
            await send({"type": "http.response.body", "body": answer.body[start : start + step], "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": answer.body})


async def _cut(scope: Scope, send: Send) -> None:
    drop = scope.get("extensions", {}).get(DROP)
    if drop is not None:
        drop()
    elif not await CuttableProtocol.cut(scope):
        await _send(send, data({"error": {"message": "The server cannot cut connections."}}, status=500))

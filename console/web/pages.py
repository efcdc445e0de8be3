"""The addresses that are served: /healthz, /readyz, /metrics, /api/journals/check; all else is a 404 in JSON."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.web.journals import JournalsPage
from console.web.metrics import Figures
from console.web.readiness import Check, readiness
from shared.assembly import Assembly

T = TypeVar("T")

#: Seconds after which a server that neither answers nor refuses counts as away.
PATIENCE_S: Final = 10.0
#: Threads that ask the servers, each with one connection; further requests wait for one of them.
THREADS: Final = 4
#: Nothing here is a page: no browser is to run, frame, keep or guess anything.
HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Secured:
    """Adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self._app(scope, receive, sent)


class _Away(Exception):
    """The servers did not answer in time."""


class Pages:
    """What monitoring asks any process that listens.

    Args:
        checks: tries what the process stands on.
        collectors: of its figures.
    """

    def __init__(self, checks: Callable[[], list[Check]], *collectors: Collector) -> None:
        self._checks = checks
        self._threads = ThreadPoolExecutor(THREADS, "asking")
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in collectors:
            self._registry.register(collector)

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self.alive),
            Route("/readyz", self.ready),
            Route("/metrics", self.metrics),
        ]

    async def alive(self, _request: Request) -> Response:
        """Answer while this process does; whether it is of use is for /readyz to say."""
        return JSONResponse({"alive": True})

    async def ready(self, _request: Request) -> Response:
        try:
            checks = await self._asked(self._checks)
        except _Away as error:
            return JSONResponse(
                {"ready": False, "checks": [{"name": "servers", "ok": False, "detail": str(error)}]}, 503
            )
        is_ready = all(check["ok"] for check in checks)
        return JSONResponse({"ready": is_ready, "checks": checks}, 200 if is_ready else 503)

    async def metrics(self, _request: Request) -> Response:
        try:
            text = await self._asked(lambda: generate_latest(self._registry))
        except _Away as error:
            raise HTTPException(503, str(error)) from error
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def _asked(self, question: Callable[[], T]) -> T:
        """Return what a thread found out."""
        asked = asyncio.get_running_loop().run_in_executor(self._threads, question)
        try:
            return await asyncio.wait_for(asked, PATIENCE_S)
        except TimeoutError:
            raise _Away(f"PostgreSQL or Redis did not answer within {PATIENCE_S:.0f} s") from None


def build_app(parts: Assembly) -> Starlette:
    """Return the program to serve."""
    pages = Pages(partial(readiness, parts), Figures(parts))
    return program([*pages.routes(), Route("/api/journals/check", JournalsPage(parts).check, methods=["POST"])])


def program(routes: Sequence[Route]) -> Starlette:
    """Return a program that answers in JSON, and nothing but what `routes` say."""
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Secured)],
        exception_handlers={HTTPException: _refusal, Exception: _failure},
    )
    # Nobody is sent elsewhere for a slash: the answer would repeat what came as the path.
    app.router.redirect_slashes = False
    return app


def _refusal(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _failure(_request, error)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _failure(_request: Request, _error: Exception) -> Response:
    # The log has the error; whoever asks has no use for it.
    return JSONResponse({"error": "Internal error; the log tells more"}, 500)

"""`POST /hooks/cin7/{account}`: keeps which supplier may have changed, and answers. Nothing of a body is believed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.hooks.figures import Calls
from console.hooks.payload import named_in
from console.web.admission import HooksSecret, Pace, Refused, bears, read_body
from shared.assembly import Assembly
from shared.errors import ConnectorError
from shared.ledger import hints
from shared.ledger.connection import Ledger

log = structlog.get_logger()
T = TypeVar("T")

#: A supplier with thousands of contacts takes less.
BODY_MAX: Final = 1024 * 1024
#: Calls in a minute, and among them those without the secret. Whoever is refused comes again: Cin7 for 76 minutes.
TAKEN_PER_MINUTE: Final = 6_000
REFUSED_PER_MINUTE: Final = 60
#: Seconds in which the ledger must have kept a hint.
PATIENCE_S: Final = 5.0
#: Threads that keep hints, each with a connection to the ledger.
THREADS: Final = 8


class Receiver:
    """One per process. It knows the ledger and the secret, and no credentials of any system."""

    def __init__(self, parts: Assembly, calls: Calls) -> None:
        self._ledger: Ledger = parts.ledger
        self._accounts = frozenset(parts.settings.cin7)
        self._secret = HooksSecret(parts)
        self._calls = calls
        self._threads = ThreadPoolExecutor(THREADS, "keeping")
        self._taken = Pace(TAKEN_PER_MINUTE)
        self._refused = Pace(REFUSED_PER_MINUTE)
        # One line a minute of each: whoever calls is not to fill the log.
        self._told, self._failed = Pace(1), Pace(1)

    async def receive(self, request: Request) -> Response:
        """Answer 200 whatever the body holds: what is refused comes again, and six times refused is switched off."""
        try:
            await self._admit(request)
            taken = await self._keep(request.path_params["account"], await read_body(request, BODY_MAX))
        except Refused as refusal:
            self._calls.count("failed" if refusal.status >= 500 else "refused")
            return JSONResponse({"error": str(refusal)}, refusal.status, refusal.headers)
        return JSONResponse({"taken": taken})

    async def _admit(self, request: Request) -> None:
        """Let in who has the secret, if it is not too often; nothing of the body is read before.

        Raises:
            Refused: 401 without it, which is also the answer where none is stored; 404 for an account that there is
                not, which only who has the secret is told; 429.
        """
        known = self._secret.remembered
        if known is None:
            known = await self._in_time(self._secret.digest)
        if not known and not self._told.exceeded():
            log.warning("a webhook is refused: no secret is stored; run `connector credentials set hooks`")
        if not bears(request, known):
            if self._refused.exceeded():
                raise Refused(429, "Too many requests without the secret.", retry_after="60")
            raise Refused(401, "Send the stored hooks secret as `Authorization: Bearer`.", www_authenticate="Bearer")
        if self._taken.exceeded():
            raise Refused(429, "Too many requests: send it again in a minute.", retry_after="60")
        if request.path_params["account"] not in self._accounts:
            raise Refused(404, "Not Found")

    async def _keep(self, account: str, body: bytes) -> int:
        named = named_in(body)
        if not named.ids:
            self._calls.count("nonsense" if named.kind == "nonsense" else "ignored")
            return 0
        waiting = await self._in_time(lambda: self._insert(account, named.ids))
        self._calls.count("coalesced" if waiting == len(named.ids) else "taken")
        return len(named.ids)

    def _insert(self, account: str, ids: tuple[str, ...]) -> int:
        with self._ledger.statement() as cur:
            return hints.receive(cur, account, hints.SUPPLIER, ids)

    async def _in_time(self, question: Callable[[], T]) -> T:
        """Return what a thread found out.

        Raises:
            Refused: it could not, or not in time: 503.
        """
        asked = asyncio.get_running_loop().run_in_executor(self._threads, question)
        try:
            return await asyncio.wait_for(asked, PATIENCE_S)
        except TimeoutError:
            raise Refused(503, "The ledger did not answer in time: send it again.", retry_after="60") from None
        except ConnectorError as error:
            if not self._failed.exceeded():
                log.warning("webhooks are not taken now; Cin7 calls again", reason=str(error))
            raise Refused(503, "It cannot be kept now; the log tells why.", retry_after="60") from error

"""`POST /api/journals/check`: the verdict on vouchers before they are posted, for a workflow of IFS to ask."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.journal_desk import Answer, JournalDesk
from console.output import plain
from console.vouchers import VoucherFault, from_json
from console.web.admission import HooksSecret, Pace, Refused, bears, read_body
from shared.assembly import Assembly
from shared.errors import ConnectorError, Retryable
from shared.ifs.records.journals import Voucher

log = structlog.get_logger()
T = TypeVar("T")

BODY_MAX: Final = 1024 * 1024
VOUCHERS_MAX: Final = 1_000
ROWS_MAX: Final = 20_000
#: Requests in a minute, and among them those without the secret.
ASKED_PER_MINUTE: Final = 6_000
REFUSED_PER_MINUTE: Final = 60
#: Seconds for an answer to be found, and for a second look to be waited for.
PATIENCE_S: Final = 10.0
SECOND_LOOK_S: Final = 2.0
#: Seconds between two looks for old charts.
LOOK_EVERY_S: Final = 60.0
#: Threads that check.
THREADS: Final = 4


class Background:
    """Does one thing after another in a thread that keeps no process from ending: a look may wait for its calls."""

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[tuple[Future[None], Callable[[], None]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, what: Callable[[], None]) -> "Future[None]":
        future: Future[None] = Future()
        self._waiting.put((future, what))
        return future

    def _work(self) -> None:
        while True:
            future, what = self._waiting.get()
            if not future.set_running_or_notify_cancel():
                continue  # Whoever asked has stopped waiting; the next one looks for all.
            try:
                what()
            except Exception as error:  # noqa: BLE001 - it is for whoever waits, and the thread must live on.
                future.set_exception(error)
            else:
                future.set_result(None)


class JournalsPage:
    """One per process. Only `check` runs on the event loop's thread."""

    def __init__(self, parts: Assembly) -> None:
        self._parts = parts
        self._checking = ThreadPoolExecutor(THREADS, "checking")
        self._looking = Background("looking")
        self._asked = Pace(ASKED_PER_MINUTE)
        self._refused = Pace(REFUSED_PER_MINUTE)
        self._secret = HooksSecret(parts)
        self._desk: JournalDesk | None = None
        self._looked_at = 0.0

    async def check(self, request: Request) -> Response:
        """Answer 200 with the verdicts, whatever they are, or say in a sentence why there are none."""
        try:
            await self._admit(request)
            raw = await _body(request)
            answer = await self._answer(await self._in_time(lambda: _vouchers(raw)))
            encoded = await self._in_time(lambda: msgspec.json.encode(plain(answer)))
        except Refused as refusal:
            return JSONResponse({"error": str(refusal)}, refusal.status, refusal.headers)
        return Response(encoded, media_type="application/json")

    async def _admit(self, request: Request) -> None:
        if self._asked.exceeded():
            raise Refused(429, "Too many requests: ask again in a minute.", retry_after="60")
        known = await self._in_time(self._secret.digest)
        if not known:
            raise Refused(
                403, "No secret is stored for hooks, so nothing is taken: run `connector credentials set hooks`."
            )
        if bears(request, known):
            return
        if self._refused.exceeded():
            raise Refused(429, "Too many requests without the secret.", retry_after="60")
        raise Refused(401, "Send the stored hooks secret as `Authorization: Bearer`.", www_authenticate="Bearer")

    async def _answer(self, vouchers: list[Voucher]) -> Answer:
        """Return the verdicts; where there are findings, after a second look if that is quick."""
        desk = await self._in_time(self._desk_of)
        answer = await self._in_time(lambda: desk.check(vouchers))
        is_due = time.monotonic() - self._looked_at > LOOK_EVERY_S
        if answer.ok and not is_due:
            return answer
        self._looked_at = time.monotonic()
        looking = self._looking.submit(lambda: _look(desk, vouchers, answer))
        if answer.ok:
            return answer  # What is old is read for those who ask next.
        try:
            await asyncio.wait_for(asyncio.wrap_future(looking), SECOND_LOOK_S)
        except TimeoutError:
            return answer
        return await self._in_time(lambda: desk.check(vouchers))

    def _desk_of(self) -> JournalDesk:
        if self._desk is None:
            self._desk = JournalDesk(self._parts)
        return self._desk

    async def _in_time(self, question: Callable[[], T]) -> T:
        """Return what a thread found out.

        Raises:
            Refused: it could not, or not in time.
        """
        asked = asyncio.get_running_loop().run_in_executor(self._checking, question)
        try:
            return await asyncio.wait_for(asked, PATIENCE_S)
        except TimeoutError:
            raise Refused(503, "There was no answer in time: ask again.", retry_after="5") from None
        except VoucherFault as fault:
            raise Refused(400, str(fault)) from fault
        except Retryable as error:
            log.warning("vouchers not checked", reason=str(error))
            raise Refused(503, "The connector cannot look now; its log tells why.", retry_after="5") from error
        except ConnectorError as error:
            log.warning("vouchers not checked", reason=str(error))
            raise Refused(503, "The connector is not set up for this; its log tells why.") from error


def _look(desk: JournalDesk, vouchers: list[Voucher], answer: Answer) -> None:
    try:
        notes = desk.look_again(vouchers, answer)
    except ConnectorError as error:
        notes = [str(error)]
    for note in notes:
        log.warning("no second look", reason=note)


def _vouchers(raw: bytes) -> list[Voucher]:
    vouchers = from_json(raw)
    rows = sum(len(voucher.rows) for voucher in vouchers)
    if len(vouchers) > VOUCHERS_MAX or rows > ROWS_MAX:
        limits = f"at most {VOUCHERS_MAX} with {ROWS_MAX} rows are checked at once"
        raise VoucherFault(f"There are {len(vouchers)} vouchers with {rows} rows in it; {limits}.")
    return vouchers


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "Send the vouchers as application/json.")
    return await read_body(request, BODY_MAX, ": send fewer vouchers at once")

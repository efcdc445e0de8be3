"""The guard around every actor: where each kind of failure ends, in the ledger and in the dead-letter queue."""

import random
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import redis
import structlog

from shared.errors import Held, Misconfigured, Retryable
from shared.findings import Finding
from shared.flows import Stage, queue_of
from shared.ledger import claiming, entries
from shared.ledger.connection import Cur, Ledger
from shared.queues import dead_letters

log = structlog.get_logger()
T = TypeVar("T")

#: Held while a process works on an entry that several workers died of.
ALONE: Final = threading.Lock()
#: Seconds: the longest first wait, and the longest of all; between them it doubles with every attempt.
BACKOFF_FIRST_S: Final = 2.0
BACKOFF_MAX_S: Final = 900.0
#: Seconds an entry rests that failed through no fault of its own (a refused credential).
OPERATOR_DELAY_S: Final = 60.0
#: Seconds for which a lost ledger is waited for before its work is left to the sweep. Below every lease.
PATIENCE_S: Final = 60.0


def backoff_s(attempts: int, draw: Callable[[], float] = random.random) -> float:
    """Return how long to rest after `attempts` failures: full jitter, so that many entries do not come back at once."""
    return draw() * min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(attempts, 16)) + 0.1


def persist(ledger: Ledger, change: Callable[[Cur], T], *, alone: bool = False) -> T:
    """Commit `change`, waiting out a ledger that is away for a moment; `alone` says that it is a single statement.

    `change` may run again after a commit whose answer was lost; the ledger's statements are written for that.

    Raises:
        Retryable: the ledger stayed away.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with ledger.statement() if alone else ledger.transaction() as cur:
                return change(cur)
        except Retryable:
            if time.monotonic() > until:
                raise
            time.sleep(0.2 + random.random())  # noqa: S311 - spreads retries, guards nothing


class Guard:
    """Runs the work on one entry and ends it in the ledger, whatever happens."""

    def __init__(self, ledger: Ledger, client: redis.Redis, actor: str, attempts_max: int) -> None:
        self.ledger = ledger
        self.client = client
        self.actor = actor
        self.attempts_max = attempts_max

    def run(self, flow: str, stage: Stage, entry_id: int, attempts: int, work: Callable[[], T]) -> T | None:
        """Return what `work` returns; None where the entry ended as held or retrying instead."""
        with structlog.contextvars.bound_contextvars(entry=entry_id, flow=flow, stage=stage):
            try:
                return work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the entry must end.
                self.end(flow, stage, entry_id, attempts, error)
            return None

    def end(self, flow: str, stage: Stage, entry_id: int, attempts: int, error: Exception) -> None:
        """End an entry as its failure asks: at rest, held, or left to whoever has it now."""
        if isinstance(error, claiming.LeaseLost):
            log.warning("left to another worker", reason=str(error))
        elif isinstance(error, Retryable):
            self.rest(flow, stage, entry_id, attempts, error)
        elif isinstance(error, Held):
            self.hold(flow, stage, [entry_id], error.findings)
        elif isinstance(error, Misconfigured):
            log.error("refused", reason=str(error))
            self._retry(stage, entry_id, OPERATOR_DELAY_S, str(error), counts=False)
        else:
            log.error("a bug holds this entry", exc_info=error)
            self.hold(flow, stage, [entry_id], [bug_finding(error)])

    def rest(self, flow: str, stage: Stage, entry_id: int, attempts: int, error: Retryable) -> None:
        """Let the entry rest as its failure asks, or hold it where it has failed too often."""
        if error.executed and attempts + 1 >= self.attempts_max:
            finding = Finding(
                code="retries.exhausted",
                field="",
                value="",
                message=f"It failed {attempts + 1} times, last with: {error}",
                remedy="Repair what the message names, then replay it.",
            )
            self.hold(flow, stage, [entry_id], [finding])
            return
        delay_s = error.delay_s if error.delay_s is not None else backoff_s(attempts)
        self._retry(stage, entry_id, delay_s, str(error), counts=error.executed)

    def _retry(self, stage: Stage, entry_id: int, delay_s: float, why: str, *, counts: bool) -> None:
        log.info("will go again", delay_s=round(delay_s, 1), reason=why)
        persist(
            self.ledger,
            lambda cur: entries.retry(cur, entry_id, stage, delay_s=delay_s, why=why, actor=self.actor, counts=counts),
        )

    def hold(self, flow: str, stage: Stage, ids: list[int], findings: tuple[Finding, ...] | list[Finding]) -> None:
        """Hold entries for the same reasons and lay their dead letters."""

        def change(cur: Cur) -> list[int]:
            return [entry for entry in ids if entries.hold(cur, entry, stage, findings, actor=self.actor)]

        held = persist(self.ledger, change)
        for finding in findings:
            log.info("held", code=finding.code, field=finding.field, value=finding.value, message=finding.message)
        self.lay_letters(flow, stage, held)

    def lay_letters(self, flow: str, stage: Stage, ids: list[int]) -> None:
        """Lay one dead letter per held entry; where Redis is away, the sweep does."""
        if not ids:
            return
        try:
            dead_letters.rest(self.client, queue_of(stage, flow), [(entry, time.time()) for entry in ids])
        except redis.RedisError as error:
            log.warning("dead letters not laid; the sweep will", entries=len(ids), reason=str(error))


def bug_finding(bug: Exception) -> Finding:
    return Finding(
        code="bug",
        field=type(bug).__name__,
        value="",
        message=f"The connector failed on this record: {type(bug).__name__}: {str(bug)[:300]}",
        remedy="Report it with the log of this time; replay it once it is fixed.",
    )


def crash_finding(claims: int) -> Finding:
    return Finding(
        code="crashes-worker",
        field="",
        value="",
        message=f"{claims} workers took this record and none came back with an outcome.",
        remedy="Look into the workers' logs at these times (memory, time limits); replay it once they are repaired.",
    )

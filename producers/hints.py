"""Follows hints: reads the supplier that a webhook named through the API, and records it as a poll would have.

What a call said plays no part in it. So a call that was forged, repeated or late costs one read at most, and one that
was lost costs nothing but time: the poll meets the same change.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import redis
import structlog

from shared.budgets import Budget
from shared.cin7.client import PATIENCE_S
from shared.cin7.errors import Cin7Refused
from shared.config.settings import Cin7Settings
from shared.errors import ConnectorError, Misconfigured, Retryable
from shared.ledger import hints
from shared.ledger.connection import Cur, Ledger
from shared.ledger.detecting import database_now
from shared.ledger.hints import Hint
from shared.ledger.messages import Message
from shared.queues.handing_over import hand_over

log = structlog.get_logger()
T = TypeVar("T")

#: Seconds between looks for a hint, and between removals of those that were followed long ago.
LOOK_EVERY_S: Final = 0.2
TIDY_EVERY_S: Final = 3_600.0
KEPT_DAYS: Final = 1
#: Seconds before a hint that could not be followed is tried again: the first time, and at the most.
RETRY_S: Final = 5.0
RETRY_S_MAX: Final = 600.0
#: The same where the operator has to act first.
MISCONFIGURED_S: Final = 60.0


class Follower(Protocol[T]):
    """Knows how the records are read and recorded that hints name."""

    def polled_at(self, cur: Cur, account: str) -> datetime | None:
        """Return when the last complete poll of an account began; None before the first.

        What was there before the first is not news, whoever hints at it.
        """

    def read(self, account: str, target: str) -> T | None:
        """Return the record as it is now; None where there is none."""

    def record(self, cur: Cur, account: str, found: T, read_at: datetime) -> Sequence[Message]:
        """Record what was read as a poll would have; return the messages to hand over."""


class HintTaker:
    """Follows the hints of every account; any number of processes may do so at the same time.

    Args:
        ledger: holds the hints.
        client: the Redis that takes the messages, and keeps count of the reads for all processes together.
        accounts: settings by account.
        follower: of suppliers.
    """

    def __init__(
        self,
        ledger: Ledger,
        client: redis.Redis,
        accounts: Mapping[str, Cin7Settings],
        follower: Follower[T],
    ) -> None:
        self.ledger = ledger
        self.client = client
        self.accounts = accounts
        self.follower: Follower[Any] = follower
        self._reads = {
            name: Budget(client, f"hints/{name}", [name], settings.hint_reads_per_minute, 60.0)
            for name, settings in accounts.items()
        }

    def run(self, account: str, stopping: Callable[[], bool]) -> None:
        """Follow the hints of one account until told to stop. A server that is away is waited for."""
        next_tidying = 0.0
        while not stopping():
            try:
                if time.monotonic() >= next_tidying:
                    next_tidying = time.monotonic() + TIDY_EVERY_S
                    self.tidy()
                if self.turn(account):
                    continue
            except (ConnectorError, redis.RedisError) as error:
                log.warning("hints put off", account=account, reason=str(error))
                time.sleep(1)
            time.sleep(LOOK_EVERY_S)

    def tidy(self) -> None:
        with self.ledger.transaction() as cur:
            hints.forget_old(cur, KEPT_DAYS)

    def turn(self, account: str) -> bool:
        """Follow one hint of an account; False where none is due, or enough were followed within the minute."""
        if not self._is_due(account):
            return False
        budget = self._reads[account]
        try:
            slot = budget.take(timeout_s=0)
        except Retryable:
            return False  # The poll may be faster now, and answers all that wait.
        hint = None
        try:
            with self.ledger.transaction() as cur:
                hint = hints.take(cur, account, self._lease_s(account))
            if hint is None:
                return False
            with budget.spending(slot):
                self._follow(hint)
        finally:
            if hint is None:
                budget.give_back(slot)
        return True

    def _is_due(self, account: str) -> bool:
        """Say whether a hint is to be followed, after ending those that a poll has answered since they came."""
        with self.ledger.transaction() as cur:
            if not hints.any_due(cur, account):
                return False
            began_at = self.follower.polled_at(cur, account)
            if began_at is None:
                return False
            hints.answered_by_poll(cur, account, hints.SUPPLIER, began_at)
        return True

    def _lease_s(self, account: str) -> float:
        """Return how long a read may take, with the wait for its call."""
        return PATIENCE_S + self.accounts[account].read_timeout_s + 30

    def _follow(self, hint: Hint) -> None:
        try:
            with self.ledger.transaction() as cur:
                read_at = database_now(cur)
            found = self._read(hint)
            with self.ledger.transaction() as cur:
                messages = self.follower.record(cur, hint.account, found, read_at) if found is not None else ()
                hints.answered(
                    cur,
                    hint,
                    read_at=read_at,
                    rest_s=self.accounts[hint.account].hint_rest_s,
                    dropped=found is None,
                )
        except ConnectorError as error:
            self._put_off(hint, error)
            return
        except Exception:
            log.exception("a bug keeps a hint from being followed; the poll goes on", target=hint.target)
            with self.ledger.transaction() as cur:
                hints.put_off(cur, hint, RETRY_S_MAX)
            return
        hand_over(self.client, self.ledger, messages)

    def _read(self, hint: Hint) -> Any | None:  # noqa: ANN401 - whatever the follower reads
        """Return the record as Cin7 holds it; None where there is none with this id."""
        try:
            return self.follower.read(hint.account, hint.target)
        except Cin7Refused as refused:
            log.info("a hint names what Cin7 refuses to show", account=hint.account, reason=str(refused))
            return None

    def _put_off(self, hint: Hint, error: ConnectorError) -> None:
        delay_s = min(RETRY_S * 2 ** min(hint.attempts - 1, 20), RETRY_S_MAX)
        if isinstance(error, Misconfigured):
            delay_s = MISCONFIGURED_S
        elif isinstance(error, Retryable) and error.delay_s is not None:
            delay_s = max(delay_s, error.delay_s)
        log.warning("a hint is followed later", account=hint.account, delay_s=delay_s, reason=str(error))
        with self.ledger.transaction() as cur:
            hints.put_off(cur, hint, delay_s)

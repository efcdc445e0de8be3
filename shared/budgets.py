"""Call budgets that all processes share: who may make the next call on which key of a remote account, and when."""

import itertools
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import redis
from pyrate_limiter import AbstractBucket, Rate, RateItem
from pyrate_limiter.abstracts.algorithm import Decision

from shared.errors import Retryable

#: Who goes first. A lane is served only from what the lanes before it leave over.
LANES: Final = {"live": 0, "replay": 1, "backfill": 2, "reconciliation": 3}

#: Nobody sleeps longer than this before asking again: keys are closed and calls given back meanwhile.
NAP_S_MAX: Final = 1.0
#: News sent along with one ask; what is left goes with the next.
NEWS_MAX: Final = 50

_SCRIPT: Final = Path(__file__).with_name("budgets.lua").read_text(encoding="utf-8")


class KeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one key's window is spent; `closed_s` is above 0 after the remote refused it for its rate."""

    key: str
    limit: int
    used: int
    closed_s: float = 0.0


class Slot(str):
    """One permitted call: the label of the key to make it with, and the grant behind it.

    `ready_at`, on this process's monotonic clock: when it may be made.
    """

    __slots__ = ("number", "ready_at", "token")

    number: int
    token: str
    ready_at: float

    def __new__(cls, label: str, number: int, token: str, ready_at: float) -> "Slot":
        slot = super().__new__(cls, label)
        slot.number = number
        slot.token = token
        slot.ready_at = ready_at
        return slot


class _Ask(RateItem):
    """One caller's wish for up to `weight` calls; `granted` holds for each the number of its key, counted from 1, the
    token of its grant, and when it may be made.
    """

    def __init__(self, token: str, lane: int, patience_s: float, early_s: float, count: int = 1) -> None:
        super().__init__(token, 0, weight=count)
        self.lane = lane
        self.patience_us = int(patience_s * 1e6)
        self.early_us = int(early_s * 1e6)
        self.granted: list[tuple[int, str, float]] = []


class _PooledBucket(AbstractBucket):
    """A sliding log per key of one account, kept in Redis and timed by Redis alone."""

    def __init__(self, client: "redis.Redis", target: str, keys: Sequence[str], rate: Rate) -> None:
        self.rates = [rate]
        self.client = client
        #: One hash tag: all of an account's keys live on one node of a cluster.
        prefix = f"{{budget:{target}}}"
        self.line = f"{prefix}:line"
        self.alive = f"{prefix}:alive"
        self.logs = [f"{prefix}:log:{key}" for key in keys]
        self.closed = [f"{prefix}:closed:{key}" for key in keys]
        pairs = itertools.chain.from_iterable(zip(self.logs, self.closed, strict=True))
        self._names = [self.line, self.alive, *pairs]
        self._script = client.register_script(_SCRIPT)
        #: (number of the key, token, moment on this process's monotonic clock or None where no call was made)
        self.news: deque[tuple[int, str, float | None]] = deque()

    def put_decision(self, item: RateItem) -> Decision:
        """Ask once: grants, or says how long to wait. All in one round trip, earlier news included."""
        assert isinstance(item, _Ask)  # noqa: S101 - tells the type checker what Budget.take passes.
        rate = self.rates[0]
        args: list[str | int] = [rate.limit, rate.interval * 1000, item.lane, item.name]
        args += (item.patience_us, item.early_us, item.weight, *self._drained_news())
        answer = self._script(keys=self._names, args=args)
        if not answer[0]:
            return Decision(failing_rate=rate, retry_after_ms=-(-answer[1] // 1000))
        moment = time.monotonic()
        for place, (number, wait_us) in enumerate(zip(answer[::2], answer[1::2], strict=True), 1):
            token = item.name if place == 1 else f"{item.name}/{place}"
            item.granted.append((number, token, moment + wait_us / 1e6))
        return Decision()

    def put(self, item: RateItem) -> bool:
        return self.put_decision(item).allowed

    def now(self) -> int:
        """Nothing here asks for the time of this machine: the script takes Redis's own."""
        return 0

    def leak(self, current_timestamp: int | None = None) -> int:
        """Remove nothing: the script trims what it reads, and idle logs expire."""
        return 0

    def flush(self) -> None:
        self.client.delete(*self._names)
        self.failing_rate = None

    def count(self) -> int:
        return sum(self.counts())

    def counts(self) -> list[int]:
        seconds, micros = self.client.time()
        since = seconds * 1_000_000 + micros - self.rates[0].interval * 1000
        pipeline = self.client.pipeline(transaction=False)
        for log in self.logs:
            pipeline.zcount(log, f"({since}", "+inf")
        return [int(count) for count in pipeline.execute()]

    def peek(self, index: int) -> RateItem | None:
        """There is no single order among several keys, and nothing asks for one."""
        return None

    def _drained_news(self) -> list[str | int]:
        args: list[str | int] = []
        moment = time.monotonic()
        with suppress(IndexError):
            for _ in range(NEWS_MAX):
                number, token, at = self.news.popleft()
                args += (number, token, -1 if at is None else int((moment - at) * 1e6))
        return args


class Budget:
    """The calls one remote account permits, shared by every thread, process and machine on the same Redis.

    The window kept here is a little longer than the remote's, and a call counts from when it can have arrived there
    at the latest, not from when it was granted: see docs/decisions/0010-call-budgets.md.

    Args:
        target: names the account, such as `cin7/main`.
        keys: labels of its application keys, never the keys themselves.
        limit: calls per key within `window_s`.
    """

    def __init__(self, client: "redis.Redis", target: str, keys: Sequence[str], limit: int, window_s: float) -> None:
        self.target = target
        self.keys = tuple(keys)
        self.limit = limit
        self._window_s = window_s
        kept_s = window_s + max(0.005 * window_s, 0.01)
        self._bucket = _PooledBucket(client, target, self.keys, Rate(limit, round(kept_s * 1000)))
        #: Seconds after sending in which a call has surely arrived, however late it is answered.
        self._arrival_s = max(0.02 * window_s, 0.25)
        #: How long before it may be made a call can be taken, so that what precedes it costs no part of the window.
        self._early_s = min(0.025 * window_s, 0.25)

    def take(self, lane: str = "live", *, timeout_s: float | None = None, early: bool = False) -> Slot:
        """Wait for a permitted call and return the label of the key to make it with.

        Args:
            lane: one of LANES.
            timeout_s: None waits as long as it takes; 0 does not wait.
            early: may return a moment before the call may be made, for callers who first claim their record;
                `spending` then waits for what is left of it.

        Raises:
            Retryable: none was free in time (`delay_s` says when one should be), or Redis is out of reach.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        ask = self._ask(lane, early=early, patience_s=0.0 if timeout_s == 0 else NAP_S_MAX)
        while True:
            decision = self._put(ask)
            if ask.granted:
                return self._slots(ask)[0]
            wait_s = (decision.retry_after_ms or 1) / 1000
            nap_s = min(wait_s, NAP_S_MAX)
            if deadline is not None and time.monotonic() + nap_s > deadline:
                self._leave(ask)
                message = f"No call to {self.target} is free for another {wait_s:.1f} s."
                raise Retryable(message, delay_s=wait_s, executed=False)
            time.sleep(nap_s)

    def take_free(self, count: int, lane: str = "live", *, early: bool = False) -> list[Slot]:
        """Return up to `count` calls that are free now, without waiting; none where there are none.

        Raises:
            Retryable: Redis is out of reach.
        """
        ask = self._ask(lane, early=early, patience_s=0.0, count=count)
        self._put(ask)
        return self._slots(ask)

    def _ask(self, lane: str, *, early: bool, patience_s: float, count: int = 1) -> _Ask:
        return _Ask(os.urandom(8).hex(), LANES[lane], patience_s, self._early_s if early else 0.0, count)

    def _put(self, ask: _Ask) -> Decision:
        try:
            return self._bucket.put_decision(ask)
        except redis.RedisError as error:
            _refuse(error)

    def _slots(self, ask: _Ask) -> list[Slot]:
        return [Slot(self.keys[number - 1], number, token, ready_at) for number, token, ready_at in ask.granted]

    @contextmanager
    def spending(self, slot: str) -> Iterator[None]:
        """Surround the call itself, so that it is not made too early and counts from when it can have arrived."""
        if isinstance(slot, Slot) and (pause_s := slot.ready_at - time.monotonic()) > 0:
            time.sleep(pause_s)
        sent_at = time.monotonic()
        try:
            yield
        finally:
            if isinstance(slot, Slot):
                arrived_at = min(time.monotonic(), sent_at + self._arrival_s)
                self._bucket.news.append((slot.number, slot.token, arrived_at))

    def give_back(self, slot: str) -> None:
        """Return a call that was not made; others may have it from this process's next `take` on."""
        if isinstance(slot, Slot):
            self._bucket.news.append((slot.number, slot.token, None))

    def close(self, key: str, for_s: float) -> None:
        """Let no process use `key` for that many seconds. A longer closure already in force stays.

        Raises:
            Retryable: Redis is out of reach.
        """
        name = self._bucket.closed[self.keys.index(key)]
        milliseconds = max(1, round(for_s * 1000))
        try:
            pipeline = self._bucket.client.pipeline()
            pipeline.set(name, 1, px=milliseconds, nx=True)
            pipeline.pexpire(name, milliseconds, gt=True)
            pipeline.execute()
        except redis.RedisError as error:
            _refuse(error)

    def used(self) -> list[KeyUse]:
        """Return how much of each key's window is spent.

        Raises:
            Retryable: Redis is out of reach.
        """
        try:
            counts = self._bucket.counts()
            closed = [max(0, self._bucket.client.pttl(name)) / 1000 for name in self._bucket.closed]
        except redis.RedisError as error:
            _refuse(error)
        return [
            KeyUse(key=key, limit=self.limit, used=count, closed_s=closed_s)
            for key, count, closed_s in zip(self.keys, counts, closed, strict=True)
        ]

    def _leave(self, ask: _Ask) -> None:
        """Leave the line; without it the others would keep the place free until it expires."""
        with suppress(redis.RedisError):
            pipeline = self._bucket.client.pipeline()
            pipeline.zrem(self._bucket.line, ask.name)
            pipeline.zrem(self._bucket.alive, ask.name)
            pipeline.execute()


def _refuse(error: Exception) -> NoReturn:
    message = f"Redis, which shares out the calls, is out of reach ({type(error).__name__})."
    raise Retryable(message, executed=False) from error

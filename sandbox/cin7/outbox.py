"""The calls to webhooks that a company has before it: when each is due, what came of it, and what a test does to it."""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator

from sandbox.cin7.wire import Json

#: Minutes before each attempt, counted from the event, then from the attempt before. After the last the webhook ends.
PAUSES = (1, 5, 10, 15, 20, 25)
DELIVERIES_MAX = 100_000


class Delivery:
    """One body on its way to one webhook, or to `target` where somebody else sends it.

    `state`: waiting, under way, delivered, failed (given up), lost (never sent) or dropped (the webhook is gone).
    """

    __slots__ = ("attempts", "body", "due", "hook", "kind", "number", "state", "target")

    def __init__(self, number: int, hook: str, kind: str, body: bytes, due: float, target: Json | None = None) -> None:
        self.number = number
        self.hook = hook
        self.kind = kind
        self.body = body
        self.due = due
        self.target = target
        self.state = "waiting"
        self.attempts: list[Json] = []

    def shown(self) -> Json:
        return {
            "number": self.number,
            "webhook": self.hook,
            "type": self.kind,
            "state": self.state,
            "forged": self.target is not None,
            "attempts": self.attempts,
            "body": self.body.decode(errors="replace"),
        }


class Outbox:
    """One company's deliveries. Whoever uses it holds the lock of the stand-in.

    Args:
        minute_s: asks for the seconds that a minute of the schedule takes.
        wake: tells the deliverer that there is something to do.
    """

    def __init__(self, minute_s: Callable[[], float], wake: Callable[[], None]) -> None:
        self._minute_s = minute_s
        self.wake = wake
        self._numbers = itertools.count(1)
        self._ring: deque[Delivery] = deque(maxlen=DELIVERIES_MAX)
        self._heap: list[tuple[float, int, Delivery]] = []
        self._to_lose = 0

    def schedule(self, hook: str, kind: str, body: bytes) -> None:
        """Put an event on its way, unless the next ones are to be lost."""
        delivery = self._made(hook, kind, body, time.monotonic() + PAUSES[0] * self._minute_s())
        if self._to_lose:
            self._to_lose -= 1
            delivery.state = "lost"
            return
        self._push(delivery)

    def forge(self, kind: str, body: bytes, target: Json) -> Delivery:
        """Send a body that no event caused, once and at once."""
        delivery = self._made("", kind, body, time.monotonic(), target)
        self._push(delivery)
        return delivery

    def repeat(self, last: int, times: int) -> list[Delivery]:
        """Send again, at once, what was delivered last."""
        done = [one for one in self._ring if one.state == "delivered"][-last:]
        again = [self._made(one.hook, one.kind, one.body, 0.0, one.target) for one in done for _ in range(times)]
        for one in again:
            self._push(one)
        return again

    def hurry(self, *, backwards: bool = False) -> int:
        """Let everything that waits be due at once, the youngest first if `backwards`."""
        waiting = sorted((one for _, _, one in self._heap), key=lambda one: one.number, reverse=backwards)
        self._heap.clear()
        for place, one in enumerate(waiting):
            one.due = float(place)
            self._push(one)
        return len(waiting)

    def lose(self, count: int) -> None:
        """Lose that many of the events to come."""
        self._to_lose = count

    def _made(self, hook: str, kind: str, body: bytes, due: float, target: Json | None = None) -> Delivery:
        delivery = Delivery(next(self._numbers), hook, kind, body, due, target)
        self._ring.append(delivery)
        return delivery

    def _push(self, delivery: Delivery) -> None:
        delivery.state = "waiting"
        heapq.heappush(self._heap, (delivery.due, delivery.number, delivery))
        self.wake()

    def next_due(self) -> float | None:
        """Return when the next one is due, on this process's monotonic clock."""
        return self._heap[0][0] if self._heap else None

    def take_due(self) -> Iterator[Delivery]:
        """Yield what is due, in order; each is under way from then on."""
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            delivery = heapq.heappop(self._heap)[2]
            delivery.state = "under way"
            yield delivery

    def ended(self, delivery: Delivery, attempt: Json, *, success: bool) -> bool:
        """Note how an attempt ended; say whether it was the last one and failed."""
        delivery.attempts.append(attempt)
        if success:
            delivery.state = "delivered"
        elif delivery.target is not None or len(delivery.attempts) >= len(PAUSES):
            delivery.state = "failed"
        else:
            delivery.due = time.monotonic() + PAUSES[len(delivery.attempts)] * self._minute_s()
            self._push(delivery)
        return delivery.state == "failed" and delivery.target is None

    def shown(self) -> list[Json]:
        return [delivery.shown() for delivery in self._ring]

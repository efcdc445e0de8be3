"""The sliding window of calls of one application key, and what it has seen."""

from collections import deque

import msgspec

from sandbox.cin7.errors import JSON_TYPE, TEXT_TYPE, Answer
from sandbox.cin7.wire import encode

#: The real sentence, kept literally also where a test shortens the window: clients look for its words.
SENTENCE = "You have reached 60 calls per 60 seconds API limit."

#: Styles of refusal on record. Only the purchase endpoints answer 400; the others then answer 503.
STYLES = ("429", "503", "400")

#: Arrivals kept per key for a later look.
ARRIVALS_MAX = 200_000


class Limit(msgspec.Struct, kw_only=True):
    """How many calls a key may make. `calls` 0 means any number; `retry_after_s` None means the window."""

    calls: int = 60
    window_s: float = 60.0
    style: str = "429"
    retry_after_s: int | None = None

    def wait_s(self) -> int:
        return self.retry_after_s if self.retry_after_s is not None else max(1, round(self.window_s))


class Key:
    """One application key: its label for reports, its window, and its counts."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.forget()

    def forget(self) -> None:
        self.counted: deque[float] = deque()
        self.recent: deque[float] = deque()
        self.arrivals: deque[float] = deque(maxlen=ARRIVALS_MAX)
        self.calls = self.refused = self.max_in_window = self.max_accepted_in_window = 0

    def admit(self, now: float, limit: Limit, *, refused_count: bool) -> bool:
        """Note one call at `now`; False where the window is full.

        The refused are noted too: the highest number of arrivals in any window tells whether a client kept the limit.
        """
        self.calls += 1
        self.arrivals.append(now)
        horizon = now - limit.window_s
        self.recent.append(now)
        _drop_before(self.recent, horizon)
        _drop_before(self.counted, horizon)
        self.max_in_window = max(self.max_in_window, len(self.recent))
        accepted = limit.calls <= 0 or len(self.counted) < limit.calls
        if accepted or refused_count:
            self.counted.append(now)
        if accepted:
            self.max_accepted_in_window = max(self.max_accepted_in_window, len(self.counted))
        else:
            self.refused += 1
        return accepted

    def report(self) -> dict[str, object]:
        return {
            "key": self.label,
            "calls": self.calls,
            "refused": self.refused,
            "max_in_window": self.max_in_window,
            "max_accepted_in_window": self.max_accepted_in_window,
        }


def _drop_before(times: deque[float], horizon: float) -> None:
    while times and times[0] <= horizon:
        times.popleft()


def throttled(limit: Limit, endpoint: str) -> Answer:
    """Return the refusal in the style of `limit`."""
    style = limit.style
    if style == "400":
        if endpoint.startswith(("purchase/", "advanced-purchase")) or endpoint == "purchase":
            return Answer(400, encode([{"ErrorCode": 400, "Exception": SENTENCE}]))
        style = "503"
    if style == "503":
        return Answer(503, SENTENCE.encode(), (TEXT_TYPE,))
    wait = str(limit.wait_s())
    headers = (
        JSON_TYPE,
        (b"x-ratelimit-limit", str(limit.calls).encode()),
        (b"x-ratelimit-remaining", b"0"),
        (b"x-ratelimit-reset", wait.encode()),
        # A word after the number: neither an integer nor an HTTP date.
        (b"retry-after", f"{wait} Seconds".encode()),
    )
    return Answer(429, encode(SENTENCE), headers)

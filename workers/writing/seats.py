"""The places among the threads that wait for an account's calls, so that not all of a process's wait for the same."""

import threading
from typing import Final

#: Calls that one process may have under way; the budget decides how many may start.
THREADS: Final = 8
#: The lane whose entries may take every seat.
_FIRST: Final = "live"


class Seats:
    """The seats of one of so many accounts.

    An account has fewer seats than the process has threads where there are several. So one that is throttled to nearly
    nothing keeps its share of the threads waiting, and the others go on with the other accounts. Of these seats only
    half are for replays, backfills and the like: a live change finds a thread that is not waiting behind them.
    """

    def __init__(self, accounts: int) -> None:
        share = max(1, THREADS // max(1, accounts))
        self.all = threading.BoundedSemaphore(share)
        self.later = threading.BoundedSemaphore(max(1, share // 2))


class Seat:
    """The seats that the work on some entries of one lane has taken; it keeps them to its end."""

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self._taken: dict[int, list[threading.BoundedSemaphore]] = {}

    def take(self, seats: Seats) -> bool:
        """Take one of an account's seats, unless one is taken already; False where there is none left."""
        if id(seats) in self._taken:
            return True
        taken: list[threading.BoundedSemaphore] = []
        for row in (seats.all,) if self.lane == _FIRST else (seats.later, seats.all):
            if not row.acquire(blocking=False):
                for other in taken:
                    other.release()
                return False
            taken.append(row)
        self._taken[id(seats)] = taken
        return True

    def leave(self) -> None:
        """Give all of them back."""
        while self._taken:
            for row in self._taken.popitem()[1]:
                row.release()

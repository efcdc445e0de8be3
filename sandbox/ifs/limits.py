"""How many calls each client may make in a sliding window."""

from collections import defaultdict, deque

import msgspec


class Rate(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    calls: int = 1000
    window_s: float = 60


class Limits:
    def __init__(self) -> None:
        self.rate = Rate()
        self._taken: dict[str, deque[float]] = defaultdict(deque)
        self._refused: dict[str, int] = defaultdict(int)
        self._most: dict[str, int] = defaultdict(int)

    def take(self, client: str, now_s: float) -> float:
        """Count one call; return 0, or the seconds until one is free and nothing counted."""
        taken = self._taken[client]
        while taken and taken[0] <= now_s - self.rate.window_s:
            taken.popleft()
        if len(taken) >= self.rate.calls:
            self._refused[client] += 1
            return max(taken[0] + self.rate.window_s - now_s, 0.001)
        taken.append(now_s)
        self._most[client] = max(self._most[client], len(taken))
        return 0

    def report(self) -> list[dict[str, object]]:
        """Return per client how much of the window is used, the most it ever was, and what was refused."""
        return [
            {"client_id": client, "used": len(taken), "most": self._most[client], "refused": self._refused[client]}
            for client, taken in sorted(self._taken.items())
        ]

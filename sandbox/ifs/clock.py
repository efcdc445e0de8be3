"""The stand-in's time: the machine's, shifted or stopped by the control plane, and the tenant's wall clock."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class Clock:
    def __init__(self) -> None:
        self._offset_s = 0.0
        self._stopped_at: float | None = None

    def now_s(self) -> float:
        """Return seconds since 1970, UTC."""
        return (time.time() if self._stopped_at is None else self._stopped_at) + self._offset_s

    def advance(self, seconds: float) -> None:
        self._offset_s += seconds

    def stop(self, at: datetime | None = None) -> None:
        """Stand still, now or at `at`, until `run`; `advance` still moves it."""
        self._stopped_at = self.now_s() if at is None else at.timestamp()
        self._offset_s = 0.0

    def run(self) -> None:
        """Go on from the machine's time."""
        self._stopped_at, self._offset_s = None, 0.0

    def wall(self, zone: str) -> str:
        """Return the wall clock of `zone` as IFS writes it: whole seconds, and a `Z` whatever the zone."""
        return datetime.fromtimestamp(self.now_s(), tz=ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_utc(stamp: str, zone: str) -> str:
    """Return a wall-clock stamp of `zone` in true UTC."""
    wall = datetime.fromisoformat(stamp.removesuffix("Z")).replace(tzinfo=ZoneInfo(zone))
    return wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Compares this month and the one before every night, in one process of all, in the lowest lane of the budgets."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import redis
import structlog

from shared.assembly import Assembly
from shared.errors import ConnectorError
from shared.ledger import detecting, watermarks
from shared.ledger.watermarks import LeaseLost, Watermark
from workers.reconciling.looking_at_cin7 import Stopped
from workers.reconciling.running import months_due, reconcile

log = structlog.get_logger()

#: The name of the lead, and of the row that tells when it was done last.
STREAM: Final = "reconciliation"
#: Seconds between looks whether it is due, and after a failure.
LOOK_EVERY_S: Final = 5.0
AGAIN_S: Final = 900.0


def last_hour(now: datetime, at: str) -> datetime:
    """Return the last time it was `at` (HH:MM) on the clock that `now` is of. Pure."""
    hour, _, minute = at.partition(":")
    last = now.replace(hour=int(hour), minute=int(minute or 0), second=0, microsecond=0)
    return last if last <= now else last - timedelta(days=1)


class Nightly:
    """Any number may run; one leads at a time."""

    def __init__(self, parts: Assembly) -> None:
        self.parts = parts
        self.holder = f"{parts.actor} {uuid4()}"
        self.zone = ZoneInfo(parts.settings.ifs.time_zone)
        self.at = parts.settings.policy.reconcile_at
        self.lease_s = parts.settings.policy.lease_s

    def run(self, stopping: Callable[[], bool]) -> None:
        """Compare when it is due, until told to stop. What fails is tried again a while later."""
        next_look = 0.0
        while not stopping():
            if self.at and time.monotonic() >= next_look:
                next_look = time.monotonic() + self._turn(stopping)
            time.sleep(0.2)

    def _turn(self, stopping: Callable[[], bool]) -> float:
        """Look once; return the seconds to the next look."""
        try:
            self.turn(stopping)
        except Stopped:
            return LOOK_EVERY_S
        except (ConnectorError, redis.RedisError) as error:
            log.warning("reconciliation put off", reason=str(error))
            return AGAIN_S
        except Exception:
            log.exception("a bug in the reconciliation; it is tried again later")
            return AGAIN_S
        return LOOK_EVERY_S

    def turn(self, stopping: Callable[[], bool]) -> list[str]:
        """Compare what is due; return the months that were compared.

        Raises:
            ConnectorError: a side cannot be read; the months before it are done.
        """
        with self.parts.ledger.transaction() as cur:
            now = detecting.database_now(cur).astimezone(self.zone)
            mark = watermarks.lead(cur, STREAM, self.holder, self.lease_s)
        if mark is None:
            return []
        if mark.swept_at is None:
            # The first night of an installation is the next one: until then it takes in what there is.
            with self.parts.ledger.transaction() as cur:
                watermarks.advance(cur, mark, swept=True)
            return []
        if mark.swept_at >= last_hour(now, self.at):
            return []
        return self._compare(mark, months_due(now.date()), stopping)

    def _compare(self, mark: Watermark, months: list[str], stopping: Callable[[], bool]) -> list[str]:
        keep = _Keeper(self.parts, mark)
        for month in months:
            found = reconcile(self.parts, month, stopping=stopping, progress=keep)
            log.info(
                "reconciled",
                period=month,
                documents=found.documents,
                open=sum(one.state == "open" for one in found.stored.values()),
                calls=dict(found.calls),
                seconds=found.seconds,
            )
        with self.parts.ledger.transaction() as cur:
            watermarks.advance(cur, mark, swept=True)
        return months


class _Keeper:
    """Renews the lead with whatever progress there is. Should it be lost all the same, the other's result counts."""

    def __init__(self, parts: Assembly, mark: Watermark) -> None:
        self.parts = parts
        self.mark = mark
        self.renewed_at = time.monotonic()

    def __call__(self, _what: str, _done: int, _of: int) -> None:
        if time.monotonic() - self.renewed_at < self.mark.lease_s / 3:
            return
        self.renewed_at = time.monotonic()
        try:
            with self.parts.ledger.transaction() as cur:
                watermarks.still_leads(cur, self.mark)
        except LeaseLost as lost:
            raise Stopped from lost

"""IFS's charts of accounts, kept in the ledger beside Cin7's and read when they change."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
import structlog

from shared.errors import ConnectorError, Retryable
from shared.ifs.charts import Chart
from shared.ledger import references
from shared.ledger.connection import Ledger, may_stand_still

log = structlog.get_logger()

#: Under this name they are kept among the Cin7 accounts' parts, each company under a name that is none of theirs.
KEPT: Final = "@ifs-accounts"
_KIND: Final = "company "
#: Seconds that reading one chart may take, its waits for permitted calls included.
READ_S_MAX: Final = 600
#: Seconds after which a chart is read again by itself; and at most so often for a finding about it, or in vain.
STALE_S: Final = 3_600.0
AT_MOST_EVERY_S: Final = 60.0


class IfsCharts:
    """One per process; safe to share between threads.

    Args:
        ledger: where they are kept.
        read: reads the chart of a company.
    """

    def __init__(self, ledger: Ledger, read: Callable[[str], Chart]) -> None:
        self._ledger = ledger
        self._read = read
        self._lock = threading.Lock()
        self._known: tuple[int, Mapping[str, Chart]] | None = None
        #: Until when a chart need not be looked at, on this process's clock.
        self._settled: dict[str, float] = {}

    def get(self) -> Mapping[str, Chart]:
        """Return what is known, by company; nothing is read from IFS."""
        with self._lock, self._ledger.transaction() as cur:
            revision = references.revision(cur)
            if self._known is None or self._known[0] != revision:
                charts = [
                    msgspec.json.decode(part.body, type=Chart) for part in references.kept(cur) if part.account == KEPT
                ]
                self._known = revision, {chart.company: chart for chart in charts}
            return self._known[1]

    def refresh(self, companies: Iterable[str], *, older_than_s: float) -> bool:
        """Read the charts that were never read, or longer ago than that; return whether any was.

        Raises:
            ConnectorError: IFS does not answer, or refuses.
        """
        read = False
        for company in companies:
            kind = f"{_KIND}{company}"
            with self._ledger.transaction() as cur:
                # One process reads, the others wait for what it kept.
                may_stand_still(cur, READ_S_MAX)
                references.lock_refresh(cur, f"{KEPT}/{kind}")
                age_s = references.age_s(cur, KEPT, kind)
                if age_s is not None and age_s < older_than_s:
                    continue
                body = msgspec.json.encode(self._read(company), order="deterministic")
                references.keep(cur, KEPT, kind, body)
                read = True
        return read

    def keep_current(self, companies: Iterable[str]) -> None:
        """Read the charts that were never read, or an hour ago.

        Where IFS does not answer, what is known stands for a minute. Where IFS refuses a chart, that keeps nothing from
        being looked at in all other ways.

        Raises:
            Retryable: IFS does not answer, and a chart was never read.
        """
        for company in companies:
            if time.monotonic() < self._settled.get(company, 0.0):
                continue
            try:
                self.refresh([company], older_than_s=STALE_S)
            except ConnectorError as error:
                if isinstance(error, Retryable) and company not in self.get():
                    why = f"IFS's chart of accounts of company {company} was never read: {error}"
                    raise Retryable(why, executed=False) from error
                log.warning("IFS's chart of accounts is as read before, or unknown", company=company, reason=str(error))
            # Only now: until then another thread must wait for the chart, too.
            self._settled[company] = time.monotonic() + AT_MOST_EVERY_S

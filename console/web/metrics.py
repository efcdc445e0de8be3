"""The figures that monitoring scrapes, computed from the ledger and Redis at that moment."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import redis
import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from psycopg.rows import TupleRow

from console.hooks.figures import hint_figures
from shared.assembly import Assembly
from shared.budgets import Budget
from shared.errors import ConnectorError
from shared.flows import FLOWS, STAGES, queue_of
from shared.ledger import hints, webhooks
from shared.ledger.states import STATES
from shared.queues import dead_letters

log = structlog.get_logger()

#: Milliseconds; a figure is not worth keeping the ledger busy for longer.
STATEMENT_MS: Final = 5_000


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"connector_{name}", text, labels=labels)


class Figures(Collector):
    """One scrape asks the ledger and Redis; what one of them cannot tell is left out, and `connector_up` says so."""

    def __init__(self, parts: Assembly) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        up = _gauge("up", "1 where the source of figures answers.", "source")
        sources: tuple[tuple[str, Callable[[], Iterator[Metric]]], ...] = (
            ("ledger", self._of_ledger),
            ("redis", self._of_redis),
        )
        for source, read in sources:
            try:
                found = list(read())
            except (ConnectorError, redis.RedisError) as error:
                log.warning("figures left out", source=source, reason=str(error))
                up.add_metric([source], 0)
            else:
                up.add_metric([source], 1)
                yield from found
        yield up

    def _of_ledger(self) -> Iterator[Metric]:
        yield self._entries()
        causes = _gauge("open_causes", "Repairs that are waited for, by code.", "code")
        for code, count in self._rows("select code, count(*) from cause where status <> 'cleared' group by code"):
            causes.add_metric([code], count)
        yield causes
        yield self._per_flow(
            "oldest_moving_seconds",
            "Age of the oldest entry that is under way; 0 where none is.",
            """
            select flow, extract(epoch from clock_timestamp() - min(detected_at))::float from entry
            where state in ('detected', 'mapped', 'retrying') and due_at < 'infinity' group by flow
            """,
            otherwise=0.0,
        )
        yield self._per_flow(
            "seconds_since_pull",
            "Seconds since the last pull that succeeded; missing before the first.",
            """
            select flow, extract(epoch from clock_timestamp() - max(finished_at))::float from poll
            where outcome = 'done' and strategy <> 'backfill' group by flow
            """,
        )
        differing = _gauge(
            "open_differences",
            "Differences that keep a month from being closed, by month and reason.",
            "period",
            "kind",
        )
        for period, kind, count in self._rows(_DIFFERENCES):
            differing.add_metric([period, kind], count)
        yield differing
        proved = _gauge(
            "seconds_since_reconciliation",
            "Seconds since a month was compared last; missing before the first.",
            "period",
        )
        for period, seconds in self._rows(_PROVED):
            proved.add_metric([period], seconds)
        yield proved
        yield from self._of_hooks()
        unknown = _gauge("effects_unknown", "Calls of which it is not known yet whether they had an effect.")
        for (count,) in self._rows("select count(*) from effect where state = 'UNKNOWN'"):
            unknown.add_metric([], count)
        yield unknown

    def _of_hooks(self) -> Iterator[Metric]:
        """Yield what became of hints, and whether Cin7 still calls the webhooks that we registered."""
        with self._parts.ledger.transaction() as cur:
            cur.execute(f"set local statement_timeout = {STATEMENT_MS}")
            found = hints.waiting(cur, list(self._parts.settings.cin7))
            ours = webhooks.all_of(cur)
        yield from hint_figures(found)
        active = _gauge("webhook_active", "1 where Cin7 calls our webhook, 0 where it was switched off.", "account")
        for one in ours:
            active.add_metric([one.account], one.state == "on")
        yield active

    def _entries(self) -> GaugeMetricFamily:
        """Count every flow in every state, none included, so that an alert on `held` needs no special case."""
        entries = _gauge("entries", "Entries by flow and state.", "flow", "state")
        found = {(flow, state): count for flow, state, count in self._rows(_ENTRIES)}
        for flow in FLOWS:
            for state in STATES:
                entries.add_metric([flow.name, state], found.get((flow.name, state), 0))
        return entries

    def _per_flow(self, name: str, text: str, sql: str, otherwise: float | None = None) -> GaugeMetricFamily:
        gauge = _gauge(name, text, "flow")
        found: dict[str, float] = dict(self._rows(sql))
        for flow in FLOWS:
            if (value := found.get(flow.name, otherwise)) is not None:
                gauge.add_metric([flow.name], value)
        return gauge

    def _of_redis(self) -> Iterator[GaugeMetricFamily]:
        depths = _gauge("queue_messages", "Messages by queue: ready, delayed, or dead (held).", "queue", "kind")
        for flow in FLOWS:
            for stage in STAGES:
                queue = queue_of(stage, flow.name)
                for kind, count in zip(
                    ("ready", "delayed", "dead"), dead_letters.depths(self._parts.redis, queue), strict=True
                ):
                    depths.add_metric([queue, kind], count)
        yield depths
        used = _gauge("budget_used", "Calls made within the window, by target and key.", "target", "key")
        limit = _gauge("budget_limit", "Calls that the window allows, by target and key.", "target", "key")
        for budget in self._budgets():
            for key in budget.used():
                used.add_metric([budget.target, key.key], key.used)
                limit.add_metric([budget.target, key.key], key.limit)
        yield from (used, limit)

    def _budgets(self) -> Iterator[Budget]:
        """Yield the budgets that there are; an account without credentials makes no calls."""
        makers: list[Callable[[], Budget]] = [lambda: self._parts.ifs_budget]
        makers += [lambda name=name: self._parts.cin7(name).budget for name in self._parts.settings.cin7]  # type: ignore[misc]
        for make in makers:
            try:
                yield make()
            except ConnectorError as error:
                log.info("a budget is left out", reason=str(error))

    def _rows(self, sql: str) -> Iterable[TupleRow]:
        with self._parts.ledger.transaction() as cur:
            cur.execute(f"set local statement_timeout = {STATEMENT_MS}")
            return cur.execute(sql).fetchall()


_DIFFERENCES: Final = "select period, kind, count(*) from difference where state = 'open' group by period, kind"
#: Of the last months only: older ones are closed, and compared no more.
_PROVED: Final = """
    select period, extract(epoch from clock_timestamp() - max(finished_at))::float from reconciliation
    where outcome = 'done' group by period order by period desc limit 3
"""
_ENTRIES: Final = "select flow, state, count(*) from entry group by flow, state"

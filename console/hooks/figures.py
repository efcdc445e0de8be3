"""What the receiver counts of its own, and what the ledger says became of the hints."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog
from prometheus_client import Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from shared.errors import ConnectorError
from shared.ledger import hints
from shared.ledger.connection import Ledger
from shared.ledger.hints import Waiting

log = structlog.get_logger()

#: Every way in which a call ends.
OUTCOMES: Final = ("taken", "coalesced", "ignored", "nonsense", "refused", "failed")


class Calls(Collector):
    """Calls by how they ended: of this process, since it started.

    taken: a hint was kept. coalesced: all that it names was waiting already. ignored: of a type that is not listened
    to, or without an id. nonsense: no JSON. refused: without the secret, too many, too large, too slow, or of an
    account that there is not. failed: the ledger was away; Cin7 calls again.
    """

    def __init__(self) -> None:
        self._counter = Counter(
            "connector_hook_calls", "Calls of webhooks, by how they ended.", ["outcome"], registry=None
        )
        self._counts = {outcome: self._counter.labels(outcome) for outcome in OUTCOMES}

    def count(self, outcome: str) -> None:
        self._counts[outcome].inc()

    def collect(self) -> Iterator[Metric]:
        yield from self._counter.collect()


def hint_figures(found: Sequence[Waiting]) -> Iterator[Metric]:
    """Yield the figures of hints by account."""
    waiting = GaugeMetricFamily("connector_hints_waiting", "Hints that nobody has followed yet.", labels=["account"])
    oldest = GaugeMetricFamily(
        "connector_hints_oldest_seconds", "Age of the oldest hint that waits; 0 where none does.", labels=["account"]
    )
    calls = CounterMetricFamily("connector_hints_answered", "Calls that a read has answered.", labels=["account"])
    reads = CounterMetricFamily("connector_hint_reads", "Records read because of hints.", labels=["account"])
    dropped = CounterMetricFamily("connector_hints_dropped", "Hints at records that there are not.", labels=["account"])
    for one in found:
        waiting.add_metric([one.account], one.waiting)
        oldest.add_metric([one.account], one.oldest_s or 0)
        calls.add_metric([one.account], one.calls)
        reads.add_metric([one.account], one.reads)
        dropped.add_metric([one.account], one.dropped)
    yield from (waiting, oldest, calls, reads, dropped)


class Hints(Collector):
    """The ledger's figures; without it there are none, and `connector_up` says so."""

    def __init__(self, ledger: Ledger, accounts: Callable[[], Sequence[str]]) -> None:
        self._ledger = ledger
        self._accounts = accounts

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("connector_up", "1 where the source of figures answers.", labels=["source"])
        try:
            with self._ledger.transaction() as cur:
                cur.execute("set local statement_timeout = 5000")
                found = hints.waiting(cur, self._accounts())
        except ConnectorError as error:
            log.warning("figures left out", source="ledger", reason=str(error))
            up.add_metric(["ledger"], 0)
        else:
            up.add_metric(["ledger"], 1)
            yield from hint_figures(found)
        yield up

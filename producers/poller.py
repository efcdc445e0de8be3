"""The pull all streams share: lead, read, record and hand over page by page; the watermark moves with each page."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import redis
import structlog

from producers.brake import near_empty
from producers.leading import leading
from shared.errors import ConnectorError
from shared.flows import Flow, queue_of
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ledger import detecting, watermarks
from shared.ledger.connection import Ledger
from shared.ledger.watermarks import Watermark
from shared.origins import Reading
from shared.pulled import Batch
from shared.queues import dead_letters
from shared.queues.handing_over import hand_over
from shared.rows import Row
from shared.seeing import Lens

log = structlog.get_logger()

Outcome = Literal["done", "failed", "stopped", "lost", "unserved"]


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What one pull did; the same figures stand in its audit row."""

    poll_id: int
    flow: str
    strategy: str
    outcome: Outcome
    pages: int = 0
    rows: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    error: str = ""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream as it is polled.

    Attributes:
        lens: makes the lens for a start date.
    """

    flow: Flow
    reading: Reading
    lens: Callable[[str], Lens]

    @property
    def name(self) -> str:
        """What its lead, its watermark and its log lines go by."""
        return self.reading.name


class Poller:
    """Polls streams for one process."""

    def __init__(
        self, ledger: Ledger, client: redis.Redis, actor: str, *, time_zone: str, sweep_at: str, lease_s: float
    ) -> None:
        self.ledger = ledger
        self.client = client
        self.actor = actor
        # Not the actor: one person may well poll from two windows.
        self.holder = f"{actor} {uuid4()}"
        self.zone = ZoneInfo(time_zone)
        self.sweep_at = sweep_at
        self.lease_s = lease_s

    def turn(self, stream: Stream, *, force: bool = False, sweep: bool = False) -> Pulled | None:
        """Poll a stream if it is due; None where it is not, or another process leads it.

        Args:
            force: poll even if it is not due.
            sweep: read everything and compare, whatever the strategy.
        """
        with self.ledger.transaction() as cur:
            if not force and not watermarks.due(cur, stream.name):
                return None
            mark = watermarks.lead(cur, stream.name, self.holder, self.lease_s)
        if mark is None:
            return None
        try:
            if not (mark.due or force):
                return None
            with leading(self.ledger, mark):
                return self._pull(stream, mark, sweep=sweep)
        finally:
            with self.ledger.transaction() as cur:
                watermarks.let_go(cur, mark)

    def _sweep_due(self, mark: Watermark) -> bool:
        """Say whether the nightly full comparison is due: past its hour, and none since that hour."""
        if mark.swept_at is None:
            return False  # The first pull reads everything, and counts as one.
        with self.ledger.transaction() as cur:
            now = detecting.database_now(cur).astimezone(self.zone)
        hour, _, minute = self.sweep_at.partition(":")
        last = now.replace(hour=int(hour), minute=int(minute or 0), second=0, microsecond=0)
        if last > now:
            last -= timedelta(days=1)
        return mark.swept_at < last

    def _pull(self, stream: Stream, mark: Watermark, *, sweep: bool) -> Pulled:
        start_from = self._start_from(stream, mark)
        pull = _Pull(self, stream, mark, stream.lens(start_from))
        try:
            strategy = stream.reading.strategy()
            full = sweep or strategy == "sweep" or self._sweep_due(mark)
            pull.run("sweep" if full else strategy)
        except watermarks.LeaseLost as lost:
            return pull.end("lost", str(lost), stream.reading.every_s)
        except ConnectorError as error:
            log.warning("pull failed", stream=stream.name, reason=str(error))
            return pull.end(
                "unserved" if unserved(stream.flow, error) else "failed", str(error), stream.reading.every_s
            )
        return pull.end("stopped" if pull.braked else "done", pull.remark, stream.reading.every_s)

    def _start_from(self, stream: Stream, mark: Watermark) -> str:
        """Return the go-live date: as set, else the day of the first poll, kept from then on."""
        if not stream.flow.document:
            return ""
        if stream.reading.start_from:
            return stream.reading.start_from
        if mark.start_from:
            return mark.start_from
        with self.ledger.transaction() as cur:
            today = f"{detecting.database_now(cur).astimezone(self.zone):%Y-%m-%d}"
            watermarks.advance(cur, mark, start_from=today)
        return today


def unserved(flow: Flow, error: ConnectorError) -> bool:
    """Say whether the tenant does not serve the set of a flow that not every tenant serves."""
    return flow.optional and isinstance(error, IfsDenied | IfsRefused) and error.status in {403, 404}


class _Pull:
    """One pull: its counts, and the transaction per page."""

    def __init__(self, poller: Poller, stream: Stream, mark: Watermark, lens: Lens) -> None:
        self.ledger = poller.ledger
        self.client = poller.client
        self.actor = poller.actor
        self.stream = stream
        self.flow = stream.flow.name
        self.mark = mark
        self.lens = lens
        self.strategy = ""
        with self.ledger.transaction() as cur:
            self.poll_id = watermarks.begin_poll(cur, mark, flow=self.flow, company="", source=stream.reading.title)
        self.counts = dict.fromkeys(("pages", "rows", "changed", "unchanged", "skipped"), 0)
        self.position = mark.position
        self.remark = ""
        self.braked = False

    @property
    def sweep(self) -> bool:
        return self.strategy == "sweep"

    def run(self, strategy: str) -> None:
        """Read and record until nothing is left. A sweep starts at the first key, whatever the watermark."""
        self.strategy = strategy
        with self.ledger.transaction() as cur:
            population = watermarks.population(cur, self.flow, self.stream.reading.scope) if self.sweep else 0
        # A sweep reads everything whatever the watermark, which only shows whether it is the first look.
        batches = self.stream.reading.read(
            watermark=self.mark.position, sweep=self.sweep, admit=self._admit, known=self._known
        )
        while True:
            with self.ledger.transaction() as cur:
                watermarks.still_leads(cur, self.mark)
                read_at = detecting.database_now(cur)
            batch = next(batches, None)
            if batch is None:
                break
            self._record(batch, read_at)
        if self.sweep:
            self._end_sweep(population)
        elif self.mark.swept_at is None:
            with self.ledger.transaction() as cur:
                watermarks.advance(cur, self.mark, swept=True)

    def _admit(self, row: Row) -> bool:
        return not self.lens.skip(row.values)

    def _known(self, headers: Sequence[tuple[str, str]]) -> set[str]:
        """Return the keys whose header is as it was last time, so that their children need not be read."""
        if self.sweep:
            return set()
        with self.ledger.transaction() as cur:
            rows = cur.execute(
                """
                select r.key from record r
                join unnest(%s::text[], %s::text[]) as seen (key, tag) on seen.key = r.key and seen.tag = r.header_tag
                where r.flow = %s and r.skipped = ''
                """,
                ([key for key, _ in headers], [tag for _, tag in headers], self.flow),
            ).fetchall()
        return {str(row[0]) for row in rows}

    def _record(self, batch: Batch, read_at: datetime) -> None:
        seen = [self.lens.seen(document) for document in batch.documents]
        seen += [self.lens.left_out(key, values) for key, values in batch.skipped]
        with self.ledger.transaction() as cur:
            found = detecting.record_seen(
                cur,
                self.flow,
                seen,
                read_at=read_at,
                actor=self.actor,
                poll_id=self.poll_id,
                sweep=self.poll_id if self.sweep else 0,
                carried=True,
            )
            self.stream.reading.keep(cur, batch)
            counts = {
                "pages": batch.pages,
                "rows": batch.rows,
                "changed": len(found.entries),
                "unchanged": max(0, batch.rows - len(found.entries) - found.skipped),
                "skipped": found.skipped,
            }
            watermarks.count_page(cur, self.poll_id, filter_=batch.filter, **counts)
            # A sweep of a stream that has a watermark leaves it where it is.
            reached = None if self.sweep else batch.reached or None
            watermarks.advance(cur, self.mark, position=reached)
        self.position = reached or self.position
        for name, count in counts.items():
            self.counts[name] += count
        hand_over(self.client, self.ledger, found.messages)
        try:
            for entry, stage in found.unheld:
                dead_letters.remove_entries(self.client, queue_of(stage, self.flow), [entry])  # type: ignore[arg-type]
        except redis.RedisError as error:
            log.warning("dead letters not removed; the sweep will", reason=str(error))

    def _end_sweep(self, population: int) -> None:
        """Report what the sweep did not meet, unless it met suspiciously little."""
        self.remark = near_empty(self.counts["rows"], population, self.stream.reading.suspect)
        if self.remark:
            self.braked = True
            log.error("sweep stopped", stream=self.stream.name, reason=self.remark)
            return
        with self.ledger.transaction() as cur:
            gone, first = watermarks.vanished(cur, self.flow, self.poll_id, self.stream.reading.scope)
            watermarks.advance(cur, self.mark, swept=True)
        if gone:
            self.remark = f"{gone} records are not in {self.stream.reading.where} any more: {', '.join(first)}"
            log.warning("records vanished", stream=self.stream.name, count=gone, keys=first)

    def end(self, outcome: Outcome, error: str, every_s: float) -> Pulled:
        """Close the audit row and say when the stream is due again."""
        with self.ledger.transaction() as cur:
            watermarks.end_poll(
                cur, self.poll_id, outcome=outcome, strategy=self.strategy, position=self.position, error=error
            )
        if outcome != "lost":
            self._next(every_s)
        return Pulled(
            poll_id=self.poll_id,
            flow=self.flow,
            strategy=self.strategy,
            outcome=outcome,
            error=error,
            **self.counts,
        )

    def _next(self, every_s: float) -> None:
        try:
            with self.ledger.transaction() as cur:
                watermarks.advance(cur, self.mark, next_in_s=every_s)
        except watermarks.LeaseLost as lost:
            log.warning("the stream is led elsewhere", stream=self.stream.name, reason=str(lost))

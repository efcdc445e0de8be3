"""The pull all streams share: lead, read, record and hand over page by page; the watermark moves with each page."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
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
from shared.ledger import detecting, leaving, watermarks
from shared.ledger.connection import Cur, Ledger
from shared.ledger.detecting import Detected, Seen
from shared.ledger.leaving import LEFT
from shared.ledger.watermarks import Watermark
from shared.origins import Reading
from shared.pulled import Batch, RawDocument
from shared.queues import dead_letters
from shared.queues.handing_over import hand_over
from shared.rows import Row
from shared.seeing import Lens

log = structlog.get_logger()

#: How often everything is read of a set that records leave: what changes there may keep its stamp.
RESWEEP: Final = timedelta(minutes=15)
#: Held records that a poll looks at again, whatever its stamps say.
WATCHED_MAX: Final = 600
#: Records that vanished and are named.
NAMED_MAX: Final = 100

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
        again: reads records by key; those that are not there are missing.
        lens: makes the lens for a start date.
    """

    flow: Flow
    reading: Reading
    again: Callable[[Sequence[str]], dict[str, RawDocument]]
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

    def _sweep_due(self, flow: Flow, mark: Watermark) -> bool:
        """Say whether the nightly full comparison is due: past its hour, and none since that hour."""
        if mark.swept_at is None:
            return False  # The first pull reads everything, and counts as one.
        with self.ledger.transaction() as cur:
            now = detecting.database_now(cur).astimezone(self.zone)
        if flow.passing and now - mark.swept_at > RESWEEP:
            return True
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
            full = sweep or strategy == "sweep" or self._sweep_due(stream.flow, mark)
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
        if stream.reading.start_from or stream.flow.passing:
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
            return
        if self.stream.flow.passing:
            self._watch()
        if self.mark.swept_at is None:
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

    def _watch(self) -> None:
        """Look again at what is held: a correction may keep the stamp that changes are asked for by."""
        with self.ledger.transaction() as cur:
            held = leaving.held_keys(cur, self.flow, WATCHED_MAX)
            read_at = detecting.database_now(cur)
        # What has no key is found by full reads only.
        keys = [key for key in held if self.lens.can_ask_for(key)]
        if not keys:
            return
        found = self.stream.again(keys)
        with self.ledger.transaction() as cur:
            watermarks.still_leads(cur, self.mark)
            detected = self._detected(cur, [self.lens.seen(document) for document in found.values()], read_at)
            watermarks.count_page(
                cur, self.poll_id, filter_="", pages=0, rows=0, changed=len(detected.entries), unchanged=0, skipped=0
            )
            gone = leaving.leave(cur, self.flow, sorted(set(keys) - set(found)), why=LEFT, actor=self.actor)
        self.counts["changed"] += len(detected.entries)
        self._tell(detected, gone)

    def _detected(self, cur: Cur, seen: Sequence[Seen], read_at: datetime) -> Detected:
        return detecting.record_seen(
            cur,
            self.flow,
            seen,
            read_at=read_at,
            actor=self.actor,
            poll_id=self.poll_id,
            sweep=self.poll_id if self.sweep else 0,
            carried=True,
        )

    def _record(self, batch: Batch, read_at: datetime) -> None:
        seen = [self.lens.seen(document) for document in batch.documents]
        seen += [self.lens.left_out(key, values) for key, values in batch.skipped]
        with self.ledger.transaction() as cur:
            found = self._detected(cur, seen, read_at)
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
        self._tell(found)

    def _tell(self, found: Detected, gone: Sequence[tuple[int, str]] = ()) -> None:
        """Hand over what is new, and take away the dead letters of what is held no more."""
        hand_over(self.client, self.ledger, found.messages)
        try:
            for entry, stage in (*found.unheld, *gone):
                dead_letters.remove_entries(self.client, queue_of(stage, self.flow), [entry])  # type: ignore[arg-type]
        except redis.RedisError as error:
            log.warning("dead letters not removed; the sweep will", reason=str(error))

    def _end_sweep(self, population: int) -> None:
        """Report what the sweep did not meet, unless it met suspiciously little."""
        if self.stream.flow.passing:
            self._part(population)
            return
        self.remark = near_empty(self.counts["rows"], population, self.stream.reading.suspect)
        if self.remark:
            self.braked = True
            log.error("sweep stopped", stream=self.stream.name, reason=self.remark)
            return
        with self.ledger.transaction() as cur:
            gone = watermarks.vanished(cur, self.flow, self.poll_id, self.stream.reading.scope)
            watermarks.advance(cur, self.mark, swept=True)
        if gone:
            where = self.stream.reading.where
            self.remark = f"{len(gone)} records are not in {where} any more: {', '.join(gone[:NAMED_MAX])}"
            log.warning("records vanished", stream=self.stream.name, count=len(gone), keys=gone[:NAMED_MAX])

    def _part(self, population: int) -> None:
        """Close what is open of records that have left, as they do: that is no loss."""
        scope, suspect = self.stream.reading.scope, self.stream.reading.suspect
        with self.ledger.transaction() as cur:
            gone = watermarks.vanished(cur, self.flow, self.poll_id, scope)
            left = {*gone, *leaving.left_open(cur, self.flow)}
            unheld = leaving.leave(cur, self.flow, sorted(left), why=LEFT, actor=self.actor)
            watermarks.advance(cur, self.mark, swept=True)
        if gone:
            log.info("records have left", stream=self.stream.name, count=len(gone), held_before=len(unheld))
        if near_empty(population - len(gone), population, suspect):
            self.remark = (
                f"{len(gone)} of {population} records have left at once: they were posted, or the connector's user has "
                "lost companies in IFS."
            )
        self._tell(Detected(), unheld)

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

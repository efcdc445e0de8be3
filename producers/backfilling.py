"""Brings in documents of a span of business dates: read page by page, recorded, kept back, let go as calls allow."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from uuid import uuid4

import msgspec
import redis
import structlog

from shared.assembly import Assembly
from shared.errors import ConnectorError
from shared.flows import Flow, queue_of
from shared.ifs.odata import both
from shared.ifs.spans import Span, asked_for
from shared.ledger import backfills, detecting, watermarks
from shared.ledger.backfills import Backfill
from shared.ledger.connection import Cur, Ledger
from shared.ledger.watermarks import Watermark
from shared.origins import FromIfs
from shared.pulled import Batch
from shared.queues import dead_letters
from shared.queues.handing_over import hand_over

log = structlog.get_logger()

LANE: Final = "backfill"
#: Entries on their way at once, however few calls there are: fewer than a writer has threads, so that live work always
#: finds one free.
FEW: Final = 4
#: Entries that may rest after a failure before no more are let go: a target that is away needs no more of them.
RESTING_MAX: Final = 200
#: Seconds of work that may be on its way where it goes faster: what live work has to wait at most.
AHEAD_S: Final = 1.0
#: Seconds to wait for another command that reads the same flow, and between looks.
LEAD_WAITED_S: Final = 90.0
LOOK_EVERY_S: Final = 0.5


class Reader:
    """Reads one span of one flow into the ledger; killed at any moment, it goes on where its row says.

    Args:
        tell: gets the documents read so far.
    """

    def __init__(self, parts: Assembly, flow: Flow, span: Span, tell: Callable[[int], None]) -> None:
        self.parts = parts
        self.ledger: Ledger = parts.ledger
        self.flow = flow
        self.span = span
        self.tell = tell
        self.stream = parts.settings.ifs.stream(flow.name)
        self.lens = parts.ifs_lens(flow)
        self.holder = f"{parts.actor} {uuid4()}"

    def run(self) -> Backfill:
        """Read to the end; return what was counted, that of earlier attempts included.

        Raises:
            ConnectorError: IFS cannot be read, or somebody else is reading this flow; what was recorded stays.
        """
        mark = self._lead()
        try:
            with self.ledger.transaction() as cur:
                watermarks.still_leads(cur, mark)
                begun = backfills.resume(cur, self.flow.name, self.span.first, self.span.last, actor=self.parts.actor)
                poll = self._begin_poll(cur, mark, begun)
            try:
                self._read(begun, mark, poll)
            except ConnectorError as error:
                with self.ledger.transaction() as cur:
                    watermarks.end_poll(cur, poll, outcome="failed", strategy=LANE, error=str(error))
                raise
            with self.ledger.transaction() as cur:
                watermarks.still_leads(cur, mark)
                backfills.end_reading(cur, begun.id)
                watermarks.end_poll(cur, poll, outcome="done", strategy=LANE)
                return backfills.of_number(cur, begun.id)
        finally:
            with self.ledger.transaction() as cur:
                watermarks.let_go(cur, mark)

    def _lead(self) -> Watermark:
        name = f"backfill/{self.flow.name}"
        until = time.monotonic() + LEAD_WAITED_S
        while True:
            with self.ledger.transaction() as cur:
                mark = watermarks.lead(cur, name, self.holder, self.parts.settings.policy.lease_s)
            if mark is not None:
                return mark
            if time.monotonic() > until:
                raise ConnectorError(f"Another command has been reading {self.flow.name} for a backfill: wait for it.")
            time.sleep(LOOK_EVERY_S)

    def _begin_poll(self, cur: Cur, mark: Watermark, begun: Backfill) -> int:
        """Open the audit row of this reading; one that was killed is closed as abandoned."""
        cur.execute(
            """
            update poll set outcome = 'abandoned', finished_at = now()
            where flow = %s and strategy = 'backfill' and outcome = 'running'
            """,
            (self.flow.name,),
        )
        row = cur.execute(
            """
            insert into poll (flow, source, strategy, watermark_from, generation) values (%s, %s, 'backfill', %s, %s)
            returning id
            """,
            (self.flow.name, self.lens.bound.header.title, begun.position, mark.generation),
        ).fetchone()
        assert row is not None  # noqa: S101 - an insert returns its row
        return int(row[0])

    def _read(self, begun: Backfill, mark: Watermark, poll: int) -> None:
        batches = self.batches(begun.position)
        rows = begun.rows
        while True:
            with self.ledger.transaction() as cur:
                watermarks.still_leads(cur, mark)
                read_at = detecting.database_now(cur)
            batch = next(batches, None)
            if batch is None:
                return
            self._record(batch, begun, mark, poll, read_at)
            rows += batch.rows
            self.tell(rows)

    def batches(self, position: str | None = None) -> Iterator[Batch]:
        """Yield the documents of the span, page by page from `position` on, and what is left alone by its state."""
        asked = asked_for(self.parts.ifs, self.lens.bound, self.span, lane=LANE) if self.flow.document else ""
        return FromIfs(self.flow).changed(
            self.parts,
            msgspec.structs.replace(self.stream, strategy="sweep", filter=both(self.stream.filter, asked)),
            watermark=position,
            admit=lambda row: not self.lens.skip(row.values),
            known=lambda _: set(),
            lane=LANE,
        )

    def _record(self, batch: Batch, begun: Backfill, mark: Watermark, poll: int, read_at: datetime) -> None:
        """Record a page: entries, kept back, and how far it has come, in one transaction."""
        seen = [self.lens.seen(document) for document in batch.documents]
        seen += [self.lens.left_out(key, values) for key, values in batch.skipped]
        with self.ledger.transaction() as cur:
            watermarks.still_leads(cur, mark)
            found = detecting.record_seen(
                cur,
                self.flow.name,
                seen,
                read_at=read_at,
                actor=self.parts.actor,
                poll_id=poll,
                lane=LANE,
                why=f"brought in by backfill {begun.id}",
            )
            backfills.keep_back(cur, begun.id, found.entries)
            unchanged = max(0, batch.rows - len(found.entries) - found.skipped)
            backfills.count_page(
                cur,
                begun.id,
                position=batch.reached,
                rows=batch.rows,
                taken=len(found.entries),
                unchanged=unchanged,
                left_out=found.skipped,
            )
            watermarks.count_page(
                cur,
                poll,
                filter_=batch.filter,
                pages=1,
                rows=batch.rows,
                changed=len(found.entries),
                unchanged=unchanged,
                skipped=found.skipped,
            )
        try:
            for entry, stage in found.unheld:
                dead_letters.remove_entries(self.parts.redis, queue_of(stage, self.flow.name), [entry])  # type: ignore[arg-type]
        except redis.RedisError as error:
            log.warning("dead letters not removed; the sweep will", reason=str(error))


class Feeder:
    """Lets entries of backfills go as fast as they are worked off, and never so many that live work stands behind them.

    Any number may feed. Where they do not know of each other, each sees what the others have let go as being under way.
    """

    def __init__(self, ledger: Ledger, client: redis.Redis) -> None:
        self.ledger = ledger
        self.client = client
        self._before: tuple[float, int] | None = None

    def feed(self) -> int:
        """Let go what may go now; return how many."""
        with self.ledger.transaction() as cur:
            if not backfills.kept_back(cur):
                self._before = None
                return 0
            under_way, resting = backfills.on_its_way(cur)
        room = window(self._rate(under_way)) - under_way if resting < RESTING_MAX else 0
        fed = 0
        if room > 0:
            with self.ledger.transaction() as cur:
                messages = backfills.let_go(cur, room)
            hand_over(self.client, self.ledger, messages)
            fed = sum(len(message.entries) for message in messages)
        self._before = (time.monotonic(), under_way + fed)
        return fed

    def _rate(self, under_way: int) -> float:
        """Return how many have ended per second since the last look."""
        if self._before is None:
            return 0.0
        at, were = self._before
        return max(0, were - under_way) / max(0.05, time.monotonic() - at)


def window(rate: float) -> int:
    """Return how many entries may be on their way where so many end per second. Pure."""
    return max(FEW, int(rate * AHEAD_S))

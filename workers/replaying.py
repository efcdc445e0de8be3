"""Sends held entries through again: when a person says so, or when what held them is seen to be gone."""

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import redis
import structlog

from shared.errors import ConnectorError
from shared.flows import FLOWS, queue_of
from shared.ledger import causes, entries
from shared.ledger.causes import Cause
from shared.ledger.connection import Cur, Ledger
from shared.ledger.messages import Message
from shared.queues import dead_letters
from shared.queues.handing_over import hand_over

log = structlog.get_logger()
T = TypeVar("T")

#: Seconds between looks at the revision of the rules.
LOOK_EVERY_S: Final = 0.5
#: Seconds between looks at what open causes ask of both sides. Each part of it is read once a minute at most: with as
#: long a pause here, what another process has read in between would be read again after two.
REFRESH_EVERY_S: Final = 5.0
#: Seconds between looks at all causes, and after a refresh that failed.
LOOK_AROUND_EVERY_S: Final = 20.0


def replay(ledger: Ledger, client: redis.Redis, ids: Sequence[int], *, actor: str, why: str) -> list[int]:
    """Send held entries again, in dependency order of their flows and oldest first; return those that went.

    The message goes out after the ledger's commit; the dead letters are taken away last.
    """
    with ledger.transaction() as cur:
        rows = cur.execute(
            "select id, flow, stage from entry where id = any(%s) and state = 'held' order by id", (list(ids),)
        ).fetchall()
        messages: list[Message] = []
        for flow in FLOWS:
            mine = [int(row[0]) for row in rows if row[1] == flow.name]
            messages += entries.send_again(cur, flow.name, mine, actor=actor, why=why)
    sent = {entry for message in messages for entry in message.entries}
    hand_over(client, ledger, messages)
    try:
        for flow in FLOWS:
            for stage in ("map", "write"):
                gone = [int(row[0]) for row in rows if row[1] == flow.name and row[2] == stage and row[0] in sent]
                dead_letters.remove_entries(client, queue_of(stage, flow.name), gone)
    except redis.RedisError as error:
        log.warning("dead letters not removed; the sweep will", reason=str(error))
    return sorted(sent)


def waiting_in(cur: Cur, stage: str, flow: str) -> list[int]:
    """Return what rests in one dead-letter queue, oldest first."""
    rows = cur.execute(
        "select id from entry where state = 'held' and stage = %s and flow = %s order by id", (stage, flow)
    ).fetchall()
    return [int(row[0]) for row in rows]


def ready(cur: Cur) -> list[int]:
    """Return held entries that nothing holds any more."""
    return [int(row[0]) for row in cur.execute("select id from entry where state = 'held' and ready order by id")]


class Releaser:
    """Looks whether causes are gone and releases exactly the entries they held.

    Args:
        still_there: says of a cause, by mapping one of its entries with today's rules, whether it still holds it.
        refresh: reads again, at most once a minute, what the open causes ask of Cin7.
        revision: of the mapping tables and reference data; a new one is worth a look at once.
    """

    def __init__(
        self,
        ledger: Ledger,
        client: redis.Redis,
        actor: str,
        *,
        auto_replay: bool,
        still_there: Callable[[Cause, int], bool],
        refresh: Callable[[Sequence[Cause]], None],
        revision: Callable[[], int],
    ) -> None:
        self.ledger = ledger
        self.client = client
        self.actor = actor
        self.auto_replay = auto_replay
        self.still_there = still_there
        self.refresh = refresh
        self.revision = revision

    def run(self, stopping: Callable[[], bool]) -> None:
        """Release until told to stop. What fails is tried again in its time; the rest goes on."""
        seen, next_look, next_refresh = -1, 0.0, 0.0
        while not stopping():
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK_AROUND_EVERY_S
                # Whatever the revision: a hold that was decided by older rules may be younger than the last look.
                self._attempt(self.release)
            if time.monotonic() >= next_refresh:
                fine = self._attempt(self._refresh)
                next_refresh = time.monotonic() + (REFRESH_EVERY_S if fine else LOOK_AROUND_EVERY_S)
            seen = self._attempt(lambda seen=seen: self._turn(seen)) or seen  # type: ignore[misc]
            time.sleep(LOOK_EVERY_S)

    def _attempt(self, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except (ConnectorError, redis.RedisError) as error:
            log.warning("release put off", reason=str(error))
            time.sleep(1)
            return None

    def _refresh(self) -> bool:
        with self.ledger.transaction() as cur:
            waiting = causes.open_causes(cur)
        self.refresh(waiting)
        return True

    def _turn(self, seen: int) -> int:
        self.release_linked()
        revision = self.revision()
        if revision != seen:
            self.release()
        if self.auto_replay:
            self.send_ready()
        return revision

    def release(self) -> list[int]:
        """Close every cause that is gone; return the entries that nothing holds any more."""
        with self.ledger.transaction() as cur:
            waiting = [(cause, causes.witnesses(cur, cause.id)) for cause in causes.open_causes(cur)]
        gone = [
            cause.id
            for cause, found in waiting
            if cause.code != "dependency.missing" and found and not self.still_there(cause, found[0])
        ]
        with self.ledger.transaction() as cur:
            free = causes.clear(cur, gone)
        if gone:
            log.info("causes are gone", causes=len(gone), entries_ready=len(free))
        return free

    def release_linked(self) -> list[int]:
        """Close the causes of entries that lacked a record which is linked now."""
        with self.ledger.transaction() as cur:
            rows = cur.execute(
                """
                select distinct c.id from cause c join finding f on f.cause_id = c.id and f.open
                join link l on l.flow = split_part(f.field, '@', 1) and l.ifs_key = c.value
                  and l.cin7_account = split_part(f.field, '@', 2)
                where c.status <> 'cleared' and c.code = 'dependency.missing'
                """
            ).fetchall()
            return causes.clear(cur, [int(row[0]) for row in rows])

    def send_ready(self) -> list[int]:
        """Replay what is ready."""
        with self.ledger.transaction() as cur:
            ids = ready(cur)
        if not ids:
            return []
        return replay(self.ledger, self.client, ids, actor=self.actor, why="what held it is gone")

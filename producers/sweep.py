"""The outbox sweep: sends again what the ledger holds and no worker picked up, and keeps the ledger in order.

Redis may be flushed at any moment: everything that was on its way is sent again from here, and the dead-letter queues
are rebuilt from what the ledger holds.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Final

import redis
import structlog

from producers.backfilling import Feeder
from shared.errors import Retryable
from shared.findings import Finding
from shared.flows import FLOWS, STAGES, queue_of
from shared.ledger import causes, seals, sweeping
from shared.ledger.connection import Cur, Ledger
from shared.ledger.messages import Message
from shared.process import run
from shared.queues import dead_letters
from shared.queues.handing_over import hand_over, in_redis

log = structlog.get_logger()

#: Seconds between looks for entries whose rest is over, and between looks for everything else.
RETRY_EVERY_S: Final = 0.5
SWEEP_EVERY_S: Final = 5.0
HOUSEKEEPING_EVERY_S: Final = 3_600.0


class Sweeper:
    """Any number may run: rows that one has taken, the others pass over."""

    def __init__(self, ledger: Ledger, client: redis.Redis, actor: str, wait_limit_s: float) -> None:
        self.ledger = ledger
        self.client = client
        self.actor = actor
        self.wait_limit_s = wait_limit_s
        self.feeder = Feeder(ledger, client)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Sweep until told to stop. A server that is away is waited for."""
        next_sweep = next_housekeeping = 0.0
        while not stopping():
            try:
                self.send_due()
                self.feeder.feed()
                if time.monotonic() >= next_sweep:
                    self.sweep()
                    next_sweep = time.monotonic() + SWEEP_EVERY_S
                if time.monotonic() >= next_housekeeping:
                    self.keep_house()
                    next_housekeeping = time.monotonic() + HOUSEKEEPING_EVERY_S
            except (Retryable, redis.RedisError) as error:
                log.warning("sweep put off", reason=str(error))
                time.sleep(1)
            time.sleep(RETRY_EVERY_S)

    def send_due(self) -> int:
        """Send what has rested long enough; return how many messages."""
        return self._send(sweeping.due_retries)

    def sweep(self) -> int:
        """Look at everything once; return how many messages were sent again."""
        sent = self.send_lost()
        self._hold_overdue()
        with self.ledger.transaction() as cur:
            sweeping.close_overtaken(cur, self.actor)
        self.rebuild_dead_letters()
        with self.ledger.transaction() as cur:
            seals.seal(cur)
        with self.ledger.transaction() as cur:
            causes.close_idle(cur)
        return sent

    def send_lost(self) -> int:
        """Send again every moving entry whose message Redis does not hold any more."""
        sent = after = 0
        while True:
            with self.ledger.transaction() as cur:
                page = sweeping.stuck(cur, after)
            if not page:
                return sent
            after = page[-1].id
            on_its_way = [stuck for stuck in page if stuck.message_id and not stuck.message_ended]
            waiting = sorted({(stuck.queue, str(stuck.message_id)) for stuck in on_its_way})
            there = dict(zip(waiting, in_redis(self.client, waiting), strict=True)) if waiting else {}
            lost = [stuck for stuck in page if not there.get((stuck.queue, str(stuck.message_id)), False)]
            if lost:
                log.info("sending again what was lost", entries=len(lost))
                sent += self._send(lambda cur, lost=lost: sweeping.send_stuck(cur, lost))  # type: ignore[misc]

    def _send(self, find: Callable[[Cur], list[Message]]) -> int:
        with self.ledger.transaction() as cur:
            messages = find(cur)
        hand_over(self.client, self.ledger, messages)
        return len(messages)

    def _hold_overdue(self) -> None:
        with self.ledger.transaction() as cur:
            held = sweeping.waited_too_long(cur, self.wait_limit_s, actor=self.actor, finding=overdue_finding)
        for entry, flow in held:
            dead_letters.rest(self.client, queue_of("write", flow), [(entry, time.time())])

    def rebuild_dead_letters(self) -> None:
        """Make the dead-letter queues show exactly what the ledger holds."""
        queues = [(flow.name, stage, queue_of(stage, flow.name)) for flow in FLOWS for stage in STAGES]
        # Letters first, ledger second: a letter is laid after its hold is committed, so none seen here is too young.
        resting = {queue: dead_letters.resting(self.client, queue) for _, _, queue in queues}
        with self.ledger.transaction() as cur:
            held = sweeping.held(cur)
        for flow, stage, queue in queues:
            wanted = {str(dead_letters.letter_id(entry)): (entry, at) for entry, at in held.get((flow, stage), [])}
            dead_letters.remove(self.client, queue, [letter for letter in resting[queue] if letter not in wanted])
            if missing := [pair for letter, pair in wanted.items() if letter not in resting[queue]]:
                dead_letters.rest(self.client, queue, missing)

    def keep_house(self) -> None:
        """Make room for the months to come."""
        with self.ledger.transaction() as cur:
            cur.execute("select ensure_partitions(%s, 3)", (date.today(),))  # noqa: DTZ011 - any day of this month


def overdue_finding(waits_on: str, company: str) -> Finding:
    """Say which record an entry has waited for in vain."""
    flow, _, rest = waits_on.partition("/")
    key, _, account = rest.rpartition("@")
    return Finding(
        code="dependency.missing",
        field=f"{flow}@{account}",
        value=key,
        company=company,
        message=f"It has waited too long for {flow} {key} in Cin7 account {account}.",
        remedy=f"See `connector ledger show {flow} {key}` for what keeps it; this goes on by itself after it.",
    )


if __name__ == "__main__":
    sys.exit(
        run(
            "sweeper",
            lambda parts, stopping: Sweeper(
                parts.ledger, parts.redis, parts.actor, parts.settings.policy.wait_limit_s
            ).run(stopping),
            os.environ,
        )
    )

"""A poller frozen past its lease while another takes over: what it still wanted to record is refused."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import build_plain_world
from shared.errors import Retryable
from shared.ledger.connection import Ledger, may_stand_still
from tests.acceptance.checks import assert_sound
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

ORDERS = 200


@pytest.fixture
def stage(own_folder: Path, ready_url: str, redis_url: str) -> Iterator[Stage]:
    with staged(
        own_folder,
        ready_url,
        redis_url,
        build_plain_world(20, ORDERS),
        set_up=False,
        cin7={"calls_per_minute": 100_000, "read_timeout_s": 1},
        ifs={"requests_per_minute": 100_000, "page_size": 25},
        streams={flow: {"every_s": 1} for flow in ("suppliers", "purchase_orders")},
        policy={"lease_s": 3},
    ) as built:
        yield built


def orders_seen(stage: Stage) -> int:
    return int(stage.rows("select count(*) from entry where flow = 'purchase_orders'")[0][0])


def watermark(stage: Stage) -> str:
    return str(stage.rows("select position from watermark where stream = 'purchase_orders'")[0][0])


def outcomes(stage: Stage) -> list[str]:
    rows = stage.rows("select outcome from poll where flow = 'purchase_orders' order by id")
    return [str(row[0]) for row in rows]


def test_a_poller_that_wakes_up_after_its_lease_records_nothing_more(stage: Stage) -> None:
    stage.ifs.control("latency", {"ms": 300})
    (sleeper,) = stage.start("poller")
    until(lambda: 0 < orders_seen(stage) < ORDERS, every_s=0.02)
    os.kill(sleeper.pid, signal.SIGSTOP)
    before = orders_seen(stage)
    assert before < ORDERS
    stage.start("poller")
    until(lambda: "done" in outcomes(stage), 90)
    assert orders_seen(stage) == ORDERS
    reached = watermark(stage)
    stage.ifs.control("latency", {"ms": 0})
    os.kill(sleeper.pid, signal.SIGCONT)
    until(lambda: "lost" in outcomes(stage))
    lost = stage.rows("select changed, watermark_to from poll where outcome = 'lost' and flow = 'purchase_orders'")
    assert [row[0] for row in lost] == [before]
    assert watermark(stage) >= reached
    versions = stage.rows("select count(*), max(version) from entry where flow = 'purchase_orders'")
    assert versions == [(ORDERS, 1)]
    assert sleeper.poll() is None
    stage.start("sweeper", "mapper", "writer")
    stage.wait()
    assert_sound(stage)


def test_a_process_frozen_within_a_transaction_loses_its_locks(ready_url: str) -> None:
    frozen, other = Ledger(ready_url), Ledger(ready_url)
    with frozen.transaction() as cur:
        assert cur.execute("show idle_in_transaction_session_timeout").fetchone() == ("1min",)

    def freeze() -> None:
        with frozen.transaction() as cur:
            may_stand_still(cur, 1)
            cur.execute("insert into lease (name) values ('purchase_orders')")
            time.sleep(1.5)
            with other.transaction() as theirs:
                theirs.execute("set local lock_timeout = '2s'")
                theirs.execute("insert into lease (name, holder) values ('purchase_orders', 'other')")
            cur.execute("select 1")

    with pytest.raises(Retryable):
        freeze()
    assert frozen.rows("select holder from lease") == [("other",)]
    for ledger in (frozen, other):
        ledger.close()

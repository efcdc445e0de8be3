"""Redis emptied and killed, PostgreSQL killed, and writers killed, all while records flow."""

import os
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from sandbox.world import build_plain_world
from shared.embedded import EmbeddedPostgres, EmbeddedRedis
from tests.acceptance.checks import assert_sound
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

SUPPLIERS, ORDERS = 60, 200
#: The parts of orders whose lines name what Cin7 lacks: they are held, and their dead letters are lost and laid again.
HELD = 5


@pytest.fixture
def servers(own_folder: Path) -> Iterator[tuple[EmbeddedPostgres, EmbeddedRedis]]:
    with (
        EmbeddedPostgres(own_folder / "postgres", fsync=False) as postgres,
        EmbeddedRedis(own_folder / "redis") as server,
    ):
        yield postgres, server


@pytest.fixture
def stage(own_folder: Path, servers: tuple[EmbeddedPostgres, EmbeddedRedis]) -> Iterator[Stage]:
    postgres, server = servers
    world = build_plain_world(SUPPLIERS, ORDERS)
    for line in world.rows("PurchaseOrderLineSet"):
        if line["OrderNo"] in held_numbers() and line["PartNo"]:
            line["PartNo"] = "GHOST-1"
    with staged(
        own_folder,
        postgres.url,
        server.url,
        world,
        cin7={"calls_per_minute": 100_000, "settle_s": 0.3, "read_timeout_s": 2},
        ifs={"requests_per_minute": 100_000, "page_size": 50},
        streams={flow: {"every_s": 1} for flow in ("suppliers", "purchase_orders")},
        policy={"lease_s": 6},
    ) as built:
        built.cin7.control("latency", {"ms": 30})
        yield built


def held_numbers() -> list[str]:
    return [str(1_000_000 + number) for number in range(HELD)]


def written(stage: Stage) -> int:
    return int(stage.rows("select count(*) from entry where state = 'written'")[0][0])


def change_everything(stage: Stage) -> None:
    """Give every order another quantity, so that there is work while the servers go."""
    numbers = {row["OrderNo"] for row in stage.ifs_rows("PurchaseOrderSet")}
    stage.ifs.control("rows", [
        {"set": "PurchaseOrderLineSet", "patch": [
            {"OrderNo": number, "LineNo": "1", "ReleaseNo": "1", "BuyQtyDue": Decimal(33)} for number in numbers
        ]},
    ])  # fmt: skip


def settle(stage: Stage) -> None:
    stage.wait(120)
    assert_sound(stage, held={f"purchase_orders/{number}" for number in held_numbers()})


def test_a_redis_that_forgets_everything_loses_nothing(
    stage: Stage, servers: tuple[EmbeddedPostgres, EmbeddedRedis]
) -> None:
    _, server = servers
    stage.start_all(writers=2)
    with redis.Redis.from_url(server.url) as client:
        for least in (20, 60, 100):
            until(lambda least=least: written(stage) >= least, every_s=0.05)  # type: ignore[misc]
            client.flushall()
    until(lambda: written(stage) >= 130, every_s=0.05)
    server.kill()
    time.sleep(1)
    server.start()
    settle(stage)


def test_a_killed_postgresql_and_killed_writers_lose_nothing(
    stage: Stage, servers: tuple[EmbeddedPostgres, EmbeddedRedis]
) -> None:
    postgres, _ = servers
    stage.start_all(writers=2)
    until(lambda: written(stage) >= 40, every_s=0.05)
    postgres.kill()
    time.sleep(1)
    postgres.start()
    writers = [process for name, process in stage.running if name == "writer"]
    for least, writer in zip((90, 130), writers, strict=True):
        until(lambda least=least: written(stage) >= least, every_s=0.05)  # type: ignore[misc]
        os.kill(writer.pid, signal.SIGKILL)
        stage.start("writer")
    until(lambda: written(stage) >= 170, every_s=0.05)
    change_everything(stage)
    until(lambda: written(stage) >= 320, every_s=0.05)
    postgres.kill()
    time.sleep(1)
    postgres.start()
    settle(stage)
    alive = [name for name, process in stage.running if process.poll() is None]
    assert sorted(alive) == ["mapper", "poller", "replayer", "sweeper", "writer", "writer"]

"""An edit in Cin7 reaches IFS through webhooks alone, whatever dies; Cin7 calls again while something is away."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from sandbox.world import build_plain_world
from shared.embedded import EmbeddedPostgres, EmbeddedRedis
from shared.embedded.children import free_port
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

SUPPLIERS = 5
#: Seconds that a minute of Cin7's schedule takes.
MINUTE_S = 0.15
NEVER_S = 36_000


class Hooked:
    """An installation that polls Cin7 once and then knows only what webhooks tell."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.port = free_port()
        stage.environment["CONNECTOR_HOOKS_BIND"] = f"127.0.0.1:{self.port}"
        stage.connector("credentials", "set", "hooks", stdin='{"secret": "correct-horse-battery"}')
        stage.start_all()
        stage.start("hooks")
        until(lambda: self.written() >= SUPPLIERS, 120)
        stage.connector("poll", "cin7_suppliers")
        stage.wait()
        state: dict[str, Any] = stage.cin7.control("state")["accounts"][0]
        self.account = str(state["account_id"])
        self.ids = sorted(str(row["ID"]) for row in state["suppliers"])
        stage.cin7.control("switches", {"account": self.account, "switches": {"webhook_minute_s": MINUTE_S}})
        stage.connector("hooks", "register", "--account", "main", "--url", f"http://127.0.0.1:{self.port}")

    def written(self) -> int:
        return int(self.stage.rows("select count(*) from entry where flow = 'suppliers' and state = 'written'")[0][0])

    def rename(self, number: int, name: str) -> None:
        row = {"ID": self.ids[number], "Name": name}
        self.stage.cin7.control("suppliers", {"account": self.account, "supplier": row})

    def arrives(self, name: str, within_s: float = 60) -> None:
        until(lambda: name in {row["Name"] for row in self.stage.ifs_rows("SupplierInfoGeneralSet")}, within_s)

    def failed_attempts(self) -> int:
        deliveries = self.stage.cin7.control(f"deliveries?account={self.account}")["deliveries"]
        return sum(1 for one in deliveries for attempt in one["attempts"] if attempt.get("status") != 200)

    def hooks(self) -> Any:  # noqa: ANN401 - a process
        return next(process for name, process in self.stage.running if name == "hooks" and process.poll() is None)


@pytest.fixture
def servers(own_folder: Path) -> Iterator[tuple[EmbeddedPostgres, EmbeddedRedis]]:
    with (
        EmbeddedPostgres(own_folder / "postgres", fsync=False) as postgres,
        EmbeddedRedis(own_folder / "redis") as server,
    ):
        yield postgres, server


TOML: dict[str, Any] = {
    "cin7": {"calls_per_minute": 100_000, "poll_suppliers_every_s": NEVER_S, "hint_rest_s": 0.2, "settle_s": 0.3},
    "ifs": {"requests_per_minute": 100_000},
    "streams": {"suppliers": {"every_s": 1}},
}


@pytest.fixture
def hooked(own_folder: Path, servers: tuple[EmbeddedPostgres, EmbeddedRedis]) -> Iterator[Hooked]:
    postgres, server = servers
    with staged(own_folder, postgres.url, server.url, build_plain_world(SUPPLIERS, 0), **TOML) as stage:
        yield Hooked(stage)


def test_an_edit_in_cin7_reaches_ifs_by_webhooks_whatever_dies_and_by_the_poll_once_they_are_off(
    hooked: Hooked, servers: tuple[EmbeddedPostgres, EmbeddedRedis]
) -> None:
    postgres, server = servers
    hooked.rename(0, "Told at once AB")
    hooked.arrives("Told at once AB")

    os.kill(hooked.hooks().pid, signal.SIGKILL)
    hooked.rename(1, "Told to nobody at first AB")
    until(lambda: hooked.failed_attempts() > 0)
    hooked.stage.start("hooks")
    hooked.arrives("Told to nobody at first AB")

    before = hooked.failed_attempts()
    postgres.kill()
    hooked.rename(2, "Told while the ledger was away AB")
    until(lambda: hooked.failed_attempts() > before)
    postgres.start()
    hooked.arrives("Told while the ledger was away AB", 90)

    server.kill()
    hooked.rename(3, "Told while Redis was away AB")
    time.sleep(2 * MINUTE_S)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    hooked.arrives("Told while Redis was away AB", 90)

    status = hooked.stage.ask("hooks", "status", "--account", "main")[0]
    assert (status["state"], status["waiting"]) == ("on", 0)
    hooked.stage.wait()
    assert hooked.stage.ask("holds") == []

    # For good: Cin7 switches the webhook off, which is told, and the poll finds what nobody told.
    hooked.stage.stop(only="hooks")
    before = hooked.failed_attempts()
    hooked.rename(4, "Told to nobody AB")
    until(lambda: hooked.failed_attempts() >= before + 6, 90)
    assert '"off"' in hooked.stage.connector("hooks", "status", "--account", "main", "--json", codes=(3,))
    assert any("webhook of main" in remark for remark in hooked.stage.ask("status")["remarks"])
    hooked.stage.connector("poll", "cin7_suppliers")
    hooked.arrives("Told to nobody AB")

"""The web process as monitoring meets it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import redis

from shared.embedded import EmbeddedPostgres
from shared.embedded.children import free_port
from shared.findings import Finding
from shared.ledger import backfills, entries, hints, reconciliations, webhooks
from shared.ledger.connection import Ledger
from shared.ledger.detecting import Seen, database_now, record_seen
from shared.ledger.reconciliations import Found, Scope

ROOT = Path(__file__).parents[2]
SETTINGS = """
[ifs]
base_url = "http://127.0.0.1:1"
realm = "acme1"
[cin7.main]
base_url = "http://127.0.0.1:1/ExternalApi/v2/"
"""
NINE = Finding(
    code="account.missing", field="AccountNo", value="9999", company="10", message="No account 9999.", remedy="Add it."
)


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text)
        return document


class Web:
    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        (folder / "connector.toml").write_text(SETTINGS)
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONNECTOR_CONFIG": str(folder / "connector.toml"),
            "CONNECTOR_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "CONNECTOR_CONSOLE_BIND": f"127.0.0.1:{self.port}",
            "CONNECTOR_LOG": "json",
        }

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "console.web"], env=self.environment, stderr=subprocess.PIPE, text=True
        )

    def get(self, path: str, method: str = "GET") -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path)
            answer = connection.getresponse()
            return Got(answer.status, dict(answer.headers), answer.read().decode())

    def figure(self, line: str) -> float:
        found = [text for text in self.get("/metrics").text.splitlines() if text.startswith(f"{line} ")]
        assert found, f"there is no figure {line}"
        return float(found[0].split()[-1])


def until(happened: Callable[[], object], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def served(folder: Path, database_url: str, redis_url: str) -> Iterator[Web]:
    web = Web(folder, database_url, redis_url)
    process = web.start()
    try:
        until(lambda: process.poll() is not None or _listens(web.port))
        assert process.poll() is None, process.communicate()[1]
        yield web
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "MDEyMzQ1" not in said


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def web(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Web]:
    with served(tmp_path, database_url, redis_url) as web:
        yield web


def test_it_is_ready_when_servers_and_schema_are_there(web: Web) -> None:
    got = web.get("/readyz")
    assert got.status == 200
    assert got.json["ready"] is True
    assert [check["name"] for check in got.json["checks"]] == ["postgres", "schema", "redis"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/nothing"])
def test_no_answer_is_kept_framed_or_guessed_at(web: Web, path: str) -> None:
    headers = {name.lower(): value for name, value in web.get(path).headers.items()}
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/static/", "/../connector.toml", "/metrics/x", "/%2e%2e/etc/passwd"])
def test_what_is_not_there_is_a_404_in_json(web: Web, path: str) -> None:
    got = web.get(path)
    assert (got.status, got.json) == (404, {"error": "Not Found"})


def test_nothing_can_be_sent_to_it(web: Web) -> None:
    got = web.get("/metrics", "POST")
    assert (got.status, got.json) == (405, {"error": "Method Not Allowed"})


def test_without_its_servers_it_lives_but_is_not_ready(tmp_path: Path) -> None:
    nowhere = "postgresql://connector:hunter2@127.0.0.1:1/x"
    with served(tmp_path, nowhere, "redis://:hunter2@127.0.0.1:1/0") as web:
        assert web.get("/healthz").status == 200
        got = web.get("/readyz")
        assert got.status == 503
        assert [check["ok"] for check in got.json["checks"]] == [False, False]
        assert "hunter2" not in got.text
        assert web.figure('connector_up{source="ledger"}') == 0
        assert web.figure('connector_up{source="redis"}') == 0


def test_a_schema_that_is_not_there_is_named_with_its_remedy(
    tmp_path: Path, postgres: EmbeddedPostgres, redis_url: str
) -> None:
    url = postgres.create_database("bare")
    with served(tmp_path, url, redis_url) as web:
        got = web.get("/readyz")
        assert got.status == 503
        assert "connector migrate" in got.json["checks"][1]["detail"]


def test_it_is_ready_again_once_a_lost_connection_is_made_anew(web: Web, database_url: str) -> None:
    assert web.get("/readyz").status == 200
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
    until(lambda: web.get("/readyz").status == 200)


def test_figures_tell_what_the_ledger_and_the_queues_hold(web: Web, database_url: str, redis_url: str) -> None:
    ledger = Ledger(database_url)
    with ledger.transaction() as cur:
        seen = [Seen(key=str(number), raw=b"{}", fingerprint=f"{number}") for number in range(3)]
        found = record_seen(cur, "purchase_orders", seen, read_at=database_now(cur), actor="test")
        entries.hold(cur, found.entries[0], "map", [NINE], actor="test")
        cur.execute(
            "insert into poll (flow, source, strategy, finished_at, outcome) "
            "values ('purchase_orders', 'x', 'modified', now(), 'done'), ('suppliers', 'x', 'sweep', now(), 'failed'), "
            "('suppliers', 'x', 'backfill', now(), 'done')"
        )
        # What a backfill keeps back is no sign that something is stuck.
        number = backfills.resume(cur, "purchase_orders", None, None, actor="test").id
        backfills.keep_back(cur, number, found.entries[1:2])
        scope = Scope(period="2026-03", flows=("purchase_orders",))
        difference = Found(
            flow="purchase_orders", key="1", step="ifs", document="order", company="10", cin7_account="main",
            kind="held", settled=False, substance=b"", body=b"{}",
        )  # fmt: skip
        run = reconciliations.begin(cur, scope, actor="test")
        reconciliations.record(cur, run, scope, [difference], actor="test", report=b"")
    ledger.close()
    with redis.Redis.from_url(redis_url) as client:
        client.rpush("dramatiq:map.purchase_orders", "one", "two")
        client.zadd("dramatiq:write.suppliers.XQ", {"three": 1})
    assert web.figure('connector_entries{flow="purchase_orders",state="detected"}') == 2
    assert web.figure('connector_entries{flow="purchase_orders",state="held"}') == 1
    assert web.figure('connector_entries{flow="suppliers",state="held"}') == 0
    assert web.figure('connector_open_causes{code="account.missing"}') == 1
    assert web.figure('connector_queue_messages{kind="ready",queue="map.purchase_orders"}') == 2
    assert web.figure('connector_queue_messages{kind="dead",queue="write.suppliers"}') == 1
    assert web.figure('connector_oldest_moving_seconds{flow="purchase_orders"}') > 0
    assert web.figure('connector_oldest_moving_seconds{flow="suppliers"}') == 0
    assert 0 <= web.figure('connector_seconds_since_pull{flow="purchase_orders"}') < 60
    assert 'connector_seconds_since_pull{flow="suppliers"}' not in web.get("/metrics").text
    assert web.figure('connector_budget_limit{key="ifs",target="ifs"}') == 600
    assert web.figure("connector_effects_unknown") == 0
    assert web.figure('connector_open_differences{kind="held",period="2026-03"}') == 1
    assert 0 <= web.figure('connector_seconds_since_reconciliation{period="2026-03"}') < 60
    assert web.figure('connector_up{source="ledger"}') == 1


def test_a_webhook_that_cin7_switched_off_is_told_and_leaves_it_ready(web: Web, database_url: str) -> None:
    assert [check["name"] for check in web.get("/readyz").json["checks"]] == ["postgres", "schema", "redis"]
    ledger = Ledger(database_url)
    with ledger.transaction() as cur:
        webhooks.keep(cur, "main", "Supplier/Updated", "id-1", "https://x.example", database_now(cur))
        hints.receive(cur, "main", hints.SUPPLIER, ["a", "b"])
    assert web.figure('connector_webhook_active{account="main"}') == 1
    assert web.figure('connector_hints_waiting{account="main"}') == 2
    assert web.figure('connector_hints_oldest_seconds{account="main"}') > 0
    with ledger.transaction() as cur:
        webhooks.seen(cur, webhooks.all_of(cur)[0], "off")
    ledger.close()
    got = web.get("/readyz")
    assert (got.status, got.json["ready"]) == (200, True)
    assert "connector hooks status" in got.json["checks"][-1]["detail"]
    assert web.figure('connector_webhook_active{account="main"}') == 0


def test_an_address_that_is_taken_is_exit_5_with_the_variable_to_change(web: Web) -> None:
    second = web.start()
    _, said = second.communicate(timeout=30)
    assert second.returncode == 5
    assert said.startswith("web: ")
    assert "CONNECTOR_CONSOLE_BIND" in said

"""The receiver of webhooks: who is let in, what is kept, and what it costs."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from console.hooks.receiver import BODY_MAX, REFUSED_PER_MINUTE
from console.web.admission import Pace
from tests.integration.hooks.receiving import BEARER, PATH, SECRET, A, Hooks, asgi, body

B = "118681b4-3f01-4375-af3e-7ea73a09bb27"


def bearing(text: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", text.encode("latin-1"))]


def test_a_supplier_that_was_named_is_a_hint_and_nothing_else_of_the_body_is_kept(hooks: Hooks) -> None:
    got = hooks.call(body(A.upper()))
    assert (got.status, got.json) == (200, {"taken": 1})
    assert hooks.hints() == {A}
    rows = hooks.ledger.rows("select to_jsonb(hint) from hint")
    assert "Acme" not in str(rows)
    assert hooks.hints("second") == set()


def test_many_calls_about_one_supplier_are_one_hint(hooks: Hooks) -> None:
    for _ in range(5):
        assert hooks.call(body(A)).status == 200
    assert hooks.waiting().waiting == 1
    assert hooks.call(body(A, B)).json == {"taken": 2}
    assert hooks.waiting().waiting == 2
    assert hooks.figure('connector_hook_calls_total{outcome="coalesced"}') == 4
    assert hooks.figure('connector_hook_calls_total{outcome="taken"}') == 2
    assert hooks.figure('connector_hints_waiting{account="main"}') == 2
    assert hooks.figure('connector_hints_oldest_seconds{account="main"}') >= 0


@pytest.mark.parametrize(
    "raw",
    [body(A, kind="Purchase/Updated"), b'[{"TaskID": "x"}]', b"{}", b"", b"{nonsense", b"\xff", body("x"), body()],
)
def test_whatever_else_a_body_holds_is_answered_200_and_ignored(hooks: Hooks, raw: bytes) -> None:
    got = hooks.call(raw)
    assert (got.status, got.json) == (200, {"taken": 0})
    assert hooks.ledger.rows("select 1 from hint") == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        bearing("Bearer"),
        bearing("Bearer wrong"),
        bearing(f"Basic {SECRET}"),
        bearing(SECRET),
        bearing(f"Bearer {SECRET}x"),
        bearing(f"Bearer {SECRET[:-1]}"),
        bearing("Bearer é"),
        [(b"x-authorization", BEARER[1])],
    ],
)
def test_without_the_secret_nothing_is_taken_nor_told(hooks: Hooks, headers: Sequence[Any]) -> None:
    for path in (PATH, "/hooks/cin7/nobody"):
        got = hooks.call(body(A), path=path, headers=headers)
        assert (got.status, got.headers["www-authenticate"]) == (401, "Bearer")
        assert SECRET not in got.body.decode()
    assert hooks.hints() == set()


def test_where_no_secret_is_stored_nobody_has_it(closed: Hooks) -> None:
    for headers in ([BEARER], bearing("Bearer "), bearing("Bearer"), []):
        assert closed.call(body(A), headers=headers).status == 401
    ready = closed.call(path="/readyz", method="GET")
    assert (ready.status, ready.json["checks"][-1]["name"]) == (503, "secret")
    assert "connector credentials set hooks" in ready.json["checks"][-1]["detail"]


def test_a_secret_stored_or_changed_later_counts_within_seconds(closed: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert closed.call(body(A)).status == 401
    monkeypatch.setattr("console.web.admission.SECRET_KEPT_S", 0.0)
    closed.store()
    assert closed.call(body(A)).status == 200
    closed.store("another-secret-of-ours")
    assert closed.call(body(A)).status == 401
    assert closed.call(body(A), headers=bearing("Bearer another-secret-of-ours")).status == 200
    assert closed.call(path="/readyz", method="GET").status == 200


@pytest.mark.parametrize(
    "path", ["/hooks/cin7/nobody", "/hooks/cin7/", "/hooks/cin7", "/hooks/cin7/main/x", "/hooks/cin7/..%2fmain", "/"]
)
def test_an_account_that_there_is_not_is_404(hooks: Hooks, path: str) -> None:
    assert hooks.call(body(A), path=path).status == 404
    assert hooks.ledger.rows("select 1 from hint") == []


def test_only_posts_are_taken(hooks: Hooks) -> None:
    assert [hooks.call(body(A), method=method).status for method in ("GET", "PUT", "DELETE")] == [405] * 3


def test_guessing_the_secret_is_slowed_down_and_cin7_is_not(hooks: Hooks) -> None:
    got = [hooks.call(b"{}", headers=bearing(f"Bearer guess-{number}")) for number in range(REFUSED_PER_MINUTE + 5)]
    assert [one.status for one in got] == [401] * REFUSED_PER_MINUTE + [429] * 5
    assert got[-1].headers["retry-after"] == "60"
    assert hooks.call(body(A)).status == 200


def test_too_many_calls_are_told_to_come_back(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "exceeded", lambda _: True)
    got = hooks.call(body(A))
    assert (got.status, got.headers["retry-after"], hooks.hints()) == (429, "60", set())
    assert hooks.figure('connector_hook_calls_total{outcome="refused"}') == 1


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(hooks: Hooks) -> None:
    padding = b" " * (BODY_MAX - len(body(A)))
    assert hooks.call(body(A), padding).json == {"taken": 1}
    assert hooks.call(body(A), padding, b" ").status == 413
    length = (b"content-length", str(BODY_MAX + 1).encode())
    assert hooks.call(b"", headers=[BEARER, length]).status == 413
    assert hooks.call(body(A), headers=[BEARER, (b"content-length", b"-1")]).status == 200


def test_a_body_that_does_not_come_is_not_waited_for_long(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.web.admission.BODY_S", 0.05)

    async def call() -> int:
        never = asyncio.Event()
        statuses: list[int] = []

        async def receive() -> Any:  # noqa: ANN401 - an ASGI message
            await never.wait()

        async def send(message: Any) -> None:  # noqa: ANN401
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [BEARER], "query_string": b""}
        await hooks.app(scope, receive, send)
        return statuses[0]

    assert hooks.loop.run_until_complete(call()) == 408


def test_a_client_that_leaves_in_the_middle_leaves_nothing(hooks: Hooks) -> None:
    async def call() -> int:
        sent: list[Any] = []
        messages = [{"type": "http.request", "body": body(A)[:20], "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> Any:  # noqa: ANN401 - an ASGI message
            return messages.pop(0)

        async def send(message: Any) -> None:  # noqa: ANN401
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [BEARER], "query_string": b""}
        await hooks.app(scope, receive, send)
        return int(sent[0]["status"])

    assert hooks.loop.run_until_complete(call()) == 400
    assert hooks.hints() == set()


def test_calls_at_the_same_time_about_the_same_suppliers_do_not_wait_for_each_other_for_ever(hooks: Hooks) -> None:
    async def all_at_once() -> list[int]:
        bodies = [body(A, B), body(B, A)] * 20
        got = await asyncio.gather(*(asgi(hooks.app, (one,), PATH, "POST", [BEARER]) for one in bodies))
        return [one.status for one in got]

    assert hooks.loop.run_until_complete(all_at_once()) == [200] * 40
    assert hooks.waiting().waiting == 2
    assert hooks.ledger.rows("select sum(calls) from hint")[0][0] == 80


def test_an_answer_comes_with_one_statement_of_the_ledger(hooks: Hooks) -> None:
    assert hooks.call(body(A)).status == 200
    before = hooks.ledger.rows("select pg_current_xact_id()::text::bigint")[0][0]
    began = time.perf_counter()
    for _ in range(20):
        assert hooks.call(body(A)).status == 200
    assert time.perf_counter() - began < 5
    after = hooks.ledger.rows("select pg_current_xact_id()::text::bigint")[0][0]
    # Each insert is one transaction by itself, and so is the second look; the server may have had some of its own.
    assert 21 <= after - before < 30


def test_while_the_ledger_is_away_the_answer_is_503_and_cin7_calls_again(redis_url: str) -> None:
    away = Hooks("postgresql://x@127.0.0.1:1/x", redis_url)
    try:
        got = away.call(body(A))
        assert (got.status, got.headers["retry-after"]) == (503, "60")
        assert away.figure('connector_hook_calls_total{outcome="failed"}') == 1
        assert away.figure('connector_up{source="ledger"}') == 0
        assert away.call(path="/healthz", method="GET").status == 200
        assert away.call(path="/readyz", method="GET").status == 503
    finally:
        away.close()


def test_a_ledger_that_is_slow_is_not_waited_for_for_ever(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hooks.call(body(A)).status == 200
    monkeypatch.setattr("console.hooks.receiver.PATIENCE_S", 0.2)
    with hooks.ledger.transaction() as cur:
        cur.execute("select 1 from hint where target = %s for update", (A,))
        assert hooks.call(body(A)).status == 503
    monkeypatch.undo()
    assert hooks.call(body(A)).status == 200


def test_redis_is_of_no_use_to_it(database_url: str) -> None:
    without = Hooks(database_url, "redis://127.0.0.1:1/0")
    try:
        without.store()
        assert without.call(body(A)).status == 200
        assert without.call(path="/readyz", method="GET").status == 200
    finally:
        without.close()

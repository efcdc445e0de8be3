"""Verdicts on vouchers: how many a second from their bytes, from poll to ledger, and how soon over HTTP."""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx

from benchmarks.bare.verdicts import is_good
from benchmarks.figures import Figure, figure, median, percentile, spread
from benchmarks.stage import ONE_PULL, Bench, bench, until
from sandbox.world import as_json, build_plain_world
from shared.assembly import Assembly, from_environment
from shared.config.settings import StreamSettings
from shared.embedded.children import free_port
from shared.flows import JOURNALS
from shared.ifs.grouping import document_of
from shared.origins import SOURCES
from shared.rows import read_row
from workers.mapping.actors import MAPPINGS, map_raw
from workers.mapping.results import JournalVerdict

ROWS: Final = 20
#: The stream of requests: one voucher each, at this pace, whatever the answers take.
PER_SECOND: Final = 50
SECONDS: Final = 20
#: Requests on their way at the same time, at most.
CONNECTIONS: Final = 8

Row = Mapping[str, Any]


def measure(vouchers: int = 1_000, repeats: int = 5) -> list[Figure]:
    """Judge the same vouchers in three ways, each as often as its noise asks for."""
    world = build_plain_world(0, 0, vouchers=vouchers, voucher_rows=ROWS)
    rows = world.rows("VoucherRowSet")
    with bench(world, ONE_PULL) as made:
        _read_charts(made)
        return [
            _from_bytes(_assembly(made), _raws(rows), repeats),
            *_from_poll(made, vouchers),
            *_over_http(made, rows),
        ]


def _assembly(made: Bench) -> Assembly:
    return from_environment({**os.environ, **made.stage.environment}, "bench")


def _read_charts(made: Bench) -> None:
    """Bring both systems' charts into the ledger, as the first verdict would."""
    made.stage.connector("accounts", "--company", "10", codes=(0, 3))
    made.stage.connector("credentials", "set", "hooks", stdin=json.dumps(made.stage.world.credentials["hooks"]))


def _raws(rows: Sequence[Row]) -> list[bytes]:
    """Return the vouchers as the ledger keeps them."""
    bound = SOURCES[JOURNALS].bound(StreamSettings())
    read = [read_row(as_json(row)) for row in rows]
    return [document_of(bound, read[place : place + ROWS]).raw for place in range(0, len(read), ROWS)]


def _from_bytes(parts: Assembly, raws: Sequence[bytes], repeats: int) -> Figure:
    rules = parts.rules.get()
    lens = parts.lens(JOURNALS)
    accounts = frozenset(rules.ifs_accounts["10"])

    def ours() -> None:
        for raw in raws:
            found = map_raw(raw, lens, MAPPINGS[JOURNALS], rules)
            assert isinstance(found, JournalVerdict), found
            assert found.ok
            assert found.dates_checked

    def bare() -> None:
        assert all(is_good(raw, accounts) for raw in raws)

    taken = [(_timed(ours), _timed(bare)) for _ in range(repeats)]
    mine, theirs = ([len(raws) / pair[place] for pair in taken] for place in (0, 1))
    parts.ledger.close()
    return figure(
        f"verdicts on vouchers of {ROWS} rows, from their bytes",
        median(mine),
        "vouchers/s",
        baseline=median(theirs),
        goal="1,000 a second",
        at_least=1_000,
        note=f"{len(raws):,} vouchers; {spread(mine)}; parsed, looked up and summed only: {spread(theirs)}",
    )


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _from_poll(made: Bench, vouchers: int) -> list[Figure]:
    made.fresh()
    before = made.ifs_calls()
    for name in ("mapper", "writer"):
        made.start(name)
    made.start("poller", "journals")
    until(lambda: made.written("journals") >= vouchers, 300)
    made.stop()
    seconds = made.one(
        """
        select extract(epoch from (select max(recorded_at) from event where becomes = 'written')
               - (select min(pulled_at) from poll where flow = 'journals'))::float
        """
    )
    read_s = made.one(
        "select extract(epoch from max(finished_at) - min(pulled_at))::float from poll where flow = 'journals'"
    )
    calls = made.ifs_calls() - before
    rows = vouchers * ROWS
    return [
        figure(
            f"verdicts on vouchers of {ROWS} rows, from poll to ledger",
            vouchers / float(seconds),
            "vouchers/s",
            baseline=vouchers / float(read_s),
            goal="reported beside reading and recording them alone",
            note=f"{vouchers:,} vouchers, one poller, mapper and writer; {calls} calls to IFS for {rows:,} rows",
        )
    ]


def _over_http(made: Bench, rows: Sequence[Row]) -> list[Figure]:
    """Send a steady stream of requests, as workflows of IFS would, and the same stream of health checks before it."""
    made.fresh()
    port = free_port()
    made.start("web", CONNECTOR_CONSOLE_BIND=f"127.0.0.1:{port}")
    secret = made.stage.world.credentials["hooks"]["secret"]
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    bodies = [_asked(rows[place : place + ROWS]) for place in range(0, len(rows), ROWS)]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False) as client:
        client.post("/api/journals/check", content=bodies[0]).raise_for_status()
        floor = _stream(lambda _: client.get("/healthz"))
        taken = _stream(lambda number: client.post("/api/journals/check", content=bodies[number % len(bodies)]))
    note = f"{len(taken):,} requests, {PER_SECOND} a second; {spread(taken)}"
    return [
        figure(
            f"POST /api/journals/check, {name}",
            percentile(taken, share),
            "ms",
            baseline=percentile(floor, share),
            lower_is_better=True,
            goal="under 250 ms; beside GET /healthz" if share == 0.99 else "reported beside GET /healthz",
            at_most=250 if share == 0.99 else None,
            note=note,
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _asked(rows: Sequence[Row]) -> bytes:
    head = {name: rows[0][name] for name in ("Company", "AccountingYear", "VoucherType", "VoucherNo", "VoucherDate")}
    return as_json({**head, "rows": list(rows)})


def _stream(send: Callable[[int], httpx.Response]) -> list[float]:
    """Return how many milliseconds each answer took from when its request was due: waiting in line counts."""
    begin = time.perf_counter() + 0.2
    taken: list[float] = []
    lock = threading.Lock()

    def one(number: int) -> None:
        due = begin + number / PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        answer = send(number)
        with lock:
            taken.append((time.perf_counter() - due) * 1000)
        assert answer.status_code == 200, answer.text

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(one, range(PER_SECOND * SECONDS)))
    return taken

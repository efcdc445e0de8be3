"""Webhooks: how long a call waits for its answer, a hint for its read, and an edit for its write in IFS."""

import http.client
import os
import time
from typing import Any, Final

from benchmarks.figures import Figure, figure, percentile, spread
from benchmarks.stage import UNLIMITED, Bench, Toml, bench, until
from sandbox.world import build_plain_world
from shared.embedded.children import free_port

SUPPLIERS: Final = 40
FLOW: Final = "cin7_suppliers"
#: No limit on calls or reads, and one poll of each stream a run.
ONLY_HINTS: Final[Toml] = {
    "cin7": {
        "calls_per_minute": UNLIMITED,
        "poll_suppliers_every_s": 3600,
        "hint_reads_per_minute": UNLIMITED,
        "hint_rest_s": 0,
    },
    "ifs": {"requests_per_minute": UNLIMITED},
    "streams": {"purchase_orders": {"every_s": 3600}, "suppliers": {"every_s": 3600}},
}


def measure(samples: int = 200) -> list[Figure]:
    """Edit so many suppliers in Cin7, one after the other, and let its webhooks tell of them at once."""
    with bench(build_plain_world(SUPPLIERS, 0), ONLY_HINTS) as made:
        account = _listening(made)
        answers = _answers(account, samples)
        followed = [_followed(made, account, number) for number in range(samples)]
    return [
        *_both("call of a webhook to its answer", answers, 100),
        *_both("hint to recorded read", [read for read, _ in followed], 1_000),
        *_both("edit in Cin7 to its write in IFS", [written for _, written in followed], 5_000),
    ]


def _both(name: str, samples: list[float], goal_ms: float) -> list[Figure]:
    return [
        figure(f"{name}, p50", percentile(samples, 0.5), "ms", note=spread(samples)),
        figure(
            f"{name}, p99",
            percentile(samples, 0.99),
            "ms",
            goal=f"under {goal_ms:g} ms",
            at_most=goal_ms,
        ),
    ]


class _Account:
    """The one account of the world, and the receiver that its webhook calls."""

    def __init__(self, identifier: str, port: int, secret: str, ids: list[str]) -> None:
        self.identifier = identifier
        self.port = port
        self.secret = secret
        self.ids = ids


def _listening(made: Bench) -> _Account:
    """Bring the suppliers to Cin7, start poller and receiver, and register the webhook."""
    port, secret = free_port(), os.urandom(16).hex()
    made.stage.connector("credentials", "set", "hooks", stdin=f'{{"secret": "{secret}"}}')
    for name in ("sweeper", "mapper", "writer"):
        made.start(name)
    made.stage.connector("poll", "suppliers")
    until(lambda: made.written("suppliers") >= SUPPLIERS, 300)
    made.stage.connector("poll", FLOW)
    made.start("hooks", CONNECTOR_HOOKS_BIND=f"127.0.0.1:{port}")
    made.start("poller")
    state: dict[str, Any] = made.cin7.control("state")["accounts"][0]
    identifier = str(state["account_id"])
    made.stage.connector("hooks", "register", "--account", "main", "--url", f"http://127.0.0.1:{port}")
    made.cin7.control("switches", {"account": identifier, "switches": {"webhook_minute_s": 0.001}})
    return _Account(identifier, port, secret, [str(row["ID"]) for row in state["suppliers"]])


def _answers(account: _Account, samples: int) -> list[float]:
    """Return the milliseconds that calls about suppliers which did not change wait for their answers."""
    headers = {"authorization": f"Bearer {account.secret}", "content-type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", account.port, timeout=30)
    found = []
    for number in range(samples):
        one = account.ids[number % len(account.ids)]
        body = f'{{"SupplierDetailsList":[{{"Supplier":{{"ID":"{one}"}}}}],"EventType":"Supplier/Updated"}}'
        began = time.perf_counter()
        connection.request("POST", "/hooks/cin7/main", body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        found.append((time.perf_counter() - began) * 1000)
    connection.close()
    return found


def _followed(made: Bench, account: _Account, number: int) -> tuple[float, float]:
    """Return the milliseconds from a call's arrival to the read that it led to, and from the edit to its write."""
    one = account.ids[number % len(account.ids)]
    row = {"ID": one, "Comments": f"edit {number}", "Name": f"Edited {number} {one[:6]}"}
    before = _written(made)
    made.cin7.control("suppliers", {"account": account.identifier, "supplier": row})
    edited_at = time.time()
    until(lambda: _written(made) > before, 30, every_s=0.02)
    read_s, written_at = made.row(
        """
        select extract(epoch from v.recorded_at - h.last_at)::float,
               (select extract(epoch from max(f.ended_at))::float from effect f where f.entry_id = e.id)
        from entry e
        join event v on v.entry_id = e.id and v.becomes = 'detected'
        join hint h on e.key = h.account || '/' || h.target
        where e.flow = %s order by e.id desc limit 1
        """,
        (FLOW,),
    )
    return float(read_s) * 1000, (float(written_at) - edited_at) * 1000


def _written(made: Bench) -> int:
    return int(made.one("select count(*) from entry where flow = %s and state = 'written'", (FLOW,)))

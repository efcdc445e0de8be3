"""Suppliers that people edit on either side: from the edit to the write on the other, and what that costs in calls."""

import time
from collections.abc import Callable
from typing import Any, Final

from benchmarks.figures import Figure, figure, percentile, spread
from benchmarks.stage import UNLIMITED, Bench, Toml, bench, until
from sandbox.world import build_plain_world

EVERY_S: Final = 5
#: Seconds between two edits: no divisor of the interval, so that they fall on all moments of it alike.
APART_S: Final = 0.37
POLLED: Final[Toml] = {
    "cin7": {"calls_per_minute": UNLIMITED, "poll_suppliers_every_s": EVERY_S},
    "ifs": {"requests_per_minute": UNLIMITED},
    "streams": {"suppliers": {"every_s": EVERY_S}},
}
#: Of the supplier whose name or terms were written, when the edit is known to have been at `%s`.
APPLIED: Final = """
    select max(extract(epoch from ended_at))::float from effect
    where flow = %s and key = %s and target = %s and state = 'APPLIED' and ended_at > to_timestamp(%s)
"""


def measure(suppliers: int = 60) -> list[Figure]:
    """Edit every supplier once in Cin7, two parts of it, and once in IFS, while all processes run."""
    with bench(build_plain_world(suppliers, 0), POLLED) as made:
        account, vendors = _linked(made, suppliers)
        _forget(made)
        back = _spread_out(vendors, lambda key: _edit_cin7(made, account, key, vendors[key]))
        waits = [_waited(made, ("cin7_suppliers", f"main/{vendors[key]}", "ifs"), at) for key, at in back.items()]
        _quiet(made)
        figures = [*_both(f"edit in Cin7 to IFS, polled every {EVERY_S} s", waits), *_ifs_calls(made, 2 * suppliers)]
        figures.append(_nothing_more(made, "Cin7 calls per change brought to IFS"))
        _forget(made)
        forth = _spread_out(vendors, lambda key: _edit_ifs(made, key))
        waits = [_waited(made, ("suppliers", key, "cin7/main"), at) for key, at in forth.items()]
        _quiet(made)
        return [
            *figures,
            *_both(f"edit in IFS to Cin7, polled every {EVERY_S} s", waits),
            *_cin7_calls(made, suppliers),
        ]


def _linked(made: Bench, suppliers: int) -> tuple[str, dict[str, str]]:
    """Bring the suppliers to Cin7 and start all processes; return the account's id, and Cin7's ids by number."""
    for name in ("sweeper", "mapper", "writer", "replayer"):
        made.start(name)
    made.stage.connector("poll", "suppliers")
    until(lambda: made.written("suppliers") >= suppliers, 300)
    made.stage.connector("poll", "cin7_suppliers")
    made.start("poller", "suppliers", "cin7_suppliers")
    _quiet(made)
    rows = made.stage.rows("select ifs_key, cin7_id from link where flow = 'suppliers'")
    account = str(made.cin7.control("state?brief=true")["accounts"][0]["account_id"])
    return account, {str(row[0]): str(row[1]) for row in rows}


def _spread_out(keys: dict[str, str], edit: Callable[[str], None]) -> dict[str, float]:
    """Make one edit after the other; return when each was made."""
    found = {}
    for key in keys:
        edit(key)
        found[key] = time.time()
        time.sleep(APART_S)
    return found


def _edit_cin7(made: Bench, account: str, key: str, vendor: str) -> None:
    row = {"ID": vendor, "Name": f"From Cin7 {key}", "PaymentTerm": "60 days"}
    made.cin7.control("suppliers", {"account": account, "supplier": row})


def _edit_ifs(made: Bench, key: str) -> None:
    edit = {"set": "SupplierInfoGeneralSet", "patch": [{"SupplierId": key, "Name": f"From IFS {key}"}]}
    made.ifs.control("rows", edit)


def _waited(made: Bench, of: tuple[str, str, str], at: float) -> float:
    """Return the milliseconds from an edit until all of it was written."""
    found: list[Any] = [None]

    def written() -> bool:
        found[0] = made.one(APPLIED, (*of, at))
        return found[0] is not None

    until(written, 120)
    return (float(found[0]) - at) * 1000


def _quiet(made: Bench) -> None:
    """Wait until two polls of each side have brought nothing that moves."""
    for _ in range(2):
        time.sleep(EVERY_S + 2)
        made.stage.wait()


def _forget(made: Bench) -> None:
    made.cin7.control("requests", method="DELETE")
    made.ifs.control("requests", method="DELETE")


def _ifs_calls(made: Bench, parts: int) -> list[Figure]:
    calls = made.ifs.control("requests")
    patches = sum(call["method"] == "PATCH" for call in calls)
    reads = sum(call["method"] == "GET" and call["path"].endswith(")") for call in calls)
    others = sum(
        call["path"].endswith("/SupplierInfoGeneralSet") and " eq '" in call["query"].get("$filter", "")
        for call in calls
    )
    return [
        _exactly("IFS reads per changed part", reads / parts, 1, "1"),
        _exactly("IFS writes per changed part", patches / parts, 1, "1"),
        _exactly("further IFS reads by key per changed part", others / parts, 0, "0"),
    ]


def _nothing_more(made: Bench, name: str) -> Figure:
    """Count what Cin7 was asked beside the polls."""
    return _exactly(name, len([call for call in _of_suppliers(made) if "page" not in call["query"]]), 0, "0")


def _cin7_calls(made: Bench, suppliers: int) -> list[Figure]:
    calls = _of_suppliers(made)
    writes = [call for call in calls if call["method"] == "PUT"]
    reads = [call for call in calls if call["method"] == "GET" and "page" not in call["query"]]
    return [
        _exactly("Cin7 writes per changed supplier", len(writes) / suppliers, 1, "1"),
        figure(
            "Cin7 reads per changed supplier",
            len(reads) / suppliers,
            "calls",
            goal="1 to read it back",
            at_most=1,
            note="one before the write, since Cin7 knows no versions, and one after it",
        ),
    ]


def _of_suppliers(made: Bench) -> list[dict[str, Any]]:
    return list(made.cin7.control("requests?path=supplier&limit=100000")["requests"])


def _exactly(name: str, value: float, wanted: float, goal: str) -> Figure:
    return figure(name, value, "calls", goal=goal, at_most=wanted, at_least=wanted)


def _both(name: str, samples: list[float]) -> list[Figure]:
    goal = f"the interval, and 2 s: {EVERY_S + 2} s"
    return [
        figure(f"{name}, p50", percentile(samples, 0.5), "ms", note=spread(samples)),
        figure(f"{name}, p99", percentile(samples, 0.99), "ms", goal=goal, at_most=(EVERY_S + 2) * 1000),
    ]

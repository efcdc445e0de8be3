"""Orders per second from IFS to Cin7, read back, against the same hops in bare dramatiq."""

from collections.abc import Callable

from benchmarks.figures import Figure, figure, median, spread
from benchmarks.stage import ONE_PULL, Bench, bench, last_json, until
from sandbox.world import build_plain_world

SUPPLIERS = 50


def measure(
    orders: int = 4_000, repeats: int = 3, latency_ms: float = 0, writers: int = 2, name: str = ""
) -> list[Figure]:
    """Measure both, in turns; the suppliers are linked before.

    Args:
        latency_ms: how long Cin7 takes for each answer.
        writers: writer processes on either side.
    """
    with bench(build_plain_world(SUPPLIERS, orders), ONE_PULL) as made:
        made.bring_suppliers(SUPPLIERS)
        made.cin7.control("latency", {"ms": latency_ms})
        ours, bare = in_turns(lambda: _ours(made, orders, writers), lambda: _bare(made, orders, writers), repeats)
    return [
        figure(
            name,
            median(ours),
            "orders/s",
            baseline=median(bare),
            goal="1.0 x bare dramatiq, at least 0.8 x",
            at_least=0.8,
            judged="ratio",
            note=f"{orders} orders a run, {writers} writers each; {spread(ours)}; bare {spread(bare)}",
        )
    ]


def in_turns(
    ours: Callable[[], float], bare: Callable[[], float], repeats: int
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Measure both in turns, after one run of each that does not count."""
    ours(), bare()
    pairs = [(ours(), bare()) for _ in range(repeats)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _ours(made: Bench, orders: int, writers: int) -> float:
    made.fresh()
    for name in ("sweeper", "mapper", "replayer", *["writer"] * writers):
        made.start(name)
    made.start("poller", "purchase_orders")
    until(lambda: made.written() >= orders)
    seconds = made.one(
        """
        select extract(epoch from (select max(recorded_at) from event where becomes = 'written')
               - (select min(pulled_at) from poll where flow = 'purchase_orders'))::float
        """
    )
    return orders / float(seconds)


def _bare(made: Bench, orders: int, writers: int) -> float:
    made.fresh()
    made.start("bare mapper")
    working = [made.start("bare writer") for _ in range(writers)]
    before = purchases(made)
    poller = made.start("bare poller")
    until(lambda: purchases(made) >= before + orders)
    ended = [last_json(one.stop()) for one in working]
    assert sum(one["count"] for one in ended) == orders, ended
    return orders / float(max(one["last"] for one in ended) - last_json(poller.stop())["began"])


def purchases(made: Bench) -> int:
    accounts = made.cin7.control("state?brief=true")["accounts"]
    return sum(int(account["counters"]["purchases"]) for account in accounts)

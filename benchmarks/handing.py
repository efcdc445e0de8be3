"""Poll, store, map and hand over without any remote write, against the same two hops in bare dramatiq."""

from benchmarks.bare.hops import WRITE_QUEUE
from benchmarks.end_to_end import in_turns
from benchmarks.figures import Figure, figure, median, spread
from benchmarks.stage import ONE_PULL, Bench, bench, last_json, until
from sandbox.world import build_plain_world
from shared.queues.broker import NAMESPACE

SUPPLIERS = 100


def measure(orders: int = 20_000, repeats: int = 2) -> list[Figure]:
    """Measure both in turns; IFS's answers come from memory on both sides, and nobody takes from the writers' queue."""
    with bench(build_plain_world(SUPPLIERS, orders), ONE_PULL, canned=True) as made:
        ours, bare = in_turns(lambda: _ours(made, orders), lambda: _bare(made, orders), repeats)
    return [
        figure(
            "poll, store, map and hand over",
            median(ours),
            "orders/s",
            baseline=median(bare),
            goal="4 x bare dramatiq with one message per order",
            at_least=4,
            judged="ratio",
            note=f"{orders} orders a run; {spread(ours)}; bare {spread(bare)}",
        )
    ]


def _ours(made: Bench, orders: int) -> float:
    made.fresh()
    made.start("mapper")
    made.start("poller", "purchase_orders")
    until(lambda: int(made.one(f"select count(*) from ({_HANDED_OVER}) as over")) >= orders)  # noqa: S608 - constant
    seconds = made.one(
        f"""
        select extract(epoch from (select max(at) from ({_HANDED_OVER}) as over)
               - (select min(pulled_at) from poll where flow = 'purchase_orders'))::float
        """  # noqa: S608 - constant
    )
    return orders / float(seconds)


_HANDED_OVER = """
    select handed_over_at as at, unnest(entries) from message
    where queue = 'write.purchase_orders' and handed_over_at is not null
"""


def _bare(made: Bench, orders: int) -> float:
    made.fresh()
    mapper = made.start("bare mapper")
    poller = made.start("bare poller")
    until(lambda: made.queued(f"{NAMESPACE}:{WRITE_QUEUE}") >= orders)
    ended = last_json(mapper.stop())
    assert ended["count"] == orders, ended
    return orders / float(ended["last"] - last_json(poller.stop())["began"])

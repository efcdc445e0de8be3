"""The first change after a pause: from the poll that meets it to the writer that takes it up."""

import time
from typing import Any, Final

from benchmarks.figures import Figure, figure, percentile
from benchmarks.stage import ONE_PULL, Bench, bench, until
from sandbox.world import World, build_plain_world

SUPPLIERS: Final = 10
#: Tables of an order, its header last, so that a poll never meets half an order.
TABLES: Final = ("PreAccountingSet", "PurchaseOrderLineSet", "PurchaseOrderSet")


def measure(samples: int = 30, gap_s: float = 3, minutes: int = 2) -> list[Figure]:
    """Measure so many first changes after a short pause, and a few after a whole minute.

    Seconds of pause show the same as minutes: by then every worker looks at its queues as rarely as it ever does. What
    only a minute shows (connections that were closed meanwhile, an access token that ran out) the few are for.
    """
    world = build_plain_world(SUPPLIERS, 1 + samples + minutes)
    kept = _hold_back(world)
    with bench(world, ONE_PULL) as made:
        for name in ("sweeper", "mapper", "replayer", "writer"):
            made.start(name)
        made.stage.connector("poll", "suppliers")
        until(lambda: made.written("suppliers") >= SUPPLIERS)
        made.start("poller", "purchase_orders")
        until(lambda: made.written() >= 1)
        short = [_sample(made, kept.pop(), gap_s) for _ in range(samples)]
        long = [_sample(made, kept.pop(), 60) for _ in range(minutes)]
    both = [*short, *long]
    note = f"n={samples} after {gap_s:g} s"
    if long:
        note += f" and {minutes} after 60 s (these: {', '.join(f'{one:.0f}' for one in long)} ms)"
    return [
        figure("first entry after a pause, p50", percentile(both, 0.5), "ms", note=note),
        figure(
            "first entry after a pause, p99",
            percentile(both, 0.99),
            "ms",
            goal="under 500 ms, poll interval excluded",
            at_most=500,
            note=f"{min(both):.0f} to {max(both):.0f} ms",
        ),
    ]


def _hold_back(world: World) -> list[list[dict[str, Any]]]:
    """Take all orders but the first out of the world; return each as edits that bring it."""
    orders = [row["OrderNo"] for row in world.rows("PurchaseOrderSet")][1:]
    codings = {row["PreAccountingId"]: row["OrderNo"] for row in world.rows("PurchaseOrderLineSet")}
    held: dict[str, list[dict[str, Any]]] = {}
    for table in TABLES:
        rows = world.rows(table)
        for row in rows:
            number = row.get("OrderNo") or codings[row["PreAccountingId"]]
            held.setdefault(number, []).append({"set": table, "upsert": [row]})
        first = world.rows("PurchaseOrderSet")[0]["OrderNo"] if table != "PurchaseOrderSet" else rows[0]["OrderNo"]
        rows[:] = [row for row in rows if (row.get("OrderNo") or codings[row["PreAccountingId"]]) == first]
    return [held[number] for number in orders]


def _sample(made: Bench, edits: list[dict[str, Any]], pause_s: float) -> float:
    """Return the milliseconds from the poll that meets a new order to the writer that takes up its message."""
    number = edits[-1]["upsert"][0]["OrderNo"]
    time.sleep(pause_s)
    made.ifs.control("rows", edits)
    made.due("purchase_orders")
    until(lambda: made.one("select count(*) from entry where key = %s and state = 'written'", [number]), 30)
    seconds = made.one(
        """
        select extract(epoch from min(m.picked_up_at) - min(p.pulled_at))::float
        from entry e join poll p on p.id = e.poll_id
        join message m on m.queue = 'write.purchase_orders' and e.id = any(m.entries) where e.key = %s
        """,
        [number],
    )
    return float(seconds) * 1000

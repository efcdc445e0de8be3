"""Calls per record: what each supplier and order costs of Cin7's and of IFS's budgets."""

from benchmarks.figures import Figure, figure
from benchmarks.stage import ONE_PULL, Bench, bench, until
from sandbox.world import build_plain_world

SUPPLIERS = 100
FLOWS = ("suppliers", "purchase_orders")


def measure(orders: int = 200, backfill: int = 5_000) -> list[Figure]:
    """Count what both stand-ins were asked for: records brought, met again unchanged, and a backfill."""
    with bench(build_plain_world(SUPPLIERS, orders), ONE_PULL) as made:
        found = _brought(made, orders)
    with bench(build_plain_world(SUPPLIERS, backfill), ONE_PULL) as made:
        found.append(_backfill(made, backfill))
    return found


def _brought(made: Bench, orders: int) -> list[Figure]:
    made.start("mapper"), made.start("writer")
    made.stage.connector("poll", "suppliers")
    until(lambda: made.written("suppliers") >= SUPPLIERS)
    supplier = made.calls("supplier")
    made.stage.connector("poll", "purchase_orders")
    until(lambda: made.written() >= orders)
    order = made.calls("advanced-purchase") + made.calls("purchase/order")
    before = made.calls("")
    # What looking at Cin7's own edits costs is no matter of records: one call for a thousand suppliers.
    made.stage.connector("poll", "--sweep", *FLOWS)
    made.stage.connector("poll", *FLOWS)
    made.stage.wait()
    unchanged = made.calls("") - before
    # One read of all suppliers there are before the first is created.
    return [
        _exactly("Cin7 calls per supplier created", (supplier - 1) / SUPPLIERS, 2, "1, and 1 to read it back"),
        _exactly("Cin7 calls per order created", order / orders, 3, "2, and 1 to read it back"),
        _exactly("Cin7 calls per unchanged record", unchanged / (SUPPLIERS + orders), 0, "0"),
    ]


def _exactly(name: str, value: float, wanted: float, goal: str) -> Figure:
    return figure(name, value, "calls", goal=goal, at_most=wanted, at_least=wanted)


def _backfill(made: Bench, orders: int) -> Figure:
    before = made.ifs_calls()
    made.stage.connector("poll", "purchase_orders")
    calls = made.ifs_calls() - before
    seen = int(made.one("select count(*) from entry where flow = 'purchase_orders'"))
    assert seen == orders, seen
    return figure(
        f"IFS calls per order in a backfill of {orders:,}",
        calls / orders,
        "calls",
        goal="at most 0.1",
        at_most=0.1,
        note=f"{calls} calls, token and metadata among them",
    )

"""Held for one cause, repaired once: how long until the last order is in Cin7."""

from benchmarks.figures import Figure, figure
from benchmarks.stage import ONE_PULL, Bench, bench, until
from sandbox.world import build_plain_world

SUPPLIERS = 50
#: The account that Cin7 lacks, and what it is mapped to in the end.
REPAIR = "company,ifs_account,cin7_code\n10,9999,5010\n10,40-10,4011\n"


def measure(orders: int = 1_000) -> list[Figure]:
    """Measure the release of orders that all lack one account, and the same orders where a mapping names it before."""
    world = build_plain_world(SUPPLIERS, orders, account="9999")
    with bench(world, ONE_PULL) as made:
        (made.folder / "repair.csv").write_text(REPAIR)
        made.bring_suppliers(SUPPLIERS)
        freely = _freely(made, orders)
        released = _released(made, orders)
    return [
        figure(
            f"repair to the last of {orders:,} held orders written",
            released,
            "s",
            baseline=freely,
            lower_is_better=True,
            goal="reported beside the same orders where nothing held them",
            note="read again, mapped again and written",
        )
    ]


def _start_all(made: Bench) -> None:
    for name in ("sweeper", "mapper", "replayer", "writer"):
        made.start(name)


def _freely(made: Bench, orders: int) -> float:
    made.fresh()
    made.stage.connector("mappings", "import", "accounts", "repair.csv")
    _start_all(made)
    made.start("poller", "purchase_orders")
    until(lambda: made.written() >= orders, 300)
    return float(
        made.one(
            """
            select extract(epoch from (select max(recorded_at) from event where becomes = 'written')
                   - (select min(pulled_at) from poll where flow = 'purchase_orders'))::float
            """
        )
    )


def _released(made: Bench, orders: int) -> float:
    made.fresh()
    _start_all(made)
    made.start("poller", "purchase_orders")
    until(lambda: int(made.one("select count(*) from entry where state = 'held'")) >= orders, 300)
    made.stage.connector("mappings", "import", "accounts", "repair.csv")
    until(lambda: made.written() >= orders, 300)
    return float(
        made.one(
            """
            select extract(epoch from (select max(recorded_at) from event where becomes = 'written')
                   - (select max(edited_at) from mapping_edit))::float
            """
        )
    )

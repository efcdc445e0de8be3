"""A sweep over suppliers that have not changed: rows per second, and the memory of the poller that makes it."""

from benchmarks.figures import Figure, figure
from benchmarks.stage import ONE_PULL, Bench, bench, peak_mb, until
from sandbox.world import build_plain_world

SWEEPING = {**ONE_PULL, "streams": {"suppliers": {"every_s": 36_000, "strategy": "sweep"}}}


def measure(suppliers: int = 100_000) -> list[Figure]:
    """Let one poller meet all suppliers for the first time, and another meet them again."""
    with bench(build_plain_world(suppliers, 0, children=False), SWEEPING, canned=True) as made:
        first = made.start("poller", "suppliers")
        until(lambda: made.pulled("suppliers"), 600)
        first.stop()
        made.due("suppliers")
        return _again(made, suppliers)


def _again(made: Bench, suppliers: int) -> list[Figure]:
    poller = made.start("poller", "suppliers")
    progress = "select coalesce(max(rows), 0) from poll where strategy = '' or outcome = 'running'"
    until(lambda: int(made.one(progress)) >= suppliers // 10, 120, every_s=0.02)
    early_mb = peak_mb(poller.pid)
    until(lambda: int(made.one("select count(*) from poll where outcome = 'done'")) == 2, 600)
    peak = peak_mb(poller.pid)
    rows, unchanged, seconds = made.row(
        """
        select rows, unchanged, extract(epoch from finished_at - pulled_at)::float from poll
        order by id desc limit 1
        """
    )
    assert rows == unchanged == suppliers, (rows, unchanged)
    return [
        figure("scan of unchanged suppliers", suppliers / seconds, "rows/s", note=f"{suppliers:,} rows, one sweep"),
        figure(
            "peak memory of the scanning poller",
            peak,
            "MB",
            baseline=early_mb,
            goal="under 150 MB, and flat: as after the first tenth",
            at_most=150,
            lower_is_better=True,
            note="baseline: the peak after a tenth of the rows",
        ),
    ]

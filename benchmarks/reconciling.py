"""The proof of a month: calls and time for many documents, beside both systems asked about one after the other."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from benchmarks.figures import Figure, figure
from benchmarks.stage import UNLIMITED, Bench, Toml, bench, peak_mb, until
from sandbox.world import build_month
from sandbox.world.month import MONTH

TOML: Toml = {
    "cin7": {"calls_per_minute": UNLIMITED},
    "ifs": {"requests_per_minute": UNLIMITED},
    "streams": {name: {"every_s": 3600} for name in ("purchase_orders", "suppliers", "supplier_invoices")},
}
WRITERS: Final = 3
#: Orders and bills that the month has beside those asked for.
_SPECIAL: Final = 11


class Seen(msgspec.Struct, frozen=True):
    """What one comparison took."""

    cin7: int
    ifs: int
    seconds: float
    peak_mb: float
    said: dict[str, Any]


def measure(documents: int = 10_000) -> list[Figure]:
    """Bring a month over, then compare it: three documents of ten are invoices of three of the seven orders."""
    billed = documents * 3 // 10
    month = build_month(plain=documents - 2 * billed - _SPECIAL, billed=billed)
    count = sum(len(month.world.expected[flow]) for flow in ("purchase_orders", "supplier_invoices"))
    with bench(month.world, TOML) as made:
        _bring(made, count)
        proof = ["-m", "console", "reconcile", "--period", MONTH, "--json"]
        ours = _seen(made, proof)
        full = _seen(made, [*proof, "--full"])
        naive = _seen(made, ["-m", "benchmarks.bare.comparing"])
    for one in (ours, full):
        assert (one.said["ready"], one.said["documents"]) == (True, count), one.said["differences"][:3]
    assert (naive.said["documents"], naive.said["different"]) == (count, 0), naive.said
    what = f"a month of {count:,} documents compared"
    return [
        figure(
            f"{what}: Cin7 calls",
            ours.cin7,
            "calls",
            baseline=naive.cin7,
            lower_is_better=True,
            goal="1 for each 1,000 purchases of an account, 2 at least",
            at_most=2 + count // 1_000,
            note=f"{full.cin7:,} with --full",
        ),
        figure(
            f"{what}: IFS calls",
            ours.ifs,
            "calls",
            baseline=naive.ifs,
            lower_is_better=True,
            note="token and metadata among them",
        ),
        figure(
            what,
            ours.seconds,
            "s",
            baseline=naive.seconds,
            lower_is_better=True,
            note=f"{full.seconds:,.0f} s with --full; no limit on calls; starting the process is in it",
        ),
        figure(f"{what}: peak memory", ours.peak_mb, "MB"),
        figure(
            f"{what}: Cin7's budget at 60 calls a minute",
            ours.cin7 / 60,
            "minutes",
            baseline=naive.cin7 / 60,
            lower_is_better=True,
            note=f"reckoned from the calls, for one application key; {full.cin7 / 60:,.1f} with --full",
        ),
    ]


def _bring(made: Bench, count: int) -> None:
    for name in ("sweeper", "mapper", "replayer", *["writer"] * WRITERS, "poller"):
        made.start(name)
    flows = ("purchase_orders", "supplier_invoices")
    until(lambda: sum(made.written(flow) for flow in flows) >= count, max(300, count / 5), every_s=1)
    made.stop()


def _seen(made: Bench, command: Sequence[str]) -> Seen:
    """Run one comparison in a process of its own."""
    calls, asked, began, peak = made.calls(""), made.ifs_calls(), time.monotonic(), 0.0
    with tempfile.TemporaryFile(dir=made.folder) as out:
        process = subprocess.Popen([sys.executable, *command], cwd=made.folder, env=made.stage.environment, stdout=out)
        while process.poll() is None:
            # It may end between the two looks.
            with suppress(OSError, StopIteration):
                peak = max(peak, peak_mb(process.pid))
            time.sleep(0.05)
        seconds = time.monotonic() - began
        out.seek(0)
        said: dict[str, Any] = json.loads(out.read())
    return Seen(made.calls("") - calls, made.ifs_calls() - asked, seconds, peak, said)

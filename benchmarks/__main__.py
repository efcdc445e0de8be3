"""`python -m benchmarks [NAME ...] [--json]`: measures, and shows each figure beside its baseline of the same run."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from rich.console import Console

from benchmarks import (
    budget,
    calls,
    end_to_end,
    handing,
    hooks,
    idle,
    journals,
    reconciling,
    release,
    scanning,
    supplier_way_back,
)
from benchmarks.figures import Figure, as_json, as_table

#: In the order in which they run.
ALL: Final[Mapping[str, Callable[[], list[Figure]]]] = {
    "end-to-end": partial(end_to_end.measure, name="orders end to end, targets answering at once"),
    "end-to-end-50ms": partial(
        end_to_end.measure, orders=400, latency_ms=50, name="orders end to end, 50 ms per Cin7 answer"
    ),
    "calls": calls.measure,
    "scanning": scanning.measure,
    "budget": budget.measure,
    "release": release.measure,
    "journals": journals.measure,
    "handing-over": handing.measure,
    "idle": idle.measure,
    "supplier-way-back": supplier_way_back.measure,
    "reconciling": reconciling.measure,
    "hooks": hooks.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the connector on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(ALL)}; none: all")
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in ALL]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(ALL)}")
    found: list[Figure] = []
    for name in options.names or ALL:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        found += ALL[name]()
    if options.json:
        print(json.dumps(as_json(found), indent=1))
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(as_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

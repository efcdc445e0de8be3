"""How much of the permitted calls four writers use together, and how often Cin7 refuses."""

import dataclasses
import time
from typing import Any, Final

from benchmarks.figures import Figure, figure
from benchmarks.stage import ONE_PULL, Bench, bench, until
from sandbox.world import World, build_plain_world

CALLS: Final = 60
WINDOW_S: Final = 2.0
WRITERS: Final = 4
SUPPLIERS: Final = 20
KEYS: Final = [f"7a1c9e04-52b6-4f38-8d0e-a1b2c3d4e50{number}" for number in (1, 2, 3)]


def measure(seconds: float = 20) -> list[Figure]:
    """Count for so many seconds what arrives at Cin7 while there is more to write than it permits."""
    permitted_per_s = len(KEYS) * CALLS / WINDOW_S
    # Twice as many as can be written in that time and before it.
    orders = int(permitted_per_s / 3 * (seconds + 12))
    toml = {**ONE_PULL, "cin7": {"calls_per_minute": CALLS, "window_s": WINDOW_S}}
    with bench(_with_keys(build_plain_world(SUPPLIERS, orders)), toml) as made:
        # Where there are several accounts, a writer keeps threads free for those that it is not writing to.
        made.keep_account("main")
        for name in ("sweeper", "mapper", "replayer", *["writer"] * WRITERS):
            made.start(name)
        made.stage.connector("poll", "suppliers")
        until(lambda: made.written("suppliers") >= SUPPLIERS)
        made.cin7.control("limits", {"calls": CALLS, "window_s": WINDOW_S})
        made.start("poller", "purchase_orders")
        until(lambda: made.written() >= 2 * WRITERS)
        return _observed(made, seconds, permitted_per_s)


def _with_keys(world: World) -> World:
    """Return the world with three keys for its account; Cin7 counts without limit until the orders come."""
    account = {**world.cin7_seed["accounts"][0], "keys": KEYS}
    seed = {**world.cin7_seed, "accounts": [account, *world.cin7_seed["accounts"][1:]]}
    credentials: dict[str, Any] = dict(world.credentials)
    main = {**credentials["cin7"]["main"], "application_keys": KEYS}
    credentials["cin7"] = {**credentials["cin7"], "main": main}
    return dataclasses.replace(world, cin7_seed=seed, credentials=credentials)


def _observed(made: Bench, seconds: float, permitted_per_s: float) -> list[Figure]:
    # The first window of a burst says nothing about the next: two of them are let pass.
    time.sleep(2 * WINDOW_S)
    made.cin7.control("limits", method="DELETE")
    began = time.monotonic()
    time.sleep(seconds)
    keys = [row for row in made.cin7.control("limits")["limits"] if row["calls"]]
    # Over all the time that passed, not from the first call to the last: a standstill counts as permitted and unused.
    passed_s = time.monotonic() - began
    left = int(made.one("select count(*) from entry where state = 'mapped'"))
    assert left, "the writers ran out of orders before the time was over"
    used = sum(int(row["calls"]) for row in keys) / (permitted_per_s * passed_s)
    refused = sum(int(row["refused"]) for row in keys)
    fullest = max(int(row["max_in_window"]) for row in keys)
    note = f"{len(keys)} keys of {CALLS} calls in {WINDOW_S:g} s, {WRITERS} writers, {passed_s:.0f} s"
    return [
        figure(
            "share of the permitted calls that is used",
            used,
            "of 1",
            goal="at least 0.95",
            at_least=0.95,
            note=note,
        ),
        figure(
            "calls that Cin7 refused for the rate",
            refused,
            "calls",
            goal="0",
            at_most=0,
            note=f"fullest window of a key: {fullest} of {CALLS}",
        ),
    ]

"""Made-up but realistic worlds for tests, benchmarks and the demo."""

from sandbox.world.changing import Change, changes
from sandbox.world.expected import Expected
from sandbox.world.month import Month, build_month
from sandbox.world.plain import build_plain_world
from sandbox.world.seeds import as_json
from sandbox.world.worlds import World, build_world

__all__ = [
    "Change",
    "Expected",
    "Month",
    "World",
    "as_json",
    "build_month",
    "build_plain_world",
    "build_world",
    "changes",
]

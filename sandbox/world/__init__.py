"""Made-up but realistic worlds for tests, benchmarks and the demo."""

from sandbox.world.changing import Change, changes
from sandbox.world.expected import Expected
from sandbox.world.plain import build_plain_world
from sandbox.world.seeds import as_json
from sandbox.world.worlds import World, build_world

__all__ = ["Change", "Expected", "World", "as_json", "build_plain_world", "build_world", "changes"]

"""A small installation for the tests of commands: three suppliers, four orders, all of them coded to account 9999."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import build_plain_world
from tests.integration.console.installation import Installation, installed


@pytest.fixture
def site(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    """Cin7 lacks account 9999, so that the four orders are held for one cause; the suppliers go through."""
    world = build_plain_world(3, 4, account="9999")
    with installed(tmp_path, database_url, redis_url, world, capsys, monkeypatch) as one:
        yield one

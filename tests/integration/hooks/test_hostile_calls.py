"""Whatever is sent: no 5xx, no call to Cin7 for what is not listened to, and no memory that is kept.

Some thousand calls here; CONNECTOR_HOSTILE_CALLS=1000000 sends a million.
"""

import gc
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.hooks.hostile import Hostility
from tests.integration.hooks.receiving import Hooks, asgi

CALLS = int(os.environ.get("CONNECTOR_HOSTILE_CALLS", "5000"))
#: Megabytes by which the process may grow between a tenth of the calls and all of them.
GROWTH_MB_MAX = 30
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def resident_mb() -> float:
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


@pytest.mark.timeout(6 * 3600)
def test_random_calls_cost_nothing_but_hints(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.hooks.receiver.TAKEN_PER_MINUTE", 10**9)
    monkeypatch.setattr("console.hooks.receiver.REFUSED_PER_MINUTE", 10**9)
    hooks = Hooks(database_url, redis_url)
    hooks.store()
    hostility = Hostility(seed=20261128)
    statuses: Counter[int] = Counter()
    began_mb = 0.0

    async def all_of_them() -> None:
        nonlocal began_mb
        for number in range(CALLS):
            if number == CALLS // 10:
                began_mb = resident_mb()
            call = hostility.draw()
            chunks = [*call.chunks, b""] if call.cut else call.chunks
            got = await asgi(hooks.app, chunks, call.path, "POST", call.headers, cut=call.cut)
            assert got.status < 500, (number, call)
            statuses[got.status] += 1

    try:
        hooks.loop.run_until_complete(all_of_them())
        growth_mb = resident_mb() - began_mb
        named = hooks.hints() | hooks.hints("second")
    finally:
        hooks.close()
    print(
        f"\n{CALLS} calls: {dict(sorted(statuses.items()))}; {len(named)} suppliers named; grew by {growth_mb:.1f} MB"
    )
    assert set(statuses) <= {200, 400, 401, 404, 413}
    assert {200, 400, 401, 404, 413} <= set(statuses)
    assert set(hostility.known) <= named
    assert not set(hostility.unlisted) & named
    assert all(GUID.fullmatch(one) for one in named)
    assert growth_mb < GROWTH_MB_MAX

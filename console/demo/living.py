"""The second part of a demo: people edit records in IFS, and what becomes of it is shown as it happens."""

import time
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Final

from console.demo.stand_ins import StandIns
from console.demo.watching import LOOK_EVERY_S, tell
from sandbox.world import World, changes
from shared.flows import JOURNALS
from shared.ledger.connection import Cur, Ledger

#: Seconds between two edits.
EDIT_EVERY_S: Final = 4.0


def live(ledger: Ledger, world: World, stand_ins: StandIns, seed: int, each_look: Callable[[], None]) -> None:
    """Edit and show until interrupted."""
    edits = changes(world, Random(seed))  # noqa: S311 - made-up people
    begun: dict[tuple[str, str], float] = {}
    with ledger.transaction() as cur:
        seen = _now(cur)
    next_edit = time.monotonic()
    while True:
        each_look()
        if time.monotonic() >= next_edit:
            change = next(edits)
            stand_ins.tell("ifs", "rows", change.edits)
            tell(f"IFS   {change.flow} {change.key}: {change.what}")
            begun[change.flow, change.key] = time.monotonic()
            next_edit = time.monotonic() + EDIT_EVERY_S
        with ledger.transaction() as cur:
            ended = _ended_since(cur, seen)
        for flow, key, state, at in ended:
            seen = max(seen, at)
            start = begun.pop((flow, key), None)
            after = f" after {time.monotonic() - start:.1f} s" if start is not None else ""
            tell(f"{_ended(flow, state)} {flow} {key}: {state}{after}")
        time.sleep(LOOK_EVERY_S)


def _ended(flow: str, state: str) -> str:
    """Return where an entry has ended, so that the lines stand below each other."""
    if state != "written":
        return "     "
    return "IFS  " if flow == JOURNALS.name else "Cin7 "


def _now(cur: Cur) -> datetime:
    row = cur.execute("select clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - a select without a table gives one row
    moment: datetime = row[0]
    return moment


def _ended_since(cur: Cur, since: datetime) -> list[tuple[str, str, str, datetime]]:
    rows = cur.execute(
        """
        select flow, key, state, changed_at from entry
        where changed_at > %s and state in ('written', 'held', 'waiting', 'echo') order by changed_at
        """,
        (since,),
    ).fetchall()
    return [(row[0], row[1], row[2], row[3]) for row in rows]

"""Shows records on their way: bars on a terminal, else a line now and then; the first arrivals at once."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from console.output import visible
from shared.flows import FLOWS
from shared.ledger.connection import Cur, Ledger
from shared.ledger.views.overview import motion

LOOK_EVERY_S: Final = 0.3
#: Where there is no terminal: seconds between lines.
LINE_EVERY_S: Final = 5.0
#: Looks in a row that must find nothing moving: between two of them a poll may hand over.
QUIET_LOOKS: Final = 3
#: Arrivals named one by one at the start.
FIRST: Final = 5


class TookTooLong(Exception):
    """Something was still moving at the end of the time."""


def watch(ledger: Ledger, expected: Mapping[str, int], timeout_s: float, each_look: Callable[[], None]) -> float:
    """Return, once nothing moves, how many seconds it took.

    Args:
        ledger: looked at.
        expected: how many records of each flow will come to rest, but for the few that turn out to be nothing to do.
        timeout_s: when to give up.
        each_look: called at every look; raises what makes further waiting pointless.

    Raises:
        TookTooLong: it was not over in time.
    """
    began = time.monotonic()
    quiet = named = 0
    with _bars(expected) as show:
        while quiet < QUIET_LOOKS:
            each_look()
            with ledger.transaction() as cur:
                at_rest = _at_rest(cur)
                arrivals = _arrivals(cur, named) if named < FIRST else []
                idle = motion(cur).idle(auto_replay=True) and _all_pulled(cur)
            quiet = quiet + 1 if idle else 0
            named += len(arrivals)
            show(at_rest, arrivals)
            if time.monotonic() - began > timeout_s:
                raise TookTooLong
            time.sleep(LOOK_EVERY_S)
    # The looks that only make sure are no part of it.
    return time.monotonic() - began - QUIET_LOOKS * LOOK_EVERY_S


def tell(text: str) -> None:
    """Print one line about what is going on."""
    click.echo(visible(text), err=True)


def _at_rest(cur: Cur) -> dict[str, tuple[int, int]]:
    """Return by flow how many entries are written, and how many wait for somebody."""
    rows = cur.execute(
        """
        select flow, count(*) filter (where state in ('written', 'superseded', 'echo', 'dismissed')),
               count(*) filter (where state in ('held', 'waiting'))
        from entry group by flow
        """
    ).fetchall()
    return {flow: (done, kept) for flow, done, kept in rows}


def _arrivals(cur: Cur, named: int) -> list[str]:
    rows = cur.execute(
        """
        select l.flow, l.ifs_key, l.cin7_account, l.cin7_number from link l
        order by l.written_at, l.flow, l.ifs_key limit %s offset %s
        """,
        (FIRST - named, named),
    ).fetchall()
    return [f"{flow} {key} is in Cin7, account {account}: {number or 'created'}" for flow, key, account, number in rows]


def _all_pulled(cur: Cur) -> bool:
    """Say whether every flow has been pulled to the end."""
    rows = cur.execute("select distinct flow from poll where outcome = 'done'").fetchall()
    return {row[0] for row in rows} >= {flow.name for flow in FLOWS}


Show = Callable[[Mapping[str, tuple[int, int]], list[str]], None]


@contextmanager
def _bars(expected: Mapping[str, int]) -> Iterator[Show]:
    if not sys.stderr.isatty():
        yield _Lines(expected)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[kept]} held or waiting"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {flow: bars.add_task(flow, total=total, kept=0) for flow, total in expected.items()}

        def show(at_rest: Mapping[str, tuple[int, int]], arrivals: list[str]) -> None:
            for line in arrivals:
                bars.console.print(visible(line), markup=False, highlight=False)
            for flow, task in tasks.items():
                done, kept = at_rest.get(flow, (0, 0))
                bars.update(task, completed=min(done + kept, expected[flow]), kept=kept)

        yield show


class _Lines:
    def __init__(self, expected: Mapping[str, int]) -> None:
        self._expected = expected
        self._next = 0.0

    def __call__(self, at_rest: Mapping[str, tuple[int, int]], arrivals: list[str]) -> None:
        for line in arrivals:
            tell(line)
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINE_EVERY_S
        parts = []
        for flow, total in self._expected.items():
            done, kept = at_rest.get(flow, (0, 0))
            parts.append(f"{flow} {min(done + kept, total)} of {total} ({kept} held or waiting)")
        tell("; ".join(parts))

"""The second part of a demo: people edit records in both systems, and what becomes of it is shown as it happens."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from random import Random
from typing import Final

from console.demo.stand_ins import StandIns
from console.demo.watching import LOOK_EVERY_S, tell
from sandbox.world import World, changes
from sandbox.world.changing import Change
from sandbox.world.ground import MAPPED
from shared.flows import CIN7_SUPPLIERS, JOURNALS
from shared.ledger.connection import Cur, Ledger

#: Seconds between two edits.
EDIT_EVERY_S: Final = 4.0
#: Of so many edits one is made in Cin7.
ONE_OF: Final = 5


def live(ledger: Ledger, world: World, stand_ins: StandIns, seed: int, each_look: Callable[[], None]) -> None:
    """Edit and show until interrupted."""
    edits = changes(world, Random(seed))  # noqa: S311 - made-up people
    numbers = count(1)
    begun: dict[tuple[str, str], float] = {}
    with ledger.transaction() as cur:
        seen = _now(cur)
    next_edit = time.monotonic()
    while True:
        each_look()
        if time.monotonic() >= next_edit:
            number = next(numbers)
            flow, key = _edit_cin7(ledger, stand_ins, number) if number % ONE_OF == 0 else _edit_ifs(edits, stand_ins)
            begun[flow, key] = time.monotonic()
            next_edit = time.monotonic() + EDIT_EVERY_S
        with ledger.transaction() as cur:
            ended = _ended_since(cur, seen)
        for flow, key, state, at in ended:
            seen = max(seen, at)
            start = begun.pop((flow, key), None)
            after = f" after {time.monotonic() - start:.1f} s" if start is not None else ""
            tell(f"{_ended(flow, state)} {flow} {key}: {state}{after}")
        time.sleep(LOOK_EVERY_S)


def _edit_ifs(edits: Iterator[Change], stand_ins: StandIns) -> tuple[str, str]:
    change = next(edits)
    stand_ins.tell("ifs", "rows", change.edits)
    tell(f"IFS   {change.flow} {change.key}: {change.what}")
    return change.flow, change.key


def _edit_cin7(ledger: Ledger, stand_ins: StandIns, number: int) -> tuple[str, str]:
    """Give a vendor of Cin7 another tax number, as somebody there would; its flow, and its key in it."""
    with ledger.transaction() as cur:
        rows = cur.execute(
            """
            select cin7_account, cin7_id, cin7_number from link
            where flow = 'suppliers' and written <> '' order by cin7_account, ifs_key
            """
        ).fetchall()
    account, vendor, name = rows[number * 7 % len(rows)]
    accounts = {company.cin7_account: company.account_id for company in MAPPED}
    tax_number = f"SE{556000 + number}"
    edit = {"account": accounts[account], "supplier": {"ID": vendor, "TaxNumber": tax_number}}
    stand_ins.tell("cin7", "suppliers", edit)
    key = f"{account}/{vendor}"
    tell(f"Cin7  {CIN7_SUPPLIERS.name} {key}: {name} has tax number {tax_number}")
    return CIN7_SUPPLIERS.name, key


def _ended(flow: str, state: str) -> str:
    """Return where an entry has ended, so that the lines stand below each other."""
    if state != "written":
        return "     "
    return "IFS  " if flow in {JOURNALS.name, CIN7_SUPPLIERS.name} else "Cin7 "


def _now(cur: Cur) -> datetime:
    row = cur.execute("select clock_timestamp()").fetchone()
    assert row is not None  # noqa: S101 - a select without a table gives one row
    moment: datetime = row[0]
    return moment


def _ended_since(cur: Cur, since: datetime) -> list[tuple[str, str, str, datetime]]:
    rows = cur.execute(
        """
        select flow, key, state, changed_at from entry
        where changed_at > %s and state in ('written', 'held', 'waiting') order by changed_at
        """,
        (since,),
    ).fetchall()
    return [(row[0], row[1], row[2], row[3]) for row in rows]

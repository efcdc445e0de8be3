"""The states of an entry and its legal moves. Pure; the database refuses all others (migrations/0001_ledger.sql)."""

from typing import Final, Literal

State = Literal["detected", "mapped", "written", "waiting", "retrying", "held", "superseded", "echo", "dismissed"]

STATES: Final[tuple[State, ...]] = (
    "detected",
    "mapped",
    "waiting",
    "retrying",
    "held",
    "written",
    "superseded",
    "echo",
    "dismissed",
)

MOVES: Final[dict[State, frozenset[State]]] = {
    "detected": frozenset({"mapped", "retrying", "held", "superseded", "echo", "dismissed"}),
    "mapped": frozenset({"written", "waiting", "retrying", "held", "superseded", "echo"}),
    "waiting": frozenset({"mapped", "held", "superseded"}),
    "retrying": frozenset({"mapped", "written", "waiting", "held", "superseded", "echo", "dismissed"}),
    "held": frozenset({"detected", "dismissed", "superseded"}),
    "written": frozenset(),
    "superseded": frozenset(),
    "echo": frozenset(),
    "dismissed": frozenset(),
}

#: States in which an entry goes on by itself; `connector wait` waits until none is left.
MOVING: Final[tuple[State, ...]] = ("detected", "mapped", "retrying")
#: States that a newer version of the same record closes.
OPEN: Final[tuple[State, ...]] = ("detected", "mapped", "waiting", "retrying", "held")

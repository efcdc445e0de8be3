"""Refuses a sweep that looks like an accident: a near-empty side has lost its rights, not its records. Pure."""

from typing import Final

#: Below this many known records a drop says nothing.
SMALL: Final = 20
#: Share of the known records that a complete sweep must meet again.
SHARE: Final = 0.5


def near_empty(met: int, known: int, suspect: str) -> str:
    """Return why the sweep must not be believed, or ""; `suspect` says what to look at."""
    if known < SMALL or met >= known * SHARE:
        return ""
    return f"The sweep met {met} of {known} known records, so none is reported as vanished: {suspect}."

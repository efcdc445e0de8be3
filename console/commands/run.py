"""`connector run`: brings the schema up to date, then runs every process of the Procfile until told to stop."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import click

from console.context import Context
from console.processes import PROGRAM, environment_of_processes, find_procfile, health_address
from console.supervising import GRACE_S, prefixed, supervise
from console.supervisor.procfile import lines_of, processes_of, scale_of
from shared.errors import Misconfigured
from shared.ledger.migrations import migrate


@click.command()
@click.option("--scale", multiple=True, metavar="NAME=N", help="Run N of a process; may be repeated.")
@click.option("--only", multiple=True, metavar="NAME", help="Run this process and no other; may be repeated.")
@click.pass_obj
def command(context: Context, scale: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Run all processes of the Procfile, supervised, until SIGTERM or Ctrl-C.

    What ends is started again. The first signal lets the processes finish what they have begun, the second ends them.
    A second machine with the same two URLs, key and settings simply adds its processes.
    """
    procfile = find_procfile()
    names = _names(procfile, scale, only)
    environment = environment_of_processes(context)
    if applied := migrate(context.urls.database):
        _say(f"Applied {', '.join(applied)}.\n")
    _say(f"Running {', '.join(names)}; Ctrl-C ends them, after {GRACE_S:.0f} s at the latest.\n")
    if "web" in names:
        _say(f"Health and metrics: {health_address(context)}/readyz and /metrics\n")
    supervise(
        procfile,
        environment,
        folder=PROGRAM,
        scale=scale_of(scale),
        only=only,
        on_line=prefixed(names, _say),
    )


def _names(procfile: Path, scale: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the names of the processes to be, or say what is wrong with the options."""
    try:
        return list(processes_of(lines_of(procfile.read_text()), scale=scale_of(scale), only=only))
    except Misconfigured as error:
        raise click.UsageError(str(error)) from error


def _say(text: str) -> None:
    # Whoever read along may be gone; that is no reason to stop working.
    with contextlib.suppress(OSError):
        click.echo(text, nl=False)

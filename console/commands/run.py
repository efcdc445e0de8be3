"""`connector run`: brings the schema up to date, then runs every process of the Procfile until told to stop."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import click

from console.context import Context
from console.supervising import GRACE_S, prefixed, supervise
from console.supervisor.procfile import lines_of, processes_of, scale_of
from shared.config.master_key import KEY_FILE
from shared.errors import Misconfigured
from shared.ledger.migrations import migrate

#: Where our packages lie, which is where `python -m` finds them.
PROGRAM = Path(__file__).resolve().parents[2]
#: In a checkout and in the image beside the packages, in an installed package within this one.
PROCFILES = (PROGRAM / "Procfile", PROGRAM / "console" / "Procfile")


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


def find_procfile() -> Path:
    """Return the Procfile that came with this program.

    Raises:
        Misconfigured: it is gone.
    """
    for path in PROCFILES:
        if path.is_file():
            return path
    raise Misconfigured(f"There is no {PROCFILES[0]}: install the connector again.")


def environment_of_processes(context: Context) -> dict[str, str]:
    """Return what the processes are started with; whatever would keep all of them from running is said first.

    Raises:
        Misconfigured: a variable, the settings file, the master key or a server cannot be used.
    """
    environment = context.environment
    context.settings  # noqa: B018 - a fault in the file is told before anything is started
    context.cipher  # noqa: B018 - makes the key of first steps, or says that there is none
    variables = dict(context.variables)
    # The processes work in another folder.
    variables["CONNECTOR_CONFIG"] = str(_absolute(context, environment.config_path))
    if environment.master_key is None:
        key_file = environment.master_key_file or KEY_FILE
        variables["CONNECTOR_MASTER_KEY_FILE"] = str(_absolute(context, key_file))
    variables["DATABASE_URL"], variables["REDIS_URL"] = context.urls
    return variables


def health_address(context: Context) -> str:
    """Return where the web process listens, as a browser on this machine would ask for it."""
    bind = context.environment.console_bind
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host)  # noqa: S104 - asked for, not bound
    return f"http://[{host}]:{bind.port}" if ":" in host else f"http://{host}:{bind.port}"


def _names(procfile: Path, scale: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the names of the processes to be, or say what is wrong with the options."""
    try:
        return list(processes_of(lines_of(procfile.read_text()), scale=scale_of(scale), only=only))
    except Misconfigured as error:
        raise click.UsageError(str(error)) from error


def _absolute(context: Context, path: Path) -> Path:
    return (context.root / path).absolute()


def _say(text: str) -> None:
    # Whoever read along may be gone; that is no reason to stop working.
    with contextlib.suppress(OSError):
        click.echo(text, nl=False)

"""The `connector` command: finds the command asked for, and turns every failure into one line and an exit code."""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from console import exits
from console.context import Context
from console.output import visible
from shared import logs
from shared.config.checking import near
from shared.errors import ConnectorError, Held, Misconfigured

#: Below the working directory: tracebacks of what should not have happened, for a report.
ERROR_LOG: Final = Path(".connector") / "error.log"

#: Every command and the line that `--help` shows of it, in the order in which an operator meets them. Its code is
#: `console/commands/<name>.py` with the name `command`, loaded when it is asked for; one without code is not listed.
COMMANDS: Final[Mapping[str, str]] = {
    "demo": "Run everything on this machine against stand-ins of both systems.",
    "check": "Try the real systems and everything the configuration names.",
    "migrate": "Create or upgrade the database schema.",
    "credentials": "Store the credentials of both systems, encrypted.",
    "mappings": "Import, export and list the mapping tables.",
    "run": "Run all processes, supervised.",
    "poll": "Pull once now and hand over.",
    "wait": "Return when nothing is moving.",
    "status": "Show counts, queues, budgets and what is held.",
    "causes": "Show the repairs that are waited for.",
    "holds": "Review, settle, replay or dismiss what is held.",
    "drain": "Replay what rests in a dead-letter queue.",
    "polls": "Show every pull.",
    "ledger": "Show a record's whole story; verify and export the ledger.",
    "links": "Show which IFS record is which Cin7 record.",
    "verify": "Check that the ledger was not tampered with.",
    "export": "Write the events of a span of days for an audit.",
    "accounts": "Show how the charts of accounts align.",
    "journals": "Check a voucher before it is posted.",
    "reconcile": "Compare both systems and the ledger, and prove a month.",
    "differences": "See to what keeps a month from being closed.",
    "backfill": "Bring in documents dated before go-live.",
    "suppliers": "Link suppliers that Cin7 already holds.",
    "hooks": "Let Cin7 tell of changes at once, by webhooks.",
}

#: The first kind that fits gives the exit code.
_CODES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (click.UsageError, exits.USAGE),
    (click.ClickException, exits.FAILED),
    (click.Abort, exits.FAILED),
    (Misconfigured, exits.MISCONFIGURED),
    (Held, exits.HELD),
    (ConnectorError, exits.FAILED),
)


class Commands(click.Group):
    """Commands by name, each imported only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for name in COMMANDS if importlib.util.find_spec(f"console.commands.{name}") is not None]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            raise click.UsageError(f"There is no command {name!r}; {near(name, known) or 'see the list.'}", ctx)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"console.commands.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"console.commands.{cmd_name} has no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


def _version() -> str:
    try:
        return importlib.metadata.version("ifs-cin7-connector")
    except importlib.metadata.PackageNotFoundError:
        return "from a checkout"  # Run in place, without being installed.


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), message="connector %(version)s")
def connector() -> None:
    """Suppliers, purchase orders and invoices from IFS Cloud into Cin7 Core: once, checked, and on record.

    What Cin7's people change of a supplier comes back.

    Exit codes: 0 done, 1 failed, 2 usage, 3 done but something is held, 4 timed out, 5 misconfigured.
    """


def run(arguments: Sequence[str], variables: Mapping[str, str], root: Path) -> int:
    """Run one command and return its exit code; whatever happens, the person reads one line.

    Args:
        arguments: what follows `connector`.
        variables: the process's environment.
        root: the working directory.
    """
    context = Context(variables, root)
    try:
        with contextlib.closing(context):
            if arguments and not any(word in ("-h", "--help", "--version") for word in arguments):
                environment = context.environment
                logs.set_up(environment.log, debug=environment.debug, level=logging.WARNING)
            code = connector.main(list(arguments), prog_name="connector", standalone_mode=False, obj=context)
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody reads a traceback.
        return report(error, variables, root)
    except KeyboardInterrupt:
        return _fail("stopped.", exits.FAILED)
    return code if type(code) is int else exits.DONE


def report(error: Exception, variables: Mapping[str, str], root: Path) -> int:
    """Say what happened in one line on standard error, and return the exit code of it."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return exits.USAGE
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has seen enough. Nothing may be written on the way out either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    for kind, code in _CODES:
        if isinstance(error, kind):
            return _fail(_sentence(error), code)
    return _unexpected(error, variables, root)


def _sentence(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "connector"
        return f"{error.format_message()} (`{path} --help` tells more)"
    if isinstance(error, click.ClickException):
        return error.format_message()
    return str(error) or "stopped."  # Only an interrupted prompt has no words.


def _unexpected(error: Exception, variables: Mapping[str, str], root: Path) -> int:
    """Say what happened in one line, and keep the traceback where it can be reported from."""
    story = logs.hidden("".join(traceback.format_exception(error)))
    summary = (str(error).strip() or "no more is known").splitlines()[0]
    if "debug" in variables.get("CONNECTOR_LOG", ""):
        click.echo(story, err=True)
        where = ""
    else:
        where = _kept(story, root / ERROR_LOG)
    return _fail(f"{type(error).__name__}: {summary.rstrip('.')}{where}.", exits.FAILED)


def _kept(story: str, path: Path) -> str:
    try:
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(story + "\n")
    except OSError:
        return "; CONNECTOR_LOG=debug shows where"
    return f"; {path} tells where"


def _fail(sentence: str, code: int) -> int:
    line = " ".join(logs.hidden(sentence).split())
    with contextlib.suppress(OSError):  # A closed standard error changes nothing about the outcome.
        click.echo(f"connector: {visible(line)}", err=True)
    return code


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End as if interrupted, so that servers this command started are stopped in order."""
    raise KeyboardInterrupt


def main() -> NoReturn:
    """Run the command line of this process."""
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(sys.argv[1:], os.environ, Path.cwd()))


if __name__ == "__main__":
    main()

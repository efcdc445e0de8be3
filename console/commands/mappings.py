"""`connector mappings`: the mapping tables in and out as CSV."""

import sys
from pathlib import Path

import click
import msgspec

from console.context import Context
from console.output import json_option, print_json, print_table, say
from shared.config.tables import TABLES, counts, export_csv, export_rows, import_csv
from shared.errors import ConnectorError, Misconfigured
from shared.ledger.causes import open_causes
from shared.queues.broker import LOST
from workers.composition import releaser_of

_TABLE = click.Choice(list(TABLES))


@click.group()
def command() -> None:
    """Import, export and list the mapping tables."""


@command.command("import")
@click.argument("table", type=_TABLE, metavar="TABLE")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--replace", is_flag=True, help="Remove rows that FILE does not hold.")
@json_option
@click.pass_obj
def import_(context: Context, table: str, file: Path, replace: bool, as_json: bool) -> None:
    """Merge the CSV FILE (- is standard input) into TABLE by its key: all rows or none."""
    text = _text(file)
    settings = context.settings_if_written
    conn = context.connect()
    try:
        result = import_csv(
            conn, table, text, context.person, replace=replace, accounts=settings.cin7.keys() if settings else None
        )
    except Misconfigured as error:
        raise Misconfigured(f"{file}, {error}") from error
    changed = bool(result.added or result.changed or result.removed)
    released = _release(context) if changed and settings is not None else []
    if as_json:
        print_json({"table": table} | msgspec.structs.asdict(result) | {"released": released})
        return
    say(
        f"{table}: {result.added} added, {result.changed} changed, {result.removed} removed, "
        f"{result.unchanged} unchanged."
    )
    if released:
        say(f"{len(released)} held entries go on: what held them is gone.")


def _release(context: Context) -> list[int]:
    """Send on what the new rows release; where Cin7 or Redis cannot be asked now, the releasing process will."""
    parts = context.parts
    try:
        with parts.ledger.transaction() as cur:
            if not open_causes(cur):
                return []
        releaser = releaser_of(parts)
        releaser.release()
        return releaser.send_ready() if parts.settings.policy.auto_replay else []
    except (ConnectorError, *LOST) as error:
        click.echo(f"connector: imported; what it releases goes on later: {error}", err=True)
        return []


@command.command("export")
@click.argument("table", type=_TABLE, metavar="TABLE")
@json_option
@click.pass_obj
def export(context: Context, table: str, as_json: bool) -> None:
    """Print TABLE as CSV that can be opened in a spreadsheet and imported again."""
    conn = context.connect()
    if as_json:
        print_json(export_rows(conn, table))
    else:
        click.echo(export_csv(conn, table), nl=False)


@command.command("list")
@json_option
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """List the tables and how many rows each has."""
    rows = counts(context.connect())
    if as_json:
        print_json([{"table": name, "rows": rows[name], "headings": TABLES[name].headings} for name in TABLES])
        return
    print_table(
        ("table", "rows", "headings"),
        [(name, rows[name], ",".join(TABLES[name].headings)) for name in TABLES],
        numbers=(1,),
    )


def _text(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"{file}, line {line}: not UTF-8; save it as 'CSV UTF-8'.") from error

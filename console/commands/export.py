"""`connector export`: the events of a span of days as JSON lines or CSV, for an audit."""

from datetime import datetime
from pathlib import Path

import click

from console.context import Context
from console.exporting import FORMATS, write_events
from console.files import whole_file
from console.output import json_option, print_json
from shared.ledger.views.exports import events

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--from", "first", type=_DAY, required=True, metavar="DATE", help="First day, of UTC: 2026-03-01.")
@click.option("--to", "last", type=_DAY, required=True, metavar="DATE", help="Last day, which is included.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="jsonl", show_default=True)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Else standard output.")
@json_option
@click.pass_obj
def command(context: Context, first: datetime, last: datetime, form: str, output: Path | None, as_json: bool) -> None:
    """Write every event recorded from one day to another, with the entry it belongs to."""
    if last < first:
        raise click.UsageError("--to is before --from.")
    if as_json and output is None:
        raise click.UsageError("--json says what was written: name the file with --output.")
    conn = context.connect()
    with whole_file(output) as file:
        count = write_events(events(conn, first.date(), last.date()), form, file)
    if as_json:
        print_json({"events": count, "format": form, "file": str(output)})
    elif output is not None:
        click.echo(f"Wrote {count} events to {output}.", err=True)

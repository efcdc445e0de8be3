"""`connector migrate`: brings the database to the schema of this version."""

import click

from console.context import Context
from console.output import json_option, print_json, say
from shared.ledger.migrations import migrate


@click.command()
@json_option
@click.pass_obj
def command(context: Context, as_json: bool) -> None:
    """Create or upgrade the database schema; safe to repeat."""
    applied = migrate(context.urls.database)
    if as_json:
        print_json({"applied": applied})
    elif applied:
        say(f"Applied {', '.join(applied)}.")
    else:
        say("The schema is up to date.")

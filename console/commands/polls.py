"""`connector polls`: the pull audit."""

import click

from console.context import Context
from console.output import json_option, print_json, print_table
from shared.flows import BY_NAME
from shared.ledger.views.pulls import pulls


@click.command()
@click.option("--flow", type=click.Choice(list(BY_NAME)), default=None, help="Only this flow.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@json_option
@click.pass_obj
def command(context: Context, flow: str | None, limit: int, as_json: bool) -> None:
    """Show every pull, the newest first: what it asked for, and what it saw."""
    with context.connect().cursor() as cur:
        found = pulls(cur, flow=flow or "", limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (pull.id, pull.flow, pull.pulled_at, pull.strategy, pull.outcome, pull.pages, pull.rows, pull.changed,
         pull.unchanged, pull.skipped, pull.error or pull.filter)
        for pull in found
    ]  # fmt: skip
    headings = ("id", "flow", "pulled", "strategy", "outcome", "pages", "rows", "changed", "unchanged", "skipped")
    print_table((*headings, "error or filter"), rows, empty="Nothing was pulled yet.", numbers=(0, 5, 6, 7, 8, 9))

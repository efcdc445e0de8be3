"""`connector links`: which IFS record is which Cin7 record."""

import click

from console.context import Context
from console.output import json_option, print_json, print_table
from shared.flows import BY_NAME
from shared.ledger.views.linked import links


@click.command()
@click.argument("key", required=False, default="")
@click.option("--flow", type=click.Choice(list(BY_NAME)), default=None, help="Only this flow.")
@click.option("--account", default="", help="Only this Cin7 account.")
@json_option
@click.pass_obj
def command(context: Context, key: str, flow: str | None, account: str, as_json: bool) -> None:
    """Show which IFS record is which Cin7 record; KEY narrows it to one, by its key on either side."""
    with context.connect().cursor() as cur:
        found = links(cur, flow=flow or "", account=account, key=key)
    if as_json:
        print_json(found)
        return
    rows = [
        (link.flow, link.ifs_key, link.cin7_account, link.cin7_number, link.cin7_id, link.origin, link.verified,
         link.written_at)
        for link in found
    ]  # fmt: skip
    headings = ("flow", "IFS key", "account", "Cin7 number", "Cin7 id", "origin", "verified", "written")
    print_table(headings, rows, empty="Nothing is linked.")

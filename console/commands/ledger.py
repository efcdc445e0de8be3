"""`connector ledger`: one record's whole story, links, tamper check and audit export."""

import click
import msgspec

from console.commands import export, links, verify
from console.context import Context
from console.output import json_option, print_json, print_table, say
from console.storytelling import show_entry
from shared.errors import ConnectorError
from shared.flows import BY_NAME
from shared.ledger.views import linked, stories


@click.group()
def command() -> None:
    """Ask the ledger: one record's story, links, tamper check, audit export."""


@command.command("show")
@click.argument("flow", type=click.Choice(list(BY_NAME)))
@click.argument("key")
@json_option
@click.pass_obj
def show(context: Context, flow: str, key: str, as_json: bool) -> None:
    """Tell the whole story of record KEY of FLOW: every version, event, call and reason."""
    with context.connect().cursor() as cur:
        story = stories.story(cur, flow, key)
        known = [link for link in linked.links(cur, flow=flow, key=key) if link.ifs_key == key]
    if story.record is None and not story.entries:
        raise ConnectorError(f"The ledger has never seen {key} in {flow}.")
    if as_json:
        print_json(msgspec.structs.asdict(story) | {"links": known})
        return
    if story.record is not None and story.record.skipped:
        say(f"{flow} {key} is not sent: {story.record.skipped}.")
    if story.record is not None and story.record.vanished_at is not None:
        say(f"It is not in IFS any more; missed on {story.record.vanished_at:%Y-%m-%d}.")
    for entry in story.entries:
        show_entry(flow, key, entry)
    rows = [(link.cin7_account, link.cin7_number, link.cin7_id, link.origin) for link in known]
    print_table(("account", "Cin7 number", "Cin7 id", "origin"), rows, empty="It is linked to nothing in Cin7.")


command.add_command(links.command, "links")
command.add_command(verify.command, "verify")
command.add_command(export.command, "export")

"""`connector verify`: finds out whether the ledger was tampered with."""

import click
import msgspec

from console import exits
from console.context import Context
from console.output import json_option, print_json, say
from shared.ledger import seals


@click.command()
@json_option
@click.pass_obj
def command(context: Context, as_json: bool) -> int:
    """Compute every seal over the events again, and compare every stored body with its digest.

    Keep the head it prints outside the database: as long as it is found again, nothing before it was changed.
    """
    conn = context.connect()
    with conn.transaction(), conn.cursor() as cur:
        verdict = seals.verify(cur)
    if as_json:
        print_json({"intact": verdict.intact} | msgspec.structs.asdict(verdict))
    elif verdict.intact:
        say(f"Intact: {verdict.events} events under {verdict.seals} seals; {verdict.unsealed} not sealed yet.")
        say(f"Head: {verdict.head}")
    else:
        say("The ledger was changed after the fact:")
        for sentence in verdict.broken:
            say(f"- {sentence}")
    return exits.DONE if verdict.intact else exits.FAILED

"""`connector drain`: replays what rests in a dead-letter queue."""

import click

from console.context import Context
from console.output import json_option, print_json, say
from shared.flows import FLOWS, STAGES, queue_of
from workers.replaying import replay, waiting_in

#: Every queue with its flow and stage.
QUEUES = {queue_of(stage, flow.name): (stage, flow.name) for flow in FLOWS for stage in STAGES}


@click.command()
@click.argument("queue")
@json_option
@click.pass_obj
def command(context: Context, queue: str, as_json: bool) -> None:
    """Replay everything that rests in the dead-letter queue of QUEUE, such as write.purchase_orders, oldest first."""
    name = queue.removesuffix(".XQ")
    if name not in QUEUES:
        raise click.UsageError(f"There is no queue {queue!r}; known are {', '.join(QUEUES)}.")
    stage, flow = QUEUES[name]
    parts = context.parts
    with parts.ledger.transaction() as cur:
        ids = waiting_in(cur, stage, flow)
    sent = replay(parts.ledger, parts.redis, ids, actor=parts.actor, why=f"{name} drained by {context.person}")
    if as_json:
        print_json({"queue": name, "replayed": sent})
    else:
        say(f"{name}: {len(sent)} replayed." if sent else f"Nothing rests in {name}.")

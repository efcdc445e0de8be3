"""`connector holds`: the review desk: what is held, replayed or dismissed."""

import click
import msgspec

from console import exits
from console.context import Context
from console.output import json_option, print_json, print_table, say
from console.resolving import resolve
from console.storytelling import show_entry, shown_body
from shared.config.checking import near
from shared.errors import ConnectorError
from shared.findings import CODES
from shared.flows import BY_NAME, queue_of
from shared.ledger import causes, entries
from shared.ledger.views import holds, stories
from shared.queues import dead_letters
from shared.queues.broker import LOST
from workers.replaying import replay
from workers.writing.merging import Take


@click.group(invoke_without_command=True)
@click.option("--flow", type=click.Choice(list(BY_NAME)), default=None, help="Only this flow.")
@click.option("--code", type=click.Choice(sorted(CODES)), default=None, metavar="CODE", help="Only with this finding.")
@json_option
@click.pass_context
def command(ctx: click.Context, flow: str | None, code: str | None, as_json: bool) -> None:
    """Review what is held; without a subcommand, list it."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, flow, code, as_json=as_json)
    elif flow or code or as_json:
        raise click.UsageError(f"Put options behind {ctx.invoked_subcommand}.")


@command.command("list")
@click.option("--flow", type=click.Choice(list(BY_NAME)), default=None, help="Only this flow.")
@click.option("--code", type=click.Choice(sorted(CODES)), default=None, metavar="CODE", help="Only with this finding.")
@json_option
@click.pass_obj
def list_(context: Context, flow: str | None, code: str | None, as_json: bool) -> None:
    """List what is held, the oldest first, with every reason and its remedy."""
    _list(context, flow, code, as_json=as_json)


def _list(context: Context, flow: str | None, code: str | None, *, as_json: bool) -> None:
    with context.connect().cursor() as cur:
        found = holds.holds(cur, flow=flow or "", code=code or "")
    if as_json:
        print_json(found)
        return
    rows = [
        (hold.id, hold.flow, hold.key, hold.company, hold.stage, hold.since, hold.ready, finding.code, finding.value,
         finding.message, finding.remedy)
        for hold in found
        for finding in hold.findings
    ]  # fmt: skip
    headings = ("id", "flow", "key", "company", "stage", "since", "ready", "cause", "value", "what", "remedy")
    print_table(headings, rows, empty="Nothing is held.", numbers=(0,))


@command.command("show")
@click.argument("entry_id", metavar="ID", type=click.IntRange(min=1))
@json_option
@click.pass_obj
def show(context: Context, entry_id: int, as_json: bool) -> None:
    """Show entry ID: its reasons, its source, what the mapping made of it, its events and calls."""
    with context.connect().cursor() as cur:
        found = holds.holds(cur, ids=[entry_id])
        told = stories.entries(cur, [entry_id])
        bodies = stories.bodies(cur, entry_id)
    if not found:
        raise ConnectorError(f"There is no entry {entry_id}.")
    if as_json:
        more = {"state": told[0].state, "source": shown_body(bodies.source), "mapped": shown_body(bodies.mapped)}
        print_json(msgspec.structs.asdict(found[0]) | more | {"events": told[0].events, "effects": told[0].effects})
        return
    show_entry(found[0].flow, found[0].key, told[0])
    for name, body in (("Source", bodies.source), ("Mapped", bodies.mapped)):
        if body is not None:
            say(f"{name}:")
            say(msgspec.json.format(msgspec.json.encode(shown_body(body)), indent=2).decode())


@command.command("replay")
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(min=1))
@click.option("--cause", metavar="CODE[=VALUE]", default=None, help="What this cause holds: account.missing=9999.")
@click.option("--all", "everything", is_flag=True, help="Everything that is held.")
@json_option
@click.pass_obj
def replay_(context: Context, ids: tuple[int, ...], cause: str | None, everything: bool, as_json: bool) -> int:
    """Send held entries again: read anew, mapped by today's rules, in dependency order."""
    if sum((bool(ids), cause is not None, everything)) != 1:
        raise click.UsageError("Name entries, or --cause, or --all.")
    parts = context.parts
    with parts.ledger.transaction() as cur:
        if cause is not None:
            code, _, value = cause.partition("=")
            if code not in CODES:
                raise click.UsageError(f"There is no cause {code!r}; {near(code, sorted(CODES)) or 'see `causes`.'}")
            wanted = holds.held_by(cur, code, value if "=" in cause else None)
        else:
            wanted = holds.all_held(cur) if everything else list(ids)
    sent = replay(parts.ledger, parts.redis, wanted, actor=parts.actor, why=f"replayed by {context.person}")
    return _tell("replayed", sent, sorted(set(wanted) - set(sent)), as_json=as_json)


@command.command("resolve")
@click.argument("entry_id", metavar="ID", type=click.IntRange(min=1))
@click.option("--take", type=click.Choice(["ifs", "cin7"]), required=True, help="Which side is right.")
@click.option("--field", default="", metavar="F", help="Only this field, as the finding names it, or one group.")
@json_option
@click.pass_obj
def resolve_(context: Context, entry_id: int, take: Take, field: str, as_json: bool) -> int:
    """Settle a supplier on which both sides differ, and send it through; kept with your name.

    `--take cin7` on a supplier that IFS does not know lets it be created there.
    """
    done = resolve(context.parts, entry_id, take, field.strip(), person=context.person)
    if as_json:
        print_json(done)
    else:
        for account, fields in done.fields.items():
            say(f"{account}: {take} is right for {', '.join(fields)}.")
        say(f"{len(done.replayed)} sent on: {', '.join(map(str, done.replayed))}.")
    return exits.DONE


@command.command("dismiss")
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why it need not be written; kept with your name.")
@json_option
@click.pass_obj
def dismiss(context: Context, ids: tuple[int, ...], reason: str, as_json: bool) -> int:
    """Close held entries unwritten, on record."""
    if not reason.strip():
        raise click.UsageError("--reason is empty: say why.")
    parts = context.parts
    with parts.ledger.transaction() as cur:
        held = cur.execute(
            "select id, flow, stage from entry where id = any(%s) and state = 'held' order by id for update",
            (list(ids),),
        ).fetchall()
        why = f"dismissed by {context.person}: {reason.strip()}"
        closed = entries.close(cur, [int(row[0]) for row in held], "dismissed", actor=parts.actor, why=why)
        causes.close_idle(cur)
    try:
        for entry, flow, stage in held:
            dead_letters.remove_entries(parts.redis, queue_of(stage, flow), [int(entry)])
    except LOST:
        click.echo("connector: Redis is out of reach; the sweep takes the dead letters away.", err=True)
    return _tell("dismissed", closed, sorted(set(ids) - set(closed)), as_json=as_json)


def _tell(done: str, ids: list[int], not_held: list[int], *, as_json: bool) -> int:
    if as_json:
        print_json({done: ids, "not_held": not_held})
    else:
        say(f"{len(ids)} {done}.")
    if not_held:
        raise ConnectorError(f"Not held, so not {done}: {', '.join(map(str, not_held))}.")
    return exits.DONE

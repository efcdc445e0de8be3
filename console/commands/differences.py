"""`connector differences`: what keeps months from being closed: listed, given to somebody, accepted."""

from typing import Final, get_args

import click
import msgspec

from console.context import Context
from console.output import json_option, print_json, print_table, say
from console.reconciling.shapes import stored_shown
from console.reconciling.tables import show_differences
from shared.errors import ConnectorError
from shared.ledger import reconciliations
from shared.ledger.reconciliations import State
from shared.ledger.views import differences as views

STATES: Final[tuple[State, ...]] = get_args(State)
_IDS: Final = click.IntRange(min=1)


@click.group(invoke_without_command=True)
@click.option("--period", default="", metavar="YYYY-MM", help="Only of this month.")
@click.option("--company", default="", help="Only of this company.")
@click.option("--owner", default="", help="Only what is assigned to them.")
@click.option("--state", type=click.Choice([*STATES, "all"]), default="open", show_default=True)
@json_option
@click.pass_context
def command(ctx: click.Context, period: str, company: str, owner: str, state: str, as_json: bool) -> None:
    """See to the differences that `connector reconcile` found; without a subcommand, list those that are open."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, period, company, owner, state, as_json=as_json)
    elif period or company or owner or as_json or state != "open":
        raise click.UsageError(f"Put options behind {ctx.invoked_subcommand}.")


@command.command("list")
@click.option("--period", default="", metavar="YYYY-MM", help="Only of this month.")
@click.option("--company", default="", help="Only of this company.")
@click.option("--owner", default="", help="Only what is assigned to them.")
@click.option("--state", type=click.Choice([*STATES, "all"]), default="open", show_default=True)
@json_option
@click.pass_obj
def list_(context: Context, period: str, company: str, owner: str, state: str, as_json: bool) -> None:
    """List differences by month, with why they are there and what to do."""
    _list(context, period, company, owner, state, as_json=as_json)


def _list(context: Context, period: str, company: str, owner: str, state: str, *, as_json: bool) -> None:
    states = STATES if state == "all" else [one for one in STATES if one == state]
    with context.connect().cursor() as cur:
        stored = views.differences(cur, period=period, company=company, owner=owner, states=states)
    if as_json:
        print_json([_with_period(one.period, msgspec.structs.asdict(stored_shown(one))) for one in stored])
        return
    for month in dict.fromkeys(one.period for one in stored):
        say(month)
        show_differences([stored_shown(one) for one in stored if one.period == month], empty="")
    if not stored:
        say("No difference is open." if state == "open" else "There is none.")


def _with_period(period: str, shown: dict[str, object]) -> dict[str, object]:
    return {"id": shown["id"], "period": period, **shown}


@command.command("show")
@click.argument("number", metavar="ID", type=_IDS)
@json_option
@click.pass_obj
def show(context: Context, number: int, as_json: bool) -> None:
    """Show one difference: its amounts, why it is there, what to do, and its whole history."""
    with context.connect().cursor() as cur:
        stored = views.difference(cur, number)
        told = views.history(cur, number)
    if stored is None:
        raise ConnectorError(f"There is no difference {number}.")
    shown = stored_shown(stored)
    if as_json:
        print_json(_with_period(stored.period, msgspec.structs.asdict(shown)) | {"events": told})
        return
    show_differences([shown], empty="")
    rows = [
        (one.account or "(none)", one.currency, one.ifs, one.ledger, one.cin7, one.company) for one in shown.amounts
    ]
    print_table(
        ("account", "currency", "IFS", "ledger", "Cin7", "company"), rows, empty="No amount differs.", numbers=(2, 3, 4)
    )
    for field in shown.fields:
        say(f"  {field}")
    say(shown.remedy)
    history = [(one.at, one.was, one.becomes, one.owner, one.actor, one.reason) for one in told]
    print_table(("when", "was", "became", "owner", "who", "why"), history)


@command.command("assign")
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=_IDS)
@click.argument("who", metavar="WHO")
@json_option
@click.pass_obj
def assign(context: Context, ids: tuple[int, ...], who: str, as_json: bool) -> None:
    """Give differences to WHO, who keeps them over later comparisons."""
    if not who.strip():
        raise click.UsageError("WHO is empty: name somebody.")
    parts = context.parts
    with parts.ledger.transaction() as cur:
        done = reconciliations.assign(cur, ids, who.strip(), actor=parts.actor)
    _tell("assigned", ids, done, as_json=as_json, why="There is no such difference")


@command.command("accept")
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=_IDS)
@click.option("--reason", required=True, help="Why the month may be closed with it; kept with your name.")
@json_option
@click.pass_obj
def accept(context: Context, ids: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Let differences stop the month no longer, as they are now: one that changes afterwards is open again."""
    if not reason.strip():
        raise click.UsageError("--reason is empty: say why.")
    parts = context.parts
    with parts.ledger.transaction() as cur:
        done = reconciliations.accept(cur, ids, reason.strip(), actor=parts.actor)
    _tell("accepted", ids, done, as_json=as_json, why="Not open, so not accepted")


@command.command("reopen")
@click.argument("ids", metavar="ID...", nargs=-1, required=True, type=_IDS)
@click.option("--reason", required=True, help="Why it is not accepted any more; kept with your name.")
@json_option
@click.pass_obj
def reopen(context: Context, ids: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Take an acceptance back."""
    if not reason.strip():
        raise click.UsageError("--reason is empty: say why.")
    parts = context.parts
    with parts.ledger.transaction() as cur:
        done = reconciliations.reopen(cur, ids, reason.strip(), actor=parts.actor)
    _tell("reopened", ids, done, as_json=as_json, why="Not accepted, so not reopened")


def _tell(done: str, ids: tuple[int, ...], changed: list[int], *, as_json: bool, why: str) -> None:
    left = sorted(set(ids) - set(changed))
    if as_json:
        print_json({done: changed, "not_found": left})
    else:
        say(f"{len(changed)} {done}.")
    if left:
        raise ConnectorError(f"{why}: {', '.join(map(str, left))}.")

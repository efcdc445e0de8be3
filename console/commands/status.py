"""`connector status`: what moves, what is held, how full the queues are and how many calls are left."""

from collections.abc import Iterator
from datetime import datetime

import click
import msgspec
import redis

from console import exits
from console.context import Context
from console.output import json_option, print_json, print_table, say
from shared.budgets import Budget
from shared.cin7.client import budget_of
from shared.config import credentials
from shared.config.credentials import Cin7Credentials
from shared.errors import Misconfigured, Retryable
from shared.flows import FLOWS, STAGES, queue_of
from shared.ledger import backfills, webhooks
from shared.ledger.backfills import Unfinished
from shared.ledger.views import overview
from shared.ledger.views.holds import OpenCause, open_causes
from shared.ledger.views.overview import FlowCounts, LastPull
from shared.queues import dead_letters


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    queue: str
    ready: int
    delayed: int
    dead: int


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one key within its window; `closed_s` is above 0 after the remote refused it for its rate."""

    target: str
    key: str
    limit: int
    used: int
    closed_s: float


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that we registered, as Cin7 said when it was looked at last."""

    cin7_account: str
    state: str
    since: datetime
    looked_at: datetime


class Status(msgspec.Struct, kw_only=True):
    """`remarks` are sentences about what could not be shown."""

    idle: bool
    flows: list[FlowCounts]
    queues: list[Depth]
    budgets: list[Spent]
    causes: list[OpenCause]
    pulls: list[LastPull]
    backfills: list[Unfinished]
    hooks: list[Hook]
    remarks: list[str]


@click.command()
@json_option
@click.pass_obj
def command(context: Context, as_json: bool) -> int:
    """Show counts by state, lag, queues, call budgets, and what is held by cause."""
    status = _ledger(context)
    redis_is_there = True
    try:
        status.queues = _queues(context)
        status.budgets = [spent for budget in _budgets(context, status.remarks) for spent in _spent(budget)]
    except (redis.RedisError, Retryable) as error:
        redis_is_there = False
        status.remarks.append(f"Redis cannot be reached, so queues and budgets are not shown: {error}.")
    if as_json:
        print_json(status)
    else:
        _show(status)
    for remark in status.remarks:
        click.echo(f"connector: {remark}", err=True)
    return exits.DONE if redis_is_there else exits.FAILED


def _ledger(context: Context) -> Status:
    settings = context.settings_if_written
    auto_replay = settings.policy.auto_replay if settings else True
    with context.parts.ledger.transaction() as cur:
        hooks = [
            Hook(cin7_account=one.account, state=one.state, since=one.since, looked_at=one.looked_at)
            for one in webhooks.all_of(cur)
        ]
        return Status(
            idle=overview.motion(cur).idle(auto_replay=auto_replay),
            flows=overview.counts(cur),
            queues=[],
            budgets=[],
            causes=open_causes(cur),
            pulls=overview.last_pulls(cur),
            backfills=backfills.unfinished(cur),
            hooks=hooks,
            remarks=[
                f"Cin7 does not call the webhook of {hook.cin7_account} any more: see `connector hooks status`."
                for hook in hooks
                if hook.state != "on"
            ],
        )


def _queues(context: Context) -> list[Depth]:
    found = []
    for queue in (queue_of(stage, flow.name) for flow in FLOWS for stage in STAGES):
        ready, delayed, dead = dead_letters.depths(context.parts.redis, queue)
        found.append(Depth(queue=queue, ready=ready, delayed=delayed, dead=dead))
    return found


def _budgets(context: Context, remarks: list[str]) -> Iterator[Budget]:
    """Yield the budget of IFS and of every Cin7 account whose keys are stored."""
    settings, parts = context.settings_if_written, context.parts
    if settings is None:
        return
    yield parts.ifs_budget
    conn = parts.ledger.connection()
    stored = {row.name for row in credentials.names(conn)}
    for account, section in settings.cin7.items():
        name = credentials.cin7(account)
        if name not in stored:
            remarks.append(f"No credentials are stored for {name}, so its budget is not shown.")
            continue
        try:
            known = credentials.load(conn, parts.cipher, name, Cin7Credentials)
        except Misconfigured as error:
            remarks.append(str(error))
            continue
        yield budget_of(account, section, known, parts.redis)


def _spent(budget: Budget) -> Iterator[Spent]:
    for use in budget.used():
        yield Spent(target=budget.target, key=use.key, limit=use.limit, used=use.used, closed_s=round(use.closed_s, 1))


def _show(status: Status) -> None:
    pulled = {pull.flow: pull for pull in status.pulls}
    say("Idle." if status.idle else "Working.")
    names = ("detected", "mapped", "waiting", "retrying", "held", "written", "superseded", "echo", "dismissed")
    rows = [
        (flow.flow, *(getattr(flow, name) for name in names), _duration(flow.lag_s), _pull(pulled.get(flow.flow)))
        for flow in status.flows
    ]
    print_table(("flow", *names, "lag", "last pull"), rows, numbers=range(1, 11))
    for one in status.backfills:
        span = f" dated {one.first} to {one.last}" if one.first else ""
        reading = "" if one.read else ", and not read to its end: repeat its command"
        say(f"Backfill of {one.flow}{span}: {one.left:,} of {one.taken:,} still to be written{reading}.")
    if status.queues:
        print_table(
            ("queue", "ready", "delayed", "dead"),
            [msgspec.structs.astuple(depth) for depth in status.queues],
            numbers=(1, 2, 3),
        )
    if status.budgets:
        rows_spent = [
            (spent.target, spent.key, spent.used, spent.limit, _duration(spent.closed_s or None))
            for spent in status.budgets
        ]
        print_table(("calls to", "key", "used", "limit", "closed for"), rows_spent, numbers=(2, 3, 4))
    if status.hooks:
        print_table(
            ("webhook of", "state", "since", "looked at"), [msgspec.structs.astuple(hook) for hook in status.hooks]
        )
    print_table(
        ("held by", "company", "value", "entries", "remedy"),
        [(cause.code, cause.company, cause.value, cause.entries, cause.remedy) for cause in status.causes],
        empty="Nothing is held.",
        numbers=(3,),
    )


def _pull(pull: LastPull | None) -> str:
    if pull is None:
        return "never"
    return f"{pull.pulled_at:%Y-%m-%d %H:%M:%S} {pull.outcome}, {pull.changed} of {pull.rows} changed"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes = int(seconds) // 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"

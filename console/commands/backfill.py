"""`connector backfill`: documents dated before go-live, brought in beside live work."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import click
import msgspec

from console import exits
from console.context import Context
from console.forecasting import CALLS_EACH, Forecast, forecast, free_calls, needed_calls
from console.foreseeing import Preview
from console.output import json_option, print_json, print_table, say, tracking
from console.previewing import DryRun
from producers.backfilling import Feeder, Reader
from shared.assembly import Assembly
from shared.errors import Retryable
from shared.flows import BY_NAME, Flow
from shared.ifs.spans import Span
from shared.ledger import backfills, detecting
from shared.ledger.backfills import Backfill, Progress
from shared.ledger.views import foresight
from shared.origins import SOURCES
from shared.queues.broker import anybody_working

_DAY: Final = click.DateTime(["%Y-%m-%d"])
#: Seconds between looks, and after which nobody works if no worker was seen.
LOOK_EVERY_S: Final = 0.5
ALONE_S: Final = 20.0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a backfill has come to; `done`: nothing of it moves any more."""

    backfill: int
    flow: str
    first: date | None
    last: date | None
    documents: int
    taken: int
    unchanged: int
    left_out: int
    forecast: Forecast
    done: bool
    moving: int
    waiting: int
    held: int
    written: int
    closed: int


@click.command()
@click.argument("flow", metavar="FLOW", type=click.Choice([flow.name for flow in SOURCES]))
@click.option("--from", "first", type=_DAY, default=None, metavar="DATE", help="First business date: 2025-11-01.")
@click.option("--to", "last", type=_DAY, default=None, metavar="DATE", help="Last one; the day before go-live.")
@click.option("--dry-run", is_flag=True, help="Show what would be written and how long it takes; record nothing.")
@click.option("--detach", is_flag=True, help="Return once everything is recorded; it goes on by itself.")
@click.option("--stop", is_flag=True, help="Close unwritten what backfills of FLOW have not begun.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0), default=None, help="Seconds to wait for the end.")
@json_option
@click.pass_obj
def command(
    context: Context,
    flow: str,
    first: datetime | None,
    last: datetime | None,
    dry_run: bool,
    detach: bool,
    stop: bool,
    timeout_s: float | None,
    as_json: bool,
) -> int:
    """Bring in documents of FLOW dated in a span before go-live, in the budget's backfill lane, beside live work.

    Safe to kill and to repeat: what has been recorded is in the ledger, goes on by itself, and is written once.
    """
    parts, of = context.parts, BY_NAME[flow]
    if of.passing:
        raise click.UsageError(f"{flow} has no start: `connector poll {flow} --sweep` brings all that are there.")
    if not parts.settings.ifs.stream(flow).enabled:
        raise click.UsageError(f"{flow} is not enabled in the settings: see [ifs.streams.{flow}].")
    if stop:
        return _stop(parts, of, as_json=as_json)
    span = _span(parts, of, first, last)
    if dry_run:
        return _foresee(parts, of, span, as_json=as_json)
    with tracking() as track:
        begun = Reader(parts, of, span, lambda rows: track(f"reading {flow}", rows, None)).run()
        foretold = _forecast(parts, begun)
        if not as_json:
            _say_read(begun, foretold)
        end, alone = _followed(parts, begun, timeout_s, track) if not detach else (_progress(parts, begun), False)
    ended = _ended(begun, foretold, end)
    if as_json:
        print_json(ended)
    else:
        _say_end(ended, alone=alone)
    if end.moving and timeout_s is not None and not (alone or detach):
        return exits.TIMED_OUT
    return exits.HELD if end.held else exits.DONE


def _span(parts: Assembly, flow: Flow, first: datetime | None, last: datetime | None) -> Span:
    """Return the days that are meant. Suppliers have no dates, so that all of them are."""
    if not flow.document:
        return Span()
    if first is None:
        raise click.UsageError(f"Name the first business date of {flow.name} with --from.")
    end = last.date() if last else _day_before_start(parts, flow)
    if end < first.date():
        raise click.UsageError(f"--from is after the last day, {end}" + ("." if last else ", the day before go-live."))
    return Span(first.date(), end)


def _day_before_start(parts: Assembly, flow: Flow) -> date:
    with parts.ledger.transaction() as cur:
        start = parts.settings.ifs.stream(flow.name).start_from or foresight.mark(cur, flow.name).start_from
        today = detecting.database_now(cur).astimezone(ZoneInfo(parts.settings.ifs.time_zone)).date()
    return date.fromordinal(date.fromisoformat(start).toordinal() - 1) if start else today


def _forecast(parts: Assembly, begun: Backfill) -> Forecast:
    with parts.ledger.transaction() as cur:
        left = backfills.left_by_company(cur, begun)
    needed = needed_calls(begun.flow, left, parts.rules.get())
    return forecast(needed, free_calls(parts, needed))


def _followed(
    parts: Assembly, begun: Backfill, timeout_s: float | None, track: Callable[[str, int, int | None], None]
) -> tuple[Progress, bool]:  # fmt: skip
    """Wait until nothing of it moves, the time is over, or nobody works; say how it stands, and whether it is that."""
    feeder = Feeder(parts.ledger, parts.redis)
    began = seen_at = time.monotonic()
    while True:
        end = _progress(parts, begun)
        total = end.moving + end.waiting + end.held + end.written + end.closed
        track(f"writing {begun.flow}", total - end.moving, total)
        now = time.monotonic()
        if not end.moving or (timeout_s is not None and now - began >= timeout_s):
            return end, False
        if anybody_working(parts.redis):
            seen_at = now
        elif now - seen_at > ALONE_S:
            return end, True
        feeder.feed()
        time.sleep(LOOK_EVERY_S)


def _progress(parts: Assembly, begun: Backfill) -> Progress:
    for _ in range(10):
        try:
            with parts.ledger.transaction() as cur:
                return backfills.progress(cur, begun)
        except Retryable:
            time.sleep(LOOK_EVERY_S)  # A ledger that is away for a moment is waited for.
    with parts.ledger.transaction() as cur:
        return backfills.progress(cur, begun)


def _ended(begun: Backfill, foretold: Forecast, end: Progress) -> Ended:
    return Ended(
        backfill=begun.id,
        flow=begun.flow,
        first=begun.first,
        last=begun.last,
        documents=begun.rows,
        taken=begun.taken,
        unchanged=begun.unchanged,
        left_out=begun.left_out,
        forecast=foretold,
        done=not end.moving,
        **msgspec.structs.asdict(end),
    )


def _say_read(begun: Backfill, foretold: Forecast) -> None:
    span = f" dated {begun.first} to {begun.last}" if begun.first else ""
    say(
        f"{begun.flow}{span}: {begun.rows:,} in IFS, {begun.taken:,} to be written, {begun.unchanged:,} known already, "
        f"{begun.left_out:,} left alone by their state."
    )
    _say_forecast(foretold)


def _say_forecast(foretold: Forecast) -> None:
    if not foretold.calls:
        return
    lasts = "nobody can say how long" if foretold.minutes is None else f"about {_shown(foretold.minutes)}"
    say(f"That takes up to {foretold.calls:,} calls; {foretold.free_per_minute:,} a minute are free now: {lasts}.")


def _shown(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _say_end(ended: Ended, *, alone: bool) -> None:
    say(
        f"{ended.written:,} written, {ended.held:,} held, {ended.waiting:,} waiting for others, {ended.closed:,} "
        f"closed unwritten, {ended.moving:,} still to go."
    )
    if alone:
        say("No worker is running: they go on once `connector run` is started.")
    elif ended.moving:
        say("They go on by themselves; the same command shows how far they are.")


def _stop(parts: Assembly, flow: Flow, *, as_json: bool) -> int:
    with parts.ledger.transaction() as cur:
        stopped = backfills.stop(cur, flow.name, actor=parts.actor)
    if as_json:
        print_json({"flow": flow.name, "stopped": stopped})
    else:
        say(f"{stopped:,} {flow.name} closed unwritten; what was on its way ends by itself.")
    return exits.DONE


def _foresee(parts: Assembly, flow: Flow, span: Span, *, as_json: bool) -> int:
    """Show what would come of it: read and mapped like a pull, and nothing recorded."""
    reader, dry = Reader(parts, flow, span, lambda _: None), DryRun(parts, flow)
    found: list[Preview] = []
    left_out = 0
    with tracking() as track:
        for batch in reader.batches():
            left_out += len(batch.skipped)
            found += dry.of_documents(batch.documents, reader.lens)
            track(f"reading {flow.name}", len(found), None)
    needed = Counter(one.account for one in found if one.action not in {"held", "unchanged"})
    calls = {account: count * CALLS_EACH[flow.name] for account, count in needed.items()}
    foretold = forecast(calls, free_calls(parts, calls))
    if as_json:
        print_json(
            {
                "flow": flow.name,
                "first": span.first,
                "last": span.last,
                "taken": len(found),
                "left_out": left_out,
                "actions": Counter(one.action for one in found),
                "forecast": foretold,
                "previews": msgspec.to_builtins(found),
            }
        )
    else:
        _say_foreseen(found, left_out)
        _say_forecast(foretold)
    return exits.HELD if any(one.action == "held" for one in found) else exits.DONE


def _say_foreseen(found: Sequence[Preview], left_out: int) -> None:
    counts = ", ".join(f"{count:,} {action}" for action, count in Counter(one.action for one in found).items())
    say(f"Nothing was recorded. Would be: {counts or 'nothing'}; {left_out:,} are left alone by their state.")
    reasons = Counter((finding.code, finding.value) for one in found for finding in one.findings)
    print_table(
        ("held for", "value", "documents"), [(*reason, count) for reason, count in reasons.most_common()],
        empty="Nothing would be held.", numbers=(2,),
    )  # fmt: skip

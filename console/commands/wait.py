"""`connector wait`: returns when nothing is moving."""

import time
from typing import Final

import click
import msgspec

from console import exits
from console.context import Context
from console.output import json_option, print_json, progress, say
from shared.errors import Retryable
from shared.ledger.connection import Ledger
from shared.ledger.views.overview import COUNTED_MAX, Motion, motion

#: Seconds between looks at the ledger.
LOOK_EVERY_S: Final = 0.3


class Waited(msgspec.Struct, frozen=True, kw_only=True):
    idle: bool
    held: int
    seconds: float


@click.command()
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), default=600, show_default=True, help="Seconds to wait."
)
@json_option
@click.pass_obj
def command(context: Context, timeout_s: float, as_json: bool) -> int:
    """Wait until nothing moves: exit 0, 3 if something is held, 4 if it took too long."""
    settings = context.settings_if_written
    auto_replay = settings.policy.auto_replay if settings else True
    last, waited = _wait(context.parts.ledger, timeout_s, auto_replay=auto_replay)
    if as_json:
        print_json(waited)
    elif waited.idle:
        say("Nothing is moving." if not waited.held else f"Nothing is moving; {waited.held} held (`connector holds`).")
    else:
        many = "many entries" if last.moving >= COUNTED_MAX else f"{last.moving + last.ready} entries"
        say(f"After {waited.seconds:.0f} s {many} still move: see `connector status`; is `connector run` running?")
    if not waited.idle:
        return exits.TIMED_OUT
    return exits.HELD if waited.held else exits.DONE


def _wait(ledger: Ledger, timeout_s: float, *, auto_replay: bool) -> tuple[Motion, Waited]:
    """Look until nothing moves or the time is over; a ledger that is away for a moment is waited for."""
    began = time.monotonic()
    last = Motion(moving=0, held=0, ready=0)
    most = 0
    with progress("still moving", None) as show:
        while True:
            idle = False
            try:
                with ledger.transaction() as cur:
                    last = motion(cur)
                idle = last.idle(auto_replay=auto_replay)
            except Retryable:
                if time.monotonic() - began >= timeout_s:
                    raise
            seconds = round(time.monotonic() - began, 1)
            if idle or seconds >= timeout_s:
                return last, Waited(idle=idle, held=last.held, seconds=seconds)
            most = max(most, last.moving)
            show(most - last.moving)
            time.sleep(min(LOOK_EVERY_S, max(0.0, timeout_s - seconds)))

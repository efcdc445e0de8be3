"""`connector poll`: one pull now, or a look at what it would lead to."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

import click
import msgspec

from console import exits
from console.context import Context
from console.foreseeing import Preview
from console.output import json_option, print_json, print_table, say, visible
from console.previewing import preview
from producers.poller import Poller, Pulled, Stream, unserved
from producers.streams import poller_of, streams_of
from shared.assembly import Assembly
from shared.errors import ConnectorError
from shared.flows import BY_NAME

#: Seconds to wait for another process that is pulling the same stream, and between looks.
LEAD_WAITED_S: Final = 60.0
LOOK_EVERY_S: Final = 0.3


@click.command()
@click.argument("flows", nargs=-1, metavar="[FLOW]...", type=click.Choice(list(BY_NAME)))
@click.option("--sweep", is_flag=True, help="Read everything and compare, whatever is known.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, field by field; send and record nothing.")
@json_option
@click.pass_obj
def command(context: Context, flows: tuple[str, ...], sweep: bool, dry_run: bool, as_json: bool) -> int:
    """Pull every FLOW (all of them by default) once now, and hand over what changed."""
    parts = context.parts
    streams = _chosen(parts, flows)
    if dry_run:
        return _show([one for stream in streams for one in _foreseen(parts, stream, sweep=sweep)], as_json=as_json)
    poller = poller_of(parts)
    pulled: list[Pulled] = []
    failures: list[str] = []
    for stream in streams:
        one = _pull(poller, stream, sweep=sweep)
        if one is None:
            failures.append(f"{stream.name}: another process has been pulling it for {LEAD_WAITED_S:.0f} s.")
            continue
        pulled.append(one)
        if one.outcome == "unserved" and one.flow not in flows:
            click.echo(visible(f"{one.flow} is not read: {one.error}"), err=True)
        elif one.outcome != "done":
            failures.append(f"{stream.name}: {one.error}")
        if not as_json:
            _say(stream.name, one)
    if as_json:
        print_json(pulled)
    if failures:
        raise ConnectorError(" ".join(failures))
    return exits.DONE


def _foreseen(parts: Assembly, stream: Stream, *, sweep: bool) -> Iterator[Preview]:
    try:
        yield from preview(parts, stream, sweep=sweep)
    except ConnectorError as error:
        if not unserved(stream.flow, error):
            raise
        click.echo(visible(f"{stream.flow.name} is not read: {error}"), err=True)


def _chosen(parts: Assembly, flows: tuple[str, ...]) -> list[Stream]:
    known = streams_of(parts)
    for name in flows:
        if name not in {stream.flow.name for stream in known}:
            raise click.UsageError(f"{name} is not enabled in the settings: see [ifs.streams.{name}].")
    return [stream for stream in known if not flows or stream.flow.name in flows]


def _pull(poller: Poller, stream: Stream, *, sweep: bool) -> Pulled | None:
    """Pull as soon as nobody else does; None where somebody did for too long."""
    until = time.monotonic() + LEAD_WAITED_S
    while True:
        pulled = poller.turn(stream, force=True, sweep=sweep)
        if pulled is not None or time.monotonic() > until:
            return pulled
        time.sleep(LOOK_EVERY_S)


def _say(name: str, one: Pulled) -> None:
    say(
        f"{name}: {one.rows} rows in {one.pages} pages ({one.strategy}); {one.changed} changed, "
        f"{one.unchanged} unchanged, {one.skipped} not sent."
    )
    if one.outcome == "done" and one.error:
        say(f"  {one.error}")


def _show(found: list[Preview], *, as_json: bool) -> int:
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        for one in found:
            _show_one(one)
        counts = Counter(one.action for one in found)
        summary = ", ".join(f"{count} {action}" for action, count in counts.items())
        say(f"Nothing was sent. Would be: {summary}." if summary else "Nothing was sent, and nothing would be.")
    return exits.HELD if any(one.action == "held" for one in found) else exits.DONE


def _show_one(one: Preview) -> None:
    say(f"{one.flow} {one.key}{f' in {one.account}' if one.account else ''}: {one.action}")
    if one.fields:
        rows = [(field.field, field.before, field.after) for field in one.fields]
        print_table(("field", "from", "to"), rows)
    for finding in one.findings:
        say(f"  {finding.code}: {finding.message} {finding.remedy}")

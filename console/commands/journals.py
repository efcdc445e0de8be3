"""`connector journals`: the verdict on vouchers before they are posted."""

import sys
from pathlib import Path

import click

from console import exits
from console.context import Context
from console.journal_desk import Answer, JournalDesk
from console.output import json_option, print_json, print_table, say
from console.vouchers import VoucherFault, read_vouchers
from shared.ifs.records.journals import Voucher


@click.group()
def command() -> None:
    """Check vouchers before they are posted."""


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@json_option
@click.pass_obj
def check(context: Context, file: Path, as_json: bool) -> int:
    """Check the vouchers of FILE (- is standard input): company, accounts, dates, amounts, balance.

    FILE is JSON (one voucher or a list of them) or CSV (one row of a voucher a line), with IFS's own names. What is
    known of both charts answers; only where it finds fault, or is old, are they read again.

    Exit codes: 0 all may be posted, 3 some may not, 2 FILE cannot be read.
    """
    vouchers = _vouchers(file)
    desk = JournalDesk(context.parts)
    answer = desk.check(vouchers)
    for note in desk.look_again(vouchers, answer):
        click.echo(f"connector: {note}", err=True)
    answer = desk.check(vouchers)
    if as_json:
        print_json(answer)
    else:
        _show(answer)
    return exits.DONE if answer.ok else exits.HELD


def _vouchers(file: Path) -> list[Voucher]:
    try:
        return read_vouchers(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except VoucherFault as error:
        raise click.UsageError(f"{file}: {error}") from error


def _show(answer: Answer) -> None:
    rows = [
        (one.key, finding.code, finding.field, finding.value, finding.message, finding.remedy)
        for one in answer.vouchers
        for finding in one.findings
    ]
    good = sum(one.ok for one in answer.vouchers)
    if rows:
        print_table(("voucher", "finding", "field", "value", "why", "remedy"), rows)
    say(f"{good} of {len(answer.vouchers)} vouchers may be posted.")
    if unknown := sorted({one.key.split("/", maxsplit=1)[0] for one in answer.vouchers if not one.dates_checked}):
        say(f"Not checked: whether the accounts are valid in IFS on the voucher's date (company {', '.join(unknown)}).")

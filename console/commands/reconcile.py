"""`connector reconcile`: the proof of a month."""

from pathlib import Path

import click
import msgspec

from console import exits
from console.context import Context
from console.files import whole_file
from console.output import json_option, print_json, tracking
from console.reconciling.page import write_page
from console.reconciling.shapes import document_of
from console.reconciling.sheet import write_sheet
from console.reconciling.tables import show
from shared.config.checking import near
from shared.ifs.spans import month_span
from workers.reconciling.running import known_companies, reconcile

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--period", required=True, metavar="YYYY-MM", help="The month, by business dates: 2026-03.")
@click.option("--company", default="", help="Only this company.")
@click.option("--full", is_flag=True, help="Read every purchase of the month in Cin7 anew, whatever is known of it.")
@click.option("--accounts", "every_account", is_flag=True, help="Show the accounts that agree as well.")
@click.option("--csv", "sheet", type=_FILE, default=None, metavar="FILE", help="Also write it for a spreadsheet.")
@click.option("--html", "page", type=_FILE, default=None, metavar="FILE", help="Also write a page to print.")
@json_option
@click.pass_obj
def command(
    context: Context,
    period: str,
    company: str,
    full: bool,
    every_account: bool,
    sheet: Path | None,
    page: Path | None,
    as_json: bool,
) -> int:
    """Compare IFS, the ledger and Cin7 for one month, per company, account and document, and explain what differs.

    Exit codes: 0 the month is ready to close, 3 differences are open.
    """
    span = month_span(period)
    if span is None:
        raise click.UsageError(f"{period!r} is no month: write it as 2026-03.")
    parts = context.parts
    if company and company not in (known := known_companies(parts, span)):
        hint = near(company, known) or f"known: {', '.join(known) or 'none'}."
        raise click.UsageError(f"Company {company!r} is neither in the table companies nor met this month; {hint}")
    with tracking() as track:
        found = document_of(
            reconcile(
                parts, period, company=company, full=full, progress=lambda what, done, of: track(what, done, of or None)
            )
        )
    if sheet is not None:
        with whole_file(sheet) as file:
            write_sheet(found, file)
    if page is not None:
        with whole_file(page) as file:
            write_page(found, file)
    if as_json:
        print_json(msgspec.structs.asdict(found))
    else:
        show(found, every_account=every_account)
    return exits.DONE if found.ready else exits.HELD

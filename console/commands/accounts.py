"""`connector accounts`: how the charts of accounts of both systems align. A report: no chart is ever written to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import click

from console import exits
from console.context import Context
from console.output import json_option, print_json, print_table, say
from shared.config.checking import near
from shared.config.rules import Rules
from shared.errors import ConnectorError
from shared.findings import Finding
from shared.ledger.views.holds import OpenCause, open_causes
from workers.mapping.alignment import Alignment, Use, align, concerns_accounts, worst_first
from workers.mapping.companies import destination_of

#: Seconds: charts read longer ago than this are read again.
FRESH_S: Final = 60.0
#: Any finding about a chart makes the chart be read again.
_CHART: Final = "account.missing"


@click.command()
@click.option("--company", default="", help="Only this company.")
@json_option
@click.pass_obj
def command(context: Context, company: str, as_json: bool) -> int:
    """Compare each company's accounts in IFS with the chart of its Cin7 account. Nothing is written to either.

    Exit codes: 0 the charts align, 3 they differ, 1 a chart cannot be read.
    """
    parts = context.parts
    companies = _chosen(parts.rules.get(), company)
    parts.rules.refresh_causes([(_CHART, one) for one in companies])
    parts.charts.refresh(companies, older_than_s=FRESH_S)
    rules, known = parts.rules.get(), parts.charts.get()
    with parts.ledger.transaction() as cur:
        causes = open_causes(cur)
    today = datetime.now(ZoneInfo(parts.settings.ifs.time_zone)).date()
    rows: list[Alignment] = []
    faults: list[str] = []
    for one in companies:
        destination = destination_of(one, rules)
        if isinstance(destination, Finding):
            faults.append(f"{destination.message} {destination.remedy}")
            continue
        chart = known[one]
        if not chart.accounts:
            faults.append(
                f"IFS shows no account of company {one}: grant the company to the connector's user, "
                "or correct [ifs.streams.accounts]."
            )
        faults += [f"IFS, company {one}: {fault}" for fault in chart.unreadable]
        rows += align(destination, chart.accounts, _uses(causes, one), rules, today)
    rows = worst_first(rows)
    if as_json:
        print_json(rows)
    else:
        _show(rows)
    if faults:
        raise ConnectorError(" ".join(faults))
    return exits.DONE if all(row.finding == "ok" for row in rows) else exits.HELD


def _chosen(rules: Rules, company: str) -> list[str]:
    known = sorted(rules.tables.companies)
    if not known:
        raise ConnectorError("The table companies is empty: import it with `connector mappings import companies FILE`.")
    if company and company not in known:
        hint = near(company, known) or f"known: {', '.join(known)}."
        raise click.UsageError(f"Company {company!r} is not in the table companies; {hint}")
    return [company] if company else known


def _uses(causes: Sequence[OpenCause], company: str) -> list[Use]:
    return [
        Use(code=cause.code, value=cause.value, documents=cause.entries)
        for cause in causes
        if cause.company == company and concerns_accounts(cause.code)
    ]


def _show(rows: Sequence[Alignment]) -> None:
    shown = [row for row in rows if row.finding != "ok" or row.documents]
    headings = ("finding", "documents", "company", "IFS account", "IFS name", "Cin7 account", "Cin7 code", "Cin7 name")
    cells = [
        (row.finding, row.documents, row.company, row.account, row.ifs_name, row.cin7_account, row.cin7_code,
         row.cin7_name)
        for row in shown
    ]  # fmt: skip
    print_table(headings, cells, empty="The charts align.", numbers=(1,))
    say(f"{sum(row.finding == 'ok' for row in rows)} of {len(rows)} accounts align.")

"""`connector causes`: the repairs that are waited for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import click
import msgspec

from console.context import Context
from console.output import json_option, print_json, print_table
from console.sums import sums_of
from shared.config.settings import StreamSettings
from shared.flows import PURCHASE_ORDERS
from shared.ifs.records.purchase_orders import SOURCE
from shared.ledger.views.holds import held_bodies, open_causes

#: Held orders whose lines are added up; beyond it the sums would cost more than they tell.
SUMMED_MAX: Final = 2_000


@click.command()
@json_option
@click.pass_obj
def command(context: Context, as_json: bool) -> None:
    """Show what must be repaired, by the number of documents and the money it holds."""
    conn = context.connect()
    settings = context.settings_if_written
    stream = settings.ifs.stream(PURCHASE_ORDERS.name) if settings else StreamSettings()
    with conn.transaction(), conn.cursor() as cur:
        found = open_causes(cur)
        sums = sums_of(held_bodies(cur, PURCHASE_ORDERS.name, SUMMED_MAX), SOURCE.bound(stream))
    found.sort(
        key=lambda cause: (-cause.entries, -max(sums.get(cause.id, {}).values(), default=Decimal(0)), cause.since)
    )
    if as_json:
        print_json([msgspec.structs.asdict(cause) | {"money": sums.get(cause.id, {})} for cause in found])
        return
    rows = []
    for cause in found:
        money = _money(sums.get(cause.id, {}))
        rows.append((cause.code, cause.company, cause.value, cause.entries, money, cause.since, cause.remedy))
    headings = ("cause", "company", "value", "entries", "money", "since", "remedy")
    print_table(headings, rows, empty="Nothing waits for a repair.", numbers=(3,))


def _most(sums: Mapping[str, Decimal]) -> Decimal:
    """Return the largest sum: currencies are not converted, only ranked roughly."""
    return max(sums.values(), default=Decimal(0))


def _money(sums: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sums.items())

"""A comparison of a month as one CSV table: a row for each total, then a row for each amount that differs."""

import csv
from collections.abc import Iterator
from typing import Final, TextIO

from console.exporting import safe_cell
from console.reconciling.shapes import Document, Shown, Total

COLUMNS: Final = (
    "row", "period", "company", "document", "account", "currency", "ifs_count", "ifs_amount", "ledger_count",
    "ledger_amount", "cin7_count", "cin7_amount", "difference", "id", "state", "kind", "between", "key", "date",
    "cin7_account", "cin7_number", "owner", "note", "explanation", "remedy",
)  # fmt: skip


def write_sheet(found: Document, file: TextIO) -> None:
    """Write the table; no cell can run as a formula, and amounts are numbers with a decimal point."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in (*map(_total, found.totals), *(row for one in found.differences for row in _difference(one))):
        cells = {"period": found.period, **row}
        writer.writerow([safe_cell(cells[name]) if cells.get(name) is not None else "" for name in COLUMNS])


def _total(row: Total) -> dict[str, object]:
    return {
        "row": "total" if row.account is None else "account",
        "company": row.company,
        "document": row.document,
        "account": row.account,
        "currency": row.currency,
        "ifs_count": row.ifs.count,
        "ifs_amount": row.ifs.amount,
        "ledger_count": row.ledger.count,
        "ledger_amount": row.ledger.amount,
        "cin7_count": row.cin7.count,
        "cin7_amount": row.cin7.amount,
        "difference": row.difference,
    }


def _difference(one: Shown) -> Iterator[dict[str, object]]:
    """Yield a row for each amount; one without any for what differs in other things than amounts."""
    shared = {
        "row": "difference", "company": one.company, "document": one.document, "currency": one.currency, "id": one.id,
        "state": one.state, "kind": one.kind, "between": one.between, "key": one.key, "date": one.date,
        "cin7_account": one.cin7_account, "cin7_number": one.cin7_number, "owner": one.owner, "note": one.note,
        "explanation": one.explanation, "remedy": one.remedy,
    }  # fmt: skip
    if not one.amounts:
        yield shared
    for amount in one.amounts:
        yield {
            **shared,
            "company": amount.company,
            "account": amount.account,
            "currency": amount.currency,
            "ifs_amount": amount.ifs,
            "ledger_amount": amount.ledger,
            "cin7_amount": amount.cin7,
        }

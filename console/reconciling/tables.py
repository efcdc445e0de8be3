"""A comparison of a month for people at a terminal: totals first, then what stops the month, then the rest."""

from collections.abc import Sequence
from decimal import Decimal

from console.output import print_table, say
from console.reconciling.shapes import Document, Shown, Total

TITLES = {"order": "orders", "invoice": "invoices", "credit_note": "credit notes"}


def show(found: Document, *, every_account: bool) -> None:
    """Print a comparison; accounts whose three sides agree only where they are asked for."""
    rows = [_row(row) for row in found.totals if row.account is None or every_account or not agrees(row)]
    headings = ("company", "document", "account", "currency", "IFS", "amount", "ledger", "amount", "Cin7", "amount",
                "IFS less Cin7")  # fmt: skip
    print_table(headings, rows, empty="No side has a document of this month.", numbers=range(4, 11))
    show_differences([one for one in found.differences if one.state == "open"], empty="No difference is open.")
    settled = [one for one in found.differences if one.state != "open"]
    if settled:
        say(f"Beside them {len(settled)} that do not stop the month: `connector differences list --state all`.")
    for remark in found.remarks:
        say(remark)
    calls = ", ".join(f"{count:,} to {name}" for name, count in found.calls.items())
    say(f"{found.documents:,} documents compared in {found.seconds:.1f} s with these calls: {calls}.")
    say(verdict(found))


def verdict(found: Document) -> str:
    month = found.period + (f" of company {found.company}" if found.company else "")
    if found.ready:
        return f"{month} is ready to close."
    plural = "differences are" if found.open != 1 else "difference is"
    return f"{month} is not ready to close: {found.open} {plural} open (`connector differences show ID`)."


def show_differences(found: Sequence[Shown], *, empty: str) -> None:
    rows = [
        (one.id, one.state, one.title, one.company, one.document, one.key, one.cin7_number, _amounts(one), one.owner,
         one.explanation)
        for one in found
    ]  # fmt: skip
    headings = ("id", "state", "reason", "company", "document", "key", "in Cin7", "amounts", "owner", "why")
    print_table(headings, rows, empty=empty, numbers=(0,))


def agrees(row: Total) -> bool:
    return row.ifs == row.ledger == row.cin7


def _row(row: Total) -> tuple[object, ...]:
    account = "all" if row.account is None else row.account or "(none)"
    sides = [cell for side in (row.ifs, row.ledger, row.cin7) for cell in (side.count, money(side.amount))]
    return (row.company, TITLES[row.document], account, row.currency, *sides, money(row.difference))


def money(amount: Decimal) -> str:
    return f"{amount:,f}"


def _amounts(one: Shown) -> str:
    sides = (("IFS", one.ifs), ("ledger", one.ledger), ("Cin7", one.cin7))
    said = [f"{name} {money(amount)}" for name, amount in sides if amount is not None]
    return f"{', '.join(said)} {one.currency}" if said else "several currencies"

"""The totals of a month: what each of the three sides has per company, document, account and currency. Pure."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import msgspec

from shared.ifs.spans import Span
from shared.money import total_of
from workers.reconciling.copies import Case, Cell, Copy, Document

_ZERO: Final = Decimal(0)


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """How many documents, and how much they make."""

    count: int = 0
    amount: Decimal = _ZERO

    def plus(self, amount: Decimal) -> "Sum":
        return Sum(count=self.count + 1, amount=total_of(self.amount, amount))


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the totals; `account` None: of whole documents, tax included."""

    company: str
    document: Document
    account: str | None
    currency: str
    ifs: Sum = Sum()
    ledger: Sum = Sum()
    cin7: Sum = Sum()

    @property
    def difference(self) -> Decimal:
        """What IFS has more than Cin7."""
        return total_of(self.ifs.amount, -self.cin7.amount)

    @property
    def agrees(self) -> bool:
        return self.ifs == self.ledger == self.cin7


_SIDES: Final[tuple[tuple[str, Callable[[Case], Copy | None]], ...]] = (
    ("ifs", lambda case: case.ifs),
    ("ledger", lambda case: case.known.written if case.known else None),
    ("cin7", lambda case: case.cin7),
)


def totals(cases: Iterable[Case], span: Span) -> tuple[Row, ...]:
    """Return the rows per account and those of whole documents, each document's own row before its accounts."""
    found: dict[tuple[str, Document, str, str | None], Row] = {}
    for case in cases:
        for side, copy_of in _SIDES:
            copy = copy_of(case)
            for cell, amount in _cells(copy, span) if copy else ():
                company, document, account, currency = cell
                place = (company, document, currency, account)
                row = found.get(place) or Row(company=company, document=document, account=account, currency=currency)
                found[place] = msgspec.structs.replace(row, **{side: getattr(row, side).plus(amount)})
    order = {"order": 0, "invoice": 1, "credit_note": 2}
    rows = sorted(
        found.values(),
        key=lambda row: (row.company, order[row.document], row.currency, row.account is not None, row.account or ""),
    )
    return tuple(rows)


def _cells(copy: Copy, span: Span) -> Iterable[tuple[tuple[str, Document, str | None, str], Decimal]]:
    cells: dict[Cell, Decimal] = copy.cells(span)
    if not cells:
        return
    yield (copy.company, copy.document, None, copy.currency), total_of(*cells.values())
    for cell, amount in cells.items():
        yield (cell.company, cell.document, cell.account, cell.currency), amount

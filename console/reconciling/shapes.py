"""A comparison of a month as the plain document that `--json` prints and every other form is made of. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from shared.ledger.reconciliations import State, Stored
from shared.money import in_units, total_of
from workers.reconciling.comparing import Amount, Difference
from workers.reconciling.explaining import KINDS
from workers.reconciling.running import Explained, Reconciled
from workers.reconciling.totals import Row, Sum

_ZERO = Decimal(0)


class Side(msgspec.Struct, frozen=True, kw_only=True):
    count: int
    amount: Decimal


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """One row of totals; `account` None: of whole documents. `difference` is IFS less Cin7."""

    company: str
    document: str
    account: str | None
    currency: str
    ifs: Side
    ledger: Side
    cin7: Side
    difference: Decimal


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. Of its amounts, those that do not differ are left out; None: not one of the two sides.

    Attributes:
        between: which two sides differ.
        ifs, ledger, cin7: what differs, added up over the accounts, where all of it is in one currency.
    """

    id: int
    state: State
    kind: str
    title: str
    between: Literal["ifs-ledger", "ledger-cin7"]
    document: str
    flow: str
    key: str
    company: str
    cin7_account: str
    cin7_number: str
    date: str
    currency: str
    ifs: Decimal | None
    ledger: Decimal | None
    cin7: Decimal | None
    amounts: tuple["ShownAmount", ...]
    fields: tuple[str, ...]
    explanation: str
    remedy: str
    owner: str
    note: str
    since: datetime


class ShownAmount(msgspec.Struct, frozen=True, kw_only=True):
    company: str
    account: str
    currency: str
    ifs: Decimal | None
    ledger: Decimal | None
    cin7: Decimal | None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer. `ready`: nothing is open, so that the month may be closed."""

    period: str
    company: str | None
    reconciliation: int
    ready: bool
    open: int
    documents: int
    totals: tuple[Total, ...]
    differences: tuple[Shown, ...]
    remarks: tuple[str, ...]
    calls: dict[str, int]
    seconds: float


def document_of(found: Reconciled) -> Document:
    """Return what is shown of a comparison; differences in the state that people have given them."""
    differences = tuple(
        shown(found.stored[_place(one)], one) for one in found.differences if _place(one) in found.stored
    )
    remarks = found.remarks
    if found.overtaken:
        remarks = (*remarks, "A comparison that began later was recorded meanwhile; this one was not.")
    return Document(
        period=found.period,
        company=found.companies[0] if found.companies else None,
        reconciliation=found.run,
        ready=found.is_ready,
        open=sum(one.state == "open" for one in found.stored.values()),
        documents=found.documents,
        totals=tuple(map(_total, found.rows)),
        differences=differences,
        remarks=remarks,
        calls=dict(found.calls),
        seconds=found.seconds,
    )


def _place(one: Explained) -> tuple[str, str, str]:
    return one.difference.flow, one.difference.key, one.difference.step


def _total(row: Row) -> Total:
    return Total(
        company=row.company,
        document=row.document,
        account=row.account,
        currency=row.currency,
        ifs=_side(row.ifs, row.currency),
        ledger=_side(row.ledger, row.currency),
        cin7=_side(row.cin7, row.currency),
        difference=in_units(row.difference, row.currency),
    )


def _side(one: Sum, currency: str) -> Side:
    return Side(count=one.count, amount=in_units(one.amount, currency))


def stored_shown(stored: Stored) -> Shown:
    """Return a difference as the ledger has it."""
    return shown(stored, msgspec.json.decode(stored.body, type=Explained))


def shown(stored: Stored, found: Explained) -> Shown:
    difference = found.difference
    left, right = _sums(difference)
    sides = _sides(difference, left, right)
    return Shown(
        id=stored.id,
        state=stored.state,
        kind=difference.kind,
        title=KINDS[difference.kind].title,
        between="ifs-ledger" if difference.step == "ifs" else "ledger-cin7",
        document=difference.document,
        flow=difference.flow,
        key=difference.key,
        company=difference.company,
        cin7_account=difference.cin7_account,
        cin7_number=difference.cin7_number,
        date=difference.date,
        currency=difference.currency,
        ifs=sides[0],
        ledger=sides[1],
        cin7=sides[2],
        amounts=tuple(_amount(difference, amount) for amount in difference.amounts),
        fields=difference.fields,
        explanation=found.explanation,
        remedy=found.remedy,
        owner=stored.owner,
        note=stored.note,
        since=stored.opened_at,
    )


def _sums(difference: Difference) -> tuple[Decimal | None, Decimal | None]:
    """Return both sides of what differs; None where it is in several currencies, which are never added up."""
    currencies = {amount.currency for amount in difference.amounts}
    if len(currencies) > 1:
        return None, None
    currency = next(iter(currencies), difference.currency)
    return (
        _sum((one.left for one in difference.amounts), currency),
        _sum((one.right for one in difference.amounts), currency),
    )


def _sum(amounts: Iterable[Decimal], currency: str) -> Decimal:
    return in_units(total_of(_ZERO, *amounts), currency)


def _sides(
    difference: Difference, left: Decimal | None, right: Decimal | None
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return (left, right, None) if difference.step == "ifs" else (None, left, right)


def _amount(difference: Difference, amount: Amount) -> ShownAmount:
    ifs, ledger, cin7 = _sides(
        difference, in_units(amount.left, amount.currency), in_units(amount.right, amount.currency)
    )
    return ShownAmount(
        company=amount.company, account=amount.account, currency=amount.currency, ifs=ifs, ledger=ledger, cin7=cin7
    )

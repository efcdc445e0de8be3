"""A document of Cin7 as a copy: the order or one bill of a purchase. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from shared.money import total_of
from workers.reconciling.copies import ROUNDING, TAX, UNCODED, Cin7Copy, Copy, Origin
from workers.reconciling.extracts import ORDERED, BillExtract, Extract, marked_company
from workers.reconciling.sent import kind_of_bill, summed

_ZERO: Final = Decimal(0)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the copies of one Cin7 account share.

    Attributes:
        account: its name.
        companies: whose documents go there.
        suppliers: IFS's number by Cin7's id of the supplier.
    """

    account: str
    companies: tuple[str, ...] = ()
    suppliers: Mapping[str, str] = {}

    def company_of(self, marker: str) -> str:
        """Return the company that a marker names, else the only one there is; empty where that is not known."""
        named = marked_company(marker)
        return named or (self.companies[0] if len(self.companies) == 1 else "")

    def party_of(self, extract: Extract) -> str:
        return self.suppliers.get(extract.supplier_id, extract.supplier)


def linked_order(extract: Extract, written: Copy, accounts: Mapping[str, str], around: Surroundings) -> Cin7Copy:
    """Return the order of a purchase that is linked.

    Args:
        written: what the connector wrote; its company and date are the copy's, since Cin7 keeps neither.
        accounts: of the lines, by the beginning of their trace: Cin7's order lines carry no account.
    """
    nets = ((_account(trace, accounts), net) for trace, net in extract.order.rows)
    return Cin7Copy(
        document="order",
        company=written.company,
        currency=extract.currency or written.currency,
        date=written.date,
        amounts=_with_sums(summed(nets), extract),
        rows=max(1, len(extract.order.rows)),
        alive=not extract.is_voided and extract.order.status.upper() in ORDERED,
        place=around.account,
        party=around.party_of(extract),
        numbered=extract.number,
        status=extract.order.status,
    )


def loose_order(extract: Extract, around: Surroundings) -> Cin7Copy:
    """Return the order of a purchase that is linked to nothing, dated by the day it was made on."""
    amount = total_of(*(net for _, net in extract.order.rows))
    return Cin7Copy(
        document="order",
        company=around.company_of(extract.marker),
        currency=extract.currency,
        date=extract.made_on,
        amounts=_with_sums({UNCODED: amount}, extract),
        rows=max(1, len(extract.order.rows)),
        alive=not extract.is_voided and extract.order.status.upper() in ORDERED and bool(extract.order.rows),
        place=around.account,
        party=around.party_of(extract),
        numbered=extract.number,
        status=extract.order.status,
        origin="marked" if extract.marker.startswith("IFS PO ") else "hand",
    )


def bill_copy(
    extract: Extract, bill: BillExtract, around: Surroundings, *, origin: Origin, company: str = ""
) -> Cin7Copy:
    """Return one bill; credit notes with the sign that IFS gives them. `company`: where it is known."""
    sign = -1 if bill.credit else 1
    return Cin7Copy(
        document=kind_of_bill(credit=bill.credit),
        company=company or around.company_of(extract.marker),
        currency=extract.currency,
        date=bill.date,
        amounts={name: value * sign for name, value in bill.amounts.items()},
        rows=max(1, bill.rows),
        alive=bill.is_booked,
        place=around.account,
        party=around.party_of(extract),
        number=bill.number,
        numbered=extract.number,
        status=bill.status,
        origin=origin,
    )


def _with_sums(amounts: dict[str, Decimal], extract: Extract) -> dict[str, Decimal]:
    order = extract.order
    if order.tax:
        amounts[TAX] = order.tax
    if order.rest:
        amounts[ROUNDING] = order.rest
    return amounts


def _account(trace: str, accounts: Mapping[str, str]) -> str:
    """Return the account of the line that a trace begins with; a line that nobody knows has none."""
    for begin in _beginnings(trace):
        if begin in accounts:
            return accounts[begin]
    return UNCODED


def _beginnings(trace: str) -> Iterable[str]:
    """Yield the whole trace, and what stands before each of its spaces, the longest first: keys may hold spaces."""
    text = trace
    while text:
        yield text
        text = text.rpartition(" ")[0]

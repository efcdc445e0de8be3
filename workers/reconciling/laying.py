"""Lays what was read of the three sides beside each other, a case per document. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from shared.flows import PURCHASE_ORDERS, SUPPLIER_INVOICES
from workers.reconciling.cin7_side import Surroundings, bill_copy, linked_order, loose_order
from workers.reconciling.copies import Case, Cin7Copy, IfsCopy
from workers.reconciling.extracts import Extract
from workers.reconciling.looking_at_ledger import Written
from workers.reconciling.pairing import Loose

#: Flow and key.
Place = tuple[str, str]
#: A purchase of Cin7 and a bill's task on it; "" is its order.
Task = tuple[str, str]
_OWN: Final = "IFS INV "


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one Cin7 account.

    Attributes:
        linked: key of the record that each order and bill is linked to, of this month or any other.
    """

    around: Surroundings
    extracts: Mapping[str, Extract]
    linked: Mapping[Task, Place]


def laid(
    ifs: Mapping[Place, IfsCopy], known: Mapping[Place, Written], accounts: Mapping[str, Account]
) -> dict[Place, Case]:  # fmt: skip
    """Return the case of every document that was asked for."""
    return {
        place: Case(
            flow=place[0],
            key=place[1],
            ifs=ifs.get(place),
            known=known[place].known if place in known else None,
            cin7=_linked(place, known[place], accounts) if place in known else None,
        )
        for place in {**ifs, **known}
    }


def _linked(place: Place, one: Written, accounts: Mapping[str, Account]) -> Cin7Copy | None:
    """Return Cin7's copy of a document; None where it has none, or one that was not read."""
    if one.link is None or one.link.cin7_account not in accounts:
        return None
    account = accounts[one.link.cin7_account]
    purchase, task = task_of(one.link.cin7_id)
    extract = account.extracts.get(purchase)
    if extract is None:
        return None
    written = one.known.written
    if place[0] == PURCHASE_ORDERS.name:
        if written is not None:
            return linked_order(extract, written, one.accounts, account.around)
        copy = loose_order(extract, account.around)
        return msgspec.structs.replace(copy, origin="ours", company=one.company or copy.company)
    bill = extract.bill(task)
    if bill is None:
        return None
    return bill_copy(extract, bill, account.around, origin="ours", company=written.company if written else one.company)


def loose_of(account: Account, known: Mapping[Place, Written]) -> Iterator[Loose]:
    """Yield what of each purchase is linked to nothing.

    A link that another one of the same document has replaced, in another account, counts for nothing.
    """
    linked = {
        task
        for task, place in account.linked.items()
        if place not in known or _leads_to(known[place], account.around.account)
    }
    carriers = {purchase for purchase, _ in linked}
    for extract in account.extracts.values():
        # The order of an invoice's own purchase is only there to carry it.
        is_ours = extract.id in carriers
        origin = "marked" if extract.marker and not is_ours else "hand"
        bills = {
            bill.task_id: bill_copy(extract, bill, account.around, origin=origin)  # type: ignore[arg-type]
            for bill in extract.bills
            if bill.is_booked and (extract.id, bill.task_id) not in linked
        }
        order = None if is_ours or extract.marker.startswith(_OWN) else loose_order(extract, account.around)
        if order is not None and not order.alive:
            order = None
        if bills or order is not None:
            yield Loose(purchase=extract.id, order=order, bills=bills)


def _leads_to(one: Written, account: str) -> bool:
    return one.link is not None and one.link.cin7_account == account


def task_of(cin7_id: str) -> Task:
    """Return the purchase that a link names, and the task of its bill behind a slash."""
    purchase, _, task = cin7_id.partition("/")
    return purchase, task


def dated_by_cin7(account: Account, known: Mapping[Place, Written], within: Mapping[Task, bool]) -> set[Place]:
    """Return linked bills that only Cin7 dates within the month."""
    return {
        place
        for task, place in account.linked.items()
        if place[0] == SUPPLIER_INVOICES.name and place not in known and within.get(task, False)
    }

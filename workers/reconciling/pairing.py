"""Bills and orders that people keyed in Cin7, laid beside the documents of IFS that they probably are. Pure.

A bill is known by its number and its supplier, and an order that was keyed by hand by one of its bills: Cin7's people
cannot give a purchase a number of their own.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from shared.flows import PURCHASE_ORDERS, SUPPLIER_INVOICES
from workers.reconciling.copies import Case, Cin7Copy

#: Begins the keys of cases that no document of IFS stands behind.
LOOSE: Final = "cin7:"


class Loose(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase that is linked to nothing: its order, and its bills by task. Those that are linked are left out."""

    purchase: str
    order: Cin7Copy | None = None
    bills: Mapping[str, Cin7Copy] = {}


def paired(cases: Mapping[tuple[str, str], Case], loose: Sequence[Loose]) -> dict[tuple[str, str], Case]:
    """Return the cases, those that have nothing in Cin7 with what was keyed by hand, and one for each that is left."""
    found = dict(cases)
    wanted = _by_number(cases)
    for one in loose:
        alone: dict[str, Cin7Copy] = {}
        partners: list[Case] = []
        for task, bill in one.bills.items():
            place = wanted.get(_number(bill)) if bill.alive else None
            if place is None or found[place].cin7 is not None:
                alone[task] = bill
                continue
            partners.append(found[place])
            found[place] = _joined(found[place], bill)
        for task, bill in alone.items():
            key = f"{LOOSE}{bill.place}/{bill.numbered}/{bill.number or task}"
            found[SUPPLIER_INVOICES.name, _unused(found, SUPPLIER_INVOICES.name, key, task)] = Case(
                flow=SUPPLIER_INVOICES.name, key=_unused(found, SUPPLIER_INVOICES.name, key, task), cin7=bill
            )
        if one.order is not None:
            _place_order(found, one.order, partners, whole=not alone)
    return found


def _place_order(
    found: dict[tuple[str, str], Case], order: Cin7Copy, partners: Sequence[Case], *, whole: bool
) -> None:  # fmt: skip
    """Lay an order that was keyed by hand beside the one that its bills belong to.

    Where its bills have no order in IFS, it only carries them, since Cin7 has no bill without an order.
    """
    named = {case.ifs.order for case in partners if case.ifs and case.ifs.order}
    for key in sorted(named):
        case = found.get((PURCHASE_ORDERS.name, key))
        if case is not None and case.cin7 is None and case.ifs is not None:
            # Cin7 dates an order by the day it was keyed; what it is the order of is dated by IFS.
            joined = msgspec.structs.replace(order, date=case.ifs.date, company=case.ifs.company)
            found[PURCHASE_ORDERS.name, key] = msgspec.structs.replace(case, cin7=joined)
            return
    if partners and whole and not named:
        return
    key = f"{LOOSE}{order.place}/{order.numbered}"
    found[PURCHASE_ORDERS.name, key] = Case(flow=PURCHASE_ORDERS.name, key=key, cin7=order)


def _joined(case: Case, bill: Cin7Copy) -> Case:
    company = case.ifs.company if case.ifs else bill.company
    return msgspec.structs.replace(case, cin7=msgspec.structs.replace(bill, company=company))


def _by_number(cases: Mapping[tuple[str, str], Case]) -> dict[tuple[str, str, str, str], tuple[str, str]]:
    """Return the places of IFS's bills that have nothing in Cin7; a number that occurs twice leads to neither."""
    found: dict[tuple[str, str, str, str], tuple[str, str]] = {}
    twice = set()
    for place, case in cases.items():
        ifs = case.ifs
        if ifs is None or case.cin7 is not None or not ifs.alive or not ifs.number or ifs.document == "order":
            continue
        known = (ifs.place, ifs.party.casefold(), ifs.document, ifs.number.strip().casefold())
        if known in found:
            twice.add(known)
        found[known] = place
    return {known: place for known, place in found.items() if known not in twice}


def _number(bill: Cin7Copy) -> tuple[str, str, str, str]:
    return bill.place, bill.party.casefold(), bill.document, bill.number.strip().casefold()


def _unused(found: Mapping[tuple[str, str], Case], flow: str, key: str, task: str) -> str:
    """Return the key, or one that its task makes another where two bills of one purchase have the same number."""
    return f"{key}/{task}" if (flow, key) in found else key

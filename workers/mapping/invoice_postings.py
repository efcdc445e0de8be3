"""Which postings of an invoice carry the cost of which of its items. Pure.

A tenant may say of each posting which item it is of. Where it does not, a posting belongs to the item of the same
amount; where that leaves a choice between accounts, nothing is guessed. Postings on the payable account are never cost,
and a posting of just the item's tax is left out where the others make up the item's amount.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from shared.findings import Finding
from shared.ifs.records.supplier_invoices import InvoiceItem, InvoicePosting
from shared.money import agree, total_of, usable
from workers.mapping.companies import Destination
from workers.mapping.texts import invalid

_ZERO: Final = Decimal(0)


class Coded(msgspec.Struct, frozen=True):
    """One item and the postings that carry its cost, in order; none where there are none."""

    item: InvoiceItem
    postings: tuple[InvoicePosting, ...]


class Coding(msgspec.Struct, frozen=True):
    """What tells cost from the rest."""

    destination: Destination
    #: (company, IFS account) to Cin7 code
    accounts: dict[tuple[str, str], str]
    ignored_types: tuple[str, ...]
    tolerance: Decimal

    def cost(self, postings: Sequence[InvoicePosting]) -> list[InvoicePosting]:
        """Return the postings that may carry cost."""
        ignored = {kind.casefold() for kind in self.ignored_types}
        return [
            posting
            for posting in postings
            if (posting.posting_type or "").strip().casefold() not in ignored and not self._is_payable(posting)
        ]

    def _is_payable(self, posting: InvoicePosting) -> bool:
        account = account_of(posting)
        code = self.accounts.get((self.destination.code, account), account)
        held = self.destination.reference.accounts.get(code)
        return held is not None and held.payable


def account_of(posting: InvoicePosting) -> str:
    return (posting.code_a or "").strip()


def coded_items(
    items: Sequence[InvoiceItem], postings: Sequence[InvoicePosting], coding: Coding, findings: list[Finding]
) -> list[Coded]:
    """Return every item with its postings; `findings` gains a reason for each that is in doubt."""
    cost = coding.cost(postings)
    if len(items) == 1:
        own = {items[0].item_id: cost}
    elif any(posting.item_id is not None for posting in cost):
        own = {item.item_id: [posting for posting in cost if posting.item_id == item.item_id] for item in items}
    else:
        own = _by_amount(items, cost, coding, findings)
    return [Coded(item, _carrying(item, own.get(item.item_id, []), coding, findings)) for item in items]


def _by_amount(
    items: Sequence[InvoiceItem], cost: Sequence[InvoicePosting], coding: Coding, findings: list[Finding]
) -> dict[int, list[InvoicePosting]]:
    """Return the postings of the items' amounts. One item whose amount no posting has gets what is left."""
    found: dict[int, list[InvoicePosting]] = {}
    left = list(cost)
    accounts = {account_of(posting) for posting in cost}
    for amount in dict.fromkeys(item.net_curr_amount for item in items):
        equal = [item for item in items if item.net_curr_amount == amount]
        fitting = [posting for posting in left if posting.curr_amount == amount]
        if len(fitting) > len(equal) and len({account_of(posting) for posting in fitting}) > 1:
            findings.extend(_doubt(item, coding) for item in equal)
        for item, posting in zip(equal, fitting, strict=False):
            found[item.item_id] = [posting]
            left.remove(posting)
    open_items = [item for item in items if item.item_id not in found and item.net_curr_amount]
    for item in open_items:
        if len(open_items) == 1:
            found[item.item_id] = left
        elif len(accounts) == 1:
            found[item.item_id] = [msgspec.structs.replace(cost[0], curr_amount=item.net_curr_amount)]
    return found


def _carrying(
    item: InvoiceItem, own: Sequence[InvoicePosting], coding: Coding, findings: list[Finding]
) -> tuple[InvoicePosting, ...]:
    """Return those of the item's postings that make up its amount."""
    net, tax = item.net_curr_amount, item.vat_curr_amount or _ZERO
    if not own or _sums_to(own, net, coding.tolerance):
        return tuple(own)
    rests = [[other for other in own if other is not posting] for posting in own if tax and posting.curr_amount == tax]
    fitting = [rest for rest in rests if _sums_to(rest, net, coding.tolerance)]
    if len({tuple(map(account_of, rest)) for rest in fitting}) > 1:
        findings.append(_doubt(item, coding))
        return ()
    if fitting:
        return tuple(fitting[0])
    amounts = " + ".join(str(posting.curr_amount) for posting in own)
    findings.append(
        coding.destination.finding(
            "total.mismatch",
            f"item {item.item_id} CurrAmount",
            f"{net} / {amounts}",
            message=f"Item {item.item_id} is {net} without tax in IFS, its postings are {amounts}.",
            remedy="Correct the postings in IFS, or name the posting types without cost in ignored_posting_types.",
        )
    )
    return ()


def _sums_to(postings: Sequence[InvoicePosting], amount: Decimal, tolerance: Decimal) -> bool:
    amounts = [posting.curr_amount for posting in postings]
    known = [value for value in amounts if value is not None and usable(value)]
    return len(known) == len(amounts) and bool(known) and agree(total_of(*known), amount, tolerance)


def _doubt(item: InvoiceItem, coding: Coding) -> Finding:
    return invalid(
        f"item {item.item_id} CodeA",
        item.net_curr_amount,
        f"Several postings have the amount of item {item.item_id}, on different accounts, and none says whose it is.",
        "Name the property that tells a posting's item as item_id in the stream's postings fields, or the posting "
        "types without cost in ignored_posting_types.",
        coding.destination.code,
    )

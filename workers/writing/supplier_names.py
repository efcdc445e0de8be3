"""Names that another supplier of Cin7 has: refused as a possible duplicate, or waited for where it is about to go."""

from typing import Final

import msgspec

from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.ledger import entries, links
from shared.ledger.links import Link
from workers.mapping.suppliers import NAME_MAX
from workers.writing.matching import fold_name
from workers.writing.supplier_account import FLOW, SupplierAccount
from workers.writing.supplier_links import common_of, link_with
from workers.writing.suppliers import Update

#: Takes another name for a while, of two suppliers that wait for each other's.
STEP_ASIDE: Final = "step aside"
#: Seconds for which a supplier rests whose name another one is about to give up.
NAME_S: Final = 2.0


def says_taken(held: Held) -> bool:
    """Say whether Cin7 refuses a name because another supplier has it. Its words: docs/apis/cin7.md#supplier."""
    text = " ".join(finding.value for finding in held.findings).lower()
    return any(word in text for word in ("already exist", "unique", "duplicate"))


def name_taken(at: SupplierAccount, held: Held) -> Held:
    """Return why it is held: a name that somebody gave to another supplier since we looked is a possible duplicate."""
    if not says_taken(held):
        return held
    finding = Finding(
        code="supplier.possible-duplicate",
        field="Name",
        value=at.key,
        company=at.company,
        message=f"Cin7 account {at.account.name} has a supplier named {at.wanted.name} already.",
        remedy=f"Link it with `connector suppliers link {at.key} CIN7_ID`, or rename one of them.",
    )
    return Held([finding])


async def make_room(at: SupplierAccount, link: Link, plan: Update, held: Held) -> None:
    """Wait for a name that another supplier is about to give up; of two that wait for each other one steps aside.

    Raises:
        Retryable: the name will be free.
        Held: it will not.
    """
    name = plan.supplier.name
    holders = [
        one.id or ""
        for one in await at.named(name)
        if fold_name(one.name) == fold_name(name) and one.id != link.cin7_id
    ]
    with at.desk.ledger.transaction() as cur:
        other = links.owner(cur, FLOW, at.account.name, holders[0]) if holders else None
        moves = other is not None and entries.is_moving(cur, FLOW, other)
    if other is None or not moves:
        raise name_taken(at, held) from held
    aside = f"{name[: NAME_MAX - len(at.key) - 3]} ({at.key})"
    if at.key < other and fold_name(plan.common.supplier.name if plan.common.supplier else "") != fold_name(aside):
        await _step_aside(at, link, aside)
    raise Retryable(f"supplier {other} is about to give up the name {name}", delay_s=NAME_S, executed=False)


async def _step_aside(at: SupplierAccount, link: Link, aside: str) -> None:
    """Give up our name for now, so that whoever waits for it can go on."""
    current = await at.read(link.cin7_id)
    if fold_name(current.name) == fold_name(aside):
        return
    await at.send(msgspec.structs.replace(current, name=aside), STEP_ASIDE)
    remember_aside(at, link, aside)


def remember_aside(at: SupplierAccount, link: Link, aside: str) -> None:
    """Note our own name for the while, so that nobody takes it for a person's."""
    common = common_of(link)
    if common.supplier is not None:
        common = msgspec.structs.replace(common, supplier=msgspec.structs.replace(common.supplier, name=aside))
        at.link = link_with(link, common)
        at.session.pending.store(at.link, wrote="cin7")

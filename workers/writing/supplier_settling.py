"""Finds out what became of a supplier's calls whose answers were lost, before anything is sent again."""

from collections.abc import Sequence

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.errors import Held, Retryable
from shared.ledger import effects, links
from shared.ledger.effects import Effect
from workers.mapping.results import SupplierWrites
from workers.writing.reasons import supplier_twice
from workers.writing.supplier_account import FLOW, SupplierAccount
from workers.writing.supplier_names import STEP_ASIDE, remember_aside
from workers.writing.suppliers import differences


async def settle(at: SupplierAccount, lost: Sequence[Effect]) -> None:
    """Settle every lost call of this account; a create that is found becomes the link.

    Raises:
        Retryable: it is too early to look.
        Held: a create is there more than once.
    """
    youngest = min(effect.age_s for effect in lost)
    if youngest < at.settings.settle_s:
        delay_s = at.settings.settle_s - youngest
        raise Retryable("waits before it looks for a lost answer", delay_s=delay_s, executed=False)
    for effect in lost:
        if effect.step == "create":
            await _settle_create(at, effect)
        elif at.link is not None:
            current = await at.read(at.link.cin7_id)
            if effect.step == STEP_ASIDE and current.name == effect.marker:
                remember_aside(at, at.link, current.name)
            left = differences(at.wanted, current)
            if left:
                at.session.resolve(effect, "REFUSED", f"not as wanted when read back: {', '.join(left)}")
            else:
                at.session.resolve(effect, "APPLIED", "found as wanted when read back")


async def _settle_create(at: SupplierAccount, effect: Effect) -> None:
    """Look for our own create by the name it was sent with and the marker in it."""
    named = await at.named(effect.marker)
    number = at.settings.supplier_number_attribute
    marker = at.wanted.attributes.get(number, "")
    hits = [found for found in named if marker and found.attributes.get(number, "") == marker]
    if not hits:
        # Without an attribute set Cin7 ignores the marker: then only what is ours in every field is ours.
        sent = _sent(at, effect)
        hits = [found for found in _unlinked(at, named) if not differences(sent, found)]
    if len(hits) > 1:
        raise Held([supplier_twice(marker, hits)])
    if not hits:
        at.session.resolve(effect, "REFUSED", "no supplier with this marker after settling", unfound=True)
        return
    at.link = at.link_to(hits[0].id or "", hits[0].name)
    at.session.resolve(effect, "APPLIED", "found by its marker", at.link)


def _sent(at: SupplierAccount, effect: Effect) -> Supplier:
    """Return the supplier as it was sent then: IFS may want another by now."""
    with at.desk.ledger.transaction() as cur:
        body = effects.intended(cur, effect)
    writes = msgspec.json.decode(body, type=SupplierWrites).writes if body else ()
    return next((write.supplier for write in writes if write.account == at.account.name), at.wanted)


def _unlinked(at: SupplierAccount, named: Sequence[Supplier]) -> list[Supplier]:
    with at.desk.ledger.transaction() as cur:
        taken = links.linked_ids(cur, FLOW, at.account.name, [found.id or "" for found in named])
    return [found for found in named if found.id not in taken]

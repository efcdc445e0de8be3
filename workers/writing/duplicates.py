"""Finds the duplicates that one window leaves open: a create whose answer was lost, looked for in vain, sent again.

Cin7 may have executed the first call after all, later than anybody looked. Each such create is looked at once more,
some time afterwards, by its marker.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from shared import flows
from shared.cin7.client import every
from shared.cin7.records.purchases import Purchase
from shared.findings import Finding
from shared.ledger import causes, events, links
from shared.ledger.connection import Cur, Ledger
from shared.ledger.links import Link
from workers.mapping.results import InvoiceWrite, PurchaseWrite, SupplierWrites
from workers.writing import purchase_orders, supplier_invoices
from workers.writing.desk import Account
from workers.writing.session import LOOK_BACK_S

log = structlog.get_logger()

#: Seconds after which a create that was sent twice is looked at again: longer than any call takes on either side.
AFTER_S: Final = 600.0
LIMIT: Final = 20
LANE: Final = "reconciliation"
#: Field of the finding that names a twin.
FIELD: Final = "duplicate"


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A create that was sent again, and the link its record has now."""

    effect_id: int
    entry_id: int
    round: int
    flow: str
    key: str
    company: str
    account: str
    intent_at: datetime
    mapped: bytes


#: Returns the names of all records in Cin7 that bear the marker of one of ours, but are not the one that is linked.
Finder = Callable[[Account, Suspect, Link, Ledger], list[str]]


class DuplicateWatch:
    """Looks once at every suspect; what it finds becomes a cause that a person settles."""

    def __init__(self, ledger: Ledger, actor: str, account: Callable[[str], Account], after_s: float = AFTER_S) -> None:
        self.ledger = ledger
        self.actor = actor
        self.account = account
        self.after_s = after_s

    def look(self) -> list[str]:
        """Look at the suspects that are old enough; return the duplicates found.

        Raises:
            Retryable: Cin7 does not answer; the rest is looked at next time.
        """
        with self.ledger.transaction() as cur:
            waiting = suspects(cur, self.after_s)
        found: list[str] = []
        for suspect in waiting:
            with self.ledger.transaction() as cur:
                link = links.find(cur, suspect.flow, suspect.key, suspect.account)
            twins = (
                [] if link is None else FINDERS[suspect.flow](self.account(suspect.account), suspect, link, self.ledger)
            )
            with self.ledger.transaction() as cur:
                self._record(cur, suspect, twins)
            found += twins
        return found

    def _record(self, cur: Cur, suspect: Suspect, twins: Sequence[str]) -> None:
        """Open a cause for a twin, once; close it when a later look finds none."""
        cur.execute("update effect set rechecked_at = now() where id = %s", (suspect.effect_id,))
        known = cur.execute(
            "select id from finding where entry_id = %s and field = %s and open", (suspect.entry_id, FIELD)
        ).fetchall()
        if not twins:
            cur.execute("update finding set open = false where id = any(%s)", ([row[0] for row in known],))
        if not twins or known:
            return
        names = ", ".join(twins)
        finding = Finding(
            code="target.refused",
            field=FIELD,
            value=f"{suspect.flow} {suspect.key}",
            company=suspect.company,
            message=f"Cin7 account {suspect.account} holds {suspect.key} more than once: also {names}.",
            remedy=f"Void or deprecate {names} in Cin7; the linked one stays. This closes when it is gone.",
        )
        causes.keep_findings(cur, suspect.entry_id, suspect.round, [finding])
        events.note(cur, suspect.entry_id, actor=self.actor, why=finding.message)
        log.error("a duplicate was found in Cin7", flow=suspect.flow, record=suspect.key, also=list(twins))


def suspects(cur: Cur, after_s: float) -> list[Suspect]:
    """Return the creates that were sent again long enough ago and not looked at since, and those that left a twin."""
    rows = cur.execute(
        """
        select f.id, e.id, e.round, f.flow, f.key, e.company, split_part(f.target, '/', 2), f.intent_at, b.raw
        from effect f join entry e on e.id = f.entry_id
        join body b on b.entry_id = e.id and b.kind = 'mapped' and b.round = e.round and b.at = e.detected_at
        where f.step = 'create' and f.state = 'REFUSED' and f.unfound
          and coalesce(f.rechecked_at, f.ended_at) < now() - make_interval(secs => %s)
          and (f.rechecked_at is null
               or exists (select 1 from finding n where n.entry_id = e.id and n.field = %s and n.open))
        order by f.id limit %s
        """,
        (after_s, FIELD, LIMIT),
    ).fetchall()
    return [Suspect(**dict(zip(Suspect.__struct_fields__, (*row[:8], bytes(row[8])), strict=True))) for row in rows]


def twin_orders(account: Account, suspect: Suspect, link: Link, ledger: Ledger) -> list[str]:
    """Return the numbers of other purchases with the order's marker."""
    write = msgspec.json.decode(suspect.mapped, type=PurchaseWrite)
    return _twin_purchases(account, suspect, link, ledger, lambda found: purchase_orders.carries_marker(found, write))


def twin_invoices(account: Account, suspect: Suspect, link: Link, ledger: Ledger) -> list[str]:
    """Return the numbers of other purchases that were made for the same invoice without an order."""
    write = msgspec.json.decode(suspect.mapped, type=InvoiceWrite)
    return _twin_purchases(account, suspect, link, ledger, lambda found: supplier_invoices.carries_marker(found, write))


def _twin_purchases(
    account: Account, suspect: Suspect, link: Link, ledger: Ledger, bears: Callable[[Purchase], bool]
) -> list[str]:
    since = f"{suspect.intent_at.astimezone(UTC) - timedelta(seconds=LOOK_BACK_S):%Y-%m-%dT%H:%M:%S}.000"
    rows = list(every(lambda page: account.client.purchase_list(page, updated_since=since, lane=LANE)))
    ours = link.cin7_id.partition("/")[0]
    with ledger.transaction() as cur:
        taken = links.linked_ids(cur, suspect.flow, suspect.account, [row.id for row in rows]) | {ours}
    found = (account.client.purchase(row.id, lane=LANE) for row in rows if row.id not in taken)
    return [purchase.order_number for purchase in found if bears(purchase) and not purchase_orders.is_voided(purchase)]


def twin_suppliers(account: Account, suspect: Suspect, link: Link, _ledger: Ledger) -> list[str]:
    """Return the other suppliers with the same marker; names are unique in Cin7, so a twin bears another one."""
    writes = msgspec.json.decode(suspect.mapped, type=SupplierWrites).writes
    wanted = next((write.supplier for write in writes if write.account == suspect.account), None)
    if wanted is None:
        return []
    named = account.client.supplier_by_name(wanted.name, lane=LANE)
    return [
        f"{found.name} ({found.id})"
        for found in named
        if found.id != link.cin7_id
        and any(text and found.attributes.get(number) == text for number, text in wanted.attributes.items())
    ]


FINDERS: Final[Mapping[str, Finder]] = {
    flows.SUPPLIERS.name: twin_suppliers,
    flows.PURCHASE_ORDERS.name: twin_orders,
    flows.SUPPLIER_INVOICES.name: twin_invoices,
}

"""What writing an order and writing an invoice share: the calls on one purchase, and finding it after a lost answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta

from shared import flows
from shared.cin7.client import LIMIT_MAX
from shared.cin7.records.purchases import Purchase, PurchaseHeader, PurchaseRow
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.ledger import effects, links
from shared.ledger.connection import Cur
from shared.ledger.effects import Effect
from shared.ledger.links import Link
from workers.writing.desk import Account, Desk
from workers.writing.session import LOOK_BACK_S, Session


class PurchaseWork(ABC):
    """The calls of one claimed document on its purchase, in order.

    Args:
        link: of the document, if it has been written before, wholly or in part.
        marker: what the purchase that is made for the document bears.
    """

    flow: str

    def __init__(self, session: Session, desk: Desk, account: Account, link: Link | None, marker: str) -> None:
        self.session = session
        self.desk = desk
        self.account = account
        self.settings = desk.settings.cin7[account.name]
        self.link = link
        self.marker = marker
        self.current: Purchase | None = None

    @abstractmethod
    def bears(self, purchase: Purchase) -> bool:
        """Say whether a purchase is the one that was made for this document."""

    @abstractmethod
    def supplier_keys(self, sent: bytes | None) -> set[str]:
        """Return the suppliers whose purchase it may be: of the document now, and as it was sent."""

    @abstractmethod
    async def settled(self) -> bool:
        """Say whether nothing is left to do, by what Cin7 holds now."""

    @property
    def purchase_id(self) -> str:
        """The purchase that the document is written to; "" while there is none."""
        return self.link.cin7_id.partition("/")[0] if self.link else ""

    async def settle(self, lost: Sequence[Effect]) -> None:
        """Find out what became of calls whose answers were lost, before anything is sent again."""
        youngest = min(effect.age_s for effect in lost)
        if youngest < self.settings.settle_s:
            raise Retryable(
                "waits before it looks for a lost answer", delay_s=self.settings.settle_s - youngest, executed=False
            )
        for effect in lost:
            if effect.step == "create":
                await self._settle_create(effect)
        others = [effect for effect in lost if effect.step != "create"]
        if others and self.purchase_id:
            there = await self.settled()
            for effect in others:
                if there:
                    self.session.resolve(effect, "APPLIED", "found as wanted when read back")
                else:
                    self.session.resolve(effect, "REFUSED", "not as wanted when read back; decided again from there")

    async def _settle_create(self, effect: Effect) -> None:
        hits = await self._look_for(effect)
        if len(hits) > 1:
            raise Held([_twice(effect.marker, hits)])
        if not hits:
            self.session.resolve(effect, "REFUSED", "no purchase with this marker after settling", unfound=True)
            return
        found = hits[0]
        link = self.link = self.link_to(found.id, found.order_number)
        self.session.resolve(effect, "APPLIED", f"found as {found.order_number}", link)

    async def _look_for(self, effect: Effect) -> list[Purchase]:
        since = effect.intent_at.astimezone(UTC) - timedelta(seconds=LOOK_BACK_S)
        rows = await self._listed(f"{since:%Y-%m-%dT%H:%M:%S}.000")
        with self.desk.ledger.transaction() as cur:
            taken = links.linked_ids(cur, self.flow, self.account.name, [row.id for row in rows])
            vendors = self._vendors(cur, effect)
        hits = []
        for row in rows:
            if row.id in taken or row.status.upper().startswith("VOID") or row.supplier_id not in vendors:
                continue
            purchase = await self.read(row.id)
            if self.bears(purchase):
                hits.append(purchase)
        return hits

    def _vendors(self, cur: Cur, effect: Effect) -> set[str]:
        """Return the Cin7 suppliers whose purchase it may be.

        By id: a supplier may have another name by now, and the list finds purchases by the name they were made with.
        """
        keys = self.supplier_keys(effects.intended(cur, effect))
        found = links.of_keys(cur, flows.SUPPLIERS.name, sorted(keys))
        return {
            link.cin7_id for of_key in found.values() for link in of_key if link.cin7_account == self.account.name
        } | {""}

    async def _listed(self, since: str) -> list[PurchaseRow]:
        """Return all purchases that were changed since."""
        client, rows, page = self.account.client, list[PurchaseRow](), 1
        while True:
            total, found = await self.session.read(
                self.account,
                lambda slot, page=page: client.purchase_list(page, updated_since=since, slot=slot),  # type: ignore[misc]
            )
            rows += found
            if not found or page * LIMIT_MAX >= total:
                return rows
            page += 1

    async def read(self, purchase_id: str) -> Purchase:
        return await self.session.read(self.account, lambda slot: self.account.client.purchase(purchase_id, slot=slot))

    def link_to(self, cin7_id: str, number: str) -> Link:
        return Link(
            flow=self.flow,
            ifs_key=self.session.claim.key,
            cin7_account=self.account.name,
            cin7_id=cin7_id,
            cin7_number=number,
            written=b"",
            version=self.session.claim.version,
            verified=False,
        )

    async def create(self, header: PurchaseHeader) -> None:
        """Create the purchase; its link is stored with the outcome."""
        created = await self.session.write(
            self.account,
            step="create",
            request="POST /advanced-purchase",
            body=header,
            call=lambda slot: self.account.client.create_purchase(header, slot=slot),
            applied=lambda answer: self.link_to(answer.id, answer.order_number),
            marker=self.marker,
        )
        self.current = created
        self.link = self.link_to(created.id, created.order_number)

    async def send(self, step: str, request: str, body: object, call: Callable[..., object]) -> None:
        """Make a call that changes the purchase and can be made again after a look at what is there."""
        await self.session.write(
            self.account, step=step, request=request, body=body, call=lambda slot: call(slot=slot), marker=self.marker
        )


def otherwise(differences: Sequence[str], number: str, company: str) -> Finding:
    """Return the reason to hold what Cin7 took, but holds otherwise than it was sent."""
    return Finding(
        code="target.refused",
        field=", ".join(difference.partition(":")[0] for difference in differences),
        value=number,
        company=company,
        message=f"Cin7 took {number} but holds it otherwise: {'; '.join(differences[:5])}.",
        remedy=f"Look at {number} in Cin7; correct it there or in IFS, then replay.",
    )


def _twice(marker: str, hits: Sequence[Purchase]) -> Finding:
    numbers = ", ".join(sorted(hit.order_number for hit in hits))
    return Finding(
        code="target.refused",
        field="Note",
        value=numbers,
        message=f"Cin7 holds {marker} more than once: {numbers}.",
        remedy="Void all but one of them in Cin7, then replay.",
    )

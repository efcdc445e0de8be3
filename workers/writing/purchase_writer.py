"""Brings one purchase order into Cin7: header, then order, each call recorded and resumable; read back at the end."""

from collections.abc import Sequence
from functools import partial

import msgspec

from shared import flows
from shared.cin7.records.purchases import Purchase
from shared.cin7.records.suppliers import Supplier
from shared.errors import Held
from shared.ledger.links import Link
from shared.money import tolerance_from
from workers.mapping.results import PurchaseWrite
from workers.writing.dependencies import wait_for
from workers.writing.desk import Account, Desk
from workers.writing.purchase_orders import (
    CreateHeader,
    Step,
    Undo,
    UpdateHeader,
    Void,
    WriteOrder,
    addressed,
    carries_marker,
    check_supplier,
    order_differences,
    plan_purchase,
)
from workers.writing.purchase_work import PurchaseWork, otherwise
from workers.writing.session import Session

FLOW = flows.PURCHASE_ORDERS.name


def targets(mapped: bytes, written: Sequence[Link]) -> list[str]:
    """Return the Cin7 account to call; none where the ledger shows this body as written and read back."""
    if any(link.written == mapped and link.verified for link in written):
        return []
    return [msgspec.json.decode(mapped, type=PurchaseWrite).account]


async def write_purchase(session: Session, desk: Desk) -> None:
    """Write one claimed purchase order.

    Raises:
        Held: Cin7 or the plan refuses.
        Retryable: an answer was lost or refused for its rate; the next claim resumes from what is there.
    """
    write = msgspec.json.decode(session.claim.mapped, type=PurchaseWrite)
    account = desk.account(write.account)
    link = session.link(write.account)
    (supplier,) = await session.links([(flows.SUPPLIERS.name, write.supplier_key, write.account)])
    if (supplier is None or not supplier.written) and not (write.void and link is None and not session.lost):
        wait_for(session, flows.SUPPLIERS.name, write.supplier_key, write.account)
        return
    if supplier is not None and supplier.written:
        theirs = msgspec.structs.replace(msgspec.json.decode(supplier.written, type=Supplier), id=supplier.cin7_id)
        if mismatch := check_supplier(write, theirs):
            raise Held(mismatch)
        write = addressed(write, theirs)
    work = _Work(session, desk, account, write, link)
    if session.lost:
        await work.settle(session.lost)
    await work.run()


class _Work(PurchaseWork):
    """The calls of one purchase order, in order."""

    flow = FLOW

    def __init__(self, session: Session, desk: Desk, account: Account, write: PurchaseWrite, link: Link | None) -> None:
        super().__init__(session, desk, account, link, write.order.memo)
        self.write = write
        self._sent = write

    def bears(self, purchase: Purchase) -> bool:
        return carries_marker(purchase, self.write)

    def supplier_keys(self, sent: bytes | None) -> set[str]:
        before = {msgspec.json.decode(sent, type=PurchaseWrite).supplier_key} if sent else set()
        return {self.write.supplier_key} | before

    async def settled(self) -> bool:
        return plan_purchase(self.write, await self.read(self.purchase_id), None) == ()

    async def run(self) -> None:
        if self.link is not None:
            self.current = await self.read(self.link.cin7_id)
        steps = plan_purchase(self.write, self.current, self._written())
        if isinstance(steps, list):
            raise Held(steps)
        for step in steps:
            await self._take(step)
        if self.link is None:
            await self.session.finish("nothing of it was in Cin7")
            return
        if steps and self.settings.read_back:
            self._require_as_written(await self.read(self.link.cin7_id))
        self.session.satisfy(
            msgspec.structs.replace(
                self.link, written=self.session.claim.mapped, version=self.session.claim.version, verified=True
            )
        )
        await self.session.finish("" if steps else "as wanted already")

    def _written(self) -> PurchaseWrite | None:
        if self.link is None or not self.link.written:
            return None
        return msgspec.json.decode(self.link.written, type=PurchaseWrite)

    async def _take(self, step: Step) -> None:
        client, purchase = self.account.client, self.purchase_id
        match step:
            case CreateHeader(header=header):
                await self.create(header)
            case UpdateHeader(header=header):
                self._sent = msgspec.structs.replace(self.write, header=header)
                await self.send(
                    "header", "PUT /advanced-purchase", header, partial(client.update_purchase, purchase, header)
                )
            case WriteOrder(order=order):
                await self.send("order", "POST /purchase/order", order, partial(client.write_order, purchase, order))
            case Undo():
                path = "DELETE /advanced-purchase?Void=false"
                await self.send("undo", path, purchase, partial(client.undo_purchase, purchase))
            case Void():
                path = "DELETE /advanced-purchase?Void=true"
                await self.send("void", path, purchase, partial(client.void_purchase, purchase))

    def _require_as_written(self, got: Purchase) -> None:
        tolerance = tolerance_from(self.desk.settings.policy.total_tolerance)
        if differences := order_differences(self._sent, got, tolerance, written=self._written()):
            raise Held([otherwise(differences, got.order_number, self.write.company)])

"""Brings a supplier invoice or credit note into Cin7: onto its order's purchase, or onto one of its own; read back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import msgspec

from shared import flows
from shared.cin7.records.purchases import Purchase
from shared.cin7.records.suppliers import Supplier
from shared.errors import Held, Retryable
from shared.ledger import links
from shared.ledger.connection import Ledger
from shared.ledger.detecting import database_now
from shared.ledger.links import Link
from shared.money import tolerance_from
from workers.mapping.results import InvoiceWrite
from workers.writing.dependencies import missing, wait_for
from workers.writing.desk import Account, Desk
from workers.writing.purchase_orders import CreateHeader, Undo, Void, WriteOrder
from workers.writing.purchase_work import PurchaseWork, otherwise
from workers.writing.session import Session
from workers.writing.supplier_invoices import (
    Step,
    UndoInvoice,
    VoidCreditNote,
    VoidInvoice,
    WriteCreditNote,
    WriteInvoice,
    addressed,
    carries_marker,
    check_supplier,
    held_bills,
    invoice_differences,
    plan_invoice,
    with_task,
)

FLOW = flows.SUPPLIER_INVOICES.name


def targets(mapped: bytes, written: Sequence[Link]) -> list[str]:
    """Return the Cin7 account to call; none where the ledger shows this body as written and read back."""
    if any(link.written == mapped and link.verified for link in written):
        return []
    return [msgspec.json.decode(mapped, type=InvoiceWrite).account]


async def write_invoice(session: Session, desk: Desk) -> None:
    """Write one claimed invoice or credit note.

    Raises:
        Held: Cin7 or the plan refuses.
        Retryable: an answer was lost or refused for its rate; the next claim resumes from what is there.
    """
    write = msgspec.json.decode(session.claim.mapped, type=InvoiceWrite)
    account = desk.account(write.account)
    flow, key = home(write)
    link = session.link(write.account)
    needed, supplier = await session.links(
        [(flow, key, write.account), (flows.SUPPLIERS.name, write.supplier_key, write.account)]
    )
    if write.void and link is None and not session.lost:  # Never written, so that nothing has to come first.
        await session.finish("nothing of it was in Cin7")
        return
    if needed is None or not needed.written:
        wait_for(session, flow, key, write.account)
        return
    if supplier is not None and supplier.written:
        theirs = msgspec.structs.replace(msgspec.json.decode(supplier.written, type=Supplier), id=supplier.cin7_id)
        if mismatch := check_supplier(write, theirs):
            raise Held(mismatch)
        write = addressed(write, theirs)
    work = _Work(session, desk, account, write, link, None if write.own else needed)
    with alone_on(desk.ledger, work.purchase_id):
        if session.lost:
            await work.settle(session.lost)
        await work.run()


@contextmanager
def alone_on(ledger: Ledger, purchase_id: str) -> Iterator[None]:
    """Let one writer at a time work on the bills of a purchase: two would take the same place that is free for one.

    The lock is this thread's connection's: it ends with the process, whatever happens.

    Raises:
        Retryable: another writer is at it.
    """
    if not purchase_id:
        yield
        return
    name = f"bills of {purchase_id}"
    if not ledger.rows("select pg_try_advisory_lock(hashtextextended(%s, 3))", (name,))[0][0]:
        raise Retryable("another bill of the same purchase is being written", delay_s=1.0, executed=False)
    try:
        yield
    finally:
        with suppress(Retryable):
            ledger.rows("select pg_advisory_unlock(hashtextextended(%s, 3))", (name,))


def home(write: InvoiceWrite) -> tuple[str, str]:
    """Return the flow and key of what must be in Cin7 before: its order, the invoice it takes back, or its supplier."""
    if write.order_key:
        return flows.PURCHASE_ORDERS.name, write.order_key
    if write.credited_key:
        return FLOW, write.credited_key
    return flows.SUPPLIERS.name, write.supplier_key


class _Work(PurchaseWork):
    """The calls of one invoice or credit note, in order.

    Its link names the purchase and, behind a slash, the task: several invoices may belong to one purchase.

    Args:
        parent: the link of the order or invoice whose purchase it goes to; None: it has a purchase of its own.
    """

    flow = FLOW

    def __init__(
        self,
        session: Session,
        desk: Desk,
        account: Account,
        write: InvoiceWrite,
        link: Link | None,
        parent: Link | None,
    ) -> None:
        super().__init__(session, desk, account, link, write.marker)
        self.write = write
        self.parent = parent
        self.tolerance = tolerance_from(desk.settings.policy.total_tolerance)
        with desk.ledger.transaction() as cur:
            self.began_at = database_now(cur)

    @property
    def purchase_id(self) -> str:
        return self.parent.cin7_id.partition("/")[0] if self.parent else super().purchase_id

    def bears(self, purchase: Purchase) -> bool:
        return carries_marker(purchase, self.write)

    def supplier_keys(self, sent: bytes | None) -> set[str]:
        before = {msgspec.json.decode(sent, type=InvoiceWrite).supplier_key} if sent else set()
        return {self.write.supplier_key} | before

    async def settled(self) -> bool:
        return plan_invoice(self.write, await self.read(self.purchase_id), None, self.tolerance) == ()

    async def run(self) -> None:
        if self.purchase_id:
            self.current = await self.read(self.purchase_id)
        steps = plan_invoice(self.write, self.current, self._written(), self.tolerance)
        if isinstance(steps, list):
            if self.write.credit and self.write.order_key and {one.code for one in steps} == {"dependency.missing"}:
                self._wait_for_an_invoice()
                return
            raise Held(steps)
        for step in steps:
            await self._take(step)
        if not self.purchase_id:
            await self.session.finish("nothing of it was in Cin7")
            return
        got = await self.read(self.purchase_id) if steps else self.current
        assert got is not None  # noqa: S101 - read before the plan, or just now
        if self.settings.read_back and (differences := invoice_differences(self.write, got, self.tolerance)):
            raise Held([otherwise(differences, f"{got.order_number} {self.write.number}", self.write.company)])
        self.session.satisfy(self._written_link(got))
        if self.write.order_key and not self.write.credit:
            self.session.wake(self._any_invoice)
        await self.session.finish("" if steps else "as wanted already")

    @property
    def _any_invoice(self) -> str:
        """What a credit note waits for that comes before the invoices of its order."""
        return links.dependency(FLOW, f"order {self.write.order_key}", self.account.name)

    def _wait_for_an_invoice(self) -> None:
        """Wait for any invoice of the order; one that came since we looked sends us on at once."""
        never = missing(FLOW, f"order {self.write.order_key}", self.account.name, self.write.company)
        self.session.wait_for(self._any_invoice, self.account.name, lambda _: [], never)
        with self.desk.ledger.transaction() as cur:
            links.lock_dependencies(cur, [self._any_invoice])
            came = cur.execute(
                """
                select 1 from link where flow = %s and cin7_account = %s and starts_with(cin7_id, %s)
                and written_at > %s
                """,
                (FLOW, self.account.name, f"{self.purchase_id}/", self.began_at),
            ).fetchone()
            if came is not None:
                self.session.messages += links.wake(cur, [self._any_invoice], actor=self.session.actor)

    def _written(self) -> InvoiceWrite | None:
        if self.link is None or not self.link.written:
            return None
        return msgspec.json.decode(self.link.written, type=InvoiceWrite)

    def _written_link(self, got: Purchase) -> Link:
        bills = held_bills(self.write, got)
        task = bills[0].task_id if bills else "none"
        number = f"{got.order_number} {self.write.number}"
        return msgspec.structs.replace(
            self.link or self.link_to("", ""),
            cin7_id=f"{got.id}/{task}",
            cin7_number=number,
            written=self.session.claim.mapped,
            version=self.session.claim.version,
            verified=True,
        )

    async def _take(self, step: Step) -> None:
        client, purchase = self.account.client, self.purchase_id
        match step:
            case CreateHeader(header=header):
                await self.create(header)
            case WriteOrder(order=order):
                await self.send("order", "POST /purchase/order", order, partial(client.write_order, purchase, order))
            case Undo():
                path = "DELETE /advanced-purchase?Void=false"
                await self.send("undo", path, purchase, partial(client.undo_purchase, purchase))
            case Void():
                path = "DELETE /advanced-purchase?Void=true"
                await self.send("void", path, purchase, partial(client.void_purchase, purchase))
            case WriteInvoice(invoice=invoice):
                assert self.current is not None  # noqa: S101 - a header was read or created before
                ready = with_task(invoice, self.current)
                path = "POST /advanced-purchase/invoice"
                await self.send("invoice", path, ready, partial(client.write_invoice, purchase, ready))
            case UndoInvoice(task_id=task):
                path = "DELETE /advanced-purchase/invoice?Void=false"
                await self.send("undo-invoice", path, task, partial(client.undo_invoice, task))
            case VoidInvoice(task_id=task):
                path = "DELETE /advanced-purchase/invoice?Void=true"
                await self.send("void-invoice", path, task, partial(client.void_invoice, task))
            case WriteCreditNote(note=note):
                path = "POST /advanced-purchase/creditnote"
                await self.send("credit-note", path, note, partial(client.write_credit_note, purchase, note))
            case VoidCreditNote(task_id=task):
                path = "DELETE /advanced-purchase/creditnote"
                await self.send("void-credit-note", path, task, partial(client.void_credit_note, task))

"""Brings one purchase order into Cin7: header, then order, each call recorded and resumable; read back at the end."""

from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from functools import partial

import msgspec

from shared import flows
from shared.cin7.client import every
from shared.cin7.records.purchases import Purchase, PurchaseHeader, PurchaseRow
from shared.cin7.records.suppliers import Supplier
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.ledger import effects, entries, links
from shared.ledger.connection import Cur
from shared.ledger.effects import Effect
from shared.ledger.links import Link
from shared.ledger.messages import Message
from shared.money import tolerance_from
from workers.mapping.results import PurchaseWrite
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
from workers.writing.session import LOOK_BACK_S, Session

FLOW = flows.PURCHASE_ORDERS.name


def targets(mapped: bytes, written: Sequence[Link]) -> list[str]:
    """Return the Cin7 account to call; none where the ledger shows this body as written and read back."""
    if any(link.written == mapped and link.verified for link in written):
        return []
    return [msgspec.json.decode(mapped, type=PurchaseWrite).account]


def write_purchase(session: Session, desk: Desk) -> list[Message]:
    """Write one claimed purchase order; return the messages to hand over.

    Raises:
        Held: Cin7 or the plan refuses.
        Retryable: an answer was lost or refused for its rate; the next claim resumes from what is there.
    """
    write = msgspec.json.decode(session.claim.mapped, type=PurchaseWrite)
    account = desk.account(write.account)
    with desk.ledger.transaction() as cur:
        supplier = links.find(cur, flows.SUPPLIERS.name, write.supplier_key, write.account)
        link = links.find(cur, FLOW, session.claim.key, write.account)
        lost = effects.unresolved(cur, FLOW, session.claim.key)
    if (supplier is None or not supplier.written) and not (write.void and link is None and not lost):
        name = links.dependency(flows.SUPPLIERS.name, write.supplier_key, write.account)
        return session.wait_for(name, write.account, partial(_ask_supplier, write.supplier_key, session.actor))
    if supplier is not None and supplier.written:
        theirs = msgspec.structs.replace(msgspec.json.decode(supplier.written, type=Supplier), id=supplier.cin7_id)
        if mismatch := check_supplier(write, theirs):
            raise Held(mismatch)
        write = addressed(write, theirs)
    work = _Work(session, desk, account, write, link)
    if lost:
        work.settle(lost)
    return work.run()


def _ask_supplier(key: str, actor: str, cur: Cur) -> list[Message] | None:
    """Ask for the supplier an order waits for; None where it was written without this order's account."""
    row = cur.execute(
        """
        select state, changed_at > now() - interval '60 seconds' from entry
        where flow = %s and key = %s order by version desc limit 1
        """,
        (flows.SUPPLIERS.name, key),
    ).fetchone()
    if row is not None and row[0] in {"written", "dismissed"} and row[1]:
        return None
    return entries.ask(cur, flows.SUPPLIERS.name, key, actor=actor, why="a purchase order needs it")


class _Work:
    """The calls of one purchase order, in order."""

    def __init__(self, session: Session, desk: Desk, account: Account, write: PurchaseWrite, link: Link | None) -> None:
        self.session = session
        self.desk = desk
        self.account = account
        self.settings = desk.settings.cin7[account.name]
        self.write = write
        self.link = link
        self.current: Purchase | None = None
        self._sent = write

    def settle(self, lost: Sequence[Effect]) -> None:
        """Find out what became of calls whose answers were lost, before anything is sent again."""
        youngest = min(effect.age_s for effect in lost)
        if youngest < self.settings.settle_s:
            raise Retryable(
                "waits before it looks for a lost answer", delay_s=self.settings.settle_s - youngest, executed=False
            )
        for effect in lost:
            if effect.step == "create":
                self._settle_create(effect)
        others = [effect for effect in lost if effect.step != "create"]
        if others and self.link is not None:
            steps = plan_purchase(self.write, self._read(self.link.cin7_id), None)
            there = not steps and not isinstance(steps, list)
            for effect in others:
                if there:
                    self.session.resolve(effect, "APPLIED", "found as wanted when read back")
                else:
                    self.session.resolve(effect, "REFUSED", "not as wanted when read back; decided again from there")

    def _settle_create(self, effect: Effect) -> None:
        hits = self._look_for(effect)
        if len(hits) > 1:
            raise Held([_twice(effect.marker, hits)])
        if not hits:
            self.session.resolve(effect, "REFUSED", "no purchase with this marker after settling", unfound=True)
            return
        found = hits[0]
        self.link = self._link_to(found.id, found.order_number)
        link = self.link
        self.session.resolve(
            effect, "APPLIED", f"found as {found.order_number}", lambda cur: links.store(cur, link, origin="adopted")
        )

    def _look_for(self, effect: Effect) -> list[Purchase]:
        since = effect.intent_at.astimezone(UTC) - timedelta(seconds=LOOK_BACK_S)
        rows = list(every(lambda page: self._list(page, f"{since:%Y-%m-%dT%H:%M:%S}.000")))
        with self.desk.ledger.transaction() as cur:
            taken = links.linked_ids(cur, FLOW, self.account.name, [row.id for row in rows])
            vendors = self._vendors(cur, effect)
        hits = []
        for row in rows:
            if row.id in taken or row.status.upper().startswith("VOID") or row.supplier_id not in vendors:
                continue
            purchase = self._read(row.id)
            if carries_marker(purchase, self.write):
                hits.append(purchase)
        return hits

    def _vendors(self, cur: Cur, effect: Effect) -> set[str]:
        """Return the Cin7 suppliers whose purchase it may be: the order's own, and the one it had when it was sent.

        By id: a supplier may have another name by now, and the list finds purchases by the name they were made with.
        """
        keys = {self.write.supplier_key}
        if sent := effects.intended(cur, effect):
            keys.add(msgspec.json.decode(sent, type=PurchaseWrite).supplier_key)
        found = links.of_keys(cur, flows.SUPPLIERS.name, sorted(keys))
        return {
            link.cin7_id for of_key in found.values() for link in of_key if link.cin7_account == self.account.name
        } | {""}

    def _list(self, page: int, since: str) -> tuple[int, list[PurchaseRow]]:
        return self.session.read(
            self.account,
            lambda slot: self.account.client.purchase_list(page, updated_since=since, slot=slot),
        )

    def _read(self, purchase_id: str) -> Purchase:
        return self.session.read(
            self.account,
            lambda slot: self.account.client.purchase(purchase_id, slot=slot),
        )

    def _link_to(self, purchase_id: str, number: str) -> Link:
        return Link(
            flow=FLOW,
            ifs_key=self.session.claim.key,
            cin7_account=self.account.name,
            cin7_id=purchase_id,
            cin7_number=number,
            written=b"",
            version=self.session.claim.version,
            verified=False,
        )

    def run(self) -> list[Message]:
        if self.link is not None:
            self.current = self._read(self.link.cin7_id)
        steps = plan_purchase(self.write, self.current, self._written())
        if isinstance(steps, list):
            raise Held(steps)
        for step in steps:
            self._take(step)
        if self.link is None:
            return self.session.finish("nothing of it was in Cin7")
        if steps and self.settings.read_back:
            self.current = self._read(self.link.cin7_id)
            self._require_as_written()
        link = msgspec.structs.replace(
            self.link, written=self.session.claim.mapped, version=self.session.claim.version, verified=True
        )
        self.session.later(lambda cur: links.store(cur, link))
        return self.session.finish("" if steps else "as wanted already")

    def _written(self) -> PurchaseWrite | None:
        if self.link is None or not self.link.written:
            return None
        return msgspec.json.decode(self.link.written, type=PurchaseWrite)

    def _take(self, step: Step) -> None:
        client, purchase_id = self.account.client, self.link.cin7_id if self.link else ""
        match step:
            case CreateHeader(header=header):
                self._create(header)
            case UpdateHeader(header=header):
                self._sent = msgspec.structs.replace(self.write, header=header)
                self._send(
                    "header", "PUT /advanced-purchase", header, partial(client.update_purchase, purchase_id, header)
                )
            case WriteOrder(order=order):
                self._send("order", "POST /purchase/order", order, partial(client.write_order, purchase_id, order))
            case Undo():
                path = "DELETE /advanced-purchase?Void=false"
                self._send("undo", path, purchase_id, partial(client.undo_purchase, purchase_id))
            case Void():
                path = "DELETE /advanced-purchase?Void=true"
                self._send("void", path, purchase_id, partial(client.void_purchase, purchase_id))

    def _send(self, step: str, request: str, body: object, call: Callable[..., object]) -> None:
        self.session.write(
            self.account,
            step=step,
            request=request,
            body=body,
            call=lambda slot: call(slot=slot),
            applied=lambda _cur, _answer: None,
            marker=self.write.order.memo,
        )

    def _create(self, header: PurchaseHeader) -> None:
        created = self.session.write(
            self.account,
            step="create",
            request="POST /advanced-purchase",
            body=header,
            call=lambda slot: self.account.client.create_purchase(header, slot=slot),
            applied=lambda cur, answer: links.store(cur, self._link_to(answer.id, answer.order_number)),
            marker=self.write.order.memo,
        )
        self.link = self._link_to(created.id, created.order_number)

    def _require_as_written(self) -> None:
        assert self.current is not None  # noqa: S101 - read back just now
        tolerance = tolerance_from(self.desk.settings.policy.total_tolerance)
        differences = order_differences(self._sent, self.current, tolerance, written=self._written())
        if differences:
            finding = Finding(
                code="target.refused",
                field=", ".join(difference.partition(":")[0] for difference in differences),
                value=self.current.order_number,
                company=self.write.company,
                message=f"Cin7 took {self.current.order_number} but holds it otherwise: {'; '.join(differences[:5])}.",
                remedy=f"Look at {self.current.order_number} in Cin7; correct it there or in IFS, then replay.",
            )
            raise Held([finding])


def _twice(marker: str, hits: Sequence[Purchase]) -> Finding:
    numbers = ", ".join(sorted(hit.order_number for hit in hits))
    return Finding(
        code="target.refused",
        field="Note",
        value=numbers,
        message=f"Cin7 holds {marker} more than once: {numbers}.",
        remedy="Void all but one of them in Cin7, then replay.",
    )

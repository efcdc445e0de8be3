"""One writing actor and one queue per flow; the order of events is written once: slot, claim, write, hand over."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

import dramatiq
import msgspec
import structlog
from dramatiq.middleware import CurrentMessage

from shared import flows
from shared.flows import Flow, queue_of
from shared.ledger import claiming, entries, links
from shared.ledger import messages as ledger_messages
from shared.ledger.claiming import Preview
from shared.ledger.connection import Cur
from shared.ledger.links import Link
from shared.ledger.messages import Message, write_messages
from shared.queues.handing_over import actor_of, hand_over
from workers.holding import ALONE, Guard, crash_finding, persist
from workers.writing import invoice_writer, purchase_writer, supplier_writer
from workers.writing.desk import CROWDED_S, Crowded, Desk, Seat, Stopping, permitted
from workers.writing.first_contact import FirstContact
from workers.writing.session import Session

log = structlog.get_logger()


class Writer(msgspec.Struct, frozen=True):
    """How one flow is written.

    Attributes:
        targets: the Cin7 accounts that a mapped body makes calls to; none where the ledger alone shows that it is in
            Cin7 already.
        write: the calls of one claimed entry; returns the messages to hand over.
    """

    targets: Callable[[bytes, Sequence[Link]], list[str]]
    write: Callable[[Session, Desk], list[Message]]


def writers(first_contact: FirstContact) -> dict[Flow, Writer]:
    """Return the writer of every flow."""
    return {
        flows.SUPPLIERS: Writer(
            supplier_writer.targets,
            partial(supplier_writer.write_supplier, first_contact=first_contact),
        ),
        flows.PURCHASE_ORDERS: Writer(purchase_writer.targets, purchase_writer.write_purchase),
        flows.SUPPLIER_INVOICES: Writer(invoice_writer.targets, invoice_writer.write_invoice),
    }


class Writing:
    """Writes the entries of one flow's messages."""

    def __init__(self, desk: Desk, flow: Flow, writer: Writer) -> None:
        self.desk = desk
        self.flow = flow.name
        self.writer = writer
        self.guard = Guard(desk.ledger, desk.redis, desk.actor, desk.settings.policy.attempts_max)

    def run(self, ids: Sequence[int], message_id: UUID | None = None) -> None:
        """Write what is ready of `ids`, one after the other; each ends on its own.

        Only those of one account: the others travel on at once, so that none waits behind an account not its own.
        """
        with self.desk.ledger.transaction() as cur:
            if message_id is not None:
                ledger_messages.picked_up(cur, message_id)
            ready = claiming.preview(cur, self.flow, ids)
            written = links.of_keys(cur, self.flow, [entry.key for entry in ready])
        groups: dict[tuple[str, ...], list[Preview]] = {}
        for entry in ready:
            targets = self._targets(entry, written.get(entry.key, ()))
            if targets is not None:
                groups.setdefault(targets, []).append(entry)
        for entry in groups.pop((), []):
            self._one(entry, ())
        mine = next(iter(groups), ())
        self._send_on([entry.id for targets, others in groups.items() if targets != mine for entry in others])
        left: list[int] = []
        crowded: list[int] = []
        for entry in groups.get(mine, ()):
            if self.desk.stopping():
                left.append(entry.id)
            elif not self._one(entry, mine):
                crowded.append(entry.id)
        self._end(message_id, len(ready), left, crowded)

    def _send_on(self, ids: Sequence[int]) -> None:
        if ids:
            messages = persist(self.desk.ledger, lambda cur: write_messages(cur, "write", self.flow, ids))
            hand_over(self.desk.redis, self.desk.ledger, messages)

    def _targets(self, entry: Preview, written: Sequence[Link]) -> tuple[str, ...] | None:
        """Return the accounts to call; None where the entry ended, because they cannot be told."""
        return self.guard.run(
            self.flow, "write", entry.id, entry.attempts, lambda: tuple(self.writer.targets(entry.mapped, written))
        )

    def _end(self, message_id: UUID | None, count: int, left: Sequence[int], crowded: Sequence[int]) -> None:
        def change(cur: Cur) -> list[Message]:
            if message_id is not None:
                said = f"{count - len(left) - len(crowded)} taken, {len(left)} left, {len(crowded)} put off"
                ledger_messages.ended(cur, message_id, said)
            entries.put_off(cur, crowded, CROWDED_S)
            return write_messages(cur, "write", self.flow, left)

        hand_over(self.desk.redis, self.desk.ledger, persist(self.desk.ledger, change))

    def _one(self, entry: Preview, targets: Sequence[str]) -> bool:
        """Write one entry; False where it was not begun, since no call of its accounts is free, nor waited for."""
        suspect = entry.claims >= claiming.SUSPECT
        if suspect and not ALONE.acquire(timeout=CROWDED_S):
            return False
        seat = Seat()
        sessions: list[Session] = []

        def work() -> bool:
            # Slot first, claim second: no lease runs out while the entry queues for the call budget.
            account = slot = None
            if accounts := [self.desk.account(name) for name in targets]:
                try:
                    account, slot = permitted(accounts, entry.lane, self.desk.stopping, seat)
                except (Crowded, Stopping):
                    return False
            session = self._claim(entry.id, seat)
            if session is None:
                if account is not None and slot is not None:
                    account.budget.give_back(slot)
                return True
            sessions.append(session)
            if account is not None and slot is not None:
                session.give_slot(account, slot)
            self._write(session)
            return True

        try:
            return self.guard.run(self.flow, "write", entry.id, entry.attempts, work) is not False
        finally:
            # Last: until its end is on record, nobody else may take the entry up.
            for session in sessions:
                session.release()
            seat.leave()
            if suspect:
                ALONE.release()

    def _claim(self, entry_id: int, seat: Seat) -> Session | None:
        """Claim the entry; None where it is nobody's to write, or ends right here."""
        with self.desk.ledger.transaction() as cur:
            claim = claiming.claim_for_writing(cur, entry_id, self.desk.settings.policy.lease_s)
        if claim is None:
            return None
        call_s_max = max(account.read_timeout_s for account in self.desk.settings.cin7.values())
        session = Session(self.desk.ledger, claim, self.desk.actor, self.desk.stopping, seat, call_s_max=call_s_max)
        if claim.claims > claiming.CLAIMS_MAX:
            self.guard.hold(self.flow, "write", [claim.id], [crash_finding(claim.claims - 1)])
            session.release()
            return None
        if claim.version < claim.written_version:
            session.supersede()
            return None
        return session

    def _write(self, session: Session) -> None:
        try:
            messages = self.writer.write(session, self.desk)
        except claiming.LeaseLost:
            raise
        except Exception:
            session.settle_up()
            hand_over(self.desk.redis, self.desk.ledger, session.messages)
            raise
        finally:
            session.return_slot()
        hand_over(self.desk.redis, self.desk.ledger, messages)


def declare(broker: dramatiq.Broker, handlers: Mapping[Flow, Writing]) -> None:
    """Declare the actor of every flow with the broker."""
    for flow, handler in handlers.items():
        queue = queue_of("write", flow.name)

        def write(ids: list[int], handler: Writing = handler) -> None:
            current = CurrentMessage.get_current_message()
            handler.run(ids, None if current is None else UUID(current.message_id))

        dramatiq.actor(actor_name=actor_of(queue), queue_name=queue, broker=broker)(write)

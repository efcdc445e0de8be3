"""One writing actor and one queue per flow; the order of events is written once: slot, claim, write, hand over."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final
from uuid import UUID

import dramatiq
import msgspec
import structlog
from dramatiq.middleware import CurrentMessage

from shared import flows
from shared.budgets import Slot
from shared.flows import Flow, queue_of
from shared.ledger import claiming, effects, entries, links
from shared.ledger import messages as ledger_messages
from shared.ledger.claiming import Preview
from shared.ledger.connection import Cur
from shared.ledger.links import Link
from shared.ledger.messages import Message, write_messages
from shared.queues.handing_over import actor_of, hand_over
from workers.holding import ALONE, Guard, crash_finding, persist
from workers.writing import cin7_supplier_writer, invoice_writer, journal_writer, purchase_writer, supplier_writer
from workers.writing.desk import CROWDED_S, Crowded, Desk, Remote, Stopping, at_once, permitted
from workers.writing.first_contact import FirstContact
from workers.writing.groups import TOGETHER_S, Group, Member
from workers.writing.seats import Seat
from workers.writing.session import Session
from workers.writing.wishes import Work

log = structlog.get_logger()

#: Entries that one thread writes side by side where calls are free and answered at once.
TOGETHER: Final = 25


class Writer(msgspec.Struct, frozen=True):
    """How one flow is written.

    Attributes:
        targets: the Cin7 accounts, or `IFS`, that a mapped body makes calls to; none where the ledger alone shows that
            nothing is to be written.
        write: the calls of one claimed entry.
        together: entries that are written side by side by one thread; 1 where a writer waits for other threads.
    """

    targets: Callable[[bytes, Sequence[Link]], list[str]]
    write: Callable[[Session, Desk], Work]
    together: int = 1


def writers(first_contact: FirstContact) -> dict[Flow, Writer]:
    """Return the writer of every flow."""
    return {
        flows.SUPPLIERS: Writer(
            supplier_writer.targets,
            partial(supplier_writer.write_supplier, first_contact=first_contact),
        ),
        flows.PURCHASE_ORDERS: Writer(purchase_writer.targets, purchase_writer.write_purchase, TOGETHER),
        flows.SUPPLIER_INVOICES: Writer(invoice_writer.targets, invoice_writer.write_invoice),
        flows.JOURNALS: Writer(journal_writer.targets, journal_writer.write_journal, TOGETHER),
        flows.CIN7_SUPPLIERS: Writer(cin7_supplier_writer.targets, cin7_supplier_writer.write_cin7_supplier),
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
        self._all(groups.pop((), []), ())
        mine = next(iter(groups), ())
        self._send_on([entry.id for targets, others in groups.items() if targets != mine for entry in others])
        left, crowded = self._all(groups.get(mine, []), mine)
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

    def _all(self, waiting: list[Preview], targets: Sequence[str]) -> tuple[list[int], list[int]]:
        """Write entries of the same accounts, group by group; return those left when told to stop, and those put off
        because no call of their accounts is free, nor waited for.
        """
        try:
            accounts = [self.desk.remote(name) for name in targets]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the same for all of them.
            self._end_all(waiting, error)
            return [], []
        crowded: list[int] = []
        while waiting:
            if self.desk.stopping():
                return [entry.id for entry in waiting], crowded
            size = self._size(waiting, accounts)
            done = self._group(waiting[:size], accounts)
            if not done:
                crowded += [entry.id for entry in waiting[:size]]
            waiting = waiting[done or size :]
        return [], crowded

    def _end_all(self, chosen: Sequence[Preview], error: Exception) -> None:
        for entry in chosen:
            with structlog.contextvars.bound_contextvars(entry=entry.id, flow=self.flow, stage="write"):
                self.guard.end(self.flow, "write", entry.id, entry.attempts, error)

    def _size(self, waiting: Sequence[Preview], accounts: Sequence[Remote]) -> int:
        """Return how many of `waiting` may be written side by side: what its workers died of goes alone."""
        size = min([self.writer.together, *(account.pace.calls_in(TOGETHER_S) for account in accounts)])
        for place, entry in enumerate(waiting[:size]):
            if entry.lane != waiting[0].lane or entry.claims >= claiming.SUSPECT:
                return max(place, 1)
        return min(size, len(waiting))

    def _group(self, chosen: Sequence[Preview], accounts: Sequence[Remote]) -> int:
        """Write as many of `chosen` as have a call, the first ones; return how many they were, 0 if none was begun."""
        suspect = chosen[0].claims >= claiming.SUSPECT
        if suspect and not ALONE.acquire(timeout=CROWDED_S):
            return 0
        seat = Seat(chosen[0].lane)
        try:
            return self._side_by_side(chosen, accounts, seat)
        except Exception as error:  # noqa: BLE001 - what none of them is to blame for ends them all alike.
            self._end_all(chosen, error)
            return len(chosen)
        finally:
            seat.leave()
            if suspect:
                ALONE.release()

    def _side_by_side(self, chosen: Sequence[Preview], accounts: Sequence[Remote], seat: Seat) -> int:
        # Slots first, claims second: no lease runs out while entries queue for the call budget.
        slots: list[tuple[Remote, Slot]] = []
        if accounts:
            lane = chosen[0].lane
            try:
                slots = at_once(accounts, lane, len(chosen)) or [permitted(accounts, lane, self.desk.stopping, seat)]
            except (Crowded, Stopping):
                return 0
            chosen = chosen[: len(slots)]
        sessions: list[Session] = []
        try:
            sessions = self._claim([entry.id for entry in chosen], seat)
        finally:
            for account, slot in slots[len(sessions) :]:
                account.budget.give_back(slot)
        for session, (account, slot) in zip(sessions, slots, strict=False):
            session.give_slot(account, slot)
        members = [Member(session, self.writer.write(session, self.desk)) for session in sessions]
        Group(self.desk, self.guard, self.flow, members).run()
        return len(chosen)

    def _claim(self, ids: Sequence[int], seat: Seat) -> list[Session]:
        """Claim entries; left out is what is nobody's to write, or ends right here."""
        with self.desk.ledger.transaction() as cur:
            claims = claiming.claim_for_writing(cur, ids, self.desk.settings.policy.lease_s)
            keys = [claim.key for claim in claims]
            lost = effects.unresolved(cur, self.flow, keys) if keys else {}
            linked = links.of_keys(cur, self.flow, keys) if keys else {}
        sessions = []
        for claim in claims:
            session = Session(self.desk, claim, seat, lost=lost.get(claim.key, ()), linked=linked.get(claim.key, ()))
            if claim.claims > claiming.CLAIMS_MAX:
                self.guard.hold(self.flow, "write", [claim.id], [crash_finding(claim.claims - 1)])
                session.release()
            elif claim.version < claim.written_version:
                session.supersede()
            else:
                sessions.append(session)
        return sessions


def declare(broker: dramatiq.Broker, handlers: Mapping[Flow, Writing]) -> None:
    """Declare the actor of every flow with the broker."""
    for flow, handler in handlers.items():
        queue = queue_of("write", flow.name)

        def write(ids: list[int], handler: Writing = handler) -> None:
            current = CurrentMessage.get_current_message()
            handler.run(ids, None if current is None else UUID(current.message_id))

        dramatiq.actor(actor_name=actor_of(queue), queue_name=queue, broker=broker)(write)

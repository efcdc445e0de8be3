"""One claimed entry being written: every call to the target goes intent first, outcome after, slot before both."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Literal, TypeVar

import structlog

from shared.budgets import Slot
from shared.cin7.errors import Cin7Refused
from shared.errors import Held, Misconfigured, Retryable
from shared.findings import Finding
from shared.fingerprints import canonical
from shared.ifs.errors import IfsConflict, IfsExists, IfsRefused
from shared.ledger import claiming, effects, entries, links
from shared.ledger.claiming import Lock, WritingClaim
from shared.ledger.connection import Cur, Ledger
from shared.ledger.effects import Conclusion, Effect, Intent, State
from shared.ledger.links import Link, Side
from shared.ledger.messages import Message, write_messages
from workers.holding import persist
from workers.writing.desk import Crowded, Desk, Remote
from workers.writing.reasons import refused_finding
from workers.writing.recording import Part, Pending, let_in, record
from workers.writing.seats import Seat
from workers.writing.wishes import CommitWish, FinishWish, LinksWish, SlotWish

log = structlog.get_logger()
T = TypeVar("T")

#: Seconds on top of a call's deadline that must be left of the lease when it is sent. A process that was frozen
#: between its intent and its call finds less, and does not send.
MARGIN_S: Final = 1.0
#: Seconds for which an entry rests that meets another writer of the same two records.
LOCKED_S: Final = 1.0
#: Seconds a lookup by marker looks back before the intent: clocks differ between the two sides.
LOOK_BACK_S: Final = 3600.0


class Session:
    """The writing of one claim. Not shared between threads.

    Outcomes are recorded together with the next intent where the next call can go out at once, which saves a commit
    per call; where it has to wait for its slot they are recorded first. A crash in between leaves an intent without
    an outcome, which is what UNKNOWN is for.

    Args:
        lost: the record's calls whose outcome nobody knows.
        linked: the record's own links, by account.
    """

    def __init__(
        self,
        desk: Desk,
        claim: WritingClaim,
        seat: Seat,
        *,
        lost: Sequence[Effect] = (),
        linked: Sequence[Link] = (),
    ) -> None:
        self.ledger: Ledger = desk.ledger
        self.claim = claim
        self.actor = desk.actor
        self.seat = seat
        self.lost = tuple(lost)
        self.messages: list[Message] = []
        self.calls = 0
        #: False while there is something else to do for this entry than to wait for an account's calls.
        self.patient = True
        self.pending = Pending()
        self.lock: Lock | None = None
        self.over = False
        self._linked = {link.cin7_account: link for link in linked}
        self._extended_at = time.monotonic()
        self._taken: tuple[Remote, Slot] | None = None

    # What a writer asks for

    @property
    def linked(self) -> list[Link]:
        """The links of this record as they were when the entry was claimed."""
        return list(self._linked.values())

    def link(self, account: str) -> Link | None:
        """Return the link of this record in `account` as it was when the entry was claimed."""
        return self._linked.get(account)

    async def links(self, wanted: Sequence[tuple[str, str, str]]) -> list[Link | None]:
        """Return the links of other records, each named by flow, key and account."""
        return await LinksWish(wanted)

    async def read(self, account: Remote, call: Callable[[Slot], T]) -> T:
        """Make a call that changes nothing.

        Raises:
            Retryable: no answer, or none that can be read.
            Held: the target refuses the question.
            Crowded: too many wait for this account.
            Stopping: the process is to end.
        """
        slot = await SlotWish(account)
        self.calls += 1
        try:
            with account.pace.measured():
                return call(slot)
        except (Cin7Refused, IfsRefused) as refused:
            raise Held([refused_finding(refused, self.claim.company)]) from refused

    async def write(
        self,
        account: Remote,
        *,
        step: str,
        request: str,
        body: object,
        call: Callable[[Slot], T],
        applied: Callable[[T], Link] | None = None,
        marker: str = "",
    ) -> T:
        """Make a call that changes the target: exactly one intent, and one outcome for it.

        Args:
            step: names the call within this version of the record, such as `create`.
            body: what is sent, digested for the auditor.
            applied: the link that a definite answer brings; it commits with the outcome.

        Raises:
            Retryable: the outcome is unknown (the effect stays UNKNOWN), or the call was certainly not executed.
            Held: the target refuses.
            IfsConflict, IfsExists: the row was changed meanwhile, or is there; nothing was written, and what to do is
                to be decided anew.
            Misconfigured: the credentials do not reach this far; nothing was written.
            LeaseLost: another worker has the record; nothing was sent.
            Crowded, Stopping: as `read`.
        """
        slot = await SlotWish(account)
        intent = Intent(
            claim=self.claim,
            target=account.target,
            step=step,
            request=request,
            body=canonical(body),
            marker=marker,
            call_key=str(slot),
        )
        effect = await CommitWish(intent)
        self._require_lease(effect, account.call_s_max)
        self.calls += 1
        try:
            with account.pace.measured():
                answer = call(slot)
        except (IfsConflict, IfsExists, Misconfigured) as error:
            self._conclude(effect, "REFUSED", str(error))
            raise
        except (Cin7Refused, IfsRefused) as refused:
            self._conclude(effect, "REFUSED", str(refused))
            raise Held([refused_finding(refused, self.claim.company)]) from refused
        except Retryable as error:
            self._conclude(effect, "UNKNOWN" if error.executed else "REFUSED", str(error))
            raise
        self.pending.conclusions.append(Conclusion(effect_id=effect, state="APPLIED", answer=canonical(answer)))
        if applied is not None:
            self.pending.store(applied(answer))
        return answer

    async def finish(self, why: str = "", *, echo: bool = False) -> None:
        """Close the entry as written, or as our own write coming back, and give the record back."""
        await FinishWish(why or f"{self.calls} calls", echo)

    def read_anew(self, why: str) -> None:
        """Close the entry, since it was read before a write of ours, and ask for its record as it is now."""

        def change(cur: Cur) -> list[Message]:
            messages = self._give_back(cur)
            entries.close(cur, [self.claim.id], "superseded", actor=self.actor, why=why)
            return messages + entries.ask(cur, self.claim.flow, self.claim.key, actor=self.actor, why=why)

        self.settle_up()
        self.messages += persist(self.ledger, change)
        self.over = True

    def keep_others_from(self, flow: str, key: str) -> None:
        """Let nobody else write a record of another flow until this entry ends: it is about the same two things.

        Raises:
            Retryable: somebody is at it right now.
        """
        if self.lock is not None:
            return
        with self.ledger.transaction() as cur:
            self.lock = claiming.lock(cur, self.claim.id, flow, key, self.claim.lease_s)
        if self.lock is None:
            raise Retryable(f"{flow} {key} is being written right now", delay_s=LOCKED_S, executed=False)

    def later(self, change: Callable[[Cur], None]) -> None:
        """Record `change` with the next commit of this session."""
        self.pending.changes.append(change)

    def satisfy(self, link: Link, *, wrote: Side = "") -> None:
        """Store a link with the next commit, and send on what waited for it."""
        self.pending.store(link, wrote=wrote)
        self.wake(links.dependency(link.flow, link.ifs_key, link.cin7_account))

    def wake(self, name: str) -> None:
        """Send on what waits for a dependency with the next commit."""
        self.pending.wakes.append(name)

    def resolve(
        self, effect: Effect, state: State, detail: str, link: Link | None = None, *, unfound: bool = False
    ) -> None:
        """Record at once what became of a call whose answer was lost, and the link that was found."""
        log.info("lost answer settled", step=effect.step, outcome=state, detail=detail)
        self.pending.conclusions.append(Conclusion(effect_id=effect.id, state=state, detail=detail, unfound=unfound))
        if link is not None:
            self.pending.store(link, "adopted")
        self.settle_up()

    def wait_for(
        self, dependency: str, account: str, ask: Callable[[Cur], Sequence[Message] | None], missing: Finding
    ) -> None:
        """Let the entry wait for a link, unless it has come meanwhile; then it is simply sent again.

        Args:
            ask: sees to it that the record waited for is on its way; None where it cannot come, and the entry is held.
            missing: the reason it is held for then.
        """
        flow, _, key = dependency.partition("/")
        key = key.rpartition("@")[0]

        def change(cur: Cur) -> list[Message]:
            links.lock_dependencies(cur, [dependency])
            messages = self._give_back(cur)
            there = links.find(cur, flow, key, account)
            if there is not None and there.written:
                return messages + write_messages(cur, "write", self.claim.flow, [self.claim.id])
            asked = ask(cur)
            if asked is None:
                raise Held([missing])
            entries.wait(cur, self.claim.id, dependency, actor=self.actor)
            return [*messages, *asked]

        self.messages += persist(self.ledger, change)
        self.over = True

    def wait_for_thread(self, account: Remote, lock: threading.Lock) -> None:
        """Acquire what another thread holds while it calls `account`, and keep the claim meanwhile.

        Raises:
            Crowded: too many wait for this account.
        """
        while not lock.acquire(timeout=min(1.0, self.keep_every_s)):
            if not self.patient or not self.seat.take(account.seats):
                raise Crowded(account.name)
            self.flush()
            if self.is_stale():
                self.settle_up()

    # What the group does with it

    @property
    def begins_with(self) -> str:
        """The account whose call was taken before the claim; "" where none was."""
        return self._taken[0].name if self._taken else ""

    def give_slot(self, account: Remote, slot: Slot) -> None:
        """Hand in the slot that was taken before the claim."""
        self._taken = (account, slot)

    def taken_slot(self, account: Remote) -> Slot | None:
        """Return the slot that was taken before the claim, once, if it is one of `account`."""
        if self._taken is None or self._taken[0].name != account.name:
            return None
        slot = self._taken[1]
        self._taken = None
        return slot

    def return_slot(self) -> None:
        """Give back a slot that no call was made with."""
        if self._taken is not None:
            account, slot = self._taken
            self._taken = None
            account.budget.give_back(slot)

    @property
    def keep_every_s(self) -> float:
        return self.claim.lease_s / 3

    def is_stale(self) -> bool:
        """Say whether a good part of the claim's time is over."""
        return time.monotonic() - self._extended_at > self.keep_every_s

    def part(self, intent: Intent | None = None, why: str | None = None, *, echo: bool = False) -> Part:
        """Return what this entry adds to a commit."""
        return Part(claim=self.claim, pending=self.pending, lock=self.lock, intent=intent, why=why, echo=echo)

    def recorded(self, part: Part) -> None:
        """Take note that a part was committed."""
        self._extended_at = time.monotonic()
        self.pending = Pending()
        self.over = part.why is not None

    def flush(self) -> None:
        """Record what is pending, and keep the claim."""
        if self.pending:
            self.settle_up()

    def settle_up(self) -> None:
        """Record what is pending, and make sure that the claim is still ours, before the entry ends.

        Raises:
            LeaseLost: another worker has the record.
        """
        part = self.part()
        done = persist(self.ledger, lambda cur: record(cur, [part], actor=self.actor))
        if done.lost:
            raise claiming.LeaseLost(f"{self.claim.flow} {self.claim.key} is being written by another worker")
        self.messages += done.messages
        self.recorded(part)

    def release(self) -> None:
        """Give the record back once the entry has ended, whichever way. A lost ledger leaves that to the lease."""
        if not self.over:
            with suppress(claiming.LeaseLost, Retryable):
                self.messages += persist(self.ledger, self._give_back)

    def _give_back(self, cur: Cur) -> list[Message]:
        claiming.give_back(cur, self.claim)
        return let_in(cur, [self.lock] if self.lock else [])

    def close(self, becomes: Literal["superseded", "dismissed"], why: str) -> None:
        """End the entry unwritten, with what is pending."""
        self.settle_up()

        def change(cur: Cur) -> list[Message]:
            messages = self._give_back(cur)
            entries.close(cur, [self.claim.id], becomes, actor=self.actor, why=why)
            return messages

        self.messages += persist(self.ledger, change)
        self.over = True

    def supersede(self) -> None:
        """Close the entry: a newer version of its record is in the target already."""

        def change(cur: Cur) -> None:
            claiming.give_back(cur, self.claim)
            entries.close(
                cur, [self.claim.id], "superseded", actor=self.actor, why="a newer version was written before"
            )

        persist(self.ledger, change)
        self.over = True

    def _require_lease(self, effect: int, call_s_max: float) -> None:
        if time.monotonic() - self._extended_at > self.claim.lease_s - call_s_max - MARGIN_S:
            self._conclude(effect, "REFUSED", "not sent in time")
            raise Retryable("the worker was held up until its claim was nearly over; nothing was sent", executed=False)

    def _conclude(self, effect: int, state: State, detail: str) -> None:
        conclusion = Conclusion(effect_id=effect, state=state, detail=detail[:500])
        persist(self.ledger, lambda cur: effects.conclude(cur, [conclusion]))

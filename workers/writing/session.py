"""One claimed entry being written: every call to the target goes intent first, outcome after, slot before both."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import structlog

from shared.budgets import Slot
from shared.cin7.errors import Cin7Refused
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.fingerprints import canonical
from shared.ledger import claiming, effects, entries, links
from shared.ledger.claiming import WritingClaim
from shared.ledger.connection import Cur, Ledger
from shared.ledger.effects import Effect
from shared.ledger.messages import Message, write_messages
from workers.holding import persist
from workers.writing.desk import LOOK_S, Account, Crowded, Seat, at_once, permitted
from workers.writing.reasons import refused_finding

log = structlog.get_logger()
T = TypeVar("T")

#: Seconds on top of a call's deadline that must be left of the lease when it is sent. A process that was frozen
#: between its intent and its call finds less, and does not send.
MARGIN_S: Final = 1.0
#: Seconds a lookup by marker looks back before the intent: clocks differ between the two sides.
LOOK_BACK_S: Final = 3600.0


class Session:
    """The writing of one claim. Not shared between threads.

    Outcomes are recorded together with the next intent where the next call can go out at once, which saves a commit
    per call; where it has to wait for its slot they are recorded first. A crash in between leaves an intent without
    an outcome, which is what UNKNOWN is for.
    """

    def __init__(
        self,
        ledger: Ledger,
        claim: WritingClaim,
        actor: str,
        stopping: Callable[[], bool],
        seat: Seat,
        *,
        call_s_max: float,
    ) -> None:
        self.ledger = ledger
        self.claim = claim
        self.actor = actor
        self.stopping = stopping
        self.seat = seat
        self.call_s_max = call_s_max
        self.messages: list[Message] = []
        self.calls = 0
        #: False while there is something else to do for this entry than to wait for an account's calls.
        self.patient = True
        self._pending: list[Callable[[Cur], None]] = []
        self._extended_at = time.monotonic()
        self._over = False
        self._taken: tuple[Account, Slot] | None = None

    def give_slot(self, account: Account, slot: Slot) -> None:
        """Hand in the slot that was taken before the claim."""
        self._taken = (account, slot)

    @property
    def begins_with(self) -> str:
        """The account whose call was taken before the claim; "" where none was."""
        return self._taken[0].name if self._taken else ""

    def return_slot(self) -> None:
        """Give back a slot that no call was made with."""
        if self._taken is not None:
            account, slot = self._taken
            self._taken = None
            account.budget.give_back(slot)

    def slot(self, account: Account) -> Slot:
        """Return a permitted call; what is pending is recorded before any longer wait.

        Raises:
            Crowded: too many wait for this account.
            Stopping: the process is to end.
        """
        self.keep()
        if self._taken is not None and self._taken[0].name == account.name:
            slot = self._taken[1]
            self._taken = None
            return slot
        if not self.patient:
            if found := at_once([account], self.claim.lane):
                return found[1]
            raise Crowded(account.name)
        every_s = min(LOOK_S, self._keep_every_s)
        return permitted([account], self.claim.lane, self.stopping, self.seat, every_s=every_s, meanwhile=self._while)[
            1
        ]

    def wait_for_thread(self, account: Account, lock: threading.Lock) -> None:
        """Acquire what another thread holds while it calls `account`, and keep the claim meanwhile.

        Raises:
            Crowded: too many wait for this account.
        """
        while not lock.acquire(timeout=min(1.0, self._keep_every_s)):
            if not self.patient or not self.seat.take(account):
                raise Crowded(account.name)
            self._while()

    @property
    def _keep_every_s(self) -> float:
        return self.claim.lease_s / 3

    def _while(self) -> None:
        self.flush()
        self.keep()

    def keep(self) -> None:
        """Extend the claim where a good part of it is over.

        Raises:
            LeaseLost: another worker has the record.
        """
        if time.monotonic() - self._extended_at > self._keep_every_s:
            persist(self.ledger, lambda cur: claiming.extend(cur, self.claim))
            self._extended_at = time.monotonic()

    def flush(self) -> None:
        """Record what is pending, and keep the claim."""
        if self._pending:
            self.settle_up()

    def settle_up(self) -> None:
        """Record what is pending, and make sure that the claim is still ours, before the entry ends.

        Raises:
            LeaseLost: another worker has the record.
        """
        persist(self.ledger, self._settle)
        self._extended_at = time.monotonic()
        self._pending.clear()

    def _settle(self, cur: Cur) -> None:
        claiming.extend(cur, self.claim)
        for change in self._pending:
            change(cur)

    def release(self) -> None:
        """Give the record back once the entry has ended, whichever way. A lost ledger leaves that to the lease."""
        if not self._over:
            with suppress(claiming.LeaseLost, Retryable):
                persist(self.ledger, lambda cur: claiming.let_go(cur, self.claim))

    def read(self, account: Account, call: Callable[[Slot], T]) -> T:
        """Make a call that changes nothing.

        Raises:
            Retryable: no answer, or none that can be read.
            Held: the target refuses the question.
        """
        slot = self.slot(account)
        self.calls += 1
        try:
            return call(slot)
        except Cin7Refused as refused:
            raise Held([refused_finding(refused, self.claim.company)]) from refused

    def write(
        self,
        account: Account,
        *,
        step: str,
        request: str,
        body: object,
        call: Callable[[Slot], T],
        applied: Callable[[Cur, T], None],
        marker: str = "",
    ) -> T:
        """Make a call that changes the target: exactly one intent, and one outcome for it.

        Args:
            step: names the call within this version of the record, such as `create`.
            body: what is sent, digested for the auditor.
            applied: records in the ledger what a definite answer means; it commits with the outcome.

        Raises:
            Retryable: the outcome is unknown (the effect stays UNKNOWN), or the call was certainly not executed.
            Held: the target refuses.
            LeaseLost: another worker has the record; nothing was sent.
        """
        slot = self.slot(account)
        effect = self._intend(account.target, step, request, canonical(body), marker, slot)
        self._require_lease(effect)
        self.calls += 1
        try:
            answer = call(slot)
        except Cin7Refused as refused:
            self._conclude(effect, "REFUSED", str(refused))
            raise Held([refused_finding(refused, self.claim.company)]) from refused
        except Retryable as error:
            self._conclude(effect, "UNKNOWN" if error.executed else "REFUSED", str(error))
            raise
        self._pending.append(lambda cur: effects.conclude(cur, effect, "APPLIED", answer=canonical(answer)))
        self._pending.append(lambda cur: applied(cur, answer))
        return answer

    def _intend(self, target: str, step: str, request: str, body: bytes, marker: str, slot: Slot) -> int:
        with self.ledger.transaction() as cur:
            claiming.extend(cur, self.claim)
            for change in self._pending:
                change(cur)
            effect = effects.intend(
                cur,
                self.claim,
                target=target,
                step=step,
                request=request,
                body=body,
                marker=marker,
                call_key=str(slot),
                actor=self.actor,
            )
        self._extended_at = time.monotonic()
        self._pending.clear()
        return effect

    def _require_lease(self, effect: int) -> None:
        if time.monotonic() - self._extended_at > self.claim.lease_s - self.call_s_max - MARGIN_S:
            self._conclude(effect, "REFUSED", "not sent in time")
            raise Retryable("the worker was held up until its claim was nearly over; nothing was sent", executed=False)

    def _conclude(self, effect: int, state: str, detail: str) -> None:
        persist(self.ledger, lambda cur: effects.conclude(cur, effect, state, detail=detail[:500]))

    def resolve(
        self,
        effect: Effect,
        state: str,
        detail: str,
        then: Callable[[Cur], None] | None = None,
        *,
        unfound: bool = False,
    ) -> None:
        """Record what became of a call whose answer was lost."""

        def change(cur: Cur) -> None:
            claiming.extend(cur, self.claim)
            effects.conclude(cur, effect.id, state, detail=detail, unfound=unfound)
            if then is not None:
                then(cur)

        log.info("lost answer settled", step=effect.step, outcome=state, detail=detail)
        persist(self.ledger, change)
        self._extended_at = time.monotonic()

    def supersede(self) -> None:
        """Close the entry: a newer version of its record is in the target already."""

        def change(cur: Cur) -> None:
            claiming.let_go(cur, self.claim)
            entries.close(
                cur, [self.claim.id], "superseded", actor=self.actor, why="a newer version was written before"
            )

        persist(self.ledger, change)
        self._over = True

    def later(self, change: Callable[[Cur], None]) -> None:
        """Record `change` with the next commit of this session."""
        self._pending.append(change)

    def finish(self, why: str = "") -> list[Message]:
        """Close the entry as written and give the record back; return the messages to hand over."""

        def change(cur: Cur) -> list[Message]:
            messages = list(self.messages)
            for pending in self._pending:
                pending(cur)
            newest = claiming.let_go(cur, self.claim)
            finished(cur, self.claim, actor=self.actor, why=why or f"{self.calls} calls")
            if newest > self.claim.version:
                messages += promote(cur, self.claim)
            return messages + [message for message in self.messages if message not in messages]

        messages = persist(self.ledger, change)
        self._pending.clear()
        self._over = True
        return messages

    def wait_for(
        self, dependency: str, account: str, ask: Callable[[Cur], Sequence[Message] | None], missing: Finding
    ) -> list[Message]:
        """Let the entry wait for a link, unless it has come meanwhile; then it is simply sent again.

        Args:
            ask: sees to it that the record waited for is on its way; None where it cannot come, and the entry is held.
            missing: the reason it is held for then.
        """
        flow, _, key = dependency.partition("/")
        key = key.rpartition("@")[0]

        def change(cur: Cur) -> list[Message]:
            links.lock_dependency(cur, dependency)
            claiming.let_go(cur, self.claim)
            there = links.find(cur, flow, key, account)
            if there is not None and there.written:
                return write_messages(cur, "write", self.claim.flow, [self.claim.id])
            asked = ask(cur)
            if asked is None:
                raise Held([missing])
            entries.wait(cur, self.claim.id, dependency, actor=self.actor)
            return list(asked)

        messages = persist(self.ledger, change)
        self._over = True
        return messages


def finished(cur: Cur, claim: WritingClaim, *, actor: str, why: str) -> None:
    """Close the claim's entry as written, and what it overtook as superseded."""
    entries.written(cur, claim.id, claim.flow, claim.key, claim.version, actor=actor, why=why)


def promote(cur: Cur, claim: WritingClaim) -> list[Message]:
    """Send on the newer version that waited for this one's writer, unless somebody is claiming it right now."""
    row = cur.execute(
        """
        select id from entry where flow = %s and key = %s and version > %s
        and (state = 'mapped' or (state = 'retrying' and stage = 'write')) order by version desc limit 1
        for update skip locked
        """,
        (claim.flow, claim.key, claim.version),
    ).fetchone()
    return write_messages(cur, "write", claim.flow, [int(row[0])]) if row else []

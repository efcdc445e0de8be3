"""Drives the writing of several entries side by side: what they wait for together costs them one commit or one ask.

A group is worth its while where calls are answered at once and free. Where they are not it has one member, and the
order of events is the same: slot, intent, call, outcome.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog

from shared.errors import Retryable
from shared.ledger import links
from shared.ledger.claiming import LeaseLost
from shared.ledger.connection import Cur
from shared.ledger.messages import Message
from shared.queues.handing_over import hand_over
from workers.holding import Guard, persist
from workers.writing.desk import LOOK_S, Crowded, Desk, Remote, Stopping, at_once, permitted
from workers.writing.recording import Part, Recorded, record
from workers.writing.session import Session
from workers.writing.wishes import CommitWish, FinishWish, LinksWish, SlotWish, Wish, Work

log = structlog.get_logger()

#: What the last commit brought is to wait no longer than this for the calls of the others in its group.
TOGETHER_S: Final = 0.5


class Member:
    """One entry of a group: its claim, its writing, and what that waits for."""

    def __init__(self, session: Session, work: Work) -> None:
        self.session = session
        self.work = work
        self.wish: Wish[Any] | None = None

    @property
    def id(self) -> int:
        return self.session.claim.id


class Group:
    """The writing of several claimed entries of one flow, by one thread. Every entry ends on its own."""

    def __init__(self, desk: Desk, guard: Guard, flow: str, members: Sequence[Member]) -> None:
        self.desk = desk
        self.guard = guard
        self.flow = flow
        self.members = list(members)

    def run(self) -> None:
        """Write all of them to their ends."""
        try:
            for member in list(self.members):
                self._go_on(member, partial(member.work.send, None))
            while self.members:
                self._keep_claims()
                self._turn()
        finally:
            for member in self.members:  # Only where this thread is made to stop.
                member.work.close()
                member.session.return_slot()
                member.session.release()

    def _turn(self) -> None:
        """Answer as many wishes as one look, one ask or one commit can: looks first, so that commits are large."""
        if looking := self._wishing(LinksWish):
            self._look(looking)
        elif granted := self._granted(self._wishing(SlotWish)):
            for member, slot in granted:
                self._answer(member, slot)
        elif committing := self._wishing(CommitWish, FinishWish):
            self._commit(committing)
        elif waiting := self._wishing(SlotWish):
            self._wait(waiting)
        elif self.members:
            raise TypeError(f"nobody can answer {self.members[0].wish!r}")

    def _wishing(self, *kinds: type[Wish[Any]]) -> list[Member]:
        return [member for member in self.members if isinstance(member.wish, kinds)]

    # Going on

    def _answer(self, member: Member, answer: object) -> None:
        self._go_on(member, partial(member.work.send, answer))

    def _fail(self, member: Member, error: Exception) -> None:
        self._go_on(member, partial(member.work.throw, error))

    def _go_on(self, member: Member, step: Callable[[], Wish[Any]]) -> None:
        """Let one entry go on to its next wish, or to its end."""
        claim = member.session.claim
        with structlog.contextvars.bound_contextvars(entry=claim.id, flow=self.flow, stage="write"):
            try:
                member.wish = step()
            except StopIteration:
                self._leave(member)
            except Exception as error:  # noqa: BLE001 - whatever it is, the entry must end.
                self._end(member, error)
        messages, member.session.messages = member.session.messages, []
        self._hand_over(messages)

    def _leave(self, member: Member) -> None:
        if not member.session.over:
            self._end(member, RuntimeError("the writer came to its end and its entry did not"))
            return
        self.members.remove(member)
        member.wish = None

    def _end(self, member: Member, error: Exception) -> None:
        self.members.remove(member)
        member.wish = None
        session, claim = member.session, member.session.claim
        session.return_slot()
        if not isinstance(error, LeaseLost) and not session.over:
            try:
                session.settle_up()
            except Exception as spoiled:  # noqa: BLE001 - it ends the entry in place of the first failure.
                error = spoiled
        self.guard.end(self.flow, "write", claim.id, claim.attempts, error)
        # Last: until its end is on record, nobody else may take the entry up.
        session.release()

    # Wishes

    def _look(self, members: Sequence[Member]) -> None:
        asked = {member.id: list(member.wish.wanted) for member in members if isinstance(member.wish, LinksWish)}
        try:
            with self.desk.ledger.transaction() as cur:
                found = links.find_all(cur, [name for names in asked.values() for name in names])
        except Retryable as error:
            self._fail_all(members, error)
            return
        for member in members:
            self._answer(member, [found.get(name) for name in asked[member.id]])

    def _granted(self, members: Sequence[Member]) -> list[tuple[Member, object]]:
        """Return who gets a call now: of those that were taken before the claims, else of those that are free."""
        granted: list[tuple[Member, object]] = []
        queues: dict[tuple[str, str], list[Member]] = {}
        for member in members:
            account = _account_of(member)
            if slot := member.session.taken_slot(account):
                granted.append((member, slot))
            else:
                queues.setdefault((account.name, member.session.claim.lane), []).append(member)
        for (_, lane), queue in queues.items():
            free = at_once([_account_of(queue[0])], lane, len(queue))
            granted += [(member, slot) for member, (_, slot) in zip(queue, free, strict=False)]
            for member in queue[len(free) :]:
                if not member.session.patient:
                    self._fail(member, Crowded(_account_of(member).name))
        return granted

    def _wait(self, members: Sequence[Member]) -> None:
        """Wait for the call of one; what is pending of all is recorded before."""
        self._record_pending(members)
        first, wish = members[0], members[0].wish
        if first not in self.members or not isinstance(wish, SlotWish):
            return  # It had to end, or to go on with something else.
        session, account = first.session, wish.account
        try:
            _, slot = permitted(
                [account],
                session.claim.lane,
                self.desk.stopping,
                session.seat,
                every_s=min(LOOK_S, session.keep_every_s),
                meanwhile=self._keep_claims,
            )
        except (Crowded, Stopping) as error:
            if first.wish is wish:
                self._fail(first, error)
            return
        if first.wish is wish:
            self._answer(first, slot)
        else:
            account.budget.give_back(slot)

    def _record_pending(self, members: Sequence[Member]) -> None:
        owing = [member for member in members if member.session.pending]
        if owing:
            self._record(owing, [member.session.part() for member in owing], self._go_on_waiting)

    def _keep_claims(self) -> None:
        """Extend the claims of all where a good part of their time is over; who lost its claim ends."""
        if any(member.session.is_stale() for member in self.members):
            members = list(self.members)
            self._record(members, [member.session.part() for member in members], self._go_on_waiting)

    def _go_on_waiting(self, _member: Member, _done: Recorded) -> None:
        """Leave it to its wish, which was not about this commit."""

    def _commit(self, members: Sequence[Member]) -> None:
        parts = [_part_of(member) for member in members]
        self._record(members, parts, self._answer_commit)

    def _answer_commit(self, member: Member, done: Recorded) -> None:
        self._answer(member, done.effects.get(member.id))

    def _record(
        self, members: Sequence[Member], parts: Sequence[Part], then: Callable[[Member, Recorded], None]
    ) -> None:
        """Commit what the members have to record; where one of them spoils it, each by itself."""

        def change(cur: Cur) -> Recorded:
            return record(cur, parts, actor=self.desk.actor)

        try:
            if any(part.intent is not None for part in parts):
                # Not repeated where the ledger goes away: it may have been committed, and an intent is made once.
                with self.desk.ledger.transaction() as cur:
                    done = change(cur)
            else:
                done = persist(self.desk.ledger, change)
        except Retryable as error:
            self._fail_all(members, error)
            return
        except Exception as error:
            if len(members) == 1:
                self._fail(members[0], error)
                return
            log.exception("a commit of several failed; each goes by itself", flow=self.flow, entries=len(members))
            for member, part in zip(members, parts, strict=True):
                self._record([member], [part], then)
            return
        self._hand_over(done.messages)
        for member, part in zip(members, parts, strict=True):
            if member.id in done.lost:
                lost = LeaseLost(f"{self.flow} {member.session.claim.key} is being written by another worker")
                self._fail(member, lost)
            else:
                member.session.recorded(part)
                then(member, done)

    def _fail_all(self, members: Sequence[Member], error: Exception) -> None:
        for member in members:
            self._fail(member, error)

    def _hand_over(self, messages: Sequence[Message]) -> None:
        hand_over(self.desk.redis, self.desk.ledger, messages)


def _account_of(member: Member) -> Remote:
    assert isinstance(member.wish, SlotWish)  # noqa: S101 - as the caller chose them.
    return member.wish.account


def _part_of(member: Member) -> Part:
    match member.wish:
        case CommitWish(intent=intent):
            return member.session.part(intent=intent)
        case FinishWish(why=why, echo=echo):
            return member.session.part(why=why, echo=echo)
    raise TypeError(f"{member.wish!r} is no wish to commit")

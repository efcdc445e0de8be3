"""Brings one supplier into every Cin7 account that needs it: found or created once, then kept equal, then read back."""

from collections.abc import Sequence
from functools import partial

import msgspec

from shared import flows
from shared.cin7.records.suppliers import Supplier
from shared.errors import Held, Retryable
from shared.fingerprints import canonical
from shared.ledger import conflicts, decisions, effects, entries, events, links, rejections
from shared.ledger.connection import Cur
from shared.ledger.links import Link
from workers.mapping.results import SupplierWrite, SupplierWrites
from workers.writing.dependencies import missing
from workers.writing.desk import Crowded, Desk, Stopping
from workers.writing.first_contact import FirstContact
from workers.writing.matching import duplicate_finding
from workers.writing.reasons import supplier_gone, supplier_unlinked
from workers.writing.session import Session
from workers.writing.supplier_account import FLOW, SupplierAccount
from workers.writing.supplier_links import common_of, hand_to_twin, ifs_stamp, link_with, stop_a_loop
from workers.writing.supplier_merging import Common, Referee
from workers.writing.supplier_names import make_room, name_taken, says_taken
from workers.writing.supplier_settling import settle
from workers.writing.suppliers import Create, Unchanged, Update, is_written, plan_supplier, remembered


def targets(mapped: bytes, written: Sequence[Link]) -> list[str]:
    """Return the Cin7 accounts to call: those where the ledger does not show the supplier as written and read back."""
    known = {link.cin7_account: link for link in written}
    writes = msgspec.json.decode(mapped, type=SupplierWrites).writes
    return [write.account for write in writes if not _is_done(write, known.get(write.account))]


def _is_done(write: SupplierWrite, link: Link | None) -> bool:
    return link is not None and link.verified and is_written(write.supplier, common_of(link), silent=write.silent)


async def write_supplier(session: Session, desk: Desk, first_contact: FirstContact) -> None:
    """Write one claimed supplier to its accounts, one after the other.

    What goes wrong in one account keeps nobody in another waiting for this supplier.

    Raises:
        Held: a possible duplicate, a conflict, or Cin7's refusal, of every account that has one.
        Retryable: an answer was lost or refused for its rate; the next claim resumes from what is there.
    """
    if any(link.making for link in session.linked):
        session.close(
            "superseded", "the supplier is being created in IFS from Cin7; it is read again once that is done"
        )
        return
    if any(link.ifs_at is not None and session.claim.read_at < link.ifs_at for link in session.linked):
        session.read_anew("read before our own write to IFS")
        return
    writes = msgspec.json.decode(session.claim.mapped, type=SupplierWrites).writes
    failed: list[Held | Retryable] = []
    waiting: list[SupplierWrite] = []
    works = [(write, len(writes) == 1) for write in sorted(writes, key=lambda one: one.account != session.begins_with)]
    while works:
        write, session.patient = works.pop(0)
        try:
            await _Work(session, desk, first_contact, write).run()
        except Stopping:
            raise
        except Crowded as crowded:
            if session.patient:
                failed.append(crowded)
            else:
                waiting.append(write)
        except (Held, Retryable) as error:
            failed.append(error)
        if not works and waiting:
            # Only now, with all the others done, is an account waited for that has no call free.
            session.flush()
            works, waiting = [(write, True) for write in waiting], []
    _raise_first(failed)
    session.later(partial(_hold_unserved, session, [write.account for write in writes]))
    await session.finish(echo=_is_echo(session))


def _is_echo(session: Session) -> bool:
    """Say whether an entry that took no call is our own write to IFS coming back; that is expected once."""
    ours = [link for link in session.linked if link.echo]
    if session.calls or not ours:
        return False
    for link in ours:
        session.pending.store(msgspec.structs.replace(link, echo=False))
    return True


def _raise_first(failed: Sequence[Held | Retryable]) -> None:
    """Raise what is to be tried again; where nothing is, every finding at once."""
    for error in failed:
        if isinstance(error, Retryable):
            raise error
    if findings := [finding for error in failed if isinstance(error, Held) for finding in error.findings]:
        raise Held(findings)


def _hold_unserved(session: Session, served: Sequence[str], cur: Cur) -> None:
    """Hold the orders that wait for this supplier in an account where it is not needed: nothing will bring it there."""
    key = session.claim.key
    for entry, _, account, company in links.waiters(cur, FLOW, key):
        if account not in served:
            entries.hold(cur, entry, "write", [missing(FLOW, key, account, company)], actor=session.actor)


class _Work:
    """The calls of one supplier in one account, in order."""

    def __init__(self, session: Session, desk: Desk, first_contact: FirstContact, write: SupplierWrite) -> None:
        self.session = session
        self.desk = desk
        self.first_contact = first_contact
        self.write = write
        self.at = SupplierAccount(session, desk, write)
        self.account = self.at.account
        self.key = self.at.key
        self.wanted = write.supplier
        self.company = write.company

    async def run(self) -> None:
        lost = [effect for effect in self.session.lost if effect.target == self.account.target]
        if lost:
            await settle(self.at, lost)
        if self.at.link is None:
            await self._meet()
        if self.at.link is None:
            await self._create()
        elif _is_done(self.write, self.at.link):
            self.session.wake(links.dependency(FLOW, self.key, self.account.name))
        else:
            await self._update(self.at.link)

    async def _meet(self) -> None:
        """First contact: link a supplier that Cin7 has already, where it is certainly the same."""
        await self.first_contact.renew(self.account, self.session)
        match = self.first_contact.match(self.account, self.wanted)
        rejected = self._rejected() if match.candidates else set()
        if rejected:
            match = self.first_contact.match(self.account, self.wanted, rejected)
        decided = match.kind not in {"none", "marker"} and self._decided_to_create()
        if match.kind == "none" or decided:
            if self._created_before():
                raise Held([supplier_unlinked(self.key, self.account.name, self.company)])
            return
        if match.kind == "possible" or self._taken(match.candidates[0].supplier_id):
            raise Held([duplicate_finding(self.wanted, match, company=self.company, supplier_id=self.key)])
        found = match.candidates[0]
        link = self.at.link = self.at.link_to(found.supplier_id, found.name)
        why = f"linked to Cin7 supplier {found.name} ({found.supplier_id}) by {' and '.join(found.evidence)}"
        entry, actor = self.session.claim.id, self.session.actor
        self.session.pending.store(link, "matched")
        self.session.later(lambda cur: events.note(cur, entry, actor=actor, why=why))
        self.session.flush()

    def _rejected(self) -> set[str]:
        """Return the ids of suppliers of which a person said that they are not this one."""
        with self.desk.ledger.transaction() as cur:
            return rejections.rejected_for(cur, self.key, self.account.name)

    def _created_before(self) -> bool:
        """Say whether it was created once already: nobody is created a second time, not even after an unlinking."""
        with self.desk.ledger.transaction() as cur:
            return effects.was_created(cur, self.account.target, FLOW, self.key)

    def _taken(self, cin7_id: str) -> bool:
        """Say whether another supplier was linked to it since the candidates were listed."""
        with self.desk.ledger.transaction() as cur:
            return links.owner(cur, FLOW, self.account.name, cin7_id) is not None

    def _decided_to_create(self) -> bool:
        """Say whether a person looked at what resembles this supplier and wants a new one all the same."""
        with self.desk.ledger.transaction() as cur:
            return decisions.may_create(cur, self.key, self.account.name)

    async def _create(self) -> None:
        client = self.account.client
        try:
            created = await self.session.write(
                self.account,
                step="create",
                request="POST /supplier",
                body=self.wanted,
                call=lambda slot: client.create_supplier(self.wanted, slot=slot),
                applied=lambda answer: self.at.link_to(answer.id or "", answer.name),
                marker=self.wanted.name,
            )
        except Held as held:
            raise name_taken(self.at, held) from held
        link = self.at.link = self.at.link_to(created.id or "", created.name)
        common = Common(supplier=remembered(self.wanted, created), own={})
        await self.at.verify(link, self.wanted, created, common)

    async def _update(self, link: Link) -> None:
        current = await self.at.read(link.cin7_id)
        common = common_of(link)
        plan = plan_supplier(self.wanted, common, current, self._referee(), silent=self.write.silent)
        if isinstance(plan, list):
            if self._is_held_by_the_way_back(link):
                return
            self._differ(link, common, current)
            raise Held(plan)
        if isinstance(plan, Create):
            raise Held([supplier_gone(self.key, link.cin7_id, self.company)])
        if isinstance(plan, Unchanged):
            self.at.remember(link, plan.common, current)
        else:
            await self._put(link, plan)
        if plan.to_ifs:
            self._leave_to_the_way_back(link, plan.to_ifs)

    async def _put(self, link: Link, plan: Update) -> None:
        wanted = plan.supplier
        stop_a_loop(self.session, self.desk.settings.policy, link, self.company)
        begun = link_with(link, msgspec.structs.replace(plan.before, for_cin7=plan.common.supplier))
        self.session.pending.store(begun)
        try:
            answer = await self.at.send(wanted, "update")
        except Held as held:
            if "name" in plan.changed and says_taken(held):
                await make_room(self.at, link, plan, held)
            raise
        await self.at.verify(link, wanted, answer, plan.common)

    def _referee(self) -> Referee:
        return Referee(
            sides=self.desk.settings.policy.supplier_conflict,
            ifs_changed_at=ifs_stamp(self.session.claim.stamp, self.desk.settings.ifs),
            company=self.company,
        )

    def _differ(self, link: Link, common: Common, current: Supplier) -> None:
        """Keep the three versions of a conflict, for the person who settles it."""
        conflict = conflicts.Conflict(
            entry_id=self.session.claim.id,
            round=self.session.claim.round,
            account=self.account.name,
            ifs_key=link.ifs_key,
            before=canonical(common),
            ifs=canonical(self.wanted),
            cin7=canonical(current),
            silent=self.write.silent,
        )
        self.session.later(partial(conflicts.keep, conflict=conflict))

    def _is_held_by_the_way_back(self, link: Link) -> bool:
        """Say whether a person is asked already what to do about this supplier; what is asked is brought up to date.

        Whoever settles it there, the entry that goes on leaves to this direction what is its own.
        """
        return hand_to_twin(self.session, flows.CIN7_SUPPLIERS.name, link, "IFS has changed it since")

    def _leave_to_the_way_back(self, link: Link, fields: Sequence[str]) -> None:
        """See to it that what Cin7's people changed is brought to IFS, unless that is under way."""
        session, why = self.session, f"changed in Cin7 since the last write: {', '.join(fields)}"
        key = f"{link.cin7_account}/{link.cin7_id}"

        def ask(cur: Cur) -> None:
            session.messages += entries.ask(cur, flows.CIN7_SUPPLIERS.name, key, actor=session.actor, why=why)

        session.later(ask)

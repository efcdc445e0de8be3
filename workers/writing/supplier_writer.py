"""Brings one supplier into every Cin7 account that needs it: found or created once, then kept equal, then read back."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
import structlog

from shared import flows
from shared.cin7.records.suppliers import Supplier
from shared.cin7.supplier_documents import tidy
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.fingerprints import canonical
from shared.ledger import conflicts, decisions, effects, entries, events, links, rejections
from shared.ledger.connection import Cur
from shared.ledger.effects import Effect
from shared.ledger.links import Link
from workers.mapping.results import SupplierWrite, SupplierWrites
from workers.mapping.suppliers import NAME_MAX
from workers.writing.dependencies import missing
from workers.writing.desk import Account, Crowded, Desk, Stopping
from workers.writing.first_contact import FirstContact
from workers.writing.matching import duplicate_finding, fold_name
from workers.writing.reasons import supplier_gone, supplier_otherwise, supplier_twice, supplier_unlinked
from workers.writing.session import Session
from workers.writing.supplier_links import common_of, hand_to_twin, ifs_stamp, link_with, stop_a_loop
from workers.writing.supplier_merging import Common, Referee, known_after_write
from workers.writing.suppliers import Create, Unchanged, Update, differences, is_written, plan_supplier, remembered

log = structlog.get_logger()

FLOW = flows.SUPPLIERS.name
#: Takes another name for a while, of two suppliers that wait for each other's.
STEP_ASIDE: Final = "step aside"
#: Seconds for which a supplier rests whose name another one is about to give up.
NAME_S: Final = 2.0


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


def _says_taken(held: Held) -> bool:
    """Say whether Cin7 refuses a name because another supplier has it. Its words: docs/apis/cin7.md#supplier."""
    text = " ".join(finding.value for finding in held.findings).lower()
    return any(word in text for word in ("already exist", "unique", "duplicate"))


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
        self.account: Account = desk.account(write.account)
        self.settings = desk.settings.cin7[write.account]
        self.write = write
        self.wanted = write.supplier
        self.company = write.company
        self.link = session.link(write.account)

    async def run(self) -> None:
        lost = [effect for effect in self.session.lost if effect.target == self.account.target]
        if lost:
            await self._settle(lost)
        if self.link is None:
            await self._meet()
        if self.link is None:
            await self._create()
        elif _is_done(self.write, self.link):
            self.session.wake(links.dependency(FLOW, self.session.claim.key, self.account.name))
        else:
            await self._update(self.link)

    async def _settle(self, lost: Sequence[Effect]) -> None:
        """Find out what became of calls whose answers were lost, before anything is sent again."""
        youngest = min(effect.age_s for effect in lost)
        if youngest < self.settings.settle_s:
            raise Retryable(
                "waits before it looks for a lost answer", delay_s=self.settings.settle_s - youngest, executed=False
            )
        for effect in lost:
            if effect.step == "create":
                await self._settle_create(effect)
            elif self.link is not None:
                current = await self._read(self.link.cin7_id)
                if effect.step == STEP_ASIDE and current.name == effect.marker:
                    self._remember_aside(self.link, current.name)
                left = differences(self.wanted, current)
                if left:
                    self.session.resolve(effect, "REFUSED", f"not as wanted when read back: {', '.join(left)}")
                else:
                    self.session.resolve(effect, "APPLIED", "found as wanted when read back")

    async def _settle_create(self, effect: Effect) -> None:
        """Look for our own create by the name it was sent with and the marker in it."""
        named = await self.session.read(
            self.account,
            lambda slot: self.account.client.supplier_by_name(effect.marker, slot=slot),
        )
        number = self.settings.supplier_number_attribute
        marker = self.wanted.attributes.get(number, "")
        hits = [found for found in named if marker and found.attributes.get(number, "") == marker]
        if not hits:
            # Without an attribute set Cin7 ignores the marker: then only what is ours in every field is ours.
            sent = self._sent(effect)
            hits = [found for found in self._unlinked(named) if not differences(sent, found)]
        if len(hits) > 1:
            raise Held([supplier_twice(marker, hits)])
        if not hits:
            self.session.resolve(effect, "REFUSED", "no supplier with this marker after settling", unfound=True)
            return
        self.link = self._link_to(hits[0].id or "", hits[0].name)
        self.session.resolve(effect, "APPLIED", "found by its marker", self.link)

    def _sent(self, effect: Effect) -> Supplier:
        """Return the supplier as it was sent then: IFS may want another by now."""
        with self.desk.ledger.transaction() as cur:
            body = effects.intended(cur, effect)
        writes = msgspec.json.decode(body, type=SupplierWrites).writes if body else ()
        return next((write.supplier for write in writes if write.account == self.account.name), self.wanted)

    def _unlinked(self, named: Sequence[Supplier]) -> list[Supplier]:
        with self.desk.ledger.transaction() as cur:
            taken = links.linked_ids(cur, FLOW, self.account.name, [found.id or "" for found in named])
        return [found for found in named if found.id not in taken]

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
                raise Held([supplier_unlinked(self.session.claim.key, self.account.name, self.company)])
            return
        if match.kind == "possible" or self._taken(match.candidates[0].supplier_id):
            raise Held(
                [duplicate_finding(self.wanted, match, company=self.company, supplier_id=self.session.claim.key)]
            )
        found = match.candidates[0]
        self.link = self._link_to(found.supplier_id, found.name)
        why = f"linked to Cin7 supplier {found.name} ({found.supplier_id}) by {' and '.join(found.evidence)}"
        entry, actor = self.session.claim.id, self.session.actor
        self.session.pending.store(self.link, "matched")
        self.session.later(lambda cur: events.note(cur, entry, actor=actor, why=why))
        self.session.flush()

    def _rejected(self) -> set[str]:
        """Return the ids of suppliers of which a person said that they are not this one."""
        with self.desk.ledger.transaction() as cur:
            return rejections.rejected_for(cur, self.session.claim.key, self.account.name)

    def _created_before(self) -> bool:
        """Say whether it was created once already: nobody is created a second time, not even after an unlinking."""
        with self.desk.ledger.transaction() as cur:
            return effects.was_created(cur, self.account.target, FLOW, self.session.claim.key)

    def _taken(self, cin7_id: str) -> bool:
        """Say whether another supplier was linked to it since the candidates were listed."""
        with self.desk.ledger.transaction() as cur:
            return links.owner(cur, FLOW, self.account.name, cin7_id) is not None

    def _decided_to_create(self) -> bool:
        """Say whether a person looked at what resembles this supplier and wants a new one all the same."""
        with self.desk.ledger.transaction() as cur:
            return decisions.may_create(cur, self.session.claim.key, self.account.name)

    async def _create(self) -> None:
        client = self.account.client
        try:
            created = await self.session.write(
                self.account,
                step="create",
                request="POST /supplier",
                body=self.wanted,
                call=lambda slot: client.create_supplier(self.wanted, slot=slot),
                applied=lambda answer: self._link_to(answer.id or "", answer.name),
                marker=self.wanted.name,
            )
        except Held as held:
            raise self._name_taken(held) from held
        self.link = self._link_to(created.id or "", created.name)
        await self._verify(self.link, self.wanted, created, Common(supplier=remembered(self.wanted, created), own={}))

    def _name_taken(self, held: Held) -> Held:
        """Cin7 refuses a name that somebody gave to another supplier since we looked: that is a possible duplicate."""
        if not _says_taken(held):
            return held
        finding = Finding(
            code="supplier.possible-duplicate",
            field="Name",
            value=self.session.claim.key,
            company=self.company,
            message=f"Cin7 account {self.account.name} has a supplier named {self.wanted.name} already.",
            remedy=f"Link it with `connector suppliers link {self.session.claim.key} CIN7_ID`, or rename one of them.",
        )
        return Held([finding])

    async def _update(self, link: Link) -> None:
        current = await self._read(link.cin7_id)
        common = common_of(link)
        plan = plan_supplier(self.wanted, common, current, self._referee(), silent=self.write.silent)
        if isinstance(plan, list):
            if self._is_held_by_the_way_back(link):
                return
            self._differ(link, common, current)
            raise Held(plan)
        if isinstance(plan, Create):
            raise Held([supplier_gone(self.session.claim.key, link.cin7_id, self.company)])
        if isinstance(plan, Unchanged):
            self._remember(link, plan.common, current)
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
            answer = await self._write(wanted, "update")
        except Held as held:
            if "name" in plan.changed and _says_taken(held):
                await self._make_room(link, plan, held)
            raise
        await self._verify(link, wanted, answer, plan.common)

    async def _write(self, wanted: Supplier, step: str) -> Supplier:
        return await self.session.write(
            self.account,
            step=step,
            request="PUT /supplier",
            body=wanted,
            call=lambda slot: self.account.client.update_supplier(wanted, slot=slot),
            marker=wanted.name,
        )

    async def _make_room(self, link: Link, plan: Update, held: Held) -> None:
        """Wait for a name that another supplier is about to give up; of two that wait for each other one steps aside.

        Raises:
            Retryable: the name will be free.
            Held: it will not.
        """
        key, name = self.session.claim.key, plan.supplier.name
        named = await self.session.read(
            self.account, lambda slot: self.account.client.supplier_by_name(name, slot=slot)
        )
        holders = [one.id or "" for one in named if fold_name(one.name) == fold_name(name) and one.id != link.cin7_id]
        with self.desk.ledger.transaction() as cur:
            other = links.owner(cur, FLOW, self.account.name, holders[0]) if holders else None
            moves = other is not None and entries.is_moving(cur, FLOW, other)
        if other is None or not moves:
            raise self._name_taken(held) from held
        aside = f"{name[: NAME_MAX - len(key) - 3]} ({key})"
        if key < other and fold_name(plan.common.supplier.name if plan.common.supplier else "") != fold_name(aside):
            await self._step_aside(link, aside)
        raise Retryable(f"supplier {other} is about to give up the name {name}", delay_s=NAME_S, executed=False)

    async def _step_aside(self, link: Link, aside: str) -> None:
        """Give up our name for now, so that whoever waits for it can go on."""
        current = await self._read(link.cin7_id)
        if fold_name(current.name) == fold_name(aside):
            return
        await self._write(msgspec.structs.replace(current, name=aside), STEP_ASIDE)
        self._remember_aside(link, aside)

    def _remember_aside(self, link: Link, aside: str) -> None:
        """Note our own name for the while, so that nobody takes it for a person's."""
        common = common_of(link)
        if common.supplier is not None:
            common = msgspec.structs.replace(common, supplier=msgspec.structs.replace(common.supplier, name=aside))
            self.link = link_with(link, common)
            self.session.pending.store(self.link, wrote="cin7")

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

    async def _verify(self, link: Link, sent: Supplier, answer: Supplier, common: Common) -> None:
        """Read back what was written, if that is asked for; 200 alone proves nothing."""
        got = answer
        if self.settings.read_back:
            got = await self._read(link.cin7_id)
            if left := differences(sent, got):
                raise Held([supplier_otherwise(self.session.claim.key, left, self.company)])
        self._remember(link, common, got)

    def _remember(self, link: Link, common: Common, got: Supplier) -> None:
        """Record what is in common with Cin7 now, and send on the orders that waited for it.

        What of Cin7 was read before is older than this, whether or not it was changed just now.
        """
        known = link_with(link, known_after_write(common, got))
        known = msgspec.structs.replace(known, version=self.session.claim.version, verified=True, echo=False)
        self.session.satisfy(known, wrote="cin7")

    async def _read(self, cin7_id: str) -> Supplier:
        found = await self._found(cin7_id)
        if found is None:
            raise Held([supplier_gone(self.session.claim.key, cin7_id, self.company)])
        return found

    async def _found(self, cin7_id: str) -> Supplier | None:
        found = await self.session.read(self.account, lambda slot: self.account.client.supplier(cin7_id, slot=slot))
        return None if found is None else tidy(found)

    def _link_to(self, cin7_id: str, name: str) -> Link:
        return Link(
            flow=FLOW,
            ifs_key=self.session.claim.key,
            cin7_account=self.account.name,
            cin7_id=cin7_id,
            cin7_number=name,
            written=b"",
            version=self.session.claim.version,
            verified=False,
        )

"""Brings one supplier into every Cin7 account that needs it: found or created once, then kept equal, then read back."""

from collections.abc import Sequence
from functools import partial

import msgspec
import structlog

from shared import flows
from shared.cin7.records.suppliers import Supplier
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.fingerprints import canonical
from shared.ledger import decisions, effects, entries, events, links, rejections
from shared.ledger.connection import Cur
from shared.ledger.effects import Effect
from shared.ledger.links import Link
from workers.mapping.results import SupplierWrite, SupplierWrites
from workers.writing.dependencies import missing
from workers.writing.desk import Account, Crowded, Desk, Stopping
from workers.writing.first_contact import FirstContact
from workers.writing.matching import duplicate_finding
from workers.writing.reasons import supplier_gone, supplier_otherwise, supplier_twice, supplier_unlinked
from workers.writing.session import Session
from workers.writing.suppliers import Create, Unchanged, differences, plan_supplier, remembered

log = structlog.get_logger()

FLOW = flows.SUPPLIERS.name


def targets(mapped: bytes, written: Sequence[Link]) -> list[str]:
    """Return the Cin7 accounts to call: those where the ledger does not show the supplier as written and read back."""
    known = {link.cin7_account: link for link in written if link.verified}
    writes = msgspec.json.decode(mapped, type=SupplierWrites).writes
    return [
        write.account
        for write in writes
        if write.account not in known or not is_written(write.supplier, known[write.account])
    ]


def is_written(wanted: Supplier, link: Link) -> bool:
    """Say whether `wanted` is what was written last, Cin7's ids apart."""
    if not link.written:
        return False
    written = msgspec.json.decode(link.written, type=Supplier)
    bare = msgspec.structs.replace(
        written,
        id=wanted.id,
        addresses=tuple(msgspec.structs.replace(address, id=None) for address in written.addresses),
        contacts=tuple(msgspec.structs.replace(contact, id=None) for contact in written.contacts),
    )
    return bare == wanted


async def write_supplier(session: Session, desk: Desk, first_contact: FirstContact) -> None:
    """Write one claimed supplier to its accounts, one after the other.

    What goes wrong in one account keeps nobody in another waiting for this supplier.

    Raises:
        Held: a possible duplicate, a conflict, or Cin7's refusal, of every account that has one.
        Retryable: an answer was lost or refused for its rate; the next claim resumes from what is there.
    """
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
    await session.finish()


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
        self.account: Account = desk.account(write.account)
        self.settings = desk.settings.cin7[write.account]
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
        elif not (self.link.verified and is_written(self.wanted, self.link)):
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
                left = differences(self.wanted, await self._read(self.link.cin7_id))
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
        await self._verify(self.link, self.wanted, created)

    def _name_taken(self, held: Held) -> Held:
        """Cin7 refuses a name that somebody gave to another supplier since we looked: that is a possible duplicate."""
        text = " ".join(finding.value for finding in held.findings).lower()
        if not any(word in text for word in ("already exist", "unique", "duplicate")):
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
        written = msgspec.json.decode(link.written, type=Supplier) if link.written else None
        plan = plan_supplier(self.wanted, written, current, self.desk.settings.policy, company=self.company)
        if isinstance(plan, list):
            raise Held(plan)
        if isinstance(plan, Create):
            raise Held([supplier_gone(self.session.claim.key, link.cin7_id, self.company)])
        if isinstance(plan, Unchanged):
            self._remember(link, current)
            return
        wanted = plan.supplier
        answer = await self.session.write(
            self.account,
            step="update",
            request="PUT /supplier",
            body=wanted,
            call=lambda slot: self.account.client.update_supplier(wanted, slot=slot),
            marker=wanted.name,
        )
        await self._verify(link, wanted, answer)

    async def _verify(self, link: Link, sent: Supplier, answer: Supplier) -> None:
        """Read back what was written, if that is asked for; 200 alone proves nothing."""
        got = answer
        if self.settings.read_back:
            got = await self._read(link.cin7_id)
            if left := differences(sent, got):
                raise Held([supplier_otherwise(self.session.claim.key, left, self.company)])
        self._remember(link, got)

    def _remember(self, link: Link, got: Supplier) -> None:
        """Record what stands in Cin7 now, and send on the orders that waited for it."""
        known = msgspec.structs.replace(
            link,
            written=canonical(remembered(self.wanted, got)),
            version=self.session.claim.version,
            verified=True,
        )
        self.session.satisfy(known)

    async def _read(self, cin7_id: str) -> Supplier:
        found = await self._found(cin7_id)
        if found is None:
            raise Held([supplier_gone(self.session.claim.key, cin7_id, self.company)])
        return found

    async def _found(self, cin7_id: str) -> Supplier | None:
        return await self.session.read(self.account, lambda slot: self.account.client.supplier(cin7_id, slot=slot))

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

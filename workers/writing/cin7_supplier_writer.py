"""Brings what Cin7's people changed of a supplier to IFS: compared with what IFS has, part by part, then remembered."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
import structlog

from shared import flows
from shared.errors import Held, Retryable
from shared.fingerprints import canonical
from shared.flows import SUPPLIERS
from shared.ifs.documents import decode
from shared.ifs.errors import IfsRefused
from shared.ifs.parts import Parts
from shared.ifs.records.suppliers import SupplierDocument
from shared.ledger import conflicts, entries, pairs
from shared.ledger.connection import Cur
from shared.ledger.links import Link
from shared.ledger.pairs import Source
from shared.origins import SOURCES
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.writing.cin7_supplier_reasons import contested, gone_from_ifs
from workers.writing.cin7_suppliers import BackPlan, Bring, Nothing, Unsettled, plan_cin7_supplier, steps_said
from workers.writing.desk import Desk
from workers.writing.ifs_steps import Hands, Overtaken
from workers.writing.reasons import refused_finding
from workers.writing.session import Session
from workers.writing.supplier_links import common_of, hand_to_twin, ifs_stamp, link_with, stop_a_loop
from workers.writing.supplier_merging import Common, Referee
from workers.writing.unknown_suppliers import Unknown

log = structlog.get_logger()

FLOW = flows.CIN7_SUPPLIERS.name
#: Times that a plan is made anew because IFS was changed meanwhile, before a person looks at it.
PLANS_MAX: Final = 5


def targets(mapped: bytes, written: Sequence[Link]) -> list[str]:
    """Return nothing to wait for: most entries are our own writes coming back, and take no call."""
    return []


async def write_cin7_supplier(session: Session, desk: Desk) -> None:
    """Bring one claimed supplier of Cin7 to IFS.

    Raises:
        Held: a conflict, something that IFS cannot hold, or IFS's refusal.
        Retryable: an answer was lost, or somebody else is at the same supplier; the next claim resumes.
    """
    write = msgspec.json.decode(session.claim.mapped, type=Cin7SupplierWrite)
    with session.ledger.transaction() as cur:
        link = pairs.link_of(cur, write.account, write.supplier.id or "")
    try:
        if link is None or link.making:
            await Unknown(session, desk, write, link).run()
        else:
            await _Work(session, desk, write, link).run()
    except IfsRefused as refused:
        raise Held([refused_finding(refused, write.company)]) from refused


class _Work:
    """The calls of one linked supplier, in order."""

    def __init__(self, session: Session, desk: Desk, write: Cin7SupplierWrite, link: Link) -> None:
        self.session = session
        self.desk = desk
        self.write = write
        self.link = link
        self.common = Common()
        self.bound = SOURCES[SUPPLIERS].bound(desk.settings.ifs.stream(SUPPLIERS.name))
        #: Whether IFS was read for this entry, after whatever we may have written there.
        self.is_fresh = False

    async def run(self) -> None:
        # The other direction writes the same two records: one of both at a time.
        self.session.keep_others_from(SUPPLIERS.name, self.link.ifs_key)
        with self.session.ledger.transaction() as cur:
            link = pairs.link_of(cur, self.write.account, self.write.supplier.id or "")
        if link is None or link.ifs_key != self.link.ifs_key or link.making:
            raise Retryable("its link was changed a moment ago", delay_s=1.0, executed=False)
        self.link, self.common = link, common_of(link)
        if link.cin7_at is not None and self.session.claim.read_at < link.cin7_at:
            self.session.read_anew("read before our own write to Cin7")
            return
        self._wait_for_lost_answers()
        plan = self._plan()
        for _ in range(PLANS_MAX):
            if isinstance(plan, Unsettled) and not self.is_fresh:
                plan = self._plan(anew=True)
            if isinstance(plan, Unsettled):
                self._hold(plan)
                return
            try:
                await self._carry_out(plan)
            except Overtaken:
                log.info("IFS was changed meanwhile", supplier=self.link.ifs_key)
                plan = self._plan(anew=True)
            else:
                return
        raise Held([contested(self.link.ifs_key, self.write.company, PLANS_MAX)])

    def _wait_for_lost_answers(self) -> None:
        """See to it that nothing we sent may still be under way; what came of it, IFS shows then."""
        if not self.session.lost:
            return
        youngest = min(effect.age_s for effect in self.session.lost)
        if youngest < self.desk.settings.ifs.settle_s:
            delay_s = self.desk.settings.ifs.settle_s - youngest
            raise Retryable("waits before it looks for a lost answer", delay_s=delay_s, executed=False)

    def _plan(self, *, anew: bool = False) -> BackPlan:
        """Decide from what the ledger knows of IFS, as long as that is not older than what we wrote there."""
        source = None if anew else self._known()
        if source is None:
            source = self._read_again()
        document = decode(self.bound, source.raw)
        if not isinstance(document, SupplierDocument):
            return Unsettled(tuple(document))
        plan = plan_cin7_supplier(self.write, document, self.common, self.desk.rules(), self._referee(source))
        self._settle(plan)
        return plan

    def _known(self) -> Source | None:
        if self.session.lost:
            return None
        with self.session.ledger.transaction() as cur:
            source = pairs.ifs_source(cur, self.link.ifs_key)
        outdated = source is None or (self.link.ifs_at is not None and source.read_at < self.link.ifs_at)
        return None if outdated else source

    def _read_again(self) -> Source:
        with self.session.ledger.transaction() as cur:
            read_at = cur.execute("select clock_timestamp()").fetchone()
        key = self.link.ifs_key
        found = self.desk.read_again(SUPPLIERS, [key], self.session.claim.lane).get(key)
        self.session.calls += 1
        if found is None:
            raise Held([gone_from_ifs(key, self.write)])
        self.is_fresh = True
        return Source(raw=found.raw, read_at=read_at[0] if read_at else self.session.claim.read_at, stamp=found.stamp)

    def _referee(self, source: Source) -> Referee:
        return Referee(
            sides=self.desk.settings.policy.supplier_conflict,
            ifs_changed_at=ifs_stamp(source.stamp, self.desk.settings.ifs),
            company=self.write.company,
        )

    def _settle(self, plan: BackPlan) -> None:
        """Record what became of calls whose answers were lost: what is not to be done any more was done."""
        steps = plan.steps if isinstance(plan, Bring) else ()
        open_steps = {f"{verb} {step.part.name}" for step in steps for verb in ("change", "make")}
        for effect in self.session.lost:
            if effect.step in open_steps:
                self.session.resolve(effect, "REFUSED", "not as wanted when read again")
            else:
                self.session.resolve(effect, "APPLIED", "found as wanted when read again, or overtaken")
        self.session.lost = ()

    def _hold(self, plan: Unsettled) -> None:
        """Hold what a person must settle, unless the other direction is held for the same.

        Raises:
            Held: with every reason.
        """
        if plan.merge is not None:
            if plan.merge.findings and hand_to_twin(
                self.session, SUPPLIERS.name, self.link, "Cin7's people have changed it since"
            ):
                self.session.close("superseded", "the other direction is held for the same conflict")
                return
            self.session.later(partial(conflicts.keep, conflict=self._conflict(plan)))
        raise Held(plan.findings)

    def _conflict(self, plan: Unsettled) -> conflicts.Conflict:
        return conflicts.Conflict(
            entry_id=self.session.claim.id,
            round=self.session.claim.round,
            account=self.write.account,
            ifs_key=self.link.ifs_key,
            before=canonical(self.common),
            ifs=canonical(plan.ours.supplier) if plan.ours else b"",
            cin7=canonical(self.write.supplier),
            silent=plan.ours.silent if plan.ours else (),
        )

    async def _carry_out(self, plan: Bring | Nothing) -> None:
        if isinstance(plan, Bring):
            stop_a_loop(self.session, self.desk.settings.policy, self.link, self.write.company)
            self.link = link_with(self.link, msgspec.structs.replace(plan.before, for_ifs=plan.common.supplier))
            self.session.pending.store(self.link)
            hands = Hands(
                self.session,
                self.desk.ifs(),
                Parts(self.desk.ifs().client, self.bound, {"supplier_id": self.link.ifs_key}),
                self.link.ifs_key,
                self.desk.rules().new_supplier,
                wrote=self._wrote,
                rest=self.desk.rest,
            )
            for step in plan.steps:
                await hands.do(step)
        self._remember(plan)
        if plan.to_cin7:
            self.session.later(partial(self._ask_the_other_way, plan.to_cin7))
        if isinstance(plan, Bring):
            said = ", ".join(plan.fields)
            await self.session.finish(f"{said} ({', '.join(steps_said(plan.steps))}; {self.session.calls} calls)")
        else:
            await self.session.finish("our own write, or the same on both sides", echo=True)

    def _wrote(self) -> None:
        """Note that what was read of IFS before is older than this, whatever becomes of the rest."""
        self.session.pending.store(self.link, wrote="ifs")

    def _remember(self, plan: Bring | Nothing) -> None:
        """Record what is in common now, and that IFS will show us our own write."""
        known = link_with(self.link, plan.common)
        if isinstance(plan, Bring):
            self.session.satisfy(msgspec.structs.replace(known, verified=True, echo=True), wrote="ifs")
        elif known != self.link:
            self.session.satisfy(known)

    def _ask_the_other_way(self, fields: Sequence[str], cur: Cur) -> None:
        """See to it that what IFS changed is brought to Cin7, unless that is under way."""
        why = f"changed in IFS since the last write: {', '.join(fields)}"
        key = self.link.ifs_key
        self.session.messages += entries.ask(cur, SUPPLIERS.name, key, actor=self.session.actor, why=why)

"""Ends a voucher with its verdict: shown in IFS first, where the settings name a field for it, and never over an edit.

The verdict is the ledger's whatever IFS says: a good one ends as written, a bad one is held for its reasons.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from shared import flows
from shared.errors import Held, Misconfigured, Retryable
from shared.ifs import grouped
from shared.ifs.mutating import Row, mutate
from shared.ifs.pages import Stored
from shared.ifs.records.journals import SOURCE, VERDICT
from shared.ledger.effects import Effect
from shared.ledger.links import Link
from workers.mapping.results import JournalVerdict
from workers.writing.desk import IFS, Desk, Tenant
from workers.writing.journals import marker_of, plan_verdict, unshown, was_made
from workers.writing.session import Session

FLOW = flows.JOURNALS.name


def targets(mapped: bytes, _written: Sequence[Link]) -> list[str]:
    """Return whether IFS is called: only where the verdict is to be shown there."""
    return [IFS] if msgspec.json.decode(mapped, type=JournalVerdict).field else []


async def write_journal(session: Session, desk: Desk) -> None:
    """End one claimed voucher with its verdict.

    Raises:
        Held: the verdict is bad, or cannot be shown in IFS.
        Retryable: an answer was lost or refused for its rate; the next claim looks at what is there.
    """
    verdict = msgspec.json.decode(session.claim.mapped, type=JournalVerdict)
    shown = ""
    if verdict.field or session.lost:
        try:
            shown = await _Showing(session, desk, desk.ifs(), verdict).run()
        except Held as held:
            raise Held([*verdict.findings, *held.findings]) from held
    if not verdict.ok:
        raise Held(verdict.findings)
    looked = "" if verdict.dates_checked else "; IFS's own accounts are not known"
    await session.finish(f"it may be posted{looked}{shown}")


class _Gone(Exception):
    """IFS has no such voucher any more, or lets nobody change it: it was posted, or removed."""


class _Showing:
    """The calls that bring one verdict into its voucher."""

    def __init__(self, session: Session, desk: Desk, tenant: Tenant, verdict: JournalVerdict) -> None:
        self.session = session
        self.tenant = tenant
        self.verdict = verdict
        self.stream = desk.settings.ifs.stream(FLOW)
        self.settle_s = desk.settings.ifs.settle_s
        self.of = SOURCE.bound(self.stream).set_named(VERDICT)
        parts = (verdict.company, verdict.accounting_year, verdict.voucher_type, verdict.voucher_no)
        key = self.of.named([str(part) for part in parts])
        self.address = tenant.client.address(self.of.service, self.of.entity_set, key)

    async def run(self) -> str:
        """Show the verdict; return what is to be said of it, where it was not written now.

        Raises:
            Held: IFS refuses, or others keep changing the voucher.
            Retryable: as `write_journal`.
        """
        verdict = self.verdict
        try:
            if self.session.lost:
                await self._settle(self.session.lost)
            if verdict.field:
                row = Row("Voucher", verdict.key, verdict.company)
                await mutate(row, read=self._read, decide=partial(plan_verdict, verdict), write=self._write)
        except _Gone:
            return "; it left the hold table before IFS could show that"
        except Misconfigured as denied:
            raise Held([unshown(verdict, self.of, str(denied))]) from denied
        return ""

    async def _settle(self, lost: Sequence[Effect]) -> None:
        """Find out what became of changes whose answers were lost. One that comes late meets a newer ETag."""
        youngest = min(effect.age_s for effect in lost)
        if youngest < self.settle_s:
            raise Retryable("waits before it looks for a lost answer", delay_s=self.settle_s - youngest, executed=False)
        current = await self._found()
        for effect in lost:
            if current is None:
                self.session.resolve(effect, "REFUSED", "the voucher is not there to tell any more")
                continue
            there = was_made(effect.marker, current)
            said = "found as sent when read back" if there else "not as sent when read back; decided again from there"
            self.session.resolve(effect, "APPLIED" if there else "REFUSED", said)

    async def _read(self) -> Stored:
        found = await self._found()
        if found is None:
            await self._require_gone()
            raise _Gone
        return found

    async def _found(self) -> Stored | None:
        client = self.tenant.client
        return await self.session.read(
            self.tenant, lambda slot: client.by_key(self.address, what=self.of.title, slot=slot)
        )

    async def _write(self, current: Stored, values: Mapping[str, object]) -> Stored | None:
        client = self.tenant.client
        try:
            return await self.session.write(
                self.tenant,
                step="verdict",
                request=f"PATCH {self.of.title}",
                body=values,
                call=lambda slot: client.patch(self.address, values, etag=current.etag, what=self.of.title, slot=slot),
                marker=marker_of(self.verdict),
            )
        except Held:
            # What is in the general ledger cannot be changed any more: that is no fault of anybody's.
            if await self._rows_are_there():
                raise
            raise _Gone from None

    async def _require_gone(self) -> None:
        """Make sure that a voucher which is not found is not there, rather than out of our sight.

        Raises:
            Held: its rows are there.
        """
        if await self._rows_are_there():
            why = f"IFS shows no such voucher in {self.of.title}, though its rows are in the hold table"
            raise Held([unshown(self.verdict, self.of, f"{why}.")])

    async def _rows_are_there(self) -> bool:
        read = partial(grouped.read_by_key, self.tenant.client, SOURCE, self.stream, [self.verdict.key])

        def look(slot: str) -> bool:
            # Reading takes its calls itself, as many as there are pages.
            self.tenant.budget.give_back(slot)
            return bool(read(lane=self.session.claim.lane))

        return await self.session.read(self.tenant, look)

"""One mapping actor and one queue per flow; the order of events is written once: claim, read again, map, hand over."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

import dramatiq
import msgspec
import redis
import structlog
from dramatiq.middleware import CurrentMessage

from shared import flows
from shared.config.rules import Rules
from shared.errors import ConnectorError, Misconfigured, Retryable
from shared.findings import Finding
from shared.fingerprints import canonical
from shared.flows import Flow, queue_of
from shared.ledger import claiming, entries, leaving, links
from shared.ledger import messages as ledger_messages
from shared.ledger.claiming import MappingClaim
from shared.ledger.connection import Cur, Ledger
from shared.ledger.entries import Mapped
from shared.ledger.leaving import LEFT
from shared.ledger.messages import Message, write_messages
from shared.queues.handing_over import actor_of, hand_over
from shared.seeing import Lens
from workers.holding import ALONE, OPERATOR_DELAY_S, Guard, bug_finding, crash_finding, persist
from workers.mapping.cin7_suppliers import map_cin7_supplier
from workers.mapping.journals import map_journal
from workers.mapping.purchase_orders import map_order
from workers.mapping.rereading import Reread, Rereader
from workers.mapping.supplier_invoices import map_invoice
from workers.mapping.suppliers import map_supplier

log = structlog.get_logger()

#: Returns what is to be written, or every reason why nothing can be. Pure.
MappingRule = Callable[[Any, Rules], msgspec.Struct | list[Finding]]
Result = msgspec.Struct | list[Finding]


class Ready(msgspec.Struct, frozen=True):
    """A mapped body as the ledger keeps it; `findings` are those that it carries itself."""

    body: bytes
    company: str
    findings: tuple[Finding, ...] = ()


MAPPINGS: dict[Flow, MappingRule] = {
    flows.SUPPLIERS: map_supplier,
    flows.PURCHASE_ORDERS: map_order,
    flows.SUPPLIER_INVOICES: map_invoice,
    flows.JOURNALS: map_journal,
    flows.CIN7_SUPPLIERS: map_cin7_supplier,
}
#: Flows whose rule asks for IFS's own charts of accounts.
CHARTED: Final = frozenset({flows.JOURNALS.name})


class RulesOfTheMoment(Protocol):
    """Mapping tables and reference data as they are now."""

    def get(self) -> Rules:
        """Return the rules; cheap while nothing changed."""

    def refresh_for(self, findings: Sequence[Finding]) -> bool:
        """Read again, at most once a minute, what `findings` miss; return whether anything was read."""

    def require_charts(self, companies: Iterable[str]) -> None:
        """See that IFS's charts of these companies are known, as far as IFS shows them.

        Raises:
            Retryable: IFS does not answer.
        """


def map_raw(raw: bytes, lens: Lens, rule: MappingRule, rules: Rules) -> Result:
    """Decode one raw document and map it."""
    document = lens.decode(raw)
    if isinstance(document, list):
        return document
    return rule(document, rules)


def findings_of(result: msgspec.Struct | list[Finding]) -> Sequence[Finding]:
    """Return what the mapping found wrong, also where that is for the writer to say in the target first."""
    return result if isinstance(result, list) else getattr(result, "findings", ())


class MappingStage:
    """Maps the entries of one flow's messages."""

    def __init__(
        self,
        flow: Flow,
        *,
        lens: Lens,
        ledger: Ledger,
        client: redis.Redis,
        rules: RulesOfTheMoment,
        rereader: Rereader,
        guard: Guard,
        lease_s: float,
    ) -> None:
        self.flow = flow.name
        self.passing = flow.passing
        self.rule = MAPPINGS[flow]
        self.lens = lens
        self.ledger = ledger
        self.client = client
        self.rules = rules
        self.rereader = rereader
        self.guard = guard
        self.lease_s = lease_s

    def run(self, ids: Sequence[int], message_id: UUID | None = None) -> None:
        """Map what is to be mapped of `ids`; each entry ends on its own."""
        with self.ledger.transaction() as cur:
            if message_id is not None:
                ledger_messages.picked_up(cur, message_id)
            suspect = claiming.suspect_among(cur, ids)
        with ALONE if suspect else nullcontext():
            self._run(ids, message_id)

    def _run(self, ids: Sequence[int], message_id: UUID | None) -> None:
        with self.ledger.transaction() as cur:
            claims = claiming.claim_for_mapping(cur, self.flow, ids, self.lease_s)
            alone = self._split(cur, claims)
        hand_over(self.client, self.ledger, alone)
        if not alone:
            self._map([claim for claim in claims if not self._doomed(claim)])
        if message_id is not None:
            end = partial(ledger_messages.ended, message_id=message_id, outcome=f"{len(claims)} taken")
            persist(self.ledger, end, alone=True)

    def _split(self, cur: Cur, claims: Sequence[MappingClaim]) -> list[Message]:
        """A batch that died is claimed again entry by entry, so that the one that kills ends alone."""
        if len(claims) < 2 or all(claim.claims == 1 for claim in claims):
            return []
        ids = [claim.id for claim in claims]
        cur.execute("update entry set lease_until = null, claims = claims - 1 where id = any(%s)", (ids,))
        return write_messages(cur, "map", self.flow, ids, batch=1)

    def _doomed(self, claim: MappingClaim) -> bool:
        if claim.claims <= claiming.CLAIMS_MAX:
            return False
        self.guard.hold(self.flow, "map", [claim.id], [crash_finding(claim.claims - 1)])
        return True

    def _map(self, claims: Sequence[MappingClaim]) -> None:
        fresh = [claim for claim in claims if not claim.reread and claim.raw is not None]
        again = [claim for claim in claims if claim.reread or claim.raw is None]
        messages: list[Message] = []
        if again:
            found = self._read_again(again)
            messages += found.messages
            fresh += found.to_map
            self._gone(found.gone)
        if fresh:
            try:
                results = self._results(fresh)
            except ConnectorError as error:
                self._put_off(fresh, error)
            else:
                messages += self._record(results)
        hand_over(self.client, self.ledger, messages)

    def _read_again(self, claims: Sequence[MappingClaim]) -> Reread:
        """Read the records again; what IFS refuses to all together, it is asked one by one."""
        try:
            return self.rereader.reread(claims)
        except ConnectorError as error:
            if len(claims) > 1 and not isinstance(error, Retryable | Misconfigured):
                return Reread.of([self._read_again([claim]) for claim in claims])
            self._put_off(claims, error)
            return Reread.of([])

    def _put_off(self, claims: Sequence[MappingClaim], error: ConnectorError) -> None:
        """Let entries rest. What the operator must mend counts as no attempt of theirs."""
        log.warning("mapping put off", entries=len(claims), reason=str(error))
        if isinstance(error, Misconfigured):
            error = Retryable(str(error), delay_s=OPERATOR_DELAY_S, executed=False)
        elif not isinstance(error, Retryable):
            error = Retryable(str(error))
        for claim in claims:
            self.guard.rest(self.flow, "map", claim.id, claim.attempts, error)

    def _results(self, claims: Sequence[MappingClaim]) -> list[tuple[MappingClaim, Ready | list[Finding]]]:
        """Map every claim; what fails for want of reference data is mapped once more after a look at Cin7.

        Raises:
            ConnectorError: the rules cannot be read.
        """
        if self.flow in CHARTED:
            self.rules.require_charts({claim.company for claim in claims})
        rules = self.rules.get()
        results = [(claim, self._result(claim, rules)) for claim in claims]
        findings = [finding for _, result in results for finding in findings_of(result)]
        if findings and self._looked_again(findings):
            rules = self.rules.get()
            results = [
                (claim, self._result(claim, rules) if findings_of(result) else result) for claim, result in results
            ]
        return results

    def _looked_again(self, findings: Sequence[Finding]) -> bool:
        """Read again what may be outdated; without an answer the entries are held by what is known."""
        try:
            return self.rules.refresh_for(findings)
        except ConnectorError as error:
            log.warning("reference data not read again", reason=str(error))
            return False

    def _result(self, claim: MappingClaim, rules: Rules) -> Ready | list[Finding]:
        try:
            result = map_raw(claim.raw or b"", self.lens, self.rule, rules)
            if isinstance(result, list):
                return result
            company = getattr(result, "company", claim.company)
            return Ready(canonical(result), company, tuple(findings_of(result)))
        except Exception as bug:
            log.exception("a bug holds this entry", entry=claim.id, flow=self.flow)
            return [bug_finding(bug)]

    def _record(self, results: Sequence[tuple[MappingClaim, Ready | list[Finding]]]) -> list[Message]:
        good = [
            Mapped(claim.id, claim.round, claim.detected_at, result.body, result.company)
            for claim, result in results
            if isinstance(result, Ready)
        ]
        messages = persist(self.ledger, lambda cur: entries.mapped(cur, self.flow, good, actor=self.guard.actor))
        for claim, result in results:
            if isinstance(result, list):
                self.guard.hold(self.flow, "map", [claim.id], result)
        return messages

    def _gone(self, claims: Sequence[MappingClaim]) -> None:
        """End entries whose record IFS does not have: asked for in vain, or gone since they were held."""
        if self.passing:
            keys = [claim.key for claim in claims]
            persist(self.ledger, lambda cur: leaving.leave(cur, self.flow, keys, why=LEFT, actor=self.guard.actor))
            return
        for claim in claims:
            if claim.raw is not None:
                self.guard.hold(self.flow, "map", [claim.id], [vanished_finding(self.flow, claim)])
                continue
            held = persist(self.ledger, lambda cur, claim=claim: self._asked_in_vain(cur, claim))  # type: ignore[misc]
            for entry, flow in held:
                self.guard.lay_letters(flow, "write", [entry])

    def _asked_in_vain(self, cur: Cur, claim: MappingClaim) -> list[tuple[int, str]]:
        entries.close(
            cur,
            [claim.id],
            "dismissed",
            actor=self.guard.actor,
            why=f"IFS has no record {claim.key} in {self.flow} that is sent",
        )
        waiting = links.waiters(cur, self.flow, claim.key)
        return [
            (entry, flow)
            for entry, flow, account, company in waiting
            if entries.hold(
                cur, entry, "write", [unknown_finding(self.flow, claim.key, account, company)], actor=self.guard.actor
            )
        ]


def vanished_finding(flow: str, claim: MappingClaim) -> Finding:
    return Finding(
        code="source.invalid",
        field="key",
        value=claim.key,
        company=claim.company,
        message=f"IFS does not have {claim.key} in {flow} any more, or not for the connector's user.",
        remedy="Check the record and the user's companies and sites in IFS; dismiss this entry if it was removed.",
    )


def unknown_finding(flow: str, key: str, account: str, company: str) -> Finding:
    return Finding(
        code="dependency.missing",
        field=f"{flow}@{account}",
        value=key,
        company=company,
        message=f"It needs {key} of {flow}, which IFS does not show to us, or which is not sent.",
        remedy=f"Create {key} in IFS or correct the document; it goes on by itself once {key} is in Cin7.",
    )


def declare(broker: dramatiq.Broker, stages: Mapping[Flow, MappingStage]) -> None:
    """Declare the actor of every flow with the broker."""
    for flow, stage in stages.items():
        queue = queue_of("map", flow.name)

        def map_entries(ids: list[int], stage: MappingStage = stage) -> None:
            current = CurrentMessage.get_current_message()
            stage.run(ids, None if current is None else UUID(current.message_id))

        dramatiq.actor(actor_name=actor_of(queue), queue_name=queue, broker=broker)(map_entries)

"""One comparison of a month from beginning to end: gathered, compared, looked at twice, recorded."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
import structlog

from shared.assembly import Assembly
from shared.errors import ConnectorError
from shared.fingerprints import canonical
from shared.ifs.spans import Span, month_span
from shared.ledger import reconciliations
from shared.ledger.reconciliations import Found, Scope, Stored
from shared.money import tolerance_from
from workers.reconciling.comparing import Difference, compare
from workers.reconciling.copies import Case
from workers.reconciling.explaining import explained
from workers.reconciling.gathering import COMPARED, Gatherer
from workers.reconciling.laying import Place
from workers.reconciling.looking_at_cin7 import Progress
from workers.reconciling.pairing import paired
from workers.reconciling.totals import Row, totals

log = structlog.get_logger()

#: Documents looked at a second time. More of them differ for another reason than that they moved while we looked.
AGAIN_MAX: Final = 1_000


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A difference with its words."""

    difference: Difference
    explanation: str
    remedy: str


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found.

    Attributes:
        run: its number in the ledger.
        companies: empty where it was of all.
        stored: what stands of the month, by place: those found now, in the state that people have given them.
        overtaken: another one that began later was recorded meanwhile; this one was not.
        calls: made to each system.
    """

    run: int
    period: str
    companies: tuple[str, ...]
    rows: tuple[Row, ...]
    differences: tuple[Explained, ...]
    stored: Mapping[reconciliations.Place, Stored]
    remarks: tuple[str, ...]
    documents: int
    calls: Mapping[str, int]
    seconds: float
    overtaken: bool = False

    @property
    def is_ready(self) -> bool:
        """Say whether the month may be closed."""
        return not any(one.state == "open" for one in self.stored.values())


def reconcile(
    parts: Assembly,
    period: str,
    *,
    company: str = "",
    full: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    progress: Progress = lambda *_: None,
) -> Reconciled:
    """Compare a month, record what differs, and close what does not any more.

    Args:
        period: YYYY-MM.
        company: only this one; empty: all that there are.
        full: read every purchase in Cin7 anew.

    Raises:
        ConnectorError: a side cannot be read; nothing was recorded then but the attempt.
    """
    span = month_span(period)
    if span is None:
        raise ConnectorError(f"{period!r} is no month: write it as 2026-03.")
    began, before = time.monotonic(), _calls(parts)
    companies = [company] if company else known_companies(parts, span)
    scope = Scope(period=period, companies=(company,) if company else (), flows=tuple(flow.name for flow in COMPARED))
    with parts.ledger.transaction() as cur:
        run = reconciliations.begin(cur, scope, actor=parts.actor)
    try:
        gatherer = Gatherer(parts, span, companies, stopping=stopping, progress=progress, full=full)
        cases, found = _compared(gatherer, span, tolerance_from(parts.settings.policy.total_tolerance))
    except Exception as error:
        with parts.ledger.transaction() as cur:
            reconciliations.fail(cur, run, str(error))
        raise
    scope = msgspec.structs.replace(
        scope, accounts=tuple(gatherer.looks), flows=tuple(flow.name for flow in gatherer.flows)
    )
    rows = totals(cases.values(), span)
    with parts.ledger.transaction() as cur:
        stored = reconciliations.record(
            cur, run, scope, [_found(one) for one in found], actor=parts.actor, report=canonical(rows)
        )
        overtaken = reconciliations.was_overtaken(cur, run)
    after = _calls(parts)
    return Reconciled(
        run=run,
        period=period,
        companies=scope.companies,
        rows=rows,
        differences=tuple(found),
        stored=stored,
        remarks=tuple(gatherer.remarks),
        documents=sum(1 for case in cases.values() if any(copy.counts_in(span) for copy in case.copies)),
        calls={name: count - before.get(name, 0) for name, count in after.items()},
        seconds=round(time.monotonic() - began, 1),
        overtaken=overtaken,
    )


def known_companies(parts: Assembly, span: Span) -> list[str]:
    """Return the companies of the table, and those that the ledger has met in this month."""
    assert span.first is not None and span.last is not None  # noqa: S101, PT018 - a month has both
    rows = parts.ledger.rows(
        """
        select distinct company from record
        where flow = any(%s) and dated between %s and %s and company <> ''
        """,
        ([flow.name for flow in COMPARED], span.first, span.last),
    )
    return sorted({*parts.rules.get().tables.companies, *(str(row[0]) for row in rows)})


def _compared(gatherer: Gatherer, span: Span, tolerance: Decimal) -> tuple[dict[Place, Case], list[Explained]]:
    """Return all cases, and the differences that are there when looked at a second time."""
    gathered = gatherer.everything()
    cases = dict(gathered.cases)
    doubtful = [place for place, case in cases.items() if compare(case, span, tolerance)]
    if 0 < len(doubtful) <= AGAIN_MAX:
        # While one side was read, the others moved on: what is true is still true when it is asked for by itself.
        cases |= gatherer.again(doubtful)
    cases = paired(cases, gathered.loose)
    scope = {*gatherer.companies, ""}
    cases = {place: case for place, case in cases.items() if {copy.company for copy in case.copies} & scope}
    found = []
    for case in cases.values():
        for difference in compare(case, span, tolerance):
            explanation, remedy = explained(difference, case)
            found.append(Explained(difference=difference, explanation=explanation, remedy=remedy))
    found.sort(key=lambda one: (one.difference.company, one.difference.flow, one.difference.key, one.difference.step))
    return cases, found


def _found(one: Explained) -> Found:
    difference = one.difference
    substance: Sequence[object] = (difference.kind, difference.amounts, difference.fields, difference.settled)
    return Found(
        flow=difference.flow,
        key=difference.key,
        step=difference.step,
        document=difference.document,
        company=difference.company,
        cin7_account=difference.cin7_account,
        kind=difference.kind,
        settled=difference.settled,
        substance=canonical(substance),
        body=canonical(one),
    )


def _calls(parts: Assembly) -> dict[str, int]:
    """Return the calls that this process has been permitted so far, by system."""
    found = {"ifs": parts.ifs.budget.taken}
    for account in parts.settings.cin7:
        if parts.has_cin7(account):
            found[f"cin7/{account}"] = parts.cin7(account).budget.taken
    return found


def months_due(today: date) -> list[str]:
    """Return the months that are looked at every night: this one and the one before."""
    this = f"{today:%Y-%m}"
    last = date(today.year - (today.month == 1), (today.month + 10) % 12 + 1, 1)
    return [f"{last:%Y-%m}", this]

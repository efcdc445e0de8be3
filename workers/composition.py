"""Puts the workers together: from the parts of a process to its stages."""

from collections.abc import Callable, Sequence
from functools import partial

import structlog

from shared.assembly import Assembly
from shared.findings import IN_IFS, Finding
from shared.flows import BY_NAME, FLOWS, Flow
from shared.ledger.causes import Cause, companies_doubted
from workers.holding import Guard
from workers.mapping.actors import MAPPINGS, MappingStage, findings_of, map_raw
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.mapping.rereading import Rereader
from workers.mapping.results import JournalVerdict
from workers.replaying import Releaser
from workers.writing.actors import Writing, writers
from workers.writing.back_foresight import foresee_back, stands_against
from workers.writing.desk import IFS, Account, Desk, Pace, Tenant
from workers.writing.duplicates import DuplicateWatch
from workers.writing.first_contact import FirstContact
from workers.writing.seats import Seats

log = structlog.get_logger()


def mapping_stages(parts: Assembly) -> dict[Flow, MappingStage]:
    """Return the mapping of every flow."""
    stages = {}
    for flow in FLOWS:
        lens = parts.lens(flow)
        stages[flow] = MappingStage(
            flow,
            lens=lens,
            ledger=parts.ledger,
            client=parts.redis,
            rules=parts.rules,
            rereader=Rereader(flow, parts.ledger, lens, parts.actor, partial(parts.read_by_key, flow)),
            guard=Guard(parts.ledger, parts.redis, parts.actor, parts.settings.policy.attempts_max),
            lease_s=parts.settings.policy.lease_s,
        )
    return stages


def desk_of(parts: Assembly, stopping: Callable[[], bool]) -> Desk:
    """Return what the writers of a process work with."""
    targets = len(parts.settings.cin7) + 1
    seats = {name: Seats(targets) for name in (*parts.settings.cin7, IFS)}
    paces = {name: Pace() for name in (*parts.settings.cin7, IFS)}

    def account(name: str) -> Account:
        client = parts.cin7(name)
        return Account(
            name=name,
            budget=client.budget,
            seats=seats[name],
            pace=paces[name],
            call_s_max=client.settings.read_timeout_s,
            client=client,
        )

    def tenant() -> Tenant:
        client = parts.ifs
        return Tenant(
            name=IFS,
            budget=client.budget,
            seats=seats[IFS],
            pace=paces[IFS],
            call_s_max=client.call_s_max,
            client=client,
        )

    return Desk(
        parts.ledger,
        parts.redis,
        parts.settings,
        parts.actor,
        account,
        stopping,
        tenant,
        rules=parts.rules.get,
        read_again=parts.read_by_key,
    )


def first_contact_of(parts: Assembly) -> FirstContact:
    return FirstContact(parts.ledger, parts.settings.cin7)


def writing_stages(parts: Assembly, stopping: Callable[[], bool]) -> dict[Flow, Writing]:
    """Return the writing of every flow."""
    desk = desk_of(parts, stopping)
    return {flow: Writing(desk, flow, writer) for flow, writer in writers(first_contact_of(parts)).items()}


def releaser_of(parts: Assembly) -> Releaser:
    """Return what releases held entries when their causes are gone."""
    return Releaser(
        parts.ledger,
        parts.redis,
        parts.actor,
        auto_replay=parts.settings.policy.auto_replay,
        still_there=partial(still_there, parts),
        refresh=partial(refresh, parts),
        revision=parts.rules.revision,
    )


def still_there(parts: Assembly, cause: Cause, entry_id: int) -> bool:
    """Say whether an entry that is sent again with the rules of the moment still runs into `cause`."""
    rows = parts.ledger.rows(
        """
        select e.flow, b.raw, e.stage, e.key from entry e
        join body b on b.entry_id = e.id and b.kind = 'source' and b.at = e.detected_at
        where e.id = %s
        """,
        (entry_id,),
    )
    if not rows:
        return True
    flow, stage, key = BY_NAME[rows[0][0]], rows[0][2], str(rows[0][3])
    rules = parts.rules.get()
    try:
        result = map_raw(bytes(rows[0][1]), parts.lens(flow), MAPPINGS[flow], rules)
    except Exception:  # Whatever is wrong with one record, the causes of the others are looked at.
        log.exception("a bug keeps this cause", cause=cause.id, entry=entry_id)
        return True
    found: Sequence[Finding] = findings_of(result)
    if isinstance(result, Cin7SupplierWrite):
        with parts.ledger.transaction() as cur:
            found = stands_against(foresee_back(cur, key, result, rules, parts.settings))
    elif stage == "write" and not found and not isinstance(result, JournalVerdict):
        return True  # What only the writer ran into, mapping cannot show to be gone.
    return (cause.code, cause.company, cause.value) in {(one.code, one.company, one.value) for one in found}


def refresh(parts: Assembly, causes: Sequence[Cause]) -> None:
    """Read again what open causes ask of both sides, and whatever is old; look for what a lost answer may have left."""
    parts.rules.refresh_causes([(cause.code, cause.company) for cause in causes])
    parts.rules.refresh_stale()
    with parts.ledger.transaction() as cur:
        doubted = companies_doubted(cur, IN_IFS)
    parts.charts.keep_current(parts.charts.get())
    parts.rules.refresh_charts(doubted)
    DuplicateWatch(parts.ledger, parts.actor, desk_of(parts, lambda: False).accounts).look()

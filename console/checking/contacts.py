"""Runs every check of every system that the configuration names, one system after the other."""

import time
from collections.abc import Iterator
from typing import Final

import msgspec

from console.checking import cin7, ifs, streams
from console.checking.cin7 import Account
from console.checking.ifs import StreamInUse, Tenant
from console.checking.results import Check, Result, Said, failed, passed, run_checks, warned
from shared.assembly import CLOCK_SKEW_S_MAX, Assembly
from shared.config.rules import Tables
from shared.config.tables import load_tables
from shared.errors import Misconfigured
from shared.flows import JOURNALS
from shared.origins import SOURCES
from shared.queues.broker import require_safe_redis

#: What is tried in IFS, in the order in which one builds on the other.
OF_IFS: Final[tuple[Check[Tenant], ...]] = (
    ("token", ifs.token),
    ("projections", ifs.projections),
    ("metadata", ifs.metadata),
    ("sets", streams.sets),
    ("record", streams.records),
    ("companies", ifs.companies),
    ("sites", ifs.sites),
    ("ETag", ifs.etags),
    ("order of pages", streams.order),
    ("size of pages", streams.page_size),
    ("strategy", streams.strategies),
    ("verdicts", streams.verdicts),
    ("time of change", streams.modified),
    ("time zone", ifs.time_zone),
)


def everything(parts: Assembly) -> Iterator[Result]:
    """Yield each result as it is found.

    Raises:
        Retryable: the ledger is away.
    """
    tables = load_tables(parts.ledger.connection())
    yield from run_checks("connector", parts, OF_OURS)
    try:
        client = parts.ifs
    except Misconfigured as error:
        yield _without_credentials("ifs", error)
    else:
        verdict_field = parts.settings.policy.journal_verdict_field
        tenant = Tenant(client, parts.settings.ifs, streams_in_use(parts, tables), tables, verdict_field)
        absent = tuple(stream for stream in tenant.streams if not streams.is_served(tenant, stream))
        yield from run_checks("ifs", absent, (("sets", streams.unserved),))
        served = tuple(stream for stream in tenant.streams if stream not in absent)
        yield from run_checks("ifs", msgspec.structs.replace(tenant, streams=served), OF_IFS)
    for name, settings in parts.settings.cin7.items():
        try:
            account = Account(name, parts.cin7(name), settings, tables)
        except Misconfigured as error:
            yield _without_credentials(f"cin7/{name}", error)
        else:
            yield from run_checks(f"cin7/{name}", account, cin7.CHECKS)


def streams_in_use(parts: Assembly, tables: Tables) -> tuple[StreamInUse, ...]:
    """Return the streams that the settings leave enabled, in flow order."""
    chosen = [(flow, parts.settings.ifs.stream(flow.name)) for flow in SOURCES]
    bound = [(flow, stream, SOURCES[flow].bound(stream)) for flow, stream in chosen if stream.enabled]
    shows = {JOURNALS: bool(parts.settings.policy.journal_verdict_field)}
    return tuple(
        StreamInUse(
            flow=flow.name,
            settings=stream,
            bound=names,
            companies=tuple(sorted(tables.companies)),
            written=names.further if shows.get(flow) else (),
        )
        for flow, stream, names in bound
    )


def redis_policy(parts: Assembly) -> Iterator[Said]:
    try:
        warning = require_safe_redis(parts.redis)
    except Misconfigured as error:
        yield failed(str(error), "Run `redis-cli config set maxmemory-policy noeviction`, and set it in its file.")
        return
    if warning:
        yield warned(warning, "Turn on appendonly, so that a restart of Redis loses no time.")
    else:
        yield passed("Redis evicts nothing and keeps what it has on disk.")


def clock(parts: Assembly) -> Iterator[Said]:
    rows = parts.ledger.rows("select extract(epoch from clock_timestamp())::float")
    skew_s = abs(time.time() - float(rows[0][0]))
    if skew_s > CLOCK_SKEW_S_MAX:
        yield failed(f"This machine's clock and PostgreSQL's differ by {skew_s:.0f} s.", "Set both by NTP.")
    else:
        yield passed("This machine's clock and PostgreSQL's agree.")


def accounts_of_companies(parts: Assembly) -> Iterator[Said]:
    """Compare the table companies with the sections of the settings."""
    tables: Tables = load_tables(parts.ledger.connection())
    unknown = {row.company: row.cin7_account for row in tables.companies.values()}
    unknown = {company: account for company, account in unknown.items() if account not in parts.settings.cin7}
    for company, account in sorted(unknown.items()):
        remedy = f"Add section [cin7.{account}] to the settings, or correct the table companies."
        yield failed(f"Company {company} goes to Cin7 account {account}, which the settings do not name.", remedy)
    if not unknown:
        yield passed(f"{len(tables.companies)} companies go to accounts that the settings name.")


OF_OURS: Final[tuple[Check[Assembly], ...]] = (
    ("Redis", redis_policy),
    ("clock", clock),
    ("companies", accounts_of_companies),
)


def _without_credentials(system: str, error: Misconfigured) -> Result:
    detail, _, remedy = str(error).rpartition(": ")
    return Result(system, "credentials", "fail", f"{detail}.", f"{remedy[:1].upper()}{remedy[1:]}")

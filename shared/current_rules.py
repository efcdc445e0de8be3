"""The rules of the moment: mapping tables and Cin7's reference data, kept in the ledger and read when they change."""

import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import structlog

from shared.cin7 import reference as cin7_reference
from shared.cin7.answers import text
from shared.cin7.client import Cin7Client
from shared.config.rules import ChartAccount, Company, Product, Reference, Rules, TaxRule, Term
from shared.config.settings import Settings
from shared.config.tables import load_tables
from shared.errors import ConnectorError, Misconfigured, Retryable
from shared.findings import Finding, is_about_ifs
from shared.flows import SUPPLIERS
from shared.ifs.charts import Chart
from shared.ifs.records.accounts import Account
from shared.ifs_charts import AT_MOST_EVERY_S, KEPT, IfsCharts
from shared.ledger import references
from shared.ledger.connection import Ledger, may_stand_still

log = structlog.get_logger()

#: What is read of every account, and what it is decoded into again.
SHAPES: Final[dict[str, Any]] = {
    "accounts": dict[str, ChartAccount],
    "terms": dict[str, Term],
    "tax_rules": dict[str, TaxRule],
    "locations": frozenset[str],
    "products": dict[str, Product],
    "company": tuple[str, str],
}
#: Under this name IFS's sites are kept beside the Cin7 accounts' parts.
IFS: Final = "@ifs"
SITES: Final = "sites"
#: Which part may explain a finding away.
PART_OF: Final = {
    "account.missing": "accounts",
    "account.inactive": "accounts",
    "term.unmapped": "terms",
    "tax.unmapped": "tax_rules",
    "site.unmapped": "locations",
    "product.missing": "products",
    "period.locked": "company",
}
#: Seconds: a part is read by itself when it is older than that.
STALE_S: Final = 1_800.0
#: Seconds that reading one part may take, its waits for permitted calls included.
REFRESH_S_MAX: Final = 1_800


def read_part(client: Cin7Client, kind: str, lane: str = "live") -> object:
    """Read one part of an account's reference data from Cin7."""
    if kind == "company":
        company = client.me(lane=lane)
        return text(company, "Currency"), text(company, "LockDate")
    readers: dict[str, Callable[[Cin7Client, str], object]] = {
        "accounts": cin7_reference.read_accounts,
        "terms": cin7_reference.read_terms,
        "tax_rules": cin7_reference.read_tax_rules,
        "locations": lambda of, on: sorted(cin7_reference.read_locations(of, on)),
        "products": cin7_reference.read_products,
    }
    return readers[kind](client, lane)


class CurrentRules:
    """One per process; safe to share between threads.

    Args:
        client: opens the client of a Cin7 account by name.
        sites: reads IFS's sites and their companies.
        charts: IFS's charts of accounts.
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        client: Callable[[str], Cin7Client],
        sites: Callable[[], dict[str, str]],
        charts: IfsCharts,
    ) -> None:
        self.ledger = ledger
        self.settings = settings
        self.client = client
        self.sites = sites
        self.charts = charts
        self._lock = threading.Lock()
        self._known: tuple[int, Rules] | None = None
        #: When a part was last asked for in vain, on this process's clock.
        self._in_vain: dict[tuple[str, str], float] = {}

    def revision(self) -> int:
        with self.ledger.statement() as cur:
            return references.revision(cur)

    def get(self) -> Rules:
        """Return the rules; what was never read is read first.

        Raises:
            Retryable: Cin7 or IFS does not answer, and nothing was read before.
            Misconfigured: there are no credentials for an account.
        """
        revision = self.revision()
        with self._lock:
            if self._known is not None and self._known[0] == revision:
                return self._of_today(self._known[1])
            rules, kept = self._load()
            if missing := self._unread(rules, kept):
                self._refresh(missing)
                revision = self.revision()
                rules, _ = self._load()
            self._known = (revision, rules)
            return self._of_today(rules)

    def _of_today(self, rules: Rules) -> Rules:
        today = f"{datetime.now(ZoneInfo(self.settings.ifs.time_zone)):%Y-%m-%d}"
        return msgspec.structs.replace(rules, today=today)

    def refresh_for(self, findings: Sequence[Finding]) -> bool:
        """Read again what `findings` miss, at most once a minute; return whether anything was read."""
        ours = [(finding.code, finding.company) for finding in findings if not is_about_ifs(finding)]
        theirs = {finding.company for finding in findings if is_about_ifs(finding)}
        read = self.refresh_causes(ours)
        try:
            return self.refresh_charts(theirs) or read
        except ConnectorError as error:
            if not read:
                raise
            log.warning("IFS's chart of accounts not read again", reason=str(error))
            return True

    def refresh_charts(self, companies: Iterable[str]) -> bool:
        """Read IFS's charts of those companies again that are ours, at most once a minute; return whether any was."""
        known = self.get().tables.companies
        return self.charts.refresh(sorted(known.keys() & set(companies)), older_than_s=AT_MOST_EVERY_S)

    def require_charts(self, companies: Iterable[str]) -> None:
        """See that IFS's charts of those companies that are ours are known, as far as IFS shows them.

        Raises:
            Retryable: IFS does not answer, and one of them was never read.
        """
        known = self.get().tables.companies
        self.charts.keep_current(sorted(known.keys() & set(companies)))

    def refresh_causes(self, causes: Iterable[tuple[str, str]]) -> bool:
        """Read again, at most once a minute, what (code, company) may be mended by; return whether anything was."""
        rules = self.get()
        wanted = {
            (account, part)
            for code, company in causes
            if (part := PART_OF.get(code)) is not None
            for account in self._accounts_of(rules, company)
        }
        return self._refresh(sorted(wanted), older_than_s=AT_MOST_EVERY_S)

    def refresh_stale(self) -> bool:
        """Read again what is older than half an hour."""
        wanted = [(account, kind) for account in self.used(self.get()) for kind in SHAPES]
        return self._refresh([*wanted, (IFS, SITES)], older_than_s=STALE_S)

    def used(self, rules: Rules) -> list[str]:
        """Return the accounts that some company's documents go to and that the settings know."""
        return sorted({company.cin7_account for company in rules.tables.companies.values()} & set(self.settings.cin7))

    def _accounts_of(self, rules: Rules, company: str) -> list[str]:
        known: Company | None = rules.tables.companies.get(company)
        return [known.cin7_account] if known and known.cin7_account in self.settings.cin7 else self.used(rules)

    def _unread(self, rules: Rules, kept: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return what `rules` need and were made without; `kept`: what they were made from."""
        wanted = [(account, kind) for account in self.used(rules) for kind in SHAPES]
        if not rules.tables.sites:
            wanted.append((IFS, SITES))
        return [part for part in wanted if part not in kept]

    def _refresh(self, parts: Iterable[tuple[str, str]], *, older_than_s: float | None = None) -> bool:
        """Read parts that are older than that, None: that were never read; return whether any was.

        Raises:
            ConnectorError: there is no answer.
        """
        read = False
        for account, kind in parts:
            with self.ledger.transaction() as cur:
                # One process reads, the others wait for what it kept. It may have to wait for its calls.
                may_stand_still(cur, REFRESH_S_MAX)
                references.lock_refresh(cur, f"{account}/{kind}")
                age_s = references.age_s(cur, account, kind)
                if age_s is not None and (older_than_s is None or age_s < older_than_s):
                    continue
                if older_than_s is not None and self._asked_in_vain_s(account, kind) < older_than_s:
                    continue
                found = self._read(account, kind)
                references.keep(cur, account, kind, msgspec.json.encode(found, order="deterministic"))
                read = True
        return read

    def _asked_in_vain_s(self, account: str, kind: str) -> float:
        return time.monotonic() - self._in_vain.get((account, kind), -math.inf)

    def _read(self, account: str, kind: str) -> object:
        try:
            return self._sites() if account == IFS else read_part(self.client(account), kind)
        except Retryable:
            self._in_vain[account, kind] = time.monotonic()
            raise

    def _sites(self) -> dict[str, str]:
        try:
            return self.sites()
        except Misconfigured:
            # Sites are a fallback for the table `sites`: a tenant that does not show them is no reason to stop.
            return {}

    def _load(self) -> tuple[Rules, set[tuple[str, str]]]:
        """Return the rules as the ledger has them, and which parts of the reference data they were made from."""
        with self.ledger.transaction() as cur:
            tables = load_tables(cur.connection)
            kept = references.kept(cur)
        parts: dict[str, dict[str, Any]] = {}
        ifs_sites: dict[str, str] = {}
        ifs_accounts: dict[str, dict[str, Account]] = {}
        for part in kept:
            if part.account == IFS:
                ifs_sites = msgspec.json.decode(part.body, type=dict[str, str])
            elif part.account == KEPT:
                chart = msgspec.json.decode(part.body, type=Chart)
                # An empty chart is one that IFS does not show to our user: it says nothing about an account.
                ifs_accounts |= {chart.company: chart.accounts} if chart.accounts else {}
            elif part.kind in SHAPES:
                parts.setdefault(part.account, {})[part.kind] = msgspec.json.decode(part.body, type=SHAPES[part.kind])
        rules = Rules(
            tables=tables,
            policy=self.settings.policy,
            cin7=self.settings.cin7,
            reference={account: _reference(found) for account, found in parts.items()},
            ifs_sites=ifs_sites,
            ifs_accounts=ifs_accounts,
            supplier_status="blocked" in self.settings.ifs.stream(SUPPLIERS.name).fields,
            new_supplier=self.settings.ifs.new_supplier,
        )
        return rules, {(part.account, part.kind) for part in kept}


def _reference(parts: dict[str, Any]) -> Reference:
    currency, lock_date = parts.pop("company", ("", ""))
    return Reference(**parts, base_currency=currency, lock_date=lock_date)

"""Vouchers to verdicts by the rules and charts of the moment, and a second look where the first may be outdated."""

import time
from collections.abc import Callable, Sequence

import msgspec

from shared.assembly import Assembly
from shared.errors import ConnectorError
from shared.findings import Finding, is_about_ifs
from shared.ifs.records.journals import Voucher
from shared.ifs_charts import AT_MOST_EVERY_S, STALE_S
from workers.mapping.journals import verdict
from workers.mapping.texts import shown


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one voucher; `dates_checked` says whether IFS's accounts were known for it."""

    key: str
    ok: bool
    dates_checked: bool
    findings: tuple[Finding, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`: every voucher is."""

    ok: bool
    vouchers: list[Checked]


class JournalDesk:
    """One per process; safe to share between threads."""

    def __init__(self, parts: Assembly) -> None:
        self._parts = parts
        self._not_before: dict[str, float] = {}

    def check(self, vouchers: Sequence[Voucher]) -> Answer:
        """Return the verdicts by what is known already.

        Raises:
            Retryable: the ledger is away, or what was never read cannot be read.
            Misconfigured: there are no credentials to read it with.
        """
        rules = self._parts.rules.get()
        checked = []
        for voucher in vouchers:
            found = verdict(voucher, rules)
            checked.append(
                Checked(key=shown(voucher.key), ok=found.ok, dates_checked=found.dates_checked, findings=found.findings)
            )
        return Answer(ok=all(one.ok for one in checked), vouchers=checked)

    def look_again(self, vouchers: Sequence[Voucher], answer: Answer) -> list[str]:
        """Read again what may explain a finding away, and what is old; return what could not be read and why.

        What failed is left alone for a minute, so that a system that is away does not slow every answer down.
        """
        findings = [finding for one in answer.vouchers for finding in one.findings]
        mapped = self._parts.rules.get().tables.companies
        companies = sorted({voucher.company for voucher in vouchers} & mapped.keys())
        doubted = sorted({finding.company for finding in findings if is_about_ifs(finding)} & mapped.keys())
        ours = [finding for finding in findings if not is_about_ifs(finding)]
        tries: tuple[tuple[str, Callable[[], object]], ...] = (
            ("Cin7", lambda: self._parts.rules.refresh_for(ours)),
            ("IFS", lambda: self._parts.charts.refresh(companies, older_than_s=STALE_S)),
            ("IFS", lambda: self._parts.charts.refresh(doubted, older_than_s=AT_MOST_EVERY_S)),
        )
        notes: list[str] = []
        for system, read in tries:
            if time.monotonic() < self._not_before.get(system, 0.0):
                continue
            try:
                read()
            except ConnectorError as error:
                self._not_before[system] = time.monotonic() + AT_MOST_EVERY_S
                notes.append(f"{system}'s accounts are as read before, or unknown: {error}")
        return notes

"""Reads purchases of one Cin7 account: the list in whole pages first, and in full only those nobody has read since."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeVar

import msgspec
import structlog

from shared.cin7.client import Cin7Client, every
from shared.cin7.errors import Cin7Refused
from shared.cin7.records.purchases import PurchaseRow
from shared.errors import ConnectorError, Retryable
from shared.ifs.spans import Span
from shared.ledger import purchases
from shared.ledger.connection import Ledger
from shared.ledger.purchases import KeptPurchase
from workers.reconciling.extracts import BOOKED, Extract, extract_of, kept_of

log = structlog.get_logger()
T = TypeVar("T")

LANE: Final = "reconciliation"
#: Days before a month from which on the list is asked for: a bill of the month may have been keyed ahead of its date.
AHEAD: Final = timedelta(days=31)
#: Tries of one call, and the longest rest between two, in seconds.
TRIES: Final = 5
REST_S_MAX: Final = 30.0
#: Seconds of one look for a permitted call.
LOOK_S: Final = 5.0
#: Purchases kept in one commit: a comparison that is killed has not read them in vain.
_TOGETHER: Final = 20

_HAS_BILLS: Final = frozenset(
    {"INVOICED", "INVOICED / CREDITED", "PARTIALLY INVOICED", "PARTIALLY INVOICED / CREDITED"}
)

Progress = Callable[[str, int, int], None]


class Stopped(ConnectorError):
    """The process is told to end; nothing was recorded of this comparison."""

    def __init__(self) -> None:
        super().__init__("The comparison was stopped before its end; nothing of it was recorded.")


class Cin7Look:
    """One Cin7 account.

    Args:
        full: read every purchase that matters, whatever is known of it.
        progress: is told what is read, how many of it are done, and how many there are.
    """

    def __init__(
        self,
        account: str,
        client: Cin7Client,
        ledger: Ledger,
        *,
        stopping: Callable[[], bool],
        progress: Progress,
        full: bool = False,
    ) -> None:
        self.account = account
        self.client = client
        self.ledger = ledger
        self.stopping = stopping
        self.progress = progress
        self.full = full
        self.details = 0

    def rows(self, span: Span) -> dict[str, PurchaseRow]:
        """Return the list's rows of purchases that changed since shortly before the span, by id."""
        assert span.first is not None  # noqa: S101 - a month begins somewhere
        since = f"{span.first - AHEAD}T00:00:00.000"

        def page(number: int) -> tuple[int, list[PurchaseRow]]:
            return self._patiently(lambda slot: self.client.purchase_list(number, updated_since=since, slot=slot))

        return {row.id: row for row in every(page)}

    def extracts(
        self, rows: Mapping[str, PurchaseRow], needed: Iterable[str], span: Span, *, fresh: Collection[str] = ()
    ) -> dict[str, Extract]:
        """Return the purchases that may hold a document of the span, and those that are needed, by id.

        Those that Cin7 does not have are missing.

        Args:
            needed: ids of purchases that documents are linked to.
            fresh: ids of those that are read in any case.
        """
        wanted = {row.id for row in rows.values() if may_matter(row, span)} | set(needed)
        with self.ledger.transaction() as cur:
            kept = purchases.kept(cur, self.account, sorted(wanted))
        found: dict[str, Extract] = {}
        unread = []
        for one in sorted(wanted):
            known = kept.get(one)
            extract = msgspec.json.decode(known.body, type=Extract) if known else None
            current = extract is not None and is_current(known.stamp if known else "", extract, rows.get(one), span)
            if extract is not None and current and not self.full and one not in fresh:
                found[one] = extract
            else:
                unread.append(one)
        return found | self._read(unread)

    def _read(self, ids: Sequence[str]) -> dict[str, Extract]:
        """Read purchases in full, and keep them."""
        found: dict[str, Extract] = {}
        fresh: list[KeptPurchase] = []
        for place, one in enumerate(ids):
            self.progress(f"purchases of {self.account}", place, len(ids))
            try:
                purchase = self._patiently(lambda slot, one=one: self.client.purchase(one, slot=slot))  # type: ignore[misc]
            except Cin7Refused as refused:
                log.info("a purchase is gone", account=self.account, purchase=one, reason=str(refused))
                continue
            self.details += 1
            found[one] = extract_of(purchase)
            fresh.append(kept_of(self.account, purchase))
            if len(fresh) == _TOGETHER:
                self._keep(fresh)
        self._keep(fresh)
        return found

    def _keep(self, fresh: list[KeptPurchase]) -> None:
        if fresh:
            with self.ledger.transaction() as cur:
                purchases.keep(cur, fresh)
            fresh.clear()

    def _patiently(self, call: Callable[[str], T]) -> T:
        """Make a call once one is free in our lane; what failed for a reason that may pass is tried again."""
        for attempt in range(TRIES):
            slot = self._slot()
            try:
                return call(slot)
            except Retryable as error:
                if attempt == TRIES - 1:
                    raise
                self._rest(min(error.delay_s or 2.0**attempt, REST_S_MAX))
        raise AssertionError("unreachable")

    def _slot(self) -> str:
        """Wait for a call that nobody else wants, however long that takes."""
        while not self.stopping():
            try:
                return self.client.budget.take(LANE, timeout_s=LOOK_S)
            except Retryable as error:
                if error.delay_s is None:
                    raise  # Redis, which shares out the calls, is away.
        raise Stopped

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.stopping():
                raise Stopped
            time.sleep(min(0.2, max(0.0, until - time.monotonic())))


def may_matter(row: PurchaseRow, span: Span) -> bool:
    """Say whether a purchase may hold an order or a bill of the span, by what the list shows. Pure.

    The list shows one bill of several at most, so that one with bills is looked at where the span lies between the day
    on which it was made and its last change.
    """
    if row.status.upper() == "VOIDED":
        return False
    if span.has(row.order_date) or span.has(row.invoice_date):
        return True
    has_bills = (
        row.combined_invoice_status.upper() in _HAS_BILLS
        or row.invoice_status.upper() in BOOKED
        or row.credit_note_status.upper() in BOOKED
    )
    return has_bills and _begins_by(row.order_date, span) and _changed_since(row.last_updated_date, span)


def _begins_by(day: str, span: Span) -> bool:
    return span.last is None or not day or day[:10] <= span.last.isoformat()


def _changed_since(stamp: str, span: Span) -> bool:
    return span.first is None or not stamp or stamp[:10] >= span.first.isoformat()


def is_current(stamp: str, extract: Extract, row: PurchaseRow | None, span: Span) -> bool:
    """Say whether what is kept of a purchase is what Cin7 still holds. Pure.

    Args:
        stamp: that it showed when it was read.
        row: as the list shows it now; None where the list, asked for changes since shortly before the span, lacks it.
    """
    if row is None:
        return span.first is not None and bool(stamp) and stamp[:10] < (span.first - AHEAD).isoformat()
    return bool(stamp) and same_stamp(stamp, row.last_updated_date) and _fits(extract, row)


def same_stamp(one: str, other: str) -> bool:
    """Compare two instants as Cin7 writes them: with or without a zone, with any number of digits."""
    return _bare(one) == _bare(other)


def _bare(stamp: str) -> str:
    whole, _, fraction = stamp.strip().upper().removesuffix("Z").partition(".")
    return f"{whole}.{fraction.rstrip('0')}"


def _fits(extract: Extract, row: PurchaseRow) -> bool:
    """Say whether the one sum that the list shows is one that the purchase has: all of its invoices, or one of them."""
    if not row.invoice_amount:
        return True
    alive = [bill for bill in extract.bills if not bill.credit and bill.status.upper() not in {"VOIDED", ""}]
    sums = [sum(bill.amounts.values()) for bill in alive]
    booked = [sum(bill.amounts.values()) for bill in alive if bill.is_booked]
    return row.invoice_amount in {sum(sums), sum(booked), *sums}

"""What each side holds of one document, in one form, so that three sides can be laid beside each other. Pure.

Amounts are signed as IFS signs them: those of a credit note are negative on every side. They are kept per account of
Cin7's chart, since several accounts of IFS may become one there; tax stands under a name of its own.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import msgspec

from shared.findings import Finding
from shared.ifs.spans import Span
from shared.money import total_of

Document = Literal["order", "invoice", "credit_note"]
DOCUMENTS: Final[tuple[Document, ...]] = ("order", "invoice", "credit_note")

#: Stands beside account codes: the tax of a document.
TAX: Final = "(tax)"
#: What a document's own total has more than its lines.
ROUNDING: Final = "(rounding)"
#: Net amounts that no account can be told of.
UNCODED: Final = ""

LeftAlone = Literal["", "before-start", "left-alone"]
Origin = Literal["ours", "marked", "hand"]


class Cell(NamedTuple):
    """The place of an amount in the totals: never are two currencies or two companies added up."""

    company: str
    document: Document
    account: str
    currency: str


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """One side's copy of one document.

    Attributes:
        date: the business date, YYYY-MM-DD.
        amounts: by account; a document of nothing has no entry at all, or one of 0.
        rows: how many lines the amounts are the sum of: each may have been rounded.
        alive: False where it is cancelled or voided, so that it counts for nothing.
        place: the Cin7 account that it is in, or goes to.
        party: the supplier, by IFS's number.
        number: the supplier's number of an invoice.
        order: key of the order that an invoice belongs to.
    """

    document: Document
    company: str
    currency: str
    date: str
    amounts: Mapping[str, Decimal] = {}
    rows: int = 1
    alive: bool = True
    place: str = ""
    party: str = ""
    number: str = ""
    order: str = ""

    def counts_in(self, span: Span) -> bool:
        return self.alive and span.has(self.date)

    def cells(self, span: Span) -> dict[Cell, Decimal]:
        """Return what the copy adds to the totals of a span."""
        if not self.counts_in(span):
            return {}
        amounts = self.amounts or {UNCODED: Decimal(0)}
        return {Cell(self.company, self.document, name, self.currency): value for name, value in amounts.items()}


class IfsCopy(Copy, frozen=True, kw_only=True):
    """IFS's copy.

    Attributes:
        fingerprint: as the ledger would record it.
        state: IFS's own word.
        left_alone: why it is not sent by rule, and `why_left` in words.
        faults: why today's rules could not map it; then its amounts are a plain reading of its rows.
    """

    fingerprint: str = ""
    state: str = ""
    left_alone: LeftAlone = ""
    why_left: str = ""
    faults: tuple[str, ...] = ()


class Cin7Copy(Copy, frozen=True, kw_only=True):
    """Cin7's copy.

    Attributes:
        numbered: the purchase's number there.
        status: of the order or the bill, in Cin7's words.
        origin: `ours` is linked; `marked` bears our marker and is linked to nothing; `hand` was keyed by a person.
    """

    numbered: str = ""
    status: str = ""
    origin: Origin = "ours"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the newest version of a document has come in the ledger.

    Attributes:
        state: of its entry; empty: it has none.
        since: when it got there, for people.
        why: the last event's reason, with who gave it.
        findings: why it is held.
    """

    state: str = ""
    entry: int = 0
    since: str = ""
    due: str = ""
    why: str = ""
    waits_on: str = ""
    findings: tuple[Finding, ...] = ()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows of a document.

    Attributes:
        fingerprint: of its newest version; `skipped`: why that is not sent.
        read_at: when IFS was last read about it, for people.
        written: what the connector wrote last; None where it never did.
        linked: it has a record in Cin7, wholly written or not.
        numbered: that record's number.
        proven: what was written was read back and found equal.
    """

    fingerprint: str = ""
    skipped: str = ""
    read_at: str = ""
    progress: Progress = Progress()
    written: Copy | None = None
    linked: bool = False
    numbered: str = ""
    proven: bool = False


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One document as all sides hold it. `known` None: the ledger never saw it."""

    flow: str
    key: str
    ifs: IfsCopy | None = None
    known: Known | None = None
    cin7: Cin7Copy | None = None

    @property
    def copies(self) -> tuple[Copy, ...]:
        written = self.known.written if self.known else None
        return tuple(copy for copy in (self.ifs, written, self.cin7) if copy is not None)


def total(amounts: Mapping[str, Decimal]) -> Decimal:
    return total_of(*amounts.values())


def without_nothing(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the amounts without those of 0 beside others."""
    return {name: value for name, value in amounts.items() if value}

"""Why the sides of one document differ: one difference at most between IFS and the ledger, and one between the ledger
and Cin7. Pure; the truth table stands in docs/reconciliation.md.

What IFS has more than Cin7 is always what IFS has more than the ledger and the ledger more than Cin7, so that the
amounts of all differences together are exactly the differences of the totals.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from shared.ifs.spans import Span
from shared.money import agree, total_of
from workers.reconciling.copies import TAX, UNCODED, Case, Cell, Copy, Document, IfsCopy, Known

Step = Literal["ifs", "cin7"]
_ZERO: Final = Decimal(0)

#: Reasons that lie in a rule, or in cents: they are shown, and stop no month.
SETTLED: Final = frozenset({"before-start", "left-alone", "rounding"})
#: Reasons for which nothing more will be written.
_AT_REST: Final = frozenset({"before-start", "left-alone", "dismissed"})

#: States of the newest entry to what the difference is called that it explains.
_BY_STATE: Final[Mapping[str, str]] = {
    "detected": "under-way",
    "mapped": "under-way",
    "waiting": "waiting",
    "retrying": "retrying",
    "held": "held",
    "dismissed": "dismissed",
}


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the totals, with what each of two sides has there."""

    company: str
    document: Document
    account: str
    currency: str
    left: Decimal
    right: Decimal


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why two sides next to each other differ in one document.

    Attributes:
        step: which two: IFS and the ledger, or the ledger and Cin7; `left` of an amount is the first of them.
        kind: the reason, one of `explaining.KINDS`.
        fields: what else differs than amounts, in words.
        settled: it lies in a rule, so that it does not stop the month.
    """

    step: Step
    kind: str
    flow: str
    key: str
    document: Document
    company: str
    cin7_account: str
    cin7_number: str
    date: str
    currency: str
    amounts: tuple[Amount, ...] = ()
    fields: tuple[str, ...] = ()
    settled: bool = False


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """In what two copies differ.

    Attributes:
        missing: only one of the two counts in the span.
        allowed: by how much the amounts of these copies may differ for their rounding.
    """

    amounts: tuple[Amount, ...] = ()
    fields: tuple[str, ...] = ()
    missing: bool = False
    allowed: Decimal = _ZERO

    def __bool__(self) -> bool:
        return bool(self.amounts or self.fields or self.missing)

    @property
    def is_rounding(self) -> bool:
        close = all(agree(amount.left, amount.right, self.allowed) for amount in self.amounts)
        return close and not (self.missing or self.fields)


def compare(case: Case, span: Span, tolerance: Decimal) -> tuple[Difference, ...]:
    """Return the differences of one document within a span, none where its sides agree.

    Args:
        tolerance: within which the amounts of one line are equal.
    """
    known = case.known or Known()
    first = gap_between(case.ifs, known.written, span, tolerance)
    second = gap_between(known.written, case.cin7, span, tolerance)
    kinds: dict[Step, str] = {}
    if first:
        kinds["ifs"] = "rounding" if first.is_rounding else _kind_in_ledger(case, first)
    if second:
        kinds["cin7"] = "rounding" if second.is_rounding else _kind_in_cin7(case, known, second)
    settled = {step: kind in SETTLED for step, kind in kinds.items()}
    if kinds.get("cin7") == "keyed-by-hand" and kinds.get("ifs") in _AT_REST and _make_up(case, span, tolerance):
        settled = dict.fromkeys(kinds, True)
    gaps: dict[Step, Gap] = {"ifs": first, "cin7": second}
    return tuple(_difference(case, step, kind, gaps[step], settled[step]) for step, kind in kinds.items())


def _make_up(case: Case, span: Span, tolerance: Decimal) -> bool:
    """Say whether what was keyed by hand in Cin7 is just what IFS has and the connector will not write.

    An order's lines have no accounts in Cin7: its sums have to do.
    """
    if case.ifs is None or case.cin7 is None:
        return False
    pair: tuple[Copy, Copy] = (case.ifs, case.cin7)
    if case.ifs.document == "order":
        pair = (
            msgspec.structs.replace(pair[0], amounts=_as_sums(pair[0])),
            msgspec.structs.replace(pair[1], amounts=_as_sums(pair[1])),
        )
    gap = gap_between(*pair, span, tolerance, compared=("date", "number"))
    return not gap or gap.is_rounding


def _as_sums(copy: Copy) -> dict[str, Decimal]:
    net = total_of(*(value for name, value in copy.amounts.items() if name != TAX))
    return {UNCODED: net, TAX: copy.amounts.get(TAX, _ZERO)}


def gap_between(
    left: Copy | None,
    right: Copy | None,
    span: Span,
    tolerance: Decimal,
    compared: Sequence[str] = ("date", "number", "party", "place"),
) -> Gap:
    """Return in what two copies differ, as far as the span is concerned."""
    ours = left.cells(span) if left else {}
    theirs = right.cells(span) if right else {}
    amounts = tuple(
        _amount(cell, ours.get(cell, _ZERO), theirs.get(cell, _ZERO))
        for cell in sorted(ours.keys() | theirs.keys())
        if ours.get(cell, _ZERO) != theirs.get(cell, _ZERO)
    )
    return Gap(
        amounts=amounts,
        fields=_fields(left, right, compared) if left and right and (ours or theirs) else (),
        missing=bool(ours) != bool(theirs),
        allowed=tolerance * max(copy.rows for copy in (left, right) if copy) if left or right else _ZERO,
    )


def _amount(cell: Cell, left: Decimal, right: Decimal) -> Amount:
    return Amount(**cell._asdict(), left=left, right=right)


_NAMES: Final[Mapping[str, str]] = {
    "date": "date",
    "number": "number",
    "party": "supplier",
    "place": "Cin7 account",
}


def _fields(left: Copy, right: Copy, compared: Sequence[str]) -> tuple[str, ...]:
    said = []
    if left.alive != right.alive:
        said.append("cancelled or voided on one side")
        compared = ()
    for name in compared:
        one, other = str(getattr(left, name)), str(getattr(right, name))
        if one and other and one.strip().casefold() != other.strip().casefold():
            said.append(f"{_NAMES[name]}: {one} / {other}")
    return tuple(said)


def _kind_in_ledger(case: Case, gap: Gap) -> str:
    """Return why what IFS holds is not what the connector wrote last."""
    ifs, known = case.ifs, case.known or Known()
    if ifs is None:
        return "gone-from-ifs"
    by_state = _BY_STATE.get(known.progress.state)
    if ifs.left_alone and known.written is None and by_state in {None, "dismissed"}:
        return ifs.left_alone
    # An order that was released and held goes on even after its receipt, so that its hold is the reason.
    if known.written is None and not known.progress.state:
        return "not-pulled"
    if _is_newer(ifs, known):
        return "edited-in-ifs" if ifs.alive or known.written is None else "cancelled-in-ifs"
    if by_state:
        return by_state
    return "only-in-ifs" if known.written is None else _what_differs(gap)


def _is_newer(ifs: IfsCopy, known: Known) -> bool:
    """Say whether IFS holds another version than the newest that went through the ledger."""
    if known.skipped:
        # What is passed over was not taken in, so that what was written before is outdated.
        return True
    return ifs.fingerprint != known.fingerprint


def _kind_in_cin7(case: Case, known: Known, gap: Gap) -> str:
    """Return why Cin7 does not hold what the connector wrote last."""
    written, cin7 = known.written, case.cin7
    if cin7 is None:
        return "gone-from-cin7"
    if cin7.origin != "ours":
        return "orphan-in-cin7" if cin7.origin == "marked" else "keyed-by-hand"
    if written is None:
        return "half-written"
    if not written.alive:
        return "not-voided-in-cin7"
    if not cin7.alive:
        return "voided-in-cin7" if cin7.status.upper() == "VOIDED" else "not-authorised-in-cin7"
    kind = _what_differs(gap)
    return "edited-in-cin7" if known.proven and kind != "currency-differs" else kind


def _what_differs(gap: Gap) -> str:
    """Return what two copies of the same version differ in, the gravest first."""
    left, right = ([one for one in gap.amounts if value(one)] for value in (_left, _right))
    companies, currencies = (
        [{getattr(one, name) for one in side} for side in (left, right)] for name in ("company", "currency")
    )
    if any(field.startswith(_NAMES["place"]) for field in gap.fields) or (
        all(companies) and companies[0] != companies[1]
    ):
        return "company-differs"
    if all(currencies) and currencies[0] != currencies[1]:
        return "currency-differs"
    if gap.missing or not gap.amounts:
        return "details-differ"
    sums = (total_of(*map(_left, gap.amounts)), total_of(*map(_right, gap.amounts)))
    return "account-differs" if agree(*sums, gap.allowed) else "amount-differs"


def _left(amount: Amount) -> Decimal:
    return amount.left


def _right(amount: Amount) -> Decimal:
    return amount.right


def _difference(case: Case, step: Step, kind: str, gap: Gap, settled: bool) -> Difference:
    leading = case.copies[0]
    known = case.known or Known()
    cin7 = case.cin7
    return Difference(
        step=step,
        kind=kind,
        flow=case.flow,
        key=case.key,
        document=leading.document,
        company=leading.company,
        cin7_account=(cin7.place if cin7 else "") or leading.place,
        cin7_number=(cin7.numbered if cin7 else "") or known.numbered,
        date=leading.date,
        currency=leading.currency,
        amounts=gap.amounts,
        fields=gap.fields,
        settled=settled,
    )

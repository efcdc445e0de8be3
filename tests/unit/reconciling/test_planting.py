"""Any month: what is planted is found and named rightly, what is equal gives nothing, and the amounts add up."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.reconciling.samples import CENT, MARCH, differences
from workers.reconciling.comparing import compare
from workers.reconciling.copies import TAX, Case, Cin7Copy, Copy, IfsCopy, Known, Progress
from workers.reconciling.totals import totals

AMOUNT = st.decimals(min_value="-99999.99", max_value="99999.99", places=2).filter(lambda value: abs(value) > 1)
ACCOUNTS = st.sampled_from(["4010", "40-10", "5010", "", TAX])


@st.composite
def equal_cases(draw: st.DrawFn, number: int = 0) -> Case:
    """One document that all three sides hold alike."""
    document = draw(st.sampled_from(["order", "invoice", "credit_note"]))
    whole: dict[str, Any] = {
        "document": document,
        "company": draw(st.sampled_from(["10", "20"])),
        "currency": draw(st.sampled_from(["SEK", "JPY", "KWD"])),
        "date": f"2026-03-{draw(st.integers(1, 31)):02}",
        "amounts": draw(st.dictionaries(ACCOUNTS, AMOUNT, min_size=1, max_size=4)),
        "place": draw(st.sampled_from(["main", "second"])),
        "party": "S1",
        "number": f"N{number}",
    }
    progress = Progress(state="written", entry=number, since="2026-03-12")
    known = Known(fingerprint="f", progress=progress, written=Copy(**whole), linked=True, proven=True)
    return Case(
        flow="purchase_orders" if document == "order" else "supplier_invoices",
        key=f"K{number}",
        ifs=IfsCopy(**whole, fingerprint="f", state="Posted"),
        known=known,
        cin7=Cin7Copy(**whole, numbered=f"PO-{number}", status="AUTHORISED"),
    )


def _replace(copy: Copy | None, **changes: object) -> Copy:
    assert copy is not None
    return msgspec.structs.replace(copy, **changes)


def _more(amounts: Mapping[str, Decimal], by: Decimal) -> dict[str, Decimal]:
    first = next(iter(amounts))
    return {**amounts, first: amounts[first] + by}


def _stage(of: Case, state: str) -> Case:
    """Return the document as one that has come no further than a state."""
    assert of.known is not None
    known = msgspec.structs.replace(of.known, progress=Progress(state=state, entry=1), written=None, linked=False)
    return msgspec.structs.replace(of, known=known, cin7=None)


#: What is planted, and the step and kind under which it must be found.
PLANTS: dict[str, tuple[Callable[[Case, Decimal], Case], tuple[str, str]]] = {
    "not pulled": (lambda of, _: msgspec.structs.replace(of, known=None, cin7=None), ("ifs", "not-pulled")),
    "held": (lambda of, _: _stage(of, "held"), ("ifs", "held")),
    "waiting": (lambda of, _: _stage(of, "waiting"), ("ifs", "waiting")),
    "retrying": (lambda of, _: _stage(of, "retrying"), ("ifs", "retrying")),
    "dismissed": (lambda of, _: _stage(of, "dismissed"), ("ifs", "dismissed")),
    "before the start": (
        lambda of, _: msgspec.structs.replace(
            of, ifs=_replace(of.ifs, left_alone="before-start"), known=None, cin7=None
        ),
        ("ifs", "before-start"),
    ),
    "left alone": (
        lambda of, _: msgspec.structs.replace(of, ifs=_replace(of.ifs, left_alone="left-alone"), known=None, cin7=None),
        ("ifs", "left-alone"),
    ),
    "edited in IFS": (
        lambda of, by: msgspec.structs.replace(
            of, ifs=_replace(of.ifs, fingerprint="g", amounts=_more(of.copies[0].amounts, by))
        ),
        ("ifs", "edited-in-ifs"),
    ),
    "cancelled in IFS": (
        lambda of, _: msgspec.structs.replace(of, ifs=_replace(of.ifs, fingerprint="g", alive=False)),
        ("ifs", "cancelled-in-ifs"),
    ),
    "gone from IFS": (lambda of, _: msgspec.structs.replace(of, ifs=None), ("ifs", "gone-from-ifs")),
    "another currency": (
        lambda of, _: msgspec.structs.replace(of, cin7=_replace(of.cin7, currency="EUR")),
        ("cin7", "currency-differs"),
    ),
    "another company": (
        lambda of, _: msgspec.structs.replace(of, ifs=_replace(of.ifs, company="30")),
        ("ifs", "company-differs"),
    ),
    "edited in Cin7": (
        lambda of, by: msgspec.structs.replace(of, cin7=_replace(of.cin7, amounts=_more(of.copies[0].amounts, by))),
        ("cin7", "edited-in-cin7"),
    ),
    "moved to the next month in Cin7": (
        lambda of, _: msgspec.structs.replace(of, cin7=_replace(of.cin7, date="2026-04-01")),
        ("cin7", "edited-in-cin7"),
    ),
    "voided in Cin7": (
        lambda of, _: msgspec.structs.replace(of, cin7=_replace(of.cin7, alive=False, status="VOIDED")),
        ("cin7", "voided-in-cin7"),
    ),
    "gone from Cin7": (lambda of, _: msgspec.structs.replace(of, cin7=None), ("cin7", "gone-from-cin7")),
    "keyed by hand": (
        lambda of, _: msgspec.structs.replace(of, ifs=None, known=None, cin7=_replace(of.cin7, origin="hand")),
        ("cin7", "keyed-by-hand"),
    ),
    "bears our marker": (
        lambda of, _: msgspec.structs.replace(of, ifs=None, known=None, cin7=_replace(of.cin7, origin="marked")),
        ("cin7", "orphan-in-cin7"),
    ),
    "moved to another account in Cin7": (
        lambda of, _: msgspec.structs.replace(
            of, cin7=_replace(of.cin7, amounts={f"x{name}": value for name, value in of.copies[0].amounts.items()})
        ),
        ("cin7", "edited-in-cin7"),
    ),
}  # fmt: skip


@st.composite
def months(draw: st.DrawFn) -> tuple[list[Case], dict[str, tuple[str, str]]]:
    """A month of documents, into some of which something was planted; and what was, by key."""
    count = draw(st.integers(0, 8))
    cases = [draw(equal_cases(number)) for number in range(count)]
    planted = {}
    for place, of in enumerate(cases):
        name = draw(st.sampled_from(["", *PLANTS]))
        if name:
            plant, expected = PLANTS[name]
            cases[place] = plant(of, draw(AMOUNT))
            planted[of.key] = expected
    return cases, planted


@given(equal_cases())
def test_equal_sides_give_no_difference(of: Case) -> None:
    assert differences(of) == ()


@given(months())
def test_what_is_planted_is_found_and_named_and_nothing_else(
    month: tuple[list[Case], dict[str, tuple[str, str]]],
) -> None:
    cases, planted = month
    found = {of.key: [(one.step, one.kind) for one in differences(of)] for of in cases}
    assert {key: names for key, names in found.items() if names} == {key: [name] for key, name in planted.items()}


@given(months())
def test_the_differences_are_exactly_what_the_totals_differ_by(
    month: tuple[list[Case], dict[str, tuple[str, str]]],
) -> None:
    cases, _ = month
    left: dict[tuple[object, ...], Decimal] = {}
    for of in cases:
        for one in compare(of, MARCH, CENT):
            for amount in one.amounts:
                cell = (amount.company, amount.document, amount.account, amount.currency)
                left[cell] = left.get(cell, Decimal(0)) + amount.left - amount.right
    rows = [row for row in totals(cases, MARCH) if row.account is not None]
    assert {
        (row.company, row.document, row.account, row.currency): row.difference for row in rows if row.difference
    } == {cell: value for cell, value in left.items() if value}


@given(months())
def test_whole_documents_are_the_sum_of_their_accounts(month: tuple[list[Case], dict[str, tuple[str, str]]]) -> None:
    cases, _ = month
    rows = totals(cases, MARCH)
    for whole in (row for row in rows if row.account is None):
        parts = [
            row for row in rows
            if row.account is not None and (row.company, row.document, row.currency)
            == (whole.company, whole.document, whole.currency)
        ]  # fmt: skip
        for side in ("ifs", "ledger", "cin7"):
            assert getattr(whole, side).amount == sum(getattr(row, side).amount for row in parts)
        assert whole.ifs.count == sum(1 for of in cases if _counts(of, whole.company, whole.document, whole.currency))


def _counts(of: Case, company: str, document: str, currency: str) -> bool:
    copy = of.ifs
    return (
        copy is not None
        and copy.counts_in(MARCH)
        and (copy.company, copy.document, copy.currency) == (company, document, currency)
    )

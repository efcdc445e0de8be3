"""Why two sides differ in one document: every line of the truth table in docs/reconciliation.md."""

from decimal import Decimal

import msgspec
import pytest

from tests.unit.reconciling.samples import (
    AMOUNTS,
    CIN7,
    IFS,
    KNOWN,
    case,
    cin7,
    differences,
    ifs,
    kinds,
    known,
    never_written,
    written,
)
from workers.reconciling.comparing import SETTLED
from workers.reconciling.copies import TAX, Case, Progress
from workers.reconciling.explaining import KINDS, explained

OTHER = {"4010": Decimal(90), "5010": Decimal(50), TAX: Decimal("35.00")}
MOVED = {"4010": Decimal(50), "5010": Decimal(100), TAX: Decimal("37.50")}
ALONE = {"cin7": None}


def test_three_equal_sides_differ_in_nothing() -> None:
    assert differences(case()) == ()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"known": None}, "not-pulled"),
        ({"known": never_written()}, "not-pulled"),
        ({"known": never_written("detected")}, "under-way"),
        ({"known": never_written("mapped")}, "under-way"),
        ({"known": never_written("waiting", waits_on="purchase_orders/1001@main")}, "waiting"),
        ({"known": never_written("retrying")}, "retrying"),
        ({"known": never_written("held")}, "held"),
        ({"known": never_written("dismissed")}, "dismissed"),
        ({"known": never_written("superseded")}, "only-in-ifs"),
        ({"known": None, "ifs": ifs(left_alone="before-start")}, "before-start"),
        ({"known": never_written(), "ifs": ifs(left_alone="left-alone")}, "left-alone"),
        # Asked for in vain and closed by the connector itself: the rule is the reason.
        ({"known": never_written("dismissed"), "ifs": ifs(left_alone="left-alone")}, "left-alone"),
        # Released and held, then received in IFS: it still goes on, so that its hold is the reason.
        ({"known": never_written("held"), "ifs": ifs(left_alone="left-alone")}, "held"),
        ({"known": never_written("held"), "ifs": ifs(fingerprint="f2")}, "edited-in-ifs"),
    ],
)
def test_what_was_never_written_says_how_far_it_has_come(changes: dict[str, object], kind: str) -> None:
    assert kinds(case(**ALONE, **changes)) == {"ifs": kind}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"ifs": ifs(fingerprint="f2", amounts=OTHER)}, "edited-in-ifs"),
        ({"ifs": ifs(fingerprint="f2", alive=False)}, "cancelled-in-ifs"),
        ({"ifs": ifs(fingerprint="f2", date="2026-04-01")}, "edited-in-ifs"),
        ({"ifs": ifs(amounts=OTHER), "known": known(skipped="in state Closed, which is left alone")}, "edited-in-ifs"),
        ({"ifs": None}, "gone-from-ifs"),
        ({"ifs": ifs(amounts=OTHER), "known": known(progress=Progress(state="held"))}, "held"),
        ({"ifs": ifs(amounts=OTHER), "known": known(progress=Progress(state="mapped"))}, "under-way"),
        # The same version is mapped otherwise today.
        ({"ifs": ifs(amounts=MOVED)}, "account-differs"),
        ({"ifs": ifs(amounts=OTHER)}, "amount-differs"),
        ({"ifs": ifs(currency="EUR")}, "currency-differs"),
        ({"ifs": ifs(company="20")}, "company-differs"),
        ({"ifs": ifs(place="second")}, "company-differs"),
        ({"ifs": ifs(party="S2")}, "details-differ"),
    ],
)
def test_what_was_written_says_why_ifs_holds_something_else(changes: dict[str, object], kind: str) -> None:
    assert kinds(case(**changes)) == {"ifs": kind}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"cin7": None}, "gone-from-cin7"),
        ({"cin7": cin7(alive=False, status="VOIDED")}, "voided-in-cin7"),
        ({"cin7": cin7(alive=False, status="DRAFT")}, "not-authorised-in-cin7"),
        ({"cin7": cin7(amounts=OTHER)}, "edited-in-cin7"),
        ({"cin7": cin7(amounts=MOVED)}, "edited-in-cin7"),
        ({"cin7": cin7(date="2026-04-02")}, "edited-in-cin7"),
        ({"cin7": cin7(number="NF-1b")}, "edited-in-cin7"),
        ({"cin7": cin7(party="Somebody else")}, "edited-in-cin7"),
        ({"cin7": cin7(currency="EUR")}, "currency-differs"),
        # It was never read back, so that nobody can say when it became other than it was sent.
        ({"cin7": cin7(amounts=OTHER), "known": known(proven=False)}, "amount-differs"),
        ({"cin7": cin7(amounts=MOVED), "known": known(proven=False)}, "account-differs"),
        ({"cin7": cin7(number="NF-1b"), "known": known(proven=False)}, "details-differ"),
    ],
)
def test_cin7_says_what_became_of_what_was_written(changes: dict[str, object], kind: str) -> None:
    assert kinds(case(**changes)) == {"cin7": kind}


def test_what_was_voided_on_all_sides_differs_in_nothing() -> None:
    void = known(written=written(alive=False))
    assert kinds(case(ifs=ifs(alive=False), known=void, cin7=cin7(alive=False, status="VOIDED"))) == {}
    assert kinds(case(ifs=ifs(alive=False), known=void, cin7=None)) == {}
    assert kinds(case(ifs=ifs(alive=False), known=void)) == {"cin7": "not-voided-in-cin7"}
    assert kinds(case(ifs=ifs(alive=False), known=None, cin7=None)) == {}


def test_what_was_begun_and_not_finished_is_told_from_both_ends() -> None:
    begun = msgspec.structs.replace(never_written("retrying"), linked=True)
    assert kinds(case(known=begun)) == {"ifs": "retrying", "cin7": "half-written"}


def test_what_no_link_leads_to_is_told_by_its_marker() -> None:
    assert kinds(Case(flow="supplier_invoices", key="cin7:x", cin7=cin7(origin="hand"))) == {"cin7": "keyed-by-hand"}
    assert kinds(Case(flow="purchase_orders", key="cin7:x", cin7=cin7(origin="marked"))) == {"cin7": "orphan-in-cin7"}


def test_two_reasons_of_one_document_stand_beside_each_other() -> None:
    both = case(ifs=ifs(fingerprint="f2", amounts=OTHER), cin7=cin7(amounts=MOVED))
    assert kinds(both) == {"ifs": "edited-in-ifs", "cin7": "edited-in-cin7"}


@pytest.mark.parametrize("day", ["2026-02-28", "2026-04-01", ""])
def test_another_month_is_none_of_this_one(day: str) -> None:
    moved = case(ifs=ifs(date=day), known=known(written=written(date=day)), cin7=cin7(date=day, amounts=OTHER))
    assert differences(moved) == ()


@pytest.mark.parametrize("day", ["2026-03-01", "2026-03-31"])
def test_the_first_and_the_last_day_are_of_the_month(day: str) -> None:
    assert kinds(case(**ALONE, ifs=ifs(date=day), known=None)) == {"ifs": "not-pulled"}


@pytest.mark.parametrize(("cents", "kind"), [("0.02", "rounding"), ("0.03", "edited-in-cin7")])
def test_cents_within_the_tolerance_of_each_line_stop_no_month_and_are_not_hidden(cents: str, kind: str) -> None:
    off = {**AMOUNTS, TAX: AMOUNTS[TAX] + Decimal(cents)}
    (found,) = differences(case(cin7=cin7(amounts=off)))
    assert found.kind == kind
    assert found.settled is (kind == "rounding")
    assert [(one.account, one.right - one.left) for one in found.amounts] == [(TAX, Decimal(cents))]


def test_a_document_of_nothing_is_missed_as_well() -> None:
    (found,) = differences(case(**ALONE, ifs=ifs(amounts={}), known=None))
    assert (found.kind, found.amounts) == ("not-pulled", ())


def test_spelling_and_spaces_make_no_difference() -> None:
    assert differences(case(cin7=cin7(number=" nf-1 ", party="s1"))) == ()


@pytest.mark.parametrize("reason", ["before-start", "left-alone", "dismissed"])
def test_what_is_not_sent_and_was_keyed_by_hand_makes_up_for_itself(reason: str) -> None:
    left = ifs(left_alone="" if reason == "dismissed" else reason)
    there = never_written("dismissed" if reason == "dismissed" else "")
    by_hand = case(ifs=left, known=there, cin7=cin7(origin="hand"))
    assert {one.kind: one.settled for one in differences(by_hand)} == {reason: True, "keyed-by-hand": True}


@pytest.mark.parametrize(
    "held",
    [
        {"known": never_written("held"), "cin7": cin7(origin="hand")},  # It would be written as well, one day.
        {"known": never_written("dismissed"), "cin7": cin7(origin="hand", amounts=OTHER)},
        {"known": never_written("dismissed"), "cin7": cin7(origin="hand", amounts=MOVED)},
    ],
)
def test_what_was_keyed_by_hand_otherwise_or_may_come_twice_stays_open(held: dict[str, object]) -> None:
    assert not any(one.settled for one in differences(case(**held)))


def test_an_order_keyed_by_hand_is_known_by_its_sums_since_its_lines_have_no_accounts() -> None:
    order = {"document": "order", "number": ""}
    hand = cin7(**order, origin="hand", amounts={"": Decimal(150), TAX: Decimal("37.50")})
    there = case(ifs=ifs(**order, left_alone="before-start"), known=None, cin7=hand)
    assert [one.settled for one in differences(there)] == [True, True]


def test_every_kind_that_can_arise_is_explained() -> None:
    samples = [
        case(**ALONE, known=never_written(state)) for state in ("held", "waiting", "retrying", "mapped", "dismissed")
    ] + [case(cin7=cin7(amounts=OTHER)), case(ifs=ifs(amounts=MOVED)), case(ifs=None), case(cin7=None)]
    for sample in samples:
        for found in differences(sample):
            why, remedy = explained(found, sample)
            assert why.endswith(".")
            assert remedy
            assert "{" not in why + remedy
    assert set(KINDS) >= SETTLED


def test_what_is_asked_about_is_named() -> None:
    (found,) = differences(case(cin7=cin7(amounts=OTHER)))
    assert (found.company, found.cin7_account, found.cin7_number) == ("10", "main", "PO-00001")
    assert (found.key, found.document, found.date, found.currency) == ("10/70001", "invoice", IFS.date, IFS.currency)
    assert KNOWN.numbered.startswith(CIN7.numbered)

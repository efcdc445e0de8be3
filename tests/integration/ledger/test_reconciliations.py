"""Differences as records: found, kept, accepted, closed; by one comparison after the other, whoever else compares."""

import psycopg
import pytest

from shared.ledger import reconciliations
from shared.ledger.connection import Ledger
from shared.ledger.reconciliations import Found, Scope, Stored, next_state
from shared.ledger.views import differences
from tests.integration.ledger.samples import at_once

PERIOD = "2026-03"
ALL = Scope(period=PERIOD, flows=("purchase_orders", "supplier_invoices"))


def found(key: str = "1001", **changes: object) -> Found:
    whole: dict[str, object] = {
        "flow": "purchase_orders", "key": key, "step": "ifs", "document": "order", "company": "10",
        "cin7_account": "main", "kind": "held", "settled": False, "substance": b"100", "body": b"{}", **changes,
    }  # fmt: skip
    return Found(**whole)  # type: ignore[arg-type]


def begin(ledger: Ledger, scope: Scope = ALL) -> int:
    with ledger.transaction() as cur:
        return reconciliations.begin(cur, scope, actor="test")


def end(ledger: Ledger, run: int, *all_found: Found, scope: Scope = ALL) -> list[Stored]:
    with ledger.transaction() as cur:
        return list(reconciliations.record(cur, run, scope, all_found, actor="test", report=b"[]").values())


def compared(ledger: Ledger, *all_found: Found, scope: Scope = ALL) -> list[Stored]:
    return end(ledger, begin(ledger, scope), *all_found, scope=scope)


def stored(ledger: Ledger, key: str = "1001") -> Stored:
    with ledger.transaction() as cur:
        every = differences.differences(cur, states=("open", "explained", "accepted", "closed"))
    return next(one for one in every if one.key == key)


def story(ledger: Ledger, key: str = "1001") -> list[tuple[str, str]]:
    with ledger.transaction() as cur:
        return [(one.becomes, one.reason) for one in differences.history(cur, stored(ledger, key).id)]


@pytest.mark.parametrize(
    ("was", "settled", "same", "becomes"),
    [
        (None, False, False, "open"),
        (None, True, False, "explained"),
        ("open", False, True, "open"),
        ("open", True, False, "explained"),
        ("explained", False, False, "open"),
        ("accepted", False, True, "accepted"),
        ("accepted", True, True, "accepted"),
        ("accepted", False, False, "open"),
        ("closed", False, True, "open"),
    ],
)
def test_the_state_of_what_is_found(was: reconciliations.State, settled: bool, same: bool, becomes: str) -> None:
    assert next_state(was, settled=settled, same=same) == becomes


def test_what_is_found_stays_as_it_is_until_it_changes(ledger: Ledger) -> None:
    (first,) = compared(ledger, found())
    (second,) = compared(ledger, found())
    assert (second.id, second.state, second.opened_at) == (first.id, "open", first.opened_at)
    assert story(ledger) == [("open", "found")]
    (third,) = compared(ledger, found(kind="waiting", substance=b"waiting"))
    assert (third.id, third.kind) == (first.id, "waiting")
    assert story(ledger)[-1] == ("open", "changed")


def test_what_is_not_found_any_more_is_closed_and_opened_again_when_it_comes_back(ledger: Ledger) -> None:
    compared(ledger, found())
    assert compared(ledger) == []
    assert stored(ledger).state == "closed"
    (back,) = compared(ledger, found())
    assert back.state == "open"
    assert story(ledger) == [("open", "found"), ("closed", "gone"), ("open", "found again")]


def test_the_owner_and_the_note_stay(ledger: Ledger) -> None:
    (one,) = compared(ledger, found())
    with ledger.transaction() as cur:
        reconciliations.assign(cur, [one.id], "Ann", actor="ann")
        reconciliations.accept(cur, [one.id], "agreed", actor="ann")
    (kept,) = compared(ledger, found())
    assert (kept.state, kept.owner, kept.note) == ("accepted", "Ann", "agreed")
    (changed,) = compared(ledger, found(substance=b"10000"))
    assert (changed.state, changed.owner, changed.note) == ("open", "Ann", "agreed")
    assert story(ledger)[-1] == ("open", "is not what was accepted any more")


def test_a_comparison_of_one_company_says_nothing_about_another(ledger: Ledger) -> None:
    compared(
        ledger, found(), found("2001", company="20"), found("?", company=""), found("x", company="", cin7_account="b")
    )
    ten = Scope(period=PERIOD, companies=("10",), accounts=("main",), flows=ALL.flows)
    assert compared(ledger, scope=ten) == []
    assert [stored(ledger, key).state for key in ("1001", "2001", "?", "x")] == ["closed", "open", "closed", "open"]


def test_a_document_that_moved_to_another_company_stays_one_difference(ledger: Ledger) -> None:
    (one,) = compared(ledger, found())
    with ledger.transaction() as cur:
        reconciliations.assign(cur, [one.id], "Ann", actor="ann")
    twenty = Scope(period=PERIOD, companies=("20",), accounts=("main",), flows=ALL.flows)
    (moved,) = compared(ledger, found(company="20"), scope=twenty)
    assert (moved.id, moved.company, moved.owner) == (one.id, "20", "Ann")


def test_what_was_not_compared_is_not_closed(ledger: Ledger) -> None:
    compared(ledger, found(), found("10/7", flow="supplier_invoices"))
    assert compared(ledger, scope=Scope(period=PERIOD, flows=("purchase_orders",))) == []
    assert [stored(ledger, key).state for key in ("1001", "10/7")] == ["closed", "open"]


def test_another_month_is_not_touched(ledger: Ledger) -> None:
    compared(ledger, found())
    assert compared(ledger, scope=Scope(period="2026-04", flows=ALL.flows)) == []
    assert stored(ledger).state == "open"


def test_one_that_was_overtaken_records_nothing(ledger: Ledger) -> None:
    slow, quick = begin(ledger), begin(ledger)
    end(ledger, quick, found())
    assert [one.key for one in end(ledger, slow, found("2001"))] == ["1001"]
    with ledger.transaction() as cur:
        assert reconciliations.was_overtaken(cur, slow)
        assert not reconciliations.was_overtaken(cur, quick)
    assert stored(ledger).state == "open"


def test_one_that_never_ended_is_abandoned_by_the_next(ledger: Ledger) -> None:
    begin(ledger)
    compared(ledger, found())
    assert ledger.rows("select outcome from reconciliation order by id") == [("abandoned",), ("done",)]


def test_a_crash_before_the_commit_leaves_everything_as_it_was(ledger: Ledger) -> None:
    compared(ledger, found())
    run = begin(ledger)

    def dying() -> None:
        with ledger.transaction() as cur:
            reconciliations.record(cur, run, ALL, [found("2001")], actor="test", report=b"[]")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dying()
    assert [(one.key, one.state) for one in [stored(ledger)]] == [("1001", "open")]
    assert story(ledger) == [("open", "found")]
    assert len(compared(ledger, found(), found("2001"))) == 2


def test_several_that_record_at_once_leave_what_the_last_one_saw(ledger: Ledger) -> None:
    runs = [begin(ledger) for _ in range(4)]
    at_once([lambda run=run: end(ledger, run, found(f"{run}"), found()) for run in runs])  # type: ignore[misc]
    last = str(max(runs))
    assert stored(ledger).state == "open"
    assert stored(ledger, last).state == "open"
    rows = ledger.rows("select count(*) from difference where state = 'open'")
    assert rows == [(2,)]


def test_what_was_decided_cannot_be_changed_afterwards(ledger: Ledger) -> None:
    compared(ledger, found())
    for statement in (
        "update difference_event set reason = 'x'",
        "delete from difference_event",
        "truncate difference_event",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), ledger.transaction() as cur:
            cur.execute(statement)


def test_only_open_ones_can_be_accepted(ledger: Ledger) -> None:
    (one,) = compared(ledger, found())
    compared(ledger)
    with ledger.transaction() as cur:
        assert reconciliations.accept(cur, [one.id, 99], "x", actor="ann") == []
        assert reconciliations.reopen(cur, [one.id], "x", actor="ann") == []
        assert reconciliations.assign(cur, [one.id, 99], "Ann", actor="ann") == [one.id]

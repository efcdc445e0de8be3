"""Records that leave their set in the ordinary course: closed with the reason, and dealt with anew if they return."""

from shared.ledger import claiming, leaving
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, detect, one, seen, state


def leave(ledger: Ledger, *keys: str) -> tuple[tuple[int, str], ...]:
    with ledger.transaction() as cur:
        return leaving.leave(cur, ORDERS, keys, why="posted", actor="test")


def test_what_is_open_of_a_record_that_leaves_its_set_ends_with_the_reason(ledger: Ledger) -> None:
    held, moving = samples.held(ledger, "1"), samples.new(ledger, "2")
    written = samples.new(ledger, "3")
    assert leave(ledger, "1", "2", "9") == ((held, "map"),), "the held one's dead letter must go"
    assert [state(ledger, entry) for entry in (held, moving, written)] == ["superseded", "superseded", "detected"]
    assert one(ledger, "select count(*) from finding where open") == 0
    assert one(ledger, "select count(*) from event where why = 'posted'") == 2
    assert one(ledger, "select skipped from record where key = '1'") == "posted"


def test_a_record_that_comes_back_is_dealt_with_anew_though_it_is_as_it_was(ledger: Ledger) -> None:
    first = samples.new(ledger, "1")
    fingerprint = str(one(ledger, "select fingerprint from record"))
    leave(ledger, "1")
    (again,) = detect(ledger, seen("1")).entries
    assert one(ledger, "select fingerprint from record") == fingerprint
    assert [state(ledger, entry) for entry in (first, again)] == ["superseded", "detected"]
    assert one(ledger, "select version from record") == 2
    assert one(ledger, "select vanished_at from record") is None


def test_what_a_writer_has_in_its_hands_ends_with_it_and_is_found_by_the_next_look(ledger: Ledger) -> None:
    entry = samples.ready(ledger, "1")
    claim = samples.taken(ledger, entry)
    assert leave(ledger, "1") == ()
    assert state(ledger, entry) == "mapped"
    with ledger.transaction() as cur:
        claiming.give_back(cur, claim)
        assert leaving.left_open(cur, ORDERS) == ["1"]
    leave(ledger, "1")
    assert state(ledger, entry) == "superseded"

"""Who waits for a link is woken by it, whoever is first; and a record is asked for once."""

from collections.abc import Callable

from shared.ledger import entries, links
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, SUPPLIERS, ask, new, one, ready, satisfy, state, wait_for

S1 = links.dependency(SUPPLIERS, "S1", "main")


def test_a_link_wakes_exactly_who_waits_for_it(ledger: Ledger) -> None:
    mine, other, elsewhere = (ready(ledger, key) for key in ("1", "2", "3"))
    wait_for(ledger, mine, S1)
    wait_for(ledger, other, links.dependency(SUPPLIERS, "S2", "main"))
    wait_for(ledger, elsewhere, links.dependency(SUPPLIERS, "S1", "west"))
    (message,) = satisfy(ledger, "S1")
    assert (message.queue, message.entries) == (f"write.{ORDERS}", (mine,))
    assert [state(ledger, entry) for entry in (mine, other, elsewhere)] == ["mapped", "waiting", "waiting"]
    assert satisfy(ledger, "S1") == []


def wait_unless_there(ledger: Ledger, entry: int, key: str) -> None:
    """Wait as a writer does: look under the lock, then wait."""
    name = links.dependency(SUPPLIERS, key, "main")
    with ledger.transaction() as cur:
        links.lock_dependencies(cur, [name])
        if links.find(cur, SUPPLIERS, key, "main") is None:
            entries.wait(cur, entry, name, actor="test")


def test_no_wake_up_is_lost_however_the_two_meet(ledger: Ledger) -> None:
    orders = 5
    for number in range(24):
        key = f"S{number}"
        ids = [ready(ledger, f"{key}-{place}") for place in range(orders)]
        waiting: list[Callable[[], object]] = [
            lambda entry=entry, key=key: wait_unless_there(ledger, entry, key)  # type: ignore[misc]
            for entry in ids
        ]
        samples.at_once([*waiting[:3], lambda key=key: satisfy(ledger, key), *waiting[3:]])  # type: ignore[misc]
    assert one(ledger, "select count(*) from entry where state = 'waiting'") == 0
    assert one(ledger, "select count(*) from entry where state = 'mapped'") == 24 * orders


def test_a_record_is_asked_for_once_however_many_need_it(ledger: Ledger) -> None:
    found = samples.at_once([lambda: ask(ledger, "S1")] * 6)
    (message,) = [message for some in found for message in some]
    assert message.queue == f"map.{SUPPLIERS}"
    assert samples.states(ledger, "S1", SUPPLIERS) == ["detected"]
    assert one(ledger, "select reread from entry")


def test_a_record_that_is_under_way_is_not_asked_for(ledger: Ledger) -> None:
    entry = new(ledger, "S1", flow=SUPPLIERS)
    assert ask(ledger, "S1") == []
    samples.hold(ledger, entry)
    assert ask(ledger, "S1") == [], "a held one is under way too: a person sends it on"


def test_a_record_that_has_ended_is_asked_for_anew(ledger: Ledger) -> None:
    entry = ready(ledger, "S1", flow=SUPPLIERS)
    samples.write(ledger, entry)
    assert len(ask(ledger, "S1")) == 1
    assert samples.states(ledger, "S1", SUPPLIERS) == ["written", "detected"]


def test_a_poll_overtakes_what_was_asked_for(ledger: Ledger) -> None:
    ask(ledger, "S1")
    new(ledger, "S1", flow=SUPPLIERS)
    assert samples.states(ledger, "S1", SUPPLIERS) == ["superseded", "detected"]


def test_who_waits_is_found_by_the_record_whatever_is_in_its_key(ledger: Ledger) -> None:
    for key, supplier in (("1", "S1"), ("2", "S1@x"), ("3", "S1/2"), ("4", "S")):
        entry = ready(ledger, key)
        wait_for(ledger, entry, links.dependency(SUPPLIERS, supplier, "main"))
        with ledger.transaction() as cur:
            assert links.waiters(cur, SUPPLIERS, supplier) == [(entry, ORDERS, "main", "10")]


def test_nobody_begins_to_wait_for_what_is_just_found_to_be_missing(ledger: Ledger) -> None:
    """The one who asks and the one who finds nothing meet at the record: no order waits for an answer that is over."""
    for number in range(16):
        key = f"S{number}"
        (asked,) = ask(ledger, key)[0].entries
        order = ready(ledger, key)

        def need(key: str = key, order: int = order) -> None:
            with ledger.transaction() as cur:
                links.lock_dependencies(cur, [links.dependency(SUPPLIERS, key, "main")])
                entries.ask(cur, SUPPLIERS, key, actor="test", why="")
                entries.wait(cur, order, links.dependency(SUPPLIERS, key, "main"), actor="test")

        def miss(key: str = key, asked: int = asked) -> None:
            with ledger.transaction() as cur:
                entries.close(cur, [asked], "dismissed", actor="test", why="IFS has none")
                for entry, *_ in links.waiters(cur, SUPPLIERS, key):
                    entries.hold(cur, entry, "write", [samples.finding("dependency.missing", key)], actor="test")

        samples.at_once([need, miss])
        under_way = one(
            ledger, "select count(*) from entry where flow = %s and key = %s and state = 'detected'", SUPPLIERS, key
        )
        assert state(ledger, order) == "held" or under_way == 1, "it waits for something that nobody brings"

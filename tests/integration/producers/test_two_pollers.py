"""Several pollers of one stream: one leads, and one that was away too long changes nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from producers.leading import leading
from shared.ledger import watermarks
from shared.ledger.connection import Ledger
from shared.ledger.watermarks import LeaseLost, Watermark
from shared.pulled import Batch
from tests.integration.ledger import samples
from tests.integration.ledger.samples import one
from tests.integration.producers.tenants import ORDERS, Process, Site


def lead(ledger: Ledger, holder: str, lease_s: float = 60) -> Watermark | None:
    with ledger.transaction() as cur:
        return watermarks.lead(cur, "orders", holder, lease_s)


def mark_of(ledger: Ledger, holder: str, lease_s: float = 60) -> Watermark:
    mark = lead(ledger, holder, lease_s)
    assert mark is not None
    return mark


def test_one_of_many_leads(ledger: Ledger) -> None:
    found = samples.at_once([lambda name=name: lead(ledger, name) for name in "abcdef"])  # type: ignore[misc]
    assert sum(mark is not None for mark in found) == 1


def test_who_gives_the_lead_back_lets_the_next_one_have_it_at_once(ledger: Ledger) -> None:
    mark = mark_of(ledger, "a")
    assert lead(ledger, "b") is None
    with ledger.transaction() as cur:
        watermarks.let_go(cur, mark)
    assert mark_of(ledger, "b").generation == mark.generation + 1


@pytest.mark.parametrize("act", ["advance", "still_leads"])
def test_a_leader_of_before_can_neither_renew_nor_move_the_watermark(ledger: Ledger, act: str) -> None:
    frozen = mark_of(ledger, "a", lease_s=0)
    mark_of(ledger, "b")
    acts: dict[str, Callable[[Any], None]] = {
        "advance": lambda cur: watermarks.advance(cur, frozen, position="far"),
        "still_leads": lambda cur: watermarks.still_leads(cur, frozen),
    }
    with pytest.raises(LeaseLost, match="orders"), ledger.transaction() as cur:
        acts[act](cur)
    with ledger.transaction() as cur:
        watermarks.let_go(cur, frozen)
    assert lead(ledger, "c") is None, "what it gave back was not its own"
    assert one(ledger, "select position from watermark") is None


def test_the_lead_is_kept_while_a_page_takes_longer_than_the_lease(ledger: Ledger) -> None:
    mark = mark_of(ledger, "slow", lease_s=0.3)
    with leading(ledger, mark):
        time.sleep(0.7)
        assert lead(ledger, "other") is None
    time.sleep(0.35)
    assert lead(ledger, "other") is not None, "and not a moment longer"


def test_a_lead_that_was_lost_is_not_taken_back(ledger: Ledger) -> None:
    mark = mark_of(ledger, "slow", lease_s=0.15)
    with ledger.transaction() as cur:
        cur.execute("update lease set generation = generation + 1, holder = 'other', until = '-infinity'")
    with leading(ledger, mark):
        time.sleep(0.25)
    assert one(ledger, "select holder from lease") == "other"
    assert one(ledger, "select until = '-infinity' from lease")


def between_pages(process: Process, happens: Callable[[], object]) -> None:
    """Let something happen once, between the first page that is read and its being recorded."""
    stream = process.streams[ORDERS]
    left = [happens]

    def read(**more: Any) -> Iterator[Batch]:  # noqa: ANN401 - as the stream's
        for batch in stream.reading.read(**more):
            while left:
                left.pop()()
            yield batch

    reading = msgspec.structs.replace(stream.reading, read=read)
    process.streams[ORDERS] = msgspec.structs.replace(stream, reading=reading)


def test_while_one_pulls_the_others_do_not_even_if_they_are_the_same_person(site: Site) -> None:
    site.seed_orders(45)
    first, second = site.process(), site.process()
    reading, other_done = threading.Event(), threading.Event()

    def wait() -> None:
        reading.set()
        assert other_done.wait(20)

    between_pages(first, wait)
    with ThreadPoolExecutor(1) as pool:
        pulling = pool.submit(first.pull)
        assert reading.wait(20)
        assert second.turn() is None
        other_done.set()
        assert pulling.result(60).changed == 45
    assert len(site.audit()) == 1
    assert second.pull().changed == 0


def test_a_poller_that_was_frozen_past_its_lease_records_nothing_more(ledger: Ledger, site: Site) -> None:
    site.seed_orders(45)
    frozen, other = site.process(), site.process()

    def take_over() -> None:
        with ledger.transaction() as cur:  # As if the lease had run out.
            cur.execute("update lease set until = '-infinity'")
        assert other.pull().changed == 45

    between_pages(frozen, take_over)
    pulled = frozen.pull(outcome="lost")
    assert pulled.changed == 0
    assert "another process" in pulled.error
    assert site.versions() == {f"{1000 + number}": 1 for number in range(45)}
    outcomes = [row["outcome"] for row in site.audit()]
    assert outcomes == ["lost", "done"]
    assert other.pull().changed == 0
    assert frozen.pull().changed == 0

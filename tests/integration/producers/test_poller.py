"""Pulls against the stand-in for IFS: what is new costs an entry, what is not costs nothing, nothing is missed."""

import json
import time

import msgspec
import pytest
import redis

from shared.config.settings import StreamSettings
from shared.ledger.connection import Ledger
from shared.queues import dead_letters
from shared.queues.broker import NAMESPACE
from tests.contract.ifs_tenants import line, order
from tests.integration.ledger import samples
from tests.integration.ledger.samples import one
from tests.integration.producers.tenants import BY_STAMP, ORDERS, SUPPLIERS, Process, Site

HEADERS = "PurchaseOrderHandling"
SWEEPING = StreamSettings(strategy="sweep", start_from="2026-01-01")


def position(ledger: Ledger) -> str | None:
    found = one(ledger, "select position from watermark where stream = 'purchase_orders'")
    return None if found is None else str(found)


def queued(client: redis.Redis) -> list[int]:
    queue = f"{NAMESPACE}:map.purchase_orders"
    names = client.lrange(queue, 0, -1)
    return [entry for body in client.hmget(f"{queue}.msgs", names) for entry in json.loads(body or b"")["args"][0]]


def test_a_first_pull_brings_everything_and_hands_it_over(ledger: Ledger, client: redis.Redis, site: Site) -> None:
    site.seed_orders(45)
    pulled = site.process().pull()
    assert (pulled.rows, pulled.changed, pulled.unchanged, pulled.skipped) == (45, 45, 0, 0)
    ids = [row[0] for row in ledger.rows("select id from entry order by id")]
    assert queued(client) == ids
    assert len(ids) == 45
    (row,) = site.audit()
    assert (row["outcome"], row["strategy"], row["rows"], row["changed"]) == ("done", "modified", 45, 45)
    assert row["pages"] >= 3
    assert row["watermark_from"] is None
    assert row["watermark_to"] == position(ledger) is not None
    assert one(ledger, "select count(*) from entry e join poll p on p.id = e.poll_id") == 45


def test_an_idle_pull_costs_one_call_per_stamped_set_and_no_entry(ledger: Ledger, site: Site) -> None:
    site.seed_orders(15)
    process = site.process()
    process.pull()
    process.pull()  # Learns how the pages of the look back end.
    site.tenant.forget_calls()
    pulled = process.pull()
    assert pulled.changed == 0
    assert len(site.tenant.calls()) == 2, "headers, and lines by their LastActivityDate"
    assert one(ledger, "select count(*) from entry") == 15
    assert one(ledger, "select count(*) from event") == 15


def test_a_changed_header_is_a_new_version_and_its_filter_is_on_record(site: Site) -> None:
    site.seed_orders(15)
    process = site.process()
    process.pull()
    site.change(1003, NoteText="hurry")
    assert process.pull().changed == 1
    assert site.versions()["1003"] == 2
    assert site.audit()[1]["filter"].startswith("ChangeDate ge 2026-03-01T09:45:00Z")


def test_a_changed_line_reads_its_whole_order_again(ledger: Ledger, site: Site) -> None:
    site.seed_orders(15)
    process = site.process()
    process.pull()
    site.change_line(1003, BuyQtyDue=7)
    assert process.pull().changed == 1
    raw = bytes(one(ledger, "select b.raw from body b join entry e on e.id = b.entry_id where e.version = 2"))
    document = json.loads(raw)
    assert (document["header"]["OrderNo"], document["lines"][0]["BuyQtyDue"]) == ("1003", 7)
    assert process.pull().changed == 0


def test_a_process_that_starts_anew_goes_on_where_the_last_one_was(ledger: Ledger, site: Site) -> None:
    site.seed_orders(15)
    site.process().pull()
    before = position(ledger)
    site.change(1003, NoteText="hurry")
    assert site.process().pull().changed == 1
    assert site.versions() == {f"{1000 + number}": 2 if number == 3 else 1 for number in range(15)}
    assert position(ledger) != before


def test_what_is_committed_late_is_found_by_the_look_back(site: Site) -> None:
    site.seed_orders(15)
    process = site.process()
    process.pull()
    site.edit("PurchaseOrderSet", {"OrderNo": "1003", "NoteText": "late"}, lag_s=300)
    site.tenant.control("POST", "clock", {"advance_s": 60})
    site.change(1004, NoteText="prompt")
    assert process.pull().changed == 1
    site.tenant.control("POST", "clock", {"advance_s": 300})
    assert process.pull().changed == 1
    assert (site.versions()["1003"], site.versions()["1004"]) == (2, 2)


@pytest.mark.parametrize("history", [True, False])
def test_suppliers_are_found_by_history_or_else_by_comparing_all(site: Site, *, history: bool) -> None:
    site.seed_suppliers(30, {"history": history})
    if history:
        site.edit("SupplierInfoGeneralSet", {"SupplierId": "S000", "Name": "The log has rows"})
    process = site.process()
    first = process.pull(SUPPLIERS)
    assert (first.strategy, first.changed) == ("history" if history else "sweep", 30)
    site.edit("SupplierInfoGeneralSet", {"SupplierId": "S003", "Name": "Another name"})
    site.edit("SupplierInfoAddressSet", {"SupplierId": "S007", "AddressId": "1", "City": "Uppsala"})
    assert process.pull(SUPPLIERS).changed == 2, "an address is part of its supplier"
    assert [key for key, count in site.versions(SUPPLIERS).items() if count == 2] == ["S003", "S007"]
    assert process.pull(SUPPLIERS).changed == 0


def test_a_stream_without_a_stamp_that_it_is_told_to_use_fails_in_one_sentence(site: Site) -> None:
    site.seed_orders(3)
    stream = StreamSettings(strategy="modified", modified_field="NoSuchDate")
    pulled = site.process(stream).pull(outcome="failed")
    assert "NoSuchDate" in pulled.error
    assert "\n" not in pulled.error


def test_documents_from_before_the_start_are_counted_and_not_sent(ledger: Ledger, site: Site) -> None:
    site.seed_orders(6)
    site.edit("PurchaseOrderSet", order(2000, OrderDate="2025-12-31T00:00:00Z"), "upsert")
    process = site.process()
    pulled = process.pull()
    assert (pulled.changed, pulled.skipped) == (6, 1)
    site.change(2000, NoteText="changed all the same")
    pulled = process.pull()
    assert (pulled.changed, pulled.skipped) == (0, 1), "a change of one is reported likewise"
    assert "2000" not in site.versions()
    assert "2025-12-31" in one(ledger, "select skipped from record where key = '2000'")


def test_without_a_start_the_day_of_the_first_poll_is_the_start_and_stays_it(ledger: Ledger, site: Site) -> None:
    site.seed_orders(3)  # Dated long ago.
    today = one(ledger, "select to_char(now() at time zone 'Europe/Stockholm', 'YYYY-MM-DD')")
    site.edit("PurchaseOrderSet", order(2000, OrderDate=f"{today}T00:00:00Z"), "upsert")
    stream = msgspec.structs.replace(BY_STAMP, start_from="")
    assert site.process(stream).pull().skipped == 3
    assert site.versions() == {"2000": 1}
    assert one(ledger, "select start_from from watermark where stream = 'purchase_orders'") == today
    with ledger.transaction() as cur:  # As if it had been long ago.
        cur.execute("update watermark set start_from = '2026-01-01'")
    assert site.process(stream).pull(sweep=True).changed == 3


def test_an_order_is_sent_once_its_state_makes_it_ours(ledger: Ledger, site: Site) -> None:
    site.seed_orders(3, Objstate="Planned")
    process = site.process()
    assert process.pull().skipped == 3
    site.change(1001, Objstate="Released")
    assert process.pull().changed == 1
    assert site.versions() == {"1001": 1}
    assert one(ledger, "select skipped from record where key = '1001'") == ""


def test_a_stream_is_polled_when_it_is_due(site: Site) -> None:
    site.seed_orders(3)
    process = site.process(msgspec.structs.replace(BY_STAMP, every_s=0.4))
    assert process.turn(force=False) is not None
    site.tenant.forget_calls()
    assert process.turn(force=False) is None
    assert site.tenant.calls() == [], "a look at the clock is no call"
    time.sleep(0.45)
    assert process.turn(force=False) is not None


def test_a_disabled_stream_is_not_polled(site: Site) -> None:
    process = site.process(StreamSettings(enabled=False))
    assert "purchase_orders" not in {flow.name for flow in process.streams}
    assert SUPPLIERS in process.streams


def swept_long_ago(ledger: Ledger) -> None:
    with ledger.transaction() as cur:
        cur.execute("update watermark set swept_at = now() - interval '2 days'")


def test_every_night_all_is_compared_and_what_was_missed_is_found(ledger: Ledger, site: Site) -> None:
    site.seed_orders(25)
    process = site.process()
    process.pull()
    site.change(1004, NoteText="moves the watermark far away")
    process.pull()
    reached = position(ledger)
    site.tenant.control("POST", "switches", {"order_change_date": "never"})
    site.change(1003, NoteText="without a stamp")
    assert process.pull().changed == 0, "no stamp tells of it"
    swept_long_ago(ledger)
    pulled = process.pull()
    assert (pulled.strategy, pulled.changed, pulled.unchanged) == ("sweep", 1, 24)
    assert position(ledger) == reached, "a sweep leaves the watermark where it is"
    assert process.pull().strategy == "modified", "one a night"


def test_what_is_gone_is_reported_and_never_mirrored(ledger: Ledger, site: Site) -> None:
    site.seed_orders(30)
    process = site.process()
    process.pull()
    for number in (1003, 1004):
        site.edit("PurchaseOrderSet", {"OrderNo": f"{number}"}, "delete")
    pulled = process.pull(sweep=True)
    assert pulled.error == "2 records are not in IFS any more: 1003, 1004"
    assert one(ledger, "select count(*) from record where vanished_at is not null") == 2
    assert site.versions() == {f"{1000 + number}": 1 for number in range(30)}
    assert process.pull(sweep=True).error == "", "told once"


def test_a_near_empty_side_stops_the_sweep(ledger: Ledger, site: Site) -> None:
    site.seed_orders(30)
    with_other = [order(3000 + number, Company="20", Contract="S20") for number in range(4)]
    for row in with_other:
        site.edit("PurchaseOrderSet", row, "upsert")
    process = site.process()
    process.pull()
    before = one(ledger, "select swept_at from watermark")
    site.limit_to("20")
    pulled = process.pull(sweep=True, outcome="stopped")
    assert "met 4 of 34" in pulled.error
    assert "allowed companies" in pulled.error
    assert one(ledger, "select count(*) from record where vanished_at is not null") == 0
    assert one(ledger, "select swept_at from watermark") == before
    assert site.audit()[-1]["outcome"] == "stopped"


def test_a_first_read_that_was_interrupted_goes_on_where_it_was(ledger: Ledger, site: Site) -> None:
    site.seed_orders(70)
    process = site.process()
    site.fail("503", HEADERS + ".*gt '", skip=1, times=5)
    process.pull(outcome="failed")
    stored = one(ledger, "select count(*) from entry")
    assert 20 <= stored < 70
    site.tenant.control("DELETE", "faults")
    pulled = site.process().pull()
    assert pulled.changed == 70 - stored
    assert pulled.rows <= 70 - stored + 1, "what was read is not read again"
    assert set(site.versions().values()) == {1}


def process_of(site: Site, stream: StreamSettings) -> Process:
    site.seed_orders(45)
    return site.process(stream)


@pytest.mark.parametrize(
    ("stream", "body", "kind"),
    [
        (BY_STAMP, "<html>maintenance</html>", "answer"),
        (BY_STAMP, "{}", "answer"),
        (BY_STAMP, '{"value": 7}', "answer"),
        (SWEEPING, "", "truncated"),
    ],
)
def test_a_page_that_is_no_page_fails_the_pull_and_leaves_the_watermark(
    ledger: Ledger, site: Site, stream: StreamSettings, body: str, kind: str
) -> None:
    process = process_of(site, stream)
    site.fail(kind, HEADERS + ".*OrderNo gt", skip=1, times=9, **({"body": body} if kind == "answer" else {}))
    pulled = process.pull(outcome="failed")
    assert "PurchaseOrderSet" in pulled.error
    assert "\n" not in pulled.error
    row = site.audit()[-1]
    assert (row["outcome"], row["error"]) == ("failed", pulled.error)
    reached = position(ledger)
    process.pull(outcome="failed")
    if stream is BY_STAMP:
        assert position(ledger) == reached
    site.tenant.control("DELETE", "faults")
    process.pull()
    assert site.versions() == {f"{1000 + number}": 1 for number in range(45)}


@pytest.mark.parametrize(
    ("kind", "more", "outcome"),
    [
        ("429", {"retry_after": 0}, "failed"),
        ("ora", {}, "failed"),
        ("502", {}, "failed"),
        ("drop_after", {}, "failed"),
        ("unauthorized", {}, "done"),
        ("modified", {}, "done"),
    ],
)
def test_a_failure_in_the_middle_of_a_pull_costs_no_record(
    site: Site, kind: str, more: dict[str, object], outcome: str
) -> None:
    process = process_of(site, BY_STAMP)
    site.fail(kind, HEADERS + ".*OrderNo gt", **more)
    process.pull(outcome=outcome)
    process.pull()
    assert site.versions() == {f"{1000 + number}": 1 for number in range(45)}


def test_a_pull_whose_process_died_is_closed_as_abandoned(ledger: Ledger, site: Site) -> None:
    site.seed_orders(3)
    process = site.process()
    process.pull()
    with ledger.transaction() as cur:
        cur.execute("update poll set outcome = 'running', finished_at = null")
    process.pull()
    assert [row["outcome"] for row in site.audit()] == ["abandoned", "done"]


def test_lines_of_orders_that_are_none_of_ours_bring_nothing(site: Site) -> None:
    site.seed_orders(3)
    process = site.process()
    process.pull()
    site.edit("PurchaseOrderLineSet", line(7777, 1), "upsert")
    assert process.pull().changed == 0


def test_a_newer_version_takes_the_dead_letter_of_the_older_away(
    ledger: Ledger, client: redis.Redis, site: Site
) -> None:
    site.seed_orders(3)
    process = site.process()
    process.pull()
    entry = one(ledger, "select id from entry where key = '1001'")
    samples.hold(ledger, entry)
    dead_letters.rest(client, f"map.{ORDERS.name}", [(entry, 1.0)])
    site.change(1001, NoteText="mended")
    process.pull()
    assert samples.states(ledger, "1001") == ["superseded", "detected"]
    assert dead_letters.resting(client, f"map.{ORDERS.name}") == {}

"""The mapping stage: each entry of a batch ends on its own, and whatever is away only delays."""

import json
from collections.abc import Callable

import msgspec
import pytest
import redis

from shared import flows
from shared.errors import Held, Misconfigured, Retryable
from shared.flows import queue_of
from shared.ifs.errors import IfsRefused
from shared.ledger.claiming import CLAIMS_MAX
from shared.ledger.connection import Ledger
from shared.queues import dead_letters
from shared.queues.broker import NAMESPACE
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, SUPPLIERS, one, state, wait_for
from tests.integration.workers.stages import Stage, order, raw_of
from tests.unit.mapping import samples as good

WRITE = queue_of("write", ORDERS)


@pytest.fixture
def stage(ledger: Ledger, client: redis.Redis) -> Stage:
    return Stage(ledger, client)


@pytest.fixture
def suppliers(ledger: Ledger, client: redis.Redis) -> Stage:
    return Stage(ledger, client, flows.SUPPLIERS)


def findings(ledger: Ledger, entry: int) -> list[tuple[str, str]]:
    rows = ledger.rows("select code, value from finding where entry_id = %s and open order by id", (entry,))
    return [(str(row[0]), str(row[1])) for row in rows]


def test_what_is_mapped_goes_to_its_writer_in_one_message(ledger: Ledger, client: redis.Redis, stage: Stage) -> None:
    ids = [stage.detect(key, order(key)) for key in ("1", "2", "3")]
    stage.run(*ids)
    assert [state(ledger, entry) for entry in ids] == ["mapped"] * 3
    (name,) = client.lrange(f"{NAMESPACE}:{WRITE}", 0, -1)
    assert json.loads(client.hget(f"{NAMESPACE}:{WRITE}.msgs", name) or b"")["args"] == [ids]
    assert one(ledger, "select outcome from message where queue like 'map%%'") == "3 taken"
    assert json.loads(bytes(one(ledger, "select raw from body where kind = 'mapped' and entry_id = %s", ids[0])))


def test_one_that_cannot_be_mapped_is_held_and_its_neighbours_go_on(
    ledger: Ledger, client: redis.Redis, stage: Stage
) -> None:
    bad = [
        b'{"header": {"OrderNo": "2"}, "lines": [], "code_parts": []}',
        order("3", currency_code="euro"),
        order("4", company="99"),
    ]
    ids = [stage.detect("1", order("1"))]
    ids += [stage.detect(f"{number + 2}", raw) for number, raw in enumerate(bad)]
    ids.append(stage.detect("5", order("5")))
    stage.run(*ids)
    assert [state(ledger, entry) for entry in ids] == ["mapped", "held", "held", "held", "mapped"]
    assert {code for code, _ in findings(ledger, ids[1])} == {"source.invalid"}
    assert findings(ledger, ids[2]) == [("source.invalid", "euro")]
    assert ("company.unmapped", "99") in findings(ledger, ids[3])
    assert sorted(dead_letters.resting(client, queue_of("map", ORDERS)).values()) == [(entry,) for entry in ids[1:4]]


def test_a_message_that_comes_twice_is_worked_on_once(ledger: Ledger, stage: Stage) -> None:
    entry = stage.detect("1", order("1"))
    message = stage.message(entry)
    for _ in range(2):
        stage.mapping.run(message.entries, message.id)
    assert one(ledger, "select count(*) from event where becomes = 'mapped'") == 1
    assert one(ledger, "select count(*) from body where kind = 'mapped'") == 1


def test_an_account_that_was_just_added_never_holds(ledger: Ledger, stage: Stage) -> None:
    entry = stage.detect("1", order("1"))
    stage.rules.after_refresh = stage.rules.now
    chart = {code: account for code, account in good.REFERENCE.accounts.items() if code != "4010"}
    stage.rules.now = msgspec.structs.replace(
        good.RULES, reference={"main": msgspec.structs.replace(good.REFERENCE, accounts=chart)}
    )
    stage.run(entry)
    assert (state(ledger, entry), stage.rules.refreshed) == ("mapped", 1)


@pytest.mark.parametrize("error", [Retryable("Cin7 is away"), Misconfigured("no credentials"), Held([])])
def test_reference_data_that_cannot_be_read_again_keeps_no_good_record(
    ledger: Ledger, stage: Stage, error: Exception
) -> None:
    stage.rules.refresh_fails = error
    fine, lacking = stage.detect("1", order("1")), stage.detect("2", order("2", company="99"))
    stage.run(fine, lacking)
    assert (state(ledger, fine), state(ledger, lacking)) == ("mapped", "held")


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(Retryable("away", executed=False), 0), (Misconfigured("no credentials"), 0), (Held([samples.finding()]), 1)],
)
def test_without_rules_the_batch_rests(ledger: Ledger, stage: Stage, error: Exception, attempts: int) -> None:
    stage.rules.away = error
    ids = [stage.detect(key, order(key)) for key in ("1", "2")]
    stage.run(*ids)
    assert (
        ledger.rows("select state, stage, attempts, claims, lease_until from entry")
        == [("retrying", "map", attempts, 0, None)] * 2
    )


def test_a_bug_in_the_mapping_holds_the_one_record_it_meets(ledger: Ledger, stage: Stage) -> None:
    def broken(document: object, rules: object) -> msgspec.Struct:
        if document.header.order_no == "2":  # type: ignore[attr-defined]
            raise KeyError("surprise")
        return good.ORDER.header

    stage.mapping.rule = broken
    ids = [stage.detect(key, order(key)) for key in ("1", "2", "3")]
    stage.run(*ids)
    assert [state(ledger, entry) for entry in ids] == ["mapped", "held", "mapped"]
    assert one(ledger, "select code from finding") == "bug"


def die(stage: Stage, *ids: int) -> None:
    """Take entries as a worker does that is killed then, and let its lease run out."""
    samples.take_for_mapping(stage.ledger, *ids, lease_s=0)


def test_a_batch_that_died_goes_on_entry_by_entry(ledger: Ledger, client: redis.Redis, stage: Stage) -> None:
    ids = [stage.detect(key, order(key)) for key in ("1", "2", "3")]
    die(stage, *ids)
    stage.run(*ids)
    assert [state(ledger, entry) for entry in ids] == ["detected"] * 3, "they travel alone now"
    rows = ledger.rows("select entries from message where ended_at is null order by entries")
    assert [row[0] for row in rows] == [[entry] for entry in ids]
    for entry in ids:
        stage.run(entry)
    assert [state(ledger, entry) for entry in ids] == ["mapped"] * 3


def test_the_one_that_kills_its_workers_is_held(ledger: Ledger, stage: Stage) -> None:
    killer, neighbour = stage.detect("1", order("1")), stage.detect("2", order("2"))
    for _ in range(CLAIMS_MAX):
        die(stage, killer)
    stage.run(killer)
    stage.run(neighbour)
    assert (state(ledger, killer), state(ledger, neighbour)) == ("held", "mapped")
    code, message = ledger.rows("select code, message from finding")[0]
    assert code == "crashes-worker"
    assert message.startswith(f"{CLAIMS_MAX} workers")


def ask(stage: Stage, key: str) -> int:
    (message,) = samples.ask(stage.ledger, key, stage.flow.name)
    return message.entries[0]


def test_what_was_asked_for_by_key_is_read_and_mapped(ledger: Ledger, suppliers: Stage) -> None:
    suppliers.source.documents["S1"] = raw_of(good.ACME)
    entry = ask(suppliers, "S1")
    suppliers.run(entry)
    assert state(ledger, entry) == "mapped"
    assert bytes(one(ledger, "select raw from body where kind = 'source'")) == raw_of(good.ACME)
    assert one(ledger, "select fingerprint from record") == one(ledger, "select fingerprint from entry") != ""
    assert (
        samples.detect(ledger, suppliers.lens.seen(suppliers.source.read(["S1"], "")["S1"]), flow=SUPPLIERS).entries
        == ()
    )


def test_many_that_were_asked_for_are_read_together(ledger: Ledger, suppliers: Stage) -> None:
    ids = [ask(suppliers, f"S{number}") for number in range(4)]
    suppliers.run(*ids)
    assert suppliers.source.reads == [["S0", "S1", "S2", "S3"]]


def test_what_ifs_does_not_have_ends_and_holds_who_waits_for_it(
    ledger: Ledger, client: redis.Redis, suppliers: Stage
) -> None:
    entry = ask(suppliers, "S1")
    waiting, other = samples.ready(ledger, "1"), samples.ready(ledger, "2")
    wait_for(ledger, waiting, "suppliers/S1@main")
    wait_for(ledger, other, "suppliers/S11@main")
    suppliers.run(entry)
    assert [state(ledger, one) for one in (entry, waiting, other)] == ["dismissed", "held", "waiting"]
    assert ledger.rows("select code, value, field, company from finding") == [
        ("dependency.missing", "S1", "suppliers@main", "10")
    ]
    assert list(dead_letters.resting(client, WRITE).values()) == [(waiting,)]


def test_an_ifs_that_is_away_delays_what_must_be_read_and_nothing_else(ledger: Ledger, suppliers: Stage) -> None:
    asked, known = ask(suppliers, "S1"), suppliers.detect("S2", raw_of(good.ACME))
    suppliers.source.fails["S1"] = Retryable("IFS is away")
    suppliers.run(asked, known)
    assert (state(ledger, asked), state(ledger, known)) == ("retrying", "mapped")


def test_what_ifs_refuses_to_all_is_asked_one_by_one(ledger: Ledger, suppliers: Stage) -> None:
    ids = [ask(suppliers, key) for key in ("S1", "S2", "S3")]
    for key in ("S1", "S3"):
        suppliers.source.documents[key] = raw_of(good.ACME)
    suppliers.source.fails["S2"] = IfsRefused("IFS answered 400", status=400, code="", message="")
    suppliers.run(*ids)
    assert [state(ledger, entry) for entry in ids] == ["mapped", "retrying", "mapped"]
    assert one(ledger, "select attempts from entry where key = 'S2'") == 1


def hold_and_replay(stage: Stage, entry: int) -> None:
    samples.hold(stage.ledger, entry)
    samples.replay(stage.ledger, entry, flow=stage.flow.name)


def test_a_replay_maps_the_same_version_by_todays_rules(ledger: Ledger, stage: Stage) -> None:
    raw = order("1")
    entry = stage.detect("1", raw)
    stage.source.documents["1"] = raw
    hold_and_replay(stage, entry)
    stage.run(entry)
    assert stage.source.reads == [["1"]]
    assert ledger.rows("select state, round from entry") == [("mapped", 2)]


def test_a_replay_of_what_changed_meanwhile_sends_the_version_of_now(ledger: Ledger, stage: Stage) -> None:
    entry = stage.detect("1", order("1"))
    stage.source.documents["1"] = order("1", note_text="changed")
    hold_and_replay(stage, entry)
    stage.run(entry)
    assert samples.states(ledger, "1") == ["superseded", "detected"]
    assert one(ledger, "select lane from entry where version = 2") == "replay"
    assert one(ledger, "select count(*) from message where ended_at is null and queue = 'map.purchase_orders'") >= 1


def test_a_replay_of_what_is_left_alone_by_now_closes_it(ledger: Ledger, stage: Stage) -> None:
    entry = stage.detect("1", order("1"))
    stage.source.documents["1"] = order("1", objstate="Stopped")
    hold_and_replay(stage, entry)
    stage.run(entry)
    assert samples.states(ledger, "1") == ["superseded"]
    assert "left alone" in one(ledger, "select why from event where becomes = 'superseded'")


def test_a_replay_of_what_was_received_meanwhile_goes_on(ledger: Ledger, stage: Stage) -> None:
    entry = stage.detect("1", order("1"))
    stage.source.documents["1"] = order("1", objstate="Received")
    hold_and_replay(stage, entry)
    stage.run(entry)
    assert samples.states(ledger, "1") == ["superseded", "detected"]


def test_a_replay_of_what_is_gone_is_held_by_name(ledger: Ledger, stage: Stage) -> None:
    entry = stage.detect("1", order("1"))
    hold_and_replay(stage, entry)
    stage.run(entry)
    assert findings(ledger, entry) == [("source.invalid", "1")]


def during_the_read(stage: Stage, key: str, raw: bytes, happens: Callable[[], object]) -> None:
    """Let something happen between IFS's answer to a read by key and its being recorded."""
    read = stage.source.read

    def slow(keys: list[str], lane: str) -> object:
        stage.source.documents[key] = raw
        documents = read(keys, lane)
        happens()
        return documents

    stage.rereader.read = slow  # type: ignore[assignment]


def test_a_replay_that_met_a_passing_version_loses_nothing(ledger: Ledger, stage: Stage) -> None:
    """Read by key it was B; a poll that began later saw A again, which is what the entry is about."""
    a, b = order("1"), order("1", note_text="b")
    entry = stage.detect("1", a)
    hold_and_replay(stage, entry)

    def poll() -> None:
        back = msgspec.structs.replace(stage.lens.seen(stage.source.read(["1"], "")["1"]), header_tag="later")
        back = msgspec.structs.replace(back, raw=a, fingerprint=one(ledger, "select fingerprint from entry"))
        assert samples.detect(ledger, back).unchanged == 1

    during_the_read(stage, "1", b, poll)
    stage.run(entry)
    assert samples.states(ledger, "1") == ["mapped"]


def test_of_two_that_read_the_same_for_the_first_time_one_goes_on(ledger: Ledger, suppliers: Stage) -> None:
    entry = ask(suppliers, "S1")
    (slow,) = samples.take_for_mapping(ledger, entry, flow=SUPPLIERS, lease_s=0)
    (fast,) = samples.take_for_mapping(ledger, entry, flow=SUPPLIERS)
    suppliers.source.documents["S1"] = raw_of(good.ACME)
    assert [claim.id for claim in suppliers.rereader.reread([fast]).to_map] == [entry]
    assert suppliers.rereader.reread([slow]).to_map == [], "it has a body by now, and another worker maps it"
    assert one(ledger, "select count(*) from body where kind = 'source'") == 1
    assert [claim.raw for claim in samples.take_for_mapping(ledger, entry, flow=SUPPLIERS)] == []


def test_what_was_asked_for_ends_where_a_pull_saw_it_while_it_was_being_recorded(
    ledger: Ledger, suppliers: Stage, database_url: str
) -> None:
    """The pull passes over the entry that is being given its body, and so cannot close it."""
    suppliers.source.documents["S1"] = raw_of(good.ACME)
    entry = ask(suppliers, "S1")
    (claim,) = samples.take_for_mapping(ledger, entry, flow=SUPPLIERS)
    seen = suppliers.lens.seen(suppliers.source.read(["S1"], "")["S1"])
    with samples.in_other_hands(database_url, entry):
        samples.detect(ledger, seen, flow=SUPPLIERS)
    assert suppliers.rereader.reread([claim]).to_map == []
    assert samples.states(ledger, "S1", flow=SUPPLIERS) == ["superseded", "detected"]

"""Held entries go through again: by a person, or by themselves once their cause is seen to be gone, and never else."""

import json

import pytest
import redis

from shared.findings import Finding
from shared.flows import queue_of
from shared.ledger import causes, links
from shared.ledger.causes import Cause
from shared.ledger.connection import Ledger
from shared.ledger.links import Stored
from shared.queues import dead_letters
from shared.queues.broker import NAMESPACE, redis_client
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, SUPPLIERS, finding, held, hold, new, one, ready, state
from workers.replaying import Releaser, replay, waiting_in


class Chart:
    """The rules of the moment, reduced to the values that they lack."""

    def __init__(self) -> None:
        self.lacks = {"9999", "8888", "30", "S1"}
        self.revision = 1
        self.asked: list[str] = []

    def still_there(self, cause: Cause, _entry: int) -> bool:
        self.asked.append(cause.code)
        return cause.value in self.lacks


@pytest.fixture
def chart() -> Chart:
    return Chart()


@pytest.fixture
def releaser(ledger: Ledger, client: redis.Redis, chart: Chart) -> Releaser:
    return releaser_of(ledger, client, chart)


def releaser_of(ledger: Ledger, client: redis.Redis, chart: Chart, *, auto_replay: bool = True) -> Releaser:
    return Releaser(
        ledger,
        client,
        "replayer",
        auto_replay=auto_replay,
        still_there=chart.still_there,
        refresh=lambda _causes: None,
        revision=lambda: chart.revision,
    )


def queued(client: redis.Redis, flow: str) -> list[int]:
    queue = f"{NAMESPACE}:{queue_of('map', flow)}"
    names = client.lrange(queue, 0, -1)
    bodies = client.hmget(f"{queue}.msgs", names) if names else []
    return [entry for body in bodies for entry in json.loads(body or b"")["args"][0]]


def test_a_replay_sends_what_is_held_and_takes_its_letters_away(ledger: Ledger, client: redis.Redis) -> None:
    order, other = held(ledger, "1"), held(ledger, "2")
    late = ready(ledger, "3")
    hold(ledger, late, stage="write")
    supplier = held(ledger, "S1", flow=SUPPLIERS)
    moving = new(ledger, "4")
    for stage, flow, entry in (("map", ORDERS, order), ("write", ORDERS, late), ("map", SUPPLIERS, supplier)):
        dead_letters.rest(client, f"{stage}.{flow}", [(entry, 1.0)])
    wanted = [late, supplier, moving, order]
    assert replay(ledger, client, wanted, actor="ann", why="replayed by ann") == sorted([order, late, supplier])
    assert (queued(client, ORDERS), queued(client, SUPPLIERS)) == ([order, late], [supplier])
    assert client.keys(f"{NAMESPACE}:*.XQ") == []
    assert (state(ledger, other), state(ledger, moving)) == ("held", "detected")
    assert one(ledger, "select distinct why from event where actor = 'ann'") == "replayed by ann"


def test_messages_go_out_in_dependency_order(ledger: Ledger, client: redis.Redis) -> None:
    order, supplier = held(ledger, "1"), held(ledger, "S1", flow=SUPPLIERS)
    replay(ledger, client, [order, supplier], actor="ann", why="")
    queues = [row[0] for row in ledger.rows("select queue from message order by written_at, queue desc")]
    assert queues == [queue_of("map", SUPPLIERS), queue_of("map", ORDERS)]


def test_a_replay_stands_though_redis_is_away(ledger: Ledger) -> None:
    entry = held(ledger, "1")
    assert replay(ledger, redis_client("redis://127.0.0.1:1/0"), [entry], actor="ann", why="") == [entry]
    assert state(ledger, entry) == "detected"


def test_a_queue_is_drained_oldest_first(ledger: Ledger) -> None:
    first, second = held(ledger, "2"), held(ledger, "1")
    with ledger.transaction() as cur:
        assert waiting_in(cur, "map", ORDERS) == [first, second]
        assert waiting_in(cur, "write", ORDERS) == []


def test_exactly_what_the_cause_held_is_released(
    ledger: Ledger, client: redis.Redis, releaser: Releaser, chart: Chart
) -> None:
    mine, both = held(ledger, "1"), held(ledger, "2", finding(), finding(value="8888"))
    other = held(ledger, "3", finding("term.unmapped", "30"))
    chart.lacks.discard("9999")
    assert releaser.release() == [mine]
    assert releaser.send_ready() == [mine]
    assert [state(ledger, entry) for entry in (mine, both, other)] == ["detected", "held", "held"]
    assert queued(client, ORDERS) == [mine]
    chart.lacks.clear()
    assert releaser.release() == [both, other]


def test_nothing_is_released_while_its_cause_is_there(ledger: Ledger, releaser: Releaser) -> None:
    held(ledger, "1")
    assert releaser.release() == []
    assert releaser.send_ready() == []


@pytest.mark.parametrize(
    "code",
    ["supplier.conflict", "supplier.possible-duplicate", "target.refused", "total.mismatch", "bug", "source.invalid"],
)
def test_what_needs_a_persons_judgement_is_never_released_by_itself(
    ledger: Ledger, releaser: Releaser, chart: Chart, code: str
) -> None:
    alone, mixed = held(ledger, "1", finding(code, "x")), held(ledger, "2", finding(code, "x"), finding())
    chart.lacks.clear()
    assert releaser.release() == []
    assert releaser.send_ready() == []
    assert code not in chart.asked
    assert (state(ledger, alone), state(ledger, mixed)) == ("held", "held")
    assert one(ledger, "select count(*) from finding where entry_id = %s and open", mixed) == 1


def lacking(account: str, company: str, supplier: str = "S1") -> Finding:
    return finding("dependency.missing", supplier, company, field=f"suppliers@{account}")


def link(ledger: Ledger, supplier: str, account: str) -> None:
    with ledger.transaction() as cur:
        links.store(cur, [Stored(samples.linked(supplier, account))])


def test_a_link_releases_who_lacked_it_in_that_account_and_nobody_else(
    ledger: Ledger, releaser: Releaser, chart: Chart
) -> None:
    mine = held(ledger, "1", lacking("main", "10"))
    elsewhere, other = held(ledger, "2", lacking("west", "30")), held(ledger, "3", lacking("main", "10", "S2"))
    link(ledger, "S1", "main")
    assert releaser.release_linked() == [mine]
    assert releaser.send_ready() == [mine]
    assert (state(ledger, elsewhere), state(ledger, other)) == ("held", "held")
    assert "dependency.missing" not in chart.asked
    link(ledger, "S1", "west")
    assert releaser.release_linked() == [elsewhere]


def test_a_missing_link_is_not_seen_to_be_gone_by_mapping(ledger: Ledger, releaser: Releaser, chart: Chart) -> None:
    held(ledger, "1", lacking("main", "10"))
    chart.lacks.clear()
    assert releaser.release() == []


def run(releaser: Releaser, turns: int) -> None:
    left = iter([False] * turns + [True])
    releaser.run(lambda: next(left))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.replaying.LOOK_EVERY_S", 0.0)


@pytest.mark.usefixtures("hasty")
def test_a_cause_is_looked_at_when_the_rules_change(
    ledger: Ledger, releaser: Releaser, chart: Chart, client: redis.Redis
) -> None:
    entry = held(ledger, "1")
    run(releaser, 2)
    assert state(ledger, entry) == "held"
    looks = len(chart.asked)
    run(releaser, 3)
    chart.lacks.clear()
    chart.revision += 1
    run(releaser, 1)
    assert state(ledger, entry) == "detected"
    assert len(chart.asked) <= looks + 6, "not at every turn"
    assert queued(client, ORDERS) == [entry]


@pytest.mark.usefixtures("hasty")
def test_a_hold_that_came_just_after_the_look_is_released_all_the_same(
    ledger: Ledger, releaser: Releaser, chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart.lacks.clear()
    turns = iter([False, False, False, True])
    entries: list[int] = []

    def stopping() -> bool:
        if not entries and chart.revision == 2:
            # The mapper decided by the rules of before, and recorded it after the look at the new ones.
            entries.append(held(ledger, "1"))
        chart.revision = 2
        return next(turns)

    monkeypatch.setattr("workers.replaying.LOOK_AROUND_EVERY_S", 0.0)
    releaser.run(stopping)
    assert [state(ledger, entry) for entry in entries] == ["detected"]


@pytest.mark.usefixtures("hasty")
def test_without_auto_replay_what_is_free_is_only_marked(ledger: Ledger, client: redis.Redis, chart: Chart) -> None:
    entry = held(ledger, "1")
    chart.lacks.clear()
    run(releaser_of(ledger, client, chart, auto_replay=False), 2)
    assert ledger.rows("select id, ready from entry where state = 'held'") == [(entry, True)]


@pytest.mark.usefixtures("hasty")
def test_two_replayers_at_once_send_an_entry_once(ledger: Ledger, client: redis.Redis, chart: Chart) -> None:
    ids = [held(ledger, f"{number}") for number in range(12)]
    chart.lacks.clear()

    def work() -> None:
        releaser = releaser_of(ledger, client, chart)
        releaser.release()
        releaser.send_ready()

    samples.at_once([work, work, work])
    assert sorted(queued(client, ORDERS)) == ids


def test_a_released_entry_that_is_held_again_waits_for_its_new_cause(
    ledger: Ledger, releaser: Releaser, chart: Chart
) -> None:
    entry = held(ledger, "1")
    chart.lacks.discard("9999")
    releaser.release()
    releaser.send_ready()
    hold(ledger, entry, finding(value="8888"))
    assert releaser.send_ready() == []
    with ledger.transaction() as cur:
        assert [cause.value for cause in causes.open_causes(cur)] == ["8888"]

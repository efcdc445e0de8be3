"""Creates whose answers are lost, late or nonsense: Cin7 did it, or did not, and nobody said so. Never a second one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import build_plain_world
from tests.acceptance.checks import assert_sound
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

SUPPLIERS, ORDERS = 60, 120
CREATES = ("/supplier", "/advanced-purchase", "/purchase/order")


@pytest.fixture
def stage(own_folder: Path, ready_url: str, redis_url: str) -> Iterator[Stage]:
    with staged(
        own_folder,
        ready_url,
        redis_url,
        build_plain_world(SUPPLIERS, ORDERS),
        set_up=False,
        cin7={"calls_per_minute": 100_000, "settle_s": 0.3, "read_timeout_s": 2},
        ifs={"requests_per_minute": 100_000},
        policy={"lease_s": 10},
    ) as built:
        yield built


def break_answers(stage: Stage, *rules: dict[str, object]) -> None:
    stage.cin7.control("faults", {"rules": list(rules), "seed": 7})


def hits(stage: Stage) -> list[int]:
    return [rule["hits"] for rule in stage.cin7.control("faults")["rules"]]


def bring_all(stage: Stage) -> None:
    stage.start("sweeper", "mapper", "writer", "writer")
    stage.connector("poll")
    stage.wait(120)


def created(stage: Stage) -> tuple[int, int]:
    """Return how many suppliers and purchases Cin7 has ever made, voided ones and doubles included."""
    counters = [account["counters"] for account in stage.cin7.control("state?brief=true")["accounts"]]
    return (
        sum(one.get("suppliers_created", 0) for one in counters),
        sum(one.get("purchases_created", 0) for one in counters),
    )


def test_creates_whose_connection_drops_after_they_were_carried_out_are_found_again(stage: Stage) -> None:
    break_answers(
        stage,
        *[
            {"kind": "drop", "method": "POST", "path": path, "probability": 0.2, "after_commit": True}
            for path in CREATES
        ],
    )
    bring_all(stage)
    assert all(count >= 5 for count in hits(stage)), hits(stage)
    assert created(stage) == (SUPPLIERS, ORDERS)
    assert_sound(stage)


def test_no_answer_of_any_shape_brings_a_second_record_or_loses_one(stage: Stage) -> None:
    """Not carried out and dropped, a gateway's page before and after, cut off, HTML in a 200, too late."""
    kinds: list[dict[str, object]] = [
        {"kind": "drop"},
        {"kind": "502"},
        {"kind": "504", "after_commit": True},
        {"kind": "truncated"},
        {"kind": "html200"},
        {"kind": "html200", "after_commit": True},
        {"kind": "500"},
        {"kind": "slow", "seconds": 3, "after_commit": True},
    ]
    break_answers(
        stage, *[{"method": "POST", "path": path, "times": 2, "skip": 3, **kind} for path in CREATES for kind in kinds]
    )
    bring_all(stage)
    assert sum(hits(stage)) == 2 * len(kinds) * len(CREATES)
    assert created(stage) == (SUPPLIERS, ORDERS)
    assert_sound(stage)


def test_an_error_inside_a_200_holds_the_record_in_its_own_words_and_a_replay_brings_it(stage: Stage) -> None:
    break_answers(
        stage,
        {"kind": "error200", "method": "POST", "path": "/supplier", "times": 1, "text": "Bad Supplier"},
        {"kind": "error200", "method": "POST", "path": "/advanced-purchase", "times": 2, "text": "Bad Header"},
        {"kind": "error200", "method": "POST", "path": "/purchase/order", "times": 2, "text": "Bad Lines"},
    )
    bring_all(stage)
    held = stage.ask("holds")
    said = sorted(finding["message"] for hold in held for finding in hold["findings"] if hold["flow"] != "suppliers")
    assert [text.rpartition(": ")[2] for text in said] == ["Bad Header", "Bad Header", "Bad Lines", "Bad Lines"]
    assert {finding["code"] for hold in held for finding in hold["findings"]} == {"target.refused"}
    stage.connector("holds", "replay", "--all")
    until(lambda: not stage.ask("holds"))
    stage.wait()
    assert created(stage) == (SUPPLIERS, ORDERS)
    assert_sound(stage)

"""Where each kind of failure ends: resting, held, or left to another worker; in the ledger and as a dead letter."""

from collections.abc import Callable

import pytest
import redis

from shared.cin7.errors import Cin7Denied, Cin7Refused, Cin7Throttled
from shared.errors import Held, Misconfigured, Retryable
from shared.flows import queue_of
from shared.ledger.claiming import LeaseLost
from shared.ledger.connection import Ledger
from shared.queues import dead_letters
from shared.queues.broker import redis_client
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, finding, new, one, ready, state
from workers.holding import BACKOFF_FIRST_S, BACKOFF_MAX_S, OPERATOR_DELAY_S, Guard, backoff_s, persist

WRITE = queue_of("write", ORDERS)
ATTEMPTS_MAX = 5


@pytest.fixture
def guard(ledger: Ledger, client: redis.Redis) -> Guard:
    return Guard(ledger, client, "writer", ATTEMPTS_MAX)


def failing(error: Exception) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


def run(guard: Guard, entry: int, error: Exception, attempts: int = 0) -> None:
    assert guard.run(ORDERS, "write", entry, attempts, failing(error)) is None


def delay_s(ledger: Ledger, entry: int) -> float:
    return float(one(ledger, "select extract(epoch from due_at - changed_at) from entry where id = %s", entry))


def test_work_that_succeeds_is_none_of_the_guards_business(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    assert guard.run(ORDERS, "write", entry, 0, lambda: "done") == "done"
    assert state(ledger, entry) == "mapped"


def test_a_failure_that_may_pass_rests_and_counts(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    run(guard, entry, Retryable("Cin7 did not answer"))
    assert (state(ledger, entry), one(ledger, "select attempts from entry")) == ("retrying", 1)
    assert one(ledger, "select why from event where becomes = 'retrying'") == "Cin7 did not answer"
    assert delay_s(ledger, entry) <= BACKOFF_FIRST_S + 0.2


def test_the_wait_that_the_other_side_asks_for_is_kept_and_counts_not(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    run(guard, entry, Cin7Throttled("too many calls", delay_s=60), attempts=ATTEMPTS_MAX + 3)
    assert (state(ledger, entry), one(ledger, "select attempts from entry")) == ("retrying", 0)
    assert 59 < delay_s(ledger, entry) < 62


def test_credentials_that_are_refused_are_no_fault_of_the_entry(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    for error in (Cin7Denied("the key is refused"), Misconfigured("there are no credentials")):
        run(guard, entry, error, attempts=ATTEMPTS_MAX)
    assert (state(ledger, entry), one(ledger, "select attempts from entry")) == ("retrying", 0)
    assert delay_s(ledger, entry) > OPERATOR_DELAY_S - 5


def test_what_fails_too_often_is_held_with_its_last_words(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    run(guard, entry, Retryable("still no answer"), attempts=ATTEMPTS_MAX - 2)
    assert state(ledger, entry) == "retrying"
    run(guard, entry, Retryable("still no answer"), attempts=ATTEMPTS_MAX - 1)
    assert state(ledger, entry) == "held"
    code, message = ledger.rows("select code, message from finding")[0]
    assert code == "retries.exhausted"
    assert f"{ATTEMPTS_MAX} times" in message
    assert "still no answer" in message


def test_a_definite_no_is_held_at_once_in_the_targets_words(ledger: Ledger, guard: Guard, client: redis.Redis) -> None:
    entry = ready(ledger, "1")
    run(guard, entry, Cin7Refused(400, ["Supplier has no such term"]))
    assert ledger.rows("select code, value from finding") == [("target.refused", "Supplier has no such term")]
    assert list(dead_letters.resting(client, WRITE).values()) == [(entry,)]


def test_every_finding_of_a_hold_is_kept(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    run(guard, entry, Held([finding(value="1"), finding(value="2")]))
    assert one(ledger, "select count(*) from finding where open") == 2


def test_a_bug_holds_its_entry_and_names_itself(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    run(guard, entry, ZeroDivisionError("division by zero"))
    assert ledger.rows("select code, field from finding") == [("bug", "ZeroDivisionError")]


def test_who_lost_the_record_leaves_it_to_the_other(ledger: Ledger, guard: Guard) -> None:
    entry = ready(ledger, "1")
    run(guard, entry, LeaseLost("another worker has it"))
    assert state(ledger, entry) == "mapped"


def test_a_hold_stands_though_redis_cannot_take_its_letter(ledger: Ledger) -> None:
    entry = new(ledger, "1")
    Guard(ledger, redis_client("redis://127.0.0.1:1/0"), "mapper", 5).hold(ORDERS, "map", [entry], [finding()])
    assert state(ledger, entry) == "held"


def test_what_is_closed_is_not_held_and_gets_no_letter(ledger: Ledger, guard: Guard, client: redis.Redis) -> None:
    entry = ready(ledger, "1")
    samples.write(ledger, entry)
    guard.hold(ORDERS, "write", [entry], [finding()])
    assert state(ledger, entry) == "written"
    assert dead_letters.resting(client, WRITE) == {}


@pytest.mark.parametrize("attempts", [0, 1, 4, 9, 16, 500])
def test_the_wait_grows_to_a_bound_and_is_spread_over_its_whole_width(attempts: int) -> None:
    longest = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(attempts, 16))
    assert backoff_s(attempts, lambda: 0.0) == pytest.approx(0.1)
    assert backoff_s(attempts, lambda: 1.0) == pytest.approx(longest + 0.1)
    drawn = [backoff_s(attempts) for _ in range(200)]
    assert max(drawn) <= BACKOFF_MAX_S + 0.1
    assert min(drawn) < longest * 0.2 + 0.1
    assert max(drawn) > longest * 0.8


def test_a_change_is_made_once_the_ledger_is_back(ledger: Ledger) -> None:
    tries = iter([Retryable("away"), Retryable("still away"), None])

    def change(_: object) -> str:
        if error := next(tries):
            raise error
        return "done"

    assert persist(ledger, change) == "done"

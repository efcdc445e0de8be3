"""Reference data that several processes read for the first time at once: nobody decides by a part of it."""

import pytest

from shared.config.rules import Rules
from shared.errors import Retryable
from shared.queues.broker import redis_client
from tests.integration.suppliers.pair import Pair


@pytest.fixture
def pair(database_url: str, redis_url: str) -> Pair:
    return Pair(database_url, redis_client(redis_url))


def reads(pair: Pair) -> int:
    """Return how often Cin7's chart of accounts was read."""
    return sum("ref/account" in path for _, path in pair.calls.seen)


def test_rules_that_were_read_while_another_process_read_the_rest_are_whole(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair.parts.rules, pair._assembled().rules
    load = ours._load
    loads: list[object] = []

    def slow() -> tuple[Rules, set[tuple[str, str]]]:
        found = load()
        if not loads:
            theirs.get()
        loads.append(found)
        return found

    monkeypatch.setattr(ours, "_load", slow)
    found = ours.get().reference["main"]
    assert found.accounts
    assert found == theirs.get().reference["main"]
    assert reads(pair) == 1, "what another process has just read is good enough"


def test_what_cannot_be_read_for_the_first_time_is_asked_for_again_at_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = pair.parts.rules
    monkeypatch.setattr(pair.calls, "spoil", lambda _body: b"<html>")
    for _ in range(2):
        with pytest.raises(Retryable):
            rules.get()
    monkeypatch.setattr(pair.calls, "spoil", bytes)
    assert rules.get().reference["main"].accounts

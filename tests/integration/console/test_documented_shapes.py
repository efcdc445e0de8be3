"""The JSON examples of docs/commands.md have the keys that the commands print."""

from typing import Any

import pytest

from shared.ledger import backfills
from tests.integration.console.installation import Installation
from tests.unit.console.documented import examples, sections


def keys(document: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return the shape of a document: its keys, those of the first entry of a list, and no values."""
    if isinstance(document, dict):
        return {name: keys(value) for name, value in document.items() if name not in {"money", "calls"}}
    if isinstance(document, list):
        return [keys(document[0])] if document and isinstance(document[0], dict) else []
    return None


@pytest.fixture(name="done")
def done_fixture(site: Installation) -> Installation:
    assert site("poll")[0] == 0
    site.work()
    return site


def test_what_is_printed_has_the_keys_of_its_example(done: Installation) -> None:
    asked: dict[str, tuple[tuple[str, ...], int]] = {
        "poll": (("poll", "suppliers"), 0),
        "wait": (("wait",), 3),
        "causes": (("causes",), 0),
        "polls": (("polls",), 0),
        "holds list": (("holds",), 0),
        "holds replay": (("holds", "replay", "--cause", "tax.unmapped"), 0),
        "drain": (("drain", "write.suppliers"), 0),
        "links": (("links",), 0),
        "verify": (("verify",), 0),
        "reconcile": (("reconcile", "--period", "2025-06"), 3),
        "differences list": (("differences",), 0),
        "differences assign": (("differences", "assign", "1", "Ann"), 0),
        "differences accept": (("differences", "accept", "1", "--reason", "agreed"), 0),
        "differences reopen": (("differences", "reopen", "1", "--reason", "not so"), 0),
        "backfill": (("backfill", "purchase_orders", "--from", "2025-03-01", "--detach"), 0),
        "status": (("status",), 0),
    }
    with done.worker.ledger.transaction() as cur:
        backfills.resume(cur, "suppliers", None, None, actor="test")  # One that goes on, for the status.
    for name, (arguments, code) in asked.items():
        printed = done.json(*arguments, code=code)
        assert keys(printed) == keys(examples(sections()[name][1])[0]), name
    shown = done.json("differences", "show", "1")
    assert keys({name: value for name, value in shown.items() if name != "events"}) == keys(
        examples(sections()["differences list"][1])[0][0]
    )
    assert [event["becomes"] for event in shown["events"]] == ["open", "open", "accepted", "open"]
    printed = done.json("ledger", "show", "suppliers", "S000001")
    example = examples(sections()["ledger show"][1])[0]
    assert set(printed) == set(example)
    for part in ("record", "entries"):
        assert keys(printed[part]) == keys(example[part])

"""Whether Cin7 still calls our webhook is looked at now and then, told, and changed only where a setting says so."""

from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from producers.hook_watch import HookWatch
from shared.cin7.records.webhooks import SUPPLIER_UPDATED
from shared.cin7.registration import wanted
from shared.config.settings import Cin7Settings
from shared.ledger import webhooks
from shared.ledger.connection import Ledger
from shared.ledger.webhooks import Ours
from tests.contract.test_cin7_client import Served, served  # noqa: F401 - a fixture, found by name.

URL = "https://hooks.example.com/hooks/cin7/main"
SECRET = "correct-horse-battery"


class Watched:
    """One account whose webhook we registered, and a process that watches it."""

    def __init__(self, cin7: Served, ledger: Ledger) -> None:
        self.served = cin7
        self.ledger = ledger
        (made,) = cin7.cin7.create_webhook(wanted(URL, SECRET))
        self.id = made.id or ""
        with ledger.transaction() as cur:
            webhooks.keep(cur, "main", SUPPLIER_UPDATED, self.id, URL, datetime.now(UTC))

    def watch(self, **settings: Any) -> HookWatch:  # noqa: ANN401 - of the account
        accounts = {"main": Cin7Settings(**settings), "second": Cin7Settings()}
        return HookWatch(self.ledger, accounts, lambda _: self.served.cin7, lambda: SECRET)

    def look(self, **settings: Any) -> list[str]:  # noqa: ANN401 - as above
        self.ledger.rows("update webhook set look_due_at = now() returning 1")
        return self.watch(**settings).turn()

    def switch_off(self) -> None:
        self.served.sandbox.control("POST", "webhooks", {"webhook": {"ID": self.id, "IsActive": False}})

    def ours(self) -> Ours:
        with self.ledger.transaction() as cur:
            return webhooks.all_of(cur)[0]

    @property
    def there(self) -> dict[str, Any]:
        found: dict[str, Any] = self.served.sandbox.control("GET", "webhooks")["webhooks"][0]
        return found

    def calls(self) -> int:
        return len(self.served.sandbox.control("GET", "requests", path="webhooks")["requests"])


@pytest.fixture(name="watched")
def watched_fixture(served: Served, ledger: Ledger) -> Watched:  # noqa: F811
    return Watched(served, ledger)


def test_a_webhook_that_was_switched_off_is_recorded_told_once_and_left_off(watched: Watched) -> None:
    watched.switch_off()
    with structlog.testing.capture_logs() as logs:
        assert watched.look() == ["main"]
        first = watched.ours()
        assert watched.look() == ["main"]
    assert (watched.ours().state, watched.ours().since) == ("off", first.since)
    assert [line["event"].split(":")[0] for line in logs] == ["Cin7 has switched a webhook off"]
    assert watched.there["IsActive"] is False


def test_only_where_the_settings_say_so_it_is_switched_on_again_with_all_that_it_is(watched: Watched) -> None:
    headers = [{"Key": "X-Zone", "Value": "a"}]
    watched.served.sandbox.control("POST", "webhooks", {"webhook": {"ID": watched.id, "ExternalHeaders": headers}})
    watched.switch_off()
    watched.look(hooks_reactivate=True)
    assert watched.ours().state == "on"
    assert (watched.there["IsActive"], watched.there["ExternalBearerToken"]) == (True, SECRET)
    assert watched.there["ExternalHeaders"] == headers


def test_one_that_was_deleted_is_gone_and_one_that_is_back_on_is_on(watched: Watched) -> None:
    watched.switch_off()
    watched.look()
    watched.served.sandbox.control("POST", "webhooks", {"webhook": {"ID": watched.id, "IsActive": True}})
    watched.look()
    assert watched.ours().state == "on"
    watched.served.cin7.delete_webhook(watched.id)
    watched.look()
    assert watched.ours().state == "gone"


def test_looks_are_seldom_one_call_each_and_shared_by_all_processes(watched: Watched) -> None:
    before = watched.calls()
    assert watched.watch().turn() == ["main"]
    assert watched.watch().turn() == []
    assert watched.calls() == before + 1
    watched.ledger.rows("delete from webhook returning 1")
    assert watched.watch().turn() == []
    assert watched.calls() == before + 1


def test_a_look_that_fails_keeps_what_was_known_and_says_why(watched: Watched) -> None:
    watched.served.break_once("500", "webhooks")
    watched.look()
    assert (watched.ours().state, "500" in watched.ours().error) == ("on", True)
    watched.look()
    assert watched.ours().error == ""

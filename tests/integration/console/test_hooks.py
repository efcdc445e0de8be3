"""`connector hooks`: our webhook is set up, put right and taken away, and nobody else's is touched."""

import json
from typing import Any

import pytest

from tests.integration.console.installation import Installation, feed

SECRET = "correct-horse-battery"
URL = "https://hooks.example.com"
FULL = f"{URL}/hooks/cin7/main"


def account(site: Installation) -> str:
    """Return the id of the account that the settings call main."""
    return str(site.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"])


def store(site: Installation, monkeypatch: pytest.MonkeyPatch, secret: str = SECRET) -> None:
    feed(monkeypatch, json.dumps({"secret": secret}))
    assert site("credentials", "set", "hooks")[0] == 0


def listed(site: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.cin7.control("GET", "webhooks", account=account(site))["webhooks"]
    return found


def edit(site: Installation, **fields: object) -> dict[str, Any]:
    return site.cin7.control("POST", "webhooks", {"account": account(site), "webhook": fields})


def switch(site: Installation, **switches: object) -> None:
    site.cin7.control("POST", "switches", {"account": account(site), "switches": switches})


def register(site: Installation, *more: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
    return site.json("hooks", "register", "--account", "main", "--url", URL, *more, code=code)


def status(site: Installation, code: int = 0) -> dict[str, Any]:
    (found,) = site.json("hooks", "status", "--account", "main", code=code)
    assert isinstance(found, dict)
    return found


@pytest.fixture(name="ready")
def ready_fixture(site: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    store(site, monkeypatch)
    return site


def test_without_a_secret_nothing_is_registered(site: Installation) -> None:
    code, _, err = site("hooks", "register", "--url", URL)
    assert (code, "connector credentials set hooks" in err) == (5, True)
    assert listed(site) == []


def test_it_is_registered_once_with_the_secret_which_is_never_printed(ready: Installation) -> None:
    (made,) = register(ready)
    assert (made["outcome"], made["url"]) == ("created", FULL)
    (hook,) = listed(ready)
    assert (hook["ID"], hook["Type"], hook["IsActive"]) == (made["webhook_id"], "Supplier/Updated", True)
    assert (hook["ExternalURL"], hook["ExternalAuthorizationType"]) == (FULL, "bearerauth")
    assert hook["ExternalBearerToken"] == SECRET
    writes = ready.writes()
    (again,) = register(ready)
    assert (again["outcome"], again["webhook_id"], ready.writes()) == ("unchanged", made["webhook_id"], writes)
    code, out, err = ready("hooks", "register", "--account", "main", "--url", FULL)
    assert (code, "Unchanged" in out) == (0, True)
    assert SECRET not in out + err
    assert SECRET not in json.dumps([made, again, status(ready)])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"IsActive": False}, "switched off"),
        ({"ExternalURL": "https://old.example.com/hooks/cin7/main"}, "address"),
        ({"ExternalBearerToken": "somebody-elses-secret"}, "secret"),
        ({"ExternalAuthorizationType": "noauth"}, "authorization"),
    ],
)
def test_what_is_wrong_with_ours_is_put_right_and_what_a_person_added_is_kept(
    ready: Installation, change: dict[str, object], named: str
) -> None:
    (made,) = register(ready)
    edit(ready, ID=made["webhook_id"], ExternalHeaders=[{"Key": "X-Zone", "Value": "a"}], **change)
    (again,) = register(ready)
    assert (again["outcome"], again["changed"]) == ("repaired", [named])
    (hook,) = listed(ready)
    assert (hook["ID"], hook["ExternalURL"], hook["IsActive"]) == (made["webhook_id"], FULL, True)
    assert (hook["ExternalBearerToken"], hook["ExternalHeaders"]) == (SECRET, [{"Key": "X-Zone", "Value": "a"}])


def test_a_new_secret_or_address_is_brought_to_cin7_even_where_it_hides_what_it_has(
    ready: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(ready, webhook_secrets="empty")
    (made,) = register(ready)
    assert register(ready)[0]["outcome"] == "unchanged"
    store(ready, monkeypatch, "another-secret-of-ours")
    assert status(ready)["secret"] == "outdated"
    assert register(ready)[0]["changed"] == ["secret"]
    assert listed(ready)[0]["ExternalBearerToken"] == "another-secret-of-ours"
    assert status(ready)["secret"] == "current"
    moved = ready.json("hooks", "register", "--account", "main", "--url", "https://new.example.com/base/")
    assert (moved[0]["changed"], moved[0]["webhook_id"]) == (["address"], made["webhook_id"])
    assert listed(ready)[0]["ExternalURL"] == "https://new.example.com/base/hooks/cin7/main"


def test_nobody_elses_webhook_is_touched(ready: Installation) -> None:
    theirs = edit(
        ready,
        Type="Supplier/Updated",
        IsActive=False,
        ExternalURL="https://test.example.com/hooks/cin7/main",
        ExternalAuthorizationType="noauth",
    )
    register(ready)
    assert ready.json("hooks", "unregister", "--account", "main")[0]["outcome"] == "deleted"
    assert listed(ready) == [theirs]
    assert ready.json("hooks", "unregister", "--account", "main")[0]["outcome"] == "none"


def test_a_lost_answer_makes_no_second_webhook(ready: Installation) -> None:
    fault = {"kind": "drop", "method": "POST", "path": "webhooks", "times": 1, "after_commit": True}
    ready.cin7.control("POST", "faults", fault)
    (made,) = register(ready)
    assert [hook["ID"] for hook in listed(ready)] == [made["webhook_id"]]


def test_a_ledger_that_forgot_finds_its_webhook_by_the_address(ready: Installation) -> None:
    (made,) = register(ready)
    ready.worker.ledger.rows("delete from webhook returning 1")
    (again,) = register(ready)
    assert (again["outcome"], again["webhook_id"]) == ("unchanged", made["webhook_id"])
    assert len(listed(ready)) == 1


def test_one_that_was_set_up_by_hand_is_told_and_taken_over_on_request(ready: Installation) -> None:
    assert "lets it tell of them" in status(ready)["remedy"]
    by_hand = edit(
        ready,
        Type="Supplier/Updated",
        IsActive=True,
        ExternalURL=FULL,
        ExternalAuthorizationType="bearerauth",
        ExternalBearerToken=SECRET,
    )
    found = status(ready)
    assert (found["state"], FULL in found["remedy"]) == ("none", True)
    (taken,) = ready.json("hooks", "register", "--account", "main", "--url", FULL)
    assert (taken["webhook_id"], len(listed(ready))) == (by_hand["ID"], 1)
    assert status(ready)["state"] == "on"


def test_one_that_was_deleted_in_cin7_is_told_and_made_again(ready: Installation) -> None:
    (made,) = register(ready)
    ready.json("hooks", "unregister", "--account", "main")
    ready.worker.ledger.rows(
        "insert into webhook (account, type, id, url, secret_at) values ('main', 'Supplier/Updated', %s, %s, now()) "
        "returning 1",
        (made["webhook_id"], FULL),
    )
    assert status(ready, code=3)["state"] == "gone"
    (again,) = register(ready)
    assert (again["outcome"], len(listed(ready))) == ("created", 1)
    assert status(ready)["state"] == "on"


@pytest.mark.parametrize("style", ["400", "403", "page"])
def test_without_the_module_the_steps_for_a_person_are_told(ready: Installation, style: str) -> None:
    switch(ready, automation_module=style)
    (told,) = register(ready, code=3)
    assert (told["outcome"], told["webhook_id"]) == ("manual", "")
    assert any(FULL in step for step in told["steps"])
    assert SECRET not in json.dumps(told)
    code, out, _ = ready("hooks", "register", "--account", "main", "--url", URL)
    assert (code, "Automation module" in out) == (3, True)
    assert status(ready)["state"] == "unavailable"


def test_a_wrong_key_is_told_as_what_it_is(ready: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, json.dumps({"account_id": account(ready), "application_keys": ["wrong-key"]}))
    assert ready("credentials", "set", "cin7", "main")[0] == 0
    code, _, err = ready("hooks", "register", "--account", "main", "--url", URL)
    assert (code, "refused the credentials" in err) == (1, True)


def test_five_others_of_the_type_leave_no_room_and_that_is_said(ready: Installation) -> None:
    for number in range(5):
        edit(
            ready,
            Type="Supplier/Updated",
            IsActive=True,
            ExternalURL=f"https://x.example/{number}",
            ExternalAuthorizationType="noauth",
        )
    code, _, err = ready("hooks", "register", "--account", "main", "--url", URL)
    assert (code, "at most 5" in err) == (1, True)
    assert len(listed(ready)) == 5


def test_a_webhook_that_cin7_switched_off_shows_everywhere_and_stays_off(ready: Installation) -> None:
    (made,) = register(ready)
    assert status(ready)["state"] == "on"
    edit(ready, ID=made["webhook_id"], IsActive=False)
    found = status(ready, code=3)
    assert (found["state"], found["webhook_id"]) == ("off", made["webhook_id"])
    assert "connector hooks register" in found["remedy"]
    told = ready.json("status")
    assert [(hook["cin7_account"], hook["state"]) for hook in told["hooks"]] == [("main", "off")]
    assert any("connector hooks status" in remark for remark in told["remarks"])
    assert listed(ready)[0]["IsActive"] is False
    assert register(ready)[0]["changed"] == ["switched off"]
    assert status(ready)["state"] == "on"


def test_a_cin7_that_does_not_answer_leaves_what_was_known(ready: Installation) -> None:
    register(ready)
    ready.cin7.control("POST", "faults", {"kind": "503", "path": "webhooks"})
    found = status(ready, code=1)
    assert (found["state"], "503" in found["error"]) == ("on", True)


@pytest.mark.parametrize("url", ["hooks.example.com", "ftp://x", "http://hooks.example.com", "https://a@b.example", ""])
def test_an_address_that_cin7_cannot_or_should_not_call_is_refused(ready: Installation, url: str) -> None:
    assert ready("hooks", "register", "--url", url)[0] == 2
    assert listed(ready) == []


def test_every_account_gets_its_own_address(ready: Installation) -> None:
    accounts = list(ready.worker.settings.cin7)
    made = ready.json("hooks", "register", "--url", URL)
    assert [one["url"] for one in made] == [f"{URL}/hooks/cin7/{name}" for name in accounts]
    assert {one["outcome"] for one in made} == {"created"}
    code, _, err = ready("hooks", "register", "--url", URL, "--account", "mian")
    assert (code, "did you mean 'main'?" in err) == (2, True)

"""Which webhook is ours, and what has to be put right about it."""

import msgspec
import pytest

from shared.cin7.records.webhooks import Header, Webhook
from shared.cin7.registration import differences, ours_among, state_of, wanted

URL = "https://hooks.example.com/hooks/cin7/main"
SECRET = "correct-horse-battery"
OURS = msgspec.structs.replace(wanted(URL, SECRET), id="id-1")


def test_ours_is_the_one_with_the_known_id_whatever_its_address() -> None:
    moved = msgspec.structs.replace(OURS, external_url="https://elsewhere.example/")
    other = msgspec.structs.replace(OURS, id="id-2")
    assert ours_among([other, moved], "id-1", URL) is moved


def test_without_a_known_id_it_is_the_one_with_exactly_our_type_and_address() -> None:
    theirs = [
        msgspec.structs.replace(OURS, id="id-2", external_url=f"{URL}/"),
        msgspec.structs.replace(OURS, id="id-3", type="Purchase/Updated"),
        msgspec.structs.replace(OURS, id="id-4", external_url="https://test.example.com/hooks/cin7/main"),
    ]
    assert ours_among(theirs, "", URL) is None
    assert ours_among([*theirs, OURS], "gone", URL) is OURS


def test_of_two_with_our_address_the_active_one_is_ours() -> None:
    off = msgspec.structs.replace(OURS, id="id-0", is_active=False)
    assert ours_among([off, OURS], "", URL) is OURS


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, []),
        ({"is_active": False}, ["switched off"]),
        ({"external_url": "https://x.example"}, ["address"]),
        ({"external_authorization_type": "noauth"}, ["authorization"]),
        ({"external_bearer_token": "another"}, ["secret"]),
        ({"type": "Purchase/Updated", "is_active": False}, ["switched off", "type"]),
    ],
)
def test_whatever_differs_is_named(change: dict[str, object], named: list[str]) -> None:
    assert differences(msgspec.structs.replace(OURS, **change), URL, SECRET, secret_is_newer=False) == named


def test_a_secret_that_cin7_does_not_show_is_outdated_when_another_was_stored_since() -> None:
    hidden = msgspec.structs.replace(OURS, external_bearer_token="")
    assert differences(hidden, URL, SECRET, secret_is_newer=True) == ["secret"]
    assert differences(hidden, URL, SECRET, secret_is_newer=False) == []
    assert differences(OURS, URL, SECRET, secret_is_newer=True) == []


def test_headers_that_somebody_gave_ours_are_kept() -> None:
    before = msgspec.structs.replace(OURS, external_headers=(Header(key="X-Zone", value="a"),), is_active=False)
    again = wanted(URL, "new-secret-of-ours", before)
    assert (again.id, again.is_active, again.external_headers) == ("id-1", True, before.external_headers)


@pytest.mark.parametrize(
    ("there", "state"), [(None, "gone"), (OURS, "on"), (msgspec.structs.replace(OURS, is_active=False), "off")]
)
def test_a_webhook_is_on_off_or_gone(there: Webhook | None, state: str) -> None:
    assert state_of(there) == state


def test_nothing_of_a_webhook_shows_its_secret() -> None:
    assert SECRET not in repr(OURS)

"""How the client changes IFS, against the stand-in: exact ETags, lost answers, and what is sent at all."""

import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from shared.errors import Retryable
from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsConflict, IfsDenied, IfsExists, IfsRefused, IfsUnavailable
from shared.ifs.pages import Stored
from tests.contract.ifs_tenants import CLIENT, StandIn, stand_in, supplier

SERVICE, SET = "SupplierHandling", "SupplierInfoGeneralSet"
WHAT = f"{SERVICE}/{SET}"


@pytest.fixture
def tenant(redis_url: str) -> Iterator[StandIn]:
    with stand_in(redis_url) as tenant:
        tenant.seed({SET: [supplier("S'1/2")]})
        yield tenant


def at(client: IfsClient, key: str = "S'1/2") -> str:
    return client.address(SERVICE, SET, [("SupplierId", key)])


def read(client: IfsClient, key: str = "S'1/2") -> Stored:
    found = client.by_key(at(client, key), what=WHAT)
    assert found is not None
    return found


def patch(client: IfsClient, etag: str, **values: object) -> Stored | None:
    return client.patch(at(client), values or {"Name": "Baltic Timber"}, etag=etag, what=WHAT)


def writes(tenant: StandIn) -> list[dict[str, Any]]:
    return [call for call in tenant.calls() if call["method"] != "GET"]


def test_a_row_comes_with_the_etag_that_changes_it(tenant: StandIn) -> None:
    client = tenant.client()
    before = read(client)
    assert before.values["Name"] == "Supplier S'1/2"
    after = patch(client, before.etag)
    assert after is not None
    assert after.values["Name"] == "Baltic Timber"
    assert read(client) == after
    assert [call["if_match"] for call in writes(tenant)] == [before.etag]


def test_a_row_that_is_not_there_is_none_and_a_service_that_is_not_is_an_error(tenant: StandIn) -> None:
    client = tenant.client()
    assert client.by_key(at(client, "NOBODY"), what=WHAT) is None
    with pytest.raises(IfsRefused) as refusal:
        client.by_key(client.address("Nowhere", SET, [("SupplierId", "S1")]), what=WHAT)
    assert refusal.value.status == 404


@pytest.mark.parametrize("form", ["412", "20114"])
def test_a_stale_etag_is_a_conflict_and_changes_nothing(tenant: StandIn, form: str) -> None:
    tenant.control("POST", "switches", {"stale_match": form})
    client = tenant.client()
    before = read(client)
    tenant.control("POST", "clock", {"advance_s": 2})
    patch(client, before.etag)
    with pytest.raises(IfsConflict):
        patch(client, before.etag, Name="Somebody else's")
    assert read(client).values["Name"] == "Baltic Timber"


@pytest.mark.parametrize("etag", ["*", ""])
def test_nothing_is_ever_changed_without_an_exact_etag(tenant: StandIn, etag: str) -> None:
    client = tenant.client()
    with pytest.raises(ValueError, match="exact ETag"):
        patch(client, etag)
    assert writes(tenant) == []


@pytest.mark.parametrize("name", ["Objstate", "@odata.etag", "luname"])
def test_what_ifs_keeps_itself_is_not_sent_back(tenant: StandIn, name: str) -> None:
    client = tenant.client()
    with pytest.raises(ValueError, match="keeps"):
        patch(client, read(client).etag, **{name: "x"})
    assert writes(tenant) == []


def test_a_change_answered_with_204_is_none_and_made(tenant: StandIn) -> None:
    tenant.control("POST", "switches", {"patch_answer": 204})
    client = tenant.client()
    assert patch(client, read(client).etag) is None
    assert read(client).values["Name"] == "Baltic Timber"


def test_a_row_is_created_once(tenant: StandIn) -> None:
    client = tenant.client()
    values = {"SupplierId": "S900", "Name": "Baltic Timber", "PartyType": "Supplier"}
    created = client.post(client.address(SERVICE, SET), values, what=WHAT)
    assert created is not None
    assert created.values["SupplierId"] == "S900"
    assert created == read(client, "S900")
    with pytest.raises(IfsExists):
        client.post(client.address(SERVICE, SET), values, what=WHAT)


def test_a_change_that_comes_late_meets_a_newer_etag(tenant: StandIn) -> None:
    """What IFS executes after we gave it up, and sent it again, changes nothing more."""
    client = tenant.client()
    client.call_s_max = 0.3
    etag = read(client).etag
    tenant.control("POST", "faults", {"kind": "slow", "delay_s": 1, "method": "PATCH"})
    with pytest.raises(Retryable):
        patch(client, etag)
    tenant.control("POST", "clock", {"advance_s": 2})
    patch(client, read(client).etag, Name="The second time")
    time.sleep(1)
    assert [call["status"] for call in writes(tenant)] == [412, 200]
    assert read(client).values["Name"] == "The second time"


@pytest.mark.parametrize(("kind", "happened"), [("drop_before", False), ("drop_after", True)])
def test_a_lost_answer_says_that_it_may_have_happened(tenant: StandIn, kind: str, happened: bool) -> None:
    client = tenant.client()
    etag = read(client).etag
    tenant.control("POST", "faults", {"kind": kind, "method": "PATCH"})
    with pytest.raises(Retryable) as lost:
        patch(client, etag)
    assert lost.value.executed is True
    assert len(writes(tenant)) == 1, "it is not sent again here"
    assert (read(tenant.client()).values["Name"] == "Baltic Timber") is happened


@pytest.mark.parametrize("kind", ["ora", "502", "503", "timeout"])
def test_a_failure_of_the_server_may_have_happened(tenant: StandIn, kind: str) -> None:
    client = tenant.client()
    etag = read(client).etag
    tenant.control("POST", "faults", {"kind": kind, "method": "PATCH"})
    with pytest.raises(IfsUnavailable) as failure:
        patch(client, etag)
    assert failure.value.executed is True
    assert len(writes(tenant)) == 1


@pytest.mark.parametrize("kind", ["modified", "unauthorized"])
def test_what_certainly_did_not_happen_is_sent_once_more(tenant: StandIn, kind: str) -> None:
    client = tenant.client()
    etag = read(client).etag
    tenant.control("POST", "faults", {"kind": kind, "method": "PATCH"})
    after = patch(client, etag)
    assert after is not None
    assert after.values["Name"] == "Baltic Timber"
    assert len(writes(tenant)) == 2


def test_a_throttled_change_certainly_did_not_happen(tenant: StandIn) -> None:
    client = tenant.client()
    etag = read(client).etag
    tenant.control("POST", "faults", {"kind": "429", "retry_after": 1, "method": "PATCH"})
    with pytest.raises(Retryable) as refusal:
        patch(client, etag)
    assert refusal.value.executed is False


def test_a_refusal_carries_the_rule_in_ifs_words(tenant: StandIn) -> None:
    client = tenant.client()
    with pytest.raises(IfsRefused, match="must have a value") as refusal:
        patch(client, read(client).etag, Name=None)
    assert (refusal.value.status, refusal.value.code) == (400, "DATABASE_ERROR")


def test_a_change_that_is_not_granted_is_the_operators(tenant: StandIn) -> None:
    tenant.seed({SET: [supplier("S1")]}, clients=[{**CLIENT, "services": ["PurchaseOrderHandling"]}])
    client = tenant.client()
    with pytest.raises(IfsDenied, match="grant it"):
        client.patch(at(client, "S1"), {"Name": "x"}, etag='W/"x"', what=WHAT)


def test_a_call_is_made_with_the_slot_that_was_taken_for_it(tenant: StandIn) -> None:
    client = tenant.client()
    etag = read(client).etag
    used = client.budget.used()[0].used
    slot = client.budget.take("live", early=True)
    client.patch(at(client), {"Name": "Baltic Timber"}, etag=etag, what=WHAT, slot=slot)
    assert client.budget.used()[0].used == used + 1


def test_a_change_is_over_within_its_time(tenant: StandIn) -> None:
    client = tenant.client()
    client.call_s_max = 0.5
    etag = read(client).etag
    tenant.control("POST", "faults", {"kind": "slow", "delay_s": 2, "method": "PATCH"})
    with pytest.raises(Retryable, match="did not complete") as lost:
        patch(client, etag)
    assert lost.value.executed is True


def test_amounts_are_sent_as_numbers_digit_for_digit(tenant: StandIn) -> None:
    sent: list[bytes] = []

    client = tenant.client()
    real = client._http.send

    def spy(method: str, url: str, **more: Any) -> Any:  # noqa: ANN401 - what Http takes and gives.
        if method == "PATCH":
            sent.append(more["content"])
        return real(method, url, **more)

    client._http.send = spy  # type: ignore[method-assign]
    values: Mapping[str, object] = {"Name": "x", "Rate": Decimal("0.10")}
    with pytest.raises(IfsRefused):
        client.patch(at(client), values, etag=read(client).etag, what=WHAT)
    assert sent == [b'{"Name":"x","Rate":0.10}']

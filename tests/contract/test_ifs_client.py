"""The IFS client against the stand-in: tokens, errors, limits and what it must never do."""

from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.config.credentials import IfsCredentials
from shared.config.encryption import Cipher
from shared.errors import Retryable
from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsDenied, IfsRefused, IfsThrottled, IfsUnavailable
from tests.contract.ifs_tenants import CIPHER, CLIENT, StandIn, order, stand_in

SET = "PurchaseOrderHandling/PurchaseOrderSet"
TOKEN = "ifs:token:????????????????"


@pytest.fixture
def tenant(redis_url: str) -> Iterator[StandIn]:
    with stand_in(redis_url) as tenant:
        tenant.seed({"PurchaseOrderSet": [order(1001)]})
        yield tenant


def read(client: IfsClient, query: str = "$top=1") -> int:
    address = f"{client.root('PurchaseOrderHandling')}/PurchaseOrderSet?{query}"
    return len(client.page(address, what=SET, lane="live").rows)


def tokens_asked(tenant: StandIn) -> int:
    return len([call for call in tenant.control("GET", "requests") if "/auth/" in call["path"]])


def test_one_token_serves_all_processes_and_lies_encrypted_in_redis(tenant: StandIn) -> None:
    assert [read(tenant.client()) for _ in range(3)] == [1, 1, 1]
    assert tokens_asked(tenant) == 1
    (name,) = tenant.redis.keys(TOKEN)
    kept = tenant.redis.get(name)
    assert isinstance(kept, bytes)
    plain = CIPHER.decrypt(kept, b"token:ifs")
    assert plain[10:30] not in kept
    assert 140_000 < int(tenant.redis.pttl(name)) <= 150_000, "180 s less a margin of 30"


def test_a_token_is_refreshed_before_the_tenant_forgets_it(tenant: StandIn) -> None:
    client = tenant.client(token_refresh_s=50)
    read(client)
    (name,) = tenant.redis.keys(TOKEN)
    assert int(tenant.redis.pttl(name)) <= 50_000


def test_a_refused_token_is_replaced_and_the_call_made_once_more(tenant: StandIn) -> None:
    first, second = tenant.client(), tenant.client()
    read(first)
    read(second)
    tenant.control("POST", "tokens", {"revoke": True})
    assert (read(first), read(second)) == (1, 1)
    assert tokens_asked(tenant) == 2, "the second took over what the first got"


def test_a_token_refused_twice_is_a_sentence(tenant: StandIn) -> None:
    client = tenant.client()
    tenant.control("POST", "faults", {"kind": "unauthorized", "times": 2, "path": "PurchaseOrderSet"})
    with pytest.raises(IfsDenied, match="connector credentials set ifs"):
        read(client)
    assert len(tenant.calls()) == 2


def test_a_token_sealed_with_another_key_is_replaced(tenant: StandIn) -> None:
    read(tenant.client())
    other = Cipher([b"k" * 32])
    client = IfsClient(tenant.settings, IfsCredentials(**CLIENT), tenant.redis, tenant.client().budget, other)
    assert read(client) == 1
    client.close()


def test_without_redis_a_process_has_a_token_of_its_own(tenant: StandIn) -> None:
    nowhere = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    budget = tenant.client().budget
    client = IfsClient(tenant.settings, IfsCredentials(**CLIENT), nowhere, budget, CIPHER)
    assert [read(client), read(client)] == [1, 1]
    assert tokens_asked(tenant) == 1
    client.close()


@pytest.mark.parametrize(
    ("changes", "settings", "named"),
    [
        ({"client_secret": "not-the-secret-4711"}, {}, "secret"),
        ({}, {"realm": "nowhere"}, "realm"),
        ({}, {"scope": "bad"}, "scope"),
    ],
)
def test_a_refused_token_names_the_remedy_and_no_secret(
    tenant: StandIn, changes: dict[str, str], settings: dict[str, str], named: str
) -> None:
    credentials = {**CLIENT, **changes}
    client = tenant.client(credentials=IfsCredentials(**credentials), **settings)
    with pytest.raises(IfsDenied, match=named) as refusal:
        read(client)
    assert credentials["client_secret"] not in str(refusal.value)


def test_replaced_metadata_is_asked_again_once(tenant: StandIn) -> None:
    client = tenant.client()
    tenant.control("POST", "faults", {"kind": "modified", "path": "PurchaseOrderSet"})
    assert read(client) == 1
    tenant.control("POST", "faults", {"kind": "modified", "times": 2, "path": "PurchaseOrderSet"})
    with pytest.raises(IfsUnavailable) as failure:
        read(client)
    assert failure.value.executed is False


@pytest.mark.parametrize(("retry_after", "delay_s"), [(7, 7), ("date:7", 7), ("7 Seconds", 7), (None, None)])
def test_a_throttled_call_says_how_long_to_wait(tenant: StandIn, retry_after: object, delay_s: float | None) -> None:
    client = tenant.client()
    tenant.control("POST", "faults", {"kind": "429", "retry_after": retry_after})
    with pytest.raises(IfsThrottled) as refusal:
        read(client)
    assert refusal.value.delay_s == pytest.approx(delay_s, abs=1.1) if delay_s else refusal.value.delay_s is None
    assert refusal.value.executed is False
    (use,) = client.budget.used()
    assert use.closed_s > 3, "no process calls meanwhile"


@pytest.mark.parametrize("kind", ["ora", "502", "503", "timeout", "drop_before", "drop_after", "slow"])
def test_a_failure_is_not_repeated_here(tenant: StandIn, kind: str) -> None:
    client = tenant.client(read_timeout_s=1)
    read(client)
    tenant.forget_calls()
    tenant.control("POST", "faults", {"kind": kind, "delay_s": 2})
    with pytest.raises(Retryable):
        read(client)
    assert len(tenant.calls()) == 1


def test_a_projection_that_is_not_granted_is_named_with_the_remedy(tenant: StandIn) -> None:
    client = {**CLIENT, "services": ["SupplierHandling"]}
    tenant.seed({"PurchaseOrderSet": [order(1001)]}, clients=[client])
    with pytest.raises(IfsDenied, match="PurchaseOrderHandling/PurchaseOrderSet: grant it"):
        read(tenant.client())


def test_a_refusal_carries_the_tenants_words(tenant: StandIn) -> None:
    with pytest.raises(IfsRefused) as refusal:
        read(tenant.client(), "$filter=Nothing%20eq%201")
    assert (refusal.value.status, refusal.value.code) == (400, "EXPRESSION_PROPERTY_NOT_IN_TYPE")


def test_no_cookie_is_kept(tenant: StandIn) -> None:
    tenant.control("POST", "switches", {"csrf": True})
    client = tenant.client()
    assert [read(client), read(client)] == [1, 1]


def test_metadata_is_read_once_and_shows_every_property(tenant: StandIn) -> None:
    client = tenant.client()
    found = client.metadata("PurchaseOrderHandling", lane="live")
    assert found["PurchaseOrderSet"]["ChangeDate"] == "Edm.DateTimeOffset"
    assert found["PurchaseOrderSet"]["Company"] == "Edm.String"
    assert client.metadata("PurchaseOrderHandling", lane="live") is found
    assert len(tenant.calls()) == 1

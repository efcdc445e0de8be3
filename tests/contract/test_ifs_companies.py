"""Finance records are read company by company: every query names its company, and each has a watermark of its own."""

from collections.abc import Iterator, Sequence

import pytest

from shared.config.settings import StreamSettings
from shared.ifs import reading, slicing
from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsRefused
from shared.ifs.records.supplier_invoices import SOURCE
from shared.pulled import Batch
from tests.contract.ifs_tenants import StandIn, stand_in
from tests.contract.test_ifs_invoices import invoices

SET = "ManSuppInvoiceSet"
SWEEP = StreamSettings(strategy="sweep")
KEYS = [(company, number) for company in ("10", "20", "30") for number in (1, 2, 3)]


@pytest.fixture
def tenant(redis_url: str) -> Iterator[StandIn]:
    with stand_in(redis_url) as tenant:
        tenant.seed(invoices(KEYS))
        yield tenant


def pull(
    client: IfsClient,
    watermark: str | None = None,
    *,
    companies: Sequence[str] = ("10", "20"),
    stream: StreamSettings = SWEEP,
    stop_after: int = 0,
) -> list[Batch]:
    def read(of: StreamSettings, since: str | None) -> Iterator[Batch]:
        return reading.changed(
            client,
            SOURCE,
            of,
            client.settings,
            watermark=since,
            admit=lambda _: True,
            known=lambda _: set(),
            lane="live",
        )

    found: list[Batch] = []
    bound = SOURCE.bound(stream)
    for batch in slicing.by_company(client, bound, stream, companies=companies, watermark=watermark, read=read):
        found.append(batch)
        if len(found) == stop_after:
            break
    return found


def keys(batches: Sequence[Batch]) -> list[str]:
    return [document.key for batch in batches for document in batch.documents]


def filters(tenant: StandIn) -> list[str]:
    return [call["query"].get("$filter", "") for call in tenant.calls(SET)]


def test_every_query_names_its_company_and_those_of_others_are_noticed(tenant: StandIn) -> None:
    found = pull(tenant.client())
    assert sorted(keys(found)) == [f"{company}/{number}" for company, number in KEYS]
    assert all("Company eq '" in one for one in filters(tenant))
    assert found[0].filter == "Company eq '10'; Company eq '20'; not (Company eq '10' or Company eq '20')"


def test_the_settings_own_filter_goes_into_every_query(tenant: StandIn) -> None:
    found = pull(tenant.client(), stream=StreamSettings(strategy="sweep", filter="InvoiceId gt 1"))
    assert len(keys(found)) == 6
    assert all("InvoiceId gt 1" in one for one in filters(tenant))


def test_a_read_that_was_interrupted_goes_on_in_the_company_where_it_was(tenant: StandIn) -> None:
    client = tenant.client(page_size=2)
    everything = keys(pull(client))
    for stop_after in range(1, 6):
        first = pull(client, stop_after=stop_after)
        rest = pull(client, first[-1].reached)
        assert {*keys(first), *keys(rest)} == set(everything)


def test_a_company_that_is_newly_known_is_read_from_its_first_record(tenant: StandIn) -> None:
    client = tenant.client()
    stamped = StreamSettings(modified_field="InvoiceDate")
    first = pull(client, stream=stamped)
    assert keys(pull(client, first[-1].reached, stream=stamped, companies=("10", "20", "30")))[-3:] == [
        "30/1",
        "30/2",
        "30/3",
    ]


def test_a_tenant_that_does_not_let_other_companies_be_asked_for_shows_ours(tenant: StandIn) -> None:
    refusal = {"kind": "answer", "status": 400, "body": '{"error":{"code":"ODP_UNSUPPORTED_URL"}}', "path": "not [(]"}
    tenant.control("POST", "faults", {**refusal, "times": 9})
    client = tenant.client()
    assert sorted(keys(pull(client))) == ["10/1", "10/2", "10/3", "20/1", "20/2", "20/3"]
    tenant.forget_calls()
    pull(client)
    assert not [one for one in filters(tenant) if one.startswith("not")], "it is not asked again for a while"


def test_a_refusal_of_our_own_companies_is_an_error(tenant: StandIn) -> None:
    tenant.control("POST", "faults", {"kind": "answer", "status": 400, "body": "{}", "path": SET})
    with pytest.raises(IfsRefused):
        pull(tenant.client())

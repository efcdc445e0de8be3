"""Documents whose key has two parts: read in pages, by key, and with the children of many at once."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from shared.config.settings import StreamSettings
from shared.ifs import documents, reading
from shared.ifs.records.supplier_invoices import SOURCE, InvoiceDocument
from tests.contract.ifs_tenants import Poll, StandIn, stand_in

SWEEP = StreamSettings(strategy="sweep")


@pytest.fixture
def tenant(redis_url: str) -> Iterator[StandIn]:
    with stand_in(redis_url) as tenant:
        yield tenant


def header(company: str, number: int, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "Company": company,
        "InvoiceId": number,
        "Identity": "S1",
        "PartyType": "Supplier",
        "InvoiceNo": f"NF-{number}",
        "InvoiceDate": "2026-03-21",
        "DueDate": "2026-04-20",
        "Currency": "EUR",
        "NetCurrAmount": 46.1,
        "VatCurrAmount": 9.22,
        "Objstate": "Posted",
    }
    return row | changes


def item(company: str, number: int, place: int) -> dict[str, object]:
    key: dict[str, object] = {"Company": company, "InvoiceId": number, "ItemId": place}
    return key | {"NetCurrAmount": 46.1, "VatCurrAmount": 9.22, "Description": f"{company} {number} {place}"}


def posting(company: str, number: int, place: int) -> dict[str, object]:
    key: dict[str, object] = {"Company": company, "InvoiceId": number, "RowId": place}
    return key | {"CodeA": "4010", "CurrAmount": 46.1, "PostingType": "M4", "ItemId": place}


def invoices(keys: list[tuple[str, int]], items: int = 1) -> dict[str, list[dict[str, object]]]:
    places = [(company, number, place + 1) for company, number in keys for place in range(items)]
    return {
        "ManSuppInvoiceSet": [header(company, number) for company, number in keys],
        "ManSuppInvoiceItemSet": [item(*place) for place in places],
        "ManSuppInvoicePostingsSet": [posting(*place) for place in places],
    }


def decoded(raw: bytes) -> InvoiceDocument:
    read = documents.decode(SOURCE.bound(SWEEP), raw)
    assert isinstance(read, InvoiceDocument), read
    return read


#: The numbers of one company lie close together, and the other's are the same.
DENSE = [(company, 70_000 + number) for company in ("10", "20") for number in range(130)]
SPARSE = [("10", 1000 * number) for number in range(1, 80)]


@pytest.mark.parametrize("keys", [DENSE, SPARSE], ids=["dense", "sparse"])
def test_every_invoice_is_read_once_and_whole_and_none_gets_the_items_of_another(
    tenant: StandIn, keys: list[tuple[str, int]]
) -> None:
    tenant.seed(invoices(keys, items=2))
    poll = Poll(tenant.client(page_size=50), SOURCE, SWEEP)
    assert poll.keys == [f"{company}/{number}" for company, number in keys]
    for document, (company, number) in zip(poll.documents, keys, strict=True):
        read = decoded(document.raw)
        assert [row.description for row in read.items] == [f"{company} {number} {place}" for place in (1, 2)]
        assert [(row.company, row.invoice_id, row.row_id) for row in read.postings] == [
            (company, number, 1),
            (company, number, 2),
        ]
    assert decoded(poll.documents[0].raw).header.net_curr_amount == Decimal("46.1")


def test_children_are_asked_for_one_company_at_a_time(tenant: StandIn) -> None:
    tenant.seed(invoices(DENSE))
    Poll(tenant.client(), SOURCE, SWEEP)
    asked = [call["query"]["$filter"] for call in tenant.calls("ManSuppInvoiceItemSet")]
    assert all(condition.count("Company eq") == 1 for condition in asked if "and (Company" not in condition)
    assert len(asked) <= 4, "numbers that lie close together are one range"


def test_invoices_are_read_by_their_whole_key(tenant: StandIn) -> None:
    tenant.seed(invoices(DENSE))
    wanted = ["10/70021", "20/70005", "30/70005", "10/99999", "10", "10/x"]
    found = reading.read_by_key(tenant.client(), SOURCE, SWEEP, wanted, lane="live")
    assert sorted(found) == ["10/70021", "20/70005"]
    assert [row.description for row in decoded(found["20/70005"].raw).items] == ["20 70005 1"]


def test_an_interrupted_read_goes_on_in_the_middle_of_a_company(tenant: StandIn) -> None:
    tenant.seed(invoices(DENSE))
    client = tenant.client(page_size=50)
    batches = reading.changed(
        client,
        SOURCE,
        SWEEP,
        client.settings,
        watermark=None,
        admit=lambda _row: True,
        known=lambda _: set(),
        lane="live",
    )
    first = next(batches)
    rest = Poll(tenant.client(page_size=50), SOURCE, SWEEP, first.reached)
    read = [document.key for document in first.documents] + rest.keys
    assert read == [f"{company}/{number}" for company, number in DENSE]


def test_a_change_in_the_history_log_leads_to_its_invoice(tenant: StandIn) -> None:
    tenant.seed(invoices(DENSE), switches={"history": True})
    client = tenant.client()
    change = {"Company": "20", "InvoiceId": 70_005, "ItemId": 1, "Description": "corrected"}
    tenant.control("POST", "rows", {"set": "ManSuppInvoiceItemSet", "patch": [change]})
    log = StreamSettings(strategy="history")
    first = Poll(client, SOURCE, log)
    change["Description"] = "corrected again"
    tenant.control("POST", "rows", {"set": "ManSuppInvoiceItemSet", "patch": [change]})
    second = Poll(client, SOURCE, log, first.watermark)
    assert second.keys == ["20/70005"]


def test_without_a_stamp_or_a_log_everything_is_read(tenant: StandIn) -> None:
    tenant.seed(invoices(SPARSE))
    client = tenant.client()
    first = Poll(client, SOURCE)
    assert len(Poll(client, SOURCE, watermark=first.watermark).keys) == len(SPARSE)

"""Vouchers read from rows: whole whatever the pages, company by company, and changed ones found again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from shared.config.settings import StreamSettings
from shared.errors import Misconfigured
from shared.ifs import grouped
from shared.ifs.client import IfsClient
from shared.ifs.cursors import read_cursor
from shared.ifs.documents import decode
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.records.journals import SOURCE
from shared.pulled import Batch
from tests.contract.ifs_tenants import CLIENT, StandIn, stand_in

SET = "VoucherRowSet"
BY_DAY = StreamSettings(modified_field="EntryDate")
Row = dict[str, object]


@pytest.fixture
def tenant(redis_url: str) -> Iterator[StandIn]:
    with stand_in(redis_url) as tenant:
        tenant.seed({SET: rows()})
        yield tenant


def voucher(number: int, size: int, company: str = "10", day: str = "2026-03-20", kind: str = "I") -> list[Row]:
    key = {"Company": company, "AccountingYear": 2026, "VoucherType": kind, "VoucherNo": number}
    said = {"VoucherDate": "2026-03-19", "EntryDate": day, "Account": "4010", "DebetAmount": 1}
    return [{**key, "RowNo": place, **said} for place in range(1, size + 1)]


def rows() -> list[Row]:
    """Vouchers of several companies, with the same number in more than one of them, and in more than one series."""
    return [
        *voucher(1, 2),
        *voucher(2, 5),
        *voucher(3, 1),
        *voucher(1, 2, kind="M"),
        *voucher(1, 3, company="20"),
        *voucher(7, 2, company="30"),
    ]


KEYS = ["10/2026/I/1", "10/2026/I/2", "10/2026/I/3", "10/2026/M/1", "20/2026/I/1", "30/2026/I/7"]


class Pull:
    """One pull to its end."""

    def __init__(
        self,
        client: IfsClient,
        stream: StreamSettings | None = None,
        watermark: str | None = None,
        *,
        companies: Sequence[str] = ("10", "20"),
        stop_after: int = 0,
    ) -> None:
        self.batches: list[Batch] = []
        for batch in grouped.changed(
            client,
            SOURCE,
            stream or StreamSettings(),
            client.settings,
            companies=companies,
            watermark=watermark,
            admit=lambda _row: True,
            lane="live",
        ):
            self.batches.append(batch)
            if len(self.batches) == stop_after:
                break
        self.watermark = self.batches[-1].reached
        self.documents = [document for batch in self.batches for document in batch.documents]
        self.keys = [document.key for document in self.documents]
        self.sizes = {document.key: len(decoded(document.raw).rows) for document in self.documents}


def decoded(raw: bytes) -> Any:  # noqa: ANN401 - a document, or the findings that say why there is none.
    return decode(SOURCE.bound(StreamSettings()), raw)


def filters(tenant: StandIn) -> list[str]:
    return [call["query"].get("$filter", "") for call in tenant.calls(SET)]


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 100])
def test_vouchers_are_whole_however_their_rows_are_paged(tenant: StandIn, page_size: int) -> None:
    pull = Pull(tenant.client(page_size=page_size))
    assert sorted(pull.keys) == KEYS
    assert pull.sizes == dict(zip(KEYS, (2, 5, 1, 2, 3, 2), strict=True))
    assert sum(batch.rows for batch in pull.batches) == 15


@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_vouchers_are_whole_where_the_server_links_its_pages(tenant: StandIn, form: str) -> None:
    tenant.control("POST", "switches", {"paging": "next_link", "next_link_rows": 4, "next_link_form": form})
    assert sorted(Pull(tenant.client()).keys) == KEYS


def test_every_query_names_its_company_and_those_of_others_are_noticed(tenant: StandIn) -> None:
    pull = Pull(tenant.client(page_size=3))
    asked = filters(tenant)
    assert all("Company eq '" in one for one in asked)
    assert {"Company eq '10'", "Company eq '20'", "not (Company eq '10' or Company eq '20')"} <= set(asked)
    assert "30/2026/I/7" in pull.keys
    assert pull.batches[0].filter == "Company eq '10'; Company eq '20'; not (Company eq '10' or Company eq '20')"


def test_a_tenant_that_does_not_let_other_companies_be_asked_for_shows_ours(tenant: StandIn) -> None:
    refusal = {"kind": "answer", "status": 400, "body": '{"error":{"code":"ODP_UNSUPPORTED_URL"}}', "path": "not [(]"}
    tenant.control("POST", "faults", {**refusal, "times": 9})
    client = tenant.client()
    assert "30/2026/I/7" not in Pull(client).keys
    tenant.forget_calls()
    Pull(client)
    assert not [one for one in filters(tenant) if one.startswith("not")], "it is not asked again for a while"


def test_a_refusal_of_our_own_companies_is_an_error(tenant: StandIn) -> None:
    tenant.control("POST", "faults", {"kind": "answer", "status": 400, "body": "{}", "path": SET})
    with pytest.raises(IfsRefused):
        Pull(tenant.client())


def test_a_set_that_is_not_served_is_an_error(tenant: StandIn) -> None:
    tenant.seed({SET: rows()}, clients=[{**CLIENT, "services": ["PurchaseOrderHandling"]}])
    with pytest.raises(IfsDenied):
        Pull(tenant.client())


def test_a_voucher_that_was_posted_while_it_was_read_is_not_seen_in_half(tenant: StandIn) -> None:
    gone = [{name: row[name] for name in (*KEY, "RowNo")} for row in voucher(2, 5)]
    edit = {"kind": "edit", "path": SET, "edits": [{"set": SET, "delete": gone}]}
    tenant.control("POST", "faults", edit)
    pull = Pull(tenant.client(page_size=4))
    assert "10/2026/I/2" not in pull.keys
    assert sorted(pull.keys) == [key for key in KEYS if key != "10/2026/I/2"]


KEY = ("Company", "AccountingYear", "VoucherType", "VoucherNo")


def test_a_full_read_that_was_interrupted_goes_on_at_a_whole_voucher(tenant: StandIn) -> None:
    client = tenant.client(page_size=4)
    for stop_after in range(1, 6):
        first = Pull(client, stop_after=stop_after)
        if (cursor := read_cursor(first.watermark, "sweep")) is None or cursor.scan is None:
            break
        rest = Pull(client, watermark=first.watermark)
        assert sorted({*first.keys, *rest.keys}) == KEYS
        assert rest.sizes.items() <= dict(zip(KEYS, (2, 5, 1, 2, 3, 2), strict=True)).items()
    assert stop_after > 2


def test_a_full_read_whose_company_is_no_longer_known_begins_anew(tenant: StandIn) -> None:
    client = tenant.client(page_size=2)
    first = Pull(client, stop_after=1, companies=["10", "20"])
    assert sorted(Pull(client, watermark=first.watermark, companies=["20"]).keys) == KEYS


def test_vouchers_are_read_by_key_with_one_call_for_many(tenant: StandIn) -> None:
    client = tenant.client()
    found = grouped.read_by_key(client, SOURCE, StreamSettings(), [*KEYS[:3], "10/2026/I/99", "no key"], lane="live")
    assert sorted(found) == KEYS[:3]
    assert len(decoded(found["10/2026/I/2"].raw).rows) == 5
    assert all("VoucherNo eq 1 or VoucherNo eq 2 or VoucherNo eq 3" in one for one in filters(tenant))


def test_numbers_that_come_as_texts_page_like_numbers(tenant: StandIn) -> None:
    client = tenant.client(page_size=2)
    real = client._http.send

    def as_texts(method: str, url: str, *, headers: Mapping[str, str], **more: Any) -> Any:  # noqa: ANN401 - passed on
        accept = {"accept": "application/json;IEEE754Compatible=true"}
        return real(method, url, headers={**headers, **accept} if method == "GET" else headers, **more)

    client._http.send = as_texts  # type: ignore[method-assign]
    pull = Pull(client)
    assert sorted(pull.keys) == KEYS
    assert pull.sizes["10/2026/I/2"] == 5


# By the day of entry


def test_a_row_of_today_leads_to_its_whole_voucher(tenant: StandIn) -> None:
    client = tenant.client()
    first = Pull(client, BY_DAY)
    assert sorted(first.keys) == KEYS
    added = voucher(2, 6)[-1] | {"EntryDate": "2026-03-22"}
    tenant.control("POST", "rows", {"set": SET, "upsert": [added, *voucher(9, 2, day="2026-03-22", company="30")]})
    tenant.forget_calls()
    again = Pull(client, BY_DAY, first.watermark)
    assert {"10/2026/I/2": 6, "30/2026/I/9": 2}.items() <= again.sizes.items()
    assert all("Company eq '" in one for one in filters(tenant))
    dated = [one for one in filters(tenant) if "EntryDate" in one]
    assert len(dated) == 3
    assert all("EntryDate ge 2026-03-19" in one for one in dated), "a day is looked back, whatever the overlap"


def test_what_did_not_change_since_costs_one_call_for_each_company(tenant: StandIn) -> None:
    client = tenant.client()
    first = Pull(client, BY_DAY)
    second = Pull(client, BY_DAY, first.watermark)
    tenant.forget_calls()
    third = Pull(client, BY_DAY, second.watermark)
    assert third.keys == []
    assert len(tenant.calls(SET)) == 3


def test_companies_have_watermarks_of_their_own(tenant: StandIn) -> None:
    """One that lags behind, since its pull was cut short, is read from where it was."""
    client = tenant.client()
    first = Pull(client, BY_DAY)
    late = [*voucher(10, 1, day="2026-04-30"), *voucher(10, 1, day="2026-04-01", company="20")]
    tenant.control("POST", "rows", {"set": SET, "upsert": late})
    cut = Pull(client, BY_DAY, first.watermark, stop_after=1)
    assert "10/2026/I/10" in cut.keys
    assert "20/2026/I/10" in Pull(client, BY_DAY, cut.watermark).keys


def test_a_company_that_is_newly_known_is_read_from_its_first_voucher(tenant: StandIn) -> None:
    client = tenant.client()
    first = Pull(client, BY_DAY)
    again = Pull(tenant.client(), BY_DAY, first.watermark, companies=["10", "20", "30"])
    assert "30/2026/I/7" in again.keys


def test_a_history_that_no_log_shows_is_refused_in_a_sentence(tenant: StandIn) -> None:
    with pytest.raises(Misconfigured, match=r"\[ifs\.streams\.journals\]"):
        Pull(tenant.client(), StreamSettings(strategy="history"))

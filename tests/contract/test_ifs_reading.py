"""The IFS client against the stand-in: every way of finding changes, and what stands in its way."""

import base64
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest

from shared.config.settings import SetSettings, StreamSettings
from shared.errors import Misconfigured
from shared.findings import Finding
from shared.ifs import documents, reading
from shared.ifs.errors import IfsDenied, IfsUnreadable
from shared.ifs.records.purchase_orders import SOURCE as ORDERS
from shared.ifs.records.purchase_orders import OrderDocument
from shared.ifs.records.suppliers import SOURCE as SUPPLIERS
from shared.ifs.records.suppliers import SupplierDocument
from shared.ifs.sources import Bound
from tests.contract.ifs_tenants import Poll, StandIn, line, order, stand_in, supplier

BY_STAMP = StreamSettings(strategy="modified", modified_field="ChangeDate")
SWEEP = StreamSettings(strategy="sweep")


@pytest.fixture
def tenant(redis_url: str) -> Iterator[StandIn]:
    with stand_in(redis_url) as tenant:
        yield tenant


def keys(count: int) -> list[str]:
    return [f"{1000 + number}" for number in range(count)]


def orders(count: int, lines: int = 1) -> dict[str, list[dict[str, object]]]:
    return {
        "PurchaseOrderSet": [order(1000 + number, PreAccountingId=number) for number in range(count)],
        "PurchaseOrderLineSet": [
            line(1000 + number, place + 1, PreAccountingId=10_000 + number * lines + place)
            for number in range(count)
            for place in range(lines)
        ],
        "PreAccountingSet": [
            {"PreAccountingId": number, "AccountNo": "4010", "CodenoB": "100"} for number in range(count)
        ]
        + [{"PreAccountingId": 10_000 + number, "AccountNo": "4020"} for number in range(count * lines)],
    }


def decoded(bound: Bound, raw: bytes) -> OrderDocument:
    read = documents.decode(bound, raw)
    assert isinstance(read, OrderDocument)
    return read


def test_a_first_poll_brings_every_order_once_and_whole(tenant: StandIn) -> None:
    tenant.seed(orders(130, lines=3))
    poll = Poll(tenant.client(page_size=50), ORDERS, BY_STAMP)
    assert poll.keys == keys(130)
    read = documents.decode(ORDERS.bound(BY_STAMP), poll.documents[7].raw)
    assert isinstance(read, OrderDocument)
    assert [row.line_no for row in read.lines] == ["1", "2", "3"]
    assert [row.account_no for row in read.code_parts] == ["4010", "4020", "4020", "4020"]
    assert read.lines[0].buy_unit_price == Decimal("0.184")


def test_an_idle_poll_asks_once_per_stamped_set_and_brings_nothing_new(tenant: StandIn) -> None:
    tenant.seed(orders(30))
    client = tenant.client()
    first = Poll(client, ORDERS, BY_STAMP)
    tags = {document.key: document.header_tag for document in first.documents}
    tenant.forget_calls()
    second = Poll(
        client, ORDERS, BY_STAMP, first.watermark, known=lambda pairs: {k for k, t in pairs if tags.get(k) == t}
    )
    assert second.documents == []
    assert len(tenant.calls("PurchaseOrderHandling")) <= 2
    assert len(tenant.calls()) <= 4
    assert second.watermark == first.watermark


def test_a_changed_header_is_read_again_and_moves_the_watermark(tenant: StandIn) -> None:
    tenant.seed(orders(30))
    client = tenant.client()
    first = Poll(client, ORDERS, BY_STAMP)
    tenant.control("POST", "rows", {"set": "PurchaseOrderSet", "patch": [{"OrderNo": "1003", "NoteText": "hurry"}]})
    tags = {document.key: document.header_tag for document in first.documents}
    second = Poll(
        client, ORDERS, BY_STAMP, first.watermark, known=lambda pairs: {k for k, t in pairs if tags.get(k) == t}
    )
    assert second.keys == ["1003"]
    assert second.watermark != first.watermark


def test_a_changed_line_brings_its_whole_order_though_the_header_did_not_change(tenant: StandIn) -> None:
    tenant.seed(orders(30, lines=2))
    client = tenant.client()
    first = Poll(client, ORDERS, BY_STAMP)
    change = {"OrderNo": "1003", "LineNo": "2", "ReleaseNo": "1", "BuyQtyDue": 7}
    tenant.control("POST", "rows", {"set": "PurchaseOrderLineSet", "patch": [change]})
    everything = lambda pairs: {key for key, _ in pairs}  # noqa: E731
    second = Poll(client, ORDERS, BY_STAMP, first.watermark, known=everything)
    assert second.keys == ["1003"]
    read = documents.decode(ORDERS.bound(BY_STAMP), second.documents[0].raw)
    assert isinstance(read, OrderDocument)
    assert [row.buy_qty_due for row in read.lines] == [250, 7]
    third = Poll(client, ORDERS, BY_STAMP, second.watermark, known=everything)
    assert third.keys == [], "the look back brings the line again, but not its order"


def test_an_order_committed_late_is_found_within_the_overlap(tenant: StandIn) -> None:
    tenant.seed(orders(3))
    client = tenant.client()
    first = Poll(client, ORDERS, BY_STAMP)
    tenant.control(
        "POST", "rows", {"set": "PurchaseOrderSet", "upsert": [order(2000, ChangeDate="2026-03-01T09:50:00Z")]}
    )
    assert "2000" in Poll(client, ORDERS, BY_STAMP, first.watermark).keys


def test_many_orders_of_one_second_are_all_read(tenant: StandIn) -> None:
    tenant.seed(orders(230))
    client = tenant.client(page_size=50)
    first = Poll(client, ORDERS, BY_STAMP)
    second = Poll(client, ORDERS, BY_STAMP, first.watermark)
    assert second.keys == keys(230)


def test_an_interrupted_first_read_goes_on_where_it_was(tenant: StandIn) -> None:
    tenant.seed(orders(120))
    client = tenant.client(page_size=50)
    batches = reading.changed(
        client,
        ORDERS,
        BY_STAMP,
        client.settings,
        watermark=None,
        admit=lambda _row: True,
        known=lambda _: set(),
        lane="live",
    )
    first = next(batches)
    tenant.forget_calls()
    rest = Poll(tenant.client(page_size=50), ORDERS, BY_STAMP, first.reached)
    assert [document.key for document in first.documents] + rest.keys == keys(120)


@pytest.mark.parametrize("cap", [10, 25, 100])
def test_a_silent_cap_below_the_page_size_loses_nothing(tenant: StandIn, cap: int) -> None:
    tenant.seed(orders(230, lines=2), switches={"page_cap": cap})
    poll = Poll(tenant.client(), ORDERS, SWEEP)
    assert poll.keys == keys(230)
    bound = ORDERS.bound(SWEEP)
    assert {len(decoded(bound, document.raw).lines) for document in poll.documents} == {2}


@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_next_links_are_followed(tenant: StandIn, form: str) -> None:
    tenant.seed(orders(130), switches={"paging": "next_link", "next_link_rows": 40, "next_link_form": form})
    assert Poll(tenant.client(), ORDERS, SWEEP).keys == keys(130)


def test_next_links_and_a_page_size_below_theirs_lose_nothing(tenant: StandIn) -> None:
    tenant.seed(orders(130), switches={"paging": "next_link", "next_link_rows": 40})
    assert Poll(tenant.client(page_size=30), ORDERS, SWEEP).keys == keys(130)


def test_a_next_link_that_leads_away_is_not_followed_and_nothing_is_lost(tenant: StandIn) -> None:
    tenant.seed(orders(30))
    body = msgspec.json.encode({"value": [order(1000)], "@odata.nextLink": "http://127.0.0.2:9/steal"}).decode()
    tenant.control("POST", "faults", {"kind": "answer", "body": body, "path": "PurchaseOrderSet"})
    assert Poll(tenant.client(), ORDERS, SWEEP).keys == keys(30)


def test_rows_that_come_and_go_between_pages_disturb_no_other(tenant: StandIn) -> None:
    tenant.seed(orders(120))
    edits = [
        {"set": "PurchaseOrderSet", "delete": [{"OrderNo": "1003"}]},
        {"set": "PurchaseOrderSet", "upsert": [order(1000), {**order(1000), "OrderNo": "0999"}]},
    ]
    tenant.control("POST", "faults", {"kind": "edit", "path": "PurchaseOrderSet", "edits": edits})
    poll = Poll(tenant.client(page_size=50), ORDERS, SWEEP)
    assert poll.keys == keys(120)


def test_orders_that_are_not_admitted_are_reported_and_their_lines_not_read(tenant: StandIn) -> None:
    tenant.seed(orders(20))
    poll = Poll(tenant.client(), ORDERS, SWEEP, admit=lambda row: row.values["OrderNo"] == "1004")
    assert poll.keys == ["1004"]
    assert [key for batch in poll.batches for key, _ in batch.skipped] == [key for key in keys(20) if key != "1004"]
    asked = [call["query"]["$filter"] for call in tenant.calls("PurchaseOrderLineSet")]
    assert asked[0] == "OrderNo eq '1004'"
    assert not any("1003" in condition for condition in asked)


def test_the_operators_filter_is_anded_in_parentheses(tenant: StandIn) -> None:
    tenant.seed(orders(5))
    stream = msgspec.structs.replace(BY_STAMP, filter="OrderNo eq '1001' or OrderNo eq '1002'")
    first = Poll(tenant.client(), ORDERS, stream)
    assert first.keys == ["1001", "1002"]
    second = Poll(tenant.client(), ORDERS, stream, first.watermark)
    assert second.keys == ["1001", "1002"]
    assert second.batches[0].filter.startswith("(OrderNo eq '1001' or OrderNo eq '1002') and (ChangeDate ge ")


def test_a_backfill_takes_few_calls(tenant: StandIn) -> None:
    tenant.seed(orders(1000, lines=4))
    tenant.forget_calls()
    poll = Poll(tenant.client(), ORDERS, BY_STAMP)
    assert len(poll.documents) == 1000
    assert len(tenant.calls()) <= 50


def suppliers(names: list[str]) -> dict[str, list[dict[str, object]]]:
    return {
        "SupplierInfoGeneralSet": [supplier(name) for name in names],
        "SupplierInfoAddressSet": [
            {"SupplierId": name, "AddressId": address, "Country": "SE", "City": "Lund"}
            for name in names
            for address in ("1", "2", "10")
        ],
        "SupplierInfoAddressTypeSet": [
            {"SupplierId": name, "AddressId": "1", "AddressTypeCode": kind}
            for name in names
            for kind in ("Visit", "Pay", "Delivery")
        ],
        "CommMethodSet": [
            {"PartyType": party, "Identity": name, "CommId": 1, "AddressId": "1", "MethodId": "Email", "Value": party}
            for name in names
            for party in ("Customer", "Supplier")
        ],
        "IdentityInvoiceInfoSet": [
            {"Company": company, "Identity": name, "PartyType": "Supplier", "DefCurrency": "EUR", "PayTermId": "30"}
            for name in names
            for company in ("10", "20")
        ],
        "SupplierDocumentTaxInfoSet": [
            {"SupplierId": name, "AddressId": "1", "Company": "10", "VatNo": f"VAT {name}"} for name in names
        ],
    }


ODD = ["AT&T", "Ö 1", "S'1", "S/1", "S1", "S1,2", "S#1", "S+1", "S%41"]


@pytest.mark.parametrize("inactive", [[], [child.service for child in SUPPLIERS.children]], ids=["flat", "nested"])
def test_suppliers_with_odd_ids_are_read_whole_also_where_entity_services_are_not_active(
    tenant: StandIn, inactive: list[str]
) -> None:
    tenant.seed(suppliers(ODD), switches={"inactive_services": inactive})
    poll = Poll(tenant.client(), SUPPLIERS, SWEEP)
    assert sorted(poll.keys) == sorted(ODD)
    bound = SUPPLIERS.bound(SWEEP)
    for document in poll.documents:
        read = documents.decode(bound, document.raw)
        assert isinstance(read, SupplierDocument)
        assert [row.address_id for row in read.addresses] == ["1", "2", "10"]
        assert [row.address_type_code for row in read.address_types] == ["Delivery", "Pay", "Visit"]
        assert [row.value for row in read.comm_methods] == ["Supplier"]
        assert [row.company for row in read.invoice_info] == ["10", "20"]
        assert [row.vat_no for row in read.tax_info] == [f"VAT {document.key}"]


def test_a_document_is_the_same_flat_and_nested(tenant: StandIn) -> None:
    tenant.seed(suppliers(["S1"]))
    bound = SUPPLIERS.bound(SWEEP)
    flat = documents.decode(bound, Poll(tenant.client(), SUPPLIERS, SWEEP).documents[0].raw)
    tenant.control("POST", "switches", {"inactive_services": [child.service for child in SUPPLIERS.children]})
    nested = documents.decode(bound, Poll(tenant.client(), SUPPLIERS, SWEEP).documents[0].raw)
    assert flat == nested


def test_order_lines_without_their_service_are_named_with_the_remedy(tenant: StandIn) -> None:
    tenant.seed(orders(3), switches={"inactive_services": ["PurchaseOrderLineEntity"], "inactive_status": 403})
    with pytest.raises(IfsDenied, match=r"PurchaseOrderLineEntity/PurchaseOrderLineSet.*API Explorer"):
        Poll(tenant.client(), ORDERS, SWEEP)


def test_auto_reads_the_history_log_where_it_has_rows_and_sees_changes_of_children(tenant: StandIn) -> None:
    tenant.seed(suppliers(["S1", "S2", "S3"]), switches={"history": True})
    auto = StreamSettings()
    edit = {"set": "SupplierInfoGeneralSet", "patch": [{"SupplierId": "S3", "Name": "Third"}]}
    tenant.control("POST", "rows", edit)
    client = tenant.client()
    first = Poll(client, SUPPLIERS, auto)
    assert first.keys == ["S1", "S2", "S3"]
    change = {"PartyType": "Supplier", "Identity": "S2", "CommId": 1, "Value": "new@example.com"}
    tenant.control("POST", "rows", {"set": "CommMethodSet", "patch": [change]})
    second = Poll(client, SUPPLIERS, auto, first.watermark)
    assert "S2" in second.keys
    assert "S1" not in second.keys
    tenant.forget_calls()
    third = Poll(client, SUPPLIERS, auto, second.watermark)
    assert third.keys == []
    assert len(tenant.calls()) == 1


def test_auto_without_stamp_and_log_reads_everything(tenant: StandIn) -> None:
    tenant.seed(suppliers(["S1", "S2"]))
    client = tenant.client()
    first = Poll(client, SUPPLIERS)
    assert Poll(client, SUPPLIERS, watermark=first.watermark).keys == ["S1", "S2"]


def test_a_stamp_the_tenant_does_not_have_is_a_sentence(tenant: StandIn) -> None:
    tenant.seed(suppliers(["S1"]))
    stream = StreamSettings(strategy="modified", modified_field="Changed")
    with pytest.raises(Misconfigured, match=r"\[ifs.streams.suppliers\].*Changed"):
        Poll(tenant.client(), SUPPLIERS, stream)


def test_records_are_read_by_key_and_absent_ones_are_missing(tenant: StandIn) -> None:
    tenant.seed(suppliers([*ODD, *(f"N{number}" for number in range(150))]))
    wanted = [*ODD, "N7", *(f"N{number}" for number in range(100, 150)), "nobody"]
    found = reading.read_by_key(tenant.client(), SUPPLIERS, StreamSettings(), wanted, lane="live")
    assert found.keys() == set(wanted) - {"nobody"}
    assert b"VAT S/1" in found["S/1"].raw
    assert len(tenant.calls("SupplierInfoGeneralSet")) == 2


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (
            b'{"OrderNo":"1001","VendorNo":"S\\ud8001","CurrencyCode":"EUR","Objstate":"Released"}',
            "VendorNo",
            "no text",
        ),
        (b'{"OrderNo":"1001","VendorNo":"S\\u00001","CurrencyCode":"EUR","Objstate":"Released"}', "VendorNo", "NUL"),
        (b'{"OrderNo":"1001","VendorNo":"S\xff1","CurrencyCode":"EUR","Objstate":"Released"}', "VendorNo", "no text"),
        (b'{"OrderNo":"1001","VendorNo":NaN,"CurrencyCode":"EUR","Objstate":"Released"}', "VendorNo", ""),
        (b'{"OrderNo":"1001","CurrencyCode":"EUR","Objstate":"Released"}', "VendorNo", "missing"),
        (b'{"OrderNo":"1001","VendorNo":"S1","CurrencyCode":"Euro","Objstate":"Released"}', "CurrencyCode", "currency"),
    ],
)
def test_one_bad_row_is_held_and_its_neighbours_go_on(tenant: StandIn, body: bytes, field: str, message: str) -> None:
    raw = {"set": "PurchaseOrderSet", "keyref": "ORDER_NO=1001^", "body_base64": base64.b64encode(body).decode()}
    tenant.seed(orders(3), raw_rows=[raw])
    poll = Poll(tenant.client(), ORDERS, SWEEP)
    assert poll.keys == ["1000", "1001", "1002"]
    bound = ORDERS.bound(SWEEP)
    good, bad, other = (documents.decode(bound, document.raw) for document in poll.documents)
    assert isinstance(good, OrderDocument)
    assert isinstance(other, OrderDocument)
    assert [(finding.code, finding.field) for finding in bad] == [("source.invalid", field)]
    assert isinstance(bad[0], Finding)
    assert message in bad[0].message


def test_a_page_that_is_no_page_stops_the_poll(tenant: StandIn) -> None:
    tenant.seed(orders(30))
    first = Poll(tenant.client(), ORDERS, BY_STAMP)
    for fault in (
        {"kind": "truncated"},
        {"kind": "answer", "body": "<html>Sign in</html>"},
        {"kind": "answer", "body": "[]"},
    ):
        tenant.control("POST", "faults", {**fault, "path": "PurchaseOrderSet"})
        with pytest.raises(IfsUnreadable, match="PurchaseOrderHandling/PurchaseOrderSet"):
            Poll(tenant.client(), ORDERS, BY_STAMP, first.watermark)


def test_a_tenants_own_names_lead_to_the_same_document(tenant: StandIn) -> None:
    tenant.seed(orders(3))
    plain = decoded(ORDERS.bound(SWEEP), Poll(tenant.client(), ORDERS, SWEEP).documents[0].raw)
    stream = StreamSettings(
        strategy="sweep",
        service="PurchaseOrderEntity",
        fields={"note_text": "LabelNote"},
        sets={"lines": SetSettings(fields={"Description": "BuyUnitMeas"})},
    )
    poll = Poll(tenant.client(), ORDERS, stream)
    read = documents.decode(ORDERS.bound(stream), poll.documents[0].raw)
    assert isinstance(read, OrderDocument)
    assert type(read.header) is type(plain.header)
    assert read.lines[0].description == "pcs"


def test_sites_tell_their_companies(tenant: StandIn) -> None:
    tenant.seed({"CompanySiteSet": [{"Contract": "S10", "Company": "10"}, {"Contract": "S20", "Company": "20"}]})
    assert reading.sites(tenant.client(), lane="live") == {"S10": "10", "S20": "20"}


def test_no_address_is_longer_than_a_gateway_takes(tenant: StandIn) -> None:
    names = [f"{'Ö' * 17}{number}" for number in range(100, 200)]
    tenant.seed(suppliers(names), switches={"url_bytes_max": 4000})
    found = reading.read_by_key(tenant.client(page_size=20), SUPPLIERS, StreamSettings(), names, lane="live")
    assert list(found) == names

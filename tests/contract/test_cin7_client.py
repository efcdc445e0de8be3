"""What we rely on in Cin7, asked through our client: of the stand-in always, of a real account if there is one."""

import os
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
import redis

from sandbox.cin7 import Cin7Sandbox
from sandbox.serving import serving
from shared.cin7 import answers
from shared.cin7.client import Cin7Client, connect, every
from shared.cin7.errors import Cin7Denied, Cin7Refused, Cin7Throttled, Cin7Unclear
from shared.cin7.records.lines import OrderCharge, OrderLine
from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.cin7.reference import read_reference
from shared.cin7.requests import create_supplier_request, get
from shared.config.credentials import Cin7Credentials
from shared.config.settings import Cin7Settings
from shared.errors import Retryable
from shared.http import ForeignOrigin

CREDENTIALS = Cin7Credentials(
    account_id="11111111-2222-4333-8444-555555555555", application_keys=("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",)
)
ACME = Supplier(
    name="Acme Fasteners Ltd",
    currency="GBP",
    payment_term="30 days",
    account_payable="800",
    tax_rule="Tax on Purchases",
    tax_number="GB123456789",
    attribute_set="ERP link",
    attributes={1: "20017"},
    addresses=(Address(line1="1 Mill Lane", city="Leeds", country="United Kingdom", type="Business"),),
    contacts=(Contact(name="Jo Reed", phone="+44 113 496 0000", email="jo@acme.example", default=True),),
)
HEADER = PurchaseHeader(
    supplier="Acme Fasteners Ltd", location="Main Warehouse", note="IFS PO 10/4711", attributes={1: "10/4711"}
)


class Served:
    """Our client on a served stand-in."""

    def __init__(self, sandbox: Cin7Sandbox, url: str, client: "redis.Redis") -> None:
        self.sandbox = sandbox
        self.url = url
        self.redis = client
        self.cin7 = self.connected()

    def connected(
        self, credentials: Cin7Credentials = CREDENTIALS, calls: int = 1000, window_s: float = 60
    ) -> Cin7Client:
        settings = Cin7Settings(
            base_url=f"{self.url}/ExternalApi/v2/", calls_per_minute=calls, window_s=window_s, read_timeout_s=2
        )
        return connect("main", settings, credentials, self.redis)

    def break_once(self, kind: str, path: str, *, after_commit: bool = False, seconds: float = 1) -> None:
        rule = {"kind": kind, "path": path, "times": 1, "after_commit": after_commit, "seconds": seconds}
        self.sandbox.control("POST", "faults", rule)

    def purchase_of(self, *lines: OrderLine, service: bool = False) -> str:
        self.cin7.create_supplier(ACME)
        purchase = self.cin7.create_purchase(msgspec.structs.replace(HEADER, is_service_only=service))
        if lines:
            self.cin7.write_order(purchase.id, Order(status="AUTHORISED", lines=lines))
        return purchase.id


@pytest.fixture
def served(redis_url: str) -> Iterator[Served]:
    sandbox = Cin7Sandbox(seed={"accounts": [SEED]})
    with serving(sandbox, protocol_class=Cin7Sandbox.protocol_class) as url, redis.Redis.from_url(redis_url) as client:
        yield Served(sandbox, url, client)


SEED = {
    "account_id": CREDENTIALS.account_id,
    "keys": list(CREDENTIALS.application_keys),
    "limit": {"calls": 0},
}
_CHARGE = OrderCharge(
    description="Freight",
    reference="4711/2/1 10 425",
    quantity=Decimal(1),
    price=Decimal("12.5"),
    tax=Decimal("2.5"),
    tax_rule="Tax on Purchases",
    total=Decimal("12.5"),
)


def bolt(served: Served, quantity: int = 100) -> OrderLine:
    product = read_reference(served.cin7).products["BOLT-M8"]
    return OrderLine(
        product_id=product.product_id,
        sku=product.sku,
        name=product.name,
        quantity=Decimal(quantity),
        price=Decimal("0.25"),
        tax=Decimal("0.05") * quantity,
        tax_rule="Tax on Purchases",
        comment="4711/1/1 10 715",
        total=Decimal("0.25") * quantity,
    )


def test_the_company_answers(served: Served) -> None:
    assert served.cin7.me()["Currency"] == "USD"


def test_reference_data_is_read_whole(served: Served) -> None:
    reference = read_reference(served.cin7)
    assert reference.accounts["800"].payable
    assert not reference.accounts["805"].payable
    assert not reference.accounts["499"].active
    assert {"001", "_59_"} <= reference.accounts.keys()
    assert not reference.terms["Cash on delivery"].active
    assert reference.terms["30 days"].days == 30
    assert reference.tax_rules["Tax on Purchases"].percent == 20
    assert reference.locations == {"Main Warehouse"}
    assert reference.products["FREIGHT"].type == "Service"
    assert not reference.products["OLD-1"].active
    assert reference.base_currency == "USD"


def test_both_ways_of_marking_the_payables_account_are_understood(served: Served) -> None:
    served.sandbox.control("POST", "switches", {"system_account_style": "old"})
    payable = [account.code for account in read_reference(served.cin7).accounts.values() if account.payable]
    assert payable == ["800"]


def test_attribute_sets_are_listed(served: Served) -> None:
    assert [row["Name"] for row in served.cin7.attribute_sets()] == ["ERP link"]


def test_a_supplier_is_created_as_wanted_and_read_back_alike(served: Served) -> None:
    created = served.cin7.create_supplier(ACME)
    assert created.id
    read_back = served.cin7.supplier(created.id.upper())
    assert read_back == created
    assert without_ids(created) == without_ids(ACME)


def without_ids(supplier: Supplier) -> Supplier:
    replace = msgspec.structs.replace
    return replace(
        supplier,
        id=None,
        last_modified_on="",
        addresses=tuple(replace(address, id=None) for address in supplier.addresses),
        contacts=tuple(replace(contact, id=None) for contact in supplier.contacts),
    )


def test_an_update_with_ids_changes_entries_and_adds_none(served: Served) -> None:
    created = served.cin7.create_supplier(ACME)
    moved = msgspec.structs.replace(created.addresses[0], city="York")
    wanted = msgspec.structs.replace(created, addresses=(moved,), comments="")
    served.cin7.update_supplier(wanted)
    assert created.id
    current = served.cin7.supplier(created.id)
    assert current is not None
    assert current.addresses == (moved,)
    assert current.contacts == created.contacts


def test_suppliers_are_found_by_a_prefix_over_all_pages_deprecated_ones_too(served: Served) -> None:
    names = ["Acme", "Acme Fasteners Ltd", "Acme North", "Bolts & Sons #1"]
    for name in names:
        status = "Deprecated" if name == "Acme North" else "Active"
        served.cin7.create_supplier(msgspec.structs.replace(ACME, name=name, status=status))
    assert {supplier.name for supplier in served.cin7.supplier_by_name("Acme")} == set(names[:3])
    assert [supplier.name for supplier in served.cin7.supplier_by_name("Bolts & Sons #")] == names[3:]
    paged = every(lambda page: served.cin7.suppliers_page(page, limit=1))
    assert {supplier.name for supplier in paged} == set(names)


def test_an_unknown_supplier_is_none(served: Served) -> None:
    assert served.cin7.supplier("00000000-0000-4000-8000-000000000001") is None
    assert served.cin7.supplier_by_name("Nobody") == []


def test_a_refused_supplier_says_why(served: Served) -> None:
    with pytest.raises(Cin7Refused) as caught:
        served.cin7.create_supplier(msgspec.structs.replace(ACME, payment_term="Cash on delivery"))
    assert "Cash on delivery" in caught.value.messages[0]


def test_a_purchase_gets_its_order_in_a_second_call(served: Served) -> None:
    line = bolt(served)
    purchase_id = served.purchase_of(line)
    purchase = served.cin7.purchase(purchase_id)
    assert (purchase.note, purchase.attributes[1]) == ("IFS PO 10/4711", "10/4711")
    assert purchase.order_number.startswith("PO-")
    assert purchase.order.status == "AUTHORISED"
    assert purchase.order.lines == (line,)
    assert [purchase.order.total_before_tax, purchase.order.tax, purchase.order.total] == [25, 5, 30]
    assert served.cin7.order(purchase_id).lines == (line,)
    assert (purchase.received, purchase.invoiced) == (False, False)


def test_a_service_purchase_carries_charges(served: Served) -> None:
    purchase_id = served.purchase_of(service=True)
    served.cin7.write_order(purchase_id, Order(status="AUTHORISED", additional_charges=(_CHARGE,)))
    purchase = served.cin7.purchase(purchase_id)
    assert purchase.is_service_only
    assert purchase.order.additional_charges == (_CHARGE,)


def test_an_authorised_order_is_undone_amended_and_voided(served: Served) -> None:
    purchase_id = served.purchase_of(bolt(served))
    with pytest.raises(Cin7Refused):
        served.cin7.write_order(purchase_id, Order(status="AUTHORISED", lines=(bolt(served, 50),)))
    assert served.cin7.undo_purchase(purchase_id).order.status == "DRAFT"
    served.cin7.write_order(purchase_id, Order(status="AUTHORISED", lines=(bolt(served, 50),)))
    assert served.cin7.purchase(purchase_id).order.lines[0].quantity == 50
    assert served.cin7.void_purchase(purchase_id).status == "VOIDED"


def test_a_header_is_amended(served: Served) -> None:
    purchase_id = served.purchase_of()
    served.cin7.update_purchase(purchase_id, msgspec.structs.replace(HEADER, note="IFS PO 10/4711 changed"))
    assert served.cin7.purchase(purchase_id).note == "IFS PO 10/4711 changed"


def test_the_purchase_list_is_searched_by_supplier(served: Served) -> None:
    purchase_id = served.purchase_of()
    total, rows = served.cin7.purchase_list(search="Acme", updated_since="2020-01-01T00:00:00.000")
    assert (total, [row.id for row in rows]) == (1, [purchase_id])
    assert served.cin7.purchase_list(search="10/4711") == (0, [])


def test_an_unknown_purchase_is_refused(served: Served) -> None:
    with pytest.raises(Cin7Refused, match="not found"):
        served.cin7.purchase("00000000-0000-4000-8000-000000000001")


@pytest.mark.parametrize("shape", ["text", "json", "error"])
def test_wrong_credentials_are_denied_in_every_shape(served: Served, shape: str) -> None:
    served.sandbox.control("POST", "switches", {"credentials_body": shape})
    wrong = msgspec.structs.replace(CREDENTIALS, application_keys=("00000000-0000-4000-8000-000000000000",))
    with pytest.raises(Cin7Denied):
        served.connected(wrong).me()


@pytest.mark.parametrize("shape", ["html200", "404", "redirect"])
def test_a_wrong_path_is_an_error_in_every_shape(served: Served, shape: str) -> None:
    served.sandbox.control("POST", "switches", {"unknown_path": shape})
    with pytest.raises((Cin7Refused, Cin7Unclear)):
        served.cin7.call(get("no/such/endpoint"))


@pytest.mark.parametrize(
    ("kind", "after_commit"),
    [("drop", False), ("drop", True), ("500", True), ("502", True), ("503", True), ("504", False), ("html200", True),
     ("truncated", True), ("slow", True)],
)  # fmt: skip
def test_a_create_whose_answer_is_lost_is_unknown_and_made_once_at_most(
    served: Served, kind: str, after_commit: bool
) -> None:
    served.break_once(kind, "/supplier", after_commit=after_commit, seconds=3)
    with pytest.raises(Retryable) as caught:
        served.cin7.create_supplier(ACME)
    assert caught.value.executed is True
    assert len(served.cin7.supplier_by_name(ACME.name)) == int(after_commit)


def test_an_error_inside_a_200_is_a_refusal(served: Served) -> None:
    served.break_once("error200", "/supplier")
    with pytest.raises(Cin7Refused, match="Refused on demand"):
        served.cin7.create_supplier(ACME)


@pytest.mark.parametrize("style", ["429", "503", "400"])
def test_too_many_calls_close_the_key_and_the_call_was_not_executed(served: Served, style: str) -> None:
    second = "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff"
    keys = (*CREDENTIALS.application_keys, second)
    served.sandbox.control("POST", "seed", {"accounts": [{**SEED, "keys": list(keys)}]})
    served.sandbox.control("POST", "limits", {"calls": 1, "window_s": 60, "style": style, "retry_after_s": 30})
    both = served.connected(msgspec.structs.replace(CREDENTIALS, application_keys=keys))
    slots = [both.budget.take() for _ in range(4)]
    request = get("purchase/order", TaskID="00000000-0000-4000-8000-000000000001")
    first = next(slot for slot in slots if slot == "main/1")
    again = [slot for slot in slots if slot == "main/1"][1]
    both.send(request, slot=first)
    with pytest.raises(Cin7Throttled) as caught:
        both.send(request, slot=again)
    assert (caught.value.executed, caught.value.delay_s) == (False, 30 if style == "429" else 10)
    assert [use.closed_s > 0 for use in both.budget.used()] == [True, False]
    assert both.budget.take() == "main/2"


def test_calls_stay_within_the_limit_of_the_service(served: Served) -> None:
    served.sandbox.control("POST", "limits", {"calls": 10, "window_s": 0.5})
    cin7 = served.connected(calls=10, window_s=0.5)
    for _ in range(45):
        cin7.me()
    (seen,) = served.sandbox.control("GET", "limits")["limits"]
    assert (seen["refused"], seen["max_in_window"]) == (0, 10)


def test_a_request_can_be_digested_before_it_is_sent(served: Served) -> None:
    request = create_supplier_request(ACME)
    slot = served.cin7.budget.take()
    created = answers.written_supplier(served.cin7.call(request, slot=slot))
    assert created.name == ACME.name
    (call,) = [call for call in served.sandbox.control("GET", "requests")["requests"] if call["method"] == "POST"]
    assert request.body is not None
    assert request.body.decode() == call["body"]


def test_no_call_leaves_the_account(served: Served) -> None:
    with pytest.raises(ForeignOrigin):
        served.cin7._http.send("GET", "https://evil.example/ExternalApi/v2/me", headers={})


@pytest.mark.live
@pytest.mark.skipif("CIN7_ACCOUNT_ID" not in os.environ, reason="set CIN7_ACCOUNT_ID and CIN7_APPLICATION_KEY")
def test_a_real_account_is_read_as_the_stand_in_is(redis_url: str) -> None:
    credentials = Cin7Credentials(
        account_id=os.environ["CIN7_ACCOUNT_ID"], application_keys=(os.environ["CIN7_APPLICATION_KEY"],)
    )
    with redis.Redis.from_url(redis_url) as client:
        cin7 = connect("main", Cin7Settings(), credentials, client)
        reference = read_reference(cin7)
        _, suppliers = cin7.suppliers_page(1, limit=10)
        _, rows = cin7.purchase_list(limit=10)
    assert any(account.payable for account in reference.accounts.values())
    assert reference.terms
    assert reference.tax_rules
    assert reference.locations
    assert reference.base_currency
    assert all(supplier.id and supplier.name for supplier in suppliers)
    assert all(row.id and row.order_number for row in rows)

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cin7 import answers, requests
from shared.cin7.records.invoices import CreditNote, Invoice, InvoiceLine
from shared.cin7.records.lines import OrderCharge, OrderLine
from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.cin7.wire import read
from shared.http import Answer

ACME = Supplier(
    name="Acme",
    currency="GBP",
    payment_term="30 days",
    account_payable="001",
    tax_rule="Tax on Purchases",
    discount=Decimal("2.50"),
    attributes={1: "IFS-20017", 10: "x"},
    addresses=(
        Address(line1="1 Mill Lane", country="United Kingdom", type="Business"),
        Address(id="a1", line1="PO Box 1", country="United Kingdom", type="Billing"),
    ),
    contacts=(Contact(name="Jo Reed", phone="+44"),),
    last_modified_on="2026-03-14T08:01:02.39Z",
)
HEADER = PurchaseHeader(
    supplier_id="s1", location="Main Warehouse", note="IFS PO 10/PO4711", attributes={1: "10/PO4711"}
)
LINE = OrderLine(
    product_id="p1",
    sku="BOLT-M8",
    name="Bolt",
    quantity=Decimal("1E+2"),
    price=Decimal("0.25"),
    tax=Decimal("5.00"),
    tax_rule="Tax on Purchases",
    total=Decimal("25.00000"),
)
CHARGE = OrderCharge(
    description="Freight",
    quantity=Decimal(1),
    price=Decimal("12.00005"),
    tax=Decimal(0),
    tax_rule="None",
    total=Decimal(12),
)


def body(request: requests.Request) -> dict[str, object]:
    assert request.body is not None
    document = json.loads(request.body)
    assert isinstance(document, dict)
    return document


def test_a_new_supplier_is_flat_and_carries_nothing_of_cin7s_own() -> None:
    request = requests.create_supplier_request(msgspec.structs.replace(ACME, id="x"))
    sent = body(request)
    assert (request.method, request.path) == ("POST", "supplier")
    assert (sent["AdditionalAttribute1"], sent["AdditionalAttribute10"]) == ("IFS-20017", "x")
    assert not {"ID", "LastModifiedOn", "Attributes", "AttributeSet"} & sent.keys()
    assert (sent["Discount"], sent["TaxNumber"], sent["Status"]) == (2.5, "", "Active")


def test_an_entry_that_is_there_is_named_by_its_id_and_a_new_one_has_none() -> None:
    addresses = body(requests.create_supplier_request(ACME))["Addresses"]
    assert isinstance(addresses, list)
    assert ["ID" in address for address in addresses] == [False, True]


def test_an_update_names_the_supplier_and_leaves_out_lists_it_has_nothing_for() -> None:
    request = requests.update_supplier_request(
        msgspec.structs.replace(ACME, id="s1", addresses=(), contacts=(), attribute_set="ERP link")
    )
    sent = body(request)
    assert (request.method, sent["ID"], sent["AttributeSet"]) == ("PUT", "s1", "ERP link")
    assert not {"Addresses", "Contacts"} & sent.keys()


def test_a_new_purchase_has_nested_attributes_and_a_type() -> None:
    request = requests.create_purchase_request(HEADER)
    assert (request.method, request.path) == ("POST", "advanced-purchase")
    assert body(request) == {
        "SupplierID": "s1",
        "Approach": "INVOICE",
        "Location": "Main Warehouse",
        "TaxCalculation": "Exclusive",
        "Note": "IFS PO 10/PO4711",
        "AdditionalAttributes": {"AdditionalAttribute1": "10/PO4711"},
        "PurchaseType": "Advanced",
    }


def test_a_service_purchase_is_marked_as_one() -> None:
    sent = body(requests.create_purchase_request(msgspec.structs.replace(HEADER, is_service_only=True)))
    assert sent["IsServiceOnly"] is True
    assert "PurchaseType" not in sent


def test_an_update_of_a_purchase_does_not_change_its_type() -> None:
    sent = body(requests.update_purchase_request("p1", HEADER))
    assert sent["ID"] == "p1"
    assert not {"PurchaseType", "IsServiceOnly"} & sent.keys()


def test_an_order_is_sent_in_plain_numbers_without_totals() -> None:
    request = requests.write_order_request("p1", Order(status="DRAFT", lines=(LINE,), additional_charges=(CHARGE,)))
    assert (request.method, request.path) == ("POST", "purchase/order")
    assert request.body is not None
    assert b'"Quantity":100,' in request.body
    assert b'"Price":0.25,' in request.body
    assert b'"Total":25}' in request.body
    assert b'"Price":12.0001,' in request.body
    assert body(request).keys() == {
        "TaskID", "CombineAdditionalCharges", "Memo", "Status", "Lines", "AdditionalCharges"
    }  # fmt: skip


def test_equal_records_give_equal_bytes() -> None:
    again = msgspec.structs.replace(ACME, attributes={10: "x", 1: "IFS-20017"}, discount=Decimal("2.5"))
    assert requests.create_supplier_request(ACME) == requests.create_supplier_request(again)


def test_undoing_and_voiding_differ_in_one_word() -> None:
    assert requests.undo_purchase_request("p1").path == "advanced-purchase?ID=p1&Void=false"
    assert requests.void_purchase_request("p1").path == "advanced-purchase?ID=p1&Void=true"


def test_query_values_are_escaped_and_absent_ones_left_out() -> None:
    request = requests.get("supplier", Name="A&B Ltd #1/é", Page=2, ModifiedSince=None)
    assert request.path == "supplier?Name=A%26B%20Ltd%20%231%2F%C3%A9&Page=2"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("0", "0"), ("-0.00001", "0"), ("1E+3", "1000"), ("0.00005", "0.0001"), ("-1.23455", "-1.2346"), ("7.10", "7.1")],
)
def test_amounts_are_rounded_half_up_and_never_have_an_exponent(value: str, shown: str) -> None:
    assert str(requests.amount(Decimal(value))) == shown


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False, allow_infinity=False))
def test_an_amount_of_four_places_survives_the_way_there_and_back(value: Decimal) -> None:
    line = msgspec.structs.replace(LINE, price=value)
    request = requests.write_order_request("p1", Order(status="DRAFT", lines=(line,)))
    assert request.body is not None
    assert answers.order(read(Answer(200, {}, request.body))).lines[0].price == value


@given(st.text(), st.text(), st.dictionaries(st.integers(1, 10), st.text(min_size=1)))
def test_a_supplier_survives_the_way_there_and_back(name: str, line1: str, attributes: dict[int, str]) -> None:
    address = Address(id="a1", line1=line1, country="C", type="Business")
    wanted = msgspec.structs.replace(
        ACME, id="s1", name=name, attributes=attributes, addresses=(address,), last_modified_on=""
    )
    request = requests.update_supplier_request(wanted)
    assert request.body is not None
    envelope = b'{"Total":1,"Page":1,"SupplierList":[' + request.body + b"]}"
    assert answers.written_supplier(read(Answer(200, {}, envelope))) == wanted


INVOICE = Invoice(
    number="NF-5581",
    date="2026-03-21T00:00:00",
    due_date="2026-04-20T00:00:00",
    lines=(
        InvoiceLine(
            product_id="p1",
            sku="BOLT-M8",
            name="Bolt",
            quantity=Decimal(100),
            price=Decimal("0.25"),
            tax=Decimal(5),
            tax_rule="Tax on Purchases",
            account="715",
            total=Decimal(25),
        ),
    ),
)


def test_an_invoice_without_a_task_asks_for_a_new_one_and_its_lines_carry_accounts() -> None:
    request = requests.write_invoice_request("p1", INVOICE)
    sent = body(request)
    assert (request.method, request.path) == ("POST", "advanced-purchase/invoice")
    assert (sent["PurchaseID"], sent["TaskID"]) == ("p1", "00000000-0000-0000-0000-000000000000")
    assert (sent["InvoiceNumber"], sent["InvoiceDueDate"], sent["Status"]) == (
        "NF-5581",
        "2026-04-20T00:00:00",
        "AUTHORISED",
    )
    assert request.body is not None
    assert b'"Account":"715"' in request.body
    assert not {"TotalBeforeTax", "Tax", "Total", "Paid"} & sent.keys()


def test_an_invoice_that_is_there_is_named_and_a_due_date_that_nobody_knows_is_left_to_the_terms() -> None:
    sent = body(requests.write_invoice_request("p1", msgspec.structs.replace(INVOICE, task_id="t1", due_date=None)))
    assert sent["TaskID"] == "t1"
    assert "InvoiceDueDate" not in sent


def test_undoing_and_voiding_an_invoice_name_its_task() -> None:
    assert requests.undo_invoice_request("t1") == requests.Request(
        "DELETE", "advanced-purchase/invoice?TaskID=t1&Void=false"
    )
    assert requests.void_invoice_request("t1").path == "advanced-purchase/invoice?TaskID=t1&Void=true"
    assert requests.void_credit_note_request("t2").path == "advanced-purchase/creditnote?TaskID=t2&Void=true"


def test_a_credit_note_names_the_invoice_it_takes_back() -> None:
    note = CreditNote(number="CN-1", invoice_number="NF-5581", date="2026-03-28T00:00:00", lines=INVOICE.lines)
    request = requests.write_credit_note_request("p1", note)
    sent = body(request)
    assert (request.method, request.path) == ("POST", "advanced-purchase/creditnote")
    assert (sent["CreditNoteNumber"], sent["CreditNoteInvoiceNumber"], sent["CreditNoteDate"]) == (
        "CN-1",
        "NF-5581",
        "2026-03-28T00:00:00",
    )


def test_a_rate_of_exchange_is_sent_only_where_it_is_known() -> None:
    known = msgspec.structs.replace(HEADER, currency_rate=Decimal("0.00610000001"))
    assert body(requests.create_purchase_request(known))["CurrencyRate"] == 0.0061
    assert "CurrencyRate" not in body(requests.create_purchase_request(HEADER))


def test_an_invoice_survives_the_way_there_and_back() -> None:
    request = requests.write_invoice_request("p1", msgspec.structs.replace(INVOICE, task_id="t1"))
    assert request.body is not None
    envelope = b'{"PurchaseID":"p1","Invoices":[' + request.body + b"]}"
    (got,) = answers.invoices(read(Answer(200, {}, envelope)))
    assert got == msgspec.structs.replace(INVOICE, task_id="t1")

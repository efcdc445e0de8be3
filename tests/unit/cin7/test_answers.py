import json
from decimal import Decimal
from typing import Any

import pytest

from shared.cin7 import answers
from shared.cin7.errors import Cin7Unclear
from shared.cin7.wire import read
from shared.http import Answer

ID = "695D1E8A-0A3B-4B1E-9A55-0F6B1A0F7F10"
SUPPLIER: dict[str, Any] = {
    "ID": ID,
    "Name": "Acme Fasteners Ltd",
    "Currency": "GBP",
    "PaymentTerm": "30 days",
    "TaxRule": "Tax on Purchases",
    "Discount": 2.0,
    "Comments": None,
    "AccountPayable": "001",
    "TaxNumber": 123456789,
    "AdditionalAttribute1": "IFS-20017",
    "AdditionalAttribute2": None,
    "AttributeSet": None,
    "Status": "Active",
    "LastModifiedOn": "2026-03-14T08:01:02.39Z",
    "Addresses": [{"ID": ID, "Line1": "1 Mill Lane", "State": None, "Country": "United Kingdom", "Type": "Business"}],
    "Contacts": [{"ID": ID, "Name": "Jo Reed", "Email": "jo@acme.example", "Default": True, "Phone": None}],
    "Unheard": {"of": []},
}
STAGE = {"TaskID": ID, "Status": "NOT AVAILABLE", "Lines": []}
PURCHASE: dict[str, Any] = {
    "ID": ID,
    "SupplierID": ID,
    "Supplier": "Acme Fasteners Ltd",
    "SupplierCurrency": "GBP",
    "Location": "Main Warehouse",
    "Note": "IFS PO 10/PO4711",
    "OrderNumber": "PO-00102",
    "Type": "Advanced Purchase",
    "IsServiceOnly": False,
    "Status": "ORDERED",
    "RequiredBy": None,
    "Order": {
        "Memo": None,
        "Status": "AUTHORISED",
        "Lines": [
            {
                "ProductID": ID,
                "SKU": "BOLT-M8",
                "Name": "Bolt",
                "Quantity": 100,
                "Price": 0.25,
                "Tax": 5,
                "Total": "25.0000",
            }
        ],
        "AdditionalCharges": [{"Description": "Freight", "Reference": "r", "Price": 12, "Quantity": 1, "Total": 12}],
        "TotalBeforeTax": 37,
        "Tax": 7.4,
        "Total": 44.4,
    },
    "StockReceived": [STAGE],
    "PutAway": [STAGE],
    "Invoice": [STAGE],
    "CreditNote": [STAGE],
    "AdditionalAttributes": {"AdditionalAttribute1": "10/PO4711", "AdditionalAttribute2": ""},
}


def parsed(document: object) -> object:
    return read(Answer(200, {}, json.dumps(document).encode()))


def envelope(*rows: object) -> object:
    return parsed({"Total": len(rows), "Page": 1, "SupplierList": list(rows)})


def test_a_supplier_is_read_with_null_as_empty_and_flat_attributes_by_number() -> None:
    supplier = answers.written_supplier(envelope(SUPPLIER))
    assert supplier.id == ID.lower()
    assert (supplier.account_payable, supplier.tax_number, supplier.comments) == ("001", "123456789", "")
    assert supplier.discount == Decimal(2)
    assert supplier.attributes == {1: "IFS-20017"}
    assert (supplier.addresses[0].state, supplier.addresses[0].city) == ("", "")
    assert supplier.contacts[0].default is True


def test_missing_lists_are_empty() -> None:
    supplier = answers.written_supplier(envelope({"ID": ID, "Name": "A", "Addresses": None}))
    assert (supplier.addresses, supplier.contacts, supplier.currency) == ((), (), "")


@pytest.mark.parametrize("rows", [(), (SUPPLIER, SUPPLIER), ({"Name": "without an id"},)])
def test_a_write_that_is_not_answered_with_one_supplier_is_unclear(rows: tuple[object, ...]) -> None:
    with pytest.raises(Cin7Unclear):
        answers.written_supplier(envelope(*rows))


@pytest.mark.parametrize(
    "document", [[], {}, {"SupplierList": None}, {"SupplierList": [1]}, "x", None, {"Products": []}]
)
def test_a_page_that_is_no_page_is_unclear(document: object) -> None:
    with pytest.raises(Cin7Unclear, match="SupplierList"):
        answers.page(document, "SupplierList")


def test_an_advanced_purchase_is_read_with_its_order() -> None:
    purchase = answers.purchase(parsed(PURCHASE))
    assert (purchase.id, purchase.order_number, purchase.required_by) == (ID.lower(), "PO-00102", None)
    assert purchase.attributes == {1: "10/PO4711"}
    assert purchase.order.lines[0].price == Decimal("0.25")
    assert purchase.order.lines[0].total == Decimal(25)
    assert purchase.order.lines[0].product_id == ID.lower()
    assert purchase.order.additional_charges[0].reference == "r"
    assert (purchase.order.status, purchase.order.total) == ("AUTHORISED", Decimal("44.4"))
    assert (purchase.received, purchase.invoiced) == (False, False)


def test_a_simple_purchase_has_single_stages() -> None:
    stages = {"StockReceived": {"Status": "AUTHORISED"}, "Invoice": {"Status": "DRAFT", "InvocieNumber": "7"}}
    purchase = answers.purchase(parsed({**PURCHASE, **stages, "PutAway": None}))
    assert (purchase.received, purchase.invoiced) == (True, False)


@pytest.mark.parametrize(
    ("change", "received", "invoiced"),
    [
        ({"StockReceived": [STAGE, {"Status": "AUTHORISED"}]}, True, False),
        ({"PutAway": [{"Status": "AUTHORISED"}]}, True, False),
        ({"Invoice": [{"Status": "VOIDED"}, {"Status": "PAID"}]}, False, True),
        ({"CreditNote": [{"Status": "AUTHORISED"}]}, False, True),
        ({"CombinedReceivingStatus": "PARTIALLY RECEIVED"}, True, False),
        ({"CombinedInvoiceStatus": "PARTIALLY INVOICED / CREDITED"}, False, True),
        ({"CombinedReceivingStatus": "NOT RECEIVED", "CombinedInvoiceStatus": "NOT INVOICED"}, False, False),
        ({"StockReceived": [{"Status": "DRAFT"}], "Invoice": [{"Status": "VOIDED"}]}, False, False),
        ({"StockReceived": {"Status": ""}, "Invoice": None}, False, False),
    ],
)
def test_stages_fold_to_whether_goods_or_an_invoice_are_on_the_books(
    change: dict[str, Any], received: bool, invoiced: bool
) -> None:
    purchase = answers.purchase(parsed({**PURCHASE, **change}))
    assert (purchase.received, purchase.invoiced) == (received, invoiced)


@pytest.mark.parametrize("document", [[], {}, {"ID": None}, {"ID": answers.ZERO_ID[:0]}, "x", None])
def test_what_is_no_purchase_is_unclear(document: object) -> None:
    with pytest.raises(Cin7Unclear):
        answers.purchase(document)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "abc", True, [], {}, "1e999999", 10**18])
def test_what_is_no_number_is_named(value: object) -> None:
    if value is True:
        assert answers.number({"Total": value}, "Total") == 1
        return
    with pytest.raises(Cin7Unclear, match="Total"):
        answers.number({"Total": value}, "Total")


@pytest.mark.parametrize("value", [None, "", 0, "0.0000", Decimal("0.00")])
def test_nothing_is_zero(value: object) -> None:
    assert answers.number({"Total": value}, "Total") == 0


def test_the_zero_guid_is_no_id() -> None:
    assert answers.identifier({"ID": answers.ZERO_ID}, "ID") is None


def test_a_row_of_the_list_is_read() -> None:
    row = answers.purchase_row({"ID": ID, "OrderNumber": "PO-1", "Status": "DRAFT", "SupplierID": ID, "Note": "x"})
    assert (row.id, row.order_number, row.supplier_id, row.supplier) == (ID.lower(), "PO-1", ID.lower(), "")


BILL = {
    "TaskID": ID,
    "InvoiceNumber": "NF-5581",
    "InvoiceDate": "2026-03-21T00:00:00",
    "Status": "PAID",
    "AdditionalCharges": [{"Description": "Freight", "Account": 425, "Quantity": 1, "Price": 12, "Total": 12}],
    "Total": 14.4,
    "Paid": "14.4",
}


def test_a_purchase_shows_its_invoices_and_credit_notes() -> None:
    note = {"TaskID": ID, "CreditNoteNumber": "CN-1", "CreditNoteInvoiceNumber": "NF-5581", "Status": "DRAFT"}
    purchase = answers.purchase(parsed({**PURCHASE, "Invoice": [BILL, STAGE], "CreditNote": [note]}))
    first, second = purchase.invoices
    assert (first.task_id, first.number, first.status, first.paid) == (ID.lower(), "NF-5581", "PAID", Decimal("14.4"))
    assert (first.additional_charges[0].account, first.total) == ("425", Decimal("14.4"))
    assert (second.number, second.date) == ("", None)
    assert [(held.number, held.invoice_number) for held in purchase.credit_notes] == [("CN-1", "NF-5581")]


def test_a_misspelt_invoice_number_is_read_too() -> None:
    purchase = answers.purchase(parsed({**PURCHASE, "Invoice": {"Status": "DRAFT", "InvocieNumber": "7"}}))
    assert [invoice.number for invoice in purchase.invoices] == ["7"]


def test_all_invoices_of_a_purchase_come_in_one_answer() -> None:
    found = answers.invoices(parsed({"PurchaseID": ID, "Invoices": [BILL, {**BILL, "InvoiceNumber": "NF-5582"}]}))
    assert [invoice.number for invoice in found] == ["NF-5581", "NF-5582"]
    assert answers.credit_notes(parsed({"PurchaseID": ID, "CreditNotes": []})) == ()


def test_an_answer_without_the_invoices_is_unclear() -> None:
    with pytest.raises(Cin7Unclear, match="Invoices"):
        answers.invoices({"PurchaseID": ID})

"""The stand-in's invoices: gates, tasks, accounts, totals, dates, undo, void, and what a bookkeeper does to them."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.cin7_fixtures import FREIGHT, Cin7, cin7_fixture, order, served_fixture  # noqa: F401 - fixtures, found by name.

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
PATH = "advanced-purchase/invoice"


def ordered(cin7: Cin7, **fields: object) -> dict[str, Any]:
    """Create a purchase with an authorised order of one line."""
    purchase = cin7.purchase("advanced-purchase", **fields)
    cin7.ok("POST", "purchase/order", order(purchase, cin7.line()))
    return purchase


def invoice(cin7: Cin7, purchase: dict[str, Any], **fields: object) -> dict[str, Any]:
    """Return the body of the purchase's first invoice, for all that was ordered."""
    line = {**cin7.line(), "Account": "715"}
    dates = {"InvoiceDate": "2026-03-20T00:00:00", "InvoiceDueDate": "2026-04-19T00:00:00"}
    head = {"PurchaseID": purchase["ID"], "TaskID": purchase["Invoice"][0]["TaskID"], "CombineAdditionalCharges": False}
    return {**head, **dates, "InvoiceNumber": "ACME-88123", "Status": "AUTHORISED", "Lines": [line], **fields}


def half(cin7: Cin7, **fields: object) -> dict[str, Any]:
    return {**cin7.line(Quantity=50, Tax=2.5, Total=12.5), "Account": "715", **fields}


def read(cin7: Cin7, purchase: dict[str, Any]) -> dict[str, Any]:
    return cin7.ok("GET", "advanced-purchase", ID=purchase["ID"])


def statuses(cin7: Cin7, purchase: dict[str, Any]) -> tuple[str, str, str]:
    found = read(cin7, purchase)
    return found["Status"], found["CombinedInvoiceStatus"], found["CombinedPaymentStatus"]


def row(cin7: Cin7, **params: object) -> dict[str, Any]:
    rows = cin7.ok("GET", "purchaseList", **params)["PurchaseList"]
    assert len(rows) == 1
    assert isinstance(rows[0], dict)
    return rows[0]


def test_an_invoice_answers_the_envelope_and_stands_in_the_purchase_and_the_list(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    charge = {**FREIGHT, "TaxRule": "Tax on Purchases", "Account": "425"}
    answer = cin7.ok("POST", PATH, invoice(cin7, purchase, AdditionalCharges=[charge]))
    assert answer["PurchaseID"] == purchase["ID"]
    (made,) = answer["Invoices"]
    assert (made["TotalBeforeTax"], made["Tax"], made["Total"]) == (37, 7.4, 44.4)
    assert (made["InvoiceTotalAmount"], made["InvoiceTotalTaxAmount"]) == (44.4, 7.4)
    assert [line["Account"] for line in made["Lines"] + made["AdditionalCharges"]] == ["715", "425"]
    assert "SupplierSKU" not in made["Lines"][0]
    assert cin7.ok("GET", PATH, PurchaseID=purchase["ID"].upper()) == answer
    stored = read(cin7, purchase)["Invoice"][0]
    assert (stored["InvoiceNumber"], stored["Status"], stored["Total"]) == ("ACME-88123", "AUTHORISED", 44.4)
    listed = row(cin7, Search="me-8812")
    assert (listed["InvoiceNumber"], listed["InvoiceAmount"], listed["InvoiceStatus"], listed["InvoiceDate"]) == (
        "ACME-88123",
        44.4,
        "AUTHORISED",
        "2026-03-20T00:00:00",
    )
    assert statuses(cin7, purchase) == ("INVOICED", "INVOICED", "UNPAID")


def test_charges_move_among_the_lines_where_the_call_asks(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    charge = {**FREIGHT, "TaxRule": "Tax on Purchases", "Account": "425"}
    cin7.ok("POST", PATH, invoice(cin7, purchase, AdditionalCharges=[charge]))
    combined = cin7.ok("GET", PATH, PurchaseID=purchase["ID"], CombineAdditionalCharges="true")["Invoices"][0]
    assert [line["Name"] for line in combined["Lines"]] == ["Bolt M8", "Freight"]
    whole = cin7.ok("GET", "advanced-purchase", ID=purchase["ID"], CombineAdditionalCharges="true")
    assert len(whole["Invoice"][0]["Lines"]) == 2


def test_an_invoice_needs_an_authorised_order(cin7: Cin7) -> None:
    purchase = cin7.purchase()
    assert "should be AUTHORISED" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]
    cin7.ok("POST", "purchase/order", order(purchase, cin7.line(), Status="DRAFT"))
    assert "it is DRAFT" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]
    blind = cin7.purchase(BlindReceipt=True)
    cin7.ok("POST", PATH, invoice(cin7, blind))


def test_stock_first_needs_the_receipt_before_the_invoice(cin7: Cin7) -> None:
    purchase = ordered(cin7, Approach="STOCK")
    assert "authorise StockReceived" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]
    cin7.control("POST", f"purchases/{purchase['ID']}", {"received": True})
    cin7.ok("POST", PATH, invoice(cin7, purchase))
    assert statuses(cin7, purchase)[0] == "COMPLETED"


@pytest.mark.parametrize("missing", ["PurchaseID", "TaskID", "CombineAdditionalCharges", "Status", "Lines"])
def test_an_invoice_needs_all_of_its_head(cin7: Cin7, missing: str) -> None:
    body = invoice(cin7, ordered(cin7))
    del body[missing]
    assert cin7.refusals("POST", PATH, body) == [f"Required property '{missing}' not found"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Account": ""}, "Required attribute Account"),
        ({"Account": "7150"}, "Account '7150' was not found in Chart of Accounts reference book"),
        ({"Account": "499"}, "Account '499' was not found"),
        ({"Account": "1"}, "Account '1' was not found"),
        ({"Total": 25.02}, "Total 25.02 is invalid"),
        ({"SKU": "BOLT-M9"}, "Product 'BOLT-M9'"),
        ({"TaxRule": "VAT"}, "Tax Rules reference book"),
    ],
)
def test_a_row_with_a_fault_refuses_the_whole_invoice(cin7: Cin7, change: dict[str, Any], part: str) -> None:
    purchase = ordered(cin7)
    lines = [half(cin7), half(cin7, **change)]
    assert any(part in text for text in cin7.refusals("POST", PATH, invoice(cin7, purchase, Lines=lines)))
    assert read(cin7, purchase)["Invoice"] == purchase["Invoice"]


def test_every_charge_needs_an_active_account_too(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    charge = {**FREIGHT, "TaxRule": "Tax on Purchases"}
    for account, part in (("", "Required attribute Account"), ("499", "Account '499'")):
        body = invoice(cin7, purchase, AdditionalCharges=[{**charge, "Account": account}])
        assert part in cin7.refusals("POST", PATH, body)[0]
    cin7.ok("POST", PATH, invoice(cin7, purchase, AdditionalCharges=[{**charge, "Account": "001"}]))


def test_stock_lines_need_an_asset_account_where_the_switch_says_so(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.control("POST", "switches", {"stock_line_accounts": "asset"})
    body = invoice(cin7, purchase, Lines=[{**cin7.line(), "Account": "461"}])
    assert "is not an asset account" in cin7.refusals("POST", PATH, body)[0]
    cin7.control("POST", "switches", {"stock_line_accounts": "any"})
    cin7.ok("POST", PATH, body)


def test_a_control_total_must_agree_with_the_rows_unless_it_is_ignored(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    body = invoice(cin7, purchase, InvoiceTotalAmount=31)
    assert "InvoiceTotalAmount 31 is invalid" in cin7.refusals("POST", PATH, body)[0]
    cin7.control("POST", "switches", {"control_totals": "ignored"})
    assert cin7.ok("POST", PATH, body)["Invoices"][0]["InvoiceTotalAmount"] == 30


def test_the_zero_guid_makes_a_further_invoice_each_time(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase, InvoiceNumber="A-1", Lines=[half(cin7)]))
    assert statuses(cin7, purchase) == ("PARTIALLY INVOICED", "PARTIALLY INVOICED", "UNPAID")
    body = invoice(cin7, purchase, TaskID=ZERO_GUID, InvoiceNumber="A-2", Lines=[half(cin7)])
    answer = cin7.ok("POST", PATH, body)
    assert [item["InvoiceNumber"] for item in answer["Invoices"]] == ["A-1", "A-2"]
    assert len({item["TaskID"] for item in answer["Invoices"]} - {ZERO_GUID}) == 2
    assert [item["InvoicingAndReceivingNumber"] for item in read(cin7, purchase)["Invoice"]] == [1, 2]
    assert statuses(cin7, purchase)[:2] == ("INVOICED", "INVOICED")
    # Nothing tells a repeated call from a further one.
    assert len(cin7.ok("POST", PATH, body)["Invoices"]) == 3


def test_the_zero_guid_leaves_the_untouched_first_invoice_where_it_is(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    answer = cin7.ok("POST", PATH, invoice(cin7, purchase, TaskID=ZERO_GUID))
    assert [item["Status"] for item in answer["Invoices"]] == ["NOT AVAILABLE", "AUTHORISED"]
    assert statuses(cin7, purchase)[1] == "INVOICED"
    assert row(cin7)["InvoiceNumber"] == "ACME-88123"


def test_an_omitted_task_makes_a_new_invoice_where_the_switch_says_so(cin7: Cin7) -> None:
    cin7.control("POST", "switches", {"new_invoice_task": "omitted"})
    purchase = ordered(cin7)
    body = invoice(cin7, purchase, TaskID=ZERO_GUID)
    assert cin7.refusals("POST", PATH, body) == ["Purchase Task with specified ID not found"]
    del body["TaskID"]
    assert len(cin7.ok("POST", PATH, body)["Invoices"]) == 2


def test_a_task_of_another_purchase_or_of_none_is_unknown(cin7: Cin7) -> None:
    purchase, other = ordered(cin7), ordered(cin7)
    for task in (other["ID"], "5d0c1f5e-0a3b-4b1e-9a55-0f6b1a0f7f10", "7"):
        texts = cin7.refusals("POST", PATH, invoice(cin7, purchase, TaskID=task))
        assert texts == ["Purchase Task with specified ID not found"]
    for method, params in (("GET", {"PurchaseID": ZERO_GUID}), ("DELETE", {"TaskID": ZERO_GUID})):
        assert cin7.refusals(method, PATH, **params) == ["Purchase Task with specified ID not found"]


def test_the_first_task_is_the_purchase_itself_or_one_of_its_own(cin7: Cin7) -> None:
    assert (first := ordered(cin7))["Invoice"][0]["TaskID"] == first["ID"]
    cin7.control("POST", "switches", {"first_invoice_task": "own"})
    purchase = ordered(cin7)
    assert purchase["Invoice"][0]["TaskID"] not in (purchase["ID"], ZERO_GUID)
    cin7.refusals("POST", PATH, invoice(cin7, purchase, TaskID=purchase["ID"]))
    answer = cin7.ok("POST", PATH, invoice(cin7, purchase))
    assert [item["TaskID"] for item in answer["Invoices"]] == [purchase["Invoice"][0]["TaskID"]]
    cin7.ok("DELETE", PATH, TaskID=purchase["Invoice"][0]["TaskID"].upper(), Void="true")


def test_a_number_that_is_not_sent_is_made(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase, InvoiceNumber=None, Lines=[half(cin7)]))
    body = invoice(cin7, purchase, TaskID=ZERO_GUID, InvoiceNumber="", Lines=[half(cin7)])
    answer = cin7.ok("POST", PATH, body)
    assert [item["InvoiceNumber"] for item in answer["Invoices"]] == ["INV-00001", "INV-00001/2"]
    other = cin7.ok("POST", PATH, invoice(cin7, ordered(cin7), InvoiceNumber=None))
    assert other["Invoices"][0]["InvoiceNumber"] == "INV-00002"


def test_numbers_may_repeat_unless_the_switch_forbids(cin7: Cin7) -> None:
    first, second = ordered(cin7), ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, first))
    cin7.control("POST", "switches", {"duplicate_invoice_numbers": "refused"})
    body = invoice(cin7, second, InvoiceNumber="acme-88123")
    assert "already exists" in cin7.refusals("POST", PATH, body)[0]
    cin7.control("POST", "switches", {"duplicate_invoice_numbers": "allowed"})
    cin7.ok("POST", PATH, body)


def test_a_draft_is_replaced_and_an_authorised_invoice_must_be_undone_first(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase, Status="DRAFT", Lines=[half(cin7)]))
    assert statuses(cin7, purchase) == ("ORDERED", "NOT INVOICED", "UNPAID")
    body = invoice(cin7, purchase, InvoiceNumber=None)
    answer = cin7.ok("POST", PATH, body)
    assert [(item["InvoiceNumber"], item["Total"]) for item in answer["Invoices"]] == [("ACME-88123", 30)]
    assert "should be DRAFT or NOT AVAILABLE, it is AUTHORISED" in cin7.refusals("POST", PATH, body)[0]
    undone = cin7.ok("DELETE", PATH, TaskID=purchase["ID"], Void="false")
    assert [item["Status"] for item in undone["Invoices"]] == ["DRAFT"]
    cin7.ok("POST", PATH, body)


def test_a_voided_invoice_is_done_with_and_leaves_room_for_another(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase))
    assert cin7.ok("DELETE", PATH, TaskID=purchase["ID"], Void="true")["Invoices"][0]["Status"] == "VOIDED"
    assert statuses(cin7, purchase) == ("ORDERED", "NOT INVOICED", "UNPAID")
    assert "it is VOIDED" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]
    assert cin7.refusals("DELETE", PATH, TaskID=purchase["ID"], Void="true") == ["Invoice is VOIDED"]
    cin7.ok("POST", PATH, invoice(cin7, purchase, TaskID=ZERO_GUID, InvoiceNumber="ACME-88124"))
    assert (row(cin7)["InvoiceNumber"], row(cin7)["InvoiceAmount"]) == ("ACME-88124", 30)


def test_an_authorised_invoice_bars_undo_and_void_of_the_purchase(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase))
    for void in ("true", "false"):
        assert "authorised Invoice" in cin7.refusals("DELETE", "advanced-purchase", ID=purchase["ID"], Void=void)[0]
    cin7.ok("DELETE", PATH, TaskID=purchase["ID"], Void="true")
    assert cin7.ok("DELETE", "advanced-purchase", ID=purchase["ID"], Void="true")["Status"] == "VOIDED"
    assert "already voided" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]


def test_a_service_purchase_takes_charges_only(cin7: Cin7) -> None:
    purchase = ordered(cin7, IsServiceOnly=True)
    line = {**cin7.line(), "Account": "_59_"}
    (made,) = cin7.ok("POST", PATH, invoice(cin7, purchase, Lines=[line]))["Invoices"]
    assert made["Lines"] == []
    charges = [(item["Description"], item["Reference"], item["Account"]) for item in made["AdditionalCharges"]]
    assert charges == [("Bolt M8", "1001/1/1", "_59_")]
    assert statuses(cin7, purchase)[0] == "COMPLETED"


def test_a_simple_purchase_has_one_invoice_equal_to_its_receipt(cin7: Cin7) -> None:
    purchase = ordered(cin7, PurchaseType="Simple")
    assert "only one Invoice" in cin7.refusals("POST", PATH, invoice(cin7, purchase, TaskID=ZERO_GUID))[0]
    cin7.control("POST", f"purchases/{purchase['ID']}", {"received": "partial"})
    assert "exactly match" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]
    cin7.ok("POST", PATH, invoice(cin7, purchase, Lines=[half(cin7)]))
    assert "Simple Purchase" in cin7.refusals("DELETE", PATH, TaskID=purchase["ID"], Void="true")[0]
    assert cin7.ok("GET", "purchase", ID=purchase["ID"])["Invoice"]["InvocieNumber"] == "ACME-88123"


def test_a_date_before_the_lock_date_is_refused_and_so_is_going_back(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    assert cin7.control("POST", "company", {"LockDate": "2026-03-20"})["LockDate"] == "2026-03-20T00:00:00"
    assert cin7.ok("GET", "me")["LockDate"] == "2026-03-20T00:00:00"
    body = invoice(cin7, purchase, InvoiceDate="2026-03-19T00:00:00")
    assert "2026-03-19 is in a locked period: the lock date is 2026-03-20" in cin7.refusals("POST", PATH, body)[0]
    cin7.control("POST", "switches", {"lock_date": "inclusive"})
    assert "locked period" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]
    cin7.control("POST", "switches", {"lock_date": "exclusive"})
    cin7.ok("POST", PATH, invoice(cin7, purchase))
    cin7.control("POST", "company", {"LockDate": "2026-04-01"})
    assert "locked period" in cin7.refusals("DELETE", PATH, TaskID=purchase["ID"], Void="true")[0]
    cin7.control("POST", "company", {"LockDate": None})
    cin7.ok("DELETE", PATH, TaskID=purchase["ID"], Void="true")


@pytest.mark.parametrize(
    ("method", "duration", "due"),
    [
        ("number of days", 30, "2026-02-19"),
        ("day of next month", 15, "2026-02-15"),
        ("day of next month", 31, "2026-02-28"),
        ("last day of next month", 0, "2026-02-28"),
        ("days since the end of the month", 14, "2026-02-14"),
    ],
)
def test_a_due_date_that_is_not_sent_follows_from_the_terms(cin7: Cin7, method: str, duration: int, due: str) -> None:
    cin7.control("POST", "terms", {"row": {"Name": "30 days", "Duration": duration, "Method": method}})
    body = invoice(cin7, ordered(cin7), InvoiceDate="2026-01-20T00:00:00", InvoiceDueDate=None)
    assert cin7.ok("POST", PATH, body)["Invoices"][0]["InvoiceDueDate"] == f"{due}T00:00:00"


def test_the_list_shows_one_of_several_invoices_and_search_finds_all(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase, InvoiceNumber="A-1", Lines=[half(cin7)]))
    cin7.ok("POST", PATH, invoice(cin7, purchase, TaskID=ZERO_GUID, InvoiceNumber="A-2", Lines=[half(cin7)]))
    assert (row(cin7, Search="A-2")["InvoiceNumber"], row(cin7)["InvoiceAmount"]) == ("A-1", 30)
    cin7.control("POST", "switches", {"list_invoice": "last"})
    assert row(cin7)["InvoiceNumber"] == "A-2"
    cin7.control("POST", "switches", {"list_amount": "shown", "list_stamp": "seconds"})
    assert row(cin7)["InvoiceAmount"] == 15
    assert len(row(cin7)["LastUpdatedDate"]) == len("2026-01-20T10:00:00Z")
    cin7.control("POST", "switches", {"invoice_search": "shown"})
    assert cin7.ok("GET", "purchaseList", Search="A-1")["PurchaseList"] == []
    assert row(cin7, InvoiceStatus="AUTHORISED", Search="A-2")["ID"] == purchase["ID"]


def test_a_bookkeeper_changes_an_amount_and_an_account_behind_our_back(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    charge = {**FREIGHT, "TaxRule": "Tax on Purchases", "Account": "425"}
    cin7.ok("POST", PATH, invoice(cin7, purchase, AdditionalCharges=[charge]))
    before = read(cin7, purchase)["LastUpdatedDate"]
    cin7.control("POST", "clock", {"offset_s": 60})
    change = {"invoice": "ACME-88123", "row": 1, "Total": 13, "Tax": 2.6, "Account": "461", "InvoiceNumber": "A-9"}
    edited = cin7.control("POST", f"invoices/{purchase['OrderNumber']}", change)
    assert (edited["Invoice"][0]["Total"], edited["Invoice"][0]["InvoiceNumber"]) == (Decimal("45.6"), "A-9")
    assert read(cin7, purchase)["Invoice"][0]["AdditionalCharges"][0]["Account"] == "461"
    assert edited["LastUpdatedDate"] > before
    for wrong in ({"row": 2, "Total": 1}, {"Account": "7150"}, {"invoice": "A-1", "Total": 1}, {"Amount": 1}):
        with pytest.raises(ValueError, match=r"no |0 invoices"):
            cin7.control("POST", f"invoices/{purchase['ID']}", wrong)


def test_a_paid_invoice_can_be_neither_undone_nor_voided(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase))
    cin7.control("POST", f"invoices/{purchase['ID']}", {"pay": 10})
    assert statuses(cin7, purchase)[2] == "PARTIALLY PAID"
    cin7.control("POST", f"invoices/{purchase['ID']}", {"pay": True})
    assert statuses(cin7, purchase) == ("INVOICED", "INVOICED", "PAID")
    stored = read(cin7, purchase)["Invoice"][0]
    assert (stored["Status"], stored["Paid"], [item["Amount"] for item in stored["Payments"]]) == ("PAID", 30, [10, 20])
    assert row(cin7)["PaidAmount"] == 30
    assert "has payments" in cin7.refusals("DELETE", PATH, TaskID=purchase["ID"], Void="true")[0]
    assert "it is PAID" in cin7.refusals("POST", PATH, invoice(cin7, purchase))[0]


def test_a_lost_answer_leaves_the_invoice_behind(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    fault = {"kind": "502", "method": "POST", "path": "/advanced-purchase/invoice", "times": 1, "after_commit": True}
    cin7.control("POST", "faults", fault)
    assert cin7.send("POST", PATH, invoice(cin7, purchase, TaskID=ZERO_GUID)).status_code == 502
    assert row(cin7, Search="ACME-88123")["ID"] == purchase["ID"]


def test_an_invoice_cannot_be_put(cin7: Cin7) -> None:
    assert cin7.send("PUT", PATH, invoice(cin7, ordered(cin7))).status_code == 405


def test_the_state_counts_invoices_and_shows_them(cin7: Cin7) -> None:
    purchase = ordered(cin7)
    cin7.ok("POST", PATH, invoice(cin7, purchase))
    (account,) = cin7.control("GET", "state")["accounts"]
    assert account["counters"]["invoices_written"] == 1
    assert account["purchases"][0]["Invoice"][0]["InvoiceNumber"] == "ACME-88123"

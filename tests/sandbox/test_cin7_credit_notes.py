"""The stand-in's credit notes: what they need, what they do to the statuses of a purchase, and how they are voided."""

from typing import Any

import pytest

from tests.sandbox.cin7_fixtures import FREIGHT, Cin7, cin7_fixture, order, served_fixture  # noqa: F401 - fixtures, found by name.

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
PATH = "advanced-purchase/creditnote"
INVOICE = "advanced-purchase/invoice"


def invoiced(cin7: Cin7, status: str = "AUTHORISED", **fields: object) -> dict[str, Any]:
    """Create a purchase whose order of one line is invoiced."""
    purchase = cin7.purchase("advanced-purchase", **fields)
    cin7.ok("POST", "purchase/order", order(purchase, cin7.line()))
    body = order(purchase, {**cin7.line(), "Account": "715"}, Status=status)
    dates = {"InvoiceDate": "2026-03-20T00:00:00", "InvoiceDueDate": "2026-04-19T00:00:00"}
    cin7.ok("POST", INVOICE, {**body, **dates, "PurchaseID": purchase["ID"], "InvoiceNumber": "ACME-88123"})
    return purchase


def note(cin7: Cin7, purchase: dict[str, Any], **fields: object) -> dict[str, Any]:
    """Return the body of a new credit note over 20 bolts."""
    line = {**cin7.line(Quantity=20, Tax=1, Total=5), "Account": "715"}
    head = {"PurchaseID": purchase["ID"], "TaskID": ZERO_GUID, "CombineAdditionalCharges": False}
    numbers = {"CreditNoteNumber": "CR-7", "CreditNoteInvoiceNumber": "ACME-88123"}
    date = {"CreditNoteDate": "2026-04-02T00:00:00", "Status": "AUTHORISED"}
    return {**head, **numbers, **date, "Lines": [line], **fields}


def read(cin7: Cin7, purchase: dict[str, Any]) -> dict[str, Any]:
    return cin7.ok("GET", "advanced-purchase", ID=purchase["ID"])


def statuses(cin7: Cin7, purchase: dict[str, Any]) -> tuple[str, str, str]:
    found = read(cin7, purchase)
    return found["Status"], found["CombinedInvoiceStatus"], found["CombinedPaymentStatus"]


def test_a_credit_note_answers_the_envelope_and_stands_in_the_purchase_and_the_list(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    charge = {**FREIGHT, "TaxRule": "Tax on Purchases", "Account": "425"}
    answer = cin7.ok("POST", PATH, note(cin7, purchase, AdditionalCharges=[charge]))
    assert answer["PurchaseID"] == purchase["ID"]
    (made,) = answer["CreditNotes"]
    assert (made["CreditNoteNumber"], made["Status"], made["Total"]) == ("CR-7", "AUTHORISED", 20.4)
    assert made["TaskID"] not in (ZERO_GUID, purchase["ID"])
    assert cin7.ok("GET", PATH, PurchaseID=purchase["ID"]) == answer
    assert [item["CreditNoteNumber"] for item in read(cin7, purchase)["CreditNote"]] == ["CR-7"]
    (row,) = cin7.ok("GET", "purchaseList", Search="cr-7")["PurchaseList"]
    assert (row["CreditNoteNumber"], row["CreditNoteStatus"], row["InvoiceNumber"], row["InvoiceAmount"]) == (
        "CR-7",
        "AUTHORISED",
        "ACME-88123",
        30,
    )


@pytest.mark.parametrize("paid", [False, True])
def test_a_credit_note_needs_an_invoice_that_is_authorised_or_paid(cin7: Cin7, *, paid: bool) -> None:
    draft = invoiced(cin7, "DRAFT")
    assert "should be AUTHORISED or PAID" in cin7.refusals("POST", PATH, note(cin7, draft))[0]
    purchase = invoiced(cin7)
    if paid:
        cin7.control("POST", f"invoices/{purchase['ID']}", {"pay": True})
    cin7.ok("POST", PATH, note(cin7, purchase))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"PurchaseID": None}, "PurchaseID"),
        ({"TaskID": None}, "TaskID"),
        ({"TaskID": "5d0c1f5e-0a3b-4b1e-9a55-0f6b1a0f7f10"}, "Purchase Task with specified ID not found"),
        ({"CreditNoteNumber": ""}, "CreditNoteNumber is not provided"),
        ({"CreditNoteInvoiceNumber": None}, "CreditNoteInvoiceNumber is not provided"),
        ({"CreditNoteInvoiceNumber": "x" * 51}, "CreditNoteInvoiceNumber length should not exceed 50"),
        ({"CreditNoteDate": None}, "CreditNoteDate is not provided"),
        ({"CreditNoteDate": "soon"}, "CreditNoteDate is invalid"),
        ({"Status": "VOIDED"}, "Status 'VOIDED' is invalid"),
        ({"Lines": None}, "Lines"),
        ({"Lines": []}, "without Lines"),
        ({"Unstock": [{"Quantity": 1}]}, "CardID is not provided"),
        ({"Unstock": [{"CardID": "bolt", "Quantity": 1}]}, "CardID is invalid"),
    ],
)
def test_a_credit_note_with_a_fault_is_refused(cin7: Cin7, change: dict[str, Any], part: str) -> None:
    purchase = invoiced(cin7)
    assert any(part in text for text in cin7.refusals("POST", PATH, note(cin7, purchase, **change)))
    assert read(cin7, purchase)["CreditNote"] == purchase["CreditNote"]


def test_every_row_needs_an_active_account(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    body = note(cin7, purchase, Lines=[{**cin7.line(), "Account": "499"}])
    assert "Account '499'" in cin7.refusals("POST", PATH, body)[0]


def test_a_draft_is_replaced_and_an_authorised_credit_note_is_not(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    (draft,) = cin7.ok("POST", PATH, note(cin7, purchase, Status="DRAFT"))["CreditNotes"]
    assert statuses(cin7, purchase)[0] == "INVOICED"
    body = note(cin7, purchase, TaskID=draft["TaskID"].upper())
    (made,) = cin7.ok("POST", PATH, body)["CreditNotes"]
    assert (made["TaskID"], made["Status"]) == (draft["TaskID"], "AUTHORISED")
    assert "it is AUTHORISED" in cin7.refusals("POST", PATH, body)[0]


def test_the_zero_guid_makes_a_further_credit_note_each_time(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    cin7.ok("POST", PATH, note(cin7, purchase))
    answer = cin7.ok("POST", PATH, note(cin7, purchase, CreditNoteNumber="CR-8"))
    assert [item["CreditNoteNumber"] for item in answer["CreditNotes"]] == ["CR-7", "CR-8"]
    (row,) = cin7.ok("GET", "purchaseList", Search="CR-8")["PurchaseList"]
    assert row["CreditNoteNumber"] == "CR-7"


def test_a_simple_purchase_has_one_credit_note(cin7: Cin7) -> None:
    purchase = invoiced(cin7, PurchaseType="Simple")
    cin7.ok("POST", PATH, note(cin7, purchase))
    assert "only one Credit Note" in cin7.refusals("POST", PATH, note(cin7, purchase))[0]


def test_a_service_purchase_credits_charges_and_sends_nothing_back(cin7: Cin7) -> None:
    purchase = invoiced(cin7, IsServiceOnly=True)
    (made,) = cin7.ok("POST", PATH, note(cin7, purchase))["CreditNotes"]
    assert (made["Lines"], [item["Account"] for item in made["AdditionalCharges"]]) == ([], ["715"])
    assert statuses(cin7, purchase)[0] == "COMPLETED / CREDIT NOTE CLOSED"
    unstock = [{"CardID": purchase["ID"], "Quantity": 1}]
    assert "Service Purchase" in cin7.refusals("POST", PATH, note(cin7, purchase, Unstock=unstock))[0]


def test_goods_sent_back_are_shown(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    unstock = [{"CardID": "5D0C1F5E-0A3B-4B1E-9A55-0F6B1A0F7F10", "Quantity": 20}]
    (made,) = cin7.ok("POST", PATH, note(cin7, purchase, Unstock=unstock))["CreditNotes"]
    card = {"CardID": "5d0c1f5e-0a3b-4b1e-9a55-0f6b1a0f7f10", "Date": "2026-04-02T00:00:00", "Quantity": 20}
    assert made["Unstock"] == [card]
    assert cin7.ok("GET", "purchaseList", UnstockStatus="AUTHORISED")["Total"] == 1


def test_statuses_follow_from_credit_notes(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    whole = {**cin7.line(), "Account": "715"}
    cin7.ok("POST", PATH, note(cin7, purchase))
    assert statuses(cin7, purchase) == ("CREDITED", "INVOICED / CREDITED", "UNPAID")
    cin7.control("POST", f"invoices/{purchase['ID']}", {"pay": 24})
    assert statuses(cin7, purchase)[2] == "PAID"
    cin7.ok("POST", PATH, note(cin7, purchase, Lines=[whole]))
    assert statuses(cin7, purchase)[2] == "OVERPAID / CREDITED"
    cin7.control("POST", f"purchases/{purchase['ID']}", {"received": True})
    assert statuses(cin7, purchase)[0] == "COMPLETED / CREDIT NOTE CLOSED"


def test_a_partial_invoice_with_a_credit_note_says_both(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    cin7.control("POST", f"invoices/{purchase['ID']}", {"Total": 20, "Tax": 4})
    cin7.ok("POST", PATH, note(cin7, purchase))
    cin7.control("POST", f"purchases/{purchase['ID']}", {"received": True})
    assert statuses(cin7, purchase)[:2] == ("RECEIVED / CREDITED", "PARTIALLY INVOICED / CREDITED")


def test_a_void_takes_the_credit_back(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    (made,) = cin7.ok("POST", PATH, note(cin7, purchase))["CreditNotes"]
    assert "authorised Credit Note" in cin7.refusals("DELETE", INVOICE, TaskID=purchase["ID"], Void="true")[0]
    assert cin7.ok("DELETE", PATH, TaskID=made["TaskID"])["CreditNotes"][0]["Status"] == "VOIDED"
    assert statuses(cin7, purchase)[:2] == ("INVOICED", "INVOICED")
    assert cin7.refusals("DELETE", PATH, TaskID=made["TaskID"]) == ["Credit Note is VOIDED"]
    cin7.ok("DELETE", INVOICE, TaskID=purchase["ID"], Void="true")


def test_a_date_before_the_lock_date_is_refused(cin7: Cin7) -> None:
    purchase = invoiced(cin7)
    (made,) = cin7.ok("POST", PATH, note(cin7, purchase))["CreditNotes"]
    cin7.control("POST", "company", {"LockDate": "2026-04-03"})
    assert "CreditNoteDate 2026-04-02 is in a locked period" in cin7.refusals("POST", PATH, note(cin7, purchase))[0]
    assert "locked period" in cin7.refusals("DELETE", PATH, TaskID=made["TaskID"])[0]


def test_the_invoice_named_must_be_known_where_the_switch_says_so(cin7: Cin7) -> None:
    cin7.control("POST", "switches", {"credit_note_invoice": "known"})
    purchase = invoiced(cin7)
    body = note(cin7, purchase, CreditNoteInvoiceNumber="ACME-1")
    assert "Invoice 'ACME-1' was not found" in cin7.refusals("POST", PATH, body)[0]
    cin7.ok("POST", PATH, note(cin7, purchase))

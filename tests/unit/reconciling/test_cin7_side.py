"""A purchase of Cin7 is cut down to amounts per account, and laid out as copies of an order and its bills."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.cin7 import answers
from tests.unit.mapping import samples
from workers.reconciling import sent
from workers.reconciling.cin7_side import Surroundings, bill_copy, linked_order, loose_order
from workers.reconciling.copies import ROUNDING, TAX, UNCODED
from workers.reconciling.extracts import Extract, extract_of, kept_of, marked_company

ONE = Surroundings(account="main", companies=("10",), suppliers={"s-1": "S1"})
TWO = Surroundings(account="main", companies=("10", "20"))


def row(trace: str, total: str, tax: str, account: str = "") -> dict[str, Any]:
    return {"Comment": trace, "Reference": trace, "Total": Decimal(total), "Tax": Decimal(tax), "Account": account}


def purchase(**changes: object) -> Extract:
    """Return an extract of a purchase as Cin7 answers it."""
    return extract_of(answers.purchase(wire(**changes)))


def wire(**changes: object) -> dict[str, Any]:
    bill = {
        "TaskID": "t-1", "InvoiceNumber": " NF-1 ", "InvoiceDate": "2026-03-10T00:00:00", "Status": "AUTHORISED",
        "Lines": [row("a", "100", "20", "4010")],
        "AdditionalCharges": [row("b", "50", "10", "5010"), row("c", "5", "1", "4010")],
        "TotalBeforeTax": Decimal(155), "Tax": Decimal(31), "Total": Decimal(186),
    }  # fmt: skip
    note = {**bill, "TaskID": "t-2", "CreditNoteNumber": "CR-1", "CreditNoteDate": "2026-03-20T00:00:00"}
    whole: dict[str, Any] = {
        "ID": "P-1", "OrderNumber": "PO-00001", "OrderDate": "2026-03-02T00:00:00", "Status": "ORDERED",
        "SupplierID": "S-1", "Supplier": "Acme", "SupplierCurrency": "EUR", "TaxCalculation": "Exclusive",
        "Note": "IFS PO 10/1001\nUrgent", "LastUpdatedDate": "2026-03-12T08:00:00.327Z",
        "Order": {
            "Status": "AUTHORISED", "Lines": [row("1001/1/1 10", "46", "9.2")],
            "AdditionalCharges": [row("1001/2/1 10 4010 C100", "120", "24")],
            "TotalBeforeTax": Decimal(166), "Tax": Decimal("33.2"), "Total": Decimal("199.2"),
        },
        "Invoice": [bill], "CreditNote": [note],
    }  # fmt: skip
    return {**whole, **changes}


def test_bills_stand_on_the_accounts_of_their_lines() -> None:
    invoice, note = purchase().bills
    assert invoice.amounts == {"4010": Decimal(105), "5010": Decimal(50), TAX: Decimal(31)}
    assert (invoice.number, invoice.date, invoice.is_booked, invoice.credit) == ("NF-1", "2026-03-10", True, False)
    assert (note.number, note.date, note.credit) == ("CR-1", "2026-03-20", True)


def test_prices_with_tax_in_them_give_net_amounts() -> None:
    (invoice, _) = purchase(TaxCalculation="Inclusive").bills
    assert invoice.amounts["5010"] == Decimal(40)


def test_a_total_that_is_not_the_sum_of_its_lines_is_shown() -> None:
    bill = {**wire()["Invoice"][0], "TotalBeforeTax": Decimal("155.01")}
    assert purchase(Invoice=[bill]).bills[0].amounts[ROUNDING] == Decimal("0.01")
    # One that states no totals has those of its lines.
    bare = {name: value for name, value in bill.items() if name not in {"TotalBeforeTax", "Tax", "Total"}}
    assert purchase(Invoice=[bare]).bills[0].amounts == {"4010": Decimal(105), "5010": Decimal(50), TAX: Decimal(31)}


def test_an_order_has_the_accounts_that_the_ledger_kept_for_its_lines() -> None:
    write = samples.written(samples.ORDER)
    copy = linked_order(purchase(), sent.of_purchase(write, "2026-03-01"), sent.accounts_of_lines(write), ONE)
    assert copy.amounts == {UNCODED: Decimal(46), "4010": Decimal(120), TAX: Decimal("33.2")}
    assert (copy.company, copy.date, copy.party, copy.numbered) == ("10", "2026-03-01", "S1", "PO-00001")


def test_a_line_that_nobody_knows_is_on_no_account() -> None:
    order = {**wire()["Order"], "AdditionalCharges": [row("somebody's own text", "120", "24")]}
    write = samples.written(samples.ORDER)
    copy = linked_order(purchase(Order=order), sent.of_purchase(write, ""), sent.accounts_of_lines(write), ONE)
    assert copy.amounts[UNCODED] == Decimal(166)


def test_a_key_with_spaces_is_not_taken_for_another() -> None:
    accounts = {"O'N 3/1/1": "4010", "O'N": "5010"}
    order = {**wire()["Order"], "Lines": [row("O'N 3/1/1 10 4010 C1", "46", "9.2")], "AdditionalCharges": []}
    write = samples.written(samples.ORDER)
    copy = linked_order(purchase(Order=order), sent.of_purchase(write, ""), accounts, ONE)
    assert copy.amounts["4010"] == Decimal(46)


@pytest.mark.parametrize(
    ("changes", "alive"),
    [
        ({}, True),
        ({"Status": "VOIDED"}, False),
        ({"Order": {"Status": "VOIDED"}}, False),
        ({"Order": {"Status": "NOT AVAILABLE"}}, False),
        ({"Order": {"Status": "DRAFT", "Lines": [row("x", "1", "0")]}}, True),
    ],
)
def test_an_order_counts_while_it_is_drafted_or_authorised(changes: dict[str, object], alive: bool) -> None:
    assert loose_order(purchase(**changes), ONE).alive is alive


@pytest.mark.parametrize(
    ("note", "origin", "company"),
    [("IFS PO 20/7\nUrgent", "marked", "20"), ("Keyed by Ann", "hand", ""), ("PO IFS PO 10/1", "hand", "")],
)
def test_what_no_link_leads_to_is_told_by_its_note(note: str, origin: str, company: str) -> None:
    copy = loose_order(purchase(Note=note), TWO)
    assert (copy.origin, copy.company, copy.date) == (origin, company, "2026-03-02")
    assert loose_order(purchase(Note="Keyed by Ann"), ONE).company == "10"


def test_a_marker_in_an_attribute_counts_where_the_note_was_changed() -> None:
    marked = purchase(Note="Urgent", AdditionalAttributes={"AdditionalAttribute1": "IFS INV 10/70001"})
    assert marked.marker == "IFS INV 10/70001"
    assert marked_company(marked.marker) == "10"


def test_a_credit_note_has_ifss_sign() -> None:
    note = purchase().bills[1]
    copy = bill_copy(purchase(), note, ONE, origin="hand")
    assert copy.document == "credit_note"
    assert copy.amounts[TAX] == Decimal(-31)


@pytest.mark.parametrize(
    ("status", "alive"), [("AUTHORISED", True), ("PAID", True), ("DRAFT", False), ("VOIDED", False)]
)
def test_a_bill_counts_once_it_is_on_the_books(status: str, alive: bool) -> None:
    bill = purchase(Invoice=[{**wire()["Invoice"][0], "Status": status}]).bills[0]
    assert bill_copy(purchase(), bill, ONE, origin="ours").alive is alive


def test_what_the_ledger_keeps_is_what_was_cut_down() -> None:
    read = answers.purchase(wire())
    kept = kept_of("main", read)
    assert msgspec.json.decode(kept.body, type=Extract) == extract_of(read)
    assert (kept.account, kept.id, kept.stamp) == ("main", "p-1", "2026-03-12T08:00:00.327Z")

"""What to do with an invoice, from any state in which Cin7 may have its purchase."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cin7.records.invoices import CreditNote, Invoice, InvoiceCharge, InvoiceLine
from shared.cin7.records.purchases import Order, Purchase
from shared.findings import Finding
from shared.ifs.records.supplier_invoices import InvoiceDocument
from tests.unit.mapping.samples import ORDER
from tests.unit.mapping.samples import written as order_written
from tests.unit.mapping.test_supplier_invoices import BOLTS, INVOICE, invoice, negative, posted, posting, written
from tests.unit.writing.test_suppliers import CURRENT as ACME
from workers.mapping.results import InvoiceWrite
from workers.writing.invoice_lines import credit_note_of, invoice_of
from workers.writing.purchase_orders import CreateHeader, Undo, Void, WriteOrder
from workers.writing.supplier_invoices import (
    Plan,
    Step,
    UndoInvoice,
    VoidCreditNote,
    VoidInvoice,
    WriteCreditNote,
    WriteInvoice,
    addressed,
    carries_marker,
    check_supplier,
    held_bills,
    invoice_differences,
    plan_invoice,
    with_task,
)

EURO_ACME = msgspec.structs.replace(ACME, currency="EUR")
WRITE = written(INVOICE)
OWN = addressed(written(invoice(po_ref_number=None)), EURO_ACME)
NOTE = written(negative(invoice(invoice_no="CN-7")))
VOID = written(invoice(objstate="Cancelled"))
SHELL = Invoice(task_id="t-0", status="NOT AVAILABLE")
ORDERED = order_written(ORDER).order


def purchase(*invoices: Invoice, **changes: object) -> Purchase:
    """Return the purchase of order 1001 with these invoices."""
    made = Purchase(
        id="p-1",
        order_number="PO-00102",
        status="ORDERED",
        supplier_currency="EUR",
        tax_calculation="Exclusive",
        order=ORDERED,
        invoices=invoices or (SHELL,),
    )
    return msgspec.structs.replace(made, **changes)


def own(*invoices: Invoice, **changes: object) -> Purchase:
    assert OWN.own is not None
    return purchase(*invoices, **{"note": OWN.marker, "order": OWN.own.order, **changes})


def billed(write: InvoiceWrite = WRITE, /, **changes: object) -> Invoice:
    """Return the invoice as Cin7 holds it once `write` went through."""
    made = invoice_of(write, own() if write.own else purchase())
    return msgspec.structs.replace(made, **{"task_id": "t-1", **changes})


def amended(amount: str = "60.00", **changes: object) -> InvoiceWrite:
    """Return the write after IFS changed the first item's amount."""
    net = Decimal(amount)
    vat = net / 5
    item = msgspec.structs.replace(BOLTS, net_curr_amount=net, vat_curr_amount=vat)
    rows = (posting(1, "4010", amount, item_id=1, code_b="C100"), INVOICE.postings[1])
    totals = {"net_curr_amount": net + 120, "vat_curr_amount": vat + 24}
    return addressed(written(invoice(*rows, items=(item, INVOICE.items[1]), **totals, **changes)), EURO_ACME)


def kinds(plan: Plan) -> list[type[Step]]:
    assert isinstance(plan, tuple), plan
    return [type(step) for step in plan]


def locked(plan: Plan, code: str = "purchase.locked") -> str:
    assert isinstance(plan, list), plan
    (finding,) = plan
    assert isinstance(finding, Finding)
    assert (finding.code, finding.company) == (code, "10")
    return finding.message


def test_a_new_invoice_takes_the_place_that_its_purchase_keeps_ready() -> None:
    assert plan_invoice(WRITE, purchase(), None) == (
        WriteInvoice(msgspec.structs.replace(invoice_of(WRITE, purchase()), task_id="t-0")),
    )


def test_a_second_invoice_of_an_order_is_a_new_one() -> None:
    first = billed(number="NF-5580")
    (step,) = plan_invoice(WRITE, purchase(first), None)
    assert isinstance(step, WriteInvoice)
    assert step.invoice.task_id == ""


def test_ordered_parts_become_lines_and_everything_else_charges_each_with_its_account() -> None:
    made = invoice_of(WRITE, purchase())
    (line,) = made.lines
    (charge,) = made.additional_charges
    assert (line.sku, line.product_id, line.name) == ("BOLT-8", "p-bolt", "Bolt M8, zinc")
    assert (line.quantity, line.price, line.total, line.tax, line.account) == (
        Decimal(250),
        Decimal("0.184"),
        Decimal("46.00"),
        Decimal("9.20"),
        "4010",
    )
    assert (charge.description, charge.quantity, charge.price, charge.account) == (
        "Office cleaning",
        Decimal(1),
        Decimal(120),
        "6100",
    )
    assert (made.total_before_tax, made.tax, made.total) == (WRITE.net, WRITE.tax, WRITE.total)


def test_what_no_price_of_four_places_gives_is_a_charge_of_its_own() -> None:
    item = msgspec.structs.replace(BOLTS, quantity=Decimal(30_000))
    made = invoice_of(written(invoice(items=(item, INVOICE.items[1]))), purchase())
    (line,) = made.lines
    rounding = made.additional_charges[0]
    assert (line.quantity, line.price, line.total) == (Decimal(30_000), Decimal("0.0015"), Decimal("45.00"))
    assert (rounding.total, rounding.account, rounding.tax) == (Decimal("1.00"), line.account, Decimal(0))


def test_amounts_include_tax_where_those_of_the_purchase_do() -> None:
    made = invoice_of(WRITE, purchase(tax_calculation="Inclusive"))
    assert made.lines[0].total == Decimal("55.20")
    assert made.additional_charges[0].total == Decimal("144.00")
    assert made.total == WRITE.total


def test_an_invoice_without_an_order_makes_its_purchase_first() -> None:
    plan = plan_invoice(OWN, None, None)
    assert kinds(plan) == [CreateHeader, WriteOrder, WriteInvoice]
    assert isinstance(plan, tuple)
    header, _, bill = plan
    assert isinstance(header, CreateHeader)
    assert header.header.supplier_id == EURO_ACME.id
    assert isinstance(bill, WriteInvoice)
    assert with_task(bill.invoice, own()).task_id == "t-0"


def test_a_writer_that_died_between_two_steps_goes_on_with_the_next() -> None:
    assert kinds(plan_invoice(OWN, own(order=Order(status="NOT AVAILABLE")), None)) == [WriteOrder, WriteInvoice]
    assert kinds(plan_invoice(OWN, own(), None)) == [WriteInvoice]
    assert plan_invoice(OWN, own(billed(OWN)), None) == ()


def test_an_invoice_whose_order_is_not_in_cin7_names_it() -> None:
    assert "order 1001" in locked(plan_invoice(WRITE, None, None), "dependency.missing")


def test_an_order_that_is_not_authorised_is_named() -> None:
    draft = purchase(order=msgspec.structs.replace(ORDERED, status="DRAFT"))
    assert "PO-00102: its order is DRAFT" in locked(plan_invoice(WRITE, draft, None))


def test_an_invoice_that_is_there_is_left_alone_paid_or_not() -> None:
    assert plan_invoice(WRITE, purchase(billed()), WRITE) == ()
    assert plan_invoice(WRITE, purchase(billed(status="PAID", paid=WRITE.total)), WRITE) == ()
    assert plan_invoice(WRITE, purchase(billed(number=" nf-5581 ")), None)


def test_a_changed_invoice_is_stepped_back_and_written_anew_in_its_place() -> None:
    changed = amended()
    assert plan_invoice(changed, purchase(billed()), WRITE) == (
        UndoInvoice("t-1"),
        WriteInvoice(msgspec.structs.replace(invoice_of(changed, purchase()), task_id="t-1")),
    )


def test_a_draft_that_is_left_over_is_written_directly() -> None:
    (step,) = plan_invoice(WRITE, purchase(billed(status="DRAFT")), None)
    assert isinstance(step, WriteInvoice)
    assert step.invoice.task_id == "t-1"


def test_the_order_of_an_own_purchase_follows_its_changed_invoice() -> None:
    changed = amended(po_ref_number=None)
    assert kinds(plan_invoice(changed, own(billed(OWN)), OWN)) == [UndoInvoice, Undo, WriteOrder, WriteInvoice]


def test_an_invoice_whose_number_changed_is_still_the_same() -> None:
    plan = plan_invoice(written(invoice(invoice_no="NF-5581A")), purchase(billed()), WRITE)
    assert kinds(plan) == [UndoInvoice, WriteInvoice]


@pytest.mark.parametrize("state", [{"status": "PAID"}, {"paid": Decimal(1)}])
def test_a_paid_invoice_that_differs_is_not_touched(state: dict[str, object]) -> None:
    message = locked(plan_invoice(amended(), purchase(billed(**state)), WRITE))
    assert "is paid in Cin7 and differs in: line" in message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"due_date": "2026-05-01T00:00:00"}, "DueDate: 2026-04-20 was asked for, Cin7 has 2026-05-01"),
        ({"total": Decimal("200.00")}, "Invoice Total: 199.20 was asked for, Cin7 has 200.00"),
        ({"status": "DRAFT"}, "Status: AUTHORISED was asked for, Cin7 has DRAFT"),
    ],
)
def test_a_difference_that_is_read_back_is_named(change: dict[str, object], said: str) -> None:
    assert invoice_differences(WRITE, purchase(billed(**change))) == (said,)
    assert invoice_differences(WRITE, purchase(billed())) == ()


def test_a_wrong_account_is_a_difference() -> None:
    line = msgspec.structs.replace(billed().lines[0], account="6100")
    (said,) = invoice_differences(WRITE, purchase(billed(lines=(line,))))
    assert said.endswith("Account: 4010 was asked for, Cin7 has 6100")


def test_an_invoice_that_is_missing_when_read_back_is_a_difference() -> None:
    assert invoice_differences(WRITE, purchase(SHELL)) == ("Invoice NF-5581: one was asked for, Cin7 has 0",)


def test_an_invoice_that_people_voided_does_not_come_back() -> None:
    assert "was voided in Cin7" in locked(plan_invoice(WRITE, purchase(billed(status="VOIDED")), WRITE))
    assert kinds(plan_invoice(WRITE, purchase(billed(status="VOIDED")), VOID)) == [WriteInvoice]


def test_a_void_purchase_takes_nothing() -> None:
    assert "it was voided" in locked(plan_invoice(WRITE, purchase(status="VOIDED"), None))


def test_two_invoices_of_one_number_are_one_too_many() -> None:
    twice = purchase(billed(), billed(task_id="t-2"))
    assert len(held_bills(WRITE, twice)) == 2
    assert "2 times" in locked(plan_invoice(WRITE, twice, WRITE))


def test_another_currency_than_the_suppliers_is_held() -> None:
    locked(plan_invoice(WRITE, purchase(supplier_currency="GBP"), None), "currency.mismatch")
    (finding,) = check_supplier(WRITE, msgspec.structs.replace(ACME, currency="GBP"))
    assert finding.code == "currency.mismatch"
    assert check_supplier(WRITE, EURO_ACME) == check_supplier(VOID, ACME) == []


def test_an_invoice_does_not_move_to_another_purchase_by_itself() -> None:
    moved = written(invoice(po_ref_number="1002"))
    assert "another purchase" in locked(plan_invoice(moved, purchase(), WRITE))


def test_a_cancelled_invoice_is_voided_once() -> None:
    assert plan_invoice(VOID, purchase(billed()), WRITE) == (VoidInvoice("t-1"),)
    assert plan_invoice(VOID, purchase(billed(status="VOIDED")), WRITE) == ()
    assert plan_invoice(VOID, None, None) == ()
    assert invoice_differences(VOID, purchase(billed())) != ()


def test_a_cancelled_invoice_that_is_paid_is_held() -> None:
    assert "cancelled in IFS, but paid" in locked(plan_invoice(VOID, purchase(billed(status="PAID")), WRITE))


def test_a_purchase_that_was_made_for_a_cancelled_invoice_is_voided_with_it() -> None:
    void = written(invoice(po_ref_number=None, objstate="Cancelled"))
    assert plan_invoice(void, own(billed(OWN)), OWN) == (VoidInvoice("t-1"), Void())
    assert plan_invoice(void, own(billed(OWN, status="VOIDED")), OWN) == (Void(),)
    assert plan_invoice(void, own(status="VOIDED"), OWN) == ()


def test_a_credit_note_takes_back_the_newest_invoice_that_is_large_enough() -> None:
    large = billed(number="A", date="2026-03-01T00:00:00")
    newer = billed(number="B", date="2026-03-05T00:00:00", total=Decimal(1))
    (step,) = plan_invoice(NOTE, purchase(large, newer), None)
    assert isinstance(step, WriteCreditNote)
    assert (step.note.number, step.note.invoice_number, step.note.task_id) == ("CN-7", "A", "")
    assert step.note.lines[0].total == Decimal("46.00")


def test_a_credit_note_needs_an_invoice_that_is_authorised() -> None:
    locked(plan_invoice(NOTE, purchase(billed(status="DRAFT")), None), "dependency.missing")


def credited(write: InvoiceWrite = NOTE, **changes: object) -> CreditNote:
    made = credit_note_of(write, purchase(billed()), "NF-5581")
    return msgspec.structs.replace(made, **{"task_id": "c-1", **changes})


def test_a_credit_note_that_is_there_is_left_alone_and_a_changed_one_replaced() -> None:
    assert plan_invoice(NOTE, purchase(billed(), credit_notes=(credited(),)), NOTE) == ()
    changed = msgspec.structs.replace(NOTE, date="2026-04-01T00:00:00")
    plan = plan_invoice(changed, purchase(billed(), credit_notes=(credited(),)), NOTE)
    assert kinds(plan) == [VoidCreditNote, WriteCreditNote]
    draft = purchase(billed(), credit_notes=(credited(status="DRAFT"),))
    (step,) = plan_invoice(NOTE, draft, None)
    assert isinstance(step, WriteCreditNote)
    assert step.note.task_id == "c-1"


def test_a_credit_note_that_was_cancelled_is_voided() -> None:
    void = written(negative(invoice(invoice_no="CN-7", objstate="Cancelled")))
    assert plan_invoice(void, purchase(billed(), credit_notes=(credited(),)), NOTE) == (VoidCreditNote("c-1"),)


def test_a_purchase_is_recognised_by_its_marker_even_under_remarks() -> None:
    assert carries_marker(purchase(note="IFS INV 10/70021\npaid in part"), OWN)
    assert carries_marker(purchase(attributes={1: "IFS INV 10/70021"}), OWN)
    assert not carries_marker(purchase(note="IFS INV 10/700210"), OWN)


@settings(max_examples=300, deadline=None)
@given(posted(), st.booleans())
def test_no_money_is_lost_on_the_way_to_the_bill(document: InvoiceDocument, inclusive: bool) -> None:
    write = written(document)
    made = invoice_of(write, purchase(tax_calculation="Inclusive" if inclusive else "Exclusive"))
    rows: list[InvoiceLine | InvoiceCharge] = [*made.lines, *made.additional_charges]
    assert sum(row.total for row in rows) == (write.total if inclusive else write.net)
    assert sum(row.tax for row in rows) == write.tax
    for code in {entry.cin7_code for entry in write.entries}:
        wanted = sum(entry.net + (entry.tax if inclusive else 0) for entry in write.entries if entry.cin7_code == code)
        assert sum(row.total for row in rows if row.account == code) == wanted

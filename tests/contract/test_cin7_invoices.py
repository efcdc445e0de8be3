"""Invoices and credit notes of a purchase through our client: what the plan counts on."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
import redis

from sandbox.cin7 import Cin7Sandbox
from sandbox.serving import serving
from shared.cin7.errors import Cin7Refused
from shared.cin7.records.invoices import CreditNote, Invoice, InvoiceCharge, InvoiceLine
from shared.cin7.records.lines import OrderCharge
from shared.cin7.records.purchases import Order, Purchase
from tests.contract.test_cin7_client import SEED, Served, bolt
from workers.writing.supplier_invoices import with_task


@pytest.fixture
def served(redis_url: str) -> Iterator[Served]:
    sandbox = Cin7Sandbox(seed={"accounts": [SEED]})
    with serving(sandbox, protocol_class=Cin7Sandbox.protocol_class) as url, redis.Redis.from_url(redis_url) as client:
        yield Served(sandbox, url, client)


def charge(amount: str = "12.50") -> InvoiceCharge:
    return InvoiceCharge(
        description="Freight",
        reference="IFS INV 10/70021/2 425",
        quantity=Decimal(1),
        price=Decimal(amount),
        tax=Decimal(amount) / 5,
        tax_rule="Tax on Purchases",
        account="425",
        total=Decimal(amount),
    )


def ordered_charge(amount: str) -> OrderCharge:
    billed = charge(amount)
    return OrderCharge(**{name: getattr(billed, name) for name in OrderCharge.__struct_fields__})


def invoice(served: Served, number: str, quantity: int = 40) -> Invoice:
    ordered = bolt(served, quantity)
    fields = {name: getattr(ordered, name) for name in ordered.__struct_fields__}
    line = InvoiceLine(**{**fields, "comment": "IFS INV 10/70021/1 715"}, account="715")
    return Invoice(
        number=number,
        date="2026-03-21T00:00:00",
        due_date="2026-04-20T00:00:00",
        lines=(line,),
        additional_charges=(charge(),),
    )


def purchase(served: Served) -> Purchase:
    return served.cin7.purchase(served.purchase_of(bolt(served)))


def test_invoices_of_an_order_take_its_first_place_and_then_new_ones(served: Served) -> None:
    bought = purchase(served)
    first = with_task(invoice(served, "NF-1"), bought)
    assert first.task_id
    served.cin7.write_invoice(bought.id, first)
    second = with_task(invoice(served, "NF-2"), served.cin7.purchase(bought.id))
    assert second.task_id == ""
    written = served.cin7.write_invoice(bought.id, second)
    assert [(held.number, held.status) for held in written] == [("NF-1", "AUTHORISED"), ("NF-2", "AUTHORISED")]
    seen = served.cin7.purchase(bought.id)
    assert seen.invoiced
    assert [held.number for held in seen.invoices] == ["NF-1", "NF-2"]
    assert seen.invoices[0].lines[0].account == "715"
    assert seen.invoices[0].additional_charges[0].reference == "IFS INV 10/70021/2 425"
    assert (seen.invoices[0].date or "")[:10] == "2026-03-21"
    assert seen.invoices[0].total_before_tax == Decimal("22.5")
    assert [held.task_id for held in served.cin7.invoices(bought.id)] == [held.task_id for held in seen.invoices]


def test_an_authorised_invoice_is_stepped_back_and_written_anew_in_its_place(served: Served) -> None:
    bought = purchase(served)
    (held,) = served.cin7.write_invoice(bought.id, with_task(invoice(served, "NF-1"), bought))
    again = msgspec.structs.replace(invoice(served, "NF-1", 60), task_id=held.task_id)
    with pytest.raises(Cin7Refused):
        served.cin7.write_invoice(bought.id, again)
    served.cin7.undo_invoice(held.task_id)
    assert [found.status for found in served.cin7.invoices(bought.id)] == ["DRAFT"]
    (written,) = served.cin7.write_invoice(bought.id, again)
    assert (written.task_id, written.status, written.lines[0].quantity) == (held.task_id, "AUTHORISED", Decimal(60))


def test_a_void_invoice_stays_to_be_seen(served: Served) -> None:
    bought = purchase(served)
    (held,) = served.cin7.write_invoice(bought.id, with_task(invoice(served, "NF-1"), bought))
    served.cin7.void_invoice(held.task_id)
    assert "VOIDED" in [found.status for found in served.cin7.purchase(bought.id).invoices if found.number == "NF-1"]


def test_an_order_that_is_not_authorised_takes_no_invoice(served: Served) -> None:
    bought = served.purchase_of(bolt(served))
    served.cin7.undo_purchase(bought)
    with pytest.raises(Cin7Refused, match="AUTHORISED"):
        served.cin7.write_invoice(bought, with_task(invoice(served, "NF-1"), served.cin7.purchase(bought)))


def test_a_credit_note_is_written_and_voided(served: Served) -> None:
    bought = purchase(served)
    note = CreditNote(
        number="CN-1", invoice_number="NF-1", date="2026-03-28T00:00:00", additional_charges=(charge("2.50"),)
    )
    with pytest.raises(Cin7Refused):
        served.cin7.write_credit_note(bought.id, note)
    served.cin7.write_invoice(bought.id, with_task(invoice(served, "NF-1"), bought))
    (written,) = [held for held in served.cin7.write_credit_note(bought.id, note) if held.number]
    assert (written.number, written.invoice_number, written.status) == ("CN-1", "NF-1", "AUTHORISED")
    assert written.additional_charges[0].account == "425"
    served.cin7.void_credit_note(written.task_id)
    assert [held.status for held in served.cin7.credit_notes(bought.id) if held.number] == ["VOIDED"]


def test_a_service_purchase_of_our_own_is_invoiced_and_amended(served: Served) -> None:
    bought = served.purchase_of(service=True)
    order = Order(status="AUTHORISED", additional_charges=(ordered_charge("12.50"),))
    served.cin7.write_order(bought, order)
    bill = msgspec.structs.replace(invoice(served, "NF-1"), lines=())
    (held,) = served.cin7.write_invoice(bought, with_task(bill, served.cin7.purchase(bought)))
    served.cin7.undo_invoice(held.task_id)
    served.cin7.undo_purchase(bought)
    assert served.cin7.purchase(bought).order.status == "DRAFT"
    served.cin7.write_order(bought, msgspec.structs.replace(order, additional_charges=(ordered_charge("20.00"),)))
    renewed = msgspec.structs.replace(bill, task_id=held.task_id, additional_charges=(charge("20.00"),))
    served.cin7.write_invoice(bought, renewed)
    seen = served.cin7.purchase(bought)
    assert [(one.number, one.status, one.total) for one in seen.invoices] == [("NF-1", "AUTHORISED", Decimal(24))]
    served.cin7.void_invoice(held.task_id)
    assert served.cin7.void_purchase(bought).status == "VOIDED"

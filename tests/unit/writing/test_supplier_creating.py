"""What a supplier of Cin7 is made of in IFS, in the order that IFS wants; what cannot be made is held at once."""

from typing import Any

import msgspec
import pytest

from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.findings import Finding
from shared.ifs.records.suppliers import SupplierDocument, SupplierHeader
from tests.unit.mapping.samples import RULES
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.writing.supplier_creating import NewSupplier, headed, left_to_do, new_supplier, number_of, numbered
from workers.writing.supplier_parts import Insert, applied

SUPPLIER = Supplier(
    id="guid",
    name="Baltic Timber",
    currency="GBP",
    payment_term="30 days",
    account_payable="800",
    tax_rule="Tax on Purchases",
    tax_number="GB7",
    addresses=(
        Address(id="a1", line1="1 Mill Lane", city="Leeds", country="United Kingdom", type="Business"),
        Address(id="a2", line1="1 Mill Lane", city="Leeds", country="United Kingdom", type="Billing"),
    ),
    contacts=(Contact(id="c1", name="Jo", phone="1", email="jo@a.example"),),
)


def write(**changes: Any) -> Cin7SupplierWrite:  # noqa: ANN401 - any field of a supplier
    return Cin7SupplierWrite(account="main", company="10", supplier=msgspec.structs.replace(SUPPLIER, **changes))


def made(number: str = "S900", **changes: Any) -> NewSupplier:  # noqa: ANN401 - as above
    found = new_supplier(write(**changes), number, RULES)
    assert isinstance(found, NewSupplier), found
    return found


def test_the_parts_come_in_the_order_in_which_ifs_takes_them() -> None:
    sets = [step.part.set for step in made().steps]
    assert list(dict.fromkeys(sets)) == [
        "header", "addresses", "address_types", "comm_methods", "invoice_info", "payment_info", "purchase_info",
    ]  # fmt: skip
    assert sets.count("addresses") == 1, "one address of two types"


def test_the_terms_are_agreed_with_the_lead_company() -> None:
    (agreed,) = [step for step in made().steps if step.part.set == "invoice_info"]
    assert isinstance(agreed, Insert)
    assert dict(agreed.values) == {
        "identity": "S900", "company": "10", "def_currency": "GBP", "pay_term_id": "30", "def_vat_code": "V20",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"payment_term": "7 days"}, "term.unmapped", "PaymentTerm"),
        ({"tax_rule": "Unheard of"}, "tax.unmapped", "TaxRule"),
        ({"addresses": (Address(line1="1", country="Atlantis", type="Business"),)}, "source.invalid", "addresses"),
    ],
)
def test_what_has_no_word_in_ifs_is_held(changes: dict[str, Any], code: str, field: str) -> None:
    found = new_supplier(write(**changes), "S900", RULES)
    assert isinstance(found, list)
    assert (found[0].code, field in found[0].field) == (code, True)


def test_a_number_that_ifs_gives_is_put_into_every_part_once_it_is_known() -> None:
    plan = made("")
    header, rest = headed(plan.steps)
    assert "supplier_id" not in dict(header.values)
    for step in numbered(rest, "V7"):
        assert isinstance(step, Insert)
        named = {value for field, value in step.values if field in {"supplier_id", "identity", "vendor_no"}}
        assert named <= {"V7"}, step


@pytest.mark.parametrize(("text", "number"), [(" s900 ", "S900"), ("V-1", "V-1")])
def test_a_number_is_written_as_ifs_writes_it(text: str, number: str) -> None:
    assert number_of(text, "10") == number


@pytest.mark.parametrize("text", ["", "   ", "x" * 21, "a/b", "a^b", "50%", "a\tb"])
def test_what_is_no_number_is_held(text: str) -> None:
    assert isinstance(number_of(text, "10"), Finding)


def test_a_creation_that_stopped_anywhere_goes_on_with_what_is_missing() -> None:
    steps = made().steps
    header, rest = headed(steps)
    bare = applied(SupplierDocument(header=SupplierHeader(supplier_id="S900", name="Baltic Timber")), [header])
    for done in range(len(rest) + 1):
        document = applied(bare, rest[:done])
        left = left_to_do(rest, document)
        shown = [step for step in left if step.part.set not in {"payment_info", "purchase_info"}]
        assert shown == [step for step in rest[done:] if step.part.set not in {"payment_info", "purchase_info"}]

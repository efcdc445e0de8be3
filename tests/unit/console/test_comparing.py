"""Two versions of a record as the fields that differ."""

from decimal import Decimal

from console.comparing import Change, changes, fields
from shared.cin7.records.lines import OrderLine
from shared.cin7.records.suppliers import Address, Supplier

ADDRESS = Address(id="a1", line1="1 Mill Lane", country="Sweden", type="Billing")
ACME = Supplier(
    id="s1",
    name="Acme",
    currency="SEK",
    payment_term="30 days",
    account_payable="2440",
    tax_rule="Purchases 25%",
    attributes={1: "20017"},
    addresses=(ADDRESS,),
    last_modified_on="2026-03-01",
)


def replaced(**changed: object) -> Supplier:
    return Supplier(**{name: getattr(ACME, name) for name in ACME.__struct_fields__} | changed)


def test_equal_records_have_no_changes_whatever_cin7_numbers_them() -> None:
    other = replaced(
        id=None, last_modified_on="", addresses=(Address(line1="1 Mill Lane", country="Sweden", type="Billing"),)
    )
    assert changes(ACME, other) == ()


def test_a_change_names_its_path_and_both_values() -> None:
    moved = replaced(name="Acme Ltd", attributes={1: "20018"})
    assert changes(ACME, moved) == (
        Change(field="Name", before="Acme", after="Acme Ltd"),
        Change(field="Attributes.1", before="20017", after="20018"),
    )


def test_a_new_record_has_every_field_that_is_not_empty() -> None:
    names = [change.field for change in changes(None, ACME)]
    assert "Name" in names
    assert "Addresses[1 Mill Lane].Country" in names
    assert "Comments" not in names
    assert not any("ID" in name for name in names)


def test_an_entry_more_changes_none_of_the_others() -> None:
    second = Address(line1="2 Quay", country="Sweden", type="Shipping")
    before, after = ACME, replaced(addresses=(second, ADDRESS))
    assert {change.field.partition("]")[0] for change in changes(before, after)} == {"Addresses[2 Quay"}
    assert all(change.before == "" for change in changes(before, after))
    assert all(change.after == "" for change in changes(after, before))


def test_entries_of_one_name_are_told_apart() -> None:
    twice = replaced(addresses=(ADDRESS, ADDRESS))
    assert "Addresses[1 Mill Lane 2].City" in fields(twice)


def test_amounts_keep_their_digits() -> None:
    line = OrderLine(product_id="p", sku="BOLT", name="Bolt", quantity=Decimal("250"), price=Decimal("0.1840"),
                     tax=Decimal(0), tax_rule="", comment="1/1", total=Decimal("46.00"))  # fmt: skip
    found = fields({"Lines": [line]})
    assert (found["Lines[1/1].Price"], found["Lines[1/1].Total"]) == ("0.1840", "46.00")

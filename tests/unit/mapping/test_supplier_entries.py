"""IFS addresses and communication methods to Cin7 addresses and contacts."""

import msgspec
import pytest

from shared.cin7.records import suppliers as cin7
from shared.ifs.records.suppliers import Address, AddressType, CommMethod, SupplierDocument
from tests.unit.mapping.samples import ACME, supplied, unsupplied


def addressed(*addresses: Address, types: tuple[AddressType, ...]) -> SupplierDocument:
    return msgspec.structs.replace(ACME, addresses=addresses, address_types=types)


def address(**changes: object) -> Address:
    return msgspec.structs.replace(ACME.addresses[0], **changes)


def typed(code: str, address_id: str = "1", *, default: bool = False) -> AddressType:
    return AddressType(supplier_id="S1", address_id=address_id, address_type_code=code, def_address=default)


def said(*methods: CommMethod) -> SupplierDocument:
    return msgspec.structs.replace(ACME, comm_methods=methods)


def method(kind: str, value: str | None, name: str | None = None, *, default: bool = False) -> CommMethod:
    return CommMethod(identity="S1", method_id=kind, name=name, value=value, method_default=default)


def addresses_of(document: SupplierDocument) -> tuple[cin7.Address, ...]:
    return supplied(document).writes[0].supplier.addresses


def contacts_of(document: SupplierDocument) -> tuple[cin7.Contact, ...]:
    return supplied(document).writes[0].supplier.contacts


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Delivery", "Shipping"),
        ("Document", "Billing"),
        ("Pay", "Billing"),
        ("Visit", "Business"),
        ("VISIT", "Business"),
    ],
)
def test_each_type_of_address_becomes_cin7s(code: str, kind: str) -> None:
    (got,) = addresses_of(addressed(address(), types=(typed(code, default=True),)))
    assert got == cin7.Address(
        line1="1 Mill Lane",
        city="Leeds",
        postcode="LS1 4AB",
        country="United Kingdom",
        type=kind,
        default_for_type=True,
    )


def test_document_and_pay_give_one_billing_address() -> None:
    got = addresses_of(addressed(address(), types=(typed("Document"), typed("Pay"), typed("Visit"))))
    assert [entry.type for entry in got] == ["Billing", "Business"]


def test_a_type_has_one_default_and_document_decides_before_pay() -> None:
    types = (typed("Pay", "1", default=True), typed("Document", "2", default=True), typed("Delivery", "1"))
    got = addresses_of(addressed(address(), address(address_id="2", address1="2 Mill Lane"), types=types))
    assert [(entry.line1, entry.type, entry.default_for_type) for entry in got] == [
        ("1 Mill Lane", "Billing", False),
        ("1 Mill Lane", "Shipping", False),
        ("2 Mill Lane", "Billing", True),
    ]


def test_equal_addresses_are_written_once() -> None:
    types = (typed("Visit", "1"), typed("Visit", "2", default=True))
    (got,) = addresses_of(addressed(address(), address(address_id="2"), types=types))
    assert got.default_for_type


def test_an_address_without_a_known_type_is_left_out() -> None:
    assert addresses_of(addressed(address(), types=(typed("Home"),))) == ()


@pytest.mark.parametrize(
    ("changes", "line1", "line2"),
    [
        ({"address1": None, "name": "Acme Works", "address2": "Gate 2"}, "Acme Works", "Gate 2"),
        ({"address1": None, "address2": "Gate 2"}, "Gate 2", ""),
        ({"address1": " ", "address2": None}, "Leeds", ""),
    ],
)
def test_an_address_without_a_first_line_begins_with_what_it_has(
    changes: dict[str, object], line1: str, line2: str
) -> None:
    (got,) = addresses_of(addressed(address(**changes), types=(typed("Visit"),)))
    assert (got.line1, got.line2) == (line1, line2)


def test_an_address_without_any_line_is_left_out() -> None:
    assert addresses_of(addressed(address(address1=None, city=None), types=(typed("Visit"),))) == ()


@pytest.mark.parametrize(
    ("country", "expected"), [("EE", "Estonia"), ("ee", "Estonia"), ("Eesti", "Eesti"), (None, "United Kingdom")]
)
def test_a_country_is_named_by_its_code_or_as_ifs_names_it(country: str | None, expected: str) -> None:
    (got,) = addresses_of(addressed(address(country=country), types=(typed("Visit"),)))
    assert got.country == expected


def test_a_country_that_is_not_in_the_table_is_held() -> None:
    (finding,) = unsupplied(addressed(address(country="ZZ"), types=(typed("Visit"),)))
    assert (finding.code, finding.field, finding.value) == ("source.invalid", "address 1 Country", "ZZ")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zip_code": "9" * 21}, "address 1 ZipCode"),
        ({"address1": "x" * 257}, "address 1 Address1"),
        ({"city": "Lee\x00ds"}, "address 1 City"),
    ],
)
def test_a_line_that_does_not_fit_is_held_not_cut(changes: dict[str, object], field: str) -> None:
    (finding,) = unsupplied(addressed(address(**changes), types=(typed("Visit"),)))
    assert (finding.code, finding.field) == ("source.invalid", field)


def test_methods_of_one_name_make_one_contact() -> None:
    first, second = contacts_of(ACME)
    assert first == cin7.Contact(name="Jo Reed", phone="+44 113 496 0000", email="jo@acme.example")
    assert second == cin7.Contact(name="General", website="https://acme.example")


def test_names_differ_not_in_case_alone() -> None:
    (contact,) = contacts_of(said(method("Phone", "1", "Jo Reed"), method("Fax", "2", "JO REED ")))
    assert (contact.name, contact.phone, contact.fax) == ("Jo Reed", "1", "2")


def test_the_default_of_a_kind_wins_and_else_the_first() -> None:
    (contact,) = contacts_of(
        said(method("Phone", "1"), method("Phone", "2", default=True), method("Mobile", "3"), method("Mobile", "4"))
    )
    assert (contact.phone, contact.mobile_phone) == ("2", "3")


def test_methods_without_value_or_place_in_cin7_make_no_contact() -> None:
    assert contacts_of(said(method("Phone", " "), method("Pager", "1", "Bo"), method("Email", None))) == ()


def test_a_phone_number_that_does_not_fit_is_held() -> None:
    (finding,) = unsupplied(said(method("Phone", "1" * 51, "Jo")))
    assert (finding.code, finding.field) == ("source.invalid", "communication method Jo Phone")

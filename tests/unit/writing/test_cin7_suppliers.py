"""What a Cin7 supplier's changes become in IFS: part by part, tried on paper first, or held with the three values."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.config.rules import Rules, Term
from shared.findings import Difference
from shared.ifs.records import suppliers as ifs
from shared.ifs.records.suppliers import SupplierDocument
from tests.unit.mapping.samples import ACME as SAMPLE
from tests.unit.mapping.samples import RULES as SAMPLE_RULES
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.mapping.results import SupplierWrites
from workers.mapping.suppliers import map_supplier
from workers.writing.cin7_suppliers import BackPlan, Bring, Nothing, Unsettled, plan_cin7_supplier
from workers.writing.supplier_merging import Common, Referee
from workers.writing.supplier_parts import Change, Insert, applied

RULES = msgspec.structs.replace(
    SAMPLE_RULES,
    reference={
        account: msgspec.structs.replace(found, terms={**found.terms, "60 days": Term(name="60 days", active=True)})
        for account, found in SAMPLE_RULES.reference.items()
    },
)
ACME = msgspec.structs.replace(
    SAMPLE,
    addresses=(
        ifs.Address(supplier_id="S1", address_id="1", address1="1 Mill Lane", city="Leeds", country="GB"),
        ifs.Address(supplier_id="S1", address_id="2", address1="2 Wharf Road", city="Hull", country="GB"),
    ),
    address_types=(
        ifs.AddressType(supplier_id="S1", address_id="1", address_type_code="Document", def_address=True),
        ifs.AddressType(supplier_id="S1", address_id="1", address_type_code="Pay", def_address=True),
        ifs.AddressType(supplier_id="S1", address_id="2", address_type_code="Delivery", def_address=True),
        ifs.AddressType(supplier_id="S1", address_id="2", address_type_code="Visit", def_address=False),
    ),
    comm_methods=(
        ifs.CommMethod(identity="S1", comm_id=1, address_id="1", method_id="Phone", name="Jo", value="1"),
        ifs.CommMethod(identity="S1", comm_id=2, address_id="1", method_id="Email", name="Jo", value="jo@a.example"),
        ifs.CommMethod(identity="S1", comm_id=3, address_id="1", method_id="Phone", value="0"),
    ),
    tax_info=(ifs.TaxInfo(supplier_id="S1", address_id="1", company="10", vat_no="GB1"),),
)


def in_cin7(document: SupplierDocument = ACME, rules: Rules = RULES) -> Supplier:
    """Return what Cin7 holds once the supplier was written there."""
    mapped = map_supplier(document, rules)
    assert isinstance(mapped, SupplierWrites), mapped
    found = mapped.writes[0].supplier
    return msgspec.structs.replace(
        found,
        id="guid",
        addresses=tuple(msgspec.structs.replace(one, id=f"a{at}") for at, one in enumerate(found.addresses)),
        contacts=tuple(msgspec.structs.replace(one, id=f"c{at}") for at, one in enumerate(found.contacts)),
    )


CIN7 = in_cin7()


def plan(
    theirs: Supplier,
    document: SupplierDocument = ACME,
    *,
    written: Supplier = CIN7,
    rules: Rules = RULES,
    referee: Referee | None = None,
) -> BackPlan:
    write = Cin7SupplierWrite(account="main", company="10", supplier=theirs)
    common = Common(supplier=written, own={})
    return plan_cin7_supplier(write, document, common, rules, referee or Referee(company="10"))


def brought(theirs: Supplier, document: SupplierDocument = ACME, rules: Rules = RULES) -> dict[str, object]:
    """Return what is sent, by the name of the part."""
    found = plan(theirs, document, written=in_cin7(document, rules), rules=rules)
    assert isinstance(found, Bring), found
    return {step.part.name: dict(step.after if isinstance(step, Change) else step.values) for step in found.steps}


def held(theirs: Supplier, document: SupplierDocument = ACME, rules: Rules = RULES) -> list[tuple[str, str]]:
    found = plan(theirs, document, written=in_cin7(document, rules), rules=rules)
    assert isinstance(found, Unsettled), found
    return [(one.code, one.field) for one in found.findings]


def cin7(**changes: object) -> Supplier:
    return msgspec.structs.replace(CIN7, **changes)


def address(place: int, **changes: object) -> tuple[Address, ...]:
    return tuple(
        msgspec.structs.replace(one, **changes) if at == place else one for at, one in enumerate(CIN7.addresses)
    )


def contact(place: int, **changes: object) -> tuple[Contact, ...]:
    return tuple(
        msgspec.structs.replace(one, **changes) if at == place else one for at, one in enumerate(CIN7.contacts)
    )


def test_our_own_write_coming_back_brings_nothing() -> None:
    assert isinstance(plan(CIN7), Nothing)


@pytest.mark.parametrize(
    ("changes", "part", "sent"),
    [
        ({"name": "Acme Ltd"}, "header", {"name": "Acme Ltd"}),
        ({"currency": "EUR"}, "invoice_info 10", {"def_currency": "EUR"}),
        ({"payment_term": "60 days"}, "invoice_info 10", {"pay_term_id": "60"}),
        ({"tax_rule": "Reduced"}, "invoice_info 10", {"def_vat_code": "V5"}),
        ({"tax_number": "GB2"}, "tax_info 1 10", {"vat_no": "GB2"}),
        ({"addresses": address(0, city="York", postcode="Y1")}, "addresses 1", {"city": "York", "zip_code": "Y1"}),
        ({"addresses": address(0, line1="9 New Road")}, "addresses 1", {"address1": "9 New Road"}),
        ({"addresses": address(0, country="Estonia")}, "addresses 1", {"country": "EE"}),
        ({"contacts": contact(0, phone="2")}, "comm_methods 1", {"value": "2"}),
        ({"contacts": contact(1, name="Reception")}, "comm_methods 3", {"name": "Reception"}),
    ],
)
def test_a_change_in_cin7_changes_its_part_and_sends_nothing_else(
    changes: dict[str, object], part: str, sent: Mapping[str, object]
) -> None:
    assert brought(cin7(**changes)) == {part: sent}


def test_without_a_tax_number_of_the_company_it_is_the_registration_number() -> None:
    bare = msgspec.structs.replace(ACME, tax_info=())
    assert brought(msgspec.structs.replace(in_cin7(bare), tax_number="AN-2"), bare) == {
        "header": {"association_no": "AN-2"}
    }


def test_what_several_parts_are_made_of_goes_in_the_order_of_ifs() -> None:
    theirs = cin7(
        name="Acme Ltd", payment_term="60 days", contacts=contact(0, phone="2"), addresses=address(0, city="Y")
    )
    found = plan(theirs)
    assert isinstance(found, Bring)
    assert [step.part.set for step in found.steps] == ["header", "addresses", "comm_methods", "invoice_info"]
    assert found.fields == ("name", "payment_term", "addresses Billing 1 Mill Lane city", "contacts Jo phone")


def test_a_new_method_of_a_contact_is_made_under_its_name() -> None:
    assert brought(cin7(contacts=contact(0, website="a.example"))) == {
        "comm_methods": {
            "identity": "S1", "address_id": "1", "method_id": "Www", "name": "Jo", "value": "a.example"
        }
    }  # fmt: skip


def test_a_contact_renamed_in_cin7_is_renamed_method_by_method() -> None:
    assert brought(cin7(contacts=contact(0, name="Joanna", phone="2"))) == {
        "comm_methods 1": {"value": "2", "name": "Joanna"},
        "comm_methods 2": {"name": "Joanna"},
    }


def test_a_contact_added_in_cin7_is_made_with_all_it_has() -> None:
    found = plan(cin7(contacts=(*CIN7.contacts, Contact(id="new", name="Sam", phone="5", email="s@a.example"))))
    assert isinstance(found, Bring)
    assert [dict(step.values)["method_id"] for step in found.steps if isinstance(step, Insert)] == ["Phone", "Email"]


def test_addresses_added_in_cin7_are_one_of_ifs_where_only_their_type_differs() -> None:
    new = Address(id="n", line1="5 Quay", city="Dover", country="United Kingdom", type="Billing")
    theirs = cin7(addresses=(*CIN7.addresses, new, msgspec.structs.replace(new, id="m", type="Shipping")))
    found = plan(theirs)
    assert isinstance(found, Bring)
    assert [step.part.name for step in found.steps] == [
        "addresses 3",
        "address_types 3 Document",
        "address_types 3 Pay",
        "address_types 3 Delivery",
    ]


def test_an_address_that_serves_several_types_is_changed_where_all_were_changed_alike() -> None:
    shared = [at for at, one in enumerate(CIN7.addresses) if one.line1 == "2 Wharf Road"]
    assert len(shared) == 2
    both = tuple(
        msgspec.structs.replace(one, city="York") if at in shared else one for at, one in enumerate(CIN7.addresses)
    )
    assert brought(cin7(addresses=both)) == {"addresses 2": {"city": "York"}}
    label = f"addresses {CIN7.addresses[shared[0]].type} 2 Wharf Road city"
    assert held(cin7(addresses=address(shared[0], city="York"))) == [("supplier.conflict", label)]


def test_a_default_moves_with_its_type() -> None:
    second = Address(id="n", line1="5 Quay", country="United Kingdom", type="Billing", default_for_type=True)
    theirs = cin7(addresses=(*address(0, default_for_type=False), second))
    found = plan(theirs)
    assert isinstance(found, Bring)
    sent = {step.part.name: dict(step.after if isinstance(step, Change) else step.values) for step in found.steps}
    assert sent["address_types 1 Document"] == {"def_address": False}
    assert sent["address_types 3 Document"]["def_address"] is True
    assert [step.part.name for step in found.steps].index("address_types 3 Document") == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"payment_term": "Net 7"}, ("term.unmapped", "PaymentTerm")),
        ({"tax_rule": "Zero"}, ("tax.unmapped", "TaxRule")),
        ({"tax_number": ""}, ("supplier.conflict", "tax_number")),
        ({"status": "Deprecated"}, ("supplier.conflict", "status")),
        ({"addresses": address(0, country="Atlantis")}, ("source.invalid", "addresses Billing 1 Mill Lane country")),
        ({"addresses": address(0, type="Shipping")}, ("supplier.conflict", "addresses Billing 1 Mill Lane type")),
        ({"contacts": contact(0, phone="")}, ("supplier.conflict", "contacts Jo phone")),
        ({"contacts": contact(0, name="General")}, ("supplier.conflict", "contacts General")),
    ],
)
def test_what_has_no_place_in_ifs_is_held_naming_the_field(
    changes: dict[str, object], expected: tuple[str, str]
) -> None:
    assert expected in held(cin7(**changes))


def test_one_field_that_cannot_go_back_keeps_the_others_waiting() -> None:
    assert isinstance(plan(cin7(name="Acme Ltd", payment_term="Net 7")), Unsettled)


def test_a_conflict_is_held_with_the_three_values() -> None:
    document = msgspec.structs.replace(ACME, header=msgspec.structs.replace(ACME.header, name="From IFS"))
    found = plan(cin7(name="From Cin7"), document)
    assert isinstance(found, Unsettled)
    (finding,) = found.findings
    assert isinstance(finding, Difference)
    assert (finding.before, finding.ifs, finding.cin7) == ("Acme Fasteners Ltd", "From IFS", "From Cin7")


def test_what_only_ifs_changed_is_left_to_the_other_direction() -> None:
    document = msgspec.structs.replace(ACME, header=msgspec.structs.replace(ACME.header, name="From IFS"))
    found = plan(cin7(currency="EUR"), document)
    assert isinstance(found, Bring)
    assert (found.to_cin7, [step.part.name for step in found.steps]) == (("name",), ["invoice_info 10"])


def test_a_deprecated_supplier_is_blocked_in_a_tenant_that_has_a_property_for_it() -> None:
    rules = msgspec.structs.replace(RULES, supplier_status=True)
    assert brought(cin7(status="Deprecated"), rules=rules) == {"header": {"blocked": True}}
    blocked = msgspec.structs.replace(ACME, header=msgspec.structs.replace(ACME.header, blocked=True))
    revived = msgspec.structs.replace(in_cin7(blocked, rules), status="Active")
    assert brought(revived, blocked, rules) == {"header": {"blocked": False}}


def test_a_supplier_that_has_expired_in_ifs_is_not_revived_by_a_flag() -> None:
    rules = msgspec.structs.replace(RULES, supplier_status=True, today="2026-05-02")
    expired = msgspec.structs.replace(ACME, header=msgspec.structs.replace(ACME.header, expires="2026-05-01"))
    theirs = in_cin7(expired, rules)
    assert theirs.status == "Deprecated"
    assert held(msgspec.structs.replace(theirs, status="Active"), expired, rules) == [("supplier.conflict", "status")]


def test_without_the_number_of_a_method_it_cannot_be_changed() -> None:
    bare = msgspec.structs.replace(
        ACME, comm_methods=tuple(msgspec.structs.replace(one, comm_id=None) for one in ACME.comm_methods)
    )
    theirs = msgspec.structs.replace(in_cin7(bare), contacts=contact(0, phone="2"))
    assert held(theirs, bare) == [("source.invalid", "comm_methods CommId")]


def test_ifs_words_that_are_not_mapped_hold_what_cin7_changed() -> None:
    lost = msgspec.structs.replace(
        ACME, invoice_info=(msgspec.structs.replace(ACME.invoice_info[0], pay_term_id="77"),)
    )
    found = plan(cin7(name="Acme Ltd"), lost)
    assert isinstance(found, Unsettled)
    assert ([one.code for one in found.findings], found.merge) == (["term.unmapped"], None)


def test_a_supplier_that_no_company_of_the_account_buys_from_is_held() -> None:
    elsewhere = msgspec.structs.replace(
        ACME, invoice_info=(msgspec.structs.replace(ACME.invoice_info[0], company="30", def_vat_code=None),)
    )
    found = plan(cin7(name="Acme Ltd"), elsewhere)
    assert isinstance(found, Unsettled)
    assert [(one.code, one.field) for one in found.findings] == [("source.invalid", "Company")]


# Nothing is ever silently wrong

WORDS = st.sampled_from(["", "1", "Two", "General", "1 Mill Lane"])
CHANGED_ADDRESS = st.fixed_dictionaries(
    {},
    optional={
        "line1": st.sampled_from(["1 Mill Lane", "2 Wharf Road", "x"]),
        "line2": WORDS,
        "city": WORDS,
        "state": WORDS,
        "postcode": WORDS,
        "country": st.sampled_from(["United Kingdom", "Estonia", "Atlantis"]),
        "type": st.sampled_from(["Billing", "Business", "Shipping"]),
        "default_for_type": st.booleans(),
    },
)
CHANGED_CONTACT = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Jo", "General", "Sam"]),
        "phone": WORDS,
        "email": WORDS,
        "website": WORDS,
        "mobile_phone": WORDS,
    },
)
SCALARS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["A", "B"]),
        "currency": st.sampled_from(["EUR", "XXX"]),
        "payment_term": st.sampled_from(["60 days", "Net 7"]),
        "tax_rule": st.sampled_from(["Reduced", "Zero"]),
        "tax_number": WORDS,
        "status": st.sampled_from(["Active", "Deprecated"]),
    },
)


@st.composite
def edited(draw: Callable[..., Any]) -> Supplier:
    """Return what Cin7 holds after its people edited any of it, and added to it."""
    addresses = [msgspec.structs.replace(one, **draw(CHANGED_ADDRESS)) for one in CIN7.addresses]
    contacts = [msgspec.structs.replace(one, **draw(CHANGED_CONTACT)) for one in CIN7.contacts]
    if draw(st.booleans()):
        new = Address(id="n", line1="5 Quay", country="Estonia", type="Billing")
        addresses.append(msgspec.structs.replace(new, **draw(CHANGED_ADDRESS)))
    if draw(st.booleans()):
        contacts.append(msgspec.structs.replace(Contact(id="n", name="New", phone="9"), **draw(CHANGED_CONTACT)))
    return cin7(addresses=tuple(addresses), contacts=tuple(contacts), **draw(SCALARS))


@settings(max_examples=400, deadline=None)
@given(edited(), st.booleans())
def test_what_is_brought_to_ifs_reads_there_as_cin7_has_it_or_is_held(theirs: Supplier, tells: bool) -> None:
    rules = msgspec.structs.replace(RULES, supplier_status=tells)
    found = plan(theirs, written=in_cin7(rules=rules), rules=rules)
    if isinstance(found, Bring):
        document = applied(ACME, found.steps)
        again = plan(theirs, document, written=found.common.supplier or CIN7, rules=rules)
        assert isinstance(again, Nothing)
        assert again.to_cin7 == ()
    else:
        assert isinstance(found, Nothing) or found.findings

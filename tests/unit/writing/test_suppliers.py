"""What to write to a supplier: three versions compared, conflicts settled, entries kept."""

import datetime as dt

import msgspec
import pytest

from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.config.settings import Side
from shared.findings import Difference, Finding
from workers.writing import suppliers
from workers.writing.supplier_merging import Common, Referee
from workers.writing.suppliers import Create, Plan, Unchanged, Update, differences, remembered

JO = Contact(name="Jo Reed", phone="+44 113 496 0000", email="jo@acme.example")
MILL = Address(line1="1 Mill Lane", city="Leeds", country="United Kingdom", type="Billing", default_for_type=True)
WANTED = Supplier(
    name="Acme Fasteners Ltd",
    currency="GBP",
    payment_term="30 days",
    account_payable="800",
    tax_rule="Tax on Purchases",
    tax_number="GB123",
    attribute_set="ERP link",
    attributes={1: "S1"},
    addresses=(MILL,),
    contacts=(JO,),
)
#: What Cin7 answers after WANTED was created: IDs, a stamp, and attributes that are not ours.
CURRENT = msgspec.structs.replace(
    WANTED,
    id="guid-1",
    attributes={1: "S1", 2: "", 3: "gold"},
    comments="pays late",
    addresses=(msgspec.structs.replace(MILL, id="a-1"),),
    contacts=(msgspec.structs.replace(JO, id="c-1", comment="likes tea", default=True),),
    last_modified_on="2026-03-14T08:01:02.39Z",
)
WRITTEN = remembered(WANTED, CURRENT)


def plan_supplier(
    ours: Supplier, written: Supplier | None, theirs: Supplier | None, referee: Referee | None = None
) -> Plan | list[Finding]:
    common = Common() if written is None else Common(supplier=written, own={"c-2": "?", "a-2": "?"})
    return suppliers.plan_supplier(ours, common, theirs, referee)


def unchanged(plan: Plan | list[Finding]) -> tuple[str, ...]:
    """Return what only the way back will carry."""
    assert isinstance(plan, Unchanged), plan
    return plan.to_ifs


def wanted(**changes: object) -> Supplier:
    return msgspec.structs.replace(WANTED, **changes)


def current(**changes: object) -> Supplier:
    return msgspec.structs.replace(CURRENT, **changes)


def jo(**changes: object) -> Contact:
    return msgspec.structs.replace(CURRENT.contacts[0], **changes)


def mill(**changes: object) -> Address:
    return msgspec.structs.replace(CURRENT.addresses[0], **changes)


def updated(plan: Plan | list[Finding]) -> Update:
    assert isinstance(plan, Update), plan
    return plan


def conflicts(plan: Plan | list[Finding]) -> list[str]:
    assert isinstance(plan, list), plan
    assert {finding.code for finding in plan} == {"supplier.conflict"}
    return [finding.field for finding in plan]


def test_a_supplier_that_is_not_there_is_created() -> None:
    assert plan_supplier(WANTED, None, None) == Create(WANTED)


def test_our_own_write_read_back_asks_for_nothing() -> None:
    assert unchanged(plan_supplier(WANTED, WRITTEN, CURRENT)) == ()


def test_a_create_whose_record_was_lost_in_a_crash_is_not_repeated() -> None:
    assert unchanged(plan_supplier(WANTED, None, CURRENT)) == ()


def test_a_field_changed_in_ifs_is_written_and_all_else_is_carried_along() -> None:
    plan = updated(plan_supplier(wanted(payment_term="60 days"), WRITTEN, CURRENT))
    assert (plan.supplier, plan.changed) == (current(payment_term="60 days"), ("payment_term",))


def test_a_field_changed_in_cin7_only_is_left_to_the_way_back() -> None:
    theirs = current(tax_number="GB999", contacts=(jo(phone="1"),), addresses=(mill(city="York"),))
    assert unchanged(plan_supplier(WANTED, WRITTEN, theirs)) == (
        "tax_number",
        "addresses Billing 1 Mill Lane city",
        "contacts Jo Reed phone",
    )


def test_changes_of_both_sides_to_different_fields_meet() -> None:
    theirs = current(tax_number="GB999", contacts=(jo(phone="1"),))
    ours = wanted(contacts=(msgspec.structs.replace(JO, email="j@acme.example"),))
    plan = updated(plan_supplier(ours, WRITTEN, theirs))
    assert plan.supplier == current(tax_number="GB999", contacts=(jo(phone="1", email="j@acme.example"),))
    assert plan.changed == ("contacts Jo Reed email",)


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    assert unchanged(plan_supplier(wanted(tax_number="GB9"), WRITTEN, current(tax_number="GB9"))) == ()


def test_a_field_changed_on_both_sides_is_held_showing_all_three() -> None:
    plan = plan_supplier(wanted(tax_number="GB8"), WRITTEN, current(tax_number="GB9"), Referee(company="10"))
    assert isinstance(plan, list)
    (finding,) = plan
    assert isinstance(finding, Difference)
    assert (finding.before, finding.ifs, finding.cin7) == ("GB123", "GB8", "GB9")
    assert (finding.code, finding.field, finding.company) == ("supplier.conflict", "tax_number", "10")
    assert all(text in finding.message for text in ("“GB123”", "IFS “GB8”", "Cin7 “GB9”"))


def test_every_conflict_is_reported_at_once() -> None:
    ours = wanted(tax_number="GB8", contacts=(msgspec.structs.replace(JO, phone="2"),))
    theirs = current(tax_number="GB9", contacts=(jo(phone="1"),))
    assert conflicts(plan_supplier(ours, WRITTEN, theirs)) == ["tax_number", "contacts Jo Reed phone"]


@pytest.mark.parametrize(
    ("sides", "term", "number", "back"),
    [
        ("ifs", "60 days", "GB8", ()),
        ("cin7", "Cash", "GB9", ("payment_term", "tax_number")),
        ({"payment_term": "ifs", "tax_number": "cin7"}, "60 days", "GB9", ("tax_number",)),
    ],
)
def test_the_settings_decide_a_conflict_per_field(
    sides: Side | dict[str, Side], term: str, number: str, back: tuple[str, ...]
) -> None:
    ours = wanted(payment_term="60 days", tax_number="GB8", currency="EUR")
    theirs = current(payment_term="Cash", tax_number="GB9")
    plan = updated(plan_supplier(ours, WRITTEN, theirs, Referee(sides=sides)))
    assert (plan.supplier.payment_term, plan.supplier.tax_number) == (term, number)
    assert plan.to_ifs == back


def test_a_field_the_policy_does_not_name_is_held() -> None:
    referee = Referee(sides={"name": "ifs"})
    plan = plan_supplier(wanted(tax_number="GB8"), WRITTEN, current(tax_number="GB9"), referee)
    assert conflicts(plan) == ["tax_number"]


@pytest.mark.parametrize(
    ("ifs_changed_at", "stamp", "expected"),
    [
        (dt.datetime(2026, 3, 14, 9, tzinfo=dt.UTC), "2026-03-14T08:01:02.39Z", "Acme of IFS"),
        (dt.datetime(2026, 3, 14, 9, tzinfo=dt.UTC), "2026-03-14T08:01:02.3912345", "Acme of IFS"),
        (dt.datetime(2026, 3, 14, 7, tzinfo=dt.UTC), "2026-03-14T08:01:02.39Z", "Acme of Cin7"),
        (None, "2026-03-14T08:01:02.39Z", None),
        (dt.datetime(2026, 3, 14, 7, tzinfo=dt.UTC), "", None),
    ],
)
def test_the_newest_side_wins_where_that_can_be_told(
    ifs_changed_at: dt.datetime | None, stamp: str, expected: str | None
) -> None:
    plan = plan_supplier(
        wanted(name="Acme of IFS", currency="EUR"),
        WRITTEN,
        current(name="Acme of Cin7", last_modified_on=stamp),
        Referee(sides="newest", ifs_changed_at=ifs_changed_at),
    )
    if expected is None:
        assert conflicts(plan) == ["name"]
    else:
        assert updated(plan).supplier.name == expected


def test_the_stamp_of_the_header_tells_nothing_of_its_parts() -> None:
    referee = Referee(sides="newest", ifs_changed_at=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    plan = plan_supplier(wanted(tax_number="GB8"), WRITTEN, current(tax_number="GB9"), referee)
    assert conflicts(plan) == ["tax_number"]


def test_a_supplier_linked_by_hand_is_filled_in_but_not_overwritten() -> None:
    blank = current(attributes={}, attribute_set="", tax_number="", contacts=(), addresses=())
    plan = updated(plan_supplier(WANTED, None, blank))
    assert plan.supplier.attributes == {1: "S1"}
    assert (plan.supplier.tax_number, plan.supplier.contacts, plan.supplier.addresses) == ("GB123", (JO,), (MILL,))
    assert conflicts(plan_supplier(WANTED, None, current(payment_term="Cash"))) == ["payment_term"]


@pytest.mark.parametrize("written", [None, WRITTEN])
def test_a_name_that_cin7_spells_in_other_case_is_no_conflict(written: Supplier | None) -> None:
    theirs = current(name="ACME  fasteners ltd")
    ours = WANTED if written is None else wanted(name="Acme Group Ltd")
    assert updated(plan_supplier(ours, written, theirs)).supplier == current(name=ours.name)


def test_a_deprecated_supplier_is_not_revived_unasked() -> None:
    assert conflicts(plan_supplier(WANTED, None, current(status="Deprecated"))) == ["status"]
    assert unchanged(plan_supplier(WANTED, WRITTEN, current(status="Deprecated"))) == ("status",)


def test_a_status_is_the_same_in_either_case() -> None:
    assert unchanged(plan_supplier(WANTED, None, current(status="ACTIVE"))) == ()
    assert differences(WANTED, current(status="ACTIVE")) == ()


def test_without_an_attribute_set_in_the_settings_that_of_cin7_stays() -> None:
    assert unchanged(plan_supplier(wanted(attribute_set=""), None, CURRENT)) == ()


def test_entries_that_cin7s_people_added_are_kept() -> None:
    theirs = current(
        contacts=(jo(), Contact(id="c-2", name="Sam")), addresses=(mill(), mill(id="a-2", type="Shipping"))
    )
    plan = updated(plan_supplier(wanted(currency="EUR"), WRITTEN, theirs))
    assert plan.supplier == msgspec.structs.replace(theirs, currency="EUR")


def test_a_new_entry_is_added_without_an_id() -> None:
    sam = Contact(name="Sam", phone="2")
    plan = updated(plan_supplier(wanted(contacts=(JO, sam)), WRITTEN, CURRENT))
    assert plan.supplier.contacts == (*CURRENT.contacts, sam)
    assert plan.changed == ("contacts Sam",)


def test_an_entry_that_ifs_no_longer_has_is_kept() -> None:
    assert unchanged(plan_supplier(wanted(contacts=()), WRITTEN, CURRENT)) == ()


def test_an_entry_that_was_removed_in_cin7_stays_removed() -> None:
    assert unchanged(plan_supplier(WANTED, WRITTEN, current(contacts=()))) == ()


def test_an_entry_removed_in_cin7_and_changed_in_ifs_is_a_conflict() -> None:
    ours, theirs = wanted(contacts=(msgspec.structs.replace(JO, phone="2"),)), current(contacts=())
    assert conflicts(plan_supplier(ours, WRITTEN, theirs)) == ["contacts Jo Reed"]
    plan = updated(plan_supplier(ours, WRITTEN, theirs, Referee(sides="ifs")))
    assert plan.supplier.contacts == ours.contacts


def test_a_contact_renamed_in_cin7_is_known_by_its_id() -> None:
    theirs = current(contacts=(jo(name="Joanna Reed"),))
    ours = wanted(contacts=(msgspec.structs.replace(JO, phone="2"),))
    plan = updated(plan_supplier(ours, WRITTEN, theirs))
    assert plan.supplier.contacts == (jo(name="Joanna Reed", phone="2"),)


def test_without_ids_entries_are_known_by_name_and_first_line() -> None:
    ours = wanted(contacts=(msgspec.structs.replace(JO, name="JO  REED", phone="2"),))
    plan = updated(plan_supplier(ours, WANTED, CURRENT, Referee(sides="ifs")))
    assert [contact.id for contact in plan.supplier.contacts] == ["c-1"]


def test_an_address_that_moved_is_changed_not_added() -> None:
    moved = msgspec.structs.replace(MILL, line1="2 Wharf Road")
    plan = updated(plan_supplier(wanted(addresses=(moved,)), WRITTEN, CURRENT))
    assert plan.supplier.addresses == (mill(line1="2 Wharf Road"),)


def test_a_further_address_of_a_type_is_added_beside_the_first() -> None:
    second = msgspec.structs.replace(MILL, line1="2 Wharf Road", default_for_type=False)
    plan = updated(plan_supplier(wanted(addresses=(second, MILL)), WRITTEN, CURRENT))
    assert plan.supplier.addresses == (*CURRENT.addresses, second)


def test_what_was_read_back_is_compared_whatever_its_order() -> None:
    sam = Contact(name="Sam")
    got = current(contacts=(Contact(id="c-2", name="Sam"), jo(), Contact(id="c-9", name="Theirs")))
    assert differences(wanted(contacts=(JO, sam)), got) == ()


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (current(name="Acme"), ("name",)),
        (current(attributes={}), ("AdditionalAttribute1",)),
        (current(attribute_set=""), ("attribute_set",)),
        (current(contacts=(jo(phone=""),)), ("contacts Jo Reed",)),
        (current(contacts=(jo(), jo(id="c-2"))), ("contacts Jo Reed doubled",)),
        (current(addresses=()), ("addresses Billing 1 Mill Lane",)),
    ],
)
def test_what_did_not_arrive_is_named(got: Supplier, expected: tuple[str, ...]) -> None:
    assert differences(WANTED, got) == expected


def test_what_is_remembered_is_what_was_wanted_with_cin7s_ids() -> None:
    assert (
        msgspec.structs.replace(
            WANTED,
            id="guid-1",
            addresses=(msgspec.structs.replace(MILL, id="a-1"),),
            contacts=(msgspec.structs.replace(JO, id="c-1"),),
        )
        == WRITTEN
    )

"""Three versions of a supplier: what goes which way, what is in common then, and that both sides come to agree."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.cin7.records.suppliers import Address, Contact, Supplier
from workers.writing.merging import Take, verdict
from workers.writing.supplier_merging import Common, Merge, Referee, known_after_write, merge

JO = Contact(name="Jo", phone="1", email="jo@a.example")
MILL = Address(line1="1 Mill Lane", city="Leeds", country="France", type="Billing", default_for_type=True)
BASE = Supplier(
    name="Acme",
    currency="EUR",
    payment_term="30 days",
    account_payable="800",
    tax_rule="Tax",
    tax_number="1",
    attributes={1: "S1"},
    addresses=(MILL,),
    contacts=(JO,),
)


def with_ids(supplier: Supplier) -> Supplier:
    return msgspec.structs.replace(
        supplier,
        id="guid",
        addresses=tuple(
            msgspec.structs.replace(one, id=one.id or f"a{at}") for at, one in enumerate(supplier.addresses)
        ),
        contacts=tuple(msgspec.structs.replace(one, id=one.id or f"c{at}") for at, one in enumerate(supplier.contacts)),
    )


CIN7 = with_ids(BASE)
COMMON = Common(supplier=CIN7, own={})


def ifs(**changes: object) -> Supplier:
    return msgspec.structs.replace(BASE, **changes)


def cin7(**changes: object) -> Supplier:
    return msgspec.structs.replace(CIN7, **changes)


def jo(**changes: object) -> Contact:
    return msgspec.structs.replace(CIN7.contacts[0], **changes)


@pytest.mark.parametrize(
    ("before", "ours", "theirs", "expected"),
    [
        ("a", "a", "a", "same"),
        ("a", "b", "b", "same"),
        ("a", "b", "a", "to_cin7"),
        ("a", "a", "b", "to_ifs"),
        ("a", "b", "c", "both"),
        ("", "a", "", "to_cin7"),
        ("", "", "a", "to_ifs"),
        ("", "a", "b", "both"),
    ],
)
def test_the_truth_table_of_one_field(before: str, ours: str, theirs: str, expected: str) -> None:
    assert verdict(before, ours, theirs) == expected
    found = merge(
        Common(supplier=cin7(tax_number=before), own={}), ifs(tax_number=ours), cin7(tax_number=theirs), Referee()
    )
    assert (found.to_cin7 == ("tax_number",)) is (expected == "to_cin7")
    assert (found.to_ifs == ("tax_number",)) is (expected == "to_ifs")
    assert bool(found.findings) is (expected == "both")


def test_what_is_in_common_moves_only_with_what_was_written() -> None:
    found = merge(COMMON, ifs(name="From IFS"), cin7(currency="USD"), Referee())
    assert (found.cin7.name, found.ifs.currency) == ("From IFS", "USD")
    after = {which: getattr(found, which).supplier for which in ("after_cin7", "after_ifs", "decided")}
    assert {which: (one.name, one.currency) for which, one in after.items()} == {
        "after_cin7": ("From IFS", "EUR"),
        "after_ifs": ("Acme", "USD"),
        "decided": ("Acme", "EUR"),
    }


@pytest.mark.parametrize(("take", "to_cin7", "to_ifs"), [("ifs", ("tax_number",), ()), ("cin7", (), ("tax_number",))])
def test_what_a_person_decided_goes_its_way_like_any_change(
    take: Take, to_cin7: tuple[str, ...], to_ifs: tuple[str, ...]
) -> None:
    ours, theirs = ifs(tax_number="2"), cin7(tax_number="3")
    decided = merge(COMMON, ours, theirs, Referee(takes={"tax_number": take})).decided
    after = merge(decided, ours, theirs, Referee())
    assert (after.to_cin7, after.to_ifs, after.findings) == (to_cin7, to_ifs, ())


def test_a_decision_that_a_further_change_overtook_is_a_conflict_again() -> None:
    decided = merge(COMMON, ifs(name="A"), cin7(name="B"), Referee(takes={"name": "ifs"})).decided
    assert [one.field for one in merge(decided, ifs(name="A"), cin7(name="C"), Referee()).findings] == ["name"]


@pytest.mark.parametrize(("take", "status", "to_ifs"), [("cin7", "Deprecated", ()), ("ifs", "Active", ())])
def test_a_field_in_which_ifs_has_no_say_is_noted_or_overruled_once(
    take: Take, status: str, to_ifs: tuple[str, ...]
) -> None:
    theirs = cin7(status="Deprecated")
    found = merge(COMMON, ifs(), theirs, Referee(takes={"status": take}), silent=("status",))
    assert found.to_ifs == ("status",)
    after = merge(found.decided, ifs(), theirs, Referee(), silent=("status",))
    assert (after.cin7.status, after.to_ifs) == (status, to_ifs)
    again = merge(after.after_cin7, ifs(), after.cin7, Referee(), silent=("status",))
    assert (again.to_cin7, again.to_ifs) == ((), ())


def test_a_field_in_which_ifs_has_no_say_is_left_as_it_was_noted() -> None:
    noted = Common(supplier=cin7(status="Deprecated"), own={})
    found = merge(noted, ifs(name="New"), cin7(status="Deprecated"), Referee(), silent=("status",))
    assert (found.to_cin7, found.cin7.status) == (("name",), "Deprecated")


def test_what_ifs_does_not_hold_is_left_where_only_cin7s_people_changed_it() -> None:
    found = merge(COMMON, ifs(), cin7(account_payable="801", attributes={1: "S2"}), Referee())
    assert (found.to_cin7, found.to_ifs, found.findings) == ((), (), ())
    assert (found.cin7.account_payable, found.cin7.attributes) == ("801", {1: "S2"})


# Entries


def test_an_entry_added_in_cin7_goes_to_ifs() -> None:
    sam = Contact(id="c9", name="Sam", phone="2", comment="shy")
    found = merge(COMMON, ifs(), cin7(contacts=(jo(), sam)), Referee())
    (change,) = found.contacts
    assert (change.place, change.entry, change.fields) == (-1, Contact(name="Sam", phone="2"), ("name", "phone"))
    assert found.ifs.contacts == (JO, Contact(name="Sam", phone="2"))
    assert found.after_ifs.supplier is not None
    assert [one.id for one in found.after_ifs.supplier.contacts] == ["c0", "c9"]


def test_a_contact_that_can_be_reached_in_no_way_stays_in_cin7() -> None:
    found = merge(COMMON, ifs(), cin7(contacts=(jo(), Contact(id="c9", name="Sam"))), Referee())
    assert found.to_ifs == ()
    assert merge(
        found.after_cin7, ifs(), cin7(contacts=(jo(), Contact(id="c9", name="Sam", phone="2"))), Referee()
    ).to_ifs


def test_what_only_cin7_has_at_the_first_look_stays_its_own_until_it_changes_there() -> None:
    theirs = cin7(contacts=(jo(), Contact(id="c9", name="Sam", phone="2")))
    first = merge(Common(supplier=CIN7), ifs(), theirs, Referee())
    assert (first.to_ifs, list(first.after_cin7.own or {})) == ((), ["c9"])
    assert merge(first.after_cin7, ifs(), theirs, Referee()).to_ifs == ()
    changed = cin7(contacts=(jo(), Contact(id="c9", name="Sam", phone="3")))
    assert merge(first.after_cin7, ifs(), changed, Referee()).to_ifs == ("contacts Sam",)


def test_an_entry_of_ifs_that_cin7_had_for_itself_is_shared_from_then_on() -> None:
    theirs = cin7(contacts=(jo(), Contact(id="c9", name="Sam", phone="2")))
    first = merge(Common(supplier=CIN7), ifs(), theirs, Referee())
    found = merge(first.after_cin7, ifs(contacts=(JO, Contact(name="sam", phone="2"))), theirs, Referee(sides="cin7"))
    assert (found.to_cin7, found.to_ifs) == ((), ("contacts sam name",))


def test_an_entry_changed_in_cin7_is_changed_in_ifs_by_its_place() -> None:
    found = merge(COMMON, ifs(), cin7(contacts=(jo(name="Joanna", phone="9"),)), Referee())
    (change,) = found.contacts
    assert (change.place, change.fields) == (0, ("name", "phone"))
    assert change.entry == Contact(name="Joanna", phone="9", email="jo@a.example")


def test_a_contact_renamed_in_ifs_is_known_by_its_number() -> None:
    found = merge(COMMON, ifs(contacts=(msgspec.structs.replace(JO, name="Joanna"),)), CIN7, Referee())
    assert found.to_cin7 == ("contacts Joanna name",)
    assert found.cin7.contacts == (jo(name="Joanna"),)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ifs(contacts=()), cin7(contacts=(jo(phone="2"),))),
        (ifs(contacts=(msgspec.structs.replace(JO, phone="2"),)), cin7(contacts=())),
    ],
)
@pytest.mark.parametrize("take", ["ifs", "cin7"])
def test_removed_on_one_side_and_changed_on_the_other_is_a_conflict_that_can_be_settled(
    ours: Supplier, theirs: Supplier, take: Take
) -> None:
    found = merge(COMMON, ours, theirs, Referee(takes={"contacts Jo": take}))
    assert [one.field for one in found.findings] == ["contacts Jo"]
    after = merge(found.decided, ours, theirs, Referee())
    assert after.findings == ()
    keeps = bool(ours.contacts) is (take == "ifs")
    assert bool(after.to_cin7 or after.to_ifs) is keeps


# Both sides come to agree

NAMES, WORDS = st.sampled_from(["Jo", "Sam"]), st.sampled_from(["", "1", "2"])
CONTACTS = st.lists(
    st.builds(Contact, name=NAMES, phone=WORDS, email=WORDS), max_size=2, unique_by=lambda one: one.name
).map(lambda found: tuple(one for one in found if one.phone or one.email))
ADDRESSES = st.lists(
    st.builds(
        Address,
        line1=st.sampled_from(["a", "b"]),
        city=WORDS,
        country=st.just("France"),
        type=st.sampled_from(["Billing", "Business"]),
        default_for_type=st.booleans(),
    ),
    max_size=2,
    unique_by=lambda one: (one.type, one.line1),
).map(tuple)
VERSIONS = st.builds(
    ifs,
    name=st.sampled_from(["A", "B", "C"]),
    tax_number=WORDS,
    status=st.sampled_from(["Active", "Deprecated"]),
    contacts=CONTACTS,
    addresses=ADDRESSES,
)


@st.composite
def trio(draw: Callable[..., Supplier]) -> tuple[Common, Supplier, Supplier]:
    """A common version, what IFS has, and what Cin7 has: some entries under the IDs they had, some new."""
    before, ours, theirs = draw(VERSIONS), draw(VERSIONS), draw(VERSIONS)
    known = with_ids(before)
    ids = {("c", one.name): one.id for one in known.contacts}
    ids |= {("a", one.type + one.line1): one.id for one in known.addresses}
    held = msgspec.structs.replace(
        theirs,
        id="guid",
        contacts=tuple(
            msgspec.structs.replace(one, id=ids.get(("c", one.name), f"new{at}"))
            for at, one in enumerate(theirs.contacts)
        ),
        addresses=tuple(
            msgspec.structs.replace(one, id=ids.get(("a", one.type + one.line1), f"newer{at}"))
            for at, one in enumerate(theirs.addresses)
        ),
    )
    return Common(supplier=known, own={}), ours, held


def written_to_cin7(found: Merge) -> tuple[Common, Supplier]:
    """Do what the forward writer does: PUT, IDs for what is new, remember."""
    held = msgspec.structs.replace(
        found.cin7,
        contacts=tuple(
            msgspec.structs.replace(one, id=one.id or f"put{at}") for at, one in enumerate(found.cin7.contacts)
        ),
        addresses=tuple(
            msgspec.structs.replace(one, id=one.id or f"putter{at}") for at, one in enumerate(found.cin7.addresses)
        ),
    )
    return known_after_write(found.after_cin7, held), held


@settings(max_examples=400, deadline=None)
@given(trio(), st.sampled_from(["ifs", "cin7"]), st.booleans())
def test_one_turn_of_each_direction_in_either_order_leaves_nothing_to_do(
    versions: tuple[Common, Supplier, Supplier], side: Take, forward_first: bool
) -> None:
    """Two do, where a contact was given the name that the other side gave to a new one, so that there are two of it."""
    common, ours, theirs = versions
    referee = Referee(sides=side)

    def turn() -> Merge:
        nonlocal common, ours, theirs
        for forward in (forward_first, not forward_first):
            found = merge(common, ours, theirs, referee)
            assert found.findings == ()
            if forward:
                common, theirs = written_to_cin7(found)
            else:
                common, ours = found.after_ifs, found.ifs
        return merge(common, ours, theirs, referee)

    rest = turn()
    if has_namesakes(ours) or has_namesakes(theirs):
        rest = turn()
    assert (rest.to_cin7, rest.to_ifs, rest.findings) == ((), (), ())
    for field in ("name", "tax_number", "status"):
        assert getattr(ours, field) == getattr(theirs, field)


def has_namesakes(supplier: Supplier) -> bool:
    names = [one.name for one in supplier.contacts]
    return len(set(names)) < len(names)


@settings(max_examples=300, deadline=None)
@given(trio())
def test_a_held_merge_names_every_conflict_and_deciding_them_all_lets_everything_through(
    versions: tuple[Common, Supplier, Supplier],
) -> None:
    common, ours, theirs = versions
    held = merge(common, ours, theirs, Referee())
    takes: dict[str, Take] = {one.field: "cin7" for one in held.findings}
    decided = merge(common, ours, theirs, Referee(takes=takes)).decided
    assert merge(decided, ours, theirs, Referee()).findings == ()

"""How much two suppliers look like one: symmetric, from 0 to 1, certain pairs first."""

import time
from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cin7.records.suppliers import Address, Contact
from shared.ifs.records import suppliers as ifs
from tests.unit.writing.test_matching import theirs
from workers.writing.matching import dice, triples_of
from workers.writing.resemblance import (
    BLOCK_MAX,
    DOUBLED,
    EXACT,
    POSSIBLE,
    Profile,
    doubled,
    of_cin7,
    of_ifs,
    resemblance,
)

ACME = Profile(
    number="20017",
    name="Acme Fasteners Ltd",
    tax_numbers=frozenset({"gb123"}),
    countries=frozenset({"united kingdom"}),
    domains=frozenset({"acme.example"}),
)
#: As Cin7's people have it: no number of IFS.
KEYED = msgspec.structs.replace(ACME, number="")

NAMES = [
    "Acme Fasteners Ltd",
    "ACME  fasteners ltd",
    "Acme Fastners",
    "Apex Timber AB",
    "Supplier 12",
    "Supplier 21",
    "",
]
PROFILES = st.builds(
    Profile,
    number=st.sampled_from(["", "", "1", "2"]),
    name=st.sampled_from(NAMES) | st.text(max_size=12),
    tax_numbers=st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2),
    countries=st.frozensets(st.sampled_from(["sweden", "france"]), max_size=2),
    domains=st.frozensets(st.sampled_from(["x.example", "y.example"]), max_size=2),
)


def score(**changes: object) -> float:
    return resemblance(ACME, msgspec.structs.replace(KEYED, **changes)).score


@given(PROFILES, PROFILES)
def test_it_is_the_same_whichever_comes_first_and_from_0_to_1(one: Profile, other: Profile) -> None:
    result = resemblance(one, other)
    assert result == resemblance(other, one)
    assert 0 <= result.score <= 1
    assert bool(result.score) == bool(result.evidence)


@given(PROFILES, PROFILES)
def test_what_is_certain_comes_before_everything_else(one: Profile, other: Profile) -> None:
    result = resemblance(one, other)
    if result.evidence == ("marker",):
        assert result.score == 1
    elif {"name", "tax number"} <= set(result.evidence) and not (one.number and other.number):
        assert EXACT <= result.score < 1
    else:
        assert result.score <= POSSIBLE


@given(PROFILES, PROFILES)
def test_more_that_speaks_for_it_never_lowers_the_score(one: Profile, other: Profile) -> None:
    before = resemblance(one, other).score
    shared = frozenset({"same.example"})
    more = resemblance(
        msgspec.structs.replace(one, domains=one.domains | shared),
        msgspec.structs.replace(other, domains=other.domains | shared),
    )
    assert more.score >= before


@given(PROFILES)
def test_everybody_resembles_themselves_most(one: Profile) -> None:
    bare = msgspec.structs.replace(one, number="")
    if bare.folded and bare.tax_numbers:
        assert resemblance(bare, bare).score >= EXACT


def test_the_weights_order_what_a_person_looks_at_first() -> None:
    marker = resemblance(ACME, msgspec.structs.replace(KEYED, number="20017", name="Renamed")).score
    exact = score()
    tax_only = score(name="Somebody Else", domains=frozenset(), countries=frozenset())
    name_only = score(tax_numbers=frozenset(), domains=frozenset(), countries=frozenset())
    close_only = score(name="Acme Fastners", tax_numbers=frozenset(), domains=frozenset(), countries=frozenset())
    nothing = score(name="Somebody Else", tax_numbers=frozenset(), domains=frozenset(), countries=frozenset())
    assert 1 == marker > exact > tax_only > name_only > close_only > nothing == 0


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({"tax_numbers": frozenset({"gb999"})}, "another tax number"),
        ({"countries": frozenset({"france"})}, "another country"),
        ({"number": "20018"}, "another supplier number"),
    ],
)
def test_what_speaks_against_it_lowers_the_score_and_is_named(changes: dict[str, object], against: str) -> None:
    result = resemblance(ACME, msgspec.structs.replace(KEYED, **changes))
    assert result.against == (against,)
    assert result.score < score()


def test_what_is_not_known_speaks_neither_for_nor_against_it() -> None:
    bare = msgspec.structs.replace(KEYED, tax_numbers=frozenset(), countries=frozenset(), domains=frozenset())
    assert resemblance(ACME, bare).evidence == ("name",)
    assert resemblance(ACME, bare).against == ()


def test_a_profile_is_the_same_from_either_system() -> None:
    document = ifs.SupplierDocument(
        header=ifs.SupplierHeader(
            supplier_id="20017", name="Acme Fasteners Ltd", association_no="GB 123", country="GB"
        ),
        addresses=(ifs.Address(supplier_id="20017", address_id="1", country=None),),
        comm_methods=(
            ifs.CommMethod(identity="20017", method_id="E_MAIL", value="jo@Acme.example"),
            ifs.CommMethod(identity="20017", method_id="EMAIL", value="acme@gmail.com"),
            ifs.CommMethod(identity="20017", method_id="PHONE", value="x@phone.example"),
        ),
        tax_info=(ifs.TaxInfo(supplier_id="20017", company="10", vat_no="gb123"),),
    )
    cin7 = theirs(
        name="Acme Fasteners Ltd",
        tax_number="GB123",
        attributes={1: "20017"},
        addresses=(Address(line1="x", country="United Kingdom", type="Billing"),),
        contacts=(Contact(name="Jo", email="Jo@acme.example"), Contact(name="No", email="nobody")),
    )
    assert of_ifs(document, {"GB": "United Kingdom"}) == ACME == of_cin7(cin7, 1)


def test_doubles_are_found_by_number_name_or_a_close_name_the_likeliest_first() -> None:
    profiles = {
        "a": Profile(name="Acme Fasteners Ltd", tax_numbers=frozenset({"1"})),
        "b": Profile(name="ACME Fasteners ltd", tax_numbers=frozenset({"1"})),
        "c": Profile(name="Nordic Steel AB", tax_numbers=frozenset({"1"})),
        "d": Profile(name="Baltic Timber OU", domains=frozenset({"b.example"})),
        "e": Profile(name="Baltic Timbers OU", domains=frozenset({"b.example"})),
        "f": Profile(name="Somebody Else"),
    }
    found = doubled(profiles)
    assert [(pair.one, pair.other) for pair in found] == [("a", "b"), ("a", "c"), ("b", "c"), ("d", "e")]
    assert found[0].score >= EXACT
    assert all(pair.score >= DOUBLED for pair in found)


def test_a_number_that_very_many_share_is_a_placeholder() -> None:
    names = [f"{first}{second}" * 2 for first in "bcdfghijkm" for second in "npqruvwxyz"]
    profiles = {name: Profile(name=f"{name} ltd", tax_numbers=frozenset({"n/a"})) for name in names}
    assert len(profiles) > BLOCK_MAX
    assert doubled(profiles) == []


@given(st.lists(st.text(alphabet="abcd ", max_size=14), max_size=14))
def test_no_close_pair_is_missed(names: list[str]) -> None:
    profiles = {str(at): Profile(name=name, domains=frozenset({"x.example"})) for at, name in enumerate(names)}
    found = {(pair.one, pair.other) for pair in doubled(profiles)}
    for one, other in combinations(sorted(profiles), 2):
        result = resemblance(profiles[one], profiles[other])
        same = profiles[one].folded and profiles[one].folded == profiles[other].folded
        close = dice(triples_of(profiles[one].name), triples_of(profiles[other].name)) >= 0.7
        if result.score >= DOUBLED and (same or close):
            assert (one, other) in found


def test_ten_thousand_suppliers_are_compared_within_seconds() -> None:
    words = ["Nordic", "Baltic", "Acme", "Steel", "Timber", "Fasteners", "Logistics", "Paper", "Tools", "Energy"]
    profiles = {
        str(at): Profile(
            name=f"{words[at % 10]} {words[at // 10 % 10]} {words[at // 100 % 10]} {at // 1000} {at % 7} Ltd",
            tax_numbers=frozenset({str(at // 2)}),
        )
        for at in range(10_000)
    }
    began = time.perf_counter()
    assert len(doubled(profiles)) >= 5_000
    assert time.perf_counter() - began < 30

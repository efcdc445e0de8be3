"""First contact: which supplier of a populated Cin7 is the one about to be created."""

import time

import msgspec
import pytest

from shared.cin7.records.suppliers import Supplier
from tests.unit.writing.test_suppliers import WANTED
from workers.writing.matching import CandidateIndex, duplicate_finding, match


def theirs(supplier_id: str = "g-1", /, **changes: object) -> Supplier:
    """Return a supplier that Cin7's people made: no marker, another name and tax number unless said."""
    plain = {"id": supplier_id, "name": "Somebody Else", "tax_number": "", "attributes": {}}
    return msgspec.structs.replace(WANTED, **{**plain, **changes})


OTHERS = [theirs("o-1", name="Baltic Timber OU"), theirs("o-2", name="Nordic Steel AB", tax_number="SE55")]


def kind(*candidates: Supplier) -> str:
    return match(WANTED, [*OTHERS, *candidates], 1).kind


def test_a_supplier_that_cin7_does_not_have_matches_nothing() -> None:
    assert match(WANTED, OTHERS, 1).candidates == ()
    assert kind() == "none"


def test_the_marker_links_whatever_the_name() -> None:
    found = match(WANTED, [*OTHERS, theirs(attributes={1: " s1 "}), theirs("g-2", name=WANTED.name)], 1)
    assert (found.kind, [one.supplier_id for one in found.candidates]) == ("marker", ["g-1"])


def test_the_marker_is_looked_for_in_its_own_attribute() -> None:
    assert kind(theirs(attributes={2: "S1"})) == "none"


def test_equal_name_and_tax_number_link_with_case_and_spaces_folded() -> None:
    assert kind(theirs(name=" ACME  Fasteners ltd", tax_number="gb 123")) == "exact"


@pytest.mark.parametrize(
    ("changes", "evidence"),
    [
        ({"name": "acme fasteners LTD"}, ("name",)),
        ({"name": WANTED.name, "tax_number": "GB999"}, ("name",)),
        ({"tax_number": "GB 123"}, ("tax number",)),
        ({"name": "Acme Fastners Ltd"}, ("close name",)),
        ({"name": "ACME Fasteners (UK) Limited"}, ("close name",)),
        ({"name": "Fasteners Acme"}, ("close name",)),
        ({"name": "Acmé Fasteners"}, ("close name",)),
    ],
)
def test_less_than_both_is_a_persons_decision(changes: dict[str, object], evidence: tuple[str, ...]) -> None:
    found = match(WANTED, [*OTHERS, theirs(**changes)], 1)
    assert found.kind == "possible"
    assert [(one.supplier_id, one.evidence) for one in found.candidates] == [("g-1", evidence)]


@pytest.mark.parametrize("name", ["Acme Plumbing Ltd", "Apex Fasteners Ltd", "Fast Ltd", "Ltd", ""])
def test_a_name_that_only_sounds_alike_in_part_is_not_close(name: str) -> None:
    assert kind(theirs(name=name)) == "none"


def test_a_typing_error_in_a_one_word_name_is_close() -> None:
    wanted = msgspec.structs.replace(WANTED, name="Fasteners Ltd", tax_number="")
    assert match(wanted, [theirs(name="Fastners")], 1).kind == "possible"


def test_names_with_other_numbers_are_other_suppliers() -> None:
    wanted = msgspec.structs.replace(WANTED, name="Supplier 0201 AB", tax_number="")
    assert match(wanted, [theirs(name="Supplier 0200 AB"), theirs("g-2", name="Supplier 0210 AB")], 1).kind == "none"


def test_two_that_claim_to_be_the_one_need_a_person() -> None:
    assert kind(theirs(attributes={1: "S1"}), theirs("g-2", attributes={1: "S1"})) == "possible"
    same = {"name": WANTED.name, "tax_number": WANTED.tax_number}
    assert kind(theirs(**same), theirs("g-2", **same)) == "possible"


def test_a_supplier_of_another_ifs_number_is_no_candidate_unless_its_name_is_taken() -> None:
    taken = {1: "S2"}
    assert kind(theirs(name="Acme Fastners Ltd", attributes=taken)) == "none"
    assert kind(theirs(tax_number=WANTED.tax_number, attributes=taken)) == "none"
    found = match(WANTED, [theirs(name=WANTED.name, tax_number=WANTED.tax_number, attributes=taken)], 1)
    assert found.kind == "possible"
    assert found.candidates[0].evidence == ("name", "tax number", "carries supplier number s2")


def test_the_likeliest_candidate_is_listed_first() -> None:
    found = match(
        WANTED,
        [
            theirs("g-1", name="Acme Fastners Ltd"),
            theirs("g-2", name="ACME FASTENERS LTD"),
            theirs("g-3", tax_number="GB123"),
        ],
        1,
    )
    assert [one.supplier_id for one in found.candidates] == ["g-2", "g-1", "g-3"]


def test_the_finding_lists_the_candidates_and_what_speaks_for_them() -> None:
    found = match(WANTED, [theirs(name="Acme Fastners Ltd"), theirs("g-2", tax_number="GB123")], 1)
    finding = duplicate_finding(WANTED, found, company="10", supplier_id="S1")
    assert (finding.code, finding.value, finding.company) == ("supplier.possible-duplicate", "S1", "10")
    assert "Acme Fastners Ltd (g-1): close name" in finding.message
    assert "Somebody Else (g-2): tax number" in finding.message


def test_the_index_takes_in_what_is_created_and_what_changes() -> None:
    index = CandidateIndex(OTHERS, 1)
    assert index.match(WANTED).kind == "none"
    index.add(theirs(name=WANTED.name))
    assert index.match(WANTED).kind == "possible"
    index.add(theirs(name="Renamed"))
    assert index.match(WANTED).kind == "none"


def test_ten_thousand_candidates_are_searched_in_milliseconds() -> None:
    words = ["Nordic", "Baltic", "Acme", "Steel", "Timber", "Fasteners", "Logistics", "Paper", "Tools", "Energy"]
    candidates = [
        theirs(f"g-{at}", name=f"{words[at % 10]} {words[at // 10 % 10]} {words[at // 100 % 10]} {at // 1000} Ltd")
        for at in range(10_000)
    ]
    index = CandidateIndex(candidates, 1)
    started = time.perf_counter()
    for candidate in candidates[:: len(candidates) // 50]:
        assert index.match(msgspec.structs.replace(candidate, id=None)).kind == "possible"
    assert time.perf_counter() - started < 50 * 0.1

"""First contact with a populated Cin7: which existing supplier, if any, is the one about to be created. Pure.

Two names are close where, without punctuation and legal forms, their numbers are equal and they share at least
`CLOSE` of their letter triples (Dice coefficient). Triples find a typing error in a one-word name as well as a word
too many, and an index over them keeps the search fast for tens of thousands of suppliers.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding

#: Share of letter triples from which two names are close: Fasteners and Fastners are (0.71), Acme Fasteners and Apex
#: Fasteners are not (0.69).
CLOSE: Final = 0.7
#: Candidates that a finding lists, the likeliest first.
LISTED_MAX: Final = 10

_LEGAL_FORMS: Final = frozenset(
    {"ab", "ag", "as", "asa", "aps", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg"}
    | {"limited", "llc", "llp", "ltd", "nv", "ou", "oy", "oyj", "plc", "pty", "sa", "sarl", "sas", "sl", "spa", "srl"}
)
_WORDS: Final = re.compile(r"\w+")
_NUMBERS: Final = re.compile(r"\d+")

Kind = Literal["marker", "exact", "possible", "none"]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier of Cin7 and what speaks for it. `likeness` is 1 for equal names."""

    supplier_id: str
    name: str
    tax_number: str = ""
    evidence: tuple[str, ...]
    likeness: float


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """`marker` and `exact` have one candidate and may be linked; `possible` needs a person."""

    kind: Kind
    candidates: tuple[Candidate, ...] = ()


class CandidateIndex:
    """The suppliers of one Cin7 account, built once and asked for each supplier that is not linked yet.

    Args:
        candidates: all of them, deprecated ones included: a deprecated supplier still holds its name.
        attribute: number of the additional attribute that shows the IFS supplier number.
    """

    def __init__(self, candidates: Iterable[Supplier], attribute: int) -> None:
        self._attribute = attribute
        self._suppliers: dict[str, Supplier] = {}
        self._by_marker: dict[str, set[str]] = {}
        self._by_tax_number: dict[str, set[str]] = {}
        self._by_name: dict[str, set[str]] = {}
        self._by_triple: dict[str, set[str]] = {}
        self._triples: dict[str, frozenset[str]] = {}
        for candidate in candidates:
            self.add(candidate)

    def add(self, candidate: Supplier) -> None:
        """Take in one more supplier, such as one just created; one without an ID is nobody's candidate."""
        if not candidate.id:
            return
        key = candidate.id.casefold()
        self._discard(key)
        self._suppliers[key] = candidate
        for table, word in self._entries(candidate):
            table.setdefault(word, set()).add(key)
        self._triples[key] = triples_of(candidate.name)
        for triple in self._triples[key]:
            self._by_triple.setdefault(triple, set()).add(key)

    def suppliers(self) -> list[Supplier]:
        return list(self._suppliers.values())

    def supplier(self, supplier_id: str) -> Supplier | None:
        """Return one of the suppliers by its id."""
        return self._suppliers.get(supplier_id.casefold())

    def match(self, wanted: Supplier, rejected: Collection[str] = ()) -> Match:
        """Return what speaks for an existing supplier being `wanted`; a person said of those `rejected` that it is not.

        A candidate that carries the number of another IFS supplier is that one's: it is listed only where the names
        are equal, since Cin7 would refuse a second supplier of that name.
        """
        others = {supplier_id.casefold() for supplier_id in rejected}
        marker = _marker(wanted, self._attribute)
        if marked := (self._by_marker.get(marker, set()) if marker else set()) - others:
            return self._result("marker", dict.fromkeys(marked, ("marker",)), wanted)
        named = self._by_name.get(fold_name(wanted.name), set()) - others
        number = fold_tax_number(wanted.tax_number)
        numbered = (self._by_tax_number.get(number, set()) if number else set()) - others
        free = {key for key in named & numbered if not self._marker_of(key)}
        if len(free) == 1 and len(named) == 1:
            return self._result("exact", dict.fromkeys(free, ("name", "tax number")), wanted)
        evidence: dict[str, tuple[str, ...]] = {}
        for key in (
            key
            for key in named | numbered | (self._close(wanted.name) - others)
            if key in named or not self._marker_of(key)
        ):
            evidence[key] = self._evidence(key, named, numbered)
        return self._result("possible", evidence, wanted) if evidence else Match(kind="none")

    def _evidence(self, key: str, named: set[str], numbered: set[str]) -> tuple[str, ...]:
        taken = self._marker_of(key)
        found = ("name" if key in named else "", "tax number" if key in numbered else "")
        spoken = tuple(filter(None, found)) or ("close name",)
        return (*spoken, f"carries supplier number {taken}") if taken else spoken

    def _result(self, kind: Kind, evidence: dict[str, tuple[str, ...]], wanted: Supplier) -> Match:
        """Return the match, its candidates in order of likeness; two that claim to be the one need a person."""
        wanted_triples = triples_of(wanted.name)
        found = [
            Candidate(
                supplier_id=self._suppliers[key].id or "",
                name=self._suppliers[key].name,
                tax_number=self._suppliers[key].tax_number,
                evidence=words,
                likeness=1.0 if "name" in words else round(dice(wanted_triples, self._triples[key]), 2),
            )
            for key, words in evidence.items()
        ]
        found.sort(key=lambda one: (-len(one.evidence), -one.likeness, one.name, one.supplier_id))
        kind = "possible" if kind != "possible" and len(found) > 1 else kind
        return Match(kind=kind, candidates=tuple(found[:LISTED_MAX]))

    def _close(self, name: str) -> set[str]:
        """Return the suppliers whose name is close to `name`."""
        wanted = triples_of(name)
        if not wanted:
            return set()
        shared = Counter[str]()
        for triple in wanted:
            shared.update(self._by_triple.get(triple, ()))
        numbers = numbers_of(name)
        return {
            key
            for key, count in shared.items()
            if 2 * count >= CLOSE * (len(wanted) + len(self._triples[key]))
            and numbers_of(self._suppliers[key].name) == numbers
        }

    def _entries(self, supplier: Supplier) -> list[tuple[dict[str, set[str]], str]]:
        entries = [
            (self._by_marker, _marker(supplier, self._attribute)),
            (self._by_tax_number, fold_tax_number(supplier.tax_number)),
            (self._by_name, fold_name(supplier.name)),
        ]
        return [(table, word) for table, word in entries if word]

    def _discard(self, key: str) -> None:
        """Forget an earlier version of a supplier."""
        before = self._suppliers.pop(key, None)
        if before is None:
            return
        for table, word in self._entries(before):
            table[word].discard(key)
        for triple in self._triples.pop(key):
            self._by_triple[triple].discard(key)

    def _marker_of(self, key: str) -> str:
        return _marker(self._suppliers[key], self._attribute)


def match(wanted: Supplier, candidates: Sequence[Supplier], attribute: int) -> Match:
    """Return the match of one supplier among `candidates`; for more than one, build the index once."""
    return CandidateIndex(candidates, attribute).match(wanted)


def duplicate_finding(wanted: Supplier, found: Match, *, company: str, supplier_id: str) -> Finding:
    """Return the reason to hold a supplier that may be in Cin7 already, with what speaks for each candidate."""
    listed = "; ".join(
        f"{one.name} ({one.supplier_id}): {', '.join(one.evidence)}"
        + (f" {one.likeness:.0%}" if "close name" in one.evidence else "")
        for one in found.candidates
    )
    return Finding(
        code="supplier.possible-duplicate",
        field="Name",
        value=supplier_id,
        message=f"Supplier {supplier_id} {wanted.name} may be in Cin7 already: {listed}.",
        remedy=f"Link it with `connector suppliers link {supplier_id} CIN7_ID`, "
        f"or let it be created with `connector suppliers create {supplier_id}`.",
        company=company,
    )


def fold_name(name: str) -> str:
    """Return `name` without regard to case, width and runs of spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def fold_tax_number(number: str) -> str:
    """Return a tax number without regard to case and spaces."""
    return "".join(unicodedata.normalize("NFKC", number).casefold().split())


def triples_of(name: str) -> frozenset[str]:
    """Return the letter triples of a name's words, legal forms left out unless nothing else is left."""
    words = _WORDS.findall(_without_accents(fold_name(name)))
    core = [word for word in words if word not in _LEGAL_FORMS] or words
    return frozenset(triple for word in core for triple in _word_triples(word))


def _word_triples(word: str) -> list[str]:
    padded = f" {word} "
    return [padded[at : at + 3] for at in range(len(padded) - 2)]


def _without_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def numbers_of(name: str) -> list[str]:
    return sorted(_NUMBERS.findall(name))


def dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def _marker(supplier: Supplier, attribute: int) -> str:
    return supplier.attributes.get(attribute, "").strip().casefold()

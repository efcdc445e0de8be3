"""How much two suppliers look like one, as a number with what speaks for it and against it. Pure.

A score orders what a person looks at; it links nothing. What may be linked by itself is decided by `matching.py`. Why
the weights are what they are: docs/decisions/0062-resemblance.md.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.ifs.records.suppliers import SupplierDocument
from workers.mapping.supplier_entries import METHODS
from workers.writing.matching import CLOSE, dice, fold_name, fold_tax_number, numbers_of, triples_of

#: What each piece of evidence is worth alone; together they are what is left of one after none of them is chance.
TAX_NUMBER: Final = 0.80
NAME: Final = 0.70
#: Of a close name, times its likeness.
CLOSE_NAME: Final = 0.60
DOMAIN: Final = 0.35
COUNTRY: Final = 0.05
#: What remains of a score where something speaks against it.
OTHER_TAX_NUMBER: Final = 0.5
OTHER_COUNTRY: Final = 0.8
OTHER_SUPPLIER_NUMBER: Final = 0.3
#: Equal name and tax number lie between these two, whatever else; anything less certain is at most POSSIBLE.
POSSIBLE: Final = 0.94
EXACT: Final = 0.95
CERTAIN: Final = 0.99

#: From this score on two suppliers of one system are told as doubled.
DOUBLED: Final = 0.60
#: Pairs of one block (a tax number, a name); a larger block is a placeholder such as "n/a", not a company.
BLOCK_MAX: Final = 50

#: Mail providers: a shared one says nothing.
_PUBLIC: Final = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "icloud.com"}
    | {"me.com", "aol.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de", "mail.ru", "yandex.ru", "qq.com"}
    | {"163.com", "proton.me", "protonmail.com", "orange.fr", "wanadoo.fr", "free.fr", "telia.com", "btinternet.com"}
    | {"yahoo.co.uk", "hotmail.co.uk", "outlook.fr", "hotmail.fr", "libero.it", "seznam.cz", "bigpond.com"}
)


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared of a supplier, whichever system it is in; what is not known is empty.

    Attributes:
        number: the IFS supplier number: its own, or the one that Cin7 shows.
        tax_numbers, countries, domains: folded, so that equal ones are equal.
    """

    number: str = ""
    name: str
    tax_numbers: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    @property
    def folded(self) -> str:
        return fold_name(self.name)


class Resemblance(msgspec.Struct, frozen=True, kw_only=True):
    """`score` is from 0 to 1; `evidence` says what speaks for it, `against` what speaks against it."""

    score: float
    evidence: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


def of_cin7(supplier: Supplier, attribute: int) -> Profile:
    """Return the profile of a supplier as Cin7 holds it; `attribute` is the number of the one that shows IFS's."""
    return Profile(
        number=supplier.attributes.get(attribute, "").strip().casefold(),
        name=supplier.name,
        tax_numbers=_folded([supplier.tax_number], fold_tax_number),
        countries=_folded((address.country for address in supplier.addresses), fold_name),
        domains=domains_of(contact.email for contact in supplier.contacts),
    )


def of_ifs(document: SupplierDocument, countries: Mapping[str, str]) -> Profile:
    """Return the profile of a supplier as IFS holds it, of all its companies; `countries` names countries by code."""
    header = document.header
    codes = [address.country or header.country or "" for address in document.addresses] or [header.country or ""]
    mails = [
        method.value or ""
        for method in document.comm_methods
        if METHODS.get(method.method_id.strip().casefold()) == "email"
    ]
    return Profile(
        number=header.supplier_id.strip().casefold(),
        name=header.name,
        tax_numbers=_folded(
            [header.association_no or "", *(tax.vat_no or "" for tax in document.tax_info)], fold_tax_number
        ),
        countries=_folded((countries.get(code.strip().upper(), code) for code in codes), fold_name),
        domains=domains_of(mails),
    )


def domains_of(addresses: Iterable[str]) -> frozenset[str]:
    """Return the domains of e-mail addresses that belong to a company, not to a provider."""
    domains = (address.rpartition("@")[2].strip().casefold() for address in addresses if "@" in address)
    return frozenset(domain for domain in domains if "." in domain and domain not in _PUBLIC)


def _folded(texts: Iterable[str], fold: Callable[[str], str]) -> frozenset[str]:
    return frozenset(filter(None, map(fold, texts)))


def resemblance(one: Profile, other: Profile) -> Resemblance:
    """Return how much two suppliers look like one; the same whichever of them comes first."""
    if one.number and one.number == other.number:
        return Resemblance(score=1.0, evidence=("marker",))
    same_name = bool(one.folded) and one.folded == other.folded
    same_tax = bool(one.tax_numbers & other.tax_numbers)
    likeness = 1.0 if same_name else name_likeness(one.name, other.name)
    found = {
        "name": NAME if same_name else 0.0,
        "tax number": TAX_NUMBER if same_tax else 0.0,
        "close name": 0.0 if same_name else CLOSE_NAME * likeness,
        "e-mail domain": DOMAIN if one.domains & other.domains else 0.0,
        "country": COUNTRY if one.countries & other.countries else 0.0,
    }
    against = {
        "another tax number": OTHER_TAX_NUMBER if _disjoint(one.tax_numbers, other.tax_numbers) else 1.0,
        "another country": OTHER_COUNTRY if _disjoint(one.countries, other.countries) else 1.0,
        "another supplier number": OTHER_SUPPLIER_NUMBER if one.number and other.number else 1.0,
    }
    chance = 1.0
    for weight in found.values():
        chance *= 1.0 - weight
    score = 1.0 - chance
    for factor in against.values():
        score *= factor
    if same_name and same_tax and not (one.number and other.number):
        score = EXACT + (CERTAIN - EXACT) * score
    else:
        score = min(score, POSSIBLE)
    return Resemblance(
        score=round(score, 3),
        evidence=tuple(name for name, weight in found.items() if weight),
        against=tuple(name for name, factor in against.items() if factor < 1.0),
    )


def name_likeness(one: str, other: str) -> float:
    """Return how close two names are, from `CLOSE` to 1; 0 where they are not."""
    if numbers_of(one) != numbers_of(other):
        return 0.0
    likeness = dice(triples_of(one), triples_of(other))
    return likeness if likeness >= CLOSE else 0.0


def _disjoint(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one) and bool(other) and not one & other


class Doubled(msgspec.Struct, frozen=True, kw_only=True):
    """Two suppliers of one system that may be one; `one` and `other` are their keys, in order."""

    one: str
    other: str
    score: float
    evidence: tuple[str, ...]
    against: tuple[str, ...]


def doubled(profiles: Mapping[str, Profile]) -> list[Doubled]:
    """Return the pairs among suppliers of one system that look like one, the likeliest first."""
    found = []
    for one, other in sorted(_pairs(profiles)):
        result = resemblance(profiles[one], profiles[other])
        if result.score >= DOUBLED:
            found.append(
                Doubled(one=one, other=other, score=result.score, evidence=result.evidence, against=result.against)
            )
    return sorted(found, key=lambda pair: (-pair.score, pair.one, pair.other))


def _pairs(profiles: Mapping[str, Profile]) -> set[tuple[str, str]]:
    """Return the pairs that are worth comparing: those that share a number or a name, or whose names are close."""
    pairs: set[tuple[str, str]] = set()
    keyed: tuple[Callable[[Profile], Iterable[Hashable]], ...] = (
        lambda profile: profile.tax_numbers,
        lambda profile: [profile.folded] if profile.folded else [],
    )
    for words in keyed:
        for block in _blocks(profiles, words):
            pairs.update(combinations(sorted(block), 2))
    pairs.update(_close_pairs(profiles))
    return pairs


def _blocks(profiles: Mapping[str, Profile], words: Callable[[Profile], Iterable[Hashable]]) -> Iterator[Sequence[str]]:
    blocks: dict[Hashable, list[str]] = defaultdict(list)
    for key, profile in profiles.items():
        for word in words(profile):
            blocks[word].append(key)
    return (block for block in blocks.values() if 1 < len(block) <= BLOCK_MAX)


def _close_pairs(profiles: Mapping[str, Profile]) -> Iterator[tuple[str, str]]:
    """Yield the pairs whose names are close. Two close names share one of the rarest triples of each.

    Of a name with n triples, more than n * CLOSE / (2 - CLOSE) are in every name that is close to it. So one of any
    n - that + 1 is, and the rarest are the shortest way to the others.
    """
    triples = {key: triples_of(profile.name) for key, profile in profiles.items()}
    frequency: dict[str, int] = defaultdict(int)
    for found in triples.values():
        for triple in found:
            frequency[triple] += 1
    # Names with other numbers are not close, so that those with the same need only meet each other.
    postings: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for key in sorted(profiles):
        numbers = tuple(numbers_of(profiles[key].name))
        rarest = sorted(triples[key], key=lambda triple: (frequency[triple], triple))
        needed = len(rarest) - int(len(rarest) * CLOSE / (2 - CLOSE)) + 1
        met: set[str] = set()
        for triple in rarest[:needed]:
            met.update(postings[triple, numbers])
            postings[triple, numbers].append(key)
        for other in met:
            if 2 * len(triples[key] & triples[other]) >= CLOSE * (len(triples[key]) + len(triples[other])):
                yield other, key

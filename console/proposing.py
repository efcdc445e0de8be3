"""Suppliers that Cin7 holds already, as proposals with a score and what speaks for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from shared.assembly import Assembly
from shared.flows import SUPPLIERS
from shared.ledger import links, rejections
from shared.ledger.rejections import CIN7, IFS, Pair, Rejection
from shared.ledger.views.supplier_sources import SupplierSource, unlinked
from workers.composition import desk_of, first_contact_of
from workers.mapping.actors import MAPPINGS, Result, map_raw
from workers.mapping.results import SupplierWrite, SupplierWrites
from workers.writing.desk import Account
from workers.writing.first_contact import FirstContact
from workers.writing.matching import Kind
from workers.writing.resemblance import of_cin7, resemblance

#: Certain ones come first.
_ORDER: Final[Mapping[Kind, int]] = {"marker": 0, "exact": 1, "possible": 2, "none": 3}


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier of Cin7: `evidence` speaks for it, `against` against it, `score` weighs both from 0 to 1.

    `likeness` is that of the names alone, 1 for equal ones.
    """

    supplier_id: str
    name: str
    tax_number: str
    evidence: tuple[str, ...]
    likeness: float
    score: float
    against: tuple[str, ...]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One IFS supplier and the Cin7 suppliers it may be; `marker` and `exact` have one candidate, which is certain."""

    ifs_key: str
    account: str
    name: str
    tax_number: str
    kind: Kind
    score: float
    state: str
    candidates: tuple[Vendor, ...]


class Proposals(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, certain ones first, then by score.

    Attributes:
        new: suppliers that nothing in Cin7 resembles.
        held: suppliers that the mapping tables do not let through.
        ignored: pairs that a person rejected, which are not proposed.
    """

    proposals: list[Proposal]
    new: int
    held: int
    ignored: list[Rejection]


def mapped(parts: Assembly, source: SupplierSource) -> Result:
    """Return what the rules of the moment make of a supplier."""
    return map_raw(source.raw, parts.lens(SUPPLIERS), MAPPINGS[SUPPLIERS], parts.rules.get())


class Proposer:
    """Compares suppliers with what each Cin7 account holds, which is read once."""

    def __init__(self, parts: Assembly, only: str = "") -> None:
        self._parts = parts
        self._only = only
        self._desk = desk_of(parts, lambda: False)
        self._accounts: dict[str, Account] = {}
        self.first_contact: FirstContact = first_contact_of(parts)
        self.names = [name for name in parts.settings.cin7 if only in ("", name)]
        with parts.ledger.transaction() as cur:
            self.rejected: dict[Pair, Rejection] = rejections.current(cur, self.names)

    def account(self, name: str) -> Account:
        """Return an account whose suppliers are known as of a moment ago.

        Raises:
            Retryable, Misconfigured: Cin7 cannot be asked.
        """
        if name not in self._accounts:
            account = self._desk.account(name)
            self.first_contact.refresh(account)
            self._accounts[name] = account
        return self._accounts[name]

    def propose(self) -> Proposals:
        """Compare every supplier without a link with what Cin7 holds.

        Raises:
            Retryable, Misconfigured: Cin7 cannot be asked.
        """
        found: list[Proposal] = []
        new = held = 0
        for source in unlinked(self._parts.ledger, len(self._parts.settings.cin7)):
            result = mapped(self._parts, source)
            if not isinstance(result, SupplierWrites):
                held += 1
                continue
            for write in self._open(source.key, result):
                proposal = self._proposal(source, write)
                if proposal is None:
                    new += 1
                else:
                    found.append(proposal)
        found = _certain(found)
        found.sort(key=lambda one: (_ORDER[one.kind], -one.score, one.ifs_key, one.account))
        return Proposals(proposals=found, new=new, held=held, ignored=list(self.rejected.values()))

    def _open(self, key: str, writes: SupplierWrites) -> list[SupplierWrite]:
        with self._parts.ledger.transaction() as cur:
            linked = {link.cin7_account for link in links.of_keys(cur, SUPPLIERS.name, [key]).get(key, ())}
        return [write for write in writes.writes if write.account not in linked and self._only in ("", write.account)]

    def _proposal(self, source: SupplierSource, write: SupplierWrite) -> Proposal | None:
        account = self.account(write.account)
        match = self.first_contact.match(account, write.supplier, self._rejected(source.key, write.account))
        if match.kind == "none":
            return None
        index = self.first_contact.index(write.account)
        attribute = self._parts.settings.cin7[write.account].supplier_number_attribute
        wanted = of_cin7(write.supplier, attribute)
        vendors = []
        for candidate in match.candidates:
            there = index.supplier(candidate.supplier_id)
            result = resemblance(wanted, of_cin7(there, attribute)) if there else None
            more = tuple(word for word in result.evidence if word not in candidate.evidence) if result else ()
            vendors.append(
                Vendor(
                    supplier_id=candidate.supplier_id,
                    name=candidate.name,
                    tax_number=candidate.tax_number,
                    evidence=candidate.evidence + more,
                    likeness=candidate.likeness,
                    score=result.score if result else 0.0,
                    against=result.against if result else (),
                )
            )
        vendors.sort(key=lambda one: (-one.score, one.name, one.supplier_id))
        return Proposal(
            ifs_key=source.key,
            account=write.account,
            name=write.supplier.name,
            tax_number=write.supplier.tax_number,
            kind=match.kind,
            score=vendors[0].score,
            state=source.state,
            candidates=tuple(vendors),
        )

    def _rejected(self, key: str, account: str) -> list[str]:
        mine = rejections.named(IFS, key)
        return [of.one.removeprefix(f"{CIN7}/") for of in self.rejected if of.account == account and of.other == mine]


def _certain(found: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals; one Cin7 supplier that is certain for two of IFS is certain for neither."""
    claims = Counter((one.account, one.candidates[0].supplier_id) for one in found if one.kind != "possible")
    return [
        msgspec.structs.replace(one, kind="possible")
        if one.kind != "possible" and claims[one.account, one.candidates[0].supplier_id] > 1
        else one
        for one in found
    ]

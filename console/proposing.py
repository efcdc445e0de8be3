"""Suppliers that Cin7 holds already, as proposals with what speaks for each."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from shared.assembly import Assembly
from shared.flows import SUPPLIERS
from shared.ledger import links
from shared.ledger.views.supplier_sources import SupplierSource, unlinked
from workers.composition import desk_of, first_contact_of
from workers.mapping.actors import MAPPINGS, Result, map_raw
from workers.mapping.results import SupplierWrite, SupplierWrites
from workers.writing.desk import Account
from workers.writing.matching import Candidate, Kind


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One IFS supplier and the Cin7 suppliers it may be; `marker` and `exact` have one candidate, which is certain."""

    ifs_key: str
    account: str
    name: str
    tax_number: str
    kind: Kind
    state: str
    candidates: tuple[Candidate, ...]


class Proposals(msgspec.Struct, frozen=True, kw_only=True):
    """`new`: suppliers that nothing in Cin7 resembles; `held`: suppliers that the mapping tables do not let through."""

    proposals: list[Proposal]
    new: int
    held: int


def mapped(parts: Assembly, source: SupplierSource) -> Result:
    """Return what the rules of the moment make of a supplier."""
    return map_raw(source.raw, parts.lens(SUPPLIERS), MAPPINGS[SUPPLIERS], parts.rules.get())


def propose(parts: Assembly, only: str = "") -> Proposals:
    """Compare every supplier without a link with what Cin7 holds; `only` names one Cin7 account.

    Raises:
        Retryable, Misconfigured: Cin7 cannot be asked.
    """
    desk, first_contact = desk_of(parts, lambda: False), first_contact_of(parts)
    accounts: dict[str, Account] = {}
    found: list[Proposal] = []
    new = held = 0
    for source in unlinked(parts.ledger, len(parts.settings.cin7)):
        result = mapped(parts, source)
        if not isinstance(result, SupplierWrites):
            held += 1
            continue
        for write in _open(parts, source.key, result, only):
            if write.account not in accounts:
                accounts[write.account] = desk.account(write.account)
                first_contact.refresh(accounts[write.account])
            match = first_contact.match(accounts[write.account], write.supplier)
            if match.kind == "none":
                new += 1
            else:
                found.append(_proposal(source, write, match.kind, match.candidates))
    return Proposals(proposals=_certain(found), new=new, held=held)


def _open(parts: Assembly, key: str, writes: SupplierWrites, only: str) -> list[SupplierWrite]:
    with parts.ledger.transaction() as cur:
        linked = {link.cin7_account for link in links.of_keys(cur, SUPPLIERS.name, [key]).get(key, ())}
    return [write for write in writes.writes if write.account not in linked and only in ("", write.account)]


def _proposal(source: SupplierSource, write: SupplierWrite, kind: Kind, candidates: tuple[Candidate, ...]) -> Proposal:
    return Proposal(
        ifs_key=source.key,
        account=write.account,
        name=write.supplier.name,
        tax_number=write.supplier.tax_number,
        kind=kind,
        state=source.state,
        candidates=candidates,
    )


def _certain(found: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals; one Cin7 supplier that is certain for two of IFS is certain for neither."""
    claims = Counter((one.account, one.candidates[0].supplier_id) for one in found if one.kind != "possible")
    return [
        msgspec.structs.replace(one, kind="possible")
        if one.kind != "possible" and claims[one.account, one.candidates[0].supplier_id] > 1
        else one
        for one in found
    ]

"""Suppliers that one system holds twice, in IFS or in one Cin7 account: nothing to link, but something to tidy up."""

from collections.abc import Mapping

import msgspec

from console.proposing import Proposer
from shared.assembly import Assembly
from shared.flows import SUPPLIERS
from shared.ifs.records.suppliers import SupplierDocument
from shared.ledger import rejections
from shared.ledger.rejections import CIN7, IFS, Pair
from shared.ledger.views.supplier_sources import every
from workers.writing.resemblance import Doubled, Profile, doubled, of_cin7, of_ifs


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    """Two suppliers of one system that look like one.

    Attributes:
        system: `ifs` or `cin7`.
        account: of Cin7; empty for IFS.
        keys: IFS keys, or Cin7 ids.
        names: in the same order.
    """

    system: str
    account: str
    keys: tuple[str, str]
    names: tuple[str, str]
    score: float
    evidence: tuple[str, ...]
    against: tuple[str, ...]


def twins_of(parts: Assembly, proposer: Proposer) -> list[Twins]:
    """Return what is doubled in IFS and in every Cin7 account, the likeliest first; what a person rejected is left out.

    Raises:
        Retryable, Misconfigured: Cin7 cannot be asked.
    """
    found = _twins(IFS, "", _ifs_profiles(parts), proposer.rejected)
    for name in proposer.names:
        proposer.account(name)
        attribute = parts.settings.cin7[name].supplier_number_attribute
        # A deprecated one has been tidied up already.
        active = [one for one in proposer.first_contact.index(name).suppliers() if one.status.casefold() == "active"]
        profiles = {one.id or "": of_cin7(one, attribute) for one in active}
        found += _twins(CIN7, name, profiles, proposer.rejected)
    return sorted(found, key=lambda one: (-one.score, one.system, one.account, one.keys))


def _ifs_profiles(parts: Assembly) -> dict[str, Profile]:
    """Return the profile of every supplier of IFS; of those that cannot be read a hold tells."""
    lens, countries = parts.lens(SUPPLIERS), parts.rules.get().tables.countries
    profiles = {}
    for source in every(parts.ledger):
        document = lens.decode(source.raw)
        if isinstance(document, SupplierDocument):
            # Within IFS each has a number of its own, which says nothing.
            profiles[source.key] = msgspec.structs.replace(of_ifs(document, countries), number="")
    return profiles


def _twins(system: str, account: str, profiles: Mapping[str, Profile], rejected: Mapping[Pair, object]) -> list[Twins]:
    return [
        Twins(
            system=system,
            account=account,
            keys=(pair.one, pair.other),
            names=(profiles[pair.one].name, profiles[pair.other].name),
            score=pair.score,
            evidence=pair.evidence,
            against=pair.against,
        )
        for pair in doubled(profiles)
        if _pair(system, account, pair) not in rejected
    ]


def _pair(system: str, account: str, doubled_: Doubled) -> Pair:
    return rejections.pair(account, rejections.named(system, doubled_.one), rejections.named(system, doubled_.other))

"""What to write to a Cin7 supplier, from three versions of it: in common before, wanted by IFS, current in Cin7. Pure.

The merging itself stands in `supplier_merging.py`, which the way back uses too. Where nothing was written yet, each
field counts as empty before: what Cin7 has blank is filled in, what it has otherwise is a conflict. An empty text and a
missing one are the same.
"""

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding
from workers.writing.supplier_entries import ADDRESSES, CONTACTS, entry_differences, with_ids
from workers.writing.supplier_merging import ONE_WAY, SHARED, Common, Referee, merge


class Create(msgspec.Struct, frozen=True):
    supplier: Supplier


class Update(msgspec.Struct, frozen=True):
    """PUT `supplier`: Cin7's own with our changes in it, entries with their IDs; read back, it must be there.

    Attributes:
        changed: what of it changes in Cin7.
        to_ifs: what Cin7's people changed, which the way back brings to IFS.
        before: what both sides have in common as long as it is not.
        common: what both sides have in common once it is written.
    """

    supplier: Supplier
    changed: tuple[str, ...]
    to_ifs: tuple[str, ...]
    before: Common
    common: Common


class Unchanged(msgspec.Struct, frozen=True):
    """Cin7 holds what is wanted, or differs only in what its own people changed."""

    to_ifs: tuple[str, ...]
    common: Common


Plan = Create | Update | Unchanged


def plan_supplier(
    wanted: Supplier,
    common: Common,
    current: Supplier | None,
    referee: Referee | None = None,
    *,
    silent: tuple[str, ...] = (),
) -> Plan | list[Finding]:
    """Decide the write from three versions of one supplier.

    Args:
        wanted: what the mapping asks for now.
        common: what both sides had in common when either was last written.
        current: what Cin7 holds now; None where it has no such supplier.
        referee: settles a field that both sides changed; by default such a field is held.
        silent: fields in which IFS has no say.
    """
    if current is None:
        return Create(wanted)
    found = merge(common, wanted, current, referee or Referee(), silent=silent)
    if found.findings:
        return list(found.findings)
    if not found.to_cin7:
        return Unchanged(found.to_ifs, found.after_cin7)
    return Update(found.cin7, found.to_cin7, found.to_ifs, found.before, found.after_cin7)


def is_written(wanted: Supplier, common: Common, *, silent: tuple[str, ...] = ()) -> bool:
    """Say whether nothing would have to be written to a Cin7 that nobody has touched since."""
    if common.supplier is None or common.for_cin7 is not None:
        return False
    found = merge(common, wanted, common.supplier, Referee(), silent=silent)
    return not found.to_cin7 and not found.findings


def differences(wanted: Supplier, got: Supplier) -> tuple[str, ...]:
    """Return the fields in which `got` is not `wanted`, as read back after a write; empty where all arrived.

    The order of addresses and contacts does not matter, nor do further ones; one that is there twice does. Without an
    attribute set Cin7 ignores attributes, so an empty one is no difference then. Source: docs/apis/cin7.md#supplier.
    """
    names = (*SHARED, *ONE_WAY, *(("attribute_set",) if wanted.attribute_set else ()))
    fields = [field for field in names if not _same(field, getattr(wanted, field) or "", getattr(got, field) or "")]
    fields.extend(
        f"AdditionalAttribute{number}"
        for number, text in wanted.attributes.items()
        if _lost(text, got.attributes.get(number) or "", expected=bool(wanted.attribute_set))
    )
    fields.extend(entry_differences(wanted.addresses, got.addresses, ADDRESSES))
    fields.extend(entry_differences(wanted.contacts, got.contacts, CONTACTS))
    return tuple(fields)


def _lost(text: str, held: str, *, expected: bool) -> bool:
    return held != text and bool(held or expected)


def remembered(wanted: Supplier, got: Supplier) -> Supplier:
    """Return what is in common once `wanted` was created: with the IDs that Cin7 gave to it."""
    return msgspec.structs.replace(
        wanted,
        id=got.id,
        addresses=with_ids(wanted.addresses, got.addresses),
        contacts=with_ids(wanted.contacts, got.contacts),
    )


def _same(field: str, one: str, other: str) -> bool:
    """Compare one field; Cin7 spells a status in either case. Source: docs/apis/cin7.md#supplier."""
    return one.casefold() == other.casefold() if field == "status" else one == other

"""What to write to a Cin7 supplier, from three versions of it: wanted, written last, current. Pure.

Only owned fields are looked at; everything else on the Cin7 record is carried along as it is. Where nothing was
written yet, each owned field counts as empty before: what Cin7 has blank is filled in, what it has otherwise is a
conflict. An empty text and a missing one are the same.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.config.settings import PolicySettings
from shared.findings import Finding
from workers.writing.merging import Arbiter
from workers.writing.supplier_entries import (
    ADDRESSES,
    CONTACTS,
    address_key,
    contact_key,
    entry_differences,
    merge_entries,
    pair,
    with_ids,
)

#: What IFS decides on the supplier itself; the attribute set only where the settings name one. Discount, comments and
#: the other attributes are Cin7's own.
OWNED: Final = ("name", "currency", "payment_term", "account_payable", "tax_rule", "status", "tax_number")


class Create(msgspec.Struct, frozen=True):
    supplier: Supplier


class Update(msgspec.Struct, frozen=True):
    """PUT `supplier`: Cin7's own with our changes in it, entries with their IDs; read back, it must be there."""

    supplier: Supplier
    changed: tuple[str, ...]


class Unchanged(msgspec.Struct, frozen=True):
    """Cin7 holds what is wanted, or differs only in what its own people changed."""


Plan = Create | Update | Unchanged


def plan_supplier(
    wanted: Supplier,
    written: Supplier | None,
    current: Supplier | None,
    policy: PolicySettings | None = None,
    *,
    company: str = "",
    ifs_changed_at: dt.datetime | None = None,
) -> Plan | list[Finding]:
    """Decide the write from three versions of one supplier.

    Args:
        wanted: what the mapping asks for now.
        written: what was asked for when it was last written (`remembered`); None before the first write.
        current: what Cin7 holds now; None where it has no such supplier.
        policy: settles a field that both sides changed; by default such a field is held.
        company: named by the findings.
        ifs_changed_at: aware; decides under `newest`. Unknown, such a conflict is held.
    """
    if current is None:
        return Create(wanted)
    arbiter = Arbiter(
        sides=(policy or PolicySettings()).supplier_conflict,
        newer=_newer_side(ifs_changed_at, current.last_modified_on),
        company=company,
    )
    merged = _merge_fields(wanted, written, current, arbiter)
    before_addresses = written.addresses if written else ()
    before_contacts = written.contacts if written else ()
    addresses = merge_entries(
        pair(wanted.addresses, before_addresses, current.addresses, address_key),
        current.addresses,
        ADDRESSES,
        arbiter,
    )
    contacts = merge_entries(
        pair(wanted.contacts, before_contacts, current.contacts, contact_key),
        current.contacts,
        CONTACTS,
        arbiter,
    )
    if arbiter.findings:
        return arbiter.findings
    if not arbiter.changed:
        return Unchanged()
    return Update(msgspec.structs.replace(merged, addresses=addresses, contacts=contacts), tuple(arbiter.changed))


def differences(wanted: Supplier, got: Supplier) -> tuple[str, ...]:
    """Return the owned fields in which `got` is not `wanted`, as read back after a write; empty where all arrived.

    The order of addresses and contacts does not matter, nor do further ones; one that is there twice does. Without an
    attribute set Cin7 ignores attributes, so an empty one is no difference then. Source: docs/apis/cin7.md#supplier.
    """
    fields = [
        field for field in _owned(wanted) if not _same(field, getattr(wanted, field) or "", getattr(got, field) or "")
    ]
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
    """Return what the link keeps as last written: what was wanted, with the IDs that Cin7 gave to it."""
    addresses: tuple[Address, ...] = with_ids(wanted.addresses, got.addresses, address_key)
    contacts: tuple[Contact, ...] = with_ids(wanted.contacts, got.contacts, contact_key)
    return msgspec.structs.replace(wanted, id=got.id, addresses=addresses, contacts=contacts)


def _merge_fields(wanted: Supplier, written: Supplier | None, current: Supplier, arbiter: Arbiter) -> Supplier:
    """Return `current` with the owned fields settled, entries untouched."""
    settled: dict[str, str] = {}
    for field in _owned(wanted):
        before = (getattr(written, field) or "") if written else ""
        theirs = getattr(current, field) or ""
        ours = getattr(wanted, field) or ""
        if field == "name" and _folded(theirs) == _folded(before if written else ours):
            before = theirs  # Suppliers are linked without regard to case and spaces: another spelling is no change.
        if not _same(field, ours, theirs):
            settled[field] = str(arbiter.settle(field, field, ours, before, theirs))
    attributes = {number: text or "" for number, text in current.attributes.items()}
    for number, text in wanted.attributes.items():
        before = written.attributes.get(number, "") if written else ""
        theirs = attributes.get(number, "")
        attributes[number] = str(arbiter.settle(f"AdditionalAttribute{number}", "attributes", text, before, theirs))
    return msgspec.structs.replace(current, attributes=attributes, **settled)


def _owned(wanted: Supplier) -> Sequence[str]:
    return (*OWNED, "attribute_set") if wanted.attribute_set else OWNED


def _same(field: str, one: str, other: str) -> bool:
    """Compare one field; Cin7 spells a status in either case. Source: docs/apis/cin7.md#supplier."""
    return one.casefold() == other.casefold() if field == "status" else one == other


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _newer_side(ifs_changed_at: dt.datetime | None, last_modified_on: str) -> str:
    """Return `ifs` or `cin7`, whichever changed later; empty where that cannot be told."""
    try:
        cin7_changed_at = dt.datetime.fromisoformat(last_modified_on)
    except ValueError:
        return ""
    if cin7_changed_at.tzinfo is None:
        # A stamp without a zone is UTC. Source: docs/apis/cin7.md#data-formats.
        cin7_changed_at = cin7_changed_at.replace(tzinfo=dt.UTC)
    if ifs_changed_at is None or ifs_changed_at == cin7_changed_at:
        return ""
    return "ifs" if ifs_changed_at > cin7_changed_at else "cin7"

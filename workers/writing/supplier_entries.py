"""A supplier's addresses and contacts in three versions: paired, merged and compared. Pure.

Entries are paired by the ID that Cin7 gave them when they were written, else by what they are about: a contact's name,
an address's type and first line. What Cin7's people added is kept, what IFS no longer has is kept too, and what they
removed is not brought back unless IFS changes it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from shared.cin7.records.suppliers import Address, Contact
from workers.writing.merging import Arbiter, Value


class Owned(msgspec.Struct, frozen=True):
    """The fields of one kind of entry that IFS decides; `group` names the kind in the setting `supplier_conflict`."""

    group: str
    fields: tuple[str, ...]


ADDRESSES: Final = Owned(
    "addresses", ("type", "line1", "line2", "city", "state", "postcode", "country", "default_for_type")
)
#: Comment, Default and IncludeInEmail are Cin7's own.
CONTACTS: Final = Owned("contacts", ("name", "phone", "mobile_phone", "fax", "email", "website"))

E = TypeVar("E", Address, Contact)
#: (type, name or first line): entries of another type are never taken for one another.
Key = tuple[str, str]


def address_key(address: Address) -> Key:
    return address.type.casefold(), " ".join(address.line1.casefold().split())


def contact_key(contact: Contact) -> Key:
    return "contact", " ".join(contact.name.casefold().split())


def pair(
    wanted: Sequence[E], written: Sequence[E], current: Sequence[E], key: Callable[[E], Key]
) -> list[tuple[E, E | None, E | None]]:
    """Return every wanted entry with what was written for it and what Cin7 holds of it, each used once."""
    bases = _by_key(wanted, list(written), key)
    left = list(current)
    found: dict[int, E] = {}
    for at, base in bases.items():
        for entry in left:
            if entry.id and base.id and entry.id.casefold() == base.id.casefold():
                found[at] = entry
                left.remove(entry)
                break
    open_ = {at: bases.get(at, entry) for at, entry in enumerate(wanted) if at not in found}
    for likeness in (open_, {at: wanted[at] for at in open_}):
        for at, like in likeness.items():
            held = None if at in found else _take(left, key(like), key)
            if held is not None:
                found[at] = held
    return [(entry, bases.get(at), found.get(at)) for at, entry in enumerate(wanted)]


def _by_key(wanted: Sequence[E], written: list[E], key: Callable[[E], Key]) -> dict[int, E]:
    """Return the written entry of each wanted one, by its place.

    An address whose first line changed has no partner by key: it takes one of its type that is no longer wanted, so
    that a move changes the address in Cin7 instead of adding a second one.
    """
    bases: dict[int, E] = {}
    for at, entry in enumerate(wanted):
        base = _take(written, key(entry), key)
        if base is not None:
            bases[at] = base
    for at, entry in enumerate(wanted):
        if at in bases or isinstance(entry, Contact):
            continue
        moved = next((base for base in written if key(base)[0] == key(entry)[0]), None)
        if moved is not None:
            bases[at] = moved
            written.remove(moved)
    return bases


def _take(entries: list[E], wanted: Key, key: Callable[[E], Key]) -> E | None:
    """Remove the first entry with this key from `entries` and return it."""
    for entry in entries:
        if key(entry) == wanted:
            entries.remove(entry)
            return entry
    return None


def merge_entries(
    trios: Sequence[tuple[E, E | None, E | None]], current: Sequence[E], owned: Owned, arbiter: Arbiter
) -> tuple[E, ...]:
    """Return all entries to PUT: Cin7's in their places with our changes in them, then new ones."""
    merged = list(current)
    for wanted, before, theirs in trios:
        if theirs is not None:
            place = next(at for at, entry in enumerate(merged) if entry is theirs)
            merged[place] = _merge_entry(wanted, before, theirs, owned, arbiter)
        elif before is None or _comes_back(wanted, before, owned, arbiter):
            merged.append(msgspec.structs.replace(wanted, id=None))
            arbiter.changed.append(_name(wanted, owned))
    return tuple(merged)


def _merge_entry(wanted: E, before: E | None, theirs: E, owned: Owned, arbiter: Arbiter) -> E:
    name = _name(wanted, owned)
    settled = {
        field: arbiter.settle(
            f"{name} {field}", owned.group, _value(wanted, field), _value(before, field), _value(theirs, field)
        )
        for field in owned.fields
    }
    return msgspec.structs.replace(theirs, **settled)


def _comes_back(wanted: E, before: E, owned: Owned, arbiter: Arbiter) -> bool:
    """Tell whether an entry that was removed in Cin7 comes back, because IFS changed it since."""
    ours, earlier = _values(wanted, owned), _values(before, owned)
    if ours == earlier:
        return False
    verdict = arbiter.conflict(_name(wanted, owned), owned.group, _shown(ours), _shown(earlier), "(removed)")
    return verdict == "ours"


def entry_differences(wanted: Sequence[E], got: Sequence[E], owned: Owned) -> list[str]:
    """Return the wanted entries that are missing from `got`, and those that are there more often than wanted."""
    asked = Counter(_values(entry, owned) for entry in wanted)
    held = Counter(_values(entry, owned) for entry in got)
    names = {_values(entry, owned): _name(entry, owned) for entry in wanted}
    return [
        f"{names[values]}{' doubled' if held[values] > count else ''}"
        for values, count in asked.items()
        if held[values] != count
    ]


def with_ids(wanted: Sequence[E], got: Sequence[E], key: Callable[[E], Key]) -> tuple[E, ...]:
    """Return the wanted entries with the IDs of those in `got` that they became."""
    return tuple(
        msgspec.structs.replace(entry, id=held.id if held else entry.id)
        for entry, _, held in pair(wanted, wanted, got, key)
    )


def _value(entry: E | None, field: str) -> Value:
    if entry is None:
        return False if field == "default_for_type" else ""
    value: Value | None = getattr(entry, field)
    return "" if value is None else value


def _values(entry: E, owned: Owned) -> tuple[Value, ...]:
    return tuple(_value(entry, field) for field in owned.fields)


def _shown(values: Sequence[Value]) -> str:
    return ", ".join(str(value) for value in values if value != "")


def _name(entry: E, owned: Owned) -> str:
    return f"{owned.group} {entry.type + ' ' + entry.line1 if isinstance(entry, Address) else entry.name}"

"""A supplier's addresses and contacts in three versions: brought together, merged and compared. Pure.

Entries are brought together by the ID that Cin7 gave them when they were written, else by what they are about: a
contact's name, an address's type and first line. What one side no longer has stays on the other, and does not come back
unless it is changed there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Generic, Literal, TypeVar

import msgspec

from shared.cin7.records.suppliers import Address, Contact
from shared.fingerprints import fingerprint
from workers.writing.merging import Arbiter, Bases, Value, Verdict, bases


class Owned(msgspec.Struct, frozen=True):
    """The fields of one kind of entry that both sides hold; `group` names the kind in `supplier_conflict`."""

    group: Literal["addresses", "contacts"]
    fields: tuple[str, ...]


ADDRESSES: Final = Owned(
    "addresses", ("type", "line1", "line2", "city", "state", "postcode", "country", "default_for_type")
)
#: Comment, Default and IncludeInEmail are Cin7's own.
CONTACTS: Final = Owned("contacts", ("name", "phone", "mobile_phone", "fax", "email", "website"))
#: What a contact is reached by. One without any of it has nothing that IFS could hold.
METHODS: Final = ("phone", "mobile_phone", "fax", "email", "website")
#: By which a contact is known that was renamed in IFS.
_PERSONAL: Final = ("phone", "mobile_phone", "email")
_REMOVED: Final = "(removed)"

E = TypeVar("E", Address, Contact)
#: (type, name or first line): entries of another type are never taken for one another.
Key = tuple[str, str]


def address_key(address: Address) -> Key:
    return address.type.casefold(), " ".join(address.line1.casefold().split())


def contact_key(contact: Contact) -> Key:
    return "contact", " ".join(contact.name.casefold().split())


def key_of(entry: Address | Contact) -> Key:
    return address_key(entry) if isinstance(entry, Address) else contact_key(entry)


class Trio(msgspec.Struct, Generic[E], frozen=True):
    """One entry in three versions; `place` is where it stands among those of IFS."""

    before: E | None
    ifs: E | None
    cin7: E | None
    place: int = -1


def trios(before: Sequence[E], ifs: Sequence[E], cin7: Sequence[E]) -> list[Trio[E]]:
    """Bring the entries of three versions together, each used once: those of IFS first, in their order."""
    left_before, left_cin7 = list(before), list(cin7)
    bases_of = _bases(ifs, left_before)
    held: dict[int, E] = {}
    for at, base in bases_of.items():
        if (found := _by_id(left_cin7, base)) is not None:
            held[at] = found
    for likeness in ({at: bases_of.get(at, entry) for at, entry in enumerate(ifs)}, dict(enumerate(ifs))):
        for at, like in likeness.items():
            if at not in held and (entry := _take(left_cin7, key_of(like))) is not None:
                held[at] = entry
    together = [Trio(bases_of.get(at), entry, held.get(at), at) for at, entry in enumerate(ifs)]
    for base in left_before:
        theirs = _by_id(left_cin7, base) or _take(left_cin7, key_of(base))
        together.append(Trio(base, None, theirs))
    return together + [Trio(None, None, entry) for entry in left_cin7]


def _bases(ifs: Sequence[E], before: list[E]) -> dict[int, E]:
    """Return the earlier entry of each of IFS's, by its place, and take them from `before`.

    An address whose first line changed has no partner by key: it takes one of its type that IFS no longer has, so that
    a move changes the address in Cin7 instead of adding a second one. A contact that was renamed is known by its number
    or its e-mail address.
    """
    found: dict[int, E] = {}
    for at, entry in enumerate(ifs):
        base = _take(before, key_of(entry))
        if base is not None:
            found[at] = base
    for at, entry in enumerate(ifs):
        if at in found:
            continue
        base = next((one for one in before if _resembles(entry, one)), None)
        if base is not None:
            found[at] = base
            before.remove(base)
    return found


def _resembles(entry: E, base: E) -> bool:
    if isinstance(entry, Address):
        return key_of(entry)[0] == key_of(base)[0]
    return any(_value(entry, field) and _value(entry, field) == _value(base, field) for field in _PERSONAL)


def _by_id(entries: list[E], base: E) -> E | None:
    for entry in entries:
        if entry.id and base.id and entry.id.casefold() == base.id.casefold():
            entries.remove(entry)
            return entry
    return None


def _take(entries: list[E], wanted: Key) -> E | None:
    """Remove the first entry with this key from `entries` and return it."""
    for entry in entries:
        if key_of(entry) == wanted:
            entries.remove(entry)
            return entry
    return None


class EntryChange(msgspec.Struct, Generic[E], frozen=True):
    """What becomes of one entry in IFS.

    Attributes:
        place: of the entry among those of IFS; -1: it is new there.
        entry: as IFS is to have it.
        fields: those that change; all that hold something where it is new.
        name: as people are told.
    """

    place: int
    entry: E
    fields: tuple[str, ...]
    name: str


class Merged(msgspec.Struct, Generic[E], frozen=True):
    """The entries of one kind, merged.

    Attributes:
        cin7: all there are to be in Cin7: its own in their places with IFS's changes in them, then new ones.
        ifs: likewise for IFS.
        changes: what goes to IFS.
        after_cin7, after_ifs, decided: what is in common afterwards, as `Bases` says.
        own: entries that Cin7 has for itself, by ID with the mark of what they hold.
    """

    cin7: tuple[E, ...]
    ifs: tuple[E, ...]
    changes: tuple[EntryChange[E], ...]
    after_cin7: tuple[E, ...]
    after_ifs: tuple[E, ...]
    decided: tuple[E, ...]
    own: dict[str, str]


class Merging(Generic[E]):
    """Merges the entries of one kind.

    Args:
        own: as the last merge left it; None: this is the first, and what only Cin7 has stays its own until it changes.
    """

    def __init__(
        self, before: Sequence[E], ifs: Sequence[E], cin7: Sequence[E], *, owned: Owned, arbiter: Arbiter,
        own: Mapping[str, str] | None,
    ) -> None:  # fmt: skip
        self.owned = owned
        self.arbiter = arbiter
        self.own = own
        self.still_own: dict[str, str] = {}
        self.cin7: list[E] = list(cin7)
        self.ifs: list[E] = list(ifs)
        self.changes: list[EntryChange[E]] = []
        self.common: dict[str, list[E]] = {name: [] for name in Bases._fields}
        self.trios: list[Trio[E]] = trios(before, ifs, cin7)

    def merged(self) -> Merged[E]:
        for trio in self.trios:
            if trio.ifs is not None and trio.cin7 is not None:
                self._fields(trio, trio.ifs, trio.cin7)
            elif trio.ifs is not None:
                self._only_in_ifs(trio.before, trio.ifs)
            elif trio.cin7 is not None:
                self._only_in_cin7(trio.before, trio.cin7)
        return Merged(
            cin7=tuple(self.cin7),
            ifs=tuple(self.ifs),
            changes=tuple(self.changes),
            own=self.still_own,
            **{name: tuple(entries) for name, entries in self.common.items()},
        )

    def _fields(self, trio: Trio[E], ifs: E, cin7: E) -> None:
        """Settle every field of an entry that both sides have."""
        name = entry_name(ifs)
        to_cin7: dict[str, Value] = {}
        to_ifs: dict[str, Value] = {}
        common: dict[str, dict[str, Value]] = {field: {} for field in Bases._fields}
        for field in self.owned.fields:
            before, ours, theirs = (_value(entry, field) for entry in (trio.before, ifs, cin7))
            label = f"{name} {field}"
            found = self.arbiter.settle(label, self.owned.group, before, ours, theirs)
            if found == "to_cin7":
                to_cin7[field] = ours
            elif found == "to_ifs":
                to_ifs[field] = theirs
            after = bases(found, before, ours, theirs, self.arbiter.take(label))
            for which, value in zip(Bases._fields, after, strict=True):
                common[which][field] = value
        if to_cin7:
            self.cin7[_place(self.cin7, cin7)] = msgspec.structs.replace(cin7, **to_cin7)
        if to_ifs:
            wanted = msgspec.structs.replace(ifs, **to_ifs)
            self.ifs[trio.place] = wanted
            self.changes.append(EntryChange(trio.place, wanted, tuple(to_ifs), name))
        for which, values in common.items():
            self.common[which].append(msgspec.structs.replace(_bare(ifs), id=cin7.id, **values))

    def _only_in_ifs(self, before: E | None, ifs: E) -> None:
        """New in IFS, or removed in Cin7."""
        name, group = entry_name(ifs), self.owned.group
        take = self.arbiter.take(name)
        if before is None:
            found: Verdict = "to_cin7"
        elif _values(before, self.owned) == _values(ifs, self.owned):
            found = "same"
        else:
            found = self.arbiter.conflict(name, group, _shown(before, self.owned), _shown(ifs, self.owned), _REMOVED)
        self._keep("after_cin7", ifs if found in ("to_cin7", "to_ifs") else before)
        self._keep("after_ifs", ifs if found == "to_ifs" else before)
        self._keep("decided", {"ifs": None, "cin7": ifs}[take] if take else before)
        if found == "to_cin7":
            self.arbiter.note(name, found)
            self.cin7.append(_bare(ifs))

    def _only_in_cin7(self, before: E | None, cin7: E) -> None:
        """New in Cin7, its own, or removed in IFS."""
        name, group = entry_name(cin7), self.owned.group
        take = self.arbiter.take(name)
        if before is None:
            found: Verdict = "same" if self._is_own(cin7) else "to_ifs"
        elif _values(before, self.owned) == _values(cin7, self.owned):
            found = "same"
        else:
            found = self.arbiter.conflict(name, group, _shown(before, self.owned), _REMOVED, _shown(cin7, self.owned))
        self._keep("after_cin7", cin7 if found == "to_cin7" else before)
        self._keep("after_ifs", cin7 if found in ("to_cin7", "to_ifs") else before)
        self._keep("decided", {"ifs": cin7, "cin7": None}[take] if take else before)
        if found == "to_ifs":
            self.arbiter.note(name, found)
            self.ifs.append(_bare(cin7))
            held = tuple(field for field in self.owned.fields if _value(cin7, field))
            self.changes.append(EntryChange(-1, _bare(cin7), held, name))

    def _is_own(self, entry: E) -> bool:
        """Say whether an entry that only Cin7 has stays there: it was there before the supplier was linked."""
        if isinstance(entry, Contact) and not any(_value(entry, method) for method in METHODS):
            return True  # Nothing of it could be held in IFS.
        mark = fingerprint(_values(entry, self.owned))
        if not entry.id or (self.own is not None and self.own.get(entry.id) != mark):
            return False
        self.still_own[entry.id] = mark
        return True

    def _keep(self, which: str, entry: E | None) -> None:
        if entry is not None:
            self.common[which].append(entry)


def _place(entries: Sequence[E], entry: E) -> int:
    return next(at for at, one in enumerate(entries) if one is entry)


def _bare(entry: E) -> E:
    """Return an entry with nothing but what both sides hold."""
    if isinstance(entry, Contact):
        return msgspec.structs.replace(entry, id=None, comment="", default=False, include_in_email=False)
    return msgspec.structs.replace(entry, id=None)


def entry_differences(wanted: Sequence[E], got: Sequence[E], owned: Owned) -> list[str]:
    """Return the wanted entries that are missing from `got`, and those that are there more often than wanted."""
    asked = Counter(_values(entry, owned) for entry in wanted)
    held = Counter(_values(entry, owned) for entry in got)
    names = {_values(entry, owned): entry_name(entry) for entry in wanted}
    return [
        f"{names[values]}{' doubled' if held[values] > count else ''}"
        for values, count in asked.items()
        if held[values] != count
    ]


def with_ids(wanted: Sequence[E], got: Sequence[E]) -> tuple[E, ...]:
    """Return the wanted entries with the IDs of those in `got` that they became."""
    found = {trio.place: trio.cin7 for trio in trios(wanted, wanted, got) if trio.place >= 0}
    return tuple(
        msgspec.structs.replace(entry, id=held.id if (held := found.get(at)) else entry.id)
        for at, entry in enumerate(wanted)
    )


def _value(entry: Address | Contact | None, field: str) -> Value:
    if entry is None:
        return False if field == "default_for_type" else ""
    value: Value | None = getattr(entry, field)
    return "" if value is None else value


def _values(entry: Address | Contact, owned: Owned) -> tuple[Value, ...]:
    return tuple(_value(entry, field) for field in owned.fields)


def _shown(entry: Address | Contact, owned: Owned) -> str:
    return ", ".join(str(value) for value in _values(entry, owned) if value != "")


def entry_name(entry: Address | Contact) -> str:
    """Return what people call an entry."""
    if isinstance(entry, Address):
        return f"addresses {entry.type} {entry.line1}"
    return f"contacts {entry.name}"

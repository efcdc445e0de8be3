"""Addresses that Cin7's people changed or added, to what is to be done in IFS; or why it cannot be told. Pure.

An address of IFS may show as several of Cin7, one per type: it is changed only where all of them were changed alike.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.cin7.records.suppliers import Address
from shared.findings import Finding
from shared.ifs.records import suppliers as ifs
from shared.ifs.records.suppliers import SupplierDocument
from workers.mapping.cin7_suppliers import country_back
from workers.mapping.supplier_entries import ADDRESS_TYPES, TracedAddress
from workers.writing.merging import Value, conflict_finding
from workers.writing.supplier_entries import ADDRESSES, EntryChange
from workers.writing.supplier_parts import Cell, Change, Insert, Part, Step, changed

#: Cin7's types to IFS's. Billing takes both, so that either finds it there.
TYPES_BACK: Final[Mapping[str, tuple[str, ...]]] = {
    kind: tuple(code.capitalize() for code, of in ADDRESS_TYPES.items() if of == kind)
    for kind in dict.fromkeys(ADDRESS_TYPES.values())
}
#: What belongs to the address itself; the others belong to its types.
_TEXTS: Final = ("line1", "line2", "city", "state", "postcode", "country")


class AddressesBack:
    """Collects the steps, and what stands against them.

    Args:
        traced: the addresses of IFS in Cin7's words, as they are now.
        wanted: as they are to be, the new ones behind.
        changes: which of them change, and how.
    """

    def __init__(
        self,
        document: SupplierDocument,
        traced: Sequence[TracedAddress],
        wanted: Sequence[Address],
        changes: Sequence[EntryChange[Address]],
        countries: Mapping[str, str],
        company: str,
    ) -> None:
        self.document = document
        self.traced = traced
        self.wanted = wanted
        self.changes = changes
        self.countries = countries
        self.company = company
        self.steps: list[Step] = []
        self.findings: list[Finding] = []

    def run(self) -> None:
        by_place = {change.place: change for change in self.changes if change.place >= 0}
        texts_changed = {place for place, change in by_place.items() if set(_TEXTS) & set(change.fields)}
        done: set[str] = set()
        for place in sorted(texts_changed):
            self._rewrite(by_place[place], self.traced[place], done)
        for change in by_place.values():
            if "type" in change.fields:
                self._refuse(change, "type", "cannot be another type in IFS by itself")
        made = self._add([change for change in self.changes if change.place < 0])
        if any("default_for_type" in change.fields for change in by_place.values()) or any(
            change.entry.default_for_type for change in self.changes
        ):
            self._defaults(made)

    def _rewrite(self, change: EntryChange[Address], traced: TracedAddress, done: set[str]) -> None:
        """Change the address of IFS that this one shows, once, if all that show it are to be alike."""
        if len(traced.address_ids) > 1:
            self._refuse_all(change, f"is several addresses of IFS ({', '.join(traced.address_ids)})")
            return
        address_id = traced.address_ids[0]
        if address_id in done:
            return
        siblings = [place for place, one in enumerate(self.traced) if address_id in one.address_ids]
        if len({_texts(self.wanted[place]) for place in siblings}) > 1:
            kinds = ", ".join(sorted({self.traced[place].entry.type for place in siblings}))
            self._refuse_all(
                change, f"shows address {address_id} of IFS, which serves {kinds}: change all of them alike"
            )
            return
        done.add(address_id)
        row = next(row for row in self.document.addresses if row.address_id == address_id)
        after = self._properties(change.entry, row, change)
        if after is not None:
            self.steps += changed(_address_part(row.supplier_id, row.address_id), row, after)

    def _properties(self, wanted: Address, row: ifs.Address, change: EntryChange[Address]) -> dict[str, Cell] | None:
        """Return IFS's properties of what changes; None where a country has no code."""
        after: dict[str, Cell] = {}
        fields = set(change.fields)
        if "line1" in fields:
            after["address1"] = wanted.line1
        if fields & {"line1", "line2"}:
            after["address2"] = wanted.line2 or None
        if "city" in fields:
            after["city"] = wanted.city or None
        if "state" in fields:
            # What shows is the state, else the county.
            after["county" if row.county and not row.state else "state"] = wanted.state or None
        if "postcode" in fields:
            after["zip_code"] = wanted.postcode or None
        if "country" in fields:
            code = country_back(
                wanted.country, row.country or self.document.header.country, self.countries, f"{change.name} country"
            )
            if isinstance(code, Finding):
                self.findings.append(code)
                return None
            after["country"] = code
        return after

    def _add(self, changes: Sequence[EntryChange[Address]]) -> dict[str, str]:
        """Make new addresses, one for all that differ in their type only; return their ids by type and text."""
        made: dict[tuple[Value, ...], str] = {}
        found: dict[str, str] = {}
        supplier_id = self.document.header.supplier_id
        for change in changes:
            wanted = change.entry
            if wanted.type not in TYPES_BACK:
                self._refuse(change, "type", "is a type that IFS does not have")
                continue
            texts = _texts(wanted)
            if texts not in made:
                bare = ifs.Address(supplier_id=supplier_id, address_id="")
                whole = EntryChange(-1, wanted, _TEXTS, change.name)
                values = self._properties(wanted, bare, whole)
                if values is None:
                    continue
                made[texts] = self._next_id(made.values())
                key = _address_part(supplier_id, made[texts])
                self.steps.append(Insert(key, (*key.key, *((name, one) for name, one in values.items() if one))))
            for code in TYPES_BACK[wanted.type]:
                part = type_part(supplier_id, made[texts], code)
                self.steps.append(Insert(part, (*part.key, ("def_address", False))))
            found[_name(wanted)] = made[texts]
        return found

    def _next_id(self, taken: object) -> str:
        """Return the lowest number that no address has."""
        ids = {row.address_id.strip() for row in self.document.addresses} | set(taken)  # type: ignore[call-overload]
        return next(str(number) for number in range(1, len(ids) + 2) if str(number) not in ids)

    def _defaults(self, made: Mapping[str, str]) -> None:
        """Move the defaults: first those that are none any more, then the new ones."""
        off: list[Step] = []
        on: list[Step] = []
        moved = {change.entry.type for change in self.changes if "default_for_type" in change.fields}
        for kind in sorted(moved & set(TYPES_BACK)):
            places = [place for place, one in enumerate(self.wanted) if one.default_for_type and one.type == kind]
            chosen = {self._id_of(place, made) for place in places}
            if len(chosen) > 1:
                names = ", ".join(self.wanted[place].line1 for place in places)
                label = f"addresses {kind} default_for_type"
                self.findings.append(
                    conflict_finding(label, "", "", names, self.company, why="is true of several", remedy=_CHOOSE)
                )
                continue
            for row, wants in self._wanted_defaults(kind, next(iter(chosen), "")):
                part = type_part(row.supplier_id, row.address_id, row.address_type_code)
                (on if wants else off).extend(changed(part, row, {"def_address": wants}))
        for step in on:
            self._make_as_wanted(step)
        self.steps += [*off, *(step for step in on if not self._is_inserted(step))]

    def _wanted_defaults(self, kind: str, chosen: str) -> list[tuple[ifs.AddressType, bool]]:
        """Return the rows that say which address of a type is the default, and whether each is to say so.

        The first of the type's codes that the chosen address has decides; those after it do not matter.
        """
        rows = self._type_rows(kind)
        codes = list(TYPES_BACK[kind])
        of_chosen = [code for code in codes if any(_is(row, chosen, code) for row in rows)]
        deciding = of_chosen[0] if of_chosen else codes[-1]
        before = codes[: codes.index(deciding) + 1]
        return [(row, _is(row, chosen, deciding)) for code in before for row in rows if _is(row, row.address_id, code)]

    def _id_of(self, place: int, made: Mapping[str, str]) -> str:
        if place < len(self.traced):
            return self.traced[place].address_ids[0]
        return made.get(_name(self.wanted[place]), "")

    def _type_rows(self, kind: str) -> list[ifs.AddressType]:
        """Return the rows of one of Cin7's types, those that are about to be made too."""
        codes = TYPES_BACK[kind]
        rows = [row for row in self.document.address_types if row.address_type_code.strip().capitalize() in codes]
        for step in self.steps:
            if isinstance(step, Insert) and step.part.set == "address_types":
                row = ifs.AddressType(**dict(step.values))  # type: ignore[arg-type]
                rows += [row] if row.address_type_code in codes else []
        return rows

    def _is_inserted(self, step: Step) -> bool:
        return any(isinstance(one, Insert) and one.part == step.part for one in self.steps)

    def _make_as_wanted(self, step: Step) -> None:
        """Make a new row as it is to be, instead of changing it at once."""
        for at, one in enumerate(self.steps):
            if isinstance(one, Insert) and one.part == step.part and isinstance(step, Change):
                self.steps[at] = Insert(one.part, tuple((dict(one.values) | dict(step.after)).items()))

    def _refuse_all(self, change: EntryChange[Address], why: str) -> None:
        for field in change.fields:
            if field in _TEXTS:
                self._refuse(change, field, why)

    def _refuse(self, change: EntryChange[Address], field: str, why: str) -> None:
        ours = str(getattr(self.traced[change.place].entry, field)) if change.place >= 0 else ""
        self.findings.append(
            conflict_finding(
                f"{change.name} {field}",
                ours,
                ours,
                str(getattr(change.entry, field)),
                self.company,
                why=why,
                remedy=f"Do so in Cin7 or in IFS; or {PUT_BACK}",
            )
        )


_CHOOSE: Final = "Choose one in Cin7."
PUT_BACK: Final = "put back what IFS has with `connector holds resolve ID --take ifs`."


def _texts(address: Address) -> tuple[Value, ...]:
    return tuple(getattr(address, field) for field in ADDRESSES.fields if field in _TEXTS)


def _is(row: ifs.AddressType, address_id: str, code: str) -> bool:
    return row.address_id == address_id and row.address_type_code.strip().capitalize() == code


def _name(address: Address) -> str:
    return f"{address.type} {_texts(address)}"


def _address_part(supplier_id: str, address_id: str) -> Part:
    return Part("addresses", (("supplier_id", supplier_id), ("address_id", address_id)))


def type_part(supplier_id: str, address_id: str, code: str) -> Part:
    """Return the row that gives an address a type."""
    key = (("supplier_id", supplier_id), ("address_id", address_id), ("address_type_code", code))
    return Part("address_types", key)

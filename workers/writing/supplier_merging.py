"""A supplier in three versions, merged: what goes to Cin7, what goes to IFS, what nobody may settle. Pure.

All three are in Cin7's words: IFS's version is what the mapping makes of it. Nothing else decides what a change on
either side leads to, whichever direction looks. Fields that are neither here nor on an entry belong to one side.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.cin7.records.suppliers import Address, Contact, Supplier
from shared.config.settings import Side
from shared.findings import Finding
from workers.writing.merging import Arbiter, Bases, Take, bases
from workers.writing.supplier_entries import ADDRESSES, CONTACTS, EntryChange, Merging, with_ids

#: What both sides hold of the supplier itself. Discount, comments and the other attributes are Cin7's own.
SHARED: Final = ("name", "currency", "payment_term", "tax_rule", "status", "tax_number")
#: What the settings and tables of the connector say: Cin7's people may change it, and IFS has nothing of it.
ONE_WAY: Final = ("account_payable",)
#: Only where the settings name a set.
_ATTRIBUTE_SET: Final = "attribute_set"
#: What the stamp of IFS's header tells the last change of.
_STAMPED: Final = ("name", "status")


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides last had in common, as the link keeps it.

    Attributes:
        supplier: with the IDs of Cin7's entries; None: nothing was ever written, and each field counts as empty.
        own: entries that only Cin7 has and that stay there as they are, by ID; None: nobody has looked yet.
        asserted: fields in which IFS, which usually has no say in them, is to prevail for once.
        for_ifs, for_cin7: what both sides will have in common once the write that was begun there is done. Where it was
            interrupted, what of it is there by now is in common, whoever changed the other side meanwhile.
    """

    supplier: Supplier | None = None
    own: dict[str, str] | None = None
    asserted: tuple[str, ...] = ()
    for_ifs: Supplier | None = None
    for_cin7: Supplier | None = None


class ScalarChange(msgspec.Struct, frozen=True):
    """A field of the supplier itself that goes to IFS."""

    field: str
    before: str
    ifs: str
    cin7: str


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the two sides.

    Attributes:
        cin7: as Cin7 is to have it: its own record with IFS's changes in it.
        ifs: as IFS is to have it, in Cin7's words.
        to_cin7, to_ifs: names of what goes there.
        scalars, addresses, contacts: what goes to IFS.
        findings: what nobody may settle. Nothing is written anywhere as long as there is one.
        before: what was in common, with what interrupted writes have brought.
        after_cin7, after_ifs, decided: what is in common afterwards, as `Bases` says.
    """

    cin7: Supplier
    ifs: Supplier
    to_cin7: tuple[str, ...]
    to_ifs: tuple[str, ...]
    scalars: tuple[ScalarChange, ...]
    addresses: tuple[EntryChange[Address], ...]
    contacts: tuple[EntryChange[Contact], ...]
    findings: tuple[Finding, ...]
    before: Common
    after_cin7: Common
    after_ifs: Common
    decided: Common


class Referee(msgspec.Struct, frozen=True, kw_only=True):
    """Who settles what both sides changed.

    Attributes:
        sides: the setting `supplier_conflict`.
        takes: what a person decided, by the name of the field.
        ifs_changed_at: aware; when IFS's header was changed last, where the tenant tells. Decides under `newest`.
        company: named by the findings.
    """

    sides: Side | dict[str, Side] = "hold"
    takes: Mapping[str, Take] = {}
    ifs_changed_at: datetime | None = None
    company: str = ""


def merge(common: Common, ifs: Supplier, cin7: Supplier, referee: Referee, *, silent: tuple[str, ...] = ()) -> Merge:
    """Merge three versions of one supplier.

    Args:
        silent: fields of which IFS says nothing in this tenant: it wants them as they last were.
    """
    common = _caught_up(common, ifs, cin7)
    arbiter = Arbiter(
        sides=referee.sides,
        newer=_newer(referee.ifs_changed_at, cin7.last_modified_on),
        takes=referee.takes,
        company=referee.company,
    )
    scalars = _Scalars(common, ifs, cin7, arbiter, silent)
    scalars.settle()
    before = common.supplier
    addresses = Merging(
        before.addresses if before else (), ifs.addresses, cin7.addresses,
        owned=ADDRESSES, arbiter=arbiter, own=common.own,
    ).merged()  # fmt: skip
    contacts = Merging(
        before.contacts if before else (), ifs.contacts, cin7.contacts,
        owned=CONTACTS, arbiter=arbiter, own=common.own,
    ).merged()  # fmt: skip

    def after(which: str) -> Common:
        supplier = msgspec.structs.replace(
            ifs,
            id=cin7.id,
            attributes=scalars.attributes_after[which],
            addresses=getattr(addresses, which),
            contacts=getattr(contacts, which),
            **scalars.after[which],
        )
        return Common(
            supplier=supplier,
            own=addresses.own | contacts.own,
            asserted=scalars.asserted[which],
            for_ifs=None if which == "after_ifs" else common.for_ifs,
            for_cin7=None if which == "after_cin7" else common.for_cin7,
        )

    return Merge(
        cin7=msgspec.structs.replace(
            cin7,
            attributes=scalars.attributes,
            addresses=addresses.cin7,
            contacts=contacts.cin7,
            **scalars.cin7,
        ),
        ifs=msgspec.structs.replace(ifs, addresses=addresses.ifs, contacts=contacts.ifs, **scalars.ifs),
        to_cin7=tuple(arbiter.to_cin7),
        to_ifs=tuple(arbiter.to_ifs),
        scalars=tuple(scalars.changes),
        addresses=addresses.changes,
        contacts=contacts.changes,
        findings=tuple(arbiter.findings),
        before=common,
        **{which: after(which) for which in Bases._fields},
    )


def _caught_up(common: Common, ifs: Supplier, cin7: Supplier) -> Common:
    """Return what is in common once what interrupted writes brought to either side is known.

    What such a write was to bring, the other side had then; where it is there now, it was in common after `common` was.
    Otherwise our own value would look like a person's, and a person who took his change back like nobody.
    """
    supplier = common.supplier
    for in_ifs, in_cin7 in ((ifs, common.for_ifs), (common.for_cin7, cin7)):
        if supplier is not None and in_ifs is not None and in_cin7 is not None:
            reached = merge(Common(supplier=supplier), in_ifs, in_cin7, Referee()).decided.supplier
            supplier = None if reached is None else msgspec.structs.replace(reached, id=supplier.id)
    return msgspec.structs.replace(common, supplier=supplier)


class _Scalars:
    """Settles what is not an entry; collects what each side is to hold, and what is in common afterwards."""

    def __init__(
        self, common: Common, ifs: Supplier, cin7: Supplier, arbiter: Arbiter, silent: tuple[str, ...]
    ) -> None:
        self.common = common
        self.source = ifs
        self.target = cin7
        self.arbiter = arbiter
        self.silent = silent
        self.cin7: dict[str, str] = {}
        self.ifs: dict[str, str] = {}
        self.changes: list[ScalarChange] = []
        self.after: dict[str, dict[str, str]] = {which: {} for which in Bases._fields}
        self.asserted: dict[str, tuple[str, ...]] = dict.fromkeys(Bases._fields, ())
        self.attributes = {number: text or "" for number, text in cin7.attributes.items()}
        self.attributes_after: dict[str, dict[int, str]] = {which: {} for which in Bases._fields}

    def settle(self) -> None:
        for field in SHARED:
            self._shared(field)
        for field in (*ONE_WAY, _ATTRIBUTE_SET) if self.source.attribute_set else ONE_WAY:
            before, ifs, cin7 = (_text(one, field) for one in (self.common.supplier, self.source, self.target))
            value, after = self._one_way(field, field, before, ifs, cin7)
            self.cin7[field] = value
            for which, text in zip(Bases._fields, after, strict=True):
                self.after[which][field] = str(text)
        for number, text in self.source.attributes.items():
            before = self.common.supplier.attributes.get(number, "") if self.common.supplier else ""
            theirs = self.attributes.get(number, "")
            value, after = self._one_way(f"AdditionalAttribute{number}", "attributes", before, text, theirs)
            self.attributes[number] = value
            for which, kept in zip(Bases._fields, after, strict=True):
                self.attributes_after[which][number] = str(kept)

    def _shared(self, field: str) -> None:
        before, ifs, cin7 = (_text(one, field) for one in (self.common.supplier, self.source, self.target))
        take = self.arbiter.take(field)
        if field == "status":
            before, ifs = (_in_case_of(value, cin7) for value in (before, ifs))
        is_silent = field in self.silent and bool(before) and field not in self.common.asserted
        if field == "name" and ifs != before and _folded(cin7) == _folded(before or ifs):
            before = cin7  # Another spelling in Cin7 is no objection to a new name; suppliers are linked without it.
        wanted = before if is_silent else ifs
        found = self.arbiter.settle(field, field, before, wanted, cin7)
        self.cin7[field] = wanted if found == "to_cin7" else cin7
        self.ifs[field] = cin7 if found == "to_ifs" else wanted
        if found == "to_ifs":
            self.changes.append(ScalarChange(field, before, ifs, cin7))
        after = bases(found, before, wanted, cin7, take)
        if take and field in self.silent:
            # What IFS cannot say is only noted; where it is to prevail, Cin7's word is overruled once.
            after = after._replace(decided=cin7)
            self.asserted["decided"] = (field,) if take == "ifs" else ()
        for which, value in zip(Bases._fields, after, strict=True):
            self.after[which][field] = str(value)

    def _one_way(self, field: str, group: str, before: str, ifs: str, cin7: str) -> tuple[str, Bases]:
        """Settle what IFS's side decides: what only Cin7's people changed is left, and is no news for IFS."""
        if ifs == before != cin7:
            return cin7, Bases(before, before, before)
        found = self.arbiter.settle(field, group, before, ifs, cin7)
        after = bases(found, before, ifs, cin7, self.arbiter.take(field))
        if found == "to_ifs":  # Cin7's word stands, and IFS's is known.
            self.arbiter.to_ifs.remove(field)
            return cin7, after._replace(after_cin7=ifs)
        return (ifs if found == "to_cin7" else cin7), after


def known_after_write(common: Common, got: Supplier) -> Common:
    """Return what is in common, with the IDs that Cin7 gave to what was written."""
    if common.supplier is None:
        return common
    supplier = msgspec.structs.replace(
        common.supplier,
        id=got.id,
        addresses=with_ids(common.supplier.addresses, got.addresses),
        contacts=with_ids(common.supplier.contacts, got.contacts),
    )
    return msgspec.structs.replace(common, supplier=supplier)


def _text(supplier: Supplier | None, field: str) -> str:
    return (getattr(supplier, field) or "") if supplier else ""


def _in_case_of(value: str, other: str) -> str:
    """Return a status as the other side spells it, if it is the same. Source: docs/apis/cin7.md#supplier."""
    return other if value.casefold() == other.casefold() else value


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _newer(ifs_changed_at: datetime | None, last_modified_on: str) -> dict[str, Take]:
    """Return who changed a field later, where that can be told: IFS's stamp is that of the header."""
    try:
        cin7_changed_at = datetime.fromisoformat(last_modified_on)
    except ValueError:
        return {}
    if cin7_changed_at.tzinfo is None:
        # A stamp without a zone is UTC. Source: docs/apis/cin7.md#data-formats.
        cin7_changed_at = cin7_changed_at.replace(tzinfo=UTC)
    if ifs_changed_at is None or ifs_changed_at == cin7_changed_at:
        return {}
    newer: Take = "ifs" if ifs_changed_at > cin7_changed_at else "cin7"
    return dict.fromkeys(_STAMPED, newer)

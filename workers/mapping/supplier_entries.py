"""An IFS supplier's addresses and communication methods to Cin7's addresses and contacts. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from shared.cin7.records import suppliers as cin7
from shared.findings import Finding
from shared.ifs.records.suppliers import Address, CommMethod, SupplierDocument
from workers.mapping.texts import fit_text, invalid

#: IFS address types to Cin7's. Where Document and Pay meet in one Billing address, Document says which is the default.
ADDRESS_TYPES: Final = {"document": "Billing", "pay": "Billing", "visit": "Business", "delivery": "Shipping"}
_TYPE_ORDER: Final = tuple(ADDRESS_TYPES)

#: IFS communication methods to the contact's field; others (pager, intercom) have none.
METHODS: Final = {
    "phone": "phone",
    "mobile": "mobile_phone",
    "fax": "fax",
    "email": "email",
    "e_mail": "email",
    "e-mail": "email",
    "www": "website",
}
NAMELESS_CONTACT: Final = "General"

#: Characters. Source: docs/apis/cin7.md#supplier.
_LINE_MAX: Final = 256
_POSTCODE_MAX: Final = 20
_NAME_MAX: Final = 256
_METHOD_MAX: Final = {"phone": 50, "mobile_phone": 50, "fax": 50, "email": 256, "website": 256}


class TracedAddress(msgspec.Struct, frozen=True):
    """A Cin7 address and the addresses of IFS that it is made from: several where they are equal."""

    entry: cin7.Address
    address_ids: tuple[str, ...]


class TracedContact(msgspec.Struct, frozen=True):
    """A Cin7 contact, the method that each of its fields shows, and all methods of its name."""

    entry: cin7.Contact
    methods: Mapping[str, CommMethod]
    named: tuple[CommMethod, ...]


def addresses_of(
    document: SupplierDocument, countries: Mapping[str, str], findings: list[Finding]
) -> tuple[cin7.Address, ...]:
    """Return one Cin7 address per address and distinct Cin7 type.

    An address without a type serves no purpose in IFS, and one without any line of text has nothing that Cin7 could
    keep: neither is sent.
    """
    return tuple(traced.entry for traced in traced_addresses(document, countries, findings))


def traced_addresses(
    document: SupplierDocument, countries: Mapping[str, str], findings: list[Finding]
) -> tuple[TracedAddress, ...]:
    """Return the addresses of Cin7 in their order, with what they are made from."""
    types = _types_by_address(document)
    defaults = _defaults(document)
    mapped: dict[cin7.Address, bool] = {}
    made_from: dict[cin7.Address, list[str]] = {}
    for address in document.addresses:
        wanted = types.get(address.address_id)
        if not wanted:
            continue
        bare = _address(address, document.header.country, countries, findings)
        if bare is None:
            continue
        for kind in wanted:
            entry = msgspec.structs.replace(bare, type=kind)
            mapped[entry] = mapped.get(entry, False) or defaults.get(kind) == address.address_id
            made_from.setdefault(entry, []).append(address.address_id)
    return tuple(
        TracedAddress(msgspec.structs.replace(entry, default_for_type=default), tuple(made_from[entry]))
        for entry, default in mapped.items()
    )


def _types_by_address(document: SupplierDocument) -> dict[str, list[str]]:
    """Return the distinct Cin7 types of each address, in a fixed order."""
    found: dict[str, set[str]] = {}
    for row in document.address_types:
        if kind := ADDRESS_TYPES.get(row.address_type_code.strip().casefold()):
            found.setdefault(row.address_id, set()).add(kind)
    return {address_id: sorted(kinds) for address_id, kinds in found.items()}


def _defaults(document: SupplierDocument) -> dict[str, str]:
    """Return the address that is the default of each Cin7 type; Cin7 has one per type."""
    defaults: dict[str, str] = {}
    for code in _TYPE_ORDER:
        for row in document.address_types:
            if row.def_address and row.address_type_code.strip().casefold() == code:
                defaults.setdefault(ADDRESS_TYPES[code], row.address_id)
    return defaults


def _address(
    address: Address, header_country: str | None, countries: Mapping[str, str], findings: list[Finding]
) -> cin7.Address | None:
    """Return the address, its type still open; None where it has no line."""
    name = f"address {address.address_id.strip()}"

    def text(value: str | None, field: str, length_max: int = _LINE_MAX) -> str:
        return fit_text(value, f"{name} {field}", findings, length_max=length_max)

    first = text(address.address1, "Address1")
    second = text(address.address2, "Address2")
    city = text(address.city, "City")
    line1 = first or text(address.name, "Name") or second or city
    if not line1:
        return None
    return cin7.Address(
        line1=line1,
        line2="" if line1 == second and not first else second,
        city=city,
        state=text(address.state, "State") or text(address.county, "County"),
        postcode=text(address.zip_code, "ZipCode", _POSTCODE_MAX),
        country=_country(address.country or header_country, f"{name} Country", countries, findings),
        type="",
    )


def _country(value: str | None, field: str, countries: Mapping[str, str], findings: list[Finding]) -> str:
    """Return the country's name: by its code from the table, or as it is where IFS sends a name."""
    text = fit_text(value, field, findings, length_max=_LINE_MAX, required=True)
    if len(text) != 2:
        return text
    name = countries.get(text.upper())
    if name is None:
        remedy = f"Add code {text} to the table countries, or correct the country in IFS."
        findings.append(invalid(field, text, f"Country {text} is not in the table countries.", remedy))
        return ""
    return name


def contacts_of(document: SupplierDocument, findings: list[Finding]) -> tuple[cin7.Contact, ...]:
    """Return one contact per distinct name; of each kind of method its default wins, else its first."""
    return tuple(traced.entry for traced in traced_contacts(document, findings))


def traced_contacts(document: SupplierDocument, findings: list[Finding]) -> tuple[TracedContact, ...]:
    """Return the contacts of Cin7 in their order, with what they are made from."""
    named: dict[str, dict[str, CommMethod]] = {}
    spelling: dict[str, str] = {}
    for method in sorted(document.comm_methods, key=lambda method: not method.method_default):
        field = METHODS.get(method.method_id.strip().casefold())
        if field and (method.value or "").strip():
            named.setdefault(_folded(method), {}).setdefault(field, method)
    for method in document.comm_methods:
        spelling.setdefault(_folded(method), (method.name or "").strip() or NAMELESS_CONTACT)
    order = [key for key in spelling if key in named]
    return tuple(
        TracedContact(
            _contact(spelling[key], named[key], findings),
            named[key],
            tuple(method for method in document.comm_methods if _folded(method) == key),
        )
        for key in order
    )


def _folded(method: CommMethod) -> str:
    return ((method.name or "").strip() or NAMELESS_CONTACT).casefold()


def _contact(name: str, methods: Mapping[str, CommMethod], findings: list[Finding]) -> cin7.Contact:
    fit_text(name, "communication method Name", findings, length_max=_NAME_MAX)
    values = {
        field: fit_text(
            method.value,
            f"communication method {name} {method.method_id.strip()}",
            findings,
            length_max=_METHOD_MAX[field],
        )
        for field, method in methods.items()
    }
    return cin7.Contact(
        name=name,
        phone=values.get("phone", ""),
        mobile_phone=values.get("mobile_phone", ""),
        fax=values.get("fax", ""),
        email=values.get("email", ""),
        website=values.get("website", ""),
    )

"""A supplier as it was read from Cin7 to a struct, or every reason why it cannot be read; and its mark. Pure."""

from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from shared.cin7 import answers
from shared.cin7.errors import Cin7Unclear
from shared.cin7.records.suppliers import Supplier
from shared.findings import Finding
from shared.fingerprints import fingerprint
from shared.rows import read_row

R = TypeVar("R", bound=msgspec.Struct)
_WHOLE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LISTS: Final = ("Addresses", "Contacts")
#: Control characters that no field of a supplier holds.
_BROKEN: Final = "holds a NUL character, or bytes that are no text"


class SupplierOfCin7(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier, and the account it is in."""

    account: str
    supplier: Supplier


def decode(raw: bytes) -> SupplierOfCin7 | list[Finding]:
    """Return the supplier that a raw document holds, or a `source.invalid` for what cannot be used."""
    try:
        parts = _WHOLE.decode(raw)
        account, row = msgspec.json.decode(parts["account"], type=str), read_row(bytes(parts["supplier"]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The row spoils the whole: it stands behind the account, up to the last brace.
        row = read_row(raw.partition(b',"supplier":')[2][:-1])
        account = raw.partition(b":")[2].partition(b",")[0].strip(b'"').decode(errors="replace")
    try:
        supplier = answers.supplier(row.values)
    except Cin7Unclear as unclear:
        return [_invalid("supplier", "", str(unclear))]
    odd = [name for name in _LISTS if not isinstance(row.values.get(name) or [], list)]
    if odd:  # Else all entries would seem to have been removed.
        return [_invalid(name, "", f"Cin7 shows the {name} of supplier {supplier.id} as no list.") for name in odd]
    if not supplier.id:
        return [_invalid("ID", "", "Cin7 shows a supplier without an ID.")]
    broken = [name for name, text in _texts(supplier) if not _is_text(text)]
    if broken:
        return [_invalid(name, "", f"{name} of supplier {supplier.id} {_BROKEN}.") for name in broken]
    return SupplierOfCin7(account=account, supplier=supplier)


def tidy(supplier: Supplier) -> Supplier:
    """Return the supplier without blanks around what both sides hold: they mean nothing, and IFS keeps none."""
    return msgspec.structs.replace(
        _stripped(supplier),
        addresses=tuple(map(_stripped, supplier.addresses)),
        contacts=tuple(map(_stripped, supplier.contacts)),
    )


def _stripped(record: R) -> R:
    texts = {name: value for name, value in msgspec.structs.asdict(record).items() if isinstance(value, str)}
    return msgspec.structs.replace(record, **{name: value.strip() for name, value in texts.items()})


def mark(supplier: Supplier, number_attribute: int) -> str:
    """Return what changes exactly when something changes that both sides hold, or the number that shows whose it is.

    Comments, discounts, stamps and the like are Cin7's own, and make no news.
    """
    supplier = tidy(supplier)
    shared = msgspec.structs.replace(
        supplier,
        status=supplier.status.casefold(),
        discount=Decimal(0),
        comments="",
        account_payable="",
        attribute_set="",
        last_modified_on="",
        attributes={number_attribute: supplier.attributes.get(number_attribute, "")},
        # Nothing is said about the order in which Cin7 shows entries.
        addresses=tuple(sorted(supplier.addresses, key=lambda one: one.id or "")),
        contacts=tuple(
            msgspec.structs.replace(one, comment="", default=False, include_in_email=False)
            for one in sorted(supplier.contacts, key=lambda one: one.id or "")
        ),
    )
    return fingerprint(shared)


def _texts(supplier: Supplier) -> list[tuple[str, str]]:
    """Return every text of a supplier with its name."""
    found = [(name, value) for name, value in msgspec.structs.asdict(supplier).items() if isinstance(value, str)]
    for entry in (*supplier.addresses, *supplier.contacts):
        kind = type(entry).__name__
        found += [
            (f"{kind} {name}", text) for name, text in msgspec.structs.asdict(entry).items() if isinstance(text, str)
        ]
    return found + [(f"AdditionalAttribute{number}", text) for number, text in supplier.attributes.items()]


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _invalid(field: str, value: str, message: str) -> Finding:
    return Finding(
        code="source.invalid", field=field, value=value, message=message, remedy="Correct it in Cin7, then replay."
    )

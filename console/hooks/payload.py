"""The body of a webhook to what is taken from it: its type, and the ids of suppliers. Pure.

Bodies are unsigned and their shapes odd, so nothing else of them is looked at, and what is not understood is no error:
a receiver that refuses is called again for more than an hour and then switched off.
Source: docs/apis/cin7.md#webhooks.
"""

import re
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from shared.cin7.answers import ZERO_ID
from shared.cin7.records.webhooks import SUPPLIER_UPDATED

#: Suppliers of one call; a poll finds the others.
IDS_MAX: Final = 1_000

_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BOM: Final = b"\xef\xbb\xbf"
#: An escaped backslash, or the escape of half a character.
_SURROGATE: Final = re.compile(rb"\\(\\|u[dD][89a-fA-F][0-9a-fA-F]{2})")

Part = Raw | UnsetType


class Named(msgspec.Struct, frozen=True):
    """What a body names.

    Attributes:
        kind: `news` where it is of the type that is listened to, `other` where it is of another or of none, `nonsense`
            where it is no JSON document at all.
        ids: of suppliers, in lower case; of news only.
    """

    kind: Literal["news", "other", "nonsense"]
    ids: tuple[str, ...] = ()


class _Entry(msgspec.Struct):
    """Wherever the id of a supplier was seen, or may be: of one that is nested, listed or told flat."""

    supplier: Part = msgspec.field(default=UNSET, name="Supplier")
    id: Part = msgspec.field(default=UNSET, name="ID")
    supplier_id: Part = msgspec.field(default=UNSET, name="SupplierID")


class _Envelope(_Entry):
    event_type: Part = msgspec.field(default=UNSET, name="EventType")
    details: Part = msgspec.field(default=UNSET, name="SupplierDetailsList")
    suppliers: Part = msgspec.field(default=UNSET, name="SupplierList")


_ANY: Final = msgspec.json.Decoder(Raw)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_ENTRY: Final = msgspec.json.Decoder(_Entry)
_LIST: Final = msgspec.json.Decoder(list[Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def named_in(body: bytes) -> Named:
    """Return what a body names, whatever it holds."""
    body = body.removeprefix(_BOM)
    if not _is_json(body):
        # Half a character in somebody's name makes a document that decoders refuse, and Cin7's may write it.
        body = _SURROGATE.sub(lambda found: found[0] if found[1] == b"\\" else b"?", body)
        if not _is_json(body):
            return Named("nonsense")
    try:
        envelope = _ENVELOPE.decode(body)
    except _FAULTS:
        return Named("other")  # Some types are lists, and bear no type at all.
    if _text(envelope.event_type).casefold() != SUPPLIER_UPDATED.casefold():
        return Named("other")
    entries = [entry for part in (envelope.details, envelope.suppliers) for entry in _list(part)]
    found = [_id_of(entry) for raw in entries if (entry := _entry(raw)) is not None]
    found.append(_id_of(envelope))
    return Named("news", tuple(dict.fromkeys(one for one in found if one))[:IDS_MAX])


def _is_json(body: bytes) -> bool:
    try:
        _ANY.decode(body)
    except _FAULTS:
        return False
    return True


def _id_of(entry: _Entry) -> str:
    """Return the supplier's id, or ""; that of an address or a contact is never looked at."""
    nested = _entry(entry.supplier)
    places = (nested.id if nested else UNSET, entry.id, entry.supplier_id)
    return next((found for place in places if (found := _guid(place))), "")


def _guid(part: Part) -> str:
    text = _text(part).strip().lower()
    return text if text != ZERO_ID and _GUID.fullmatch(text) else ""


def _text(part: Part) -> str:
    try:
        return "" if isinstance(part, UnsetType) else _TEXT.decode(part)
    except _FAULTS:
        return ""


def _entry(part: Part) -> _Entry | None:
    try:
        return None if isinstance(part, UnsetType) else _ENTRY.decode(part)
    except _FAULTS:
        return None


def _list(part: Part) -> list[Raw]:
    try:
        return [] if isinstance(part, UnsetType) else _LIST.decode(part)[:IDS_MAX]
    except _FAULTS:
        return []

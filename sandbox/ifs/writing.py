"""Answers POST, PATCH and DELETE: preconditions, bodies, references. Source: docs/apis/ifs.md#writing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from sandbox.ifs.addresses import Target
from sandbox.ifs.answers import DECODER, Answer, Refused, Request, data, database_error
from sandbox.ifs.catalogue import ENUMS
from sandbox.ifs.general_ledger import check_not_posted
from sandbox.ifs.reading import Reader, hidden_in
from sandbox.ifs.references import check_order, check_references, referenced_by
from sandbox.ifs.shapes import Cell, Property
from sandbox.ifs.tables import Key

_SYSTEM_FIELDS: Final = frozenset(
    {"Objid", "Objversion", "Objgrants", "Objstate", "Objevents", "Objkey", "luname", "keyref", "rowversion"}
)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Makes the writes of one client."""

    reader: Reader
    client_id: str

    def write(self, target: Target, request: Request) -> Answer:
        """Make one write and return its answer; raises Refused with the data unchanged."""
        if target.read_only:
            raise Refused(405, "ODP_NOT_ALLOWED", f"{request.method} is not allowed on {target.shown_as}.")
        if (request.method == "POST") != (target.key is None):
            raise Refused(405, "ODP_NOT_ALLOWED", f"{request.method} is not allowed on this address.")
        if not target.kind.writable and request.method != "PATCH":
            raise Refused(405, "ODP_NOT_ALLOWED", f"{request.method} is not allowed on {target.shown_as}.")
        match request.method:
            case "POST":
                return self._create(target, request)
            case "PATCH":
                return self._change(target, request)
        return self._delete(target, request)

    def _create(self, target: Target, request: Request) -> Answer:
        body = self._body(target, request)
        for name, value in target.fixed:
            if body.setdefault(name, value) != value:
                raise database_error(f"The field [{name}] differs from the row that the address leads through.")
        key = self._key_in(target, body)
        return self._insert(target, key, body, request)

    def _key_in(self, target: Target, body: dict[str, Any]) -> Key:
        store = self.reader.store
        if target.kind.has("PartyType") and body.get("PartyType") is None:
            body["PartyType"] = "Supplier"
        if target.table == "CommMethodSet" and body.get("CommId") is None:
            # The database numbers communication methods; a client that names one may.
            numbers = (key[2] for key in store.tables[target.table].rows if key[1] == body.get("Identity"))
            body["CommId"] = max(numbers, default=0) + 1
        series = store.switches.supplier_series
        if target.table == "SupplierInfoGeneralSet" and series and body.get("SupplierId") is None:
            body["SupplierId"] = store.next_in_series(series)
        return tuple(body.get(name) for name in target.kind.key)

    def _insert(self, target: Target, key: Key, body: dict[str, Any], request: Request) -> Answer:
        store, kind = self.reader.store, target.kind
        for prop in kind.properties:
            if prop.required and body.get(prop.name) is None:
                raise database_error(f"The field [{prop.name}] in the object {kind.luname} must have a value.", "20124")
        if key in store.tables[target.table].rows:
            raise database_error(f"The {kind.luname} object already exists.", "20112")
        check_references(store, target.table, body, body)
        if store.switches.creation_order == "enforced":
            check_order(store, target.table, body)
        if not self.reader.security.sees(target.table, tuple(body.get(name) for name in kind.names)):
            raise database_error(
                f"Company [{body.get('Company')}] is not allowed for user [{self.client_id}].", "20113"
            )
        store.write(target.table, key, body, user=self.client_id)
        return self._stored(target, key, request, status=201)

    def _change(self, target: Target, request: Request) -> Answer:
        store, key = self.reader.store, _of(target)
        match_tag = request.headers.get("if-match")
        if match_tag is None and store.switches.missing_match == "strict":
            raise Refused(428, "ODP_MISSING_PRECONDITION", "The If-Match header is missing.")
        if match_tag is None and target.kind.writable and key not in store.tables[target.table].rows:
            body = self._body(target, request)
            body.update(zip(target.kind.key, key, strict=True))
            return self._insert(target, key, body, request)
        self._check_match(target, match_tag)
        self._check_lock(target, key)
        check_not_posted(target.kind, store.tables[target.table].rows[key])
        body = self._body(target, request)
        for name in target.kind.key:
            if name in body and body.pop(name) != dict(zip(target.kind.key, key, strict=True))[name]:
                raise database_error(f"The field [{name}] in the object {target.kind.luname} may not be modified.")
        for prop in target.kind.properties:
            if prop.required and prop.name in body and body[prop.name] is None:
                raise database_error(f"The field [{prop.name}] must have a value.", "20124")
        current = dict(zip(target.kind.names, store.tables[target.table].rows[key].values, strict=True))
        check_references(store, target.table, {**current, **body}, body)
        store.write(target.table, key, body, user=self.client_id)
        if store.switches.patch_answer == 204:
            return Answer(status=204)
        return self._stored(target, key, request, status=200)

    def _delete(self, target: Target, request: Request) -> Answer:
        store, key = self.reader.store, _of(target)
        match_tag = request.headers.get("if-match")
        if match_tag is None:
            raise Refused(428, "ODP_MISSING_PRECONDITION", "The If-Match header is missing.")
        self._check_match(target, match_tag)
        if holder := referenced_by(store, target.table, key):
            raise database_error(f"The {target.kind.luname} cannot be deleted: it is used by {holder}.", "20111")
        store.write(target.table, key, None, user=self.client_id)
        return Answer(status=204)

    def _check_lock(self, target: Target, key: Key) -> None:
        """Give up waiting for a row that somebody's open transaction holds."""
        if self.reader.store.is_locked(target.table, key):
            raise Refused(500, "", "ORA-30006: resource busy; acquire with WAIT timeout expired")

    def _check_match(self, target: Target, match_tag: str | None) -> None:
        row = self.reader.found(target)
        if match_tag in (None, "*", row.etag()):
            return
        message = f"The {target.kind.luname} object has already been changed. Please refresh and try again."
        if self.reader.store.switches.stale_match == "20114":
            raise Refused(400, "DATABASE_ERROR", f"ORA-20114: {message}", details=[("20114", message)])
        raise Refused(412, "ODP_PRECONDITION_FAILED", message)

    def _stored(self, target: Target, key: Key, request: Request, *, status: int) -> Answer:
        row = self.reader.store.tables[target.table].rows[key]
        content = {
            "@odata.context": f"{request.origin}{target.root}$metadata#{target.shown_as}/$entity",
            "@odata.etag": row.etag(),
            "luname": target.luname,
            "keyref": target.kind.keyref(row.values),
            "Objgrants": None,
            **dict(zip(target.kind.names, row.values, strict=True)),
        }
        for name in hidden_in(self.reader.store, target.table):
            content.pop(name, None)
        headers = (("ETag", row.etag()),)
        return data(content, status=status, numbers_as_text=request.numbers_as_text, headers=headers)

    def _body(self, target: Target, request: Request) -> dict[str, Any]:
        """Return what the client may set, decoded and checked."""
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise Refused(400, "ODP_DESERIALIZATION_ERROR", "The content type must be application/json.")
        try:
            body = DECODER.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Refused(400, "ODP_DESERIALIZATION_ERROR", "The body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise Refused(400, "ODP_DESERIALIZATION_ERROR", "The body must be one object.")
        hidden = hidden_in(self.reader.store, target.table)
        kept: dict[str, Any] = {}
        for name, value in body.items():
            prop = None if name in hidden else target.kind.by_name.get(name)
            if name.startswith("@") or name in _SYSTEM_FIELDS or (prop is not None and prop.by_server):
                if self.reader.store.switches.system_fields == "refused":
                    raise Refused(400, "ODP_DESERIALIZATION_ERROR", f"The property '{name}' cannot be set.")
                continue
            if prop is None:
                raise Refused(400, "ODP_DESERIALIZATION_ERROR", f"The property '{name}' does not exist.")
            kept[name] = _checked(prop, value)
        return kept


def _of(target: Target) -> Key:
    if target.key is None:
        raise Refused(405, "ODP_NOT_ALLOWED", "Name one row.")
    return target.key


def _checked(prop: Property, value: Cell) -> Cell:
    """Return `value` where it fits `prop`; a text that is too long breaks a rule of the database, not of the format."""
    if value is None:
        return None
    fits = _FITS[prop.kind](value) and (not prop.enum or value in ENUMS[prop.enum])
    if not fits:
        raise Refused(400, "ODP_DESERIALIZATION_ERROR", f"The property '{prop.name}' has a value of a wrong type.")
    if prop.length and len(value) > prop.length:
        raise database_error(f"The value of [{prop.name}] is longer than {prop.length} characters.", "12899")
    return value


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_FITS: Final[Mapping[str, Any]] = {
    "string": lambda value: isinstance(value, str),
    "enum": lambda value: isinstance(value, str),
    "int32": _is_whole,
    "int64": _is_whole,
    "decimal": lambda value: _is_whole(value) or isinstance(value, Decimal),
    "bool": lambda value: isinstance(value, bool),
    "date": _is_date,
    "timestamp": lambda value: isinstance(value, str) and bool(_TIMESTAMP.fullmatch(value)),
}

"""Single rows of the sets that make up one record: their addresses, flat or below their parents, and calls to them.

Names of fields are ours; what a tenant calls them is known here. A child set that the tenant does not serve is reached
below its parent, as when it is read.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from shared.ifs.client import IfsClient
from shared.ifs.errors import NOT_FOUND, IfsDenied, IfsRefused
from shared.ifs.odata import Enum, Value, predicate
from shared.ifs.pages import Stored
from shared.ifs.sources import HEADER, PARTY, SUPPLIER, Bound, BoundSet
from shared.ifs.strategies import properties_of

Cell = str | int | bool | None
T = TypeVar("T")
_PARTY_FIELD: Final = "party_type"


class Parts:
    """The rows of one record, named by set and fields.

    Args:
        parent_key: fields of the header that lead to it, for sets that are reached below it.
    """

    def __init__(self, client: IfsClient, bound: Bound, parent_key: Mapping[str, Cell]) -> None:
        self.client = client
        self.bound = bound
        self.parent_key = parent_key

    def read(self, name: str, key: Mapping[str, Cell], slot: str) -> Stored | None:
        """Return one row with its ETag; None where IFS has none."""
        of = self.bound.set_named(name)
        return self._reached(of, key, lambda address: self.client.by_key(address, what=of.title, slot=slot), key=key)

    def patch(
        self, name: str, key: Mapping[str, Cell], values: Mapping[str, object], *, etag: str, slot: str
    ) -> Stored | None:
        """Change properties of one row, in the tenant's own words, as long as it has that ETag."""
        of = self.bound.set_named(name)
        return self._reached(
            of, key, lambda address: self.client.patch(address, values, etag=etag, what=of.title, slot=slot), key=key
        )

    def make(self, name: str, values: Mapping[str, Cell], more: Mapping[str, Cell], slot: str) -> Stored | None:
        """Make a row; `more` is in the tenant's own words."""
        of = self.bound.set_named(name)
        body = {**more, **self.properties(name, values)}
        if of.source.party or name == HEADER:
            body[PARTY] = SUPPLIER
        return self._reached(of, values, lambda address: self.client.post(address, body, what=of.title, slot=slot))

    def properties(self, name: str, fields: Mapping[str, Cell]) -> dict[str, Cell]:
        """Return fields by the names that the tenant gives them."""
        of = self.bound.set_named(name)
        return {of.properties[field]: value for field, value in fields.items()}

    def fields(self, name: str, stored: Stored) -> dict[str, object]:
        """Return a stored row by our names."""
        of = self.bound.set_named(name)
        return {field: stored.values.get(prop) for field, prop in of.properties.items()}

    def _reached(
        self,
        of: BoundSet,
        values: Mapping[str, Cell],
        call: Callable[[str], T],
        *,
        key: Mapping[str, Cell] | None = None,
    ) -> T:
        """Make a call to the set itself, or below the parent where the tenant does not serve it."""
        if not self.client.memory.is_missing(of.title):
            try:
                return call(self._flat(of, key))
            except (IfsDenied, IfsRefused) as error:
                absent = error.status == 403 or (error.status == 404 and error.code != NOT_FOUND)
                if not absent or not of.source.nested:
                    raise
                self.client.memory.miss(of.title)
        return call(self._nested(of, values, key))

    def _flat(self, of: BoundSet, key: Mapping[str, Cell] | None) -> str:
        name = predicate(self._key(of, of.service, key)) if key is not None else ""
        return f"{self.client.root(of.service)}/{of.entity_set}{name}"

    def _nested(self, of: BoundSet, values: Mapping[str, Cell], key: Mapping[str, Cell] | None) -> str:
        header = self.bound.header
        steps = [header.entity_set + predicate(self._key(header, header.service, self.parent_key))]
        if of.source.below != HEADER:
            above = self.bound.set_named(of.source.below)
            led = {field: values.get(field) or self.parent_key.get(field) for field in above.source.row_key}
            steps.append(above.source.nested + predicate(self._key(above, header.service, led)))
        name = predicate(self._key(of, header.service, key)) if key is not None else ""
        return "/".join([self.client.root(header.service), *steps, of.source.nested + name])

    def _key(self, of: BoundSet, service: str, key: Mapping[str, Cell]) -> list[tuple[str, Value]]:
        """Return the pairs that name a row: enumerations with the names of their types."""
        pairs: list[tuple[str, Value]] = []
        for field in of.source.row_key:
            if field == _PARTY_FIELD:
                pairs.append((PARTY, self._enum(of, service, PARTY, PARTY, SUPPLIER)))
                continue
            prop, value, kinds = of.properties[field], key[field], dict(of.source.enums)
            if field in kinds:
                pairs.append((prop, self._enum(of, service, prop, kinds[field], str(value))))
            else:
                pairs.append((prop, value if isinstance(value, int) else str(value)))
        return pairs

    def _enum(self, of: BoundSet, service: str, prop: str, kind: str, value: str) -> Value:
        """Return a member of an enumeration as a key shows it. Source: docs/apis/ifs.md#literals.

        The metadata tells the type, or that it is a plain text in this tenant; else it goes by the usual name.
        """
        known = properties_of(self.client, of, lane="live") if service == of.service else None
        told = (known or {}).get(prop, "")
        if told == "Edm.String":
            return value
        return Enum(value, told or f"IfsApp.{service}.{kind}")

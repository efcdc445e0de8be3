"""A service's `$metadata` (EDMX) to its entity sets and their properties. Pure. Source: docs/apis/ifs.md#addresses."""

from collections.abc import Mapping
from typing import Never
from xml.parsers import expat

from shared.ifs.errors import IfsUnreadable

#: Entity set to property to type, such as `Edm.String`.
Metadata = Mapping[str, Mapping[str, str]]


class _Reader:
    """Collects types and sets in one pass; a document type or an entity declaration ends it."""

    def __init__(self) -> None:
        self.types: dict[str, dict[str, str]] = {}
        self.bases: dict[str, str] = {}
        self.sets: dict[str, str] = {}
        self._namespace = ""
        self._type = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("Name", "")
        match tag.rpartition(":")[2]:
            case "Schema":
                self._namespace = attributes.get("Namespace", "")
            case "EntityType":
                self._type = f"{self._namespace}.{name}"
                self.types[self._type] = {}
                self.bases[self._type] = attributes.get("BaseType", "")
            case "Property" if self._type:
                self.types[self._type][name] = attributes.get("Type", "")
            case "EntitySet":
                self.sets[name] = attributes.get("EntityType", "")

    def end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "EntityType":
            self._type = ""

    def properties(self, name: str) -> dict[str, str]:
        found: dict[str, str] = {}
        seen: set[str] = set()
        while name in self.types and name not in seen:
            seen.add(name)
            found = self.types[name] | found
            name = self.bases[name]
        return found


def read_metadata(body: bytes, *, what: str) -> Metadata:
    """Return what the service, named by `what`, holds.

    Raises:
        IfsUnreadable: the body is no EDMX, or declares entities, which no honest one does.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError) as error:
        raise IfsUnreadable(f"IFS answered 200 for {what} with something that is no metadata.") from error
    if not reader.sets:
        raise IfsUnreadable(f"IFS answered 200 for {what} with metadata that names no entity set.")
    return {name: reader.properties(kind) for name, kind in reader.sets.items()}


def _refuse(*_: object) -> Never:
    raise ValueError("a document type is not accepted")

"""The service document and $metadata (EDMX) of one service. Source: docs/apis/ifs.md#addresses."""

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from sandbox.ifs.catalogue import ENUMS, TYPES
from sandbox.ifs.reading import hidden_in
from sandbox.ifs.services import LINKS, NESTED, SERVICES
from sandbox.ifs.shapes import EDM, EntityType, Property
from sandbox.ifs.store import Store


def service_document(context: str, service: str) -> dict[str, object]:
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in SERVICES[service].sets]
    return {"@odata.context": context, "value": sets}


def edmx(store: Store, service: str) -> str:
    """Return the EDMX document of `service`: the types its sets and nested paths use, and nothing this tenant hides."""
    namespace = f"IfsApp.{service}"
    tables = _reached(service)
    enums = sorted({prop.enum for table in tables for prop in TYPES[table].properties if prop.enum})
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>',
        f'<Schema Namespace={quoteattr(namespace)} xmlns="http://docs.oasis-open.org/odata/ns/edm">',
    ]
    for enum in enums:
        members = "".join(f"<Member Name={quoteattr(name)}/>" for name in ENUMS[enum])
        lines.append(f"<EnumType Name={quoteattr(enum)}>{members}</EnumType>")
    for table in tables:
        lines += _entity_type(TYPES[table], namespace, hidden_in(store, table), tables)
    lines.append(f"<EntityContainer Name={quoteattr(service)}>")
    for name, entity_set in SERVICES[service].sets.items():
        kind = f"{namespace}.{TYPES[entity_set.table].luname}"
        lines.append(f"<EntitySet Name={quoteattr(name)} EntityType={quoteattr(kind)}/>")
    lines.append("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>")
    return "\n".join(lines)


def _reached(service: str) -> list[str]:
    """Return the tables of the service's sets, then those that its nested paths lead to."""
    known = list(dict.fromkeys(entity_set.table for entity_set in SERVICES[service].sets.values()))
    if SERVICES[service].entity:
        return known
    for table in known:  # Grows while it is walked: paths go several levels down.
        known += [nested.table for nested in NESTED.get(table, {}).values() if nested.table not in known]
    return list(dict.fromkeys(known))


def _entity_type(kind: EntityType, namespace: str, hidden: frozenset[str], tables: Iterable[str]) -> list[str]:
    keys = "".join(f"<PropertyRef Name={quoteattr(name)}/>" for name in kind.key)
    lines = [f"<EntityType Name={quoteattr(kind.luname)}>", f"<Key>{keys}</Key>"]
    lines += [_property(prop, namespace, kind) for prop in kind.properties if prop.name not in hidden]
    for name, nested in NESTED.get(kind.table, {}).items():
        if nested.table in tables:
            many = f"Collection({namespace}.{TYPES[nested.table].luname})"
            lines.append(f"<NavigationProperty Name={quoteattr(name)} Type={quoteattr(many)}/>")
    for name, (table, _) in LINKS.get(kind.table, {}).items():
        if table in tables:
            one = f"{namespace}.{TYPES[table].luname}"
            lines.append(f"<NavigationProperty Name={quoteattr(name)} Type={quoteattr(one)}/>")
    return [*lines, "</EntityType>"]


def _property(prop: Property, namespace: str, kind: EntityType) -> str:
    edm = f"{namespace}.{prop.enum}" if prop.enum else EDM[prop.kind]
    facets = f' MaxLength="{prop.length}"' if prop.length else ""
    if prop.kind == "decimal":
        facets = ' Precision="130" Scale="65"'
    if prop.name in kind.key or prop.required:
        facets += ' Nullable="false"'
    return f"<Property Name={quoteattr(prop.name)} Type={quoteattr(edm)}{facets}/>"

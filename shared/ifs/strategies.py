"""Which way of finding changes a stream uses, from its settings and from what the tenant offers."""

from collections.abc import Callable, Mapping
from typing import Final

from shared.config.settings import SetSettings, Strategy, StreamSettings
from shared.errors import Misconfigured
from shared.ifs.client import IfsClient
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.odata import both, equals, url
from shared.ifs.scanning import Query
from shared.ifs.sources import Bound, BoundSet

#: Where the history log is. Source: docs/apis/ifs.md#changes.
_LOG_SERVICE: Final = "HistoryLogHandling"
_LOG_SET: Final = "HistoryLogOverviewSet"
LOG_STAMP: Final = "TimeStamp"
LOG_KEYS: Final = "Keys"
_UNIT: Final = "LuName"


def choose(
    stream: StreamSettings, properties: Mapping[str, str] | None, has_log: Callable[[], bool], *, section: str
) -> Strategy:
    """Return the strategy of a stream. Pure, but for `has_log`, which is asked only where it matters.

    Args:
        stream: what the operator wants.
        properties: of the header set; None where the tenant does not tell.
        has_log: whether the history log shows changes of these records.
        section: of the settings, for messages.

    Raises:
        Misconfigured: `modified` is wanted, but there is nothing to filter on.
    """
    field = stream.fields.get(stream.modified_field, stream.modified_field)
    present = bool(field) and (properties is None or field in properties)
    if stream.strategy == "modified" and not present:
        missing = f"which the tenant does not have: {field}" if field else "which is empty"
        raise Misconfigured(
            f'{section} has strategy = "modified" by `modified_field`, {missing}; name one or use "auto".'
        )
    if stream.strategy != "auto":
        return stream.strategy
    if present:
        return "modified"
    return "history" if has_log() else "sweep"


def strategy_of(client: IfsClient, bound: Bound, stream: StreamSettings, *, lane: str) -> Strategy:
    """Return how changes of this stream are found.

    Raises:
        Misconfigured: as `choose` says.
        ConnectorError: the tenant cannot be asked.
    """
    wants_stamp = stream.modified_field and stream.strategy in {"auto", "modified"}
    return choose(
        stream,
        properties_of(client, bound.header, lane=lane) if wants_stamp else None,
        lambda: _has_log(client, bound, stream, lane=lane),
        section=f"[ifs.streams.{bound.source.flow}]",
    )


def properties_of(client: IfsClient, of: BoundSet, *, lane: str) -> Mapping[str, str] | None:
    """Return the set's properties and their types; None where the tenant does not show them."""
    name = f"{of.service}/$metadata"
    if client.memory.is_missing(name):
        return None
    try:
        return client.metadata(of.service, lane=lane).get(of.entity_set)
    except (IfsDenied, IfsRefused) as error:
        if error.status not in {403, 404}:
            raise
        client.memory.miss(name)
        return None


def log_query(bound: Bound, stream: StreamSettings, *, since: str = "") -> Query:
    """Return the query for the log of all units of this source."""
    named = stream.sets.get("history", SetSettings())
    service, entity_set = named.service or _LOG_SERVICE, named.entity_set or _LOG_SET
    units = " or ".join(equals(_UNIT, unit.name) for unit in bound.source.units)
    return Query(
        service=service,
        path=entity_set,
        title=f"{service}/{entity_set}",
        order=(LOG_STAMP, "LogId"),
        condition=both(units, f"{LOG_STAMP} ge {since}" if since else ""),
        by_stamp=True,
    )


def _has_log(client: IfsClient, bound: Bound, stream: StreamSettings, *, lane: str) -> bool:
    """Say whether the log can be read and has rows of these units; remembered for a while."""
    query = log_query(bound, stream)
    name = f"{query.title} of {bound.source.flow}"
    if not bound.source.units or client.memory.is_missing(name):
        return False
    if name in client.memory.present:
        return True
    address = url(client.root(query.service), query.path, condition=query.condition, top=1)
    try:
        found = bool(client.page(address, what=query.title, lane=lane).rows)
    except (IfsDenied, IfsRefused) as error:
        if error.status not in {403, 404}:
            raise
        found = False
    if found:
        client.memory.present.add(name)
    else:
        client.memory.miss(name)
    return found


def unit_key(bound: Bound, values: Mapping[str, object]) -> str:
    """Return the key of the record that a row of the log is about; empty where it is about none of ours. Pure."""
    columns = next((unit.column for unit in bound.source.units if unit.name == values.get(_UNIT)), "")
    pairs = (part.partition("=") for part in str(values.get(LOG_KEYS) or "").split("^"))
    keys = {name.strip(): value for name, _, value in pairs}
    if keys.get("PARTY_TYPE", "SUPPLIER").upper() != "SUPPLIER":
        return ""
    parts = [keys.get(column, "") for column in columns.split("^")]
    return "/".join(parts) if all(parts) else ""

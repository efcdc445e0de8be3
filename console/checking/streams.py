"""What is tried of every stream: its sets, a whole record, the order and size of pages, how changes are found."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil
from typing import Final

import msgspec

from console.checking.ifs import ABSENT, LANE, StreamInUse, Tenant, latest_stamp
from console.checking.results import Said, failed, passed, warned
from shared.errors import ConnectorError
from shared.flows import BY_NAME, JOURNALS
from shared.ifs import grouped
from shared.ifs.children import documents
from shared.ifs.documents import decode
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.odata import Bare, both, past, url
from shared.ifs.scanning import Query
from shared.ifs.sources import HEADER, BoundSet
from shared.ifs.strategies import properties_of, strategy_of
from shared.pulled import RawDocument
from shared.rows import Row

#: Parents whose children one call brings; our own cautious figure for long keys.
_PARENTS_PER_CALL: Final = 60


def sets(tenant: Tenant) -> Iterator[Said]:
    """Read one row of every set in use; where a set is not served, try the paths below the header instead."""
    for stream in tenant.streams:
        for of in stream.sets:
            try:
                rows = tenant.rows(of, condition=stream.condition(of))
            except (IfsDenied, IfsRefused) as error:
                if error.status not in ABSENT:
                    raise
                yield _instead(stream, of, error)
                continue
            if rows:
                yield passed(f"{of.title} can be read.")
            else:
                remedy = "Look whether IFS has any; if so, grant the service user its companies and sites."
                yield warned(f"{of.title} can be read, and shows no row.", remedy)


def _instead(stream: StreamInUse, of: BoundSet, error: IfsDenied | IfsRefused) -> Said:
    if not of.source.nested:
        remedy = (
            f"Grant {of.service} to the service user's permission set (and activate it in API Explorer if it is an "
            f"entity service), or name the tenant's own in {stream.section(of)}."
        )
        return failed(f"{of.title} cannot be read ({error.status}).", remedy)
    of_what = "supplier" if of.source.below == HEADER else "address of every supplier"
    return warned(
        f"{of.title} is not served ({error.status}): {of.name} are read at {of.source.nested} below the header, "
        f"one call more for every {of_what} instead of one for some {_PARENTS_PER_CALL}.",
        f"Activate {of.service} in API Explorer and grant it.",
    )


def records(tenant: Tenant) -> Iterator[Said]:
    """Read one whole record of every stream as a poll would, and decode it."""
    for stream in tenant.streams:
        rows = tenant.rows(stream.bound.header, condition=stream.condition(stream.bound.header))
        if not rows:
            continue  # The check of sets has said so.
        made = _whole(tenant, stream, rows)
        if not made:
            continue  # It has left meanwhile.
        found = decode(stream.bound, made[0].raw)
        if not isinstance(found, list):
            yield passed(f"A whole record of {stream.flow} is read and understood.")
            continue
        fields = ", ".join(sorted({finding.field for finding in found}))
        remedy = f"Correct the record in IFS, or the names in [ifs.streams.{stream.flow}]; others may be well."
        yield warned(f"{stream.flow} {made[0].key} would be held: {fields} cannot be used.", remedy)


def _whole(tenant: Tenant, stream: StreamInUse, rows: Sequence[Row]) -> list[RawDocument]:
    if stream.bound.source.grouped:
        keys = [stream.bound.identity(row) for row in rows]
        read = grouped.read_by_key(tenant.client, stream.bound.source, stream.settings, keys, lane=LANE)
        return list(read.values())
    return documents(tenant.client, stream.bound, rows, lane=LANE)[0]


def order(tenant: Tenant) -> Iterator[Said]:
    """Read two pages of one row, then the first again: pages go by key, so the order must hold."""
    for stream in tenant.streams:
        header = stream.bound.header
        asked = ",".join(stream.order)
        first = tenant.rows(header, condition=stream.condition(header), order=asked)
        if not first:
            continue
        second = _past(tenant, stream, first[0])
        again = tenant.rows(header, condition=stream.condition(header), order=asked)
        keys = [
            ["/".join(str(row.values.get(name)) for name in stream.order) for row in rows]
            for rows in (first, second, again)
        ]
        if keys[0] != keys[2] or keys[0] == keys[1]:
            yield failed(
                f"{header.title} does not keep the order of {asked}: {keys[0]}, then {keys[1]}, then {keys[2]}.",
                "Report it with the tenant's release: reading by pages is not safe here.",
            )
        elif second:
            yield passed(f"{header.title} keeps its order from page to page.")


def _past(tenant: Tenant, stream: StreamInUse, row: Row) -> tuple[Row, ...]:
    """Return the row that follows."""
    header = stream.bound.header
    query = Query(service=header.service, path=header.entity_set, title=header.title, order=stream.order)
    position = query.position(row)
    if position is None:
        return ()
    condition = both(stream.condition(header), past(stream.order, position))
    return tenant.rows(header, condition=condition, order=",".join(stream.order))


def page_size(tenant: Tenant) -> Iterator[Said]:
    """Read one full page: a server may cut it short without a word."""
    for stream in tenant.streams:
        header, top = stream.bound.header, tenant.settings.page_size
        address = url(
            tenant.client.root(header.service),
            header.entity_set,
            condition=stream.condition(header),
            order=",".join(stream.order),
            top=top,
        )
        page = tenant.client.page(address, what=header.title, lane=LANE)
        count = len(page.rows)
        if page.next_link:
            yield passed(f"{header.title} gives pages of {count} rows and links the next.")
        elif 0 < count < top and _past(tenant, stream, page.rows[-1]):
            yield warned(
                f"{header.title} cuts pages at {count} rows and does not say so: each full read costs more calls.",
                f"Set page_size = {count} in section [ifs].",
            )
        else:
            yield passed(f"{header.title} gives as many rows as asked for ({count} of {top}).")


def strategies(tenant: Tenant) -> Iterator[Said]:
    """Say how changes of each stream are found, and what that costs while nothing changes."""
    for stream in tenant.streams:
        chosen = strategy_of(tenant.client, stream.bound, stream.settings, lane=LANE)
        calls = _calls_of_a_poll(tenant, stream, chosen)
        every_s = stream.settings.every_s
        said = f"{stream.flow} finds changes by {chosen}"
        if calls is None:
            yield warned(f"{said}; IFS does not count its rows, so the cost is not known.", _cheaper(stream))
            continue
        minute = calls * 60 / every_s
        cost = f"about {calls} calls every {every_s:g} s while nothing changes"
        if minute > tenant.settings.requests_per_minute / 2:
            limit = tenant.settings.requests_per_minute
            yield warned(f"{said}: {cost}, {minute:.0f} a minute of the {limit} allowed.", _cheaper(stream))
        elif chosen == "sweep":
            yield warned(f"{said}: {cost}.", _cheaper(stream))
        else:
            yield passed(f"{said}: {cost}.")


def _cheaper(stream: StreamInUse) -> str:
    return (
        f"Name a property that tells the last change as modified_field in [ifs.streams.{stream.flow}], turn on the "
        "history log for it in IFS, or poll less often (every_s)."
    )


def _calls_of_a_poll(tenant: Tenant, stream: StreamInUse, chosen: str) -> int | None:
    if chosen == "history":
        return 1
    if chosen == "modified":
        return len(stream.conditions) + len(stamped_children(tenant, stream))
    count = _count(tenant, stream)
    if count is None:
        return None
    size = tenant.settings.page_size
    calls = ceil((count + 1) / size) + len(stream.conditions) - 1
    if stream.bound.source.grouped:
        return calls
    for child in stream.bound.children:
        # Flat, a page of parents is one range; elsewhere every parent costs a call of its own.
        calls += count if tenant.client.memory.is_missing(child.title) else ceil((count + 1) / size)
    return calls


def _count(tenant: Tenant, stream: StreamInUse) -> int | None:
    """Return how many rows the header's set has; None where IFS does not count."""
    header = stream.bound.header
    total = 0
    for condition in stream.conditions:
        address = url(tenant.client.root(header.service), header.entity_set, condition=condition, top=1)
        try:
            answer = tenant.client.get(f"{address}&$count=true", what=header.title, lane=LANE)
        except (IfsDenied, IfsRefused):
            return None
        count = msgspec.json.decode(answer.body).get("@odata.count")
        if not isinstance(count, int):
            return None
        total += count
    return total


def stamped_children(tenant: Tenant, stream: StreamInUse) -> list[BoundSet]:
    """Return the children whose own time of change is polled too."""
    key = {HEADER: stream.bound.header.key}
    found = []
    for child in stream.bound.children:
        if child.modified_field and child.parents == key:
            properties = properties_of(tenant.client, child, lane=LANE) or {}
            if child.modified_field in properties:
                found.append(child)
    return found


def modified(tenant: Tenant) -> Iterator[Said]:
    """Ask for rows past the latest time of change: a filter without effect would bring older ones."""
    for stream in tenant.streams:
        if strategy_of(tenant.client, stream.bound, stream.settings, lane=LANE) != "modified":
            continue
        for of in (stream.bound.header, *stamped_children(tenant, stream)):
            stamp = latest_stamp(tenant, of, stream.condition(of))
            if not stamp:
                remedy = f"Correct modified_field in {stream.section(of)}: until then changes may be missed."
                yield warned(f"{of.title} shows no row with {of.modified_field}.", remedy)
                continue
            bounded = both(stream.condition(of), f"{of.modified_field} ge {Bare(stamp)}")
            rows = tenant.rows(of, condition=bounded, top=5)
            older = [str(row.values.get(of.modified_field)) for row in rows if _is_older(row, of, stamp)]
            if older or not rows:
                seen = f"it brings {older[0]}" if older else "it brings nothing"
                yield failed(
                    f"A filter for {of.modified_field} from {stamp} on does not work on {of.title}: {seen}.",
                    f'Set another modified_field in {stream.section(of)}, or strategy = "sweep".',
                )
            else:
                yield passed(f"{of.title} filters by {of.modified_field}.")


def _is_older(row: Row, of: BoundSet, stamp: str) -> bool:
    try:
        return datetime.fromisoformat(str(row.values.get(of.modified_field))) < datetime.fromisoformat(stamp)
    except (ValueError, TypeError):
        return True


def verdicts(tenant: Tenant) -> Iterator[Said]:
    """Look whether vouchers have the property that is to show the verdict on them."""
    for stream in tenant.streams:
        for of in stream.written if stream.flow == JOURNALS.name else ():
            rows = tenant.rows(of, condition=stream.condition(of))
            properties = properties_of(tenant.client, of, lane=LANE) or (rows[0].values if rows else {})
            if tenant.verdict_field in properties:
                yield passed(f"{of.title} has {tenant.verdict_field}, which shows verdicts.")
            elif properties:
                remedy = "Add the custom field to vouchers in IFS and publish it, or clear journal_verdict_field."
                yield failed(f"{of.title} has no property {tenant.verdict_field}.", remedy)


def is_served(tenant: Tenant, stream: StreamInUse) -> bool:
    """Say whether the tenant serves a stream that not every tenant serves; what else is wrong shows in the checks."""
    if not BY_NAME[stream.flow].optional:
        return True
    try:
        tenant.rows(stream.bound.header, condition=stream.condition(stream.bound.header))
    except (IfsDenied, IfsRefused) as error:
        return error.status not in ABSENT
    except ConnectorError:
        return True
    return True


def unserved(absent: tuple[StreamInUse, ...]) -> Iterator[Said]:
    """Name the streams that are not read, since the tenant does not serve them."""
    for stream in absent:
        title = stream.bound.header.title
        remedy = (
            f"Activate {stream.bound.header.service} in API Explorer and grant it, or set `enabled = false` in "
            f"[ifs.streams.{stream.flow}]."
        )
        yield warned(f"{stream.flow} is not read: {title} is not served.", remedy)

"""Answers GET on sets and rows: filter, order, page and envelope. Source: docs/apis/ifs.md#paging."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import msgspec

from sandbox.ifs.access import RowSecurity
from sandbox.ifs.addresses import Target
from sandbox.ifs.answers import Answer, Refused, Request, data
from sandbox.ifs.clock import to_utc
from sandbox.ifs.expressions import Node
from sandbox.ifs.filters import UNSUPPORTED, FilterRefused, Scope, parsed
from sandbox.ifs.predicates import bounds, pins, predicate
from sandbox.ifs.queries import Options, options_of, skiptoken
from sandbox.ifs.services import LINKS
from sandbox.ifs.shapes import EntityType, Values
from sandbox.ifs.store import Store
from sandbox.ifs.tables import Key, Row, Table, place

#: Up to this many rows, collecting them by an index and sorting them beats walking the whole table in order.
_PINNED_MAX: Final = 3000
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_MAX_PAGE_SIZE = re.compile(r"odata\.maxpagesize=(\d+)")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Answers reads of one client."""

    store: Store
    security: RowSecurity

    def row(self, target: Target, request: Request) -> Answer:
        """Return the one row that `target` names, with its ETag in the header too."""
        options = options_of(request.query, target.kind, hidden_in(self.store, target.table))
        found = self.found(target)
        self._check_time_zone(target.table, "", request)
        content = self._shown(target, found, options, request, with_etag=True)
        if isinstance(content, dict):
            content = {"@odata.context": f"{self._context(target, request)}/$entity", **content}
        headers = (("ETag", found.etag()),)
        return data(content, numbers_as_text=request.numbers_as_text, headers=headers)

    def found(self, target: Target) -> Row:
        """Return the row of `target`; one out of sight is as absent as one that never was."""
        self._check_parents(target)
        row = None if target.key is None else self.store.tables[target.table].rows.get(target.key)
        if row is None or not target.holds(row.values) or not self.security.sees(target.table, row.values):
            raise Refused(404, "ODP_RESOURCE_NOTFOUND", "The requested entity was not found.")
        return row

    def collection(self, target: Target, request: Request) -> Answer:
        """Return one page of the rows that `target` names."""
        options = options_of(request.query, target.kind, hidden_in(self.store, target.table))
        self._check_switches(options)
        self._check_parents(target)
        self._check_time_zone(target.table, options.filter, request)
        table = self.store.tables[target.table]
        keys = self._keys(target, table, options, request)
        content: dict[str, Any] = {"@odata.context": self._context(target, request)}
        if options.count:
            counted = list(keys)
            content["@odata.count"], keys = len(counted), iter(counted)
        size, more = self._page(options, request)
        start = options.skip + options.given
        page = list(islice(keys, start, start + size + 1))
        with_etag = self.store.switches.collection_etags
        content["value"] = [
            self._shown(target, table.rows[key], options, request, with_etag=with_etag) for key in page[:size]
        ]
        if more and len(page) > size:
            content["@odata.nextLink"] = self._next_link(target, request, options.given + size)
        return data(content, numbers_as_text=request.numbers_as_text)

    def _page(self, options: Options, request: Request) -> tuple[int, bool]:
        """Return how many rows this answer may hold, and whether a nextLink leads on behind them."""
        switches = self.store.switches
        wanted = switches.page_cap if options.top is None else max(options.top - options.given, 0)
        if switches.paging == "next_link":
            prefer = _MAX_PAGE_SIZE.search(request.headers.get("prefer", ""))
            size = min(int(prefer[1]) or 1, switches.page_cap) if prefer else switches.next_link_rows
            return min(size, wanted), options.top is None or wanted > size
        if options.top is None and switches.paging == "default_page":
            wanted = switches.default_page_rows
        return min(wanted, switches.page_cap), False

    def _next_link(self, target: Target, request: Request, given: int) -> str:
        kept = [part for part in request.query.split("&") if part and not part.startswith("$skiptoken=")]
        link = f"{request.path}?{'&'.join([*kept, f'$skiptoken={skiptoken(given)}'])}"
        if self.store.switches.next_link_form == "relative":
            return link.removeprefix(target.root)
        return request.origin + link

    def _keys(self, target: Target, table: Table, options: Options, request: Request) -> Iterator[Key]:
        """Yield the keys of all rows that match, in the order asked for."""
        tree: Node | None = None
        accepts: list[Callable[[Values], bool]] = [target.holds] if target.fixed or target.rows else []
        if options.filter:
            scope = scope_of(self.store, target, aware=_aware(request))
            try:
                tree = parsed(options.filter, scope)
                accepts.append(predicate(options.filter, scope))
            except FilterRefused as refusal:
                raise Refused(400, refusal.code, str(refusal)) from None
        if self.security.limits(target.table):
            accepts.append(lambda values: self.security.sees(target.table, values))
        keys, in_order = _candidates(table, target, tree, options)
        found = (key for key in keys if _all(accepts, table.rows[key].values))
        return found if in_order or not options.order else iter(_sorted(found, table, options.order))

    def _shown(
        self, target: Target, row: Row, options: Options, request: Request, *, with_etag: bool
    ) -> dict[str, Any] | msgspec.Raw:
        table = self.store.tables[target.table]
        raw = table.raw.get(table.kind.key_of(row.values)) if table.raw else None
        if raw is not None:
            return msgspec.Raw(raw)
        content: dict[str, Any] = {"@odata.etag": row.etag()} if with_etag else {}
        content["luname"] = target.luname
        content["keyref"] = table.kind.keyref(row.values)
        content["Objgrants"] = None
        content.update(self._properties(table.kind, row.values, options.select, request))
        for link, names in options.expand:
            content[link] = self._linked(target.table, row.values, link, names, request)
        return content

    def _properties(
        self, kind: EntityType, values: Values, select: tuple[str, ...], request: Request
    ) -> dict[str, Any]:
        shown = dict(zip(kind.names, values, strict=True))
        if select:
            shown = {name: shown[name] for name in select}
        for name in hidden_in(self.store, kind.table):
            shown.pop(name, None)
        if request.numbers_as_text:
            # Decimals become texts in the encoder; whole numbers of these two types do not, so they are turned here.
            for name, value in shown.items():
                if isinstance(value, int) and kind.by_name[name].kind in ("int64", "decimal"):
                    shown[name] = str(value)
        if _aware(request) and kind.table in self.store.switches.aware_tables:
            for name, value in shown.items():
                if value is not None and kind.by_name[name].kind == "timestamp":
                    shown[name] = to_utc(value, self.store.switches.time_zone)
        return shown

    def _linked(
        self, table: str, values: Values, link: str, names: tuple[str, ...], request: Request
    ) -> dict[str, Any] | None:
        other, pairs = LINKS[table][link]
        position = self.store.tables[table].kind.position
        held = {there: values[position[here]] for there, here in pairs}
        kind = self.store.tables[other].kind
        row = self.store.tables[other].rows.get(tuple(held[name] for name in kind.key))
        if unknown := [name for name in names if not kind.has(name)]:
            raise Refused(400, UNSUPPORTED, f"The property '{unknown[0]}' is not defined in type '{kind.luname}'.")
        return None if row is None else self._properties(kind, row.values, names, request)

    def _check_parents(self, target: Target) -> None:
        for table, key in target.parents:
            if key not in self.store.tables[table].rows:
                raise Refused(404, "ODP_RESOURCE_NOTFOUND", "The requested entity was not found.")

    def _check_switches(self, options: Options) -> None:
        if options.count and not self.store.switches.count:
            raise Refused(400, UNSUPPORTED, "$count is not supported here.")
        if options.select and not self.store.switches.select:
            raise Refused(400, UNSUPPORTED, "$select is not supported here.")

    def _check_time_zone(self, table: str, text: str, request: Request) -> None:
        if _aware(request) and table not in self.store.switches.aware_tables and _TIMESTAMP.search(text):
            raise Refused(400, UNSUPPORTED, "This API is not time zone aware.")

    def _context(self, target: Target, request: Request) -> str:
        return f"{request.origin}{target.root}$metadata#{target.shown_as}"


def hidden_in(store: Store, table: str) -> frozenset[str]:
    """Return the properties of `table` that this tenant does not have."""
    hidden = frozenset(store.switches.hidden_properties.get(table, ()))
    if table == "SupplierInfoGeneralSet":
        stamp = frozenset() if store.switches.supplier_change_date else frozenset({"ChangeDate"})
        custom = frozenset() if store.switches.supplier_custom_fields else frozenset({"Cf_Blocked", "Cf_ExpireDate"})
        return hidden | stamp | custom
    if table == "VoucherSet" and not store.switches.voucher_custom_fields:
        return hidden | {"Cf_Cin7Check", "Cf_Cin7CheckState"}
    return hidden


def scope_of(store: Store, target: Target, *, aware: bool) -> Scope:
    switches = store.switches
    refused = [
        name for name, kept in (("contains", switches.contains), ("Objstate", switches.objstate_filter)) if not kept
    ]
    return Scope(
        table=target.table,
        namespace=target.namespace,
        hidden=hidden_in(store, target.table),
        refused=frozenset(refused),
        aware_zone=switches.time_zone if aware and target.table in switches.aware_tables else "",
    )


def _aware(request: Request) -> bool:
    return request.headers.get("x-ifs-time-zone-aware-request", "").lower() == "true"


def _all(tests: list[Callable[[Values], bool]], values: Values) -> bool:
    return all(test(values) for test in tests)


def _candidates(table: Table, target: Target, tree: Node | None, options: Options) -> tuple[Iterable[Key], bool]:
    """Return keys among which every match is, and whether they come in the order asked for."""
    pinned = [(name, frozenset((value,))) for name, value in target.fixed] + (pins(tree) if tree else [])
    counted = sorted((table.count_with(name, values), number) for number, (name, values) in enumerate(pinned))
    ordered = _walkable(table.kind, options.order)
    if counted and (counted[0][0] <= _PINNED_MAX or not ordered):
        name, values = pinned[counted[0][1]]
        keys = [key for value in values for key in table.with_value(name, value)]
        # Without an $orderby rows come in the order of their creation, whichever index found them.
        return sorted(keys, key=lambda key: table.rows[key].objid), False
    if ordered:
        first = options.order[0][0]
        return table.ordered(first, *(bounds(tree, first) if tree else (None, None))), True
    return table.rows, False


def _walkable(kind: EntityType, order: tuple[tuple[str, bool], ...]) -> bool:
    """Tell whether the order is (one property, then the key), in which an index can be walked."""
    if not order or any(descending for _, descending in order):
        return False
    first, *rest = [name for name, _ in order]
    return rest == [name for name in kind.key if name != first][: len(rest)]


def _sorted(keys: Iterable[Key], table: Table, order: tuple[tuple[str, bool], ...]) -> list[Key]:
    found = list(keys)
    for name, descending in reversed(order):
        column = table.kind.position[name]
        found.sort(key=lambda key, column=column: place(table.rows[key].values[column]), reverse=descending)  # type: ignore[misc]  # A lambda's default keeps the loop's value.
    return found

"""The control plane under /_sandbox: seed, change, break and inspect the tenant. Nothing in here is part of IFS.

| call | body or query | does |
|---|---|---|
| POST reset | - | empties everything |
| POST seed | Seed | replaces data, clients, switches, rate |
| GET state | ?set=X&key=keyref | counts, switches, time; with a set: its rows and their ETags |
| POST rows | Edit or a list of them | edits as a user: stamps, ETags and history move |
| POST raw_rows | RawRow | serves these bytes instead of the row; an empty body ends it |
| GET, DELETE requests | ?since=N&path=text | the calls seen |
| GET, POST limits | Rate | the sliding window per client |
| GET, POST, DELETE faults | Fault or a list of them | what is to go wrong |
| GET, POST switches | some of Switches | the tenant's ways |
| POST latency | {"ms", "jitter_ms"} | delays every data answer |
| GET, POST clock | {"advance_s"}, {"stop": true or an instant}, {"run": true} | the tenant's time |
| POST tokens | {"lifetime_s", "revoke"} | lifetime of new tokens; voids those issued |
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from sandbox.ifs.answers import DECODER, Answer, Request, data
from sandbox.ifs.clock import Clock
from sandbox.ifs.faults import Fault
from sandbox.ifs.limits import Limits, Rate
from sandbox.ifs.store import Store, UnknownName
from sandbox.ifs.tables import Key
from sandbox.ifs.tenant import Tenant
from sandbox.ifs.tokens import Client

PREFIX: Final = "/_sandbox/"
T = TypeVar("T")


class RawRow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`keyref` names the row, such as `ORDER_NO=1001^`; `body` is JSON text, `body_base64` any bytes."""

    set: str
    keyref: str
    body: str = ""
    body_base64: str = ""


class Seed(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`sets`: table name to rows; names are those of the flat sets."""

    realm: str = "acme1"
    clients: list[Client] = []
    sets: dict[str, list[dict[str, Any]]] = {}
    raw_rows: list[RawRow] = []
    switches: dict[str, Any] = {}
    rate: Rate = Rate()
    token_lifetime_s: float = 180


class Edit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Edits of one set. `patch` rows name their key and what changes; `delete` rows name the key only.

    `lag_s`: the edit carries the timestamp of now and becomes visible this much later; None: as the switch says.
    """

    set: str
    upsert: list[dict[str, Any]] = []
    patch: list[dict[str, Any]] = []
    delete: list[dict[str, Any]] = []
    user: str = "IFSAPP"
    lag_s: float | None = None


class _Latency(msgspec.Struct, forbid_unknown_fields=True):
    ms: float = 0
    jitter_ms: float = 0


class _Time(msgspec.Struct, forbid_unknown_fields=True):
    advance_s: float = 0
    stop: bool | datetime = False
    run: bool = False


class _TokenRule(msgspec.Struct, forbid_unknown_fields=True):
    lifetime_s: float | None = None
    revoke: bool = False


class Control:
    """Answers the control plane's calls; a body it cannot use changes nothing."""

    def __init__(self, tenant: Tenant, token: str = "") -> None:
        self._tenant = tenant
        self._token = token
        self._calls: Mapping[tuple[str, str], Callable[[Request], object]] = {
            ("POST", "reset"): self._reset,
            ("POST", "seed"): lambda request: self.seed(_read(request, Seed)),
            ("GET", "state"): self._state,
            ("POST", "rows"): lambda request: self.edit(_several(request, Edit)),
            ("POST", "raw_rows"): lambda request: _put_raw_rows(self._tenant.store, _several(request, RawRow)),
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): lambda _request: self._tenant.requests.clear(),
            ("GET", "limits"): lambda _request: self._limits(),
            ("POST", "limits"): self._set_rate,
            ("GET", "faults"): lambda _request: self._tenant.faults.waiting,
            ("POST", "faults"): lambda request: self._tenant.faults.add(_several(request, Fault)),
            ("DELETE", "faults"): lambda _request: self._tenant.faults.waiting.clear(),
            ("GET", "switches"): lambda _request: self._tenant.store.switches,
            ("POST", "switches"): self._set_switches,
            ("POST", "latency"): self._set_latency,
            ("GET", "clock"): lambda _request: self._clock(),
            ("POST", "clock"): self._set_clock,
            ("POST", "tokens"): self._set_tokens,
        }

    def answer(self, request: Request) -> Answer:
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            return data({"error": "The control plane needs its token as bearer."}, status=401)
        call = self._calls.get((request.method, request.path.removeprefix(PREFIX)))
        if call is None:
            return data({"error": "There is no such call on the control plane."}, status=404)
        try:
            result = call(request)
        except (msgspec.MsgspecError, UnknownName, re.error, ValueError) as problem:
            return data({"error": str(problem)}, status=400)
        return data({"ok": True} if result is None else result)

    def seed(self, seed: Seed) -> dict[str, int]:
        """Replace everything with `seed`; returns rows per set."""
        # Built beside the tenant's own data, so that a seed with a mistake leaves everything as it was.
        store = Store(Clock())
        store.switches = store.switches.changed(seed.switches)
        counts = {table: store.load(table, rows) for table, rows in seed.sets.items()}
        _put_raw_rows(store, seed.raw_rows)
        tenant = self._tenant
        tenant.reset()
        store.clock = tenant.clock
        tenant.store = store
        tenant.tokens.realm, tenant.tokens.lifetime_s = seed.realm, seed.token_lifetime_s
        tenant.tokens.clients = {client.client_id: client for client in seed.clients}
        tenant.limits.rate = seed.rate
        return counts

    def edit(self, edits: list[Edit]) -> None:
        """Make the edits in order, as one user after the other would."""
        for edit in edits:
            kind = self._tenant.store.table(edit.set).kind
            for row in (*edit.upsert, *edit.patch, *edit.delete):
                if unknown := row.keys() - kind.by_name.keys():
                    raise UnknownName(f"{edit.set} has no property {', '.join(sorted(unknown))}.")
                if missing := [name for name in kind.key if name not in row]:
                    raise UnknownName(f"A row of {edit.set} lacks its key {', '.join(missing)}.")
            for row in (*edit.upsert, *edit.patch):
                self._write(edit, tuple(row[name] for name in kind.key), row)
            for row in edit.delete:
                self._write(edit, tuple(row[name] for name in kind.key), None)

    def _write(self, edit: Edit, key: Key, changes: dict[str, Any] | None) -> None:
        store = self._tenant.store
        lag_s = store.switches.commit_lag_s if edit.lag_s is None else edit.lag_s
        if lag_s:
            store.write_later(edit.set, key, changes, user=edit.user, lag_s=lag_s)
        else:
            store.write(edit.set, key, changes, user=edit.user)

    def _reset(self, _request: Request) -> None:
        self._tenant.reset()

    def _state(self, request: Request) -> object:
        self._tenant.settle()
        query = dict(parse_qsl(request.query))
        store = self._tenant.store
        if "set" not in query:
            return {
                "sets": {name: len(table.rows) for name, table in store.tables.items()},
                "uncommitted": store.uncommitted,
                "requests": self._tenant.requests.count,
                "switches": store.switches,
                "clock": self._clock(),
            }
        table = store.table(query["set"])
        found = [row for row in table.rows.values() if query.get("key") in (None, table.kind.keyref(row.values))]
        return [{"@odata.etag": row.etag(), **dict(zip(table.kind.names, row.values, strict=True))} for row in found]

    def _requests(self, request: Request) -> object:
        query = dict(parse_qsl(request.query))
        return self._tenant.requests.report(since=int(query.get("since", "0")), path=query.get("path", ""))

    def _limits(self) -> object:
        return {"rate": self._tenant.limits.rate, "clients": self._tenant.limits.report()}

    def _set_rate(self, request: Request) -> None:
        rate = _read(request, Rate)
        self._tenant.limits = Limits()
        self._tenant.limits.rate = rate

    def _set_switches(self, request: Request) -> object:
        changes = msgspec.json.decode(request.body, type=dict[str, Any])
        self._tenant.store.switches = self._tenant.store.switches.changed(changes)
        return self._tenant.store.switches

    def _set_latency(self, request: Request) -> None:
        latency = _read(request, _Latency)
        self._tenant.latency_s, self._tenant.latency_jitter_s = latency.ms / 1000, latency.jitter_ms / 1000

    def _clock(self) -> dict[str, object]:
        return {"now_s": self._tenant.clock.now_s(), "wall": self._tenant.store.wall()}

    def _set_clock(self, request: Request) -> object:
        wanted = _read(request, _Time)
        if wanted.run:
            self._tenant.clock.run()
        if wanted.stop:
            self._tenant.clock.stop(wanted.stop if isinstance(wanted.stop, datetime) else None)
        self._tenant.clock.advance(wanted.advance_s)
        return self._clock()

    def _set_tokens(self, request: Request) -> None:
        rule = _read(request, _TokenRule)
        if rule.lifetime_s is not None:
            self._tenant.tokens.lifetime_s = rule.lifetime_s
        if rule.revoke:
            self._tenant.tokens.revoke_all()


def _read(request: Request, shape: type[T]) -> T:
    # Decoded without a shape first, so that amounts of rows stay exact.
    return msgspec.convert(DECODER.decode(request.body), shape)


def _several(request: Request, shape: type[T]) -> list[T]:
    body = DECODER.decode(request.body)
    return msgspec.convert(body if isinstance(body, list) else [body], list[shape])  # type: ignore[valid-type]  # The shape is a value here.


def _put_raw_rows(store: Store, raw_rows: Sequence[RawRow]) -> None:
    for raw in raw_rows:
        table = store.table(raw.set)
        keys = [key for key, row in table.rows.items() if table.kind.keyref(row.values) == raw.keyref]
        if not keys:
            raise UnknownName(f"{raw.set} has no row {raw.keyref}; create it first.")
        body = base64.b64decode(raw.body_base64) if raw.body_base64 else raw.body.encode()
        if body:
            table.raw[keys[0]] = body
        else:
            table.raw.pop(keys[0], None)

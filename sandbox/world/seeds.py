"""Bodies for both control planes and for `connector credentials set`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from sandbox.world.ground import MAPPED, Row, cin7_account, ifs_ground
from sandbox.world.ordering import Order
from sandbox.world.people import Supplier

REALM: Final = "acme1"
_CLIENT_ID: Final = "CIN7CONN"
_CLIENT_SECRET: Final = "ifs-demo-secret"
_HOOKS_SECRET: Final = "hooks-demo-secret"
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def as_json(body: object) -> bytes:
    """Return a seed or an edit as JSON with exact amounts, ready to be posted to a control plane."""
    return _ENCODER.encode(body)


def ifs_seed(
    suppliers: Iterable[Supplier],
    orders: Iterable[Order],
    *,
    raw_rows: Sequence[Mapping[str, str]] = (),
    switches: Mapping[str, Any] | None = None,
    companies: Sequence[str] = ("10", "20", "30"),
) -> dict[str, Any]:
    """Return the seed of an IFS tenant with one client, granted `companies`."""
    sets: dict[str, list[Row]] = defaultdict(list, ifs_ground())
    for supplier in suppliers:
        for table, rows in supplier.rows.items():
            sets[table] += rows
    for order in orders:
        sets["PurchaseOrderSet"].append(order.header)
        sets["PurchaseOrderLineSet"] += order.lines
        sets["PreAccountingSet"] += order.codings
    client = {"client_id": _CLIENT_ID, "client_secret": _CLIENT_SECRET, "companies": list(companies)}
    return {
        "realm": REALM,
        "clients": [client],
        "sets": dict(sets),
        "raw_rows": [dict(row) for row in raw_rows],
        "switches": dict(switches or {}),
        "rate": {"calls": 1000, "window_s": 60},
    }


def cin7_seed(vendors: Mapping[str, Sequence[Row]], limit: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the seed of every Cin7 account; `vendors` by account are there before the connector comes."""
    accounts = []
    for company in MAPPED:
        account = cin7_account(company)
        account["suppliers"] = list(vendors.get(company.cin7_account, ()))
        if limit is not None:
            account["limit"] = dict(limit)
        accounts.append(account)
    return {"accounts": accounts}


def credentials() -> dict[str, Any]:
    """Return what `connector credentials set` reads: `ifs`, `hooks`, and `cin7` by account."""
    return {
        "ifs": {"client_id": _CLIENT_ID, "client_secret": _CLIENT_SECRET},
        "cin7": {
            company.cin7_account: {"account_id": company.account_id, "application_keys": list(company.keys)}
            for company in MAPPED
        },
        "hooks": {"secret": _HOOKS_SECRET},
    }

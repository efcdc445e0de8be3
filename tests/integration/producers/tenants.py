"""Pollers as processes have them, against the served stand-in for IFS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from producers.poller import Poller, Pulled, Stream
from producers.streams import poller_of, streams_of
from shared import flows
from shared.assembly import Assembly
from shared.config import credentials
from shared.config.credentials import IfsCredentials
from shared.config.environment import Environment
from shared.config.settings import PolicySettings, Settings, StreamSettings
from shared.flows import Flow
from shared.ledger.connection import Ledger
from tests.contract.ifs_tenants import CLIENT, StandIn, line, order, stand_in, supplier

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ORDERS = flows.PURCHASE_ORDERS
SUPPLIERS = flows.SUPPLIERS
BY_STAMP = StreamSettings(strategy="modified", modified_field="ChangeDate", start_from="2026-01-01")


class Process:
    """One poller process: its own memory, the ledger and Redis it shares with others."""

    def __init__(
        self, tenant: StandIn, ledger: Ledger, urls: tuple[str, str], streams: dict[str, StreamSettings]
    ) -> None:
        self.ledger = ledger
        self.parts = Assembly(
            Environment(master_key=KEY),
            database_url=urls[0],
            redis_url=urls[1],
            role="poller",
            root=Path(),
            actor="ann",
        )
        ifs = msgspec.structs.replace(tenant.settings, streams=streams, requests_per_minute=100_000, page_size=20)
        # The settings as their file would have given them.
        self.parts.settings = Settings(ifs=ifs, cin7={}, policy=PolicySettings())
        credentials.store(ledger.connection(), self.parts.cipher, credentials.IFS, IfsCredentials(**CLIENT))
        self.poller: Poller = poller_of(self.parts)
        self.streams: dict[Flow, Stream] = {stream.flow: stream for stream in streams_of(self.parts)}

    def turn(self, flow: Flow = ORDERS, *, force: bool = True, sweep: bool = False) -> Pulled | None:
        return self.poller.turn(self.streams[flow], force=force, sweep=sweep)

    def pull(self, flow: Flow = ORDERS, *, sweep: bool = False, outcome: str = "done") -> Pulled:
        pulled = self.turn(flow, sweep=sweep)
        assert pulled is not None
        assert pulled.outcome == outcome, pulled.error
        return pulled


class Site:
    """A tenant, and processes that poll it."""

    def __init__(self, tenant: StandIn, ledger: Ledger, database_url: str, redis_url: str) -> None:
        self.tenant = tenant
        self.ledger = ledger
        self.urls = (database_url, redis_url)
        self._processes: list[Process] = []

    def process(self, orders: StreamSettings = BY_STAMP, suppliers: StreamSettings | None = None) -> Process:
        """Return what a process that has just started would have."""
        streams = {"purchase_orders": orders, "suppliers": suppliers or StreamSettings()}
        made = Process(self.tenant, self.ledger, self.urls, streams)
        self._processes.append(made)
        return made

    def seed_orders(self, count: int, **changes: object) -> None:
        self.tenant.seed(
            {
                "PurchaseOrderSet": [order(1000 + number, **changes) for number in range(count)],
                "PurchaseOrderLineSet": [line(1000 + number, 1, PreAccountingId=number) for number in range(count)],
                "PreAccountingSet": [{"PreAccountingId": number, "AccountNo": "4010"} for number in range(count)],
            }
        )

    def seed_suppliers(self, count: int, switches: dict[str, object] | None = None) -> None:
        ids = [f"S{number:03}" for number in range(count)]
        self.tenant.seed(
            {
                "SupplierInfoGeneralSet": [supplier(key) for key in ids],
                "SupplierInfoAddressSet": [{"SupplierId": key, "AddressId": "1", "City": "Lund"} for key in ids],
            },
            switches=switches or {},
        )

    def edit(self, table: str, row: dict[str, object], how: str = "patch", **more: object) -> None:
        self.tenant.control("POST", "rows", {"set": table, how: [row], **more})

    def change(self, number: int, **changes: object) -> None:
        self.edit("PurchaseOrderSet", {"OrderNo": f"{number}", **changes})

    def change_line(self, number: int, **changes: object) -> None:
        self.edit("PurchaseOrderLineSet", {"OrderNo": f"{number}", "LineNo": "1", "ReleaseNo": "1", **changes})

    def put_raw(self, table: str, keyref: str, body: str) -> None:
        self.tenant.control("POST", "raw_rows", {"set": table, "keyref": keyref, "body": body})

    def fail(self, kind: str, path: str, **more: object) -> None:
        self.tenant.control("POST", "faults", {"kind": kind, "path": path, **more})

    def limit_to(self, *companies: str) -> None:
        """Take all other companies from the connector's user."""
        known = self.tenant.app.tenant.tokens.clients
        client = msgspec.structs.replace(known[CLIENT["client_id"]], companies=frozenset(companies))
        known[client.client_id] = client

    def versions(self, flow: Flow = ORDERS) -> dict[str, int]:
        """Return how many versions of each record there are."""
        rows = self.ledger.rows("select key, count(*) from entry where flow = %s group by key", (flow.name,))
        return {str(row[0]): int(row[1]) for row in rows}

    def audit(self, flow: Flow = ORDERS) -> list[dict[str, Any]]:
        """Return the audit rows of the pulls, oldest first."""
        names = ("strategy", "outcome", "pages", "rows", "changed", "unchanged", "skipped", "error", "filter",
                 "watermark_from", "watermark_to")  # fmt: skip
        rows = self.ledger.rows(
            """
            select strategy, outcome, pages, rows, changed, unchanged, skipped, error, filter, watermark_from,
                   watermark_to
            from poll where flow = %s order by id
            """,
            (flow.name,),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def close(self) -> None:
        for process in self._processes:
            process.parts.ifs.close()
            process.parts.ledger.close()
            process.parts.redis.close()


@contextmanager
def site_of(ledger: Ledger, database_url: str, redis_url: str) -> Iterator[Site]:
    with stand_in(redis_url) as tenant:
        site = Site(tenant, ledger, database_url, redis_url)
        yield site
        site.close()

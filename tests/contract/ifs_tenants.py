"""A tenant of IFS for the contract tests: the served stand-in, or a real one that the environment names."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import redis

from sandbox.ifs.app import IfsApp
from sandbox.ifs.connections import CuttableProtocol
from sandbox.serving import serving
from shared.budgets import Budget
from shared.config.credentials import IfsCredentials
from shared.config.encryption import Cipher
from shared.config.settings import IfsSettings, StreamSettings
from shared.ifs import reading
from shared.ifs.client import IfsClient
from shared.ifs.sources import Source
from shared.rows import Row

CIPHER = Cipher([bytes(range(32))])
CLIENT = {"client_id": "CIN7CONN", "client_secret": "a made-up secret"}
STAMP = "2026-03-01T10:00:00Z"


def order(number: int, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "OrderNo": f"{number}",
        "VendorNo": "S1",
        "Contract": "S10",
        "Company": "10",
        "CurrencyCode": "EUR",
        "OrderDate": "2026-02-27T00:00:00Z",
        "DateEntered": "2026-02-27T09:00:00Z",
        "ChangeDate": STAMP,
        "Objstate": "Released",
    }
    return row | changes


def line(number: int, line_no: int, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "OrderNo": f"{number}",
        "LineNo": f"{line_no}",
        "ReleaseNo": "1",
        "PartNo": "BOLT-8",
        "Description": "Bolt M8",
        "BuyQtyDue": 250,
        "BuyUnitMeas": "pcs",
        "BuyUnitPrice": 0.184,
        "CurrencyCode": "EUR",
        "LastActivityDate": STAMP,
        "Objstate": "Released",
    }
    return row | changes


def supplier(key: str, **changes: object) -> dict[str, object]:
    return {"SupplierId": key, "Name": f"Supplier {key}", "Country": "SE", "PartyType": "Supplier", **changes}


class StandIn:
    """The served stand-in, and a client of ours for it."""

    def __init__(self, app: IfsApp, url: str, redis_url: str) -> None:
        self.app = app
        self.url = url
        self.redis = redis.Redis.from_url(redis_url)
        self.settings = settings_for(url)
        self._clients: list[IfsClient] = []

    def seed(self, sets: dict[str, list[dict[str, object]]], **more: object) -> None:
        body: dict[str, Any] = {"clients": [CLIENT], "sets": sets, **more}
        self.app.seed(body)

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON of any shape.
        answer = httpx.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def client(self, credentials: IfsCredentials | None = None, **settings: object) -> IfsClient:
        """Return what a process that has just started would have."""
        changed = msgspec.structs.replace(self.settings, **settings)
        client = client_for(changed, credentials or IfsCredentials(**CLIENT), self.redis)
        self._clients.append(client)
        return client

    def calls(self, path: str = "") -> list[dict[str, Any]]:
        report = self.control("GET", f"requests?path={path}")
        return [call for call in report if "/auth/" not in call["path"]]

    def forget_calls(self) -> None:
        self.control("DELETE", "requests")

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.redis.close()


def settings_for(url: str) -> IfsSettings:
    return IfsSettings(base_url=url, realm="acme1", time_zone="Europe/Stockholm", overlap_s=900)


def client_for(settings: IfsSettings, credentials: IfsCredentials, shared: "redis.Redis") -> IfsClient:
    budget = Budget(shared, "ifs", ["tenant"], 100_000, 60)
    return IfsClient(settings, credentials, shared, budget, CIPHER)


class Poll:
    """One poll to its end: what it gave, and the watermark it left."""

    def __init__(
        self,
        client: IfsClient,
        source: Source,
        stream: StreamSettings | None = None,
        watermark: str | None = None,
        *,
        admit: Callable[[Row], bool] = lambda _row: True,
        known: Callable[[Sequence[tuple[str, str]]], set[str]] = lambda _pairs: set(),
    ) -> None:
        stream = stream or StreamSettings()
        self.batches = list(
            reading.changed(
                client,
                source,
                stream,
                client.settings,
                watermark=watermark,
                admit=admit,
                known=known,
                lane="live",
            )
        )
        self.watermark = self.batches[-1].reached
        self.documents = [document for batch in self.batches for document in batch.documents]
        self.keys = [document.key for document in self.documents]
        self.rows = sum(batch.rows for batch in self.batches)


@contextmanager
def stand_in(redis_url: str) -> Iterator[StandIn]:
    app = IfsApp()
    with serving(app, protocol_class=CuttableProtocol) as url:
        tenant = StandIn(app, url, redis_url)
        yield tenant
        tenant.close()

"""A small client for the stand-in's own tests: it knows nothing of the connector."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from sandbox.ifs.app import IfsApp
from sandbox.serving import serving
from sandbox.world import as_json

PROJECTION = "/main/ifsapplications/projection/v1/"
ENTITY = "/int/ifsapplications/entity/v1/"
SUPPLIERS = f"{PROJECTION}SupplierHandling.svc/SupplierInfoGeneralSet"
ORDERS = f"{PROJECTION}PurchaseOrderHandling.svc/PurchaseOrderSet"
LINES = f"{ENTITY}PurchaseOrderLineEntity.svc/PurchaseOrderLineSet"
ADDRESSES = f"{ENTITY}SupplierInfoAddressEntity.svc/SupplierInfoAddressSet"
TOKENS = "/auth/realms/acme1/protocol/openid-connect/token"
CLIENT = {"client_id": "CONN", "client_secret": "s3cret", "companies": ["10", "20"]}


@dataclass(frozen=True)
class Ifs:
    """The stand-in over HTTP, and its insides."""

    app: IfsApp
    http: httpx.Client

    def start(self, **sets: list[dict[str, Any]]) -> "Ifs":
        """Begin anew with a tenant that holds `sets`, its clock stopped."""
        self.http.cookies.clear()
        self.control("seed", {"clients": [CLIENT], "sets": sets})
        self.http.delete("/_sandbox/requests")
        self.control("clock", {"stop": "2025-06-02T08:00:00Z"})
        return self

    def token(self, **changes: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": "CONN", "client_secret": "s3cret"}
        return self.http.post(TOKENS, data={**form, "scope": "openid microprofile-jwt", **changes})

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token().json()['access_token']}"}

    def get(self, address: str, /, **options: str | int) -> httpx.Response:
        """Read with `$` before every option: `get(ORDERS, filter=..., top=5)`."""
        return self.get_with({}, address, **options)

    def get_with(self, headers: Mapping[str, str], address: str, /, **options: str | int) -> httpx.Response:
        query = "&".join(f"${name}={quote(str(value))}" for name, value in options.items())
        return self.http.get(f"{address}?{query}" if query else address, headers={**self.headers(), **headers})

    def rows(self, address: str, **options: str | int) -> list[dict[str, Any]]:
        answer = self.get(address, **options)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["value"]
        return rows

    def keys(self, address: str, key: str, **options: str | int) -> list[Any]:
        return [row[key] for row in self.rows(address, **options)]

    def send(self, method: str, address: str, body: object = None, if_match: str | None = None) -> httpx.Response:
        headers = {**self.headers(), "Content-Type": "application/json"}
        if if_match is not None:
            headers["If-Match"] = if_match
        content = b"" if body is None else as_json(body)
        return self.http.request(method, address, content=content, headers=headers)

    def control(self, name: str, body: object) -> Any:  # noqa: ANN401 - whatever JSON holds.
        answer = self.http.post(f"/_sandbox/{name}", content=as_json(body))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **switches: object) -> None:
        self.control("switches", switches)


@contextmanager
def ifs_served() -> Iterator[Ifs]:
    """Serve an empty tenant."""
    app = IfsApp()
    with serving(app, protocol_class=app.protocol_class) as url, httpx.Client(base_url=url, timeout=20) as http:
        yield Ifs(app, http)


def supplier(number: str, **changes: object) -> dict[str, object]:
    row = {"SupplierId": number, "Name": f"Supplier {number}", "Country": "SE", "PartyType": "Supplier"}
    return {**row, **changes}


def order(number: str, **changes: object) -> dict[str, object]:
    row = {"OrderNo": number, "VendorNo": "S1", "Contract": "S10", "Company": "10", "CurrencyCode": "EUR"}
    return {**row, "ChangeDate": "2025-05-01T08:00:00Z", "Objstate": "Released", **changes}


def line(number: str, line_no: str, **changes: object) -> dict[str, object]:
    row = {"OrderNo": number, "LineNo": line_no, "ReleaseNo": "1", "BuyQtyDue": 2, "BuyUnitPrice": 3}
    return {**row, "Contract": "S10", "Objstate": "Released", **changes}

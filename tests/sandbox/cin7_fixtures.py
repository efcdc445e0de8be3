"""A served stand-in for Cin7, and a bare client that speaks to it as any HTTP client would."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.cin7 import Cin7Sandbox
from sandbox.serving import serving

ACCOUNT = "11111111-2222-4333-8444-555555555555"
KEY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

ACME: dict[str, Any] = {
    "Name": "Acme Fasteners Ltd",
    "Currency": "GBP",
    "PaymentTerm": "30 days",
    "AccountPayable": "800",
    "TaxRule": "Tax on Purchases",
    "Status": "Active",
    "Comments": "",
    "AdditionalAttribute1": "20017",
    "Addresses": [{"Line1": "1 Mill Lane", "Line2": "", "Country": "United Kingdom", "Type": "Business"}],
    "Contacts": [{"Name": "Jo Reed", "Phone": "+44 113 496 0000", "Default": True}],
}


class Cin7:
    """One account of a served stand-in."""

    def __init__(self, sandbox: Cin7Sandbox, url: str, account: str = ACCOUNT, key: str = KEY) -> None:
        self.sandbox = sandbox
        self.url = url
        headers = {"api-auth-accountid": account, "api-auth-applicationkey": key}
        self.http = httpx.Client(base_url=f"{url}/ExternalApi/v2/", headers=headers, timeout=5)

    def ok(self, method: str, path: str, body: object = None, **params: object) -> dict[str, Any]:
        answer = self.send(method, path, body, **params)
        assert answer.status_code == 200, answer.text
        result = answer.json()
        assert isinstance(result, dict)
        return result

    def refusals(self, method: str, path: str, body: object = None, **params: object) -> list[str]:
        """Return the texts of a 400's error array."""
        answer = self.send(method, path, body, **params)
        assert answer.status_code == 400, answer.text
        return [entry["Exception"] for entry in answer.json()]

    def send(self, method: str, path: str, body: object = None, **params: object) -> httpx.Response:
        texts = {name: str(value) for name, value in params.items()}
        return (
            self.http.request(method, path, json=body, params=texts)
            if body is not None
            else self.http.request(method, path, params=texts)
        )

    def control(self, method: str, path: str, body: object = None, /, **query: str) -> dict[str, Any]:
        return self.sandbox.control(method, path, body, **query)

    def supplier(self, **fields: object) -> dict[str, Any]:
        """Create a supplier and return its record."""
        found = self.ok("POST", "supplier", {**ACME, **fields})["SupplierList"]
        assert isinstance(found[0], dict)
        return found[0]

    def purchase(self, path: str = "advanced-purchase", **fields: object) -> dict[str, Any]:
        """Create a purchase for the only supplier there is, or a new one."""
        listed = self.ok("GET", "supplier")["SupplierList"] or [self.supplier()]
        body = {
            "SupplierID": listed[0]["ID"],
            "Approach": "Invoice",
            "Location": "Main Warehouse",
            "PurchaseType": "Advanced",
        }
        return self.ok("POST", path, {**body, **fields})

    def line(self, **fields: object) -> dict[str, Any]:
        """Return an order line of 100 bolts at 0.25."""
        bolt = self.ok("GET", "product", Sku="BOLT-M8")["Products"][0]
        identity = {"ProductID": bolt["ID"], "SKU": "BOLT-M8", "Name": "Bolt M8"}
        amounts = {"Quantity": 100, "Price": 0.25, "Tax": 5, "TaxRule": "Tax on Purchases", "Total": 25}
        return {**identity, **amounts, "Comment": "1001/1/1", **fields}


def order(purchase: dict[str, Any], *lines: dict[str, Any], **fields: object) -> dict[str, Any]:
    """Return the body of an order with these lines."""
    head = {"TaskID": purchase["ID"], "CombineAdditionalCharges": False, "Memo": "", "Status": "AUTHORISED"}
    return {**head, "Lines": list(lines), **fields}


FREIGHT = {"Description": "Freight", "Reference": "1001/2/1", "Price": 12, "Quantity": 1, "Tax": 2.4, "Total": 12}


@pytest.fixture(name="served", scope="module")
def served_fixture() -> Iterator[Cin7]:
    sandbox = Cin7Sandbox()
    with serving(sandbox) as url:
        yield Cin7(sandbox, url)


@pytest.fixture(name="cin7")
def cin7_fixture(served: Cin7) -> Cin7:
    """A stand-in as new, with one company and no limit on calls."""
    served.control("POST", "reset")
    served.control("POST", "limits", {"calls": 0})
    return served

"""What people do to both systems behind the connector's back, so that a month does not add up any more."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from sandbox.world import Month
from sandbox.world.invoicing import Invoice
from sandbox.world.month import MONTH
from sandbox.world.ordering import Order

#: Of both stand-ins: path of the control plane, and the body.
Ordered = Callable[[str, dict[str, Any]], Any]
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


class Planter:
    """Plants differences of the month.

    Args:
        ifs, cin7: control planes.
        cin7_url: origin of the Cin7 stand-in, for what people key through its own API.
    """

    def __init__(self, month: Month, ifs: Ordered, cin7: Ordered, cin7_url: str) -> None:
        self.month = month
        self.ifs = ifs
        self.cin7 = cin7
        keys = month.world.credentials["cin7"]["main"]
        self.account = str(keys["account_id"])
        self.http = httpx.Client(
            base_url=f"{cin7_url}/ExternalApi/v2/",
            headers={
                "api-auth-accountid": self.account,
                "api-auth-applicationkey": keys["application_keys"][-1],
                "content-type": "application/json",
            },
        )

    # In IFS

    def patch(self, table: str, row: Mapping[str, object]) -> None:
        self.ifs("rows", {"set": table, "patch": [dict(row)]})

    def order_state(self, order: Order, state: str) -> None:
        self.patch("PurchaseOrderSet", {"OrderNo": order.order_no, "Objstate": state})

    def invoice_state(self, invoice: Invoice, state: str) -> None:
        key = {name: invoice.header[name] for name in ("Company", "InvoiceId")}
        self.patch("ManSuppInvoiceSet", {**key, "Objstate": state})

    def more_pieces(self, order: Order, by: int) -> None:
        """Raise the quantity of the order's first line."""
        line = order.lines[0]
        key = {name: line[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
        changed = {"BuyQtyDue": line["BuyQtyDue"] + by, "NetAmtCurr": None, "GrossAmtCurr": None}
        self.patch("PurchaseOrderLineSet", {**key, **changed})

    def recode(self, order: Order, account: str) -> None:
        """Code the order's last line, which has no part, to another account."""
        coding = next(one for one in order.codings if one["PreAccountingId"] == order.lines[-1]["PreAccountingId"])
        self.patch("PreAccountingSet", {"PreAccountingId": coding["PreAccountingId"], "AccountNo": account})
        # In IFS a child's change does not touch its order; the line's stamp tells of it.
        line = {name: order.lines[-1][name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
        self.patch("PurchaseOrderLineSet", {**line, "Description": "Recoded"})

    def remove(self, order: Order) -> None:
        self.ifs("rows", {"set": "PurchaseOrderSet", "delete": [{"OrderNo": order.order_no}]})

    def copy_order(self, order: Order, number: str, **changes: object) -> None:
        """Enter an order like this one under another number."""
        header = {**order.header, "OrderNo": number, **changes}
        lines = [{**line, "OrderNo": number} for line in order.lines]
        self.ifs("rows", {"set": "PurchaseOrderSet", "upsert": [header]})
        self.ifs("rows", {"set": "PurchaseOrderLineSet", "upsert": lines})

    # In Cin7

    def number_of(self, marker: str) -> str:
        """Return the number of the purchase that bears a marker."""
        state = self.cin7("state", {})
        found = [
            one["OrderNumber"]
            for account in state["accounts"]
            for one in account["purchases"]
            if one["Note"].splitlines()[0] == marker and one["Status"] != "VOIDED"
        ]
        assert len(found) == 1, f"{marker} is in Cin7 {len(found)} times"
        return str(found[0])

    def purchase_of(self, order: Order) -> str:
        return self.number_of(f"IFS PO {order.header['Company']}/{order.order_no}")

    def edit_invoice(self, purchase: str, invoice: str, **change: object) -> None:
        self.cin7(f"invoices/{purchase}", {"invoice": invoice, **change})

    def edit_purchase(self, purchase: str, **change: object) -> None:
        self.cin7(f"purchases/{purchase}", dict(change))

    def key_by_hand(self, *, note: str = "Keyed by Ann", invoice: str = "", amount: str = "80", day: str = "") -> str:
        """Key a purchase of one charge, and an invoice for it where a number is given; return the purchase's number."""
        self._turn_the_clock_to(f"{MONTH}-15T10:00:00Z")
        header = {
            "Supplier": self.month.suppliers["10"].name, "Approach": "INVOICE", "Location": "Gothenburg DC",
            "IsServiceOnly": True, "TaxRule": "No tax", "TaxCalculation": "Exclusive", "Note": note,
        }  # fmt: skip
        made = self.post("advanced-purchase", header)
        charge = {
            "Description": "Something", "Reference": "", "Price": Decimal(amount), "Quantity": 1, "Discount": 0,
            "Tax": 0, "TaxRule": "No tax", "Total": Decimal(amount),
        }  # fmt: skip
        body = {"CombineAdditionalCharges": False, "Memo": "", "Lines": [], "Status": "AUTHORISED"}
        self.post("purchase/order", {**body, "TaskID": made["ID"], "AdditionalCharges": [charge]})
        if invoice:
            bill = {
                "PurchaseID": made["ID"], "TaskID": made["Invoice"][0]["TaskID"], "InvoiceNumber": invoice,
                "InvoiceDate": f"{day or MONTH + '-20'}T00:00:00", "InvoiceDueDate": f"{MONTH}-28T00:00:00",
                "AdditionalCharges": [{**charge, "Account": "4010"}],
            }  # fmt: skip
            self.post("advanced-purchase/invoice", {**body, **bill})
        self.cin7("clock", {"offset_s": 0})
        return str(made["OrderNumber"])

    def _turn_the_clock_to(self, moment: str) -> None:
        self.cin7("clock", {"offset_s": (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()})

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(path, content=_ENCODE(body))
        assert answer.status_code == 200, answer.text
        got: dict[str, Any] = answer.json()
        return got

    def close(self) -> None:
        self.http.close()

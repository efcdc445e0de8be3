"""Draws purchase orders: part lines, GL-coded lines and both, with amounts that add up. Made up."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Final

from sandbox.world.ground import BY_CODE, MAPPED, PARTS, Company, Row
from sandbox.world.people import Supplier

#: Everything in the world happened before this day, which is long past wherever the demo runs.
LAST_DAY: Final = date(2025, 6, 30)
#: Go-live: orders dated before it are counted, not sent.
START_FROM: Final = date(2025, 4, 1)
_HUNDRED: Final = Decimal(100)
_TEXTS = ("Freight", "Consulting, March", "Office supplies & paper", "Lodging: 2 nights", "Crane hire", "Årlig översyn")


@dataclass(frozen=True, kw_only=True)
class Order:
    header: Row
    lines: list[Row]
    codings: list[Row] = field(default_factory=list)

    @property
    def order_no(self) -> str:
        return str(self.header["OrderNo"])


class Desk:
    """Draws orders one after the other; numbers and ids of codings never repeat."""

    def __init__(self, rng: Random, first_coding: int = 50_000) -> None:
        self._rng = rng
        self._coded = first_coding

    def draw(
        self,
        order_no: str,
        supplier: Supplier,
        company: Company,
        *,
        state: str = "Released",
        day: date | None = None,
        kinds: str = "",
        account: str = "",
        **changes: Any,  # noqa: ANN401  # Whatever the header holds.
    ) -> Order:
        """Return an order that nothing is wrong with, but for what the arguments ask.

        Args:
            kinds: one letter a line, `p` with a part and `g` coded to the general ledger; empty: drawn.
            account: of the first coded line; empty: drawn.
            changes: replace properties of the header.
        """
        rng = self._rng
        day = day or self._day()
        currency, term = supplier.terms.get(company.code) or next(iter(supplier.terms.values()))
        header = self._header(order_no, supplier, company, state, day) | {"CurrencyCode": currency, "PayTermId": term}
        order = Order(header=header | changes, lines=[])
        if rng.random() < 0.1:
            # Lines without a coding of their own take the header's.
            order.header["PreAccountingId"] = self._coding(order, company, rng.choice(company.codings))
        for place, kind in enumerate(kinds or self._kinds()):
            line = self._line(order, company, place, kind)
            if kind == "g" and account and not any(row["AccountNo"] == account for row in order.codings):
                line["PreAccountingId"] = self._coding(order, company, account)
            order.lines.append(line)
        return order

    def _kinds(self) -> str:
        rng = self._rng
        count = rng.choice((1, 1, 2, 2, 3, 4, 5, 12)) if rng.random() < 0.9 else rng.randrange(11, 16)
        kind = rng.random()
        if kind < 0.55:
            return "p" * count
        if kind < 0.8:
            return "g" * min(count, 4)
        return "".join(rng.choice("ppg") for _ in range(count - 1)) + "g"

    def _day(self) -> date:
        return START_FROM + timedelta(days=self._rng.randrange((LAST_DAY - START_FROM).days))

    def _header(self, order_no: str, supplier: Supplier, company: Company, state: str, day: date) -> Row:
        rng = self._rng
        site = rng.choice(company.sites)[0]
        entered = f"{day}T{rng.randrange(7, 17):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}Z"
        changed = min(day + timedelta(days=rng.randrange(3)), LAST_DAY)
        return {
            "OrderNo": order_no,
            "VendorNo": supplier.supplier_id,
            "InvoicingSupplier": supplier.supplier_id,
            "Contract": site,
            "Company": company.code,
            "OrderDate": f"{day}T00:00:00Z",
            "DateEntered": entered,
            "ChangeDate": f"{changed}T{rng.randrange(17, 20):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}Z",
            "WantedReceiptDate": f"{day + timedelta(days=14)}T00:00:00Z",
            "DeliveryTerms": "DAP",
            "ShipViaCode": "TRK",
            "BuyerCode": rng.choice(("ANNA", "BO", "ÖRJAN")),
            "AuthorizeCode": "CHIEF",
            "NoteText": rng.choice((None, None, "Deliver to gate B, ring first", 'Ref "K-7" & drawing 12/A')),
            "OrderCode": "1",
            "UsePriceInclTax": False,
            "PreAccountingId": None,
            "Revision": 1,
            "CountryCode": None,
            "Objstate": state,
        }

    def _line(self, order: Order, company: Company, place: int, kind: str) -> Row:
        rng, header = self._rng, order.header
        part = rng.choice(PARTS)
        whole = header["CurrencyCode"] == "JPY"
        if kind == "p":
            price = part.price
            quantity = self._quantity(part.unit)
        else:
            price = Decimal(rng.randrange(2000, 150000)).scaleb(-2)
            quantity = Decimal(rng.choice((1, 1, 1, 2, 12)))
        discount = Decimal(rng.choice(("0", "0", "0", "5", "10", "12.5"))) if kind == "p" else Decimal(0)
        if whole:
            # Whole yen on every line: whether Cin7 rounds a line to yen or to sen is not known.
            price, discount = max(price.quantize(Decimal(1)), Decimal(1)), Decimal(0)
            quantity = quantity.quantize(Decimal(1), ROUND_HALF_UP)
        line = {
            "OrderNo": header["OrderNo"],
            "LineNo": str(place + 1),
            "ReleaseNo": "1",
            "PartNo": part.part_no if kind == "p" else None,
            "Description": part.name if kind == "p" else rng.choice(_TEXTS),
            "Contract": header["Contract"],
            "BuyQtyDue": quantity,
            "BuyUnitMeas": part.unit if kind == "p" else "pcs",
            "BuyUnitPrice": price,
            "Discount": discount,
            "AdditionalCostAmount": Decimal(15) if kind == "p" and rng.random() < 0.05 else None,
            "CurrencyCode": header["CurrencyCode"],
            "WantedDeliveryDate": header["WantedReceiptDate"],
            "PlannedReceiptDate": header["WantedReceiptDate"],
            "DateEntered": header["DateEntered"],
            "LastActivityDate": header["ChangeDate"],
            "TaxCode": rng.choice([tax.code for tax in company.taxes]),
            "PreAccountingId": None,
            "Objstate": header["Objstate"],
        }
        total(line, company)
        if kind == "g" and (header["PreAccountingId"] is None or rng.random() < 0.5):
            line["PreAccountingId"] = self._coding(order, company, rng.choice(company.codings))
        return line

    def _quantity(self, unit: str) -> Decimal:
        rng = self._rng
        if unit in ("m", "m2", "l", "kg"):
            return Decimal(rng.choice(("1.5", "2.25", "10.125", "3", "7.5", "120")))
        return Decimal(rng.choice((1, 2, 5, 10, 24, 100, 250, 1000)))

    def _coding(self, order: Order, company: Company, account: str) -> int:
        self._coded += 1
        order.codings.append(
            {
                "PreAccountingId": self._coded,
                "Company": company.code,
                "AccountNo": account,
                "CodenoB": self._rng.choice(company.cost_centres),
            }
        )
        return self._coded


def total(line: Row, company: Company) -> None:
    """Set the line's net and gross amounts to what its quantity, price, discount and tax make."""
    places = Decimal(1) if line["CurrencyCode"] == "JPY" else Decimal("0.01")

    def rounded(amount: Decimal) -> Decimal:
        return amount.quantize(places, ROUND_HALF_UP)

    goods = rounded(line["BuyQtyDue"] * line["BuyUnitPrice"] * (_HUNDRED - line["Discount"]) / _HUNDRED)
    cost = line["AdditionalCostAmount"] or Decimal(0)
    percent = next((tax.percent for tax in company.taxes if tax.code == line["TaxCode"]), Decimal(0))
    line["NetAmtCurr"] = goods + cost
    line["GrossAmtCurr"] = goods + cost + rounded(goods * percent / _HUNDRED) + rounded(cost * percent / _HUNDRED)


def company_for(supplier: Supplier, rng: Random) -> Company:
    """Return one of the mapped companies that buy from `supplier`."""
    return rng.choice([company for company in MAPPED if supplier.of_company(company.code)])


def company_of(order: Row) -> Company:
    return BY_CODE[str(order["Company"])]

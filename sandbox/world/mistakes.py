"""What is wrong with the world on purpose: records that must be held, and vendors that Cin7 knew before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.world.expected import APPLIED, Expected, held
from sandbox.world.ground import (
    BY_CODE,
    INACTIVE_ACCOUNT,
    MISSING_ACCOUNT,
    MISSING_PART,
    UNMAPPED_COMPANY,
    UNMAPPED_TAX,
    UNMAPPED_TERM,
    Row,
)
from sandbox.world.ordering import Desk, Order
from sandbox.world.people import People, Supplier
from sandbox.world.seeds import as_json

#: Orders of company 10 that are coded to the account that Cin7 lacks.
MISSING_ACCOUNT_ORDERS = 12


@dataclass(frozen=True, kw_only=True)
class WrongSupplier:
    """`raw` replaces the header's JSON; `vendor` is what the second Cin7 account holds beforehand."""

    supplier: Supplier
    expected: Expected
    raw: str = ""
    vendor: Row | None = None


@dataclass(frozen=True, kw_only=True)
class WrongOrder:
    """`raw_line` replaces the JSON of the first line."""

    order: Order
    expected: Expected
    raw_line: str = ""


def wrong_suppliers(people: People) -> Iterator[WrongSupplier]:
    """Yield one supplier per way in which a supplier can be wrong or already known."""
    long = "Very Long Name of a Holding and Its Many Branches " * 6
    invalid = "source.invalid"
    nul = people.draw(["10"], supplier_id="BAD-NUL", name="Nul Byte AB", Name="Nul\x00Byte AB")
    yield WrongSupplier(supplier=nul, expected=held(invalid, "", "the name holds a NUL character"))
    lengthy = people.draw(["10"], supplier_id="BAD-LONG", name="Lengthy AB", Name=long.strip())
    yield WrongSupplier(supplier=lengthy, expected=held(invalid, "", "the name is longer than Cin7 takes"))
    lone = people.draw(["20"], supplier_id="BAD-UTF", name="Half Character Ltd")
    row = _enveloped(lone.rows["SupplierInfoGeneralSet"][0]).replace("Half Character", "Half \\ud83d Character")
    yield WrongSupplier(supplier=lone, raw=row, expected=held(invalid, "", "the name holds half a character"))
    special = people.draw(["10"], supplier_id="BAD-TERM", name="Special Terms AB")
    special.rows["IdentityInvoiceInfoSet"][0]["PayTermId"] = UNMAPPED_TERM
    yield WrongSupplier(
        supplier=special, expected=held("term.unmapped", UNMAPPED_TERM, "its term is not in the tables")
    )
    foreign = people.draw([UNMAPPED_COMPANY], supplier_id="BAD-CO", name="Bare Fjord AS")
    yield WrongSupplier(
        supplier=foreign, expected=held("company.unmapped", UNMAPPED_COMPANY, "only an unmapped company buys from it")
    )
    exact = people.draw(["20"], supplier_id="DUP-EXACT", name="Solent Chandlery Ltd")
    vendor = _vendor(exact, name="SOLENT  chandlery ltd", tax_number=exact.tax_number)
    yield WrongSupplier(supplier=exact, vendor=vendor, expected=APPLIED)
    same_name = people.draw(["20"], supplier_id="DUP-NAME", name="Itchen Rope Works Ltd")
    vendor = _vendor(same_name, name=same_name.name, tax_number="")
    yield WrongSupplier(supplier=same_name, vendor=vendor, expected=_duplicate("the same name, no tax number"))
    close = people.draw(["20"], supplier_id="DUP-CLOSE", name="Hamble Sailmakers Limited")
    vendor = _vendor(close, name="Hamble Sailmakers Ltd", tax_number="")
    yield WrongSupplier(supplier=close, vendor=vendor, expected=_duplicate("a close name"))


def wrong_orders(
    desk: Desk, number: Callable[[], str], by_company: dict[str, list[Supplier]], named: dict[str, Supplier]
) -> Iterator[WrongOrder]:
    """Yield orders of every wrong kind.

    Args:
        number: gives the next order number.
        by_company: suppliers that will be applied.
        named: the suppliers that `wrong_suppliers` gave, by id.
    """
    ten, twenty, thirty = (BY_CODE[code] for code in ("10", "20", "30"))

    def draw(company: str, place: int = 0, **wishes: Any) -> Order:  # noqa: ANN401  # As Desk.draw.
        suppliers = by_company[company]
        return desk.draw(number(), suppliers[place % len(suppliers)], BY_CODE[company], **wishes)

    for place in range(MISSING_ACCOUNT_ORDERS):
        order = draw("10", place, kinds=("g", "pg", "ppgg")[place % 3], account=MISSING_ACCOUNT)
        yield WrongOrder(order=order, expected=held("account.missing", MISSING_ACCOUNT, "Cin7 lacks the account"))
    for place in range(2):
        order = draw("10", place, kinds="gp", account=INACTIVE_ACCOUNT)
        expected = held("account.inactive", INACTIVE_ACCOUNT, "the account is archived in Cin7")
        yield WrongOrder(order=order, expected=expected)
    unmapped = held("company.unmapped", UNMAPPED_COMPANY, "the company is not in the tables")
    for _ in range(2):
        yield WrongOrder(order=desk.draw(number(), named["BAD-CO"], thirty, kinds="g"), expected=unmapped)
    order = draw("10", PayTermId=UNMAPPED_TERM, kinds="p")
    yield WrongOrder(order=order, expected=held("term.unmapped", UNMAPPED_TERM, "its term is not in the tables"))
    for company in ("10", "20"):
        order = draw(company, kinds="pp")
        order.lines[0]["TaxCode"] = UNMAPPED_TAX
        expected = held("tax.unmapped", UNMAPPED_TAX, "a line's tax code is not in the tables")
        yield WrongOrder(order=without_totals(order), expected=expected)
        order = draw(company, kinds="pg")
        order.lines[0]["PartNo"] = MISSING_PART
        expected = held("product.missing", MISSING_PART, "Cin7 has no such SKU")
        yield WrongOrder(order=order, expected=expected)
        order = draw(company, kinds="p", CurrencyCode="CHF")
        yield WrongOrder(order=order, expected=held("currency.mismatch", "CHF", "the supplier is paid in another one"))
    order = draw("10", kinds="p", state="Frozen")
    yield WrongOrder(order=order, expected=held("source.invalid", "Frozen", "no setting knows the state"))
    yield from _wrong_amounts(draw)
    order = draw("20", kinds="g", VendorNo="NOSUCH", InvoicingSupplier="NOSUCH")
    yield WrongOrder(order=order, expected=held("dependency.missing", "NOSUCH", "IFS has no such supplier"))
    late = Expected(outcome="waiting", value="DUP-NAME", why="its supplier is held as a possible duplicate")
    yield WrongOrder(order=desk.draw(number(), named["DUP-NAME"], twenty, kinds="p"), expected=late)
    late = Expected(outcome="waiting", value="BAD-TERM", why="its supplier is held for its payment term")
    order = desk.draw(number(), named["BAD-TERM"], ten, kinds="p", PayTermId="30")
    yield WrongOrder(order=order, expected=late)


def _wrong_amounts(draw: Callable[..., Order]) -> Iterator[WrongOrder]:
    invalid = "source.invalid"
    for text, why in (("NaN", "the price is not a number"), ('"12,50"', "the price is a text with a comma")):
        order = draw("10", kinds="p")
        marked = _enveloped(order.lines[0] | {"BuyUnitPrice": "PRICE"})
        yield WrongOrder(
            order=order,
            raw_line=marked.replace('"PRICE"', text),
            expected=held(invalid, text.strip('"'), why),
        )
    for quantity, why in ((Decimal(-3), "the quantity is negative"), (Decimal("0.5"), "Cin7 takes no less than 1")):
        order = draw("20", kinds="p")
        order.lines[0]["BuyQtyDue"] = quantity
        yield WrongOrder(order=without_totals(order), expected=held(invalid, str(quantity), why))
    order = draw("10", kinds="pp")
    order.lines[1]["NetAmtCurr"] += Decimal(100)
    yield WrongOrder(order=order, expected=held("total.mismatch", "", "the net amount is not price x quantity"))


def without_totals(order: Order) -> Order:
    """Leave out totals that the mistake would make wrong as well: one mistake an order."""
    for line in order.lines:
        line["NetAmtCurr"] = line["GrossAmtCurr"] = None
    return order


def _duplicate(why: str) -> Expected:
    return held("supplier.possible-duplicate", "", f"Cin7 has a vendor with {why}")


def _vendor(supplier: Supplier, *, name: str, tax_number: str) -> Row:
    currency, code = supplier.terms["20"]
    term = next(term.cin7 for term in BY_CODE["20"].terms if term.code == code)
    return {
        "Name": name,
        "Currency": currency,
        "PaymentTerm": term,
        "AccountPayable": "800",
        "TaxRule": BY_CODE["20"].taxes[0].cin7,
        "Status": "Active",
        "TaxNumber": tax_number,
        "Comments": "Keyed by hand in 2019",
        "Addresses": [],
        "Contacts": [{"Name": "Front desk", "Phone": "+44 23 8000 0000", "Default": True}],
    }


def _enveloped(row: Row) -> str:
    envelope = {"@odata.etag": 'W/"cmF3"', "luname": "", "keyref": "", "Objgrants": None}
    return as_json(envelope | row).decode()

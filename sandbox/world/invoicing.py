"""Draws supplier invoices and credit notes: items, and postings that share them out, with amounts that add up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any, Final

from sandbox.world.books_ground import STOCK
from sandbox.world.currencies import in_home, rate, rounded
from sandbox.world.ground import Company, Row
from sandbox.world.ordering import LAST_DAY, Order, company_of

_FIRST_ID: Final = 70_001
_FIRST_VOUCHER: Final = 2_500_001
_HUNDRED: Final = Decimal(100)
_TEXTS: Final = (
    "Electricity, April",
    "Legal fees",
    "Subscription & support",
    'Repair of crane "B"',
    "Städning",
    "Taxi",
)


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one item invoices: all or a part of an order line, or something without an order.

    Attributes:
        quantity: negative on a credit note, as `net` is.
        line: key of the order line, as (line number, release number).
    """

    description: str
    net: Decimal
    tax_code: str
    account: str
    centre: str
    quantity: Decimal
    part_no: str | None = None
    line: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Invoice:
    header: Row
    items: list[Row]
    postings: list[Row]

    @property
    def key(self) -> str:
        return f"{self.header['Company']}/{self.header['InvoiceId']}"

    @property
    def day(self) -> date:
        return date.fromisoformat(self.header["InvoiceDate"])


class Clerk:
    """Draws invoices one after the other; ids count from `first` per company, so the same one occurs in several."""

    def __init__(self, rng: Random, first: int = _FIRST_ID) -> None:
        self._rng = rng
        self._first = first
        self._ids: dict[str, count[int]] = {}

    def invoice(
        self,
        company: Company,
        identity: str,
        terms: tuple[str, str],
        shares: Sequence[Share],
        *,
        day: date,
        state: str = "Posted",
        **changes: Any,  # noqa: ANN401  # Whatever the header holds.
    ) -> Invoice:
        """Return an invoice of `shares`; with negative ones it is a credit note.

        Args:
            terms: currency and payment term.
            changes: replace properties of the header.
        """
        currency, term = terms
        number = next(self._ids.setdefault(company.code, count(self._first)))
        key = {"Company": company.code, "InvoiceId": number}
        items = [_item(key, place, share, company, currency) for place, share in enumerate(shares, 1)]
        net = sum((item["NetCurrAmount"] for item in items), Decimal(0))
        tax = sum((item["VatCurrAmount"] for item in items), Decimal(0))
        days = next((one.days for one in company.terms if one.code == term), 30)
        quoted = rate(currency, company.currency)
        posted = state not in ("Preliminary", "Cancelled")
        header = {
            **key,
            "Identity": identity,
            "PartyType": "Supplier",
            "SeriesId": "SI" if net >= 0 else "SC",
            "InvoiceNo": self._invoice_no(number),
            "InvoiceType": "SUPPINV" if net >= 0 else "SUPPCREDIT",
            "InvoiceDate": day.isoformat(),
            "DueDate": (day + timedelta(days=days)).isoformat(),
            "ArrivalDate": (day + timedelta(days=1)).isoformat(),
            "CreationDate": (day + timedelta(days=self._rng.randrange(1, 4))).isoformat(),
            "PayTermId": term,
            "PayTermBaseDate": day.isoformat(),
            "Currency": currency,
            "CurrRate": quoted.rate,
            "DivFactor": quoted.factor,
            "TaxCurrRate": quoted.rate,
            "NetCurrAmount": net,
            "VatCurrAmount": tax,
            "NetDomAmount": in_home(net, currency, company.currency),
            "VatDomAmount": in_home(tax, currency, company.currency),
            "PoRefNumber": None,
            "VoucherTypeRef": "I" if posted else None,
            "VoucherNoRef": _FIRST_VOUCHER + number - _FIRST_ID if posted else None,
            "VoucherDateRef": day.isoformat() if posted else None,
            "Objstate": state,
        }
        return Invoice(header=header | changes, items=items, postings=self._postings(header, items, shares, company))

    def of_order(self, order: Order, shares: Sequence[Share], *, currency: str = "", **wishes: Any) -> Invoice:  # noqa: ANN401  # As invoice.
        """Return an invoice of these shares of `order`; `currency` empty: the order's."""
        header = order.header
        terms = (currency or header["CurrencyCode"], header["PayTermId"])
        wishes = {"day": self.after(_ordered_on(order)), "PoRefNumber": order.order_no, **wishes}
        return self.invoice(company_of(header), header["InvoicingSupplier"], terms, shares, **wishes)

    def credit(self, credited: Invoice, order: Order, shares: Sequence[Share]) -> Invoice:
        """Return a credit note that takes back `shares` of an invoice of `order`."""
        back = [_negative(share) for share in shares]
        names = {"CreditedInvoiceId": credited.header["InvoiceId"]}
        return self.of_order(order, back, day=self.after(credited.day), **names)

    def after(self, day: date) -> date:
        return min(day + timedelta(days=self._rng.randrange(1, 20)), LAST_DAY)

    def bill(self, company: Company, currency: str, *, lines: int = 0, **wishes: Any) -> list[Share]:  # noqa: ANN401
        """Return shares of an invoice without an order; `wishes` replace fields of the first one."""
        rng = self._rng
        drawn = [
            Share(
                description=rng.choice(_TEXTS),
                net=rounded(Decimal(rng.randrange(50_000, 90_000_000)).scaleb(-4), currency),
                tax_code=rng.choice(company.taxes).code,
                account=rng.choice(company.codings or (company.accounts[0].code,)),
                centre=rng.choice(company.cost_centres),
                quantity=Decimal(1),
            )
            for _ in range(lines or rng.choice((1, 1, 2, 3)))
        ]
        return [Share(**{**vars(drawn[0]), **wishes}), *drawn[1:]]

    def _invoice_no(self, number: int) -> str:
        form = self._rng.choice(("{}", "NF-{}", "2025/{} B", "F{}", "R&D {}", "A-{}#1"))
        return form.format(number - 69_000)

    def _postings(self, header: Row, items: Sequence[Row], shares: Sequence[Share], company: Company) -> list[Row]:
        """Return the postings of each item, some of them shared between two cost centres; both currencies add up."""
        rng, currency = self._rng, header["Currency"]
        parts: list[tuple[Row, Share, str, Decimal]] = []
        for item, share in zip(items, shares, strict=True):
            half = rounded(share.net / 2, currency) if rng.random() < 0.15 else Decimal(0)
            if half and half != share.net:
                parts.append((item, share, rng.choice(company.cost_centres), half))
            parts.append((item, share, share.centre, share.net - half if half != share.net else share.net))
        home = [in_home(amount, currency, company.currency) for *_, amount in parts]
        # What rounding leaves over goes on the last posting.
        home[-1] += header["NetDomAmount"] - sum(home)
        return [
            {
                "Company": header["Company"],
                "InvoiceId": header["InvoiceId"],
                "RowId": row,
                "ItemId": item["ItemId"],
                "PostingType": "M10" if share.line else "PP1",
                "CodeA": share.account,
                "CodeB": centre,
                "CurrAmount": amount,
                "DomAmount": dom,
                "TransactionDate": header["InvoiceDate"],
                "Reference": f"{share.line[0]}^{share.line[1]}^1^{row}" if share.line else None,
                "Text": share.description,
            }
            for row, ((item, share, centre, amount), dom) in enumerate(zip(parts, home, strict=True), 1)
        ]


def shares_of(order: Order, parts: int = 1) -> list[list[Share]]:
    """Return `order` as `parts` invoices: whole pieces are shared out, everything else is on the first one.

    Fewer lists than asked for come back where there is not enough to share.
    """
    invoices: list[list[Share]] = [[] for _ in range(parts)]
    company = company_of(order.header)
    for line in order.lines:
        if line["Objstate"] == "Cancelled":
            continue
        account, centre = _coding(order, line, company)
        for invoice, quantity in zip(invoices, _quantities(line["BuyQtyDue"], parts), strict=True):
            if quantity:
                invoice.append(_share(line, quantity, account, centre))
        if line["AdditionalCostAmount"]:
            invoices[0].append(_cost(line, company.codings[0], centre))
    return [shares for shares in invoices if shares]


def _quantities(due: Decimal, parts: int) -> list[Decimal]:
    each = due // parts
    # Cin7 takes no fraction below one.
    if each < 1 or due != due.to_integral_value():
        return [due, *[Decimal(0)] * (parts - 1)]
    return [due - each * (parts - 1), *[each] * (parts - 1)]


def _share(line: Row, quantity: Decimal, account: str, centre: str) -> Share:
    net = quantity * line["BuyUnitPrice"] * (_HUNDRED - line["Discount"]) / _HUNDRED
    return Share(
        description=line["Description"],
        net=rounded(net, line["CurrencyCode"]),
        tax_code=line["TaxCode"],
        account=account,
        centre=centre,
        quantity=quantity,
        part_no=line["PartNo"],
        line=(line["LineNo"], line["ReleaseNo"]),
    )


def _cost(line: Row, account: str, centre: str) -> Share:
    """Return the line's additional cost, which is invoiced beside it: no order line is named."""
    return Share(
        description="Additional cost",
        net=line["AdditionalCostAmount"],
        tax_code=line["TaxCode"],
        account=account,
        centre=centre,
        quantity=Decimal(1),
    )


def _coding(order: Order, line: Row, company: Company) -> tuple[str, str]:
    """Return account and cost centre: parts go on stock, other lines where they or their order are coded."""
    wanted = line["PreAccountingId"] or order.header["PreAccountingId"]
    found: Mapping[str, str] = next((one for one in order.codings if one["PreAccountingId"] == wanted), {})
    centre = found.get("CodenoB", company.cost_centres[0])
    return (STOCK[company.code] if line["PartNo"] else found.get("AccountNo", company.accounts[0].code)), centre


def _item(key: Mapping[str, Any], place: int, share: Share, company: Company, currency: str) -> Row:
    percent = next((tax.percent for tax in company.taxes if tax.code == share.tax_code), Decimal(0))
    line_no, release_no = share.line or (None, None)
    return {
        **key,
        "ItemId": place,
        "Description": share.description,
        "NetCurrAmount": share.net,
        "VatCurrAmount": rounded(share.net * percent / _HUNDRED, currency),
        "VatCode": share.tax_code,
        "PoRefLineNo": line_no,
        "PoRefReleaseNo": release_no,
        "Quantity": share.quantity,
        "PartNo": share.part_no,
    }


def _negative(share: Share) -> Share:
    return Share(**{**vars(share), "net": -share.net, "quantity": -share.quantity})


def _ordered_on(order: Order) -> date:
    return date.fromisoformat(str(order.header["OrderDate"])[:10])


def rows_of(invoices: Iterable[Invoice]) -> dict[str, list[Row]]:
    """Return the rows of invoices by table of IFS."""
    drawn = list(invoices)
    return {
        "ManSuppInvoiceSet": [invoice.header for invoice in drawn],
        "ManSuppInvoiceItemSet": [item for invoice in drawn for item in invoice.items],
        "ManSuppInvoicePostingsSet": [row for invoice in drawn for row in invoice.postings],
    }

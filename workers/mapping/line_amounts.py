"""What one IFS order line costs: read, checked against Cin7's limits and against IFS's own totals. Pure.

Cin7 refuses a line whose total is not price x quantity less discount, so the total is always computed from the very
numbers that are sent. A price with more than 4 places, or a discount with more than 2, is sent rounded where that
gives the same total to the smallest unit of the currency, and held where it does not.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from shared.findings import Finding
from shared.ifs.records.purchase_orders import OrderLine
from shared.money import (
    DISCOUNT_PLACES,
    PRICE_PLACES,
    QUANTITY_PLACES,
    agree,
    fits,
    line_total,
    plain,
    rounded,
    rounded_to,
    tax_on,
    tax_within,
    total_of,
    usable,
)
from workers.mapping.references import Tax
from workers.mapping.texts import invalid, shown

_ZERO = Decimal(0)
_ONE = Decimal(1)


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is quantity x price less discount."""

    quantity: Decimal = _ONE
    price: Decimal
    discount: Decimal = _ZERO
    total: Decimal


class LineAmounts(msgspec.Struct, frozen=True, kw_only=True):
    """`cost` is the additional cost beside the line, on which no discount is given; None where there is none."""

    main: Amounts
    cost: Amounts | None = None


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts with the tax on them, or within them where prices include tax."""

    amounts: Amounts
    tax: Decimal
    tax_rule: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What a line's totals are checked with."""

    name: str
    company: str
    inclusive: bool
    tolerance: Decimal


def amounts_of(line: OrderLine, name: str, company: str, currency: str, findings: list[Finding]) -> LineAmounts | None:
    """Return the numbers to send; None where `findings` has gained a reason why they cannot be sent."""
    before = len(findings)

    def refuse(field: str, value: Decimal, message: str, remedy: str) -> None:
        findings.append(
            invalid(f"{name} {field}", value, f"{name} {field} is {shown(str(value))}; {message}", remedy, company)
        )

    def number(field: str, value: Decimal | None, most: Decimal | None = None) -> Decimal:
        if value is None:
            return _ZERO
        if not usable(value):
            refuse(field, value, "that is no amount.", f"Correct {field} in IFS.")
        elif value < 0 or (most is not None and value > most):
            limits = "it must not be negative." if most is None else f"it must be between 0 and {most}."
            refuse(field, value, limits, f"Correct {field} in IFS, or key the line in Cin7 by hand.")
        else:
            return value
        return _ZERO

    quantity = number("BuyQtyDue", line.buy_qty_due)
    price = number("BuyUnitPrice", line.buy_unit_price)
    discount = number("Discount", line.discount, Decimal(100))
    cost = rounded(number("AdditionalCostAmount", line.additional_cost_amount), currency)
    if len(findings) > before:
        return None
    if quantity < _ONE or not fits(quantity, QUANTITY_PLACES):
        limits = f"Cin7 takes quantities from 1 on, with at most {QUANTITY_PLACES} places."
        refuse("BuyQtyDue", quantity, limits, "Order in a smaller unit of measure in IFS, so that the quantity fits.")
        return None
    price_sent, discount_sent = rounded_to(price, PRICE_PLACES), rounded_to(discount, DISCOUNT_PLACES)
    total = line_total(quantity, price_sent, discount_sent, currency)
    exact = line_total(quantity, price, discount, currency)
    if total != exact:
        field, value, places = (
            ("BuyUnitPrice", price, PRICE_PLACES) if price != price_sent else ("Discount", discount, DISCOUNT_PLACES)
        )
        limits = f"Cin7 takes {places} places, which would make the line {total} instead of {exact}."
        refuse(field, value, limits, "Price the line per larger unit, or round the price, in IFS.")
        return None
    main = Amounts(quantity=plain(quantity), price=plain(price_sent), discount=plain(discount_sent), total=total)
    return LineAmounts(main=main, cost=Amounts(price=plain(cost), total=cost) if cost else None)


def priced(amounts: Amounts, tax: Tax, currency: str, *, inclusive: bool) -> Priced:
    """Return the amounts with their tax, reckoned per line."""
    reckon = tax_within if inclusive else tax_on
    return Priced(amounts=amounts, tax=reckon(amounts.total, tax.percent, currency), tax_rule=tax.rule)


def check_totals(line: OrderLine, parts: Sequence[Priced], check: Check, findings: list[Finding]) -> None:
    """Add a finding for each of IFS's own totals that ours does not meet within the tolerance."""
    amount, tax = total_of(*(part.amounts.total for part in parts)), total_of(*(part.tax for part in parts))
    net = total_of(amount, -tax) if check.inclusive else amount
    gross = amount if check.inclusive else total_of(amount, tax)
    for field, theirs, ours, without in (
        ("NetAmtCurr", line.net_amt_curr, net, "without tax"),
        ("GrossAmtCurr", line.gross_amt_curr, gross, "with tax"),
    ):
        where = f"{check.name} {field}"
        if theirs is None:
            continue
        if not usable(theirs):
            message = f"{where} is {shown(str(theirs))}; that is no amount."
            findings.append(invalid(where, theirs, message, f"Correct {field} in IFS.", check.company))
        elif not agree(theirs, ours, check.tolerance):
            findings.append(
                Finding(
                    code="total.mismatch",
                    field=where,
                    value=shown(f"{theirs} / {ours}"),
                    message=f"IFS has {theirs} {without} for {check.name}; its price, discount and tax give {ours}.",
                    remedy="Correct the line in IFS, or the percentage in the table tax_codes.",
                    company=check.company,
                )
            )

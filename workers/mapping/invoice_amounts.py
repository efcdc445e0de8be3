"""Amounts of a posted invoice: read, checked against each other, and put as pieces and prices that Cin7 takes. Pure.

IFS has posted them, so its amounts are the law: nothing is recomputed, only found to agree.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from shared.findings import Finding
from shared.ifs.records.supplier_invoices import InvoiceHeader, InvoiceItem
from shared.money import (
    PRICE_PLACES,
    QUANTITY_PLACES,
    agree,
    fits,
    line_total,
    minor_units,
    plain,
    rounded_to,
    tax_on,
    total_of,
    usable,
)
from workers.mapping.references import Tax
from workers.mapping.texts import invalid, shown

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


class Pieces(msgspec.Struct, frozen=True):
    """`total` is quantity times price; `rest` is what no price of four places can express."""

    quantity: Decimal
    price: Decimal
    total: Decimal
    rest: Decimal = _ZERO


def pieces(amount: Decimal, quantity: Decimal, currency: str, *, keep_quantity: bool = False) -> Pieces:
    """Return `amount` as a quantity at a price.

    Where no price gives it to the smallest unit, it is one piece; with `keep_quantity` the quantity stays and the rest
    has to go elsewhere.
    """
    if quantity != _ONE:
        price = rounded_to(amount / quantity, PRICE_PLACES)
        total = line_total(quantity, price, _ZERO, currency)
        if total == amount or keep_quantity:
            return Pieces(plain(quantity), plain(price), total, total_of(amount, -total))
    return Pieces(_ONE, plain(amount), amount)


def quantity_of(item: InvoiceItem) -> Decimal:
    """Return the item's quantity where Cin7 takes it, else 1."""
    quantity = (item.quantity or _ONE).copy_abs()
    return quantity if usable(quantity) and quantity >= _ONE and fits(quantity, QUANTITY_PLACES) else _ONE


def check_amount(value: Decimal | None, field: str, currency: str, company: str, findings: list[Finding]) -> bool:
    """Tell whether it is an amount of the currency; None is one, of nothing."""
    if value is None or (usable(value) and fits(value, minor_units(currency))):
        return True
    message = f"{field} is {shown(str(value))}, which is no amount in {shown(currency)}."
    findings.append(invalid(field, value, message, f"Correct {field} in IFS.", company))
    return False


def check_sums(
    header: InvoiceHeader,
    nets: Sequence[Decimal],
    taxes: Sequence[Decimal],
    company: str,
    tolerance: Decimal,
    findings: list[Finding],
) -> None:
    """Add a finding for each of the header's totals that the items do not make up."""
    for field, theirs, ours in (
        ("NetCurrAmount", header.net_curr_amount, total_of(*nets)),
        ("VatCurrAmount", header.vat_curr_amount, total_of(*taxes)),
    ):
        if theirs is None or agree(theirs, ours, tolerance):
            continue
        findings.append(
            Finding(
                code="total.mismatch",
                field=field,
                value=shown(f"{theirs} / {ours}"),
                message=f"The invoice has {field} {theirs}, its items make {ours}.",
                remedy="Correct the invoice or its items in IFS.",
                company=company,
            )
        )


def check_tax(
    item: InvoiceItem, tax: Tax, currency: str, company: str, tolerance: Decimal, findings: list[Finding]
) -> Decimal:
    """Return the item's tax; add a finding where it is not what its rule gives, to one unit of the currency."""
    reckoned = tax_on(item.net_curr_amount, tax.percent, currency)
    if item.vat_curr_amount is None:
        return reckoned
    unit = _ONE.scaleb(-minor_units(currency))
    if not agree(item.vat_curr_amount, reckoned, max(tolerance, unit)):
        field = f"item {item.item_id} VatCurrAmount"
        findings.append(
            Finding(
                code="total.mismatch",
                field=field,
                value=shown(f"{item.vat_curr_amount} / {reckoned}"),
                message=f"IFS has {item.vat_curr_amount} tax on item {item.item_id}; {shown(tax.rule)} at "
                f"{tax.percent} per cent of {item.net_curr_amount} makes {reckoned}.",
                remedy="Correct the tax in IFS, or the rule or percentage in the table tax_codes.",
                company=company,
            )
        )
    return item.vat_curr_amount

"""A document that cannot be read whole as a copy of what can be made out: that it is there, and its sum. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from shared.flows import PURCHASE_ORDERS, Flow
from shared.ifs.sources import BoundSet, storable
from shared.money import line_total, total_of, usable
from shared.seeing import IfsLens
from workers.reconciling.copies import TAX, UNCODED, Copy
from workers.reconciling.sent import kind_of_bill

_DECODER: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ZERO: Final = Decimal(0)


def of_unread(raw: bytes, flow: Flow, lens: IfsLens) -> Copy:
    """Return what can be told; its amounts are on no account."""
    document = _DECODER.decode(raw)
    header = document.get("header")
    values: Mapping[str, Any] = header if isinstance(header, dict) else {}
    own = lens.bound.header
    currency = _text(values, own, "currency_code") or _text(values, own, "currency")
    states = lens.policy.states[flow.name]
    net, tax = _order(document, lens, currency) if flow is PURCHASE_ORDERS else _bill(values, own)
    amounts = {name: amount for name, amount in ((UNCODED, net), (TAX, tax)) if amount}
    return Copy(
        document="order" if flow is PURCHASE_ORDERS else kind_of_bill(credit=net < 0),
        company=_text(values, own, "company"),
        currency=currency,
        date=lens.bound.date(values),
        amounts=amounts,
        alive=not states.is_cancelled(_text(values, own, "objstate")),
        party=_text(values, own, "vendor_no") or _text(values, own, "identity"),
        number=_text(values, own, "invoice_no"),
        order=_text(values, own, "po_ref_number"),
    )


def _bill(header: Mapping[str, Any], own: BoundSet) -> tuple[Decimal, Decimal]:
    return _number(header, own, "net_curr_amount") or _ZERO, _number(header, own, "vat_curr_amount") or _ZERO


def _order(document: Mapping[str, Any], lens: IfsLens, currency: str) -> tuple[Decimal, Decimal]:
    """Return the sums of the lines that have numbers."""
    lines = next(child for child in lens.bound.children if child.name == "lines")
    rows = document.get("lines")
    nets, taxes = [], []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or _text(row, lines, "objstate").casefold() == "cancelled":
            continue
        stated, gross = _number(row, lines, "net_amt_curr"), _number(row, lines, "gross_amt_curr")
        quantity, price = _number(row, lines, "buy_qty_due"), _number(row, lines, "buy_unit_price")
        if stated is not None:
            nets.append(stated)
            taxes.append(total_of(gross, -stated) if gross is not None else _ZERO)
        elif quantity is not None and price is not None:
            nets.append(line_total(quantity, price, _number(row, lines, "discount") or _ZERO, currency))
    return total_of(*nets), total_of(*taxes)


def _text(values: Mapping[str, Any], of: BoundSet, field: str) -> str:
    value = values.get(of.properties.get(field, ""))
    return storable(value).strip() if isinstance(value, str) else ""


def _number(values: Mapping[str, Any], of: BoundSet, field: str) -> Decimal | None:
    value = values.get(of.properties.get(field, ""))
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if usable(number) else None

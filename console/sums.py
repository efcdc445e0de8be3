"""How much money causes hold, from the orders as IFS sent them. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from shared.ifs.documents import decode
from shared.ifs.records.purchase_orders import OrderDocument, OrderLine
from shared.ifs.sources import Bound
from shared.ledger.views.holds import HeldBody
from shared.money import usable

Sums = dict[str, Decimal]

_HUNDRED: Final = Decimal(100)
_CENT: Final = Decimal("0.01")


def sums_of(bodies: Iterable[HeldBody], bound: Bound) -> dict[int, Sums]:
    """Return the money of each cause by currency; an order that two causes hold counts for both.

    What cannot be decoded, or is no amount, is left out.
    """
    worth: dict[int, tuple[str, Decimal] | None] = {}
    found: dict[int, Sums] = {}
    for body in bodies:
        if body.entry_id not in worth:
            document = decode(bound, body.raw)
            worth[body.entry_id] = worth_of(document) if isinstance(document, OrderDocument) else None
        if (known := worth[body.entry_id]) is not None:
            currency, amount = known
            sums = found.setdefault(body.cause_id, {})
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return found


def worth_of(order: OrderDocument) -> tuple[str, Decimal]:
    """Return an order's currency and what its lines cost before tax."""
    return order.header.currency_code, sum((_line(line) for line in order.lines), Decimal(0)).quantize(_CENT)


def _line(line: OrderLine) -> Decimal:
    amounts = (line.net_amt_curr, line.buy_qty_due, line.buy_unit_price, line.discount, line.additional_cost_amount)
    if not all(amount is None or usable(amount) for amount in amounts):
        return Decimal(0)
    if line.net_amt_curr is not None:
        return line.net_amt_curr
    price = line.buy_unit_price * (1 - (line.discount or Decimal(0)) / _HUNDRED)
    return line.buy_qty_due * price + (line.additional_cost_amount or Decimal(0))

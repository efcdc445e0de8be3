"""Lines and charges of an order. Source: docs/apis/cin7.md#purchase-order."""

from decimal import Decimal

import msgspec


class OrderLine(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`total` is price times quantity less discount, without tax."""

    product_id: str = msgspec.field(name="ProductID")
    sku: str = msgspec.field(name="SKU")
    name: str
    quantity: Decimal
    price: Decimal
    discount: Decimal = Decimal(0)
    tax: Decimal
    tax_rule: str
    comment: str = ""
    total: Decimal


class OrderCharge(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    description: str
    reference: str = ""
    quantity: Decimal
    price: Decimal
    discount: Decimal = Decimal(0)
    tax: Decimal
    tax_rule: str
    total: Decimal

"""A supplier as Cin7 holds it. Source: docs/apis/cin7.md#supplier."""

from decimal import Decimal

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=False):
    """`type`: Billing, Business or Shipping. `country` is a name, not a code."""

    id: str | None = msgspec.field(default=None, name="ID")
    line1: str
    line2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str
    type: str
    default_for_type: bool = False


class Contact(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    id: str | None = msgspec.field(default=None, name="ID")
    name: str
    phone: str = ""
    mobile_phone: str = ""
    fax: str = ""
    email: str = ""
    website: str = ""
    comment: str = ""
    default: bool = False
    include_in_email: bool = False


class Supplier(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`attributes` holds AdditionalAttribute1..10 that we own, by number; on the wire they are flat.

    `id` and `last_modified_on` are Cin7's; they are never part of what we want.
    """

    id: str | None = msgspec.field(default=None, name="ID")
    name: str
    currency: str
    payment_term: str
    account_payable: str
    tax_rule: str
    status: str = "Active"
    discount: Decimal = Decimal(0)
    comments: str = ""
    tax_number: str = ""
    attribute_set: str = ""
    attributes: dict[int, str] = {}
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    last_modified_on: str = ""

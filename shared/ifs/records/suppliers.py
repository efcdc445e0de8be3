"""A supplier as IFS holds it: header, addresses, communication methods, terms and tax numbers per company.

Names follow docs/apis/ifs.md#suppliers; each property name is only the default of a setting.
"""

import msgspec


class SupplierHeader(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    supplier_id: str
    name: str
    association_no: str | None = None
    country: str | None = None


class Address(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    supplier_id: str
    address_id: str
    name: str | None = None
    address1: str | None = None
    address2: str | None = None
    zip_code: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    country: str | None = None


class AddressType(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`address_type_code`: Delivery, Document, Pay or Visit."""

    supplier_id: str
    address_id: str
    address_type_code: str
    def_address: bool | None = None


class CommMethod(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`method_id`: Phone, Mobile, Fax, Email or Www."""

    identity: str
    comm_id: int | None = None
    address_id: str | None = None
    method_id: str
    name: str | None = None
    value: str | None = None
    method_default: bool | None = None


class InvoiceInfo(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What one company agreed with the supplier."""

    identity: str
    company: str
    def_currency: str | None = None
    pay_term_id: str | None = None
    def_vat_code: str | None = None


class TaxInfo(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    supplier_id: str
    address_id: str | None = None
    company: str
    vat_no: str | None = None


class SupplierDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Children in the order of their keys, so that equal suppliers have equal fingerprints."""

    header: SupplierHeader
    addresses: tuple[Address, ...] = ()
    address_types: tuple[AddressType, ...] = ()
    comm_methods: tuple[CommMethod, ...] = ()
    invoice_info: tuple[InvoiceInfo, ...] = ()
    tax_info: tuple[TaxInfo, ...] = ()

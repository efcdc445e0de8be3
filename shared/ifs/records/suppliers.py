"""A supplier as IFS holds it: header, addresses, communication methods, terms and tax numbers per company.

Names follow docs/apis/ifs.md#suppliers; each property name is only the default of a setting.
"""

from typing import Final

import msgspec

from shared.ifs.sources import SetSource, Source, Unit


class SupplierHeader(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`blocked` and `expires` (a date) are properties that the settings name, where the tenant has such."""

    supplier_id: str
    name: str
    association_no: str | None = None
    country: str | None = None
    blocked: bool | None = None
    expires: str | None = None


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


class PaymentInfo(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """That one company may pay the supplier."""

    identity: str
    company: str


class PurchaseInfo(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """That the supplier may be bought from."""

    vendor_no: str
    currency_code: str | None = None


class SupplierDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Children in the order of their keys, so that equal suppliers have equal fingerprints."""

    header: SupplierHeader
    addresses: tuple[Address, ...] = ()
    address_types: tuple[AddressType, ...] = ()
    comm_methods: tuple[CommMethod, ...] = ()
    invoice_info: tuple[InvoiceInfo, ...] = ()
    tax_info: tuple[TaxInfo, ...] = ()


#: Services, sets and paths: docs/apis/ifs.md#suppliers. Logical units: docs/apis/ifs.md#changes.
SOURCE: Final = Source(
    flow="suppliers",
    document=SupplierDocument,
    header=SetSource(
        name="header",
        service="SupplierHandling",
        entity_set="SupplierInfoGeneralSet",
        shape=SupplierHeader,
        key=("supplier_id",),
        row_key=("supplier_id",),
        unnamed=("blocked", "expires"),
    ),
    children=(
        SetSource(
            name="addresses",
            service="SupplierInfoAddressEntity",
            entity_set="SupplierInfoAddressSet",
            shape=Address,
            key=("supplier_id", "address_id"),
            parent="supplier_id",
            nested="SupplierInfoAddresses",
            row_key=("supplier_id", "address_id"),
        ),
        SetSource(
            name="address_types",
            service="SupplierInfoAddressTypeEntity",
            entity_set="SupplierInfoAddressTypeSet",
            shape=AddressType,
            key=("supplier_id", "address_id", "address_type_code"),
            order=("supplier_id", "address_id"),
            parent="supplier_id",
            nested="AddressTypes",
            below="addresses",
            row_key=("supplier_id", "address_id", "address_type_code"),
            enums=(("address_type_code", "AddressTypeCode"),),
        ),
        SetSource(
            name="comm_methods",
            service="CommMethodEntity",
            entity_set="CommMethodSet",
            shape=CommMethod,
            # The number alone would do, but a tenant may not show it.
            key=("identity", "comm_id", "address_id", "method_id", "name", "value"),
            order=("identity",),
            parent="supplier_id",
            party=True,
            nested="AddressCommunicationMethods",
            below="addresses",
            row_key=("party_type", "identity", "comm_id"),
        ),
        SetSource(
            name="invoice_info",
            service="IdentityInvoiceInfoEntity",
            entity_set="IdentityInvoiceInfoSet",
            shape=InvoiceInfo,
            key=("identity", "company"),
            parent="supplier_id",
            party=True,
            nested="SupplierInvoiceCompanies",
            row_key=("company", "identity", "party_type"),
        ),
        SetSource(
            name="tax_info",
            service="SupplierDocumentTaxInfoEntity",
            entity_set="SupplierDocumentTaxInfoSet",
            shape=TaxInfo,
            key=("supplier_id", "address_id", "company"),
            order=("supplier_id", "company"),
            parent="supplier_id",
            # Unconfirmed: no source shows this path; it follows the naming of its neighbours.
            nested="SupplierDocumentTaxInfoArray",
            below="addresses",
            row_key=("supplier_id", "address_id", "company"),
        ),
    ),
    units=(
        Unit("SupplierInfo", "SUPPLIER_ID"),
        Unit("SupplierInfoGeneral", "SUPPLIER_ID"),
        Unit("SupplierInfoAddress", "SUPPLIER_ID"),
        Unit("SupplierInfoAddressType", "SUPPLIER_ID"),
        Unit("SupplierDocumentTaxInfo", "SUPPLIER_ID"),
        Unit("CommMethod", "IDENTITY"),
        Unit("IdentityInvoiceInfo", "IDENTITY"),
    ),
    further=(
        SetSource(
            name="payment_info",
            service="IdentityPayInfoEntity",
            entity_set="IdentityPayInfoSet",
            shape=PaymentInfo,
            key=("identity", "company"),
            parent="supplier_id",
            party=True,
            nested="SupplierPayments",
            row_key=("company", "identity", "party_type"),
        ),
        SetSource(
            name="purchase_info",
            service="SupplierEntity",
            entity_set="SupplierSet",
            shape=PurchaseInfo,
            key=("vendor_no",),
            parent="supplier_id",
            nested="SupplierPurchases",
            row_key=("vendor_no",),
        ),
    ),
    expiry="expires",
)

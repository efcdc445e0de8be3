"""Which services exist, and which sets and nested paths each of them serves. Source: docs/apis/ifs.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, kw_only=True)
class EntitySet:
    """A set as one service shows it.

    Attributes:
        table: where its rows are.
        rows: which of them it shows, as (property, value) or `null` or `present`; None: all.
        luname: what its rows call themselves; empty: as the table says.
    """

    table: str
    rows: tuple[str, str] | None = None
    luname: str = ""
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Nested:
    """A path below one row, such as `SupplierInfoGeneralSet(...)/SupplierInfoAddresses`.

    Attributes:
        match: (property of the child, property of the parent) pairs that tie them.
        constant: what else a child must hold.
    """

    table: str
    match: tuple[tuple[str, str], ...]
    constant: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, str] | None = None
    luname: str = ""
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Service:
    sets: Mapping[str, EntitySet] = field(default_factory=dict)
    entity: bool = False


def _sets(*tables: str) -> dict[str, EntitySet]:
    return {table: EntitySet(table=table) for table in tables}


def _entity(table: str) -> Service:
    return Service(entity=True, sets=_sets(table))


_NOPART = ("PartNo", "null")
_PART = ("PartNo", "present")

SERVICES: Final[Mapping[str, Service]] = {
    "SupplierHandling": Service(sets=_sets("SupplierInfoGeneralSet")),
    "SuppliersHandling": Service(
        sets={"SupplierInfoGeneralSet": EntitySet(table="SupplierInfoGeneralSet", read_only=True)}
    ),
    "SupplierInfoGeneralEntity": _entity("SupplierInfoGeneralSet"),
    "SupplierInfoAddressEntity": _entity("SupplierInfoAddressSet"),
    "SupplierInfoAddressTypeEntity": _entity("SupplierInfoAddressTypeSet"),
    "CommMethodEntity": _entity("CommMethodSet"),
    "IdentityInvoiceInfoEntity": _entity("IdentityInvoiceInfoSet"),
    "SupplierDocumentTaxInfoEntity": _entity("SupplierDocumentTaxInfoSet"),
    "IdentityPayInfoEntity": _entity("IdentityPayInfoSet"),
    "SupplierEntity": _entity("SupplierSet"),
    "PurchaseOrderHandling": Service(
        sets={
            "PurchaseOrderSet": EntitySet(table="PurchaseOrderSet"),
            "PurchaseOrderLineNopartSet": EntitySet(
                table="PurchaseOrderLineSet", rows=_NOPART, luname="PurchaseOrderLineNopart"
            ),
        }
    ),
    "PurchaseOrderEntity": _entity("PurchaseOrderSet"),
    "PurchaseOrderLineEntity": _entity("PurchaseOrderLineSet"),
    "PurchaseOrderLinePartEntity": Service(
        entity=True,
        sets={
            "PurchaseOrderLinePartSet": EntitySet(
                table="PurchaseOrderLineSet", rows=_PART, luname="PurchaseOrderLinePart"
            )
        },
    ),
    "PreAccountingEntity": _entity("PreAccountingSet"),
    "ManSuppInvoiceEntity": _entity("ManSuppInvoiceSet"),
    "ManSuppInvoiceItemEntity": _entity("ManSuppInvoiceItemSet"),
    "ManSuppInvoicePostingsEntity": _entity("ManSuppInvoicePostingsSet"),
    "CompanyHandling": Service(sets=_sets("CompanySet")),
    "CompanySiteHandling": Service(sets=_sets("CompanySiteSet")),
    "AccountEntity": _entity("AccountSet"),
    "PaymentTermsHandling": Service(sets=_sets("PaymentTermSet")),
    "AccountingCodePartValueEntity": _entity("AccountingCodePartValueSet"),
    "VoucherRowsAnalysis": Service(
        sets={
            "VoucherRowSet": EntitySet(table="VoucherRowSet", read_only=True),
            "Reference_Account": EntitySet(table="AccountSet", read_only=True),
            **{
                f"Reference_Code{part}": EntitySet(
                    table="AccountingCodePartValueSet", rows=("CodePart", part), read_only=True
                )
                for part in "BCDEFGHIJ"
            },
        }
    ),
    "VouchersAnalysis": Service(sets={"VoucherSet": EntitySet(table="VoucherSet", read_only=True)}),
    "VoucherEntity": _entity("VoucherSet"),
    "GLVoucherRowsAnalysis": Service(
        sets={"GenLedVoucherRowSet": EntitySet(table="GenLedVoucherRowSet", read_only=True)}
    ),
    "HistoryLogHandling": Service(
        sets={
            "HistoryLogOverviewSet": EntitySet(table="HistoryLogOverviewSet"),
            "HistoryLogDetailsSet": EntitySet(table="HistoryLogOverviewSet"),
        }
    ),
    "AllProjections": Service(sets=_sets("Projections")),
}

_BY_SUPPLIER = (("SupplierId", "SupplierId"),)
_BY_IDENTITY = (("Identity", "SupplierId"),)
_BY_ADDRESS = (("SupplierId", "SupplierId"), ("AddressId", "AddressId"))
_SUPPLIER_PARTY = (("PartyType", "Supplier"),)
_BY_ORDER = (("OrderNo", "OrderNo"),)

#: By table of the parent. Only projections serve nested paths; entity services are flat.
NESTED: Final[Mapping[str, Mapping[str, Nested]]] = {
    "SupplierInfoGeneralSet": {
        "SupplierInfoAddresses": Nested(table="SupplierInfoAddressSet", match=_BY_SUPPLIER),
        "SupplierInvoiceCompanies": Nested(
            table="IdentityInvoiceInfoSet", match=_BY_IDENTITY, constant=_SUPPLIER_PARTY
        ),
        "SupplierPayments": Nested(table="IdentityPayInfoSet", match=_BY_IDENTITY, constant=_SUPPLIER_PARTY),
        "SupplierPurchases": Nested(table="SupplierSet", match=(("VendorNo", "SupplierId"),)),
    },
    "SupplierInfoAddressSet": {
        "AddressTypes": Nested(table="SupplierInfoAddressTypeSet", match=_BY_ADDRESS),
        "AddressCommunicationMethods": Nested(
            table="CommMethodSet",
            match=(("Identity", "SupplierId"), ("AddressId", "AddressId")),
            constant=_SUPPLIER_PARTY,
        ),
        "SupplierDocumentTaxInfoArray": Nested(table="SupplierDocumentTaxInfoSet", match=_BY_ADDRESS),
    },
    "PurchaseOrderSet": {
        "PurchaseOrderPartLinesArray": Nested(
            table="PurchaseOrderLineSet", match=_BY_ORDER, rows=_PART, luname="PurchaseOrderLinePart", read_only=True
        ),
        "PurchaseOrderNopartLinesArray": Nested(
            table="PurchaseOrderLineSet",
            match=_BY_ORDER,
            rows=_NOPART,
            luname="PurchaseOrderLineNopart",
            read_only=True,
        ),
    },
    "HistoryLogOverviewSet": {
        "HistoryLogAttributeArray": Nested(table="HistoryLogAttributeSet", match=(("LogId", "LogId"),), read_only=True),
    },
}

#: One-to-one links that $expand follows: table to (link, table it leads to, (key there, property here) pairs).
LINKS: Final[Mapping[str, Mapping[str, tuple[str, tuple[tuple[str, str], ...]]]]] = {
    "PurchaseOrderSet": {
        "VendorNoRef": ("SupplierInfoGeneralSet", (("SupplierId", "VendorNo"),)),
        "ContractRef": ("CompanySiteSet", (("Contract", "Contract"),)),
    },
    "SupplierInfoAddressSet": {"SupplierIdRef": ("SupplierInfoGeneralSet", (("SupplierId", "SupplierId"),))},
    "VoucherRowSet": {"AccountRef": ("AccountSet", (("Company", "Company"), ("Account", "Account")))},
    "AccountSet": {"CompanyRef": ("CompanySet", (("Company", "Company"),))},
}

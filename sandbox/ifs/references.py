"""Which rows a row leans on, and which lean on it: what the database checks on a write."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sandbox.ifs.answers import database_error
from sandbox.ifs.store import Store
from sandbox.ifs.tables import Key

#: Table to (properties here, table that must hold a row with that key).
_NEEDS: Final[Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]] = {
    "SupplierInfoAddressSet": ((("SupplierId",), "SupplierInfoGeneralSet"),),
    "SupplierInfoAddressTypeSet": ((("SupplierId", "AddressId"), "SupplierInfoAddressSet"),),
    "CommMethodSet": ((("Identity",), "SupplierInfoGeneralSet"), (("Identity", "AddressId"), "SupplierInfoAddressSet")),
    "IdentityInvoiceInfoSet": (
        (("Identity",), "SupplierInfoGeneralSet"),
        (("Company",), "CompanySet"),
        (("Company", "PayTermId"), "PaymentTermSet"),
    ),
    "SupplierDocumentTaxInfoSet": (
        (("SupplierId", "AddressId"), "SupplierInfoAddressSet"),
        (("Company",), "CompanySet"),
    ),
    "IdentityPayInfoSet": ((("Identity",), "SupplierInfoGeneralSet"), (("Company",), "CompanySet")),
    "SupplierSet": ((("VendorNo",), "SupplierInfoGeneralSet"),),
}
#: Table to (table, property there that holds the first key property of this one).
_HELD_BY: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "SupplierInfoGeneralSet": (
        ("PurchaseOrderSet", "VendorNo"),
        ("SupplierInfoAddressSet", "SupplierId"),
        ("IdentityInvoiceInfoSet", "Identity"),
    ),
}


#: Table to the tables that must hold a row of the same supplier first, and how each names it beside the company.
#: Source: docs/apis/ifs.md#suppliers.
_AFTER: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "IdentityPayInfoSet": (("IdentityInvoiceInfoSet", "Identity"),),
    "SupplierSet": (
        ("SupplierInfoAddressSet", "SupplierId"),
        ("IdentityInvoiceInfoSet", "Identity"),
        ("IdentityPayInfoSet", "Identity"),
    ),
}


def check_order(store: Store, table: str, values: Mapping[str, Any]) -> None:
    """Refuse a part of a supplier whose turn has not come."""
    supplier = values.get("VendorNo") or values.get("Identity")
    for other, name in _AFTER.get(table, ()):
        held = store.tables[other]
        rows = [
            dict(zip(held.kind.names, held.rows[key].values, strict=True)) for key in held.with_value(name, supplier)
        ]
        if not any(values.get("Company", row.get("Company")) == row.get("Company") for row in rows):
            raise database_error(f"The {held.kind.luname} of supplier [{supplier}] does not exist yet.", "20111")


def check_references(store: Store, table: str, values: Mapping[str, Any], given: Collection[str]) -> None:
    """Refuse a row that leans on one which does not exist; only properties that were `given` are looked at."""
    for names, needed in _NEEDS.get(table, ()):
        key = tuple(values.get(name) for name in names)
        if None in key or key in store.tables[needed].rows or not any(name in given for name in names):
            continue
        # Other parties' communication methods lean on tables that the stand-in does not have.
        if table == "CommMethodSet" and values.get("PartyType", "Supplier") != "Supplier":
            continue
        what = ", ".join(str(part) for part in key)
        raise database_error(f"The {store.tables[needed].kind.luname} [{what}] does not exist.", "20111")


def referenced_by(store: Store, table: str, key: Key) -> str:
    """Return the logical unit that keeps the row `key` from being deleted; empty: none."""
    for other, name in _HELD_BY.get(table, ()):
        if store.tables[other].count_with(name, key[:1]):
            return store.tables[other].kind.luname
    return ""

"""Row security: which rows a client's companies let it see. Source: docs/apis/ifs.md#companies."""

from collections.abc import Mapping
from typing import Final

from sandbox.ifs.shapes import Values
from sandbox.ifs.tables import Table

#: Tables whose rows belong to a company; companies, sites and suppliers themselves are seen by everyone.
_BY_COMPANY: Final = frozenset(
    {
        "IdentityInvoiceInfoSet",
        "IdentityPayInfoSet",
        "SupplierDocumentTaxInfoSet",
        "PurchaseOrderSet",
        "PreAccountingSet",
        "ManSuppInvoiceSet",
        "ManSuppInvoiceItemSet",
        "ManSuppInvoicePostingsSet",
        "VoucherSet",
        "VoucherRowSet",
        "GenLedVoucherRowSet",
        "AccountSet",
        "PaymentTermSet",
        "AccountingCodePartValueSet",
    }
)


class RowSecurity:
    """Decides for one client; `companies` None: every company is granted."""

    def __init__(self, tables: Mapping[str, Table], companies: frozenset[str] | None) -> None:
        self._tables = tables
        self._companies = companies

    def limits(self, table: str) -> bool:
        """Tell whether any row of `table` may be out of sight."""
        return self._companies is not None and (table in _BY_COMPANY or table == "PurchaseOrderLineSet")

    def sees(self, table: str, values: Values) -> bool:
        if self._companies is None:
            return True
        kind = self._tables[table].kind
        if table in _BY_COMPANY:
            company = values[kind.position["Company"]]
            if company is None and kind.has("Contract"):
                company = self._company_of_site(values[kind.position["Contract"]])
            return company is None or company in self._companies
        if table == "PurchaseOrderLineSet":
            order = self._tables["PurchaseOrderSet"].rows.get((values[kind.position["OrderNo"]],))
            return order is None or self.sees("PurchaseOrderSet", order.values)
        return True

    def _company_of_site(self, contract: str | None) -> str | None:
        sites = self._tables["CompanySiteSet"]
        site = sites.rows.get((contract,))
        return None if site is None else site.values[sites.kind.position["Company"]]

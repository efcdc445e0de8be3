"""IFS supplier to one Cin7 supplier per Cin7 account that needs it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records.suppliers import InvoiceInfo, SupplierDocument, SupplierHeader
from shared.money import CURRENCIES
from workers.mapping.accounts import payable_account_of
from workers.mapping.companies import Destination, destination_of
from workers.mapping.references import tax_of, term_of
from workers.mapping.results import SupplierWrite, SupplierWrites
from workers.mapping.supplier_entries import addresses_of, contacts_of
from workers.mapping.texts import fit_text, invalid, shown

#: Characters. Source: docs/apis/cin7.md#supplier.
NAME_MAX: Final = 256
TAX_NUMBER_MAX: Final = 50
ATTRIBUTE_MAX: Final = 256

#: Source: docs/apis/cin7.md#supplier.
ACTIVE: Final = "Active"
DEPRECATED: Final = "Deprecated"

#: What one company agreed with the supplier, and where its documents go.
Agreed = tuple[Destination, InvoiceInfo]


def map_supplier(document: SupplierDocument, rules: Rules) -> SupplierWrites | list[Finding]:
    """Return the supplier for every Cin7 account that one of its companies uses, or every reason why not.

    A company that is not mapped does not hold the supplier as long as another one is: that company's documents are
    held by themselves.
    """
    findings: list[Finding] = []
    header = document.header
    supplier_id = fit_text(header.supplier_id, "SupplierId", findings, length_max=ATTRIBUTE_MAX, required=True)
    fit_text(header.name, "Name", findings, length_max=NAME_MAX, required=True)
    fit_text(header.association_no, "AssociationNo", findings, length_max=TAX_NUMBER_MAX)
    addresses = addresses_of(document, rules.tables.countries, findings)
    contacts = contacts_of(document, findings)
    writes: list[SupplierWrite] = []
    for account, agreed in _agreed_by_account(document.invoice_info, rules, findings).items():
        # The company marked as lead, else the first by its code.
        lead = min(agreed, key=lambda one: (not one[0].company.lead, one[0].code))
        supplier = _on_terms(document, lead, rules, findings)
        if supplier:
            supplier = msgspec.structs.replace(supplier, addresses=addresses, contacts=contacts)
            silent = () if rules.supplier_status else ("status",)
            writes.append(SupplierWrite(account=account, company=lead[0].code, supplier=supplier, silent=silent))
    return findings or SupplierWrites(supplier_id=supplier_id, writes=tuple(writes))


def _agreed_by_account(
    infos: Sequence[InvoiceInfo], rules: Rules, findings: list[Finding]
) -> Mapping[str, list[Agreed]]:
    """Return what was agreed per Cin7 account, accounts and companies in order of their names."""
    if not infos:
        message = "The supplier has no invoice information in any company, so no payment term and no currency."
        remedy = "Enter the supplier's invoice information for the companies that buy from it in IFS."
        findings.append(invalid("PayTermId", "", message, remedy))
    by_account: dict[str, list[Agreed]] = {}
    unmapped: list[Finding] = []
    for info in sorted({info.company: info for info in reversed(infos)}.values(), key=lambda info: info.company):
        destination = destination_of(info.company.strip(), rules)
        if isinstance(destination, Finding):
            unmapped.append(destination)
        else:
            by_account.setdefault(destination.account, []).append((destination, info))
    if not by_account:
        findings.extend(unmapped)
    return dict(sorted(by_account.items()))


def _on_terms(document: SupplierDocument, agreed: Agreed, rules: Rules, findings: list[Finding]) -> Supplier | None:
    """Return the supplier on the terms of its lead company, without entries; None where a finding was added."""
    lead, info = agreed
    company, settings, header = lead.code, lead.settings, document.header
    currency = _currency(info, company, findings)
    term = _term(lead, info, rules, findings)
    payable = payable_account_of(lead)
    tax = tax_of(lead, (info.def_vat_code or "").strip(), rules, field="DefVatCode")
    findings.extend(found for found in (payable, tax) if isinstance(found, Finding))
    tax_number = fit_text(_vat_no(document, company), "VatNo", findings, length_max=TAX_NUMBER_MAX, company=company)
    if isinstance(payable, Finding) or isinstance(tax, Finding) or not currency or not term:
        return None
    return Supplier(
        name=header.name.strip(),
        currency=currency,
        payment_term=term,
        account_payable=payable,
        tax_rule=tax.rule,
        status=status_of(header, rules),
        tax_number=tax_number or (header.association_no or "").strip(),
        attribute_set=settings.attribute_set,
        attributes={settings.supplier_number_attribute: header.supplier_id.strip()},
    )


def status_of(header: SupplierHeader, rules: Rules) -> str:
    """Return Cin7's status: deprecated is what is blocked or has expired, in a tenant that tells."""
    expired = bool(header.expires) and str(header.expires)[:10] < rules.today
    return DEPRECATED if rules.supplier_status and (header.blocked or expired) else ACTIVE


def _currency(info: InvoiceInfo, company: str, findings: list[Finding]) -> str:
    code = (info.def_currency or "").strip()
    if code in CURRENCIES:
        return code
    message = f"{shown(code)} is no currency code." if code else f"No currency is agreed with company {company}."
    remedy = f"Correct DefCurrency in the supplier's invoice information of company {company} in IFS."
    findings.append(invalid("DefCurrency", code, message, remedy, company))
    return ""


def _term(lead: Destination, info: InvoiceInfo, rules: Rules, findings: list[Finding]) -> str:
    ifs_term = (info.pay_term_id or "").strip()
    if not ifs_term:
        message = f"No payment term is agreed with company {lead.code}."
        remedy = f"Fill in PayTermId in the supplier's invoice information of company {lead.code} in IFS."
        findings.append(invalid("PayTermId", "", message, remedy, lead.code))
        return ""
    term = term_of(lead, ifs_term, rules)
    if isinstance(term, Finding):
        findings.append(term)
        return ""
    return term


def _vat_no(document: SupplierDocument, company: str) -> str:
    """Return the first tax number registered for the company."""
    numbers = ((tax.vat_no or "").strip() for tax in document.tax_info if tax.company.strip() == company)
    return next(filter(None, numbers), "")

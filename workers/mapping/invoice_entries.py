"""Items and postings of one invoice to the entries that Cin7 gets: one for each posting that carries cost. Pure."""

from decimal import Decimal
from typing import Final

import msgspec

from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records.supplier_invoices import InvoiceDocument, InvoiceItem, InvoicePosting
from shared.money import shares, tolerance_from, total_of
from workers.mapping.accounts import cin7_code_of
from workers.mapping.companies import Destination
from workers.mapping.descriptions import description_of
from workers.mapping.invoice_amounts import check_amount, check_sums, check_tax, quantity_of
from workers.mapping.invoice_postings import Coded, Coding, account_of, coded_items
from workers.mapping.references import Tax, tax_of
from workers.mapping.results import InvoiceEntry
from workers.mapping.texts import fit_text, invalid

#: Characters. Source: docs/apis/cin7.md#invoice.
_CODE_MAX: Final = 50
_TRACE_MAX: Final = 256
_TEXT_MAX: Final = 1024
_ZERO: Final = Decimal(0)


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What the entries of one invoice share. `sign`: -1 turns the amounts of a credit note into positive ones."""

    destination: Destination
    rules: Rules
    currency: str
    marker: str
    sign: int

    @property
    def company(self) -> str:
        return self.destination.code

    @property
    def tolerance(self) -> Decimal:
        return tolerance_from(self.rules.policy.total_tolerance)


def entries_of(document: InvoiceDocument, bill: Bill, findings: list[Finding]) -> tuple[InvoiceEntry, ...]:
    """Return the entries, in IFS's order; none where `findings` has gained a reason why there are none.

    An invoice without items is one item, of its totals. Items of nothing are left out.
    """
    before = len(findings)
    items = document.items or (_whole(document),)
    _check_amounts(document, items, bill, findings)
    if len(findings) > before:
        return ()
    taxes = [_tax_of(item, bill, findings) for item in items]
    if None not in taxes:
        nets = [item.net_curr_amount for item in items]
        amounts = [amount for _, amount in filter(None, taxes)]
        check_sums(document.header, nets, amounts, bill.company, bill.tolerance, findings)
    coding = Coding(
        bill.destination, bill.rules.tables.accounts, bill.rules.policy.ignored_posting_types, bill.tolerance
    )
    found = coded_items(items, document.postings, coding, findings)
    entries = [
        entry
        for coded, tax in zip(found, taxes, strict=True)
        for entry in _entries(coded, tax or (Tax("", _ZERO), _ZERO), bill, findings)
    ]
    if not entries and len(findings) == before:
        message = "The invoice has no item with an amount."
        findings.append(
            invalid("NetCurrAmount", "", message, "Add an item or cancel the invoice in IFS.", bill.company)
        )
    return () if len(findings) > before else tuple(entries)


def _whole(document: InvoiceDocument) -> InvoiceItem:
    header = document.header
    return InvoiceItem(
        company=header.company,
        invoice_id=header.invoice_id,
        item_id=0,
        net_curr_amount=header.net_curr_amount,
        vat_curr_amount=header.vat_curr_amount,
    )


def _check_amounts(
    document: InvoiceDocument, items: tuple[InvoiceItem, ...], bill: Bill, findings: list[Finding]
) -> None:
    header = document.header
    amounts = [("NetCurrAmount", header.net_curr_amount), ("VatCurrAmount", header.vat_curr_amount)]
    for item in items if document.items else ():
        amounts.append((f"item {item.item_id} NetCurrAmount", item.net_curr_amount))
        amounts.append((f"item {item.item_id} VatCurrAmount", item.vat_curr_amount))
    amounts += [(f"posting {posting.row_id} CurrAmount", posting.curr_amount) for posting in document.postings]
    for field, value in amounts:
        check_amount(value, field, bill.currency, bill.company, findings)


def _tax_of(item: InvoiceItem, bill: Bill, findings: list[Finding]) -> tuple[Tax, Decimal] | None:
    """Return the item's tax rule and its tax; None where `findings` has gained a reason why it has none."""
    code = (item.vat_code or "").strip()
    tax = tax_of(bill.destination, code, bill.rules, field=f"item {item.item_id} VatCode")
    if isinstance(tax, Finding):
        findings.append(tax)
        return None
    return tax, check_tax(item, tax, bill.currency, bill.company, bill.tolerance, findings)


def _entries(coded: Coded, tax: tuple[Tax, Decimal], bill: Bill, findings: list[Finding]) -> list[InvoiceEntry]:
    """Return one entry for each posting of an item; without any, the one whose account is missing."""
    item = coded.item
    rule, tax_amount = tax
    if not item.net_curr_amount and not tax_amount:
        return []
    name = f"item {item.item_id}" if item.item_id else "invoice"
    postings = coded.postings
    nets = [posting.curr_amount or _ZERO for posting in postings] or [item.net_curr_amount]
    # What the tolerance lets pass between an item and its postings goes to the last of them.
    nets[-1] = total_of(nets[-1], item.net_curr_amount, *(-net for net in nets))
    text = fit_text(item.description, f"{name} Description", findings, length_max=_TEXT_MAX, company=bill.company)
    text = text or (item.part_no or "").strip() or name.capitalize()
    description = description_of(text, name, bill.destination, findings)
    quantity = quantity_of(item) if len(nets) == 1 else Decimal(1)
    made = []
    for place, (net, share) in enumerate(zip(nets, shares(tax_amount, nets, bill.currency), strict=True)):
        number = f"{item.item_id}.{place + 1}" if len(nets) > 1 else f"{item.item_id}"
        account, code, centre = _account(postings[place] if postings else None, item, bill, findings)
        trace = _trace((f"{bill.marker}/{number}", account, centre), name, bill, findings)
        made.append(
            InvoiceEntry(
                item=number,
                trace=trace,
                po_line=_po_line(item, bill, findings),
                description=description,
                quantity=quantity,
                net=net * bill.sign,
                tax=share * bill.sign,
                tax_rule=rule.rule,
                account=account,
                cin7_code=code,
                cost_centre=centre,
            )
        )
    return made


def _account(
    posting: InvoicePosting | None, item: InvoiceItem, bill: Bill, findings: list[Finding]
) -> tuple[str, str, str]:
    """Return account, Cin7 code and cost centre; the code is empty where `findings` has gained the reason."""
    company = bill.company
    if posting is None:
        # A finding says already why the postings are in doubt, if they are.
        field = f"item {item.item_id} CodeA"
        if not any(finding.field.startswith(f"item {item.item_id} C") for finding in findings):
            missing = cin7_code_of(bill.destination, "", bill.rules, field=field)
            findings.extend([missing] if isinstance(missing, Finding) else [])
        return "", "", ""
    name = f"posting {posting.row_id}"
    part = bill.rules.policy.cost_centre
    value: str | None = getattr(posting, f"code_{part.lower()}")
    centre = fit_text(value, f"{name} Code{part}", findings, length_max=_CODE_MAX, company=company)
    account = fit_text(account_of(posting), f"{name} CodeA", findings, length_max=_CODE_MAX, company=company)
    code = cin7_code_of(bill.destination, account, bill.rules, field=f"{name} CodeA")
    if isinstance(code, Finding):
        findings.append(code)
        return account, "", centre
    return account, code, centre


def _po_line(item: InvoiceItem, bill: Bill, findings: list[Finding]) -> str:
    parts = ((item.po_ref_line_no or "").strip(), (item.po_ref_release_no or "").strip())
    if not all(parts):
        return ""
    field = f"item {item.item_id} PoRefLineNo"
    return fit_text("/".join(parts), field, findings, length_max=_CODE_MAX, company=bill.company)


def _trace(parts: tuple[str, ...], name: str, bill: Bill, findings: list[Finding]) -> str:
    text = " ".join(part for part in parts if part)
    return fit_text(text, f"{name} trace", findings, length_max=_TRACE_MAX, company=bill.company)

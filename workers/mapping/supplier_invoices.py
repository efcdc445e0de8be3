"""IFS supplier invoice to a Cin7 invoice or credit note. Pure: the same document and rules, the same answer."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from shared.cin7.records.lines import OrderCharge
from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records.supplier_invoices import InvoiceDocument, InvoiceHeader
from shared.money import CURRENCIES, rate_of, total_of, usable
from workers.mapping.companies import Destination, destination_of
from workers.mapping.invoice_amounts import pieces
from workers.mapping.invoice_entries import Bill, entries_of
from workers.mapping.references import location_of, term_of
from workers.mapping.results import InvoiceEntry, InvoiceWrite, OwnPurchase
from workers.mapping.texts import fit_text, invalid, shown

#: Characters. Source: docs/apis/cin7.md#invoice.
NUMBER_MAX: Final = 256
KEY_MAX: Final = 64
#: The additional attribute that repeats the marker, as on the purchase of an order.
MARKER_ATTRIBUTE: Final = 1

Wanted = Literal["live", "void"]


def marker_of(company: str, invoice_id: int) -> str:
    """Return the text by which a service purchase is recognised as this IFS invoice's, and its lines as its items."""
    return f"IFS INV {company}/{invoice_id}"


def map_invoice(document: InvoiceDocument, rules: Rules) -> InvoiceWrite | list[Finding]:
    """Return the invoice that Cin7 should hold for `document`, or every reason why there cannot be one."""
    findings: list[Finding] = []
    header = document.header
    company = header.company.strip()
    number = fit_text(header.invoice_no, "InvoiceNo", findings, length_max=NUMBER_MAX, company=company, required=True)
    supplier = fit_text(header.identity, "Identity", findings, length_max=KEY_MAX, company=company, required=True)
    order_key = fit_text(header.po_ref_number, "PoRefNumber", findings, length_max=KEY_MAX, company=company)
    wanted = _wanted(header, rules, findings)
    destination = destination_of(company, rules)
    if isinstance(destination, Finding):
        findings.append(destination)
        return findings
    fit_text(company, "Company", findings, length_max=KEY_MAX, company=company, required=True)
    if wanted is None:
        return findings
    sign = _sign(header)
    write = InvoiceWrite(
        key=f"{company}/{header.invoice_id}",
        company=company,
        account=destination.account,
        supplier_key=supplier,
        number=number,
        currency=shown(header.currency.strip()),
        credit=sign < 0 or _is_credit_type(header, rules),
        void=wanted == "void",
        order_key=order_key,
        credited_key=_credited(header, company) if not order_key else "",
        marker=marker_of(company, header.invoice_id),
    )
    if wanted == "void":
        return findings or write
    return _live(document, write, destination, rules, findings)


def _live(
    document: InvoiceDocument, write: InvoiceWrite, destination: Destination, rules: Rules, findings: list[Finding]
) -> InvoiceWrite | list[Finding]:
    """Return `write` with all that is sent; `findings` holds what was found before and gains the rest."""
    header = document.header
    if write.currency not in CURRENCIES:
        message = f"{write.currency!r} is no currency code." if write.currency else "The invoice names no currency."
        findings.append(invalid("Currency", write.currency, message, "Correct the currency in IFS.", write.company))
        return findings
    date = _date(header.invoice_date, "InvoiceDate", write.company, findings, required=True)
    due_date = _date(header.due_date, "DueDate", write.company, findings)
    _check_period(date, destination, findings)
    bill = Bill(destination=destination, rules=rules, currency=write.currency, marker=write.marker, sign=_sign(header))
    entries = entries_of(document, bill, findings)
    rate = _rate(header, destination, findings)
    own = None
    if write.credit and not write.order_key and not write.credited_key:
        findings.append(_homeless(header, write.company))
    elif not write.order_key and not write.credited_key:
        own = _own_purchase(header, entries, write, rate, destination, rules, findings)
    if findings:
        return findings
    net, tax = total_of(*(entry.net for entry in entries)), total_of(*(entry.tax for entry in entries))
    return msgspec.structs.replace(
        write,
        own=own,
        date=_midnight(date),
        due_date=_midnight(due_date) or None,
        rate=rate,
        entries=entries,
        net=net,
        tax=tax,
        total=total_of(net, tax),
    )


def _own_purchase(
    header: InvoiceHeader,
    entries: Sequence[InvoiceEntry],
    write: InvoiceWrite,
    rate: Decimal | None,
    destination: Destination,
    rules: Rules,
    findings: list[Finding],
) -> OwnPurchase | None:
    """Return the service purchase of an invoice without an order; None where a finding was added."""
    before = len(findings)
    location = location_of(destination, "", rules)
    ifs_term = (header.pay_term_id or "").strip()
    terms = term_of(destination, ifs_term, rules) if ifs_term else ""
    findings.extend(found for found in (location, terms) if isinstance(found, Finding))
    if len(findings) > before or isinstance(location, Finding) or isinstance(terms, Finding):
        return None
    tax_rule = destination.company.tax_rule
    return OwnPurchase(
        header=PurchaseHeader(
            approach="INVOICE",
            location=location,
            is_service_only=True,
            tax_rule=tax_rule if tax_rule in destination.reference.tax_rules else "",
            terms=terms,
            note=write.marker,
            attributes={MARKER_ATTRIBUTE: write.marker},
            currency_rate=rate,
        ),
        order=_order(entries, write),
    )


def _order(entries: Sequence[InvoiceEntry], write: InvoiceWrite) -> Order:
    """Return an order of the same charges, authorised, since Cin7 takes an invoice on nothing else."""
    charges = []
    for entry in entries:
        amounts = pieces(entry.net, entry.quantity, write.currency)
        charges.append(
            OrderCharge(
                description=entry.description,
                reference=entry.trace,
                quantity=amounts.quantity,
                price=amounts.price,
                tax=entry.tax,
                tax_rule=entry.tax_rule,
                total=amounts.total,
            )
        )
    net, tax = total_of(*(entry.net for entry in entries)), total_of(*(entry.tax for entry in entries))
    return Order(
        memo=write.marker,
        status="AUTHORISED",
        additional_charges=tuple(charges),
        total_before_tax=net,
        tax=tax,
        total=total_of(net, tax),
    )


def _wanted(header: InvoiceHeader, rules: Rules, findings: list[Finding]) -> Wanted | None:
    states = rules.policy.states["supplier_invoices"]
    if states.is_live(header.objstate):
        return "live"
    if states.is_cancelled(header.objstate):
        return "void"
    message = f"Invoice {header.invoice_id} is in state {shown(header.objstate)!r}, which no setting knows."
    remedy = "Add the state to invoice_states, invoice_cancelled_states or invoice_ignored_states in [policy]."
    findings.append(invalid("Objstate", header.objstate, message, remedy, shown(header.company)))
    return None


def _sign(header: InvoiceHeader) -> int:
    """Return -1 where the invoice's total is negative; what is no number is found out elsewhere."""
    amounts = [value for value in (header.net_curr_amount, header.vat_curr_amount) if value is not None]
    return -1 if all(map(usable, amounts)) and total_of(*amounts) < 0 else 1


def _is_credit_type(header: InvoiceHeader, rules: Rules) -> bool:
    kind = (header.invoice_type or "").strip().casefold()
    return bool(kind) and kind in {known.casefold() for known in rules.policy.credit_note_types}


def _credited(header: InvoiceHeader, company: str) -> str:
    return f"{company}/{header.credited_invoice_id}" if header.credited_invoice_id is not None else ""


def _homeless(header: InvoiceHeader, company: str) -> Finding:
    return invalid(
        "PoRefNumber",
        "",
        f"Credit note {shown(header.invoice_no)} names neither an order nor the invoice it takes back; Cin7 has credit "
        "notes only on the purchase of an invoice.",
        "Name the order on the credit note in IFS, or key it in Cin7 by hand and dismiss this entry.",
        company,
    )


def _date(
    value: str | None, field: str, company: str, findings: list[Finding], *, required: bool = False
) -> dt.date | None:
    text = (value or "").strip()
    if not text and not required:
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        message = f"{field} is {shown(text)!r}, which is no date." if text else f"{field} is empty."
        findings.append(invalid(field, text, message, f"Correct {field} in IFS.", company))
        return None


def _midnight(date: dt.date | None) -> str:
    return f"{date.isoformat()}T00:00:00" if date else ""


def _check_period(date: dt.date | None, destination: Destination, findings: list[Finding]) -> None:
    """Add a finding where the date is before the company's lock date in Cin7; a lock that is no date locks nothing."""
    try:
        lock = dt.date.fromisoformat(destination.reference.lock_date.strip()[:10])
    except ValueError:
        return
    if date is not None and date < lock:
        message = f"The invoice is dated {date}; Cin7 account {destination.account} is locked before {lock}."
        remedy = f"Move the lock date of Cin7 account {destination.account}, or date the invoice later in IFS."
        findings.append(
            destination.finding("period.locked", "InvoiceDate", lock.isoformat(), message=message, remedy=remedy)
        )


def _rate(header: InvoiceHeader, destination: Destination, findings: list[Finding]) -> Decimal | None:
    """Return what one unit of the invoice's currency is worth in the company's: CurrRate for every DivFactor units."""
    if header.curr_rate is None or header.currency.strip() == destination.reference.base_currency:
        return None
    units = header.div_factor if header.div_factor is not None else Decimal(1)
    for field, value in (("CurrRate", header.curr_rate), ("DivFactor", units)):
        if not usable(value) or value <= 0:
            message = f"{field} is {shown(str(value))}, which is no rate of exchange."
            findings.append(invalid(field, value, message, f"Correct {field} in IFS.", destination.code))
            return None
    return rate_of(header.curr_rate, units) or None

"""IFS purchase order to the Cin7 purchase and its order. Pure: the same document and rules, the same answer."""

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal

from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records.purchase_orders import OrderDocument, OrderHeader, OrderLine
from shared.money import CURRENCIES, total_of
from workers.mapping.companies import Destination, destination_of
from workers.mapping.purchase_order_lines import Context, MappedLine, map_line
from workers.mapping.references import location_of, term_of
from workers.mapping.results import PurchaseWrite
from workers.mapping.texts import fit_text, invalid, printable, shown

#: Characters. Source: docs/apis/cin7.md#purchases.
NOTE_MAX: Final = 1024
#: An order number stands in every line's comment (256) beside company, account and cost centre.
KEY_MAX: Final = 64
#: The additional attribute that repeats the marker, so that an edited note does not hide a purchase from us.
MARKER_ATTRIBUTE: Final = 1

Wanted = Literal["live", "void"]


def marker_of(company: str, order_no: str) -> str:
    """Return the text by which a purchase in Cin7 is recognised as this IFS order's."""
    return f"IFS PO {company}/{order_no}"


def map_order(document: OrderDocument, rules: Rules) -> PurchaseWrite | list[Finding]:
    """Return the purchase that Cin7 should hold for `document`, or every reason why there cannot be one."""
    findings: list[Finding] = []
    header = document.header
    fit_text(header.order_no, "OrderNo", findings, length_max=KEY_MAX, required=True)
    fit_text(header.vendor_no, "VendorNo", findings, length_max=KEY_MAX, required=True)
    wanted = _wanted(header, rules, findings)
    destination = _destination(header, rules, findings)
    if destination is None or wanted is None:
        return findings
    if wanted == "void":
        return findings or _void(header, destination)
    return _live(document, destination, rules, findings)


def _live(
    document: OrderDocument, destination: Destination, rules: Rules, findings: list[Finding]
) -> PurchaseWrite | list[Finding]:
    """Return the whole purchase; `findings` holds what was found before and gains the rest."""
    header, company = document.header, destination.code
    currency = _currency(header, company, findings)
    location = location_of(destination, (header.contract or "").strip(), rules)
    if isinstance(location, Finding):
        findings.append(location)
        location = ""
    terms = _terms(header, destination, rules, findings)
    lines = [line for line in document.lines if not _is_cancelled(line.objstate, rules)]
    if not lines:
        message = f"Order {shown(header.order_no)} has no lines that are not cancelled."
        findings.append(invalid("OrderNo", header.order_no, message, "Add a line or cancel the order in IFS.", company))
    context = Context.of(document, destination, rules, currency)
    mapped = [one for one in (map_line(line, context, findings) for line in lines) if one]
    required_by = _required_by(header, lines, company, findings)
    note = _note(header, company, findings)
    if findings:
        return findings
    marker = marker_of(company, header.order_no.strip())
    tax_rule = destination.company.tax_rule
    return PurchaseWrite(
        order_no=header.order_no.strip(),
        company=company,
        account=destination.account,
        supplier_key=header.vendor_no.strip(),
        currency=currency,
        header=PurchaseHeader(
            approach=destination.settings.approach,
            location=location,
            is_service_only=not any(one.line for one in mapped),
            tax_calculation="Inclusive" if header.use_price_incl_tax else "Exclusive",
            tax_rule=tax_rule if tax_rule in destination.reference.tax_rules else "",
            terms=terms,
            required_by=required_by,
            note=note,
            attributes={MARKER_ATTRIBUTE: marker},
        ),
        order=_order(mapped, marker, destination.settings.order_status, inclusive=bool(header.use_price_incl_tax)),
        trace=tuple(trace for one in mapped for trace in one.trace),
    )


def _order(mapped: Sequence[MappedLine], marker: str, status: str, *, inclusive: bool) -> Order:
    """Return the order with its totals; where prices include tax, the tax is taken out of the sum, not put on top."""
    lines = tuple(one.line for one in mapped if one.line)
    charges = tuple(charge for one in mapped for charge in one.charges)
    amount = total_of(*(line.total for line in lines), *(charge.total for charge in charges))
    tax = total_of(*(line.tax for line in lines), *(charge.tax for charge in charges))
    return Order(
        memo=marker,
        status=status,
        lines=lines,
        additional_charges=charges,
        total_before_tax=total_of(amount, -tax) if inclusive else amount,
        tax=tax,
        total=amount if inclusive else total_of(amount, tax),
    )


def _void(header: OrderHeader, destination: Destination) -> PurchaseWrite:
    """Return the wish to void: nothing of the order needs to be mapped for that, so nothing of it can hold it."""
    marker = marker_of(destination.code, header.order_no.strip())
    return PurchaseWrite(
        order_no=header.order_no.strip(),
        company=destination.code,
        account=destination.account,
        supplier_key=header.vendor_no.strip(),
        currency=shown(header.currency_code.strip()),
        void=True,
        header=PurchaseHeader(
            approach=destination.settings.approach,
            location=destination.company.location,
            note=marker,
            attributes={MARKER_ATTRIBUTE: marker},
        ),
        order=Order(memo=marker, status="VOIDED"),
    )


def _wanted(header: OrderHeader, rules: Rules, findings: list[Finding]) -> Wanted | None:
    states = rules.policy.states["purchase_orders"]
    if states.is_cancelled(header.objstate):
        return "void"
    # In a later state only an order comes here that was seen before it, or that was asked for.
    if states.is_live(header.objstate):
        return "live"
    message = f"Order {shown(header.order_no)} is in state {shown(header.objstate)!r}, which no setting knows."
    remedy = "Add the state to order_states, cancelled_states, ignored_states or later_states in the section [policy]."
    findings.append(invalid("Objstate", header.objstate, message, remedy, shown(header.company or "")))
    return None


def _is_cancelled(state: str | None, rules: Rules) -> bool:
    folded = (state or "").strip().casefold()
    return folded == "cancelled" or folded in {known.casefold() for known in rules.policy.cancelled_states}


def _destination(header: OrderHeader, rules: Rules, findings: list[Finding]) -> Destination | None:
    """Return where the order's company sends its documents: IFS's own word first, then that of the site."""
    site = (header.contract or "").strip()
    row = rules.tables.sites.get(site)
    company = (header.company or "").strip() or (row.company if row else "") or rules.ifs_sites.get(site, "")
    if not company:
        findings.append(
            Finding(
                code="site.unmapped",
                field="Contract",
                value=shown(site),
                message=f"Order {shown(header.order_no)} names no company and its site {shown(site)!r} has none.",
                remedy=f"Add site {shown(site)} with its company to the table sites.",
            )
        )
        return None
    destination = destination_of(company, rules)
    if isinstance(destination, Finding):
        findings.append(destination)
        return None
    return destination


def _currency(header: OrderHeader, company: str, findings: list[Finding]) -> str:
    code = header.currency_code.strip()
    if code not in CURRENCIES:
        message = f"{shown(code)!r} is no currency code." if code else "The order names no currency."
        findings.append(invalid("CurrencyCode", code, message, "Correct the order's currency in IFS.", company))
    return code


def _terms(header: OrderHeader, destination: Destination, rules: Rules, findings: list[Finding]) -> str:
    """Return the Cin7 term; empty where the order names none, so that Cin7 takes the supplier's."""
    ifs_term = (header.pay_term_id or "").strip()
    if not ifs_term:
        return ""
    term = term_of(destination, ifs_term, rules)
    if isinstance(term, Finding):
        findings.append(term)
        return ""
    return term


def _note(header: OrderHeader, company: str, findings: list[Finding]) -> str:
    """Return the marker, then IFS's own note; a note too long for Cin7 ends in a visible mark."""
    marker = marker_of(company, header.order_no.strip())
    text = (header.note_text or "").strip()
    if not printable(text, lines=True):
        message = f"NoteText contains control characters: {shown(text)}."
        findings.append(invalid("NoteText", text, message, "Remove them from the order's note in IFS.", company))
    note = f"{marker}\n{text}" if text else marker
    return note if len(note) <= NOTE_MAX else note[: NOTE_MAX - 2] + " …"


def _required_by(header: OrderHeader, lines: Sequence[OrderLine], company: str, findings: list[Finding]) -> str | None:
    """Return the earliest date on which something is due, as midnight; Cin7 has one date for the whole purchase."""
    named = [
        (f"line {line.line_no}/{line.release_no} PlannedReceiptDate", line.planned_receipt_date)
        if line.planned_receipt_date
        else (f"line {line.line_no}/{line.release_no} WantedDeliveryDate", line.wanted_delivery_date)
        for line in lines
    ]
    if not any(value for _, value in named):
        named = [("WantedReceiptDate", header.wanted_receipt_date)]
    dates: list[dt.date] = []
    for field, value in named:
        if not value:
            continue
        try:
            dates.append(dt.date.fromisoformat(value.strip()[:10]))
        except ValueError:
            message = f"{shown(field)} is {shown(value)!r}, which is no date."
            findings.append(invalid(shown(field), value, message, "Correct the date in IFS.", company))
    return f"{min(dates).isoformat()}T00:00:00" if dates else None

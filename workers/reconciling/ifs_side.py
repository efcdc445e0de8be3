"""A document of IFS as a copy: by today's mapping where it can be mapped, else by a plain reading of its rows. Pure.

The plain reading never fails: what is held for a missing account still has an amount, and the month has to show it.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared.config.rules import Rules
from shared.flows import PURCHASE_ORDERS, Flow
from shared.ifs.documents import decode
from shared.ifs.records.purchase_orders import CodeParts, OrderDocument, OrderLine
from shared.ifs.records.supplier_invoices import InvoiceDocument, InvoiceHeader
from shared.ifs.sources import storable
from shared.money import line_total, rounded, total_of, usable
from shared.pulled import RawDocument
from shared.seeing import IfsLens, header_values
from workers.holding import bug_finding
from workers.mapping.actors import MAPPINGS, Result
from workers.mapping.invoice_postings import account_of
from workers.mapping.results import InvoiceWrite, PurchaseWrite
from workers.reconciling import sent
from workers.reconciling.copies import ROUNDING, TAX, UNCODED, Copy, IfsCopy, LeftAlone
from workers.reconciling.unread import of_unread

Values = Mapping[str, object]
_ZERO: Final = Decimal(0)


def copy_of(document: RawDocument, flow: Flow, lens: IfsLens, rules: Rules) -> IfsCopy:
    """Return IFS's copy of a raw document.

    Args:
        lens: with the start of go-live, so that it tells what is left alone.
    """
    header = header_values(document.raw)
    decoded = decode(lens.bound, document.raw)
    seen = lens.seen(document, again=True)
    mapped = decoded if isinstance(decoded, list) else _result(flow, decoded, rules)
    if isinstance(mapped, list):
        copy = of_unread(document.raw, flow, lens) if isinstance(decoded, list) else _plain(decoded, rules)
        faults = tuple(finding.message for finding in mapped)
    else:
        copy, faults = _mapped(mapped, decoded, lens.bound.date(header)), ()
    left_alone, why_left = _left_alone(lens, header)
    return IfsCopy(
        **msgspec.structs.asdict(copy),
        fingerprint=seen.fingerprint,
        state=_text(header, lens, "objstate"),
        left_alone=left_alone,
        why_left=why_left,
        faults=faults,
    )


def _result(flow: Flow, decoded: Any, rules: Rules) -> Result:  # noqa: ANN401 - as decode says
    try:
        return MAPPINGS[flow](decoded, rules)
    except Exception as bug:  # noqa: BLE001 - it holds the document, and must not hide the rest of the month.
        return [bug_finding(bug)]


def _left_alone(lens: IfsLens, header: Values) -> tuple[LeftAlone, str]:
    why = lens.skip(header)
    if not why:
        return "", ""
    return ("before-start" if lens.is_before_start(header) else "left-alone"), why


def _mapped(write: msgspec.Struct, decoded: Any, date: str) -> Copy:  # noqa: ANN401 - as decode says
    if isinstance(write, PurchaseWrite):
        return sent.of_purchase(write, date)
    assert isinstance(write, InvoiceWrite)  # noqa: S101 - there are no other documents
    copy = msgspec.structs.replace(sent.of_invoice(write), date=date)
    return _by_its_own_sums(copy, decoded.header) if copy.alive else copy


def _by_its_own_sums(copy: Copy, header: InvoiceHeader) -> Copy:
    """Return the copy with the sums that the header itself states: nothing can get lost on the way to its accounts."""
    sign = -1 if copy.document == "credit_note" and _gross(header) > 0 else 1
    amounts = dict(copy.amounts)
    net = total_of(*(value for name, value in amounts.items() if name != TAX))
    if rest := total_of(header.net_curr_amount * sign, -net):
        amounts[ROUNDING] = rest
    if header.vat_curr_amount is not None:
        amounts[TAX] = header.vat_curr_amount * sign
        if not amounts[TAX]:
            del amounts[TAX]
    return msgspec.structs.replace(copy, amounts=amounts)


def _plain(decoded: Any, rules: Rules) -> Copy:  # noqa: ANN401 - as decode says
    if isinstance(decoded, OrderDocument):
        return _plain_order(decoded, rules)
    assert isinstance(decoded, InvoiceDocument)  # noqa: S101 - there are no other documents
    return _plain_invoice(decoded, rules)


def _text(header: Values, lens: IfsLens, field: str) -> str:
    value = lens.bound.value(header, field)
    return storable(value).strip() if isinstance(value, str) else ""


def company_of_order(document: OrderDocument, rules: Rules) -> str:
    """Return the company of an order: its own word, else its site's."""
    header = document.header
    site = (header.contract or "").strip()
    row = rules.tables.sites.get(site)
    return (header.company or "").strip() or (row.company if row else "") or rules.ifs_sites.get(site, "")


def _plain_order(document: OrderDocument, rules: Rules) -> Copy:
    header, company = document.header, company_of_order(document, rules)
    codings = {parts.pre_accounting_id: parts for parts in document.code_parts}
    lines = [line for line in document.lines if (line.objstate or "").strip().casefold() != "cancelled"]
    amounts = sent.summed(
        (_code(_account(line, codings, header.pre_accounting_id), company, rules), _net(line, header.currency_code))
        for line in lines
    )
    tax = total_of(*(_tax(line) for line in lines))
    if tax:
        amounts[TAX] = tax
    return Copy(
        document="order",
        company=company,
        currency=header.currency_code.strip(),
        date=(header.order_date or "")[:10],
        amounts=amounts,
        rows=max(1, len(lines)),
        alive=not rules.policy.states[PURCHASE_ORDERS.name].is_cancelled(header.objstate),
        place=_place(company, rules),
        party=header.vendor_no.strip(),
    )


def _account(line: OrderLine, codings: dict[int, CodeParts], of_header: int | None) -> str:
    wanted = (line.pre_accounting_id, *(() if (line.part_no or "").strip() else (of_header,)))
    found = (codings[number] for number in wanted if number is not None and number in codings)
    return next(filter(None, ((parts.account_no or "").strip() for parts in found)), UNCODED)


def _net(line: OrderLine, currency: str) -> Decimal:
    if line.net_amt_curr is not None and usable(line.net_amt_curr):
        return line.net_amt_curr
    numbers = (line.buy_qty_due, line.buy_unit_price, line.discount or _ZERO, line.additional_cost_amount or _ZERO)
    if not all(map(usable, numbers)):
        return _ZERO
    goods = line_total(numbers[0], numbers[1], numbers[2], currency.strip())
    return total_of(goods, rounded(numbers[3], currency.strip()))


def _tax(line: OrderLine) -> Decimal:
    """Return the tax of a line where IFS states both its sums; it cannot be told otherwise."""
    net, gross = line.net_amt_curr, line.gross_amt_curr
    if net is None or gross is None or not usable(net) or not usable(gross):
        return _ZERO
    return total_of(gross, -net)


def _plain_invoice(document: InvoiceDocument, rules: Rules) -> Copy:
    header, company = document.header, document.header.company.strip()
    states = rules.policy.states["supplier_invoices"]
    kinds = {known.casefold() for known in rules.policy.credit_note_types}
    credit = _gross(header) < 0 or (header.invoice_type or "").strip().casefold() in kinds
    sign = -1 if credit and _gross(header) > 0 else 1
    amounts = sent.summed(_posted(document, company, rules))
    amounts = {name: value * sign for name, value in amounts.items()}
    net = header.net_curr_amount * sign if usable(header.net_curr_amount) else _ZERO
    # What its postings leave open is on no account; a payable or a tax among them shows up here, too.
    if rest := total_of(net, *(-value for value in amounts.values())):
        amounts[UNCODED] = total_of(amounts.get(UNCODED, _ZERO), rest)
    if header.vat_curr_amount is not None and usable(header.vat_curr_amount) and header.vat_curr_amount:
        amounts[TAX] = header.vat_curr_amount * sign
    return Copy(
        document=sent.kind_of_bill(credit=credit),
        company=company,
        currency=header.currency.strip(),
        date=(header.invoice_date or "")[:10],
        amounts=amounts,
        rows=max(1, len(document.items)),
        alive=not states.is_cancelled(header.objstate),
        place=_place(company, rules),
        party=header.identity.strip(),
        number=header.invoice_no.strip(),
        order=(header.po_ref_number or "").strip(),
    )


def _gross(header: InvoiceHeader) -> Decimal:
    parts = [value for value in (header.net_curr_amount, header.vat_curr_amount) if value is not None and usable(value)]
    return total_of(*parts)


def _posted(document: InvoiceDocument, company: str, rules: Rules) -> Iterable[tuple[str, Decimal]]:
    ignored = {kind.casefold() for kind in rules.policy.ignored_posting_types}
    row = rules.tables.companies.get(company)
    chart = rules.reference[row.cin7_account].accounts if row and row.cin7_account in rules.reference else {}
    for posting in document.postings:
        amount = posting.curr_amount
        if amount is None or not usable(amount) or (posting.posting_type or "").strip().casefold() in ignored:
            continue
        code = _code(account_of(posting), company, rules)
        if code not in chart or not chart[code].payable:
            yield code, amount


def _code(account: str, company: str, rules: Rules) -> str:
    return rules.tables.accounts.get((company, account), account) if account else UNCODED


def _place(company: str, rules: Rules) -> str:
    row = rules.tables.companies.get(company)
    return row.cin7_account if row else ""

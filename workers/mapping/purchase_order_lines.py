"""One IFS order line to a Cin7 order line (parts) or an additional charge (GL-coded lines). Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from shared.cin7.records.lines import OrderCharge
from shared.cin7.records.lines import OrderLine as Cin7Line
from shared.config.rules import Product, Rules
from shared.findings import Finding
from shared.ifs.records.purchase_orders import CodeParts, OrderDocument, OrderLine
from shared.money import tolerance_from
from workers.mapping.accounts import cin7_code_of
from workers.mapping.companies import Destination
from workers.mapping.descriptions import DESCRIPTION_MAX, description_of
from workers.mapping.line_amounts import Check, Priced, amounts_of, check_totals, priced
from workers.mapping.references import tax_of
from workers.mapping.results import Kind, LineTrace
from workers.mapping.texts import fit_text, invalid, shown

#: Characters. Source: docs/apis/cin7.md#order.
NAME_MAX: Final = 1024
COMMENT_MAX: Final = 256
CODE_MAX: Final = 50


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines of one order share."""

    destination: Destination
    rules: Rules
    order_no: str
    currency: str
    inclusive: bool
    tolerance: Decimal
    header_coding: CodeParts | None
    codings: Mapping[int, CodeParts]

    @classmethod
    def of(cls, document: OrderDocument, destination: Destination, rules: Rules, currency: str) -> "Context":
        codings = {parts.pre_accounting_id: parts for parts in document.code_parts}
        header = document.header
        return cls(
            destination=destination,
            rules=rules,
            order_no=header.order_no.strip(),
            currency=currency,
            inclusive=bool(header.use_price_incl_tax),
            tolerance=tolerance_from(rules.policy.total_tolerance),
            header_coding=codings.get(header.pre_accounting_id) if header.pre_accounting_id is not None else None,
            codings=codings,
        )


class MappedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one IFS line becomes: a line or a charge, and a further charge for its additional cost."""

    line: Cin7Line | None = None
    charges: tuple[OrderCharge, ...] = ()
    trace: tuple[LineTrace, ...] = ()


class _Coding(msgspec.Struct, frozen=True):
    """The account as IFS has it and as Cin7 has it; both empty on a part line without coding."""

    account: str = ""
    cin7_code: str = ""
    cost_centre: str = ""


def map_line(line: OrderLine, context: Context, findings: list[Finding]) -> MappedLine | None:
    """Return the line for Cin7; None where `findings` has gained a reason why there is none."""
    before = len(findings)
    key = f"{line.line_no.strip()}/{line.release_no.strip()}"
    name = shown(f"line {key}")
    company = context.destination.code
    fit_text(key, f"{name} LineNo", findings, length_max=CODE_MAX, company=company)
    _check_currency(line, name, context, findings)
    part_no = (line.part_no or "").strip()
    product = _product(part_no, name, context, findings) if part_no else None
    coding = _coding(line, name, context, findings, required=not part_no)
    tax = tax_of(context.destination, (line.tax_code or "").strip(), context.rules, field=f"{name} TaxCode")
    if isinstance(tax, Finding):
        findings.append(tax)
    text = fit_text(line.description, f"{name} Description", findings, length_max=NAME_MAX, company=company)
    reference = _reference(key, name, coding, context, findings)
    description = "" if part_no else description_of(text or f"Line {key}", name, context.destination, findings)
    amounts = amounts_of(line, name, company, context.currency, findings)
    if amounts is None or isinstance(tax, Finding):
        return None
    main = priced(amounts.main, tax, context.currency, inclusive=context.inclusive)
    cost = priced(amounts.cost, tax, context.currency, inclusive=context.inclusive) if amounts.cost else None
    check = Check(name=name, company=company, inclusive=context.inclusive, tolerance=context.tolerance)
    check_totals(line, [part for part in (main, cost) if part], check, findings)
    if len(findings) > before:
        return None
    kind: Kind = "part" if product else "gl"
    return MappedLine(
        line=_line(product, text, reference, main) if product else None,
        charges=(
            *([] if product else [_charge(description, reference, main)]),
            *([_charge(_cost_text(text), reference, cost)] if cost else []),
        ),
        trace=(
            _trace(kind, key, coding=coding, text=text, charged=main, company=company),
            *([_trace("cost", key, coding=coding, text=text, charged=cost, company=company)] if cost else []),
        ),
    )


def _line(product: Product, text: str, comment: str, main: Priced) -> Cin7Line:
    return Cin7Line(
        product_id=product.product_id,
        sku=product.sku,
        name=text or product.name,
        quantity=main.amounts.quantity,
        price=main.amounts.price,
        discount=main.amounts.discount,
        tax=main.tax,
        tax_rule=main.tax_rule,
        comment=comment,
        total=main.amounts.total,
    )


def _charge(description: str, reference: str, charged: Priced) -> OrderCharge:
    return OrderCharge(
        description=description,
        reference=reference,
        quantity=charged.amounts.quantity,
        price=charged.amounts.price,
        discount=charged.amounts.discount,
        tax=charged.tax,
        tax_rule=charged.tax_rule,
        total=charged.amounts.total,
    )


def _cost_text(text: str) -> str:
    """Return the description of a line's additional cost, a charge because a Cin7 line's total has no room for it."""
    named = f"Additional cost: {text}"
    return named if text and len(named) <= DESCRIPTION_MAX else "Additional cost"


def _trace(kind: Kind, key: str, *, coding: _Coding, text: str, charged: Priced, company: str) -> LineTrace:
    return LineTrace(
        line=key,
        kind=kind,
        company=company,
        account=coding.account,
        cin7_code=coding.cin7_code,
        cost_centre=coding.cost_centre,
        text=text,
        tax_rule=charged.tax_rule,
        amount=charged.amounts.total,
        tax=charged.tax,
    )


def _check_currency(line: OrderLine, name: str, context: Context, findings: list[Finding]) -> None:
    currency = (line.currency_code or "").strip()
    if currency and currency != context.currency:
        message = f"{name} is in {shown(currency)}, its order in {shown(context.currency)}."
        remedy = "Give the line the currency of its order in IFS."
        findings.append(invalid(f"{name} CurrencyCode", currency, message, remedy, context.destination.code))


def _product(part_no: str, name: str, context: Context, findings: list[Finding]) -> Product | None:
    """Return the Cin7 product of a part: by the table, else the one whose SKU is the part number."""
    sku = context.rules.tables.products.get(part_no) or part_no
    destination = context.destination
    product = destination.reference.products.get(sku)
    if product is not None and product.active:
        return product
    lack = "does not have" if product is None else "has only as deprecated"
    findings.append(
        destination.finding(
            "product.missing",
            f"{name} PartNo",
            sku,
            message=f"{name} orders part {shown(part_no)}, SKU {shown(sku)}, which Cin7 account "
            f"{destination.account} {lack}.",
            remedy=f"Add or activate SKU {shown(sku)} in Cin7, or name another for the part in the table products.",
        )
    )
    return None


def _coding(line: OrderLine, name: str, context: Context, findings: list[Finding], *, required: bool) -> _Coding:
    """Return the line's account and cost centre, checked against the chart.

    A line without a part takes what its own coding leaves open from the header's; a part line has its own or none.
    """
    own = context.codings.get(line.pre_accounting_id) if line.pre_accounting_id is not None else None
    sources = [parts for parts in (own, context.header_coding if required else None) if parts]
    company = context.destination.code
    account = next(filter(None, ((parts.account_no or "").strip() for parts in sources)), "")
    part = context.rules.policy.cost_centre
    centre = next(filter(None, (_code_part(parts, part) for parts in sources)), "")
    centre = fit_text(centre, f"{name} Codeno{part}", findings, length_max=CODE_MAX, company=company)
    if not account and not required:
        return _Coding("", "", centre)
    account = fit_text(account, f"{name} AccountNo", findings, length_max=CODE_MAX, company=company)
    code = cin7_code_of(context.destination, account, context.rules, field=f"{name} AccountNo")
    if isinstance(code, Finding):
        findings.append(code)
        return _Coding(account, "", centre)
    return _Coding(account, code, centre)


def _code_part(parts: CodeParts, letter: str) -> str:
    value: str | None = getattr(parts, f"codeno_{letter.lower()}")
    return (value or "").strip()


def _reference(key: str, name: str, coding: _Coding, context: Context, findings: list[Finding]) -> str:
    """Return the trace that people see on the line: where it comes from and, as IFS names them, what it is coded to."""
    parts = (f"{context.order_no}/{key}", context.destination.code, coding.account, coding.cost_centre)
    text = " ".join(part for part in parts if part)
    if len(text) > COMMENT_MAX:
        message = f"The trace of {name} has {len(text)} characters; Cin7 takes {COMMENT_MAX}: {shown(text)}."
        remedy = "Shorten the codes that make up the trace in IFS."
        findings.append(invalid(f"{name} trace", text, message, remedy, context.destination.code))
    return text

"""Lines and charges of an order or a bill compared with those that Cin7 holds, line by line. Pure.

A line is recognised by its comment, a charge by its reference: both begin with what IFS calls the line, so
the order in which Cin7 lists them does not matter.
"""

from collections.abc import Sequence
from decimal import Decimal

from shared.cin7.records.invoices import CreditNote, Invoice, InvoiceCharge, InvoiceLine
from shared.cin7.records.lines import OrderCharge, OrderLine
from shared.cin7.records.purchases import Order
from shared.money import agree

Entry = OrderLine | OrderCharge
Stage = Order | Invoice | CreditNote


def line_differences(wanted: Stage, got: Stage, tolerance: Decimal) -> tuple[str, ...]:
    """Return every difference between the lines and charges of two orders or bills, in words."""
    return (
        *_compared("line", wanted.lines, got.lines, tolerance),
        *_compared("charge", wanted.additional_charges, got.additional_charges, tolerance),
    )


def total_differences(wanted: Stage, got: Stage, tolerance: Decimal) -> tuple[str, ...]:
    """Return the totals that differ; what contains tax may differ by the tolerance of every line."""
    entries = max(1, len(wanted.lines) + len(wanted.additional_charges))
    compared = (
        ("TotalBeforeTax", wanted.total_before_tax, got.total_before_tax),
        ("Tax", wanted.tax, got.tax),
        ("Total", wanted.total, got.total),
    )
    return tuple(
        _said(type(wanted).__name__, field, str(one), str(other))
        for field, one, other in compared
        if not agree(one, other, tolerance * entries)
    )


def _compared(kind: str, wanted: Sequence[Entry], got: Sequence[Entry], tolerance: Decimal) -> list[str]:
    """Return the differences of lines paired by their trace; those that have no partner are named as such."""
    held: dict[str, list[Entry]] = {}
    for entry in got:
        held.setdefault(_trace(entry), []).append(entry)
    differences: list[str] = []
    for entry in wanted:
        partners = held.get(_trace(entry))
        if not partners:
            differences.append(f"{kind} {_trace(entry)}: missing in Cin7")
            continue
        differences.extend(_entry_differences(f"{kind} {_trace(entry)}", entry, partners.pop(0), tolerance))
    for partners in held.values():
        differences.extend(f"{kind} {_trace(entry) or _label(entry)}: only in Cin7" for entry in partners)
    return differences


def _entry_differences(name: str, wanted: Entry, got: Entry, tolerance: Decimal) -> list[str]:
    texts = (
        ("SKU" if isinstance(wanted, OrderLine) else "Description", _label(wanted), _label(got)),
        ("TaxRule", wanted.tax_rule, got.tax_rule),
        ("Account", _account(wanted), _account(got)),
    )
    numbers = (
        ("Quantity", wanted.quantity, got.quantity),
        ("Price", wanted.price, got.price),
        ("Discount", wanted.discount, got.discount),
    )
    amounts = (("Tax", wanted.tax, got.tax), ("Total", wanted.total, got.total))
    return [
        *(_said(name, field, one, other) for field, one, other in texts if one != other),
        *(_said(name, field, str(one), str(other)) for field, one, other in numbers if one != other),
        *(
            _said(name, field, str(one), str(other))
            for field, one, other in amounts
            if not agree(one, other, tolerance)
        ),
    ]


def _trace(entry: Entry) -> str:
    return entry.comment if isinstance(entry, OrderLine) else entry.reference


def _account(entry: Entry) -> str:
    return entry.account if isinstance(entry, InvoiceLine | InvoiceCharge) else ""


def _label(entry: Entry) -> str:
    return entry.sku if isinstance(entry, OrderLine) else entry.description


def _said(name: str, field: str, wanted: str, held: str) -> str:
    return f"{name} {field}: {wanted or '(empty)'} was asked for, Cin7 has {held or '(empty)'}"

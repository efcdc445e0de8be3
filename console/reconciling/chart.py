"""The whole-document totals of a month as bars: three sides per row, each row to its own scale. Pure.

Rows are in different currencies, so that no scale could be common to them.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from console.output import visible
from console.reconciling.shapes import Total

_WIDTH: Final = 900
_LABEL: Final = 210
_BAR: Final = 480
_STEP: Final = 13
_ROW: Final = 3 * _STEP + 16
_SIDES: Final = (("IFS", "ifs", "#1f4e79"), ("ledger", "ledger", "#7f9fbf"), ("Cin7", "cin7", "#c77b30"))
_TITLES: Final = {"order": "orders", "invoice": "invoices", "credit_note": "credit notes"}


def chart_of(rows: Sequence[Total]) -> Element:
    """Return the chart as SVG, of rows of whole documents."""
    svg = Element("svg", {
        "viewBox": f"0 0 {_WIDTH} {len(rows) * _ROW + 6}", "role": "img", "font-family": "sans-serif",
        "font-size": "10",
    })  # fmt: skip
    SubElement(svg, "title").text = "Amounts in IFS, the ledger and Cin7 per company, kind of document and currency"
    for place, row in enumerate(rows):
        _draw(svg, row, place * _ROW + 8)
    return svg


def _draw(svg: Element, row: Total, top: int) -> None:
    name = f"{row.company} {_TITLES[row.document]}, {row.currency}"
    _text(svg, 0, top + _STEP, name, weight="bold")
    most = max(abs(getattr(row, side).amount) for _, side, _ in _SIDES)
    for place, (label, side, colour) in enumerate(_SIDES):
        amount: Decimal = getattr(row, side).amount
        y = top + place * _STEP
        width = int(_BAR * abs(amount) / most) if most else 0
        _text(svg, _LABEL - 6, y + 9, label, anchor="end")
        SubElement(svg, "rect", {
            "x": str(_LABEL), "y": str(y), "width": str(max(width, 1)), "height": str(_STEP - 3), "fill": colour,
        })  # fmt: skip
        _text(svg, _LABEL + max(width, 1) + 6, y + 9, f"{amount:,f} ({getattr(row, side).count:,})")


def _text(svg: Element, x: int, y: int, text: str, *, anchor: str = "start", weight: str = "normal") -> None:
    element = SubElement(svg, "text", {"x": str(x), "y": str(y), "text-anchor": anchor, "font-weight": weight})
    element.text = visible(text)

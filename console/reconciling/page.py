"""A comparison of a month as one HTML page to print and to keep: nothing on it comes from anywhere else.

It is built as a tree, so that whatever stands in a record is text and can never become markup.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TextIO
from xml.etree.ElementTree import Element, SubElement, tostring

from console.output import visible
from console.reconciling.chart import chart_of
from console.reconciling.shapes import Document, Shown, Total
from console.reconciling.tables import TITLES, agrees, money, verdict

_STYLE: Final = """
body { font: 10pt/1.35 sans-serif; color: #111; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
.verdict { font-size: 1.1rem; padding: .5rem .8rem; border-left: .4rem solid #2c7a4b; background: #eef6f0; }
.verdict.open { border-color: #b3261e; background: #fbeeed; }
.small { color: #555; font-size: .9em; }
table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; }
th, td { text-align: left; vertical-align: top; padding: .2rem .5rem; border-bottom: 1px solid #ccc; }
th { border-bottom: 2px solid #444; } tr { break-inside: avoid; } td.n, th.n { text-align: right; white-space: nowrap; }
tr.whole td { font-weight: 600; } tr.off td { background: #fbeeed; } td.key { white-space: nowrap; }
svg { max-width: 100%; height: auto; }
@media print { body { margin: 0; max-width: none; font-size: 8.5pt; } @page { size: landscape; margin: 12mm; } }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(found: Document, file: TextIO) -> None:
    """Write the page."""
    file.write("<!DOCTYPE html>\n" + tostring(page_of(found, datetime.now(UTC)), encoding="unicode", method="html"))


def page_of(found: Document, made_at: datetime) -> Element:
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    _put(head, "title", f"Reconciliation {found.period}")
    SubElement(head, "style").text = _STYLE
    body = SubElement(html, "body")
    _put(body, "h1", f"Reconciliation of {found.period}" + (f", company {found.company}" if found.company else ""))
    _put(body, "p", f"IFS, the connector's ledger and Cin7 side by side; made {made_at:%Y-%m-%d %H:%M} UTC, "
         f"number {found.reconciliation}.", "small")  # fmt: skip
    _put(body, "p", verdict(found), "verdict" if found.ready else "verdict open")
    for remark in found.remarks:
        _put(body, "p", remark)
    whole = [row for row in found.totals if row.account is None]
    if whole:
        _put(body, "h2", "At a glance")
        body.append(chart_of(whole))
    _put(body, "h2", "Totals")
    _put(body, "p", "Per company, kind of document, currency and account of Cin7's chart; (tax) is the tax of the "
         "documents. Rows in colour are those in which a side differs.", "small")  # fmt: skip
    _totals(body, found.totals)
    _differences(body, "Open differences", [one for one in found.differences if one.state == "open"])
    _differences(body, "Accepted", [one for one in found.differences if one.state == "accepted"])
    _differences(body, "Explained by a rule", [one for one in found.differences if one.state == "explained"])
    return html


def _totals(body: Element, rows: Sequence[Total]) -> None:
    headings = ("Company", "Document", "Currency", "Account", "IFS", "", "Ledger", "", "Cin7", "", "IFS less Cin7")
    table = _table(body, headings, numbers=range(4, 11))
    for row in rows:
        kinds = [name for name, holds in (("whole", row.account is None), ("off", not agrees(row))) if holds]
        account = "all" if row.account is None else row.account or "(none)"
        sides = [cell for side in (row.ifs, row.ledger, row.cin7) for cell in (f"{side.count:,}", money(side.amount))]
        cells = [row.company, TITLES[row.document], row.currency, account, *sides, money(row.difference)]
        _row(table, cells, " ".join(kinds), numbers=range(4, 11))


def _differences(body: Element, title: str, found: Sequence[Shown]) -> None:
    _put(body, "h2", f"{title}: {len(found)}")
    if not found:
        return
    headings = ("No.", "Document", "Reason", "In IFS", "In the ledger", "In Cin7", "Why, and what to do", "Owner, note")
    table = _table(body, headings, numbers=range(3, 6))
    for one in found:
        where = f"{one.cin7_number} in {one.cin7_account}" if one.cin7_number else one.cin7_account
        named = f"{one.company} {TITLES[one.document].removesuffix('s')} {one.key}, {one.date}" + (
            f" ({where})" if where else ""
        )
        sums = [
            "" if amount is None else f"{money(amount)} {one.currency}" for amount in (one.ifs, one.ledger, one.cin7)
        ]
        why = f"{one.explanation} {one.remedy}"
        note = ", ".join(filter(None, (one.owner, one.note)))
        _row(table, [str(one.id), named, one.title, *sums, why, note], "", numbers=range(3, 6))


def _table(body: Element, headings: Iterable[str], *, numbers: Iterable[int]) -> Element:
    table = SubElement(body, "table")
    row = SubElement(SubElement(table, "thead"), "tr")
    for place, heading in enumerate(headings):
        _put(row, "th", heading, "n" if place in numbers else "")
    return SubElement(table, "tbody")


def _row(table: Element, cells: Iterable[str], kind: str, *, numbers: Iterable[int]) -> None:
    row = SubElement(table, "tr", {"class": kind} if kind else {})
    for place, cell in enumerate(cells):
        _put(row, "td", cell, "n" if place in numbers else "")


def _put(parent: Element, tag: str, text: str, kind: str = "") -> Element:
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = visible(text)
    return element

"""One good sample of each side of an invoice and an order; tests vary what they are about."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from shared.findings import Finding
from shared.ifs.spans import Span
from workers.reconciling.comparing import Difference, compare
from workers.reconciling.copies import TAX, Case, Cin7Copy, Copy, IfsCopy, Known, Progress

MARCH = Span(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
CENT = Decimal("0.01")
AMOUNTS = {"4010": Decimal(100), "5010": Decimal(50), TAX: Decimal("37.50")}

_SHARED: dict[str, Any] = {
    "document": "invoice", "company": "10", "currency": "SEK", "date": "2026-03-10", "amounts": AMOUNTS, "rows": 2,
    "place": "main", "party": "S1", "number": "NF-1", "order": "1001",
}  # fmt: skip
IFS = IfsCopy(**_SHARED, fingerprint="f1", state="Posted")
WRITTEN = Copy(**_SHARED)
CIN7 = Cin7Copy(**_SHARED, numbered="PO-00001", status="AUTHORISED")
KNOWN = Known(
    fingerprint="f1",
    read_at="2026-03-12 08:00Z",
    progress=Progress(state="written", entry=7, since="2026-03-12 08:01Z"),
    written=WRITTEN,
    linked=True,
    numbered="PO-00001 NF-1",
    proven=True,
)
CASE = Case(flow="supplier_invoices", key="10/70001", ifs=IFS, known=KNOWN, cin7=CIN7)
FINDING = Finding(
    code="account.missing", field="posting 1 CodeA", value="9999", company="10",
    message="Account 9999 is not in the chart.", remedy="Add account 9999 in Cin7.",
)  # fmt: skip


def ifs(**changes: object) -> IfsCopy:
    return msgspec.structs.replace(IFS, **changes)


def written(**changes: object) -> Copy:
    return msgspec.structs.replace(WRITTEN, **changes)


def cin7(**changes: object) -> Cin7Copy:
    return msgspec.structs.replace(CIN7, **changes)


def known(**changes: object) -> Known:
    return msgspec.structs.replace(KNOWN, **changes)


def never_written(state: str = "", **progress: object) -> Known:
    """Return what the ledger knows of a version that has come no further than `state`."""
    there = Progress(state=state, entry=7 if state else 0, since="2026-03-12 08:01Z", **progress)  # type: ignore[arg-type]
    return Known(fingerprint="f1", read_at="2026-03-12 08:00Z", progress=there)


def case(**changes: object) -> Case:
    return msgspec.structs.replace(CASE, **changes)


def differences(of: Case, span: Span = MARCH) -> tuple[Difference, ...]:
    return compare(of, span, CENT)


def kinds(of: Case, span: Span = MARCH) -> dict[str, str]:
    return {one.step: one.kind for one in differences(of, span)}

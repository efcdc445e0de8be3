"""The end of a demo's first part in figures: outcomes, causes, calls, limits, duplicates, the ledger's own verdict."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from console.demo.installation import CALLS_PER_MINUTE
from console.demo.outcomes import Record, There, differences, look_into_both, records
from console.demo.stand_ins import StandIns
from console.output import print_table, say
from sandbox.world import World
from shared.flows import FLOWS, PURCHASE_ORDERS, SUPPLIER_INVOICES, SUPPLIERS
from shared.ledger import seals
from shared.ledger.connection import Ledger
from shared.ledger.seals import Verdict
from shared.ledger.views.holds import OpenCause, open_causes

#: Differences named one by one.
_SHOWN: Final = 20
#: Characters shown of what holds a record.
_VALUE_LENGTH: Final = 24
_OF_DOCUMENTS: Final = ("advanced-purchase", "purchase")
#: What stands in the paths of IFS's sets, by what they are about.
_PATHS: Final = {
    "documents": ("/PurchaseOrder", "/PreAccounting", "/ManSuppInvoice"),
    "vouchers": ("/Voucher",),
    "suppliers": ("/Supplier", "/CommMethod", "/IdentityInvoiceInfo"),
}
_COLUMNS: Final = {"written": "applied", "held": "held", "waiting": "waiting", "left_out": "left out"}


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that a stand-in got, by what they were about: orders and invoices share purchases, and so their calls."""

    suppliers: int = 0
    documents: int = 0
    vouchers: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.suppliers + self.documents + self.vouchers + self.other


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    seconds: float
    records: dict[tuple[str, str], Record]
    causes: list[OpenCause]
    cin7: Calls
    ifs: Calls
    limits: list[dict[str, Any]]
    there: There
    verdict: Verdict
    differences: list[str]

    def count(self, flow: str, state: str) -> int:
        return sum(name == flow and record.state == state for (name, _), record in self.records.items())

    @property
    def problems(self) -> list[str]:
        """Return what must not be, whatever the world: an empty list, unless the connector is wrong."""
        found = list(self.differences)
        if self.there.duplicates:
            found.append(f"{self.there.duplicates} duplicates in Cin7")
        if self.there.unfinished:
            found.append(f"{self.there.unfinished} purchases or bills in Cin7 are not authorised")
        found += [f"key {row['key']} of {row['account']} was refused {row['refused']} times" for row in self._refused]
        found += self.verdict.broken
        return found

    @property
    def _refused(self) -> list[dict[str, Any]]:
        return [row for row in self.limits if row["refused"]]


def sum_up(ledger: Ledger, world: World, stand_ins: StandIns, seconds: float) -> Summary:
    """Gather the figures from the ledger and from the stand-ins."""
    with ledger.transaction() as cur:
        known = records(cur)
        causes = open_causes(cur)
    with ledger.transaction() as cur:
        seals.seal(cur)
    with ledger.transaction() as cur:
        verdict = seals.verify(cur)
    there = look_into_both(stand_ins)
    return Summary(
        seconds=seconds,
        records=known,
        causes=causes,
        cin7=_calls_of_cin7(stand_ins),
        ifs=_calls_of_ifs(stand_ins),
        limits=stand_ins.ask("cin7", "limits")["limits"],
        there=there,
        verdict=verdict,
        differences=list(differences(world, known, there)),
    )


def _calls_of_cin7(stand_ins: StandIns) -> Calls:
    counts: Counter[str] = Counter()
    for row in stand_ins.ask("cin7", "requests", summary="true")["summary"]:
        endpoint = str(row["endpoint"])
        about = (
            "suppliers" if endpoint == "supplier" else "documents" if endpoint.startswith(_OF_DOCUMENTS) else "other"
        )
        counts[about] += row["calls"]
    return Calls(**counts)


def _calls_of_ifs(stand_ins: StandIns) -> Calls:
    counts: Counter[str] = Counter()
    for call in stand_ins.ask("ifs", "requests"):
        path = str(call["path"])
        set_ = "" if "/auth/" in path or "$metadata" in path else f"/{path.rsplit('/', 1)[-1]}"
        about = next((name for name, parts in _PATHS.items() if set_.startswith(parts)), "other")
        counts[about] += 1
    return Calls(**counts)


def print_summary(summary: Summary, seed: int) -> None:
    """Print the figures for people."""
    say(f"\nNothing moves any more after {summary.seconds:.0f} s (world {seed}).\n")
    rows = [(flow.name, *(summary.count(flow.name, state) for state in _COLUMNS)) for flow in FLOWS]
    print_table(("flow", *_COLUMNS.values()), rows, numbers=(1, 2, 3, 4))
    say("\nHeld on purpose, and what each waits for:")
    print_table(
        ("held by", "company", "value", "entries", "remedy"),
        [(cause.code, cause.company, _short(cause.value), cause.entries, cause.remedy) for cause in summary.causes],
        empty="Nothing is held.",
        numbers=(3,),
    )
    say("")
    for line in _facts(summary):
        say(line)
    if summary.problems:
        say("\nThis is not as it must be:")
        _print_some(summary.problems)
    else:
        say(f"All {len(summary.records)} records ended as this world says they must.")


def _facts(summary: Summary) -> list[str]:
    most = max((row["max_in_window"] for row in summary.limits), default=0)
    verdict = summary.verdict
    return [
        f"Calls to Cin7: {_per_record(summary, summary.cin7)}; reading back included.",
        f"Calls to IFS: {_per_record(summary, summary.ifs)}.",
        f"Most calls of one key in any minute: {most} of {CALLS_PER_MINUTE} allowed here. Cin7 itself allows 60: this",
        "  demo would take some ten minutes there.",
        f"Duplicates in Cin7: {summary.there.duplicates}. Purchases left unfinished: {summary.there.unfinished}.",
        f"Verdicts that IFS shows on its vouchers: {_said(summary)}.",
        f"Ledger: {'intact' if verdict.intact else 'CHANGED'}, {verdict.events} events under {verdict.seals} seals.",
    ]


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"


def _per_record(summary: Summary, calls: Calls) -> str:
    suppliers = summary.count(SUPPLIERS.name, "written")
    documents = sum(summary.count(flow.name, "written") for flow in (PURCHASE_ORDERS, SUPPLIER_INVOICES))
    vouchers = f"{calls.vouchers} for vouchers, " if calls.vouchers else ""
    return (
        f"{calls.total} in all, {_rate(calls.suppliers, suppliers)} per supplier, "
        f"{_rate(calls.documents, documents)} per order or invoice, {vouchers}{calls.other} for everything else"
    )


def _said(summary: Summary) -> str:
    counts = Counter(value for value in summary.there.verdicts.values() if value)
    return ", ".join(f"{count} {value}" for value, count in sorted(counts.items())) or "none"


def _rate(calls: int, count: int) -> str:
    return f"{calls / count:.2f}" if count else "0"


def _print_some(lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        say(f"- {line}")
    if len(lines) > _SHOWN:
        say(f"- and {len(lines) - _SHOWN} more")

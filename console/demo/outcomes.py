"""What became of every record, in the ledger and in both systems, beside what the world says must become of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from console.demo.installation import VERDICT_FIELD
from console.demo.stand_ins import StandIns
from sandbox.world import Expected, World
from shared.config.settings import PolicySettings
from shared.flows import JOURNALS, PURCHASE_ORDERS, SUPPLIER_INVOICES, SUPPLIERS
from shared.ledger.connection import Cur

#: The first words of a purchase's note, and of a bill's lines.
_MARKER: Final = "IFS PO "
_TRACE: Final = "IFS INV "
#: Tasks of a purchase that are bills, and states in which one counts for nothing.
_BILLS: Final = ("Invoice", "CreditNote")
_NOTHING: Final = frozenset({"", "NOT AVAILABLE", "VOIDED"})
#: What an outcome is called in the ledger.
_STATES: Final = {"applied": "written", "held": "held", "waiting": "waiting", "left_out": "left_out"}


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of a record; `state` is "" where it is unknown.

    It is `left_out` where the record was only counted, or had nothing to be done for it, such as an order that was
    cancelled before it ever came to Cin7.

    Attributes:
        reasons: code and value of what holds it.
    """

    state: str = ""
    reasons: frozenset[tuple[str, str]] = frozenset()


class There(msgspec.Struct, frozen=True, kw_only=True):
    """How often each record of ours is in Cin7, and what IFS shows of its vouchers.

    Attributes:
        suppliers: by account and IFS number.
        orders: by order number; voided ones do not count.
        invoices: invoices and credit notes by IFS key; voided ones do not count.
        same_names: suppliers that share an account and a name, case and spaces folded.
        unfinished: purchases and bills that are not authorised.
        verdicts: what each voucher shows of the verdict on it, by key; "" where it shows none.
    """

    suppliers: Counter[tuple[str, str]]
    orders: Counter[str]
    invoices: Counter[str]
    same_names: int
    unfinished: int
    verdicts: dict[str, str]

    @property
    def duplicates(self) -> int:
        counts = (*self.suppliers.values(), *self.orders.values(), *self.invoices.values())
        return sum(count - 1 for count in counts) + self.same_names


def records(cur: Cur) -> dict[tuple[str, str], Record]:
    """Return every record that the ledger knows, by flow and key."""
    rows = cur.execute(
        """
        select r.flow, r.key,
               case when r.skipped <> '' or (newest.state = 'written' and r.flow <> %s and not exists (
                             select 1 from link l where l.flow = r.flow and l.ifs_key = r.key)) then 'left_out'
                    else coalesce(newest.state, '') end,
               coalesce((select array_agg(f.code || ' ' || f.value) from finding f
                         where f.entry_id = newest.id and f.open), '{}')
        from record r left join lateral (
            select e.id, e.state from entry e where e.flow = r.flow and e.key = r.key order by e.version desc limit 1
        ) newest on true
        """,
        (JOURNALS.name,),  # A verdict links nothing.
    ).fetchall()
    return {
        (flow, key): Record(
            state=state,
            reasons=frozenset(_reason(text) for text in reasons),
        )
        for flow, key, state, reasons in rows
    }


def _reason(text: str) -> tuple[str, str]:
    code, _, value = text.partition(" ")
    return code, value


def look_into_both(stand_ins: StandIns) -> There:
    """Count what the stand-ins hold, behind their APIs' backs."""
    suppliers: Counter[tuple[str, str]] = Counter()
    orders: Counter[str] = Counter()
    invoices: Counter[str] = Counter()
    names: Counter[tuple[str, str]] = Counter()
    unfinished = 0
    for account in stand_ins.ask("cin7", "state")["accounts"]:
        for supplier in account["suppliers"]:
            names[account["account_id"], " ".join(supplier["Name"].split()).casefold()] += 1
            if marker := supplier["AdditionalAttribute1"]:
                suppliers[account["account_id"], marker] += 1
        for purchase in account["purchases"]:
            if purchase["Status"] == "VOIDED":
                continue
            note = str(purchase.get("Note") or "")
            if note.startswith(_MARKER):
                orders[note.splitlines()[0].removeprefix(_MARKER).partition("/")[2]] += 1
                unfinished += not _is_authorised(purchase)
            for bill in _bills(purchase):
                invoices[_key(bill)] += 1
                unfinished += bill["Status"] != "AUTHORISED"
    return There(
        suppliers=suppliers,
        orders=orders,
        invoices=invoices,
        same_names=sum(names.values()) - len(names),
        unfinished=unfinished,
        verdicts={_voucher(row): row[VERDICT_FIELD] or "" for row in stand_ins.ask("ifs", "state", set="VoucherSet")},
    )


def _is_authorised(purchase: Mapping[str, Any]) -> bool:
    stage = purchase["Order"]
    stages: Sequence[Mapping[str, Any]] = stage if isinstance(stage, list) else [stage]
    return all(one["Status"] == "AUTHORISED" for one in stages)


def _bills(purchase: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for stage in _BILLS:
        yield from (bill for bill in purchase[stage] if bill["Status"] not in _NOTHING)


def _key(bill: Mapping[str, Any]) -> str:
    """Return the key in IFS that the lines of a bill show; its number where they show none."""
    lines = [*(bill.get("Lines") or ()), *(bill.get("AdditionalCharges") or ())]
    for line in lines:
        text = str(line.get("Comment") or line.get("Reference") or "")
        if text.startswith(_TRACE):
            return "/".join(text.removeprefix(_TRACE).split(" ")[0].split("/")[:2])
    return str(bill.get("InvoiceNumber") or bill.get("CreditNoteNumber"))


def _voucher(row: Mapping[str, Any]) -> str:
    return "/".join(str(row[name]) for name in JOURNALS.key_fields)


def differences(world: World, known: Mapping[tuple[str, str], Record], there: There) -> Iterator[str]:
    """Yield a sentence for every record that did not become what it must."""
    in_cin7 = {
        SUPPLIERS.name: {marker for _, marker in there.suppliers},
        PURCHASE_ORDERS.name: set(there.orders),
        SUPPLIER_INVOICES.name: set(there.invoices),
    }
    for flow, expected in world.expected.items():
        for key, wanted in expected.items():
            found = known.get((flow, key), Record())
            problem = _problem(wanted, found)
            if not problem and flow in in_cin7:
                problem = _misplaced(wanted, found, there=key in in_cin7[flow])
            elif not problem:
                problem = _missaid(wanted, there.verdicts.get(key, ""))
            if problem:
                reasons = ", ".join(sorted(f"{code} {value}".strip() for code, value in found.reasons))
                yield f"{flow} {key}: {problem}" + (f" ({reasons})" if reasons else "")


def _problem(wanted: Expected, found: Record) -> str:
    """Return what is wrong with the end of a record in the ledger."""
    if wanted.outcome == "left_out":
        return "" if found.state in {"", "left_out"} else f"is {found.state}, to be left out: {wanted.why}"
    if found.state != _STATES[wanted.outcome]:
        return f"is {found.state or 'unknown'}, to be {wanted.outcome} {wanted.code} {wanted.value}".rstrip()
    if wanted.outcome == "held" and not any(_fits(wanted, reason) for reason in found.reasons):
        return f"is not held for {wanted.code} {wanted.value}".rstrip()
    return ""


def _misplaced(wanted: Expected, found: Record, *, there: bool) -> str:
    """Return what is wrong with a record that is in Cin7 and should not be, or the other way round."""
    if there == (wanted.outcome == "applied"):
        return ""
    return f"is in Cin7, though it is {found.state or 'unknown'}" if there else "is not in Cin7"


def _missaid(wanted: Expected, shown: str) -> str:
    """Return what is wrong with the verdict that a voucher shows in IFS; those of strangers show none."""
    policy = PolicySettings()
    right = {"applied": policy.journal_verdict_passed, "held": policy.journal_verdict_failed}.get(wanted.outcome, "")
    if wanted.code == "company.unmapped":
        right = ""
    return "" if shown == right else f"shows {shown or 'no verdict'} in IFS, to show {right or 'none'}"


def _fits(wanted: Expected, reason: tuple[str, str]) -> bool:
    code, value = reason
    return code == wanted.code and wanted.value in ("", value)

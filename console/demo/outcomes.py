"""What became of every record, in the ledger and in Cin7, beside what the made-up world says must become of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from console.demo.stand_ins import StandIns
from sandbox.world import Expected, World
from shared.flows import PURCHASE_ORDERS, SUPPLIERS
from shared.ledger.connection import Cur

#: The first words of a purchase's note.
_MARKER: Final = "IFS PO "


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of a record; `state` is "" where it is unknown.

    It is `left_out` where the record was only counted, or had nothing to be done for it, such as an order that was
    cancelled before it ever came to Cin7.

    Attributes:
        reasons: code and value of what holds it.
    """

    state: str = ""
    reasons: frozenset[tuple[str, str]] = frozenset()


class InCin7(msgspec.Struct, frozen=True, kw_only=True):
    """How often each record of ours is in Cin7.

    Attributes:
        suppliers: by account and IFS number.
        orders: by order number; voided ones do not count.
        same_names: suppliers that share an account and a name, case and spaces folded.
        unfinished: purchases whose lines are not authorised.
    """

    suppliers: Counter[tuple[str, str]]
    orders: Counter[str]
    same_names: int
    unfinished: int

    @property
    def duplicates(self) -> int:
        counts = (*self.suppliers.values(), *self.orders.values())
        return sum(count - 1 for count in counts) + self.same_names


def records(cur: Cur) -> dict[tuple[str, str], Record]:
    """Return every record that the ledger knows, by flow and key."""
    rows = cur.execute(
        """
        select r.flow, r.key,
               case when r.skipped <> '' or (newest.state = 'written' and not exists (
                             select 1 from link l where l.flow = r.flow and l.ifs_key = r.key)) then 'left_out'
                    else coalesce(newest.state, '') end,
               coalesce((select array_agg(f.code || ' ' || f.value) from finding f
                         where f.entry_id = newest.id and f.open), '{}')
        from record r left join lateral (
            select e.id, e.state from entry e where e.flow = r.flow and e.key = r.key order by e.version desc limit 1
        ) newest on true
        """
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


def look_into_cin7(stand_ins: StandIns) -> InCin7:
    """Count what the stand-in holds, behind the API's back."""
    suppliers: Counter[tuple[str, str]] = Counter()
    orders: Counter[str] = Counter()
    names: Counter[tuple[str, str]] = Counter()
    unfinished = 0
    for account in stand_ins.ask("cin7", "state")["accounts"]:
        for supplier in account["suppliers"]:
            names[account["account_id"], " ".join(supplier["Name"].split()).casefold()] += 1
            if marker := supplier["AdditionalAttribute1"]:
                suppliers[account["account_id"], marker] += 1
        for purchase in account["purchases"]:
            note = str(purchase.get("Note") or "")
            if note.startswith(_MARKER) and purchase["Status"] != "VOIDED":
                orders[note.splitlines()[0].removeprefix(_MARKER).partition("/")[2]] += 1
                unfinished += not _is_authorised(purchase)
    return InCin7(
        suppliers=suppliers, orders=orders, same_names=sum(names.values()) - len(names), unfinished=unfinished
    )


def _is_authorised(purchase: Mapping[str, Any]) -> bool:
    stage = purchase["Order"]
    stages: Sequence[Mapping[str, Any]] = stage if isinstance(stage, list) else [stage]
    return all(one["Status"] == "AUTHORISED" for one in stages)


def differences(world: World, known: Mapping[tuple[str, str], Record], there: InCin7) -> Iterator[str]:
    """Yield a sentence for every record that did not become what it must."""
    in_cin7 = {SUPPLIERS.name: {marker for _, marker in there.suppliers}, PURCHASE_ORDERS.name: set(there.orders)}
    for flow, expected in world.expected.items():
        for key, wanted in expected.items():
            found = known.get((flow, key), Record())
            if problem := _problem(wanted, found, there=key in in_cin7[flow]):
                reasons = ", ".join(sorted(f"{code} {value}".strip() for code, value in found.reasons))
                yield f"{flow} {key}: {problem}" + (f" ({reasons})" if reasons else "")


def _problem(wanted: Expected, found: Record, *, there: bool) -> str:
    states = {"applied": "written", "held": "held", "waiting": "waiting", "left_out": "left_out"}
    if wanted.outcome == "left_out":
        if found.state in {"", "left_out"} and not there:
            return ""
        return f"is {found.state}{' and in Cin7' if there else ''}, to be left out: {wanted.why}"
    if found.state != states[wanted.outcome]:
        return f"is {found.state or 'unknown'}, to be {wanted.outcome} {wanted.code} {wanted.value}".rstrip()
    if there != (wanted.outcome == "applied"):
        return "is not in Cin7" if not there else f"is in Cin7, though it is {found.state}"
    if wanted.outcome == "held" and not any(_fits(wanted, reason) for reason in found.reasons):
        return f"is not held for {wanted.code} {wanted.value}".rstrip()
    return ""


def _fits(wanted: Expected, reason: tuple[str, str]) -> bool:
    code, value = reason
    return code == wanted.code and wanted.value in ("", value)

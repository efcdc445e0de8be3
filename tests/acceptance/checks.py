"""The verdict that every test of crashes and faults ends with: what both systems and the ledger must show then."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import psycopg
import redis

from shared.flows import FLOWS, STAGES, queue_of
from shared.ledger import seals
from shared.ledger.connection import Ledger
from tests.acceptance.staging import Stage, until

CENT: Final = Decimal("0.01")
MARKER: Final = "AdditionalAttribute1"
Row = Mapping[str, Any]


def assert_sound(stage: Stage, *, held: Collection[str] = (), voided: Collection[str] = ()) -> None:
    """Hold both systems and the ledger against the promise.

    Args:
        held: `flow/key` of the records that must rest as held; all others of the world must be applied, once.
        voided: order numbers that were cancelled in IFS.
    """
    wanted = {
        flow: {key for key, one in expected.items() if one.outcome == "applied" and f"{flow}/{key}" not in held}
        for flow, expected in stage.world.expected.items()
    }
    _the_ledger_is_at_rest(stage, wanted, set(held))
    _every_lost_answer_is_settled(stage)
    _cin7_holds_each_supplier_once(stage, wanted["suppliers"])
    _cin7_holds_each_purchase_once(stage, wanted["purchase_orders"], set(voided))
    _dead_letters_are_what_is_held(stage)
    _the_chain_is_intact(stage)
    _no_process_met_a_bug(stage)


def _the_ledger_is_at_rest(stage: Stage, wanted: Mapping[str, set[str]], held: set[str]) -> None:
    """Every record's newest entry is written, or held as expected; of the older ones none is open."""
    newest: dict[str, tuple[int, str]] = {}
    for flow, key, version, state in stage.rows("select flow, key, version, state from entry order by version"):
        assert state in {"written", "superseded", "held", "dismissed", "echo"}, (
            f"{flow}/{key} version {version} is {state}"
        )
        before = newest.get(f"{flow}/{key}")
        assert before is None or before[1] != "held", f"{flow}/{key} version {before} is held beside a newer one"
        newest[f"{flow}/{key}"] = (version, state)
    found = {name for name, (_, state) in newest.items() if state == "held"}
    assert found == held, stage.rows(
        "select e.flow, e.key, f.code, f.message from finding f join entry e on e.id = f.entry_id where f.open"
    )
    written = {name for name, (_, state) in newest.items() if state == "written"}
    missing = {f"{flow}/{key}" for flow, keys in wanted.items() for key in keys} - written
    assert not missing, f"not applied: {sorted(missing)}"
    twice = stage.rows(
        """
        select entry_id, count(*) from event where becomes = 'written' and was <> 'written'
        group by entry_id having count(*) > 1
        """
    )
    assert not twice, f"written twice: {twice}"


def _every_lost_answer_is_settled(stage: Stage) -> None:
    left = stage.rows(
        """
        select f.flow, f.key, f.step, f.state, f.detail from effect f join entry e on e.id = f.entry_id
        where f.state in ('INTENT', 'UNKNOWN') and e.state <> 'held'
        """
    )
    assert not left, f"calls nobody knows the outcome of: {left}"


def suppliers(stage: Stage) -> dict[str, list[Row]]:
    """Return Cin7's suppliers by account and IFS number, in lists, so that a second one shows."""
    found: dict[str, list[Row]] = defaultdict(list)
    for account in stage.cin7.control("state")["accounts"]:
        for supplier in account["suppliers"]:
            if supplier[MARKER]:
                found[f"{account['account_id']}/{supplier[MARKER]}"].append(supplier)
    return found


def purchases(stage: Stage) -> dict[str, list[Row]]:
    """Return Cin7's purchases by order number, in lists, so that a second one shows."""
    found: dict[str, list[Row]] = defaultdict(list)
    for account in stage.cin7.control("state")["accounts"]:
        for purchase in account["purchases"]:
            marker = purchase["Note"].splitlines()[0]
            found[marker.partition("/")[2]].append(purchase)
    return found


def _cin7_holds_each_supplier_once(stage: Stage, wanted: set[str]) -> None:
    found = suppliers(stage)
    assert {name: len(rows) for name, rows in found.items() if len(rows) != 1} == {}
    numbers = {name.partition("/")[2] for name in found}
    assert numbers >= wanted, f"not in Cin7: {sorted(wanted - numbers)}"
    links = stage.rows("select count(*) from link where flow = 'suppliers'")[0][0]
    assert links == len(found), f"{links} links, {len(found)} suppliers of ours in Cin7"
    streets = {row["SupplierId"]: row["Address1"] for row in stage.ifs_rows("SupplierInfoAddressSet")}
    for name, (supplier,) in found.items():
        number = name.partition("/")[2]
        if number in wanted and number in streets and supplier["Addresses"]:
            assert streets[number] in {row["Line1"] for row in supplier["Addresses"]}, f"{name} is out of date"


def _cin7_holds_each_purchase_once(stage: Stage, wanted: set[str], voided: set[str]) -> None:
    found = purchases(stage)
    assert {number: len(rows) for number, rows in found.items() if len(rows) != 1} == {}
    assert set(found) >= wanted - voided, f"not in Cin7: {sorted(wanted - voided - set(found))}"
    links = {str(row[0]) for row in stage.rows("select cin7_id from link where flow = 'purchase_orders'")}
    amounts = ordered(stage)
    for number, (purchase,) in found.items():
        assert purchase["ID"] in links, f"{purchase['OrderNumber']} of {number} is an orphan"
        if number in voided:
            assert purchase["Status"] == "VOIDED", f"{number} is {purchase['Status']}"
        elif number in wanted:
            order = purchase["Order"]
            assert order["Status"] == "AUTHORISED", f"{number} was left {order['Status']}"
            count = len(order["Lines"]) + len(order["AdditionalCharges"])
            lines, total = amounts[number]
            assert count >= lines, f"{number} has {count} lines, not {lines}"
            assert abs(_decimal(order["TotalBeforeTax"]) - total) <= CENT * lines, f"{number} is not {total}"


def ordered(stage: Stage) -> dict[str, tuple[int, Decimal]]:
    """Return how many lines every order has in IFS now, and their net amount."""
    counts: Counter[str] = Counter()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    inclusive = {row["OrderNo"] for row in stage.ifs_rows("PurchaseOrderSet") if row["UsePriceInclTax"]}
    for line in stage.ifs_rows("PurchaseOrderLineSet"):
        if line["Objstate"] == "Cancelled":
            continue
        goods = _decimal(line["BuyQtyDue"]) * _decimal(line["BuyUnitPrice"]) * (100 - _decimal(line["Discount"])) / 100
        counts[line["OrderNo"]] += 1
        sums[line["OrderNo"]] += goods.quantize(CENT, ROUND_HALF_UP) + _decimal(line["AdditionalCostAmount"])
    assert not inclusive & counts.keys(), "amounts with tax in them are not compared here: leave such orders out"
    return {number: (counts[number], sums[number]) for number in counts}


def _decimal(value: object) -> Decimal:
    return Decimal(str(value or 0))


def _dead_letters_are_what_is_held(stage: Stage) -> None:
    held = Counter(
        {(flow, at): count for flow, at, count in stage.rows(
            "select flow, stage, count(*) from entry where state = 'held' group by flow, stage"
        )}
    )  # fmt: skip
    with redis.Redis.from_url(stage.environment["REDIS_URL"]) as client:
        for flow in FLOWS:
            for at in STAGES:
                queue = f"dramatiq:{queue_of(at, flow.name)}.XQ"
                # A sweep lays what Redis lost, and takes what is held no more.
                until(lambda queue=queue, count=held[flow.name, at]: client.zcard(queue) == count, 30)  # type: ignore[misc]


def _no_process_met_a_bug(stage: Stage) -> None:
    for path in stage.folder.glob("*.log"):
        odd = [line for line in path.read_text().splitlines() if "Traceback" in line or '"a bug' in line]
        assert not odd, f"{path.name}: {odd[:3]}"


def _the_chain_is_intact(stage: Stage) -> None:
    ledger = Ledger(stage.environment["DATABASE_URL"])
    try:
        with ledger.transaction() as cur:
            seals.seal(cur)
        with ledger.transaction() as cur:
            verdict = seals.verify(cur)
    except psycopg.Error as error:
        raise AssertionError(f"the ledger cannot be verified: {error}") from error
    finally:
        ledger.close()
    assert verdict.intact, verdict.broken
    assert verdict.events > 0

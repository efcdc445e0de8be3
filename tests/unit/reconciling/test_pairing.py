"""What people keyed in Cin7 is laid beside the document of IFS that it probably is, and never beside two."""

import msgspec
import pytest

from shared.flows import PURCHASE_ORDERS, SUPPLIER_INVOICES
from tests.unit.reconciling.samples import cin7, ifs
from workers.reconciling.copies import Case
from workers.reconciling.pairing import LOOSE, Loose, paired

ORDER = cin7(document="order", number="", date="2026-03-02", origin="hand", company="")
BILL = cin7(origin="hand", company="", date="2026-03-11")
PLACE = (SUPPLIER_INVOICES.name, "10/70001")


def invoice(key: str = "10/70001", **changes: object) -> dict[tuple[str, str], Case]:
    of = Case(flow=SUPPLIER_INVOICES.name, key=key, ifs=ifs(**changes))
    return {(of.flow, of.key): of}


def order(key: str = "1001") -> dict[tuple[str, str], Case]:
    of = Case(flow=PURCHASE_ORDERS.name, key=key, ifs=ifs(document="order", number="", date="2026-03-05"))
    return {(of.flow, of.key): of}


def loose(**bills: object) -> Loose:
    return Loose(purchase="p-1", order=ORDER, bills=bills or {"t-1": BILL})  # type: ignore[arg-type]


def test_a_bill_is_known_by_number_and_supplier_and_its_order_by_the_bill() -> None:
    found = paired(invoice() | order(), [loose()])
    assert set(found) == {PLACE, (PURCHASE_ORDERS.name, "1001")}
    assert found[PLACE].cin7 == msgspec.structs.replace(BILL, company="10")
    of = found[PURCHASE_ORDERS.name, "1001"].cin7
    assert of is not None
    assert (of.company, of.date) == ("10", "2026-03-05")  # Cin7 dates an order by the day it was keyed.


def test_an_order_that_only_carries_a_bill_without_one_is_no_order() -> None:
    assert set(paired(invoice(order=""), [loose()])) == {PLACE}


@pytest.mark.parametrize(
    "changes", [{"number": "NF-2"}, {"party": "S2"}, {"place": "second"}, {"document": "credit_note"}, {"alive": False}]
)
def test_another_number_supplier_account_or_kind_is_another_bill(changes: dict[str, object]) -> None:
    found = paired(invoice(), [loose(**{"t-1": cin7(**{"origin": "hand", **changes})})])
    assert found[PLACE].cin7 is None
    assert len(found) == 3


def test_spelling_is_not_looked_at() -> None:
    assert paired(invoice(), [loose(**{"t-1": cin7(origin="hand", number=" nf-1", party="s1")})])[PLACE].cin7


def test_a_document_that_has_its_own_in_cin7_is_not_paired() -> None:
    linked = {PLACE: msgspec.structs.replace(invoice()[PLACE], cin7=cin7())}
    found = paired(linked, [loose()])
    assert found[PLACE].cin7 == cin7()
    assert {key for _, key in found} == {"10/70001", f"{LOOSE}main/PO-00001/NF-1", f"{LOOSE}main/PO-00001"}


def test_two_invoices_of_one_number_are_paired_with_neither() -> None:
    found = paired(invoice() | invoice("10/70002"), [loose()])
    assert found[PLACE].cin7 is None
    assert len(found) == 4


def test_two_bills_of_one_number_are_paired_once_and_named_apart() -> None:
    found = paired(invoice(order=""), [loose(**{"t-1": BILL, "t-2": BILL, "t-3": BILL})])
    keys = {key for flow, key in found if flow == SUPPLIER_INVOICES.name}
    assert keys == {"10/70001", f"{LOOSE}main/PO-00001/NF-1", f"{LOOSE}main/PO-00001/NF-1/t-3"}


def test_a_purchase_without_order_leaves_its_bills() -> None:
    found = paired({}, [Loose(purchase="p-1", bills={"t-1": BILL})])
    assert {key for _, key in found} == {f"{LOOSE}main/PO-00001/NF-1"}

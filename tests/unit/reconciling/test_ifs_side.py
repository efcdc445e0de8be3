"""A document of IFS has its amounts on their accounts, whether it can be mapped or not."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.config.settings import PolicySettings, StreamSettings
from shared.flows import PURCHASE_ORDERS, SUPPLIER_INVOICES, Flow
from shared.origins import SOURCES
from shared.pulled import RawDocument
from shared.seeing import IfsLens
from tests.unit.mapping import samples
from tests.unit.mapping.samples import RULES, bolt, cleaning, order, order_of, policy, tables
from tests.unit.mapping.test_supplier_invoices import invoice, negative, posting
from workers.reconciling.copies import ROUNDING, TAX, IfsCopy
from workers.reconciling.ifs_side import copy_of


def copied(document: object, flow: Flow, rules: object = RULES, start_from: str = "") -> IfsCopy:
    lens = IfsLens(flow, SOURCES[flow].bound(StreamSettings()), rules.policy, start_from)  # type: ignore[attr-defined]
    raw = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return copy_of(RawDocument(key="K", raw=raw, stamp="", header_tag="t"), flow, lens, rules)  # type: ignore[arg-type]


def order_copy(document: object = samples.ORDER, **named: object) -> IfsCopy:
    return copied(document, PURCHASE_ORDERS, **named)  # type: ignore[arg-type]


def bill(document: object, **named: object) -> IfsCopy:
    return copied(document, SUPPLIER_INVOICES, **named)  # type: ignore[arg-type]


def test_an_order_stands_on_the_accounts_of_its_lines() -> None:
    copy = order_copy()
    assert copy.amounts == {"": Decimal("46.00"), "4010": Decimal("120.00"), TAX: Decimal("33.20")}
    assert (copy.document, copy.company, copy.currency, copy.date) == ("order", "10", "EUR", "2026-03-01")
    assert (copy.place, copy.party, copy.alive, copy.faults) == ("main", "S1", True, ())


def test_prices_with_tax_in_them_give_the_same_sums() -> None:
    inclusive = order_copy(order_of(cleaning(buy_unit_price=Decimal("144.00")), use_price_incl_tax=True))
    assert inclusive.amounts == {"4010": Decimal("120.00"), TAX: Decimal("24.00")}


def test_an_invoice_stands_on_the_accounts_of_its_postings() -> None:
    copy = bill(invoice())
    assert copy.amounts == {"4010": Decimal("46.00"), "6100": Decimal("120.00"), TAX: Decimal("33.20")}
    assert (copy.document, copy.number, copy.order) == ("invoice", "NF-5581", "1001")


def test_a_credit_note_is_negative_on_every_account() -> None:
    copy = bill(negative(invoice()))
    assert copy.document == "credit_note"
    assert copy.amounts == {"4010": Decimal("-46.00"), "6100": Decimal("-120.00"), TAX: Decimal("-33.20")}


def test_a_credit_note_by_its_type_is_negative_as_well() -> None:
    rules = policy(credit_note_types=("CREDIT",))
    assert bill(invoice(invoice_type="CREDIT"), rules=rules).amounts == bill(negative(invoice())).amounts
    held = bill(invoice(invoice_type="CREDIT", po_ref_number=None), rules=rules)
    assert held.faults
    assert held.amounts == bill(negative(invoice())).amounts


def test_what_the_header_states_beyond_its_items_is_shown() -> None:
    copy = bill(invoice(net_curr_amount=Decimal("166.01")))
    assert copy.faults == ()
    assert copy.amounts[ROUNDING] == Decimal("0.01")
    assert sum(copy.amounts.values()) == Decimal("199.21")


@pytest.mark.parametrize(
    "changes",
    [{"invoice_no": "N\tF"}, {"pay_term_id": "?", "po_ref_number": None}, {"objstate": "Frozen"}],
)
def test_an_invoice_that_cannot_be_mapped_has_the_amounts_that_it_would_have(changes: dict[str, Any]) -> None:
    copy = bill(invoice(**changes))
    assert copy.faults
    assert copy.amounts == bill(invoice()).amounts


def test_an_order_that_cannot_be_mapped_has_the_amounts_that_it_would_have() -> None:
    for held in (order(vendor_no="S\t1"), order(pay_term_id="?"), order(objstate="Frozen")):
        copy = order_copy(held)
        assert copy.faults
        assert {name: value for name, value in copy.amounts.items() if name != TAX} == {
            "": Decimal("46.00"),
            "4010": Decimal("120.00"),
        }


def test_the_tax_of_an_order_that_cannot_be_mapped_is_what_ifs_states() -> None:
    lines = (bolt(net_amt_curr=Decimal("46.00"), gross_amt_curr=Decimal("55.20"), part_no="GHOST"),)
    assert order_copy(order_of(*lines)).amounts == {"": Decimal("46.00"), TAX: Decimal("9.20")}


def test_a_missing_account_is_shown_as_what_it_would_become() -> None:
    assert bill(invoice(posting(1, "9999", "166.00"))).amounts["9999"] == Decimal("166.00")
    rules = tables(accounts={("10", "9999"): "8888"})
    assert bill(invoice(posting(1, "9999", "166.00")), rules=rules).amounts["8888"] == Decimal("166.00")


def test_postings_that_leave_something_open_leave_it_on_no_account() -> None:
    copy = bill(invoice(posting(1, "4010", "40.00", item_id=1)))
    assert copy.faults
    assert (copy.amounts["4010"], copy.amounts[""]) == (Decimal("40.00"), Decimal("126.00"))


def test_a_payable_among_the_postings_is_no_cost() -> None:
    rows = (posting(1, "4010", "166.00"), posting(2, "800", "-199.20"))
    assert "800" not in bill(invoice(*rows, invoice_no="N\tF")).amounts


def test_what_is_cancelled_counts_for_nothing() -> None:
    assert not order_copy(order(objstate="Cancelled")).alive
    assert not bill(invoice(objstate="Cancelled")).alive
    for number in ("", "N\tF"):  # Whether it can be read, or mapped, or not.
        assert not bill(invoice(objstate="Cancelled", invoice_no=number)).alive


@pytest.mark.parametrize(
    ("changes", "why"),
    [({}, "before-start"), ({"objstate": "Planned", "order_date": "2026-05-01"}, "left-alone")],
)
def test_what_is_left_alone_says_by_which_rule_and_keeps_its_amounts(changes: dict[str, object], why: str) -> None:
    copy = order_copy(order(**changes), start_from="2026-04-01")
    assert copy.left_alone == why
    assert copy.why_left
    assert copy.amounts["4010"] == Decimal("120.00")


def test_a_document_that_cannot_be_read_is_there_all_the_same() -> None:
    raw = msgspec.json.encode(samples.ORDER).replace(b'"0.184"', b'"dear"')
    copy = order_copy(raw)
    assert copy.faults
    assert (copy.company, copy.currency, copy.date, copy.party) == ("10", "EUR", "2026-03-01", "S1")
    assert copy.amounts == {"": Decimal("166.00")}  # One line states its net amount, the other has a price.
    held = bill(invoice(invoice_no=""))
    assert (held.amounts, held.order) == ({"": Decimal("166.00"), TAX: Decimal("33.20")}, "1001")
    assert bill(negative(invoice(invoice_no=""))).document == "credit_note"


def test_the_company_of_an_order_without_one_is_its_sites() -> None:
    assert order_copy(order(company=None, vendor_no="S\t1")).company == "10"
    assert order_copy(order(company=None, contract="S20", vendor_no="S\t1")).company == "20"
    assert order_copy(order(company=None, contract="?")).company == ""


def test_a_bug_of_the_mapping_hides_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(__import__("workers.mapping.actors", fromlist=["MAPPINGS"]).MAPPINGS, PURCHASE_ORDERS, broken)
    copy = order_copy()
    assert "ZeroDivisionError" in copy.faults[0]
    assert copy.amounts["4010"] == Decimal("120.00")


def test_the_fingerprint_is_that_of_a_pull() -> None:
    raw = RawDocument(key="K", raw=msgspec.json.encode(samples.ORDER), stamp="", header_tag="t")
    lens = IfsLens(PURCHASE_ORDERS, SOURCES[PURCHASE_ORDERS].bound(StreamSettings()), PolicySettings())
    assert order_copy().fingerprint == lens.seen(raw).fingerprint

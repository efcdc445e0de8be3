"""What would be written, from what is wanted and what was written last."""

from decimal import Decimal

import msgspec

from console.foreseeing import foresee_order, foresee_supplier, foresee_verdict
from shared.cin7.records.purchases import Order, PurchaseHeader
from shared.cin7.records.suppliers import Supplier
from shared.config.settings import PolicySettings
from shared.findings import Finding
from shared.fingerprints import canonical
from shared.ledger.links import Link
from workers.mapping.results import JournalVerdict, PurchaseWrite, SupplierWrite

ACME = Supplier(name="Acme", currency="SEK", payment_term="30 days", account_payable="2440", tax_rule="Purchases 25%")
WRITE = SupplierWrite(account="main", company="10", supplier=ACME)
PURCHASE = PurchaseWrite(
    order_no="1001",
    company="10",
    account="main",
    supplier_key="S1",
    currency="SEK",
    header=PurchaseHeader(location="Gothenburg", note="IFS PO 10/1001"),
    order=Order(memo="IFS PO 10/1001", status="AUTHORISED", total=Decimal("10.00")),
)


def link(written: bytes, flow: str = "suppliers") -> Link:
    return Link(flow=flow, ifs_key="S1", cin7_account="main", cin7_id="c1", cin7_number="Acme", written=written,
                version=1, verified=True)  # fmt: skip


def test_a_supplier_without_link_is_created() -> None:
    seen = foresee_supplier("S1", WRITE, None, None, policy=PolicySettings())
    assert (seen.action, seen.account, seen.fields[0].after) == ("create", "main", "Acme")


def test_a_supplier_as_written_is_unchanged_and_another_is_updated() -> None:
    as_written = link(canonical(msgspec.structs.replace(ACME, id="c1")))
    assert foresee_supplier("S1", WRITE, as_written, None, policy=PolicySettings()).action == "unchanged"
    before = link(canonical(msgspec.structs.replace(ACME, payment_term="10 days")))
    seen = foresee_supplier("S1", WRITE, before, None, policy=PolicySettings())
    assert (seen.action, [(one.field, one.before, one.after) for one in seen.fields]) == (
        "update",
        [("PaymentTerm", "10 days", "30 days")],
    )


def test_a_vendor_met_for_the_first_time_fills_in_or_conflicts() -> None:
    blank = msgspec.structs.replace(ACME, id="c1", payment_term="")
    seen = foresee_supplier("S1", WRITE, None, blank, policy=PolicySettings())
    assert (seen.action, [one.field for one in seen.fields]) == ("update", ["PaymentTerm"])
    other = msgspec.structs.replace(ACME, id="c1", payment_term="10 days")
    seen = foresee_supplier("S1", WRITE, None, other, policy=PolicySettings())
    assert (seen.action, [finding.code for finding in seen.findings]) == ("held", ["supplier.conflict"])


def test_an_order_is_created_updated_voided_or_left() -> None:
    supplier = link(canonical(ACME))
    assert foresee_order("1001", PURCHASE, None, supplier).action == "create"
    written = link(canonical(PURCHASE), "purchase_orders")
    assert foresee_order("1001", PURCHASE, written, supplier).action == "unchanged"
    more = msgspec.structs.replace(PURCHASE, order=msgspec.structs.replace(PURCHASE.order, total=Decimal("11.00")))
    seen = foresee_order("1001", more, written, supplier)
    assert (seen.action, [(one.field, one.before, one.after) for one in seen.fields]) == (
        "update",
        [("Order.Total", "10.00", "11.00")],
    )
    void = msgspec.structs.replace(PURCHASE, void=True)
    assert foresee_order("1001", void, written, supplier).action == "void"
    assert foresee_order("1001", void, None, supplier).action == "unchanged"


def test_an_order_in_another_currency_than_its_supplier_is_held() -> None:
    supplier = link(canonical(msgspec.structs.replace(ACME, currency="EUR")))
    seen = foresee_order("1001", PURCHASE, None, supplier)
    assert (seen.action, seen.findings[0].code) == ("held", "currency.mismatch")
    assert foresee_order("1001", PURCHASE, None, None).action == "create"


def test_a_voucher_shows_its_verdict_its_reasons_and_what_ifs_would_be_told() -> None:
    good = JournalVerdict(
        company="10", accounting_year=2026, voucher_type="I", voucher_no=7, ok=True, dates_checked=True
    )
    seen = foresee_verdict(good.key, good)
    assert (seen.key, seen.action, seen.fields, seen.findings) == ("10/2026/I/7", "passed", (), ())
    reason = Finding(code="account.missing", field="row 1 Account", value="9999", message="m", remedy="r")
    bad = msgspec.structs.replace(good, ok=False, field="Cf_Check", value="CfEnum_FAILED", findings=(reason,))
    seen = foresee_verdict(bad.key, bad)
    assert (seen.action, seen.findings) == ("held", (reason,))
    assert [(one.field, one.after) for one in seen.fields] == [("Cf_Check", "CfEnum_FAILED")]

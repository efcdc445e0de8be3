"""IFS order lines to Cin7 lines and charges: products, accounts, taxes, amounts."""

from decimal import Decimal

import msgspec
import pytest

from shared.cin7.records.lines import OrderCharge, OrderLine
from shared.config.rules import Rules
from shared.findings import Finding
from shared.ifs.records import purchase_orders as ifs
from tests.unit.mapping.samples import (
    BOLT,
    CLEANING,
    ORDER,
    RULES,
    bolt,
    cleaning,
    company,
    culprits,
    order_of,
    policy,
    refused,
    settings,
    tables,
    written,
)
from workers.mapping.results import LineTrace


def part(line: ifs.OrderLine, rules: Rules = RULES) -> OrderLine:
    (got,) = written(order_of(line), rules).order.lines
    return got


def charge(line: ifs.OrderLine, rules: Rules = RULES) -> OrderCharge:
    (got,) = written(order_of(line), rules).order.additional_charges
    return got


def one_finding(line: ifs.OrderLine, rules: Rules = RULES) -> Finding:
    (finding,) = refused(order_of(line), rules)
    return finding


def coded(**changes: object) -> ifs.OrderDocument:
    """Return ORDER with fields of its only coding changed."""
    return msgspec.structs.replace(ORDER, code_parts=(msgspec.structs.replace(ORDER.code_parts[0], **changes),))


def test_a_part_line_becomes_an_order_line() -> None:
    assert part(BOLT) == OrderLine(
        product_id="p-bolt",
        sku="BOLT-8",
        name="Bolt M8, zinc",
        quantity=Decimal(250),
        price=Decimal("0.184"),
        tax=Decimal("9.20"),
        tax_rule="Tax on Purchases",
        comment="1001/1/1 10",
        total=Decimal("46.00"),
    )


def test_a_gl_coded_line_becomes_a_charge_that_says_what_it_is_coded_to() -> None:
    assert charge(CLEANING) == OrderCharge(
        description="Office cleaning, March",
        reference="1001/2/1 10 4010 C100",
        quantity=Decimal(1),
        price=Decimal(120),
        tax=Decimal("24.00"),
        tax_rule="Tax on Purchases",
        total=Decimal("120.00"),
    )


def test_the_trace_keeps_both_accounts_of_a_line() -> None:
    (trace,) = written(msgspec.structs.replace(coded(account_no="5000"), lines=(CLEANING,))).trace
    assert trace == LineTrace(
        line="2/1",
        kind="gl",
        company="10",
        account="5000",
        cin7_code="6100",
        cost_centre="C100",
        text="Office cleaning, March",
        tax_rule="Tax on Purchases",
        amount=Decimal("120.00"),
        tax=Decimal("24.00"),
    )


def test_people_see_the_account_as_ifs_has_it() -> None:
    (got,) = written(msgspec.structs.replace(coded(account_no="5000"), lines=(CLEANING,))).order.additional_charges
    assert got.reference == "1001/2/1 10 5000 C100"


def test_a_part_line_with_coding_is_checked_and_shows_it() -> None:
    assert part(bolt(pre_accounting_id=77)).comment == "1001/1/1 10 4010 C100"
    document = msgspec.structs.replace(coded(account_no="9999"), lines=(bolt(pre_accounting_id=77),))
    assert culprits(refused(document)) == [("account.missing", "10", "9999")]


def test_the_cost_centre_is_the_code_part_that_the_policy_names() -> None:
    document = msgspec.structs.replace(coded(codeno_d="D7"), lines=(CLEANING,))
    (got,) = written(document, policy(cost_centre="D")).order.additional_charges
    assert got.reference == "1001/2/1 10 4010 D7"


def test_a_line_without_coding_takes_the_headers() -> None:
    document = order_of(cleaning(pre_accounting_id=None), pre_accounting_id=77)
    (got,) = written(document).order.additional_charges
    assert got.reference == "1001/2/1 10 4010 C100"


def test_a_gl_line_without_an_account_is_held() -> None:
    finding = one_finding(cleaning(pre_accounting_id=None))
    assert (finding.code, finding.field, finding.value) == ("account.missing", "line 2/1 AccountNo", "")


def test_each_line_with_a_missing_account_has_its_own_finding() -> None:
    document = msgspec.structs.replace(coded(account_no="9999"), lines=(CLEANING, cleaning(line_no="3")))
    found = refused(document)
    assert culprits(found) == [("account.missing", "10", "9999")] * 2
    assert [finding.field for finding in found] == ["line 2/1 AccountNo", "line 3/1 AccountNo"]


@pytest.mark.parametrize(
    ("account", "rules", "code", "value"),
    [
        ("9999", RULES, "account.missing", "9999"),
        ("7000", RULES, "account.inactive", "7000"),
        ("4010", policy(accounts="explicit"), "account.unmapped", "4010"),
        ("4010", tables(accounts={("10", "4010"): "9998"}), "account.missing", "9998"),
        ("4010", tables(accounts={("10", "4010"): "7000"}), "account.inactive", "7000"),
    ],
)
def test_an_account_must_exist_and_be_active_in_the_chart(account: str, rules: Rules, code: str, value: str) -> None:
    document = msgspec.structs.replace(coded(account_no=account), lines=(CLEANING,))
    assert culprits(refused(document, rules)) == [(code, "10", value)]


def test_an_account_is_mapped_for_its_own_company_only() -> None:
    rules = tables(accounts={("20", "5000"): "6100"})
    document = msgspec.structs.replace(coded(account_no="5000"), lines=(CLEANING,))
    assert culprits(refused(document, rules)) == [("account.missing", "10", "5000")]


def test_a_part_is_found_by_the_table_else_by_its_own_number() -> None:
    assert part(bolt(part_no="B8")).sku == "BOLT-8"
    assert part(bolt(part_no="NUT-8", description=None)).name == "Nut M8"


@pytest.mark.parametrize("part_no", ["GONE", "OLD-1"])
def test_a_product_that_cin7_lacks_or_has_retired_is_held(part_no: str) -> None:
    assert culprits(refused(order_of(bolt(part_no=part_no)))) == [("product.missing", "10", part_no)]


def test_a_service_product_may_name_the_charges() -> None:
    assert charge(CLEANING, settings(gl_line_description="Freight")).description == "Freight"
    finding = one_finding(CLEANING, settings(gl_line_description="Haulage"))
    assert (finding.code, finding.value) == ("product.missing", "Haulage")


def test_a_gl_line_without_text_is_named_by_its_number() -> None:
    assert charge(cleaning(description=None)).description == "Line 2/1"


def test_a_text_longer_than_cin7_takes_is_held_not_cut() -> None:
    assert part(bolt(description="x" * 1024)).name == "x" * 1024
    assert one_finding(cleaning(description="x" * 257)).field == "line 2/1 Description"


@pytest.mark.parametrize(
    ("tax_code", "rule", "tax"),
    [("V20", "Tax on Purchases", "24.00"), ("V5", "Reduced", "6.60"), (None, "Tax on Purchases", "24.00")],
)
def test_tax_follows_the_code_and_its_percentage(tax_code: str | None, rule: str, tax: str) -> None:
    got = charge(cleaning(tax_code=tax_code))
    assert (got.tax_rule, got.tax) == (rule, Decimal(tax))


@pytest.mark.parametrize("tax_code", ["V99", "GONE", "OLD", "SALE"])
def test_a_tax_that_cin7_would_refuse_is_held(tax_code: str) -> None:
    assert culprits(refused(order_of(cleaning(tax_code=tax_code)))) == [("tax.unmapped", "10", tax_code)]


def test_a_line_without_a_tax_code_needs_the_companys_rule() -> None:
    assert one_finding(cleaning(tax_code=None), company("10", tax_rule="")).code == "tax.unmapped"


def test_a_line_in_another_currency_than_its_order_is_held() -> None:
    assert one_finding(bolt(currency_code="USD")).field == "line 1/1 CurrencyCode"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"buy_qty_due": Decimal("0.5")}, "BuyQtyDue"),
        ({"buy_qty_due": Decimal(0)}, "BuyQtyDue"),
        ({"buy_qty_due": Decimal("1.23456")}, "BuyQtyDue"),
        ({"buy_qty_due": Decimal("NaN")}, "BuyQtyDue"),
        ({"buy_qty_due": Decimal("1E+30")}, "BuyQtyDue"),
        ({"buy_unit_price": Decimal("-0.01")}, "BuyUnitPrice"),
        ({"buy_unit_price": Decimal("Infinity")}, "BuyUnitPrice"),
        ({"buy_unit_price": Decimal("0.18449")}, "BuyUnitPrice"),
        ({"discount": Decimal(101)}, "Discount"),
        ({"discount": Decimal(-1)}, "Discount"),
        ({"discount": Decimal("12.345"), "buy_unit_price": Decimal(1000)}, "Discount"),
        ({"additional_cost_amount": Decimal(-5)}, "AdditionalCostAmount"),
        ({"net_amt_curr": Decimal("NaN")}, "NetAmtCurr"),
    ],
)
def test_a_number_that_cin7_would_refuse_is_held(changes: dict[str, object], field: str) -> None:
    finding = one_finding(bolt(**changes))
    assert (finding.code, finding.field) == ("source.invalid", f"line 1/1 {field}")


def test_a_price_of_nothing_is_a_price() -> None:
    assert part(bolt(buy_unit_price=Decimal(0))).total == 0


def test_a_finer_price_is_rounded_where_the_total_stays_the_same() -> None:
    got = part(bolt(buy_qty_due=Decimal(10), buy_unit_price=Decimal("0.18437")))
    assert (got.price, got.total) == (Decimal("0.1844"), Decimal("1.84"))


def test_a_discount_is_taken_off_the_total() -> None:
    got = part(bolt(discount=Decimal("12.5"), net_amt_curr=Decimal("40.25")))
    assert (got.discount, got.total, got.tax) == (Decimal("12.5"), Decimal("40.25"), Decimal("8.05"))


@pytest.mark.parametrize("net", ["46.00", "46.01", "45.99", "45.9934"])
def test_within_the_tolerance_the_computed_total_is_sent(net: str) -> None:
    assert part(bolt(net_amt_curr=Decimal(net))).total == Decimal("46.00")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"net_amt_curr": Decimal("46.02")}, "NetAmtCurr"),
        ({"net_amt_curr": Decimal("46.00"), "gross_amt_curr": Decimal("57.50")}, "GrossAmtCurr"),
    ],
)
def test_beyond_the_tolerance_the_order_is_held_naming_both(changes: dict[str, object], field: str) -> None:
    finding = one_finding(bolt(**changes))
    assert (finding.code, finding.field) == ("total.mismatch", f"line 1/1 {field}")
    theirs, ours = finding.value.split(" / ")
    assert theirs in finding.message
    assert ours in finding.message


def test_the_tolerance_is_a_setting() -> None:
    assert part(bolt(net_amt_curr=Decimal("46.50")), policy(total_tolerance="0.50")).total == Decimal("46.00")


def test_where_prices_include_tax_the_net_amount_is_compared_without_it() -> None:
    document = order_of(cleaning(net_amt_curr=Decimal("100.00"), gross_amt_curr=Decimal(120)), use_price_incl_tax=True)
    assert written(document).order.total_before_tax == 100


def test_an_additional_cost_becomes_a_charge_beside_its_line() -> None:
    line = bolt(additional_cost_amount=Decimal("4.50"), net_amt_curr=Decimal("50.50"))
    write = written(order_of(line))
    (cost,) = write.order.additional_charges
    assert (cost.description, cost.reference) == ("Additional cost: Bolt M8, zinc", write.order.lines[0].comment)
    assert [cost.quantity, cost.price, cost.total, cost.tax] == [1, Decimal("4.5"), Decimal("4.5"), Decimal("0.9")]
    assert [(trace.kind, trace.amount) for trace in write.trace] == [
        ("part", Decimal("46.00")),
        ("cost", Decimal("4.50")),
    ]
    assert not write.header.is_service_only


def test_amounts_have_the_decimals_of_their_currency() -> None:
    document = order_of(
        bolt(currency_code="JPY", buy_qty_due=Decimal(3), buy_unit_price=Decimal(185)), currency_code="JPY"
    )
    (line,) = written(document).order.lines
    assert (str(line.total), str(line.tax)) == ("555", "111")

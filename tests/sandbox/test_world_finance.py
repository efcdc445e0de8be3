"""The made-up invoices and vouchers: amounts that add up, and wrong only where the world says so."""

import csv
import io
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sandbox.ifs.app import IfsApp
from sandbox.world import Expected, World, as_json, build_world

SENT = {"Posted", "PostedAuth", "PartlyPaidPosted", "PartlyPaidPostedAuth", "PaidPosted"}
PLACES = {"JPY": Decimal(1), "KWD": Decimal("0.001")}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(1, invoices=300, vouchers=300)


def invoice_key(row: Row) -> str:
    return f"{row['Company']}/{row['InvoiceId']}"


def voucher_key(row: Row) -> str:
    return f"{row['Company']}/{row['AccountingYear']}/{row['VoucherType']}/{row['VoucherNo']}"


def invoices(world: World, outcome: str, code: str = "") -> list[Row]:
    expected = world.expected["supplier_invoices"]
    found = world.rows("ManSuppInvoiceSet")
    return [
        row for row in found if (expected[invoice_key(row)].outcome, expected[invoice_key(row)].code) == (outcome, code)
    ]


def children(world: World, table: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in world.rows(table):
        found[invoice_key(row)].append(row)
    return found


def vouchers(world: World) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in (*world.rows("VoucherRowSet"), *world.rows("GenLedVoucherRowSet")):
        found[voucher_key(row)].append(row)
    return found


def charts(world: World) -> dict[str, dict[str, str]]:
    """Return status by code, by company."""
    seeds = dict(zip(("10", "20"), world.cin7_seed["accounts"], strict=True))
    return {code: {row["Code"]: row.get("Status", "ACTIVE") for row in seed["chart"]} for code, seed in seeds.items()}


def cin7_codes(world: World) -> dict[tuple[str, str], str]:
    rows = csv.DictReader(io.StringIO(world.tables["accounts"]))
    return {(row["company"], row["ifs_account"]): row["cin7_code"] for row in rows}


def of_code(expected: dict[str, Expected], code: str) -> list[str]:
    return [key for key, one in expected.items() if one.code == code]


def test_the_same_seed_gives_the_same_books_and_they_change_nothing_else(world: World) -> None:
    again, without = build_world(1, invoices=300, vouchers=300), build_world(1)
    assert as_json(again.ifs_seed) == as_json(world.ifs_seed)
    assert again.expected == world.expected
    for table in ("PurchaseOrderSet", "PurchaseOrderLineSet", "PreAccountingSet"):
        assert without.rows(table) == world.rows(table)
    assert set(without.expected) == {"suppliers", "purchase_orders"}
    assert "supplier_invoices" not in without.connector_toml("a", "b")


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_every_record_is_expected_once_and_the_numbers_are_as_asked(seed: int) -> None:
    world = build_world(seed, suppliers=60, orders=150, invoices=80, vouchers=60)
    keys = [invoice_key(row) for row in world.rows("ManSuppInvoiceSet")]
    assert len(keys) == len(set(keys)) == 80
    assert set(keys) == set(world.expected["supplier_invoices"])
    headers = [voucher_key(row) for row in world.rows("VoucherSet")]
    assert len(headers) == len(set(headers)) == 60
    assert set(headers) == set(world.expected["journals"]) == set(vouchers(world))


def test_items_make_the_header_and_postings_make_their_items_to_the_last_unit(world: World) -> None:
    items, postings = children(world, "ManSuppInvoiceItemSet"), children(world, "ManSuppInvoicePostingsSet")
    for header in invoices(world, "applied"):
        of = invoice_key(header)
        for name in ("NetCurrAmount", "VatCurrAmount"):
            assert header[name] == sum(item[name] for item in items[of])
            assert header[name] == header[name].quantize(PLACES.get(header["Currency"], Decimal("0.01")))
        assert header["NetDomAmount"] == sum(row["DomAmount"] for row in postings[of])
        for item in items[of]:
            parts = [row["CurrAmount"] for row in postings[of] if row["ItemId"] == item["ItemId"]]
            assert sum(parts) == item["NetCurrAmount"]
    assert max(Counter(row["ItemId"] for rows in postings.values() for row in rows).values()) > 1


def test_invoices_of_an_order_name_its_lines_and_never_take_more_than_was_ordered(world: World) -> None:
    items = children(world, "ManSuppInvoiceItemSet")
    lines = {(row["OrderNo"], row["LineNo"], row["ReleaseNo"]): row for row in world.rows("PurchaseOrderLineSet")}
    orders = {row["OrderNo"]: row for row in world.rows("PurchaseOrderSet")}
    taken: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for header in [row for row in invoices(world, "applied") if row["PoRefNumber"]]:
        order = orders[header["PoRefNumber"]]
        assert world.expected["purchase_orders"][order["OrderNo"]].outcome == "applied"
        assert (header["Company"], header["Identity"]) == (order["Company"], order["VendorNo"])
        assert header["Currency"] == order["CurrencyCode"]
        assert header["InvoiceDate"] >= order["OrderDate"][:10]
        for item in items[invoice_key(header)]:
            if item["Description"] == "Additional cost":
                assert item["PoRefLineNo"] is None
                continue
            line = lines[order["OrderNo"], item["PoRefLineNo"], item["PoRefReleaseNo"]]
            assert (item["PartNo"], item["VatCode"]) == (line["PartNo"], line["TaxCode"])
            taken[order["OrderNo"], line["LineNo"], line["ReleaseNo"]] += item["Quantity"]
    assert all(0 <= taken[key] <= lines[key]["BuyQtyDue"] for key in taken)


def test_orders_have_one_invoice_or_two_or_three_and_credit_notes_take_back_a_part(world: World) -> None:
    good = invoices(world, "applied")
    per_order = Counter(row["PoRefNumber"] for row in good if row["PoRefNumber"] and row["NetCurrAmount"] > 0)
    assert set(per_order.values()) >= {1, 2, 3}
    by_id = {(row["Company"], row["InvoiceId"]): row for row in good}
    credits_of = [row for row in good if row["NetCurrAmount"] < 0]
    assert credits_of
    for credit in credits_of:
        invoice = by_id[credit["Company"], credit["CreditedInvoiceId"]]
        assert credit["InvoiceType"] != invoice["InvoiceType"]
        assert credit["PoRefNumber"] == invoice["PoRefNumber"]
        assert -credit["NetCurrAmount"] <= invoice["NetCurrAmount"]
        assert credit["InvoiceDate"] >= invoice["InvoiceDate"]
    assert sum(row["PoRefNumber"] is None for row in good) > 10


def test_there_are_currencies_of_every_number_of_decimals_and_rates_by_the_hundred(world: World) -> None:
    good = invoices(world, "applied")
    assert {row["Currency"] for row in good} >= {"SEK", "GBP", "EUR", "JPY", "KWD"}
    assert {(row["Currency"], row["DivFactor"]) for row in good} >= {("JPY", 100), ("KWD", 1), ("EUR", 1)}
    assert any(row["NetCurrAmount"].as_tuple().exponent == -3 for row in good)
    for row in good:
        worth = row["NetCurrAmount"] * row["CurrRate"] / row["DivFactor"]
        assert abs(worth - row["NetDomAmount"]) <= Decimal("0.005")


def test_states_dates_and_ids_are_as_they_should_be(world: World) -> None:
    good, left_out = invoices(world, "applied"), invoices(world, "left_out")
    assert {row["Objstate"] for row in good} == SENT
    start = world.starts["supplier_invoices"]
    assert {row["Objstate"] for row in left_out} >= {"Preliminary", "Cancelled"}
    assert {row["InvoiceDate"] < start for row in left_out if row["Objstate"] in SENT} == {True}
    lock = world.cin7_seed["accounts"][0]["company"]["LockDate"][:10]
    assert all(lock < row["InvoiceDate"] <= row["DueDate"] for row in good)
    ids = Counter(row["InvoiceId"] for row in world.rows("ManSuppInvoiceSet"))
    assert max(ids.values()) == 3


def test_good_invoices_and_vouchers_lean_only_on_accounts_that_cin7_has(world: World) -> None:
    codes, known = cin7_codes(world), charts(world)
    good = {invoice_key(row) for row in invoices(world, "applied")}
    used: list[tuple[str, str]] = [
        (row["Company"], row["CodeA"]) for row in world.rows("ManSuppInvoicePostingsSet") if invoice_key(row) in good
    ]
    passed = {key for key, one in world.expected["journals"].items() if one.outcome == "applied"}
    used += [(row["Company"], row["Account"]) for key in passed for row in vouchers(world)[key]]
    for company, account in set(used):
        assert known[company][codes.get((company, account), account)] == "ACTIVE"
    in_ifs = {(row["Company"], row["Account"]) for row in world.rows("AccountSet")}
    assert set(used) <= in_ifs


@pytest.mark.parametrize(
    "code",
    [
        "account.missing",
        "account.inactive",
        "total.mismatch",
        "period.locked",
        "currency.mismatch",
        "company.unmapped",
        "tax.unmapped",
        "dependency.missing",
        "source.invalid",
    ],
)
def test_there_is_an_invoice_for_every_reason_to_hold_one(world: World, code: str) -> None:
    assert invoices(world, "held", code)


def test_invoices_wait_for_held_and_waiting_orders_and_for_held_suppliers(world: World) -> None:
    orders, suppliers = world.expected["purchase_orders"], world.expected["suppliers"]
    outcomes = set()
    for row in invoices(world, "waiting"):
        needed = world.expected["supplier_invoices"][invoice_key(row)].value
        outcomes.add((orders.get(needed) or suppliers[needed]).outcome)
    assert outcomes == {"held", "waiting"}


def test_an_invoice_whose_order_is_not_sent_or_not_there_is_held_for_it(world: World) -> None:
    orders = world.expected["purchase_orders"]
    needed = {
        orders.get(world.expected["supplier_invoices"][invoice_key(row)].value)
        for row in invoices(world, "held", "dependency.missing")
    }
    assert {one and one.outcome for one in needed} == {None, "left_out"}


def test_vouchers_balance_in_the_companys_currency_except_those_held_for_it(world: World) -> None:
    expected = world.expected["journals"]
    unbalanced = of_code(expected, "journal.unbalanced")
    assert unbalanced
    for key, rows in vouchers(world).items():
        debet = sum(row["DebetAmount"] or 0 for row in rows)
        credit = sum(row["CreditAmount"] or 0 for row in rows)
        assert (debet != credit) is (key in unbalanced)
        assert all((row["DebetAmount"] is None) != (row["CreditAmount"] is None) for row in rows)
        assert all(row["Amount"] == (row["DebetAmount"] or 0) - (row["CreditAmount"] or 0) for row in rows)
    every = [row for rows in vouchers(world).values() for row in rows]
    assert min(row["Amount"] for row in every if row["DebetAmount"] is not None) < 0
    assert {row["CurrencyCode"] for row in every} >= {"SEK", "GBP", "JPY"}
    assert max(len(rows) for rows in vouchers(world).values()) >= 20


def test_voucher_numbers_repeat_across_companies_years_and_types(world: World) -> None:
    seen = {tuple(key.split("/")) for key in world.expected["journals"] if key.endswith("/2500001")}
    assert {company for company, *_ in seen} >= {"10", "20"}
    assert {year for company, year, *_ in seen if company == "20"} == {"2025", "2026"}
    assert {kind for company, _, kind, _ in seen if company == "10"} == {"I", "M", "U"}


def test_every_kind_of_wrong_voucher_is_there(world: World) -> None:
    expected = world.expected["journals"]
    culprits = {(one.code, one.value) for one in expected.values() if one.outcome == "held"}
    assert culprits == {
        ("journal.unbalanced", ""),
        ("account.missing", "9999"),
        ("account.missing", "7999"),
        ("account.inactive", "6990"),
        ("account.inactive", "5021"),
        ("company.unmapped", "30"),
    }
    (until,) = [row["ValidUntil"] for row in world.rows("AccountSet") if row["Account"] == "5021"]
    on_expired = {key: rows for key, rows in vouchers(world).items() if "5021" in {row["Account"] for row in rows}}
    for key, rows in on_expired.items():
        assert (rows[0]["VoucherDate"] > until) is (expected[key].outcome == "held")
    assert len(on_expired) == 2


def test_a_company_that_is_not_granted_and_the_general_ledger_are_out_of_sight(world: World) -> None:
    granted = world.ifs_seed["clients"][0]["companies"]
    expected = world.expected["journals"]
    hidden = [key for key in expected if key.split("/")[0] not in granted]
    assert [expected[key].outcome for key in hidden] == ["left_out"]
    posted = {voucher_key(row) for row in world.rows("VoucherSet") if row["VoucherUpdated"]}
    assert posted
    assert posted.isdisjoint(voucher_key(row) for row in world.rows("VoucherRowSet"))
    assert {expected[key].outcome for key in posted} == {"left_out"}


def test_the_stand_in_takes_the_seed_and_the_settings_name_go_live(world: World) -> None:
    counts = IfsApp().seed(msgspec.json.decode(as_json(world.ifs_seed)))
    assert (counts["ManSuppInvoiceSet"], counts["VoucherSet"]) == (300, 300)
    streams = msgspec.toml.decode(world.connector_toml("http://127.0.0.1:1", "http://127.0.0.1:2"))["ifs"]["streams"]
    assert streams["supplier_invoices"] == streams["journals"] == {"start_from": "2025-03-01"}
    known = {row["SupplierId"] for row in world.rows("SupplierInfoGeneralSet")}
    assert known == set(world.expected["suppliers"])
    assert {row["Identity"] for row in world.rows("ManSuppInvoiceSet")} <= known

"""The made-up world: the same each time, consistent in itself, wrong only where it says so."""

import csv
import io
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from random import Random
from typing import Any

import msgspec
import pytest

from sandbox.ifs.app import IfsApp
from sandbox.ifs.control import Edit
from sandbox.world import World, as_json, build_plain_world, build_world, changes
from sandbox.world.settings import connector_toml

SENT = {"Released", "Confirmed"}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(seed=1)


def table(world: World, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(world.tables[name])))


def orders(world: World, outcome: str, code: str = "") -> list[dict[str, Any]]:
    wanted = {
        key for key, one in world.expected["purchase_orders"].items() if (one.outcome, one.code) == (outcome, code)
    }
    return [row for row in world.rows("PurchaseOrderSet") if row["OrderNo"] in wanted]


def lines(world: World, order: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in world.rows("PurchaseOrderLineSet") if row["OrderNo"] == order["OrderNo"]]


def test_the_same_seed_gives_the_same_world_and_another_one_does_not(world: World) -> None:
    again = build_world(seed=1)
    assert as_json(again.ifs_seed) == as_json(world.ifs_seed)
    assert (again.expected, again.tables, again.cin7_seed) == (world.expected, world.tables, world.cin7_seed)
    assert as_json(build_world(seed=2).ifs_seed) != as_json(world.ifs_seed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_record_is_expected_once_and_the_numbers_are_as_asked(seed: int) -> None:
    world = build_world(seed=seed)
    for flow, name, key, count in (
        ("suppliers", "SupplierInfoGeneralSet", "SupplierId", 220),
        ("purchase_orders", "PurchaseOrderSet", "OrderNo", 520),
    ):
        keys = [row[key] for row in world.rows(name)]
        assert len(keys) == len(set(keys)) == count
        assert set(keys) == set(world.expected[flow])


def test_five_to_eight_percent_of_the_orders_cannot_be_applied(world: World) -> None:
    outcomes = Counter(one.outcome for one in world.expected["purchase_orders"].values())
    assert 0.05 <= (outcomes["held"] + outcomes["waiting"]) / 520 <= 0.08
    assert outcomes["applied"] > 300


@pytest.mark.parametrize(
    "code",
    [
        "account.missing",
        "account.inactive",
        "company.unmapped",
        "term.unmapped",
        "tax.unmapped",
        "product.missing",
        "currency.mismatch",
        "source.invalid",
        "total.mismatch",
        "dependency.missing",
    ],
)
def test_there_is_an_order_for_every_reason_to_hold_one(world: World, code: str) -> None:
    assert orders(world, "held", code)


def test_twelve_orders_of_company_10_need_the_account_that_cin7_lacks(world: World) -> None:
    found = orders(world, "held", "account.missing")
    coded = {row["PreAccountingId"]: row["AccountNo"] for row in world.rows("PreAccountingSet")}
    assert len(found) == 12
    assert {row["Company"] for row in found} == {"10"}
    for order in found:
        assert "9999" in {coded.get(line["PreAccountingId"]) for line in lines(world, order)}
    chart = {row["Code"] for row in world.cin7_seed["accounts"][0]["chart"]}
    assert "9999" not in chart


def test_applied_orders_lean_only_on_what_both_sides_have(world: World) -> None:
    good = {key for key, one in world.expected["suppliers"].items() if one.outcome == "applied"}
    accounts = {(row["company"], row["ifs_account"]): row["cin7_code"] for row in table(world, "accounts")}
    terms = {(row["company"], row["ifs_term"]) for row in table(world, "payment_terms")}
    taxes = {(row["company"], row["ifs_code"]) for row in table(world, "tax_codes")}
    skus = {row["ifs_part"]: row["sku"] for row in table(world, "products")}
    coded = {row["PreAccountingId"]: row for row in world.rows("PreAccountingSet")}
    cin7 = {"10": world.cin7_seed["accounts"][0], "20": world.cin7_seed["accounts"][1]}
    charts = {c: {a["Code"] for a in cin7[c]["chart"] if a.get("Status", "ACTIVE") == "ACTIVE"} for c in cin7}
    for order in orders(world, "applied"):
        company = order["Company"]
        assert order["VendorNo"] in good
        assert (company, order["PayTermId"]) in terms
        for line in lines(world, order):
            assert (company, line["TaxCode"]) in taxes
            assert line["BuyQtyDue"] >= 1
            coding = coded.get(line["PreAccountingId"] or order["PreAccountingId"])
            if line["PartNo"] is None:
                assert coding is not None
                account = coding["AccountNo"]
                assert accounts.get((company, account), account) in charts[company]
            else:
                sku = skus.get(line["PartNo"], line["PartNo"])
                assert sku in {product["SKU"] for product in cin7[company]["products"]}


def test_orders_are_paid_in_the_currency_agreed_with_their_supplier(world: World) -> None:
    agreed = {(row["Company"], row["Identity"]): row["DefCurrency"] for row in world.rows("IdentityInvoiceInfoSet")}
    for order in orders(world, "applied"):
        assert order["CurrencyCode"] == agreed[order["Company"], order["VendorNo"]]
    assert len({order["CurrencyCode"] for order in orders(world, "applied")}) >= 5


def test_net_amounts_are_quantity_times_price_less_discount(world: World) -> None:
    checked = 0
    for order in orders(world, "applied"):
        places = Decimal(1) if order["CurrencyCode"] == "JPY" else Decimal("0.01")
        for line in lines(world, order):
            if line["NetAmtCurr"] is None:
                continue
            goods = line["BuyQtyDue"] * line["BuyUnitPrice"] * (100 - line["Discount"]) / 100
            cost = line["AdditionalCostAmount"] or 0
            assert line["NetAmtCurr"] == goods.quantize(places, ROUND_HALF_UP) + cost
            checked += 1
    assert checked > 500


def test_the_world_has_the_variety_that_trips_careless_code(world: World) -> None:
    kinds = Counter[str]()
    for order in orders(world, "applied"):
        parts = {line["PartNo"] is None for line in lines(world, order)}
        kinds["mixed" if len(parts) == 2 else "coded" if True in parts else "parts"] += 1
        kinds["long"] += len(lines(world, order)) > 10
        kinds["header-coded"] += order["PreAccountingId"] is not None
        kinds["gross"] += order["UsePriceInclTax"]
    assert min(kinds.values()) > 0
    states = {row["Objstate"] for row in world.rows("PurchaseOrderSet")}
    assert states >= {"Planned", "Released", "Confirmed", "Arrived", "Received", "Closed", "Stopped", "Cancelled"}
    keys = "".join([*world.expected["suppliers"], *world.expected["purchase_orders"]])
    assert set("'/&,#%;=( ÖÅ本") <= set(keys)
    types = {row["AddressTypeCode"] for row in world.rows("SupplierInfoAddressTypeSet")}
    assert types == {"Delivery", "Document", "Pay", "Visit"}


def test_orders_before_go_live_and_in_other_states_are_left_out(world: World) -> None:
    left_out = orders(world, "left_out")
    early = [row for row in left_out if row["OrderDate"][:10] < world.start_from]
    assert early
    assert {row["Objstate"] for row in early} & SENT
    assert not {row["Objstate"] for row in left_out if row not in early} & SENT
    assert all(row["OrderDate"][:10] >= world.start_from for row in orders(world, "applied"))


def test_the_vendors_that_cin7_knew_before_are_alike_in_the_ways_that_matter(world: World) -> None:
    vendors = {row["Name"].casefold(): row for row in world.cin7_seed["accounts"][1]["suppliers"]}
    names = {row["SupplierId"]: row["Name"] for row in world.rows("SupplierInfoGeneralSet")}
    vat = {row["SupplierId"]: row["VatNo"] for row in world.rows("SupplierDocumentTaxInfoSet")}
    folded = {" ".join(name.split()): row for name, row in vendors.items()}
    assert folded[names["DUP-EXACT"].casefold()]["TaxNumber"] == vat["DUP-EXACT"]
    assert folded[names["DUP-NAME"].casefold()]["TaxNumber"] == ""
    assert names["DUP-CLOSE"].casefold() not in folded


def test_both_control_planes_take_the_seed_and_raw_rows_are_no_json(world: World) -> None:
    app = IfsApp()
    counts = app.seed(msgspec.json.decode(as_json(world.ifs_seed)))
    assert counts["PurchaseOrderSet"] == 520
    raw = [row["body"] for row in world.ifs_seed["raw_rows"]]
    assert len(raw) == 3
    assert any("NaN" in body for body in raw)
    assert any("\\ud83d" in body for body in raw)


def test_the_settings_name_both_accounts_and_take_changes() -> None:
    text = connector_toml(
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
        start_from="2025-04-01",
        ifs={"page_size": 50},
        cin7={"settle_s": 0.5},
        streams={"suppliers": {"every_s": 1, "fields": {"name": "Cf_Name"}}},
    )
    read = msgspec.toml.decode(text)
    assert read["ifs"]["page_size"] == 50
    assert read["ifs"]["streams"]["suppliers"] == {"every_s": 1, "fields": {"name": "Cf_Name"}}
    assert read["ifs"]["streams"]["purchase_orders"] == {"start_from": "2025-04-01"}
    assert {name: section["settle_s"] for name, section in read["cin7"].items()} == {"main": 0.5, "second": 0.5}


def test_a_stream_of_edits_is_taken_and_keeps_amounts_true(world: World) -> None:
    app = IfsApp()
    app.seed(world.ifs_seed)
    made = list(islice(changes(world, Random(4)), 200))  # noqa: S311 - made-up edits.
    for change in made:
        app.control.edit(msgspec.convert(msgspec.json.decode(as_json(change.edits)), list[Edit]))
    assert {change.flow for change in made} == {"suppliers", "purchase_orders"}
    assert {change.what.split()[0] for change in made} >= {"line", "cancelled", "new", "moved"}
    assert as_json(build_world(seed=1).ifs_seed) == as_json(world.ifs_seed)
    touched = {change.key for change in made if change.flow == "purchase_orders"}
    held = {key for key, one in world.expected["purchase_orders"].items() if one.outcome != "applied"}
    assert not touched & held


def test_a_plain_world_is_large_and_nothing_in_it_is_wrong() -> None:
    world = build_plain_world(suppliers=50, orders=300, account="9999")
    assert len(world.rows("PurchaseOrderLineSet")) == 900
    assert {row["AccountNo"] for row in world.rows("PreAccountingSet")} == {"9999"}
    assert len(world.rows("PreAccountingSet")) == 300
    assert {one.outcome for one in world.expected["purchase_orders"].values()} == {"applied"}
    assert "SupplierInfoAddressSet" not in build_plain_world(suppliers=5, orders=0, children=False).ifs_seed["sets"]
    assert IfsApp().seed(world.ifs_seed)["SupplierInfoGeneralSet"] == 50

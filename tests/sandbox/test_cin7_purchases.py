"""The stand-in's purchases: header, order, undo, void, and what a person's work locks."""

from typing import Any

import pytest

from tests.sandbox.cin7_fixtures import ACME, FREIGHT, Cin7, cin7_fixture, order, served_fixture  # noqa: F401 - fixtures, found by name.


def written(cin7: Cin7, **fields: object) -> dict[str, Any]:
    """Create a purchase with an authorised order of one line."""
    purchase = cin7.purchase()
    cin7.ok("POST", "purchase/order", order(purchase, cin7.line(), **fields))
    return purchase


def state(cin7: Cin7, purchase: dict[str, Any]) -> tuple[str, str]:
    read = cin7.ok("GET", "advanced-purchase", ID=purchase["ID"])
    return read["Status"], read["Order"]["Status"]


def test_a_header_gets_a_number_of_its_own_and_ignores_lines_silently(cin7: Cin7) -> None:
    made = cin7.purchase(Lines=[{"SKU": "BOLT-M8"}], OrderNumber="PO-77777", Note="IFS PO 10/1001")
    assert (made["OrderNumber"], made["Order"]["Lines"], made["Note"]) == ("PO-00001", [], "IFS PO 10/1001")
    assert (made["Status"], made["Order"]["Status"], made["Invoice"][0]["Status"]) == ("DRAFT", *["NOT AVAILABLE"] * 2)
    assert (made["SupplierCurrency"], made["Terms"], made["Approach"]) == ("GBP", "30 days", "INVOICE")
    assert cin7.purchase()["OrderNumber"] == "PO-00002"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"SupplierID": "5d0c1f5e-0a3b-4b1e-9a55-0f6b1a0f7f10"}, "Suppliers reference book"),
        ({"SupplierID": "", "Supplier": ""}, "Required attribute Supplier"),
        ({"Approach": "ORDER"}, "Approach 'ORDER' is invalid"),
        ({"Approach": ""}, "Required attribute Approach"),
        ({"Location": "Main Warehous"}, "Location 'Main Warehous' was not found in Locations reference book"),
        ({"Location": "Closed Depot"}, "Locations reference book"),
        ({"Terms": "Cash on delivery"}, "Active payment term"),
        ({"TaxRule": "VAT"}, "Tax Rules reference book"),
        ({"PurchaseType": "Normal"}, "PurchaseType"),
        ({"Note": "x" * 1025}, "Note length"),
        ({"RequiredBy": "soon"}, "RequiredBy is invalid"),
        ({"ShippingAddress": {"Line1": "1 Mill Lane"}}, "Required attribute Country"),
    ],
)
def test_a_header_with_a_fault_is_refused_and_uses_no_number(cin7: Cin7, change: dict[str, Any], part: str) -> None:
    supplier = cin7.supplier()
    body = {"SupplierID": supplier["ID"], "Approach": "STOCK", "Location": "Main Warehouse", "PurchaseType": "Simple"}
    assert any(part in text for text in cin7.refusals("POST", "advanced-purchase", {**body, **change}))
    assert cin7.purchase()["OrderNumber"] == "PO-00001"


def test_an_order_answers_flat_with_computed_totals(cin7: Cin7) -> None:
    purchase = cin7.purchase()
    body = order(purchase, cin7.line(), AdditionalCharges=[{**FREIGHT, "TaxRule": "Tax on Purchases"}])
    answer = cin7.ok("POST", "purchase/order", body)
    assert (answer["TaskID"], answer["TotalBeforeTax"], answer["Tax"], answer["Total"]) == (
        purchase["ID"],
        37,
        7.4,
        44.4,
    )
    assert "OrderNumber" not in answer
    assert cin7.ok("GET", "purchase/order", TaskID=purchase["ID"].upper()) == answer
    assert state(cin7, purchase) == ("ORDERED", "AUTHORISED")


def test_decimals_keep_their_digits(cin7: Cin7) -> None:
    purchase = cin7.purchase()
    line = cin7.line()
    text = (
        f'{{"TaskID":"{purchase["ID"]}","CombineAdditionalCharges":false,"Memo":"","Status":"DRAFT","Lines":[{{'
        f'"ProductID":"{line["ProductID"]}","SKU":"BOLT-M8","Name":"Bolt","TaxRule":"Tax on Purchases",'
        '"Quantity":3.0000,"Price":90071992547409.9301,"Tax":0.00,"Total":270215977642229.79}]}'
    )
    answer = cin7.http.post("purchase/order", content=text, headers={"content-type": "application/json"})
    assert '"Quantity":3.0000,"Price":90071992547409.9301' in answer.text


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Total": 25.02}, "Total 25.02 is invalid"),
        ({"Quantity": 0.5, "Total": 0.13}, "Quantity should be greater than or equal to 1"),
        ({"Quantity": "100"}, "Quantity is invalid"),
        ({"SKU": "BOLT-M9"}, "Product 'BOLT-M9' was not found"),
        ({"SKU": "NUT-M8"}, "Product 'NUT-M8' was not found"),
        ({"SKU": ""}, "Required attribute SKU"),
        ({"ProductID": None}, "Required attribute ProductID"),
        ({"TaxRule": "VAT"}, "Tax Rules reference book"),
        ({"TaxRule": None}, "Required attribute TaxRule"),
        ({"Discount": -1}, "Discount should be between"),
        ({"Name": None}, "Required attribute Name"),
    ],
)
def test_a_line_with_a_fault_refuses_the_whole_order(cin7: Cin7, change: dict[str, Any], part: str) -> None:
    purchase = cin7.purchase()
    texts = cin7.refusals("POST", "purchase/order", order(purchase, cin7.line(), cin7.line(**change)))
    assert any(part in text for text in texts)
    assert state(cin7, purchase) == ("DRAFT", "NOT AVAILABLE")


def test_a_total_may_be_off_by_a_cent(cin7: Cin7) -> None:
    answer = cin7.ok("POST", "purchase/order", order(cin7.purchase(), cin7.line(Total=25.01)))
    assert answer["TotalBeforeTax"] == 25.01


@pytest.mark.parametrize("missing", ["TaskID", "CombineAdditionalCharges", "Memo", "Status", "Lines"])
def test_an_order_needs_all_of_its_head(cin7: Cin7, missing: str) -> None:
    body = order(cin7.purchase(), cin7.line())
    del body[missing]
    assert cin7.refusals("POST", "purchase/order", body) == [f"Required property '{missing}' not found"]


def test_a_draft_order_is_replaced_and_an_authorised_one_must_be_undone_first(cin7: Cin7) -> None:
    purchase = written(cin7, Status="DRAFT")
    body = order(purchase, cin7.line(Quantity=200, Total=50))
    assert [line["Quantity"] for line in cin7.ok("POST", "purchase/order", body)["Lines"]] == [200]
    assert "DRAFT or NOT AVAILABLE" in cin7.refusals("POST", "purchase/order", body)[0]
    cin7.ok("DELETE", "advanced-purchase", ID=purchase["ID"], Void="false")
    assert state(cin7, purchase) == ("ORDERING", "DRAFT")
    cin7.ok("POST", "purchase/order", body)


def test_an_order_cannot_be_put(cin7: Cin7) -> None:
    answer = cin7.send("PUT", "purchase/order", order(cin7.purchase(), cin7.line()))
    assert answer.status_code == 405
    assert answer.json() == {"Message": "The requested resource does not support http method 'PUT'."}


def test_a_service_purchase_turns_lines_into_charges(cin7: Cin7) -> None:
    purchase = cin7.purchase(IsServiceOnly=True, Approach="STOCK")
    assert (purchase["Type"], purchase["Approach"]) == ("Service Purchase", "INVOICE")
    answer = cin7.ok("POST", "purchase/order", order(purchase, cin7.line()))
    assert answer["Lines"] == []
    assert [(row["Description"], row["Reference"]) for row in answer["AdditionalCharges"]] == [("Bolt M8", "1001/1/1")]


def test_a_charge_must_name_a_service_product_where_the_switch_says_so(cin7: Cin7) -> None:
    cin7.control("POST", "switches", {"charge_descriptions": "service-products"})
    purchase = cin7.purchase(IsServiceOnly=True)
    body = order(purchase, AdditionalCharges=[{**FREIGHT, "Description": "Window cleaning"}])
    assert "Service product 'Window cleaning'" in cin7.refusals("POST", "purchase/order", body)[0]
    cin7.ok("POST", "purchase/order", order(purchase, AdditionalCharges=[FREIGHT]))


def test_a_void_voids_every_stage_for_good(cin7: Cin7) -> None:
    purchase = written(cin7)
    answer = cin7.ok("DELETE", "advanced-purchase", ID=purchase["ID"], Void="true")
    stages = [answer["Order"], *answer["StockReceived"], *answer["Invoice"], *answer["CreditNote"]]
    assert {stage["Status"] for stage in stages} == {answer["Status"]} == {"VOIDED"}
    assert "voided" in cin7.refusals("DELETE", "advanced-purchase", ID=purchase["ID"], Void="true")[0]
    cin7.refusals("POST", "purchase/order", order(purchase, cin7.line()))


@pytest.mark.parametrize("mark", [{"received": True}, {"received": "partial"}, {"invoiced": True}])
def test_what_was_received_or_invoiced_can_neither_be_undone_nor_voided(cin7: Cin7, mark: dict[str, Any]) -> None:
    purchase = written(cin7)
    cin7.control("POST", f"purchases/{purchase['ID']}", mark)
    for void in ("true", "false"):
        assert "undo or void it first" in cin7.refusals("DELETE", "advanced-purchase", ID=purchase["ID"], Void=void)[0]


def test_statuses_follow_from_the_stages(cin7: Cin7) -> None:
    purchase = written(cin7)

    def after(**mark: object) -> tuple[str, str, str]:
        read = cin7.control("POST", f"purchases/{purchase['OrderNumber']}", mark)
        return read["Status"], read["CombinedReceivingStatus"], read["CombinedInvoiceStatus"]

    assert after(received="partial") == ("RECEIVED", "PARTIALLY RECEIVED", "NOT INVOICED")
    assert after(received=True) == ("RECEIVED", "FULLY RECEIVED", "NOT INVOICED")
    assert after(invoiced="partial") == ("PARTIALLY INVOICED", "FULLY RECEIVED", "PARTIALLY INVOICED")
    assert after(invoiced=True) == ("COMPLETED", "FULLY RECEIVED", "INVOICED")
    assert after(received=False, invoiced=False) == ("ORDERED", "NOT RECEIVED", "NOT INVOICED")


def test_a_header_of_an_authorised_order_takes_only_note_and_attributes(cin7: Cin7) -> None:
    purchase = written(cin7)
    body = {"ID": purchase["ID"], "Note": "moved", "AdditionalAttributes": {"AdditionalAttribute2": "x"}}
    read = cin7.ok("PUT", "advanced-purchase", body)
    assert (read["Note"], read["AdditionalAttributes"]["AdditionalAttribute2"]) == ("moved", "x")
    assert "RequiredBy" in cin7.refusals("PUT", "advanced-purchase", {**body, "RequiredBy": "2026-05-01T00:00:00"})[0]


def test_the_deprecated_family_serves_simple_purchases_only_and_spells_oddly(cin7: Cin7) -> None:
    advanced, simple = cin7.purchase(), cin7.purchase("purchase")
    assert "Please use AdvancedPurchase endpoint" in cin7.refusals("GET", "purchase", ID=advanced["ID"])[0]
    assert (simple["Invoice"]["InvocieNumber"], simple["Invoice"]["Status"], simple["Status"]) == (
        "",
        "DRAFT",
        "ORDERING",
    )
    assert "Type" not in simple
    cin7.control("POST", f"purchases/{simple['ID']}", {"received": True})
    read = cin7.ok("GET", "advanced-purchase", ID=simple["ID"])
    assert (read["Type"], read["StockReceived"][0]["Status"]) == ("Simple Purchase", "")


def test_a_purchase_is_asked_for_by_id_and_by_nothing_else(cin7: Cin7) -> None:
    purchase = cin7.purchase()
    for params in ({"TaskID": purchase["ID"]}, {"ID": "00000000-0000-0000-0000-000000000000"}, {}):
        texts = cin7.refusals("GET", "advanced-purchase", **params)
        assert texts == ["Purchase Task with specified ID not found"]


def numbers(cin7: Cin7, **params: object) -> list[str]:
    return [row["OrderNumber"] for row in cin7.ok("GET", "purchaseList", **params)["PurchaseList"]]


def test_the_list_ascends_by_number_and_searches_five_fields_only(cin7: Cin7) -> None:
    written(cin7)
    cin7.purchase(Note="IFS PO 10/1001")
    assert numbers(cin7) == ["PO-00001", "PO-00002"]
    assert numbers(cin7, Search="10/1001") == []
    assert numbers(cin7, Search=ACME["Name"][2:9].upper()) == ["PO-00001", "PO-00002"]
    assert numbers(cin7, Search="ordered") == ["PO-00001"]
    assert "Note" not in cin7.ok("GET", "PURCHASELIST")["PurchaseList"][0]


def test_list_filters_take_one_value_each_and_all_must_hold(cin7: Cin7) -> None:
    written(cin7)
    cin7.purchase()
    assert numbers(cin7, OrderStatus="AUTHORISED") == ["PO-00001"]
    assert numbers(cin7, OrderStatus="AUTHORISED,NOT AVAILABLE") == []
    assert numbers(cin7, OrderStatus="AUTHORISED", Status="DRAFT") == []
    assert len(numbers(cin7, Type="Simple Purchase", RestockReceivedStatus="AUTHORISED")) == 2


def test_the_list_knows_what_changed_since(cin7: Cin7) -> None:
    first = written(cin7)
    cin7.purchase()
    cin7.control("POST", "clock", {"offset_s": 3600})
    cin7.control("POST", f"purchases/{first['ID']}", {"header": {"Note": "a person was here"}})
    moved = cin7.ok("GET", "advanced-purchase", ID=first["ID"])["LastUpdatedDate"]
    assert numbers(cin7, UpdatedSince=moved) == ["PO-00001"]
    assert numbers(cin7, UpdatedUntil=moved) == ["PO-00001", "PO-00002"]

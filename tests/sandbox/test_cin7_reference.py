"""The stand-in's reference data, credentials and answers that are not what they seem."""

import pytest

from tests.sandbox.cin7_fixtures import ACCOUNT, KEY, Cin7, cin7_fixture, served_fixture  # noqa: F401 - fixtures, found by name.


def test_the_chart_keeps_odd_codes_and_filters(cin7: Cin7) -> None:
    codes = [row["Code"] for row in cin7.ok("GET", "ref/account", Limit=1000)["AccountsList"]]
    assert {"001", "_59_", "800"} <= set(codes)
    archived = cin7.ok("GET", "Ref/Account", Status="archived")["AccountsList"]
    assert [row["Code"] for row in archived] == ["499"]


def test_a_code_that_matches_nothing_is_an_error_and_not_an_empty_list(cin7: Cin7) -> None:
    assert cin7.refusals("GET", "ref/account", Code="1") == ["Account with specified ID not found"]
    assert cin7.ok("GET", "ref/account", Code="001")["Total"] == 1
    assert cin7.ok("GET", "ref/location", Name="Nowhere")["LocationList"] == []


def test_the_system_account_is_a_name_or_by_switch_its_code(cin7: Cin7) -> None:
    row = cin7.ok("GET", "ref/account", Code="800")["AccountsList"][0]
    assert (row["SystemAccount"], row["SystemAccountCode"]) == ("Accounts payable", "CREDITORS")
    cin7.control("POST", "switches", {"system_account_style": "old"})
    row = cin7.ok("GET", "ref/account", Code="800")["AccountsList"][0]
    assert (row["SystemAccount"], "SystemAccountCode" in row) == ("CREDITORS", False)


def test_terms_and_taxes_list_the_inactive_too(cin7: Cin7) -> None:
    terms = cin7.ok("GET", "ref/paymentterm", IsActive="false")["PaymentTermList"]
    assert [row["Name"] for row in terms] == ["Cash on delivery"]
    rules = cin7.ok("GET", "ref/tax", Name="tax on", IsTaxForPurchase="true")["TaxRuleList"]
    assert [row["Components"][0]["Percent"] for row in rules] == ["20.0000000000"]


def test_bins_are_listed_as_locations_with_a_parent(cin7: Cin7) -> None:
    rows = cin7.ok("GET", "ref/location", Deprecated="false")["LocationList"]
    assert [(row["Name"], row["ParentID"]) for row in rows] == [("Main Warehouse", None), ("A-01", rows[0]["ID"])]


def test_products_hide_the_deprecated_and_match_in_the_middle(cin7: Cin7) -> None:
    found = cin7.ok("GET", "product", Sku="m8")
    assert [row["SKU"] for row in found["Products"]] == ["BOLT-M8", "NUT-M8"]
    assert cin7.ok("GET", "product", Sku="OLD", IncludeDeprecated="true")["Total"] == 1
    assert cin7.ok("GET", "product", Sku="OLD")["Total"] == 0


def test_an_account_added_by_a_person_is_there_at_once(cin7: Cin7) -> None:
    cin7.control("POST", "accounts", {"row": {"Code": "9999", "Name": "Special works"}})
    assert cin7.ok("GET", "ref/account", Code="9999")["AccountsList"][0]["Status"] == "ACTIVE"
    cin7.control("POST", "accounts", {"row": {"Code": "9999", "Status": "ARCHIVED"}})
    assert cin7.ok("GET", "ref/account", Code="9999")["AccountsList"][0]["Name"] == "Special works"
    cin7.control("POST", "accounts", {"remove": ["9999"]})
    cin7.refusals("GET", "ref/account", Code="9999")


@pytest.mark.parametrize(
    ("style", "body"),
    [
        ("text", "Incorrect credentials!"),
        ("json", '"Incorrect credentials!"'),
        ("error", '[{"ErrorCode":403,"Exception":"Incorrect credentials!"}]'),
    ],
)
def test_wrong_credentials_are_refused_in_three_styles(cin7: Cin7, style: str, body: str) -> None:
    cin7.control("POST", "switches", {"credentials_body": style})
    for account, key in ((ACCOUNT, "wrong"), (KEY, KEY), ("", "")):
        stranger = Cin7(cin7.sandbox, cin7.url, account, key)
        answer = stranger.send("GET", "me")
        assert (answer.status_code, answer.text) == (403, body)
    assert cin7.control("GET", "state")["accounts"][0]["counters"]["suppliers"] == 0


def test_two_companies_share_nothing(cin7: Cin7) -> None:
    other = "99999999-2222-4333-8444-555555555555"
    accounts = [
        {"account_id": ACCOUNT, "keys": [KEY]},
        {"account_id": other, "keys": ["k2"], "company": {"Currency": "EUR"}},
    ]
    cin7.control("POST", "seed", {"accounts": accounts})
    second = Cin7(cin7.sandbox, cin7.url, other.upper(), "K2")
    cin7.supplier()
    assert (cin7.purchase()["OrderNumber"], second.purchase()["OrderNumber"]) == ("PO-00001", "PO-00001")
    assert second.ok("GET", "me")["Currency"] == "EUR"
    assert Cin7(cin7.sandbox, cin7.url, other, KEY).send("GET", "me").status_code == 403


@pytest.mark.parametrize(("style", "status"), [("html200", 200), ("404", 404), ("redirect", 302)])
def test_a_wrong_path_answers_a_page_with_whatever_status(cin7: Cin7, style: str, status: int) -> None:
    cin7.control("POST", "switches", {"unknown_path": style})
    answer = cin7.send("GET", "suppliers")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_a_body_that_is_no_json_object_is_a_server_error(cin7: Cin7) -> None:
    for content in ("{", "[]", "\xff"):
        answer = cin7.http.post(
            "supplier", content=content.encode("latin-1"), headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()[0]["ErrorCode"]) == (500, 500)


def test_an_error_may_come_as_a_bare_object_by_switch(cin7: Cin7) -> None:
    cin7.control("POST", "switches", {"error_shape": "object"})
    assert cin7.send("POST", "supplier", {}).json() == {
        "ErrorCode": 400,
        "Exception": "Required attribute Name is not provided.",
    }

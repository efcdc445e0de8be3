"""The stand-in's suppliers: what is refused, what is merged, what is found."""

from typing import Any

import pytest

from tests.sandbox.cin7_fixtures import ACME, Cin7, cin7_fixture, served_fixture  # noqa: F401 - fixtures, found by name.


def listed(cin7: Cin7, **params: object) -> list[str]:
    return [row["Name"] for row in cin7.ok("GET", "supplier", **params)["SupplierList"]]


def test_a_created_supplier_comes_back_in_the_list_envelope_with_ids_and_a_stamp(cin7: Cin7) -> None:
    answer = cin7.ok("POST", "Supplier", ACME)
    assert (answer["Total"], answer["Page"]) == (1, 1)
    (row,) = answer["SupplierList"]
    assert row["Addresses"][0]["SupplierID"] == row["ID"]
    assert row["LastModifiedOn"].endswith("Z")
    assert (row["Comments"], row["Addresses"][0]["Line2"]) == ("", None)


def test_an_empty_text_is_echoed_on_write_and_null_on_read(cin7: Cin7) -> None:
    written = cin7.supplier()
    (read,) = cin7.ok("GET", "supplier", ID=written["ID"].upper())["SupplierList"]
    assert (written["Comments"], read["Comments"]) == ("", None)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Name": ""}, "Required attribute Name is not provided"),
        ({"Currency": "pounds"}, "Currency"),
        ({"Currency": "gbp"}, "Currencies reference book"),
        ({"PaymentTerm": "Cash on delivery"}, "Active payment term with name Cash on delivery was not found"),
        ({"TaxRule": "Tax before 2011"}, "Tax Rules reference book"),
        ({"AccountPayable": "805"}, "Chart of Accounts"),
        ({"AccountPayable": "9999"}, "Chart of Accounts"),
        ({"Status": "Sleeping"}, "Status 'Sleeping' is invalid"),
        ({"Discount": 101}, "Discount should be between"),
        ({"Discount": "5"}, "Discount is invalid"),
        ({"Comments": "x" * 257}, "Comments length"),
        ({"AttributeSet": "Unheard of"}, "Attribute set 'Unheard of' was not found"),
        ({"Addresses": [{"Line1": "1 Mill Lane", "Type": "Business"}]}, "Required attribute Country"),
        ({"Addresses": [{"Line1": "x", "Country": "GB", "Type": "Business"}]}, "Country 'GB' was not found"),
        ({"Addresses": [{"Line1": "x", "Country": "France", "Type": "Home"}]}, "Address type 'Home' is invalid"),
        ({"Contacts": [{"Phone": "1"}]}, "Required attribute Name"),
    ],
)
def test_a_supplier_with_one_fault_is_refused_and_not_made(cin7: Cin7, change: dict[str, Any], part: str) -> None:
    assert any(part in text for text in cin7.refusals("POST", "supplier", {**ACME, **change}))
    assert listed(cin7, IncludeDeprecated="true") == []


def test_no_more_than_two_of_many_faults_are_reported(cin7: Cin7) -> None:
    assert len(cin7.refusals("POST", "supplier", {"Status": "Active"})) == 2


def test_a_name_is_taken_whatever_its_case_even_by_a_deprecated_supplier(cin7: Cin7) -> None:
    cin7.supplier(Status="Deprecated")
    assert listed(cin7) == []
    (text,) = cin7.refusals("POST", "supplier", {**ACME, "Name": "ACME fasteners ltd "})
    assert "must be unique" in text


def test_a_freed_name_may_be_taken_again(cin7: Cin7) -> None:
    first = cin7.supplier()
    cin7.ok("PUT", "supplier", {"ID": first["ID"], "Name": "Acme Holdings"})
    cin7.supplier()
    assert listed(cin7, Name="acme h") == ["Acme Holdings"]


def test_a_put_leaves_alone_what_it_does_not_name_and_clears_what_it_sends_empty(cin7: Cin7) -> None:
    made = cin7.supplier(TaxNumber="GB123", Comments="Slow")
    (row,) = cin7.ok("PUT", "supplier", {"ID": made["ID"], "Comments": ""})["SupplierList"]
    assert (row["TaxNumber"], row["Comments"], row["Name"]) == ("GB123", "", ACME["Name"])


def test_a_contact_without_its_id_is_added_and_with_it_updated(cin7: Cin7) -> None:
    made = cin7.supplier()
    jo = made["Contacts"][0]
    change = {"ID": made["ID"], "Contacts": [{"ID": jo["ID"], "Email": "jo@acme.example"}, {"Name": "Jo Reed"}]}
    contacts = cin7.ok("PUT", "supplier", change)["SupplierList"][0]["Contacts"]
    assert [(item["Name"], item["Phone"], item["Email"]) for item in contacts] == [
        ("Jo Reed", "+44 113 496 0000", "jo@acme.example"),
        ("Jo Reed", None, None),
    ]


@pytest.mark.parametrize(("switch", "left"), [("kept", 2), ("removed", 1)])
def test_an_address_left_out_of_a_put_is_kept_or_removed_by_switch(cin7: Cin7, switch: str, left: int) -> None:
    cin7.control("POST", "switches", {"left_out_children": switch})
    made = cin7.supplier(Addresses=[{"Line1": name, "Country": "France", "Type": "Billing"} for name in "ab"])
    body = {"ID": made["ID"], "Addresses": [{"ID": made["Addresses"][0]["ID"], "City": "Lyon"}]}
    assert len(cin7.ok("PUT", "supplier", body)["SupplierList"][0]["Addresses"]) == left


def test_a_put_of_an_unknown_supplier_is_refused(cin7: Cin7) -> None:
    body = {"ID": "5d0c1f5e-0a3b-4b1e-9a55-0f6b1a0f7f10", "Comments": "x"}
    assert cin7.refusals("PUT", "supplier", body) == ["Supplier with specified id does not exist"]


def test_there_is_no_delete_of_suppliers(cin7: Cin7) -> None:
    answer = cin7.send("DELETE", "supplier", ID=cin7.supplier()["ID"])
    assert (answer.status_code, "'DELETE'" in answer.json()["Message"]) == (405, True)


def test_a_name_search_is_a_prefix_and_may_put_a_longer_name_first(cin7: Cin7) -> None:
    for name in ("Acme", "Acme Fasteners", "Bacme"):
        cin7.supplier(Name=name)
    assert listed(cin7, name="ACME") == ["Acme Fasteners", "Acme"]
    assert listed(cin7, Name="acme", Limit=1) == ["Acme Fasteners"]


@pytest.mark.parametrize(("switch", "found"), [("inclusive", 1), ("exclusive", 0)])
def test_modified_since_includes_its_own_moment_or_not_by_switch(cin7: Cin7, switch: str, found: int) -> None:
    cin7.control("POST", "switches", {"modified_since": switch})
    made = cin7.supplier()
    assert len(listed(cin7, ModifiedSince=made["LastModifiedOn"])) == found
    assert listed(cin7, ModifiedSince="2001-01-01") == [ACME["Name"]]


def test_pages_are_counted_from_one_and_empty_past_the_end(cin7: Cin7) -> None:
    for number in range(3):
        cin7.supplier(Name=f"S{number}")
    answer = cin7.ok("GET", "supplier", page=2, LIMIT=2)
    assert (answer["Total"], answer["Page"], len(answer["SupplierList"])) == (3, 2, 1)
    assert listed(cin7, Page=9) == []


def test_an_unknown_query_key_is_ignored_and_a_page_size_out_of_range_refused(cin7: Cin7) -> None:
    cin7.supplier()
    assert listed(cin7, SupplierName="nobody") == [ACME["Name"]]
    assert cin7.send("GET", "supplier", Limit=1001).status_code == 400
    cin7.control("POST", "switches", {"limit_out_of_range": "clamp"})
    assert listed(cin7, Limit=1001) == [ACME["Name"]]


def test_attribute_values_vanish_without_a_set_where_the_switch_says_so(cin7: Cin7) -> None:
    cin7.control("POST", "switches", {"attributes_need_set": True})
    assert cin7.supplier()["AdditionalAttribute1"] == ""
    assert cin7.supplier(Name="B", AttributeSet="ERP link")["AdditionalAttribute1"] == "20017"


def test_guids_are_shown_in_capitals_by_switch_and_understood_in_any_case(cin7: Cin7) -> None:
    cin7.control("POST", "switches", {"guid_case": "upper"})
    made = cin7.supplier()
    assert made["ID"] == made["ID"].upper()
    assert listed(cin7, ID=made["ID"].lower()) == [ACME["Name"]]


def test_a_person_may_take_away_what_no_call_can(cin7: Cin7) -> None:
    made = cin7.supplier()
    gone = [made["Contacts"][0]["ID"], made["Addresses"][0]["ID"]]
    cin7.control("POST", "suppliers", {"supplier": {"ID": made["ID"], "Removed": gone}})
    (row,) = cin7.ok("GET", "supplier", ID=made["ID"])["SupplierList"]
    assert (row["Contacts"], row["Addresses"]) == ([], [])
    assert row["LastModifiedOn"] >= made["LastModifiedOn"]


def test_two_people_may_swap_names_by_way_of_a_third(cin7: Cin7) -> None:
    one, two = cin7.supplier(Name="One"), cin7.supplier(Name="Two")
    for made, name in ((one, "Aside"), (two, "One"), (one, "Two")):
        cin7.control("POST", "suppliers", {"supplier": {"ID": made["ID"], "Name": name}})
    assert [row["ID"] for row in cin7.ok("GET", "supplier")["SupplierList"]] == [one["ID"], two["ID"]]
    assert listed(cin7) == ["Two", "One"]


def test_a_call_whose_client_has_gone_may_take_effect_later(cin7: Cin7) -> None:
    made = cin7.supplier()
    cin7.control("POST", "faults", {"kind": "504", "method": "PUT", "times": 1, "late_s": 60})
    assert cin7.send("PUT", "supplier", {"ID": made["ID"], "Comments": "late"}).status_code == 504
    assert cin7.ok("GET", "supplier")["SupplierList"][0]["Comments"] is None
    cin7.control("POST", "clock", {"offset_s": 61})
    assert cin7.ok("GET", "supplier")["SupplierList"][0]["Comments"] == "late"

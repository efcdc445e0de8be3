"""The stand-in's webhooks: what is registered, what is sent and when, and what happens to a receiver that fails."""

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.cin7_fixtures import (  # noqa: F401 - fixtures, found by name.
    FREIGHT,
    Cin7,
    cin7_fixture,
    order,
    served_fixture,
)
from tests.sandbox.webhook_listener import Listener, listening

#: Seconds that a minute of the schedule takes in these tests.
MINUTE_S = 0.02


@pytest.fixture(name="listener")
def listener_fixture() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture(name="quick", autouse=True)
def quick_fixture(cin7: Cin7) -> None:
    cin7.control("POST", "switches", {"webhook_minute_s": MINUTE_S})


def hook(url: str, **fields: object) -> dict[str, Any]:
    plain = {"Type": "Supplier/Updated", "IsActive": True, "ExternalURL": url, "ExternalAuthorizationType": "noauth"}
    return {**plain, **fields}


def registered(cin7: Cin7, url: str, **fields: object) -> dict[str, Any]:
    (made,) = cin7.ok("POST", "webhooks", hook(url, **fields))["Webhooks"]
    return dict(made)


def deliveries(cin7: Cin7) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cin7.control("GET", "deliveries")["deliveries"]
    return found


def until_idle(cin7: Cin7) -> list[dict[str, Any]]:
    end = time.monotonic() + 10
    while any(one["state"] in ("waiting", "under way") for one in deliveries(cin7)):
        assert time.monotonic() < end, deliveries(cin7)
        time.sleep(0.005)
    return deliveries(cin7)


def test_a_webhook_is_created_with_an_id_and_a_name_and_listed_with_its_secret_in_clear(cin7: Cin7) -> None:
    made = registered(cin7, "https://a.example/x", ExternalAuthorizationType="bearerauth", ExternalBearerToken="s3cret")
    assert (made["Name"], made["ExternalUserName"], made["ExternalHeaders"]) == ("Supplier has been updated", None, [])
    (listed,) = cin7.ok("GET", "webhooks", Page=7, Limit=1)["Webhooks"]
    assert (listed["ID"], listed["ExternalBearerToken"], listed["ExternalUserName"]) == (made["ID"], "s3cret", "")
    cin7.control("POST", "switches", {"webhook_secrets": "empty"})
    assert cin7.ok("GET", "webhooks")["Webhooks"][0]["ExternalBearerToken"] == ""


def test_a_put_replaces_all_of_it_or_merges_by_switch(cin7: Cin7) -> None:
    made = registered(cin7, "https://a.example/x", ExternalHeaders=[{"Key": "k", "Value": "v"}])
    (changed,) = cin7.ok("PUT", "webhooks", hook("https://b.example/y", ID=made["ID"].upper()))["Webhooks"]
    assert (changed["ExternalURL"], changed["ExternalHeaders"]) == ("https://b.example/y", [])
    assert cin7.refusals("PUT", "webhooks", {"ID": made["ID"], "IsActive": False})
    cin7.control("POST", "switches", {"webhook_put": "merge"})
    (changed,) = cin7.ok("PUT", "webhooks", {"ID": made["ID"], "IsActive": False})["Webhooks"]
    assert (changed["ExternalURL"], changed["IsActive"]) == ("https://b.example/y", False)


def test_a_delete_answers_the_ones_that_are_left(cin7: Cin7) -> None:
    first, second = registered(cin7, "https://a.example/1"), registered(cin7, "https://a.example/2")
    left = cin7.ok("DELETE", "webhooks", ID=first["ID"])["Webhooks"]
    assert [one["ID"] for one in left] == [second["ID"]]
    assert cin7.refusals("DELETE", "webhooks", ID=first["ID"]) == ["Webhook with specified ID not found"]
    assert cin7.ok("DELETE", "webhooks", ID=second["ID"]) == {"Webhooks": []}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Type": "Supplier/Deleted"}, "type 'Supplier/Deleted' is invalid"),
        ({"Type": ""}, "Type is not provided"),
        ({"IsActive": "yes"}, "IsActive is not provided"),
        ({"ExternalURL": "ftp://x"}, "ExternalURL 'ftp://x' is invalid"),
        ({"ExternalAuthorizationType": "oauth"}, "'oauth' is invalid"),
        ({"ExternalAuthorizationType": "bearerauth"}, "ExternalBearerToken is not provided"),
        ({"ExternalAuthorizationType": "basicauth", "ExternalUserName": "x"}, "ExternalPassword is not provided"),
        ({"ExternalHeaders": {"Key": "Value"}}, "ExternalHeaders is invalid"),
    ],
)
def test_a_webhook_with_one_fault_is_refused(cin7: Cin7, change: dict[str, Any], part: str) -> None:
    assert any(part in text for text in cin7.refusals("POST", "webhooks", hook("https://a.example", **change)))
    assert cin7.ok("GET", "webhooks")["Webhooks"] == []


def test_there_are_at_most_five_of_one_type(cin7: Cin7) -> None:
    for number in range(5):
        registered(cin7, f"https://a.example/{number}", IsActive=number > 0)
    assert "Only 5 webhooks" in cin7.refusals("POST", "webhooks", hook("https://a.example/6"))[0]
    registered(cin7, "https://a.example/6", Type="Purchase/Updated")
    cin7.control("POST", "switches", {"webhook_limit_counts": "active"})
    registered(cin7, "https://a.example/6")


@pytest.mark.parametrize(("switch", "status"), [("400", 400), ("403", 403), ("page", 200)])
def test_without_the_automation_module_nothing_of_it_can_be_used(cin7: Cin7, switch: str, status: int) -> None:
    cin7.control("POST", "switches", {"automation_module": switch})
    for answer in (cin7.send("GET", "webhooks"), cin7.send("POST", "webhooks", hook("https://a.example"))):
        assert answer.status_code == status
        assert "Webhooks" not in answer.text
    assert cin7.send("GET", "me").status_code == 200


@pytest.mark.parametrize("by", ["api", "people"])
def test_an_edit_of_a_supplier_is_told_nested_otherwise_than_it_is_read(
    cin7: Cin7, listener: Listener, by: str
) -> None:
    made = cin7.supplier()
    registered(cin7, f"{listener.url}/hooks")
    change = {"ID": made["ID"], "Comments": "slow"}
    if by == "api":
        cin7.ok("PUT", "supplier", change)
    else:
        cin7.control("POST", "suppliers", {"supplier": change})
    (got,) = listener.wait(1)
    assert (got.path, got.headers["content-type"]) == ("/hooks", "application/json")
    assert (got.json["EventType"], got.json["NumberOfSuppliers"]) == ("Supplier/Updated", 1)
    (entry,) = got.json["SupplierDetailsList"]
    assert (entry["Supplier"]["ID"], entry["Supplier"]["Comments"]) == (made["ID"], "slow")
    assert not entry["Supplier"]["LastModifiedOn"].endswith("Z")
    assert entry["Contacts"][0]["SupplierID"] == made["ID"]


def test_creating_a_supplier_is_told_too_unless_switched_off(cin7: Cin7, listener: Listener) -> None:
    registered(cin7, listener.url)
    cin7.control("POST", "switches", {"webhook_on_create": False})
    cin7.supplier(Name="Quiet")
    cin7.control("POST", "switches", {"webhook_on_create": True})
    cin7.supplier(Name="Loud")
    (got,) = listener.wait(1)
    assert got.json["SupplierDetailsList"][0]["Supplier"]["Name"] == "Loud"


def test_guids_are_in_either_case(cin7: Cin7, listener: Listener) -> None:
    made = cin7.supplier()
    registered(cin7, listener.url)
    cin7.control("POST", "switches", {"webhook_guid_case": "upper"})
    cin7.ok("PUT", "supplier", {"ID": made["ID"], "Comments": "x"})
    (got,) = listener.wait(1)
    assert got.json["SupplierDetailsList"][0]["Supplier"]["ID"] == made["ID"].upper()


def test_a_purchase_is_told_by_its_header_in_a_list_named_after_customers(cin7: Cin7, listener: Listener) -> None:
    registered(cin7, listener.url, Type="Purchase/Updated")
    purchase = cin7.purchase(Note="IFS PO 10/1")
    body = listener.wait(1)[-1].json
    (header,) = body["CustomerDetailsList"]
    assert (body["NumberOfPurchase"], header["ID"], header["Note"]) == (1, purchase["ID"].upper(), "IFS PO 10/1")
    assert not {"Order", "Invoice", "StockReceived"} & header.keys()


def test_what_is_authorised_is_told_once_in_a_few_words_and_again_after_an_undo(cin7: Cin7, listener: Listener) -> None:
    for kind in ("OrderAuthorised", "StockReceivedAuthorised", "InvoiceAuthorised"):
        registered(cin7, listener.url, Type=f"Purchase/{kind}")
    purchase = cin7.purchase()
    cin7.ok("POST", "purchase/order", order(purchase, cin7.line(), AdditionalCharges=[FREIGHT]))
    first = listener.wait(1)[0].json
    assert first["TaskID"] == purchase["ID"].upper()
    assert (first["PurchaseOrderNumber"], first["EventType"]) == ("PO-00001", "Purchase/OrderAuthorised")
    cin7.ok("PUT", "advanced-purchase", {"ID": purchase["ID"], "Note": "x"})
    cin7.control("POST", f"purchases/{purchase['ID']}", {"received": True, "invoiced": True})
    kinds = {got.json["EventType"] for got in listener.wait(3)[1:]}
    assert kinds == {"Purchase/StockReceivedAuthorised", "Purchase/InvoiceAuthorised"}
    cin7.control("POST", f"purchases/{purchase['ID']}", {"received": False, "invoiced": False, "undo": True})
    cin7.ok("POST", "purchase/order", order(purchase, cin7.line()))
    assert listener.wait(4)[-1].json["EventType"] == "Purchase/OrderAuthorised"
    assert len(until_idle(cin7)) == 4


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, None),
        ({"ExternalAuthorizationType": "bearerauth", "ExternalBearerToken": "abc"}, "Bearer abc"),
        (
            {"ExternalAuthorizationType": "basicauth", "ExternalUserName": "u", "ExternalPassword": "p"},
            f"Basic {base64.b64encode(b'u:p').decode()}",
        ),
    ],
)
def test_a_call_bears_its_authorization_and_further_headers(
    cin7: Cin7, listener: Listener, fields: dict[str, Any], wanted: str | None
) -> None:
    registered(cin7, listener.url, ExternalHeaders=[{"Key": "X-From", "Value": "cin7"}], **fields)
    cin7.supplier()
    (got,) = listener.wait(1)
    assert (got.headers.get("authorization"), got.headers["x-from"]) == (wanted, "cin7")


def test_a_receiver_that_fails_six_times_is_switched_off(cin7: Cin7) -> None:
    with listening(500) as failing:
        made = registered(cin7, failing.url)
        began = time.monotonic()
        cin7.supplier()
        calls = failing.wait(6)
    minutes = [
        (one.at - before) / MINUTE_S for before, one in zip([began, *(c.at for c in calls)], calls, strict=False)
    ]
    assert all(passed >= wanted - 0.5 for passed, wanted in zip(minutes, (1, 5, 10, 15, 20, 25), strict=True)), minutes
    (delivery,) = until_idle(cin7)
    assert (delivery["state"], [one["status"] for one in delivery["attempts"]]) == ("failed", [500] * 6)
    (hook_now,) = cin7.ok("GET", "webhooks")["Webhooks"]
    assert (hook_now["ID"], hook_now["IsActive"]) == (made["ID"], False)
    cin7.supplier(Name="Nobody hears of it")
    assert len(deliveries(cin7)) == 1


def test_a_receiver_that_recovers_in_time_stays_on(cin7: Cin7) -> None:
    with listening(503, 302, 200) as listener:
        registered(cin7, listener.url)
        cin7.supplier()
        listener.wait(3)
        assert until_idle(cin7)[0]["state"] == "delivered"
    assert cin7.ok("GET", "webhooks")["Webhooks"][0]["IsActive"] is True


def test_nobody_listening_is_a_failure_too_and_nothing_but_this_machine_is_called(cin7: Cin7) -> None:
    registered(cin7, "http://127.0.0.1:1/")
    registered(cin7, "https://hooks.example/")
    cin7.supplier()
    found = {one["attempts"][0]["error"] for one in until_idle(cin7)}
    assert found == {"ConnectError", "The stand-in calls nothing beyond this machine."}


def test_a_webhook_that_is_deleted_or_switched_off_gets_nothing_more(cin7: Cin7, listener: Listener) -> None:
    cin7.control("POST", "switches", {"webhook_minute_s": 60})
    gone, off = registered(cin7, listener.url), registered(cin7, listener.url)
    cin7.supplier()
    cin7.ok("DELETE", "webhooks", ID=gone["ID"])
    cin7.control("POST", "webhooks", {"webhook": {"ID": off["ID"], "IsActive": False}})
    cin7.control("POST", "deliveries", {"now": True})
    assert [one["state"] for one in until_idle(cin7)] == ["dropped", "dropped"]
    assert listener.got == []


def test_calls_can_be_lost_repeated_reordered_and_forged(cin7: Cin7, listener: Listener) -> None:
    cin7.control("POST", "switches", {"webhook_minute_s": 60})
    registered(cin7, listener.url)
    cin7.control("POST", "deliveries", {"lose": 1})
    made = [cin7.supplier(Name=name) for name in ("lost", "first", "second")]
    assert cin7.control("POST", "deliveries", {"reorder": True}) == {"deliveries": 2}
    listener.wait(2)
    assert cin7.control("POST", "deliveries", {"repeat": {"last": 1, "times": 2}}) == {"deliveries": 2}
    assert len({got.body for got in listener.wait(4)}) == 2
    wish = {"url": listener.url, "headers": {"Authorization": "Bearer stolen"}}
    cin7.control("POST", "deliveries", {"forge": {**wish, "supplier": made[0]["ID"]}})
    cin7.control("POST", "deliveries", {"forge": {**wish, "raw": "{nonsense", "times": 2}})
    forged = listener.wait(7)[4:]
    assert {got.headers["authorization"] for got in forged} == {"Bearer stolen"}
    assert sorted(got.body for got in forged)[1:] == [b"{nonsense"] * 2
    states = [one["state"] for one in until_idle(cin7)]
    assert (states.count("lost"), states.count("delivered")) == (1, 7)
    with pytest.raises(ValueError, match="Give one order"):
        cin7.control("POST", "deliveries", {"lose": 1, "now": True})


def test_a_reset_ends_what_was_under_way(cin7: Cin7, listener: Listener) -> None:
    registered(cin7, listener.url)
    cin7.supplier()
    cin7.control("POST", "reset")
    time.sleep(5 * MINUTE_S)
    assert (listener.got, deliveries(cin7)) == ([], [])

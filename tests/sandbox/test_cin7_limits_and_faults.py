"""The stand-in's call limits, its faults on demand, and its control plane."""

import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.cin7 import Cin7Sandbox
from sandbox.cin7.limits import Key, Limit
from sandbox.serving import serving
from tests.sandbox.cin7_fixtures import ACCOUNT, ACME, KEY, Cin7, cin7_fixture, served_fixture  # noqa: F401 - fixtures, found by name.

SENTENCE = "You have reached 60 calls per 60 seconds API limit."


def test_the_window_slides_and_refused_calls_do_not_count_unless_switched() -> None:
    limit = Limit(calls=2, window_s=10)
    for refused_count, expected in ((False, True), (True, False)):
        key = Key("key-1")
        assert [key.admit(at, limit, refused_count=refused_count) for at in (0.0, 5.0, 9.0)] == [True, True, False]
        assert key.admit(10.0, limit, refused_count=refused_count) is expected
        assert (key.max_in_window, key.refused) == (3, 1 if expected else 2)


@pytest.mark.parametrize(
    ("style", "path", "status", "retry_after"),
    [
        ("429", "me", 429, "60 Seconds"),
        ("503", "me", 503, None),
        ("400", "advanced-purchase", 400, None),
        ("400", "purchase", 400, None),
        ("400", "supplier", 503, None),
    ],
)
def test_too_many_calls_are_refused_in_the_style_of_the_account(
    cin7: Cin7, style: str, path: str, status: int, retry_after: str | None
) -> None:
    cin7.control("POST", "limits", {"calls": 1, "style": style})
    first = cin7.send("GET", "me")
    assert "x-ratelimit-remaining" not in first.headers
    answer = cin7.send("GET", path)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert SENTENCE in answer.text


def test_two_keys_of_one_account_have_budgets_of_their_own(cin7: Cin7) -> None:
    cin7.control(
        "POST", "seed", {"accounts": [{"account_id": ACCOUNT, "keys": [KEY, "second"], "limit": {"calls": 1}}]}
    )
    other = Cin7(cin7.sandbox, cin7.url, ACCOUNT, "second")
    statuses = [client.send("GET", "me").status_code for client in (cin7, cin7, other, other)]
    assert statuses == [200, 429, 200, 429]
    rows = cin7.control("GET", "limits")["limits"]
    assert [(row["key"], row["calls"], row["refused"], row["max_in_window"]) for row in rows] == [
        ("key-1", 2, 1, 2),
        ("key-2", 2, 1, 2),
    ]


def test_a_connection_dropped_before_commit_leaves_nothing_and_after_it_everything(cin7: Cin7) -> None:
    for after_commit, left in ((False, 0), (True, 1)):
        rule = {"kind": "drop", "method": "post", "path": "/Supplier", "times": 1, "after_commit": after_commit}
        cin7.control("POST", "faults", rule)
        with pytest.raises(httpx.RemoteProtocolError):
            cin7.send("POST", "supplier", ACME)
        assert cin7.ok("GET", "supplier")["Total"] == left


def test_a_share_of_the_answers_is_lost_the_same_way_with_the_same_seed(cin7: Cin7) -> None:
    def lost() -> list[int]:
        cin7.control("POST", "reset")
        cin7.control("POST", "limits", {"calls": 0})
        rule = {"kind": "500", "method": "POST", "path": "supplier", "probability": 0.2, "after_commit": True}
        cin7.control("POST", "faults", {"rules": [rule], "seed": 7})
        answers = [cin7.send("POST", "supplier", {**ACME, "Name": f"S{n}"}) for n in range(60)]
        assert cin7.ok("GET", "supplier", Limit=1000)["Total"] == 60
        return [place for place, answer in enumerate(answers) if answer.status_code == 500]

    first = lost()
    assert 3 <= len(first) <= 24
    assert lost() == first


@pytest.mark.parametrize(
    ("rule", "status", "part"),
    [
        ({"kind": "500"}, 500, "An error has occurred"),
        ({"kind": "502"}, 502, "<html>"),
        ({"kind": "503"}, 503, "<html>"),
        ({"kind": "504"}, 504, "<html>"),
        ({"kind": "429"}, 429, SENTENCE),
        ({"kind": "html200"}, 200, "Page not found"),
        ({"kind": "error200", "text": "Lines is invalid"}, 200, "Lines is invalid"),
        ({"kind": "refuse", "text": "The period is locked"}, 400, "The period is locked"),
    ],
)
def test_an_answer_goes_wrong_as_told_and_the_next_is_right(
    cin7: Cin7, rule: dict[str, Any], status: int, part: str
) -> None:
    cin7.control("POST", "faults", {**rule, "times": 1})
    answer = cin7.send("POST", "supplier", ACME)
    assert answer.status_code == status
    assert part in answer.text
    assert cin7.ok("GET", "supplier")["Total"] == 0


def test_a_truncated_answer_is_cut_json_of_a_call_carried_out(cin7: Cin7) -> None:
    cin7.control("POST", "faults", {"kind": "truncated", "times": 1})
    answer = cin7.send("POST", "supplier", ACME)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    assert cin7.ok("GET", "supplier")["Total"] == 1


def test_a_slow_answer_may_be_slow_after_its_effect(cin7: Cin7) -> None:
    cin7.control("POST", "faults", {"kind": "slow", "seconds": 0.5, "after_commit": True, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        cin7.http.post("supplier", json=ACME, timeout=0.1)
    assert cin7.ok("GET", "supplier")["Total"] == 1


def test_a_rule_picks_its_calls_by_body_and_lets_some_pass(cin7: Cin7) -> None:
    cin7.control("POST", "faults", {"kind": "refuse", "body_contains": "Acme", "skip": 1, "times": 1})
    names = ["Acme 1", "Bolts", "Acme 2", "Acme 3"]
    assert [cin7.send("POST", "supplier", {**ACME, "Name": name}).status_code for name in names] == [200, 200, 400, 200]


def test_latency_holds_answers_back(cin7: Cin7) -> None:
    cin7.control("POST", "latency", {"ms": 80})
    begun = time.monotonic()
    cin7.ok("GET", "me")
    assert time.monotonic() - begun >= 0.08


def test_requests_are_on_record_without_their_keys(cin7: Cin7) -> None:
    cin7.send("POST", "Supplier", ACME)
    cin7.send("GET", "supplier", Name="A&B")
    with httpx.Client(headers={"api-auth-accountid": ACCOUNT, "api-auth-applicationkey": "guess"}) as stranger:
        stranger.get(f"{cin7.url}/ExternalApi/v2/me")
    rows = cin7.control("GET", "requests")["requests"]
    assert [(row["method"], row["endpoint"], row["status"], row["key"]) for row in rows] == [
        ("POST", "supplier", 200, "key-1"),
        ("GET", "supplier", 200, "key-1"),
        ("GET", "me", 403, ""),
    ]
    assert rows[1]["query"] == {"name": "A&B"}
    assert "Acme Fasteners" in rows[0]["body"]
    assert KEY not in str(rows)
    summary = cin7.control("GET", "requests", summary="true", path="/supplier")["summary"]
    assert [row["calls"] for row in summary] == [1, 1]


def test_bodies_are_left_off_the_record_on_demand(cin7: Cin7) -> None:
    cin7.control("POST", "requests", {"bodies": False})
    cin7.supplier()
    (row,) = cin7.control("GET", "requests")["requests"]
    assert (row["body"], len(row["body_sha256"])) == (None, 64)


def test_a_person_edits_a_supplier_and_an_order(cin7: Cin7) -> None:
    made = cin7.supplier()
    cin7.control("POST", "suppliers", {"supplier": {"ID": made["ID"], "Comments": "Call first"}})
    assert cin7.ok("GET", "supplier", ID=made["ID"])["SupplierList"][0]["Comments"] == "Call first"
    purchase = cin7.purchase()
    order = {"Status": "DRAFT", "Lines": [cin7.line(Quantity=2, Total=0.5, Tax=0.1)]}
    read = cin7.control("POST", f"purchases/{purchase['ID']}", {"order": order})
    assert (read["Status"], read["Order"]["Total"]) == ("ORDERING", Decimal("0.6"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("nothing", {}),
        ("switches", {"modified_since": "sometimes"}),
        ("switches", {"unheard_of": True}),
        ("faults", {"kind": "explode"}),
        ("limits", {"style": "418"}),
        ("seed", {"accounts": [{"account_id": "main"}]}),
        ("purchases/PO-99999", {"void": True}),
    ],
)
def test_the_control_plane_says_what_makes_no_sense(cin7: Cin7, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="error"):
        cin7.control("POST", path, body)
    assert cin7.ok("GET", "supplier")["Total"] == 0


def test_the_control_plane_may_ask_for_a_token() -> None:
    with serving(Cin7Sandbox(control_token="open")) as url:
        assert httpx.get(f"{url}/_sandbox/state").status_code == 401
        answer = httpx.get(f"{url}/_sandbox/state", headers={"authorization": "Bearer open"})
        assert answer.json()["accounts"][0]["counters"] == {"suppliers": 0, "purchases": 0}


def test_the_same_calls_give_the_same_ids(cin7: Cin7) -> None:
    first = cin7.supplier()["ID"]
    cin7.control("POST", "reset")
    cin7.control("POST", "limits", {"calls": 0})
    assert cin7.supplier()["ID"] == first

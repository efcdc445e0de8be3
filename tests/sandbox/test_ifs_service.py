"""Tokens, limits, faults, cookies, the request log and the control plane."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from pathlib import Path

import httpx
import pytest

from tests.sandbox.ifs_client import ORDERS, PROJECTION, SUPPLIERS, TOKENS, Ifs, ifs_served, order, supplier

S1 = f"{SUPPLIERS}(SupplierId='S1')"


@pytest.fixture(scope="module")
def served() -> Iterator[Ifs]:
    with ifs_served() as ifs:
        yield ifs


@pytest.fixture
def ifs(served: Ifs) -> Ifs:
    served.start(
        SupplierInfoGeneralSet=[supplier(f"S{number}") for number in range(1, 9)], PurchaseOrderSet=[order("1000")]
    )
    return served


def test_a_token_has_the_documented_members_and_lives_180_seconds(ifs: Ifs) -> None:
    body = ifs.token().json()
    assert (body["expires_in"], body["token_type"]) == (180, "Bearer")
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    ifs.control("clock", {"advance_s": 179})
    assert ifs.http.get(S1, headers=headers).status_code == 200
    ifs.control("clock", {"advance_s": 2})
    assert ifs.http.get(S1, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "openid everything"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_request_for_a_token_is_refused(ifs: Ifs, form: dict[str, str], status: int, error: str) -> None:
    answer = ifs.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_an_unknown_realm_is_not_found(ifs: Ifs) -> None:
    answer = ifs.http.post(TOKENS.replace("acme1", "other"), data={})
    assert (answer.status_code, answer.json()) == (404, {"error": "Realm does not exist"})


def test_tokens_can_be_short_lived_revoked_and_refreshed(ifs: Ifs) -> None:
    ifs.switch(refresh_token=True)
    ifs.control("tokens", {"lifetime_s": 5})
    first = ifs.token().json()
    assert first["expires_in"] == 5
    again = ifs.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.status_code == 200
    ifs.control("tokens", {"revoke": True})
    for held in (first, again.json()):
        headers = {"Authorization": f"Bearer {held['access_token']}"}
        assert ifs.http.get(S1, headers=headers).status_code == 401


def test_a_projection_that_is_not_granted_is_forbidden(ifs: Ifs) -> None:
    client = {"client_id": "CONN", "client_secret": "s3cret", "services": ["SupplierHandling"]}
    ifs.control("seed", {"clients": [client], "sets": {"SupplierInfoGeneralSet": [supplier("S1")]}})
    assert ifs.get(S1).status_code == 200
    assert ifs.get(ORDERS, top=1).status_code == 403


def test_the_window_of_calls_slides(ifs: Ifs) -> None:
    ifs.control("limits", {"calls": 3, "window_s": 60})
    statuses = []
    for _ in range(4):
        statuses.append(ifs.get(S1).status_code)
        ifs.control("clock", {"advance_s": 10})
    assert statuses == [200, 200, 200, 429]
    ifs.control("clock", {"advance_s": 21})
    assert ifs.get(S1).status_code == 200
    report = ifs.http.get("/_sandbox/limits").json()["clients"]
    assert report == [{"client_id": "CONN", "used": 3, "most": 3, "refused": 1}]


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"kind": "429"}, 429, "Too many requests"),
        ({"kind": "modified"}, 500, "MI_MODIFIED_ERROR"),
        ({"kind": "ora"}, 500, "ORA-"),
        ({"kind": "502"}, 502, "<html>"),
        ({"kind": "503", "retry_after": 7}, 503, "<html>"),
        ({"kind": "timeout"}, 504, "ODP_OPERATION_TIMEOUT"),
        ({"kind": "unauthorized"}, 401, "Unauthorized"),
        ({"kind": "answer", "status": 200, "body": "<html>", "headers": {"content-type": "text/html"}}, 200, "<html>"),
    ],
)
def test_a_fault_hits_once_and_then_the_service_is_well(
    ifs: Ifs, fault: dict[str, object], status: int, words: str
) -> None:
    ifs.control("faults", fault)
    answer = ifs.get(S1)
    assert answer.status_code == status
    assert words in answer.text
    assert ifs.get(S1).status_code == 200


@pytest.mark.parametrize(("wish", "expected"), [(None, None), (30, "30"), ("60 Seconds", "60 Seconds")])
def test_a_throttled_answer_may_say_when_to_come_back(ifs: Ifs, wish: object, expected: str | None) -> None:
    ifs.control("faults", {"kind": "429", "retry_after": wish})
    assert ifs.get(S1).headers.get("Retry-After") == expected


def test_a_throttled_answer_may_name_a_date(ifs: Ifs) -> None:
    ifs.control("faults", {"kind": "429", "retry_after": "date:90"})
    moment = parsedate_to_datetime(ifs.get(S1).headers["Retry-After"])
    assert moment == datetime(2025, 6, 2, 8, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "name"), [("drop_before", "Supplier S1"), ("drop_after", "Dropped")])
def test_a_connection_is_cut_before_or_after_the_write(ifs: Ifs, kind: str, name: str) -> None:
    ifs.control("faults", {"kind": kind, "method": "PATCH"})
    with pytest.raises(httpx.TransportError):
        ifs.send("PATCH", S1, {"Name": "Dropped"}, "*")
    assert ifs.get(S1).json()["Name"] == name


def test_a_fault_waits_for_the_call_it_is_meant_for(ifs: Ifs) -> None:
    ifs.control("faults", {"kind": "ora", "path": r"PurchaseOrderSet\?.*\$top=7", "skip": 1, "times": 2})
    assert ifs.get(S1).status_code == 200
    assert [ifs.get(ORDERS, top=7).status_code for _ in range(4)] == [200, 500, 500, 200]


def test_json_can_be_cut_short(ifs: Ifs) -> None:
    ifs.control("faults", {"kind": "truncated"})
    answer = ifs.get(S1)
    assert answer.status_code == 200
    with pytest.raises(JSONDecodeError):
        answer.json()


def test_a_slow_body_trickles_and_is_whole_in_the_end(ifs: Ifs) -> None:
    ifs.control("faults", {"kind": "slow_body", "delay_s": 0.2})
    started = time.monotonic()
    assert ifs.get(S1).json()["SupplierId"] == "S1"
    assert time.monotonic() - started >= 0.2


def test_a_row_can_be_inserted_between_two_pages(ifs: Ifs) -> None:
    edits = [{"set": "SupplierInfoGeneralSet", "upsert": [supplier("S0")]}]
    ifs.control("faults", {"kind": "edit", "edits": edits})
    first = ifs.keys(SUPPLIERS, "SupplierId", orderby="SupplierId", top=4)
    second = ifs.keys(SUPPLIERS, "SupplierId", orderby="SupplierId", top=4, skip=4)
    assert first == ["S1", "S2", "S3", "S4"]
    assert second == ["S4", "S5", "S6", "S7"]


def test_a_row_can_be_served_as_raw_bytes_among_sound_neighbours(ifs: Ifs) -> None:
    raw = '{"SupplierId":"S2","Name":"\\ud800","X":NaN}'
    ifs.control("raw_rows", {"set": "SupplierInfoGeneralSet", "keyref": "SUPPLIER_ID=S2^", "body": raw})
    text = ifs.get(SUPPLIERS, orderby="SupplierId", top=3).text
    assert raw in text
    assert text.count('"luname"') == 2
    ifs.control("raw_rows", {"set": "SupplierInfoGeneralSet", "keyref": "SUPPLIER_ID=S2^"})
    assert ifs.keys(SUPPLIERS, "Name", filter="SupplierId eq 'S2'", top=1) == ["Supplier S2"]


def test_cookies_brought_back_to_main_need_the_xsrf_header(ifs: Ifs) -> None:
    ifs.switch(csrf=True)
    assert ifs.get(S1).status_code == 200
    assert ifs.send("PATCH", S1, {"Name": "x"}, "*").json()["error"]["code"] == "CSRF_ERROR"
    ifs.http.cookies.clear()
    assert ifs.send("PATCH", S1, {"Name": "x"}, "*").status_code == 200


def test_the_request_log_has_every_call_and_no_secret(ifs: Ifs) -> None:
    ifs.get(SUPPLIERS, filter="Name eq 'O''X & Y'", top=2)
    ifs.send("PATCH", S1, {"Name": "x"}, '"tag"')
    log = ifs.http.get("/_sandbox/requests")
    calls = [(call["method"], call["status"], call["client_id"]) for call in log.json() if call["path"] != TOKENS]
    assert calls == [("GET", 200, "CONN"), ("PATCH", 412, "CONN")]
    assert log.json()[1]["query"] == {"$filter": "Name eq 'O''X & Y'", "$top": "2"}
    assert log.json()[-1]["if_match"] == '"tag"'
    assert "s3cret" not in log.text
    assert "Bearer" not in log.text
    ifs.http.delete("/_sandbox/requests")
    assert ifs.http.get("/_sandbox/requests").json() == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("switches", {"nowhere": True}),
        ("switches", {"paging": "sideways"}),
        ("rows", {"set": "Nowhere", "upsert": [{}]}),
        ("rows", {"set": "SupplierInfoGeneralSet", "patch": [{"Name": "no key"}]}),
        ("rows", {"set": "SupplierInfoGeneralSet", "upsert": [{"SupplierId": "S1", "Oops": 1}]}),
        ("faults", {"kind": "429", "path": "("}),
        ("seed", {"sets": {"SupplierInfoGeneralSet": [{"Oops": 1}]}}),
        ("raw_rows", {"set": "SupplierInfoGeneralSet", "keyref": "none", "body": "{}"}),
    ],
)
def test_the_control_plane_says_what_is_wrong_with_a_body_and_changes_nothing(
    ifs: Ifs, name: str, body: dict[str, object]
) -> None:
    before = ifs.http.get("/_sandbox/state").json()
    answer = ifs.http.post(f"/_sandbox/{name}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert ifs.http.get("/_sandbox/state").json() == before
    assert ifs.get(S1).status_code == 200


def test_reset_empties_the_tenant(ifs: Ifs) -> None:
    ifs.control("reset", {})
    assert ifs.http.get("/_sandbox/state").json()["sets"]["SupplierInfoGeneralSet"] == 0
    assert ifs.token().status_code == 401


def test_latency_is_added_to_data_calls(ifs: Ifs) -> None:
    headers = ifs.headers()
    ifs.control("latency", {"ms": 120})
    started = time.monotonic()
    ifs.http.get(S1, headers=headers)
    assert time.monotonic() - started >= 0.12


def test_the_program_serves_a_seed_file_and_asks_for_its_control_token(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"sets": {"SupplierInfoGeneralSet": [{"SupplierId": "S1", "Name": "One"}]}}')
    command = [sys.executable, "-m", "sandbox.ifs", "--port", "0", "--seed-file", str(seed), "--token", "t0ken"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().split()[-1]
            assert httpx.get(f"{url}/_sandbox/state").status_code == 401
            state = httpx.get(f"{url}/_sandbox/state", headers={"Authorization": "Bearer t0ken"}).json()
            assert state["sets"]["SupplierInfoGeneralSet"] == 1
        finally:
            program.terminate()


def test_unknown_addresses_are_not_found(ifs: Ifs) -> None:
    assert ifs.http.get("/elsewhere", headers=ifs.headers()).status_code == 404
    assert ifs.get(f"{PROJECTION}SupplierHandling/SupplierInfoGeneralSet").status_code == 404

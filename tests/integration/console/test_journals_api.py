"""`POST /api/journals/check` as a workflow of IFS meets it: the same verdict, for who knows the secret, and no 5xx."""

import json
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.web.journals import BODY_MAX, ROWS_MAX, VOUCHERS_MAX
from console.web.pages import build_app
from sandbox.serving import serving
from tests.integration.console.installation import Installation, feed
from tests.integration.console.test_documented_shapes import keys
from tests.integration.console.vouchers import Row, text, voucher
from tests.unit.console.documented import examples, sections

SECRET = "correct-horse-battery"


class Api(NamedTuple):
    site: Installation
    client: httpx.Client

    def post(self, body: str | bytes, **headers: str) -> httpx.Response:
        sent = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/api/journals/check", content=body, headers=sent)

    def check(self, *vouchers: Row) -> Any:  # noqa: ANN401 - JSON of any shape
        answer = self.post(text(*vouchers))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw(self, head: str, body: bytes = b"") -> bytes:
        """Send bytes as they are; return the first of the answer."""
        parts = urlsplit(str(self.client.base_url))
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
            lines = f"POST /api/journals/check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n{head}\r\n\r\n"
            connection.sendall(lines.encode() + body)
            return connection.recv(4096)


@pytest.fixture(name="closed")
def closed_fixture(site: Installation) -> Iterator[Api]:
    """No secret is stored yet."""
    with serving(build_app(site.worker)) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield Api(site, client)


@pytest.fixture(name="api")
def api_fixture(closed: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    feed(monkeypatch, json.dumps({"secret": SECRET}))
    assert closed.site("credentials", "set", "hooks")[0] == 0
    assert closed.site("accounts", "--company", "10")[0] == 3  # Both charts are read.
    return closed


def test_the_answer_is_that_of_the_command(api: Api) -> None:
    asked = [voucher(), voucher("9999", "5020", VoucherNo=2)]
    file = api.site.folder / "vouchers.json"
    file.write_text(text(*asked))
    told = api.site.json("journals", "check", str(file), code=3)
    answer = api.check(*asked)
    assert answer == told
    assert answer["ok"] is False
    assert [one["ok"] for one in answer["vouchers"]] == [True, False]
    assert keys(api.check(asked[1])) == keys(examples(sections()["journals check"][1])[1])


def test_one_voucher_and_a_list_are_both_taken(api: Api) -> None:
    assert api.check(voucher())["ok"] is True
    assert [one["key"] for one in api.check(voucher(), voucher(VoucherNo=2))["vouchers"]] == [
        "10/2026/I/2600045",
        "10/2026/I/2",
    ]


def test_a_finding_is_looked_at_again_before_it_is_told(api: Api) -> None:
    assert api.check(voucher("9999", "2440"))["ok"] is False
    account = str(api.site.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"])
    api.site.cin7.control("POST", "accounts", {"account": account, "row": {"Code": "9999", "Name": "Clearing"}})
    api.site.worker.ledger.rows("update reference set read_at = now() - interval '61 seconds' returning kind")
    assert api.check(voucher("9999", "2440"))["ok"] is True


def test_charts_that_are_slow_to_read_leave_the_answer_as_it_is(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.check(voucher())["ok"] is True
    account = str(api.site.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"])
    api.site.cin7.control("POST", "accounts", {"account": account, "row": {"Code": "9999", "Name": "Clearing"}})
    api.site.worker.ledger.rows("update reference set read_at = now() - interval '61 seconds' returning kind")
    api.site.cin7.control("POST", "latency", {"ms": 1_000})
    monkeypatch.setattr("console.web.journals.SECOND_LOOK_S", 0.1)
    answer = api.check(voucher("9999", "2440"))
    assert [finding["code"] for finding in answer["vouchers"][0]["findings"]] == ["account.missing"]
    monkeypatch.setattr("console.web.journals.SECOND_LOOK_S", 20.0)
    assert api.check(voucher("9999", "2440"))["ok"] is True


def test_without_a_stored_secret_it_takes_nothing(closed: Api) -> None:
    answer = closed.post(text(voucher()))
    assert answer.status_code == 403
    assert "connector credentials set hooks" in answer.json()["error"]


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", f"Basic {SECRET}", SECRET, f"Bearer {SECRET}x", "Bearer é"],
)
def test_without_the_secret_it_takes_nothing(api: Api, authorization: str) -> None:
    answer = api.client.post(
        "/api/journals/check",
        content=text(voucher()),
        headers=[(b"authorization", authorization.encode("latin-1")), (b"content-type", b"application/json")],
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert SECRET not in answer.text


def test_guessing_the_secret_is_slowed_down_and_others_are_not(api: Api) -> None:
    statuses = {api.post("{}", authorization=f"Bearer guess-{number}").status_code for number in range(70)}
    assert statuses == {401, 429}
    assert api.check(voucher())["ok"] is True


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "This is no JSON"),
        ("[]", "There is no voucher in it."),
        ("{}", "Field Company is missing."),
        (text(voucher(rows=[{"RowNo": "x"}])), "Row 1, field RowNo"),
        (text(voucher(rows=[{"RowNo": 1, "DebetAmount": "1,5"}])), "Row 1, field DebetAmount is not a number."),
        ('{"x": ' + "[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "This is no JSON"),
        ("Company,AccountingYear\n10,2026\n", "This is no JSON"),
    ],
)
def test_a_bad_body_is_a_400_with_a_sentence(api: Api, body: str | bytes, said: str) -> None:
    answer = api.post(body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert said in answer.json()["error"]


def test_too_much_at_once_is_refused(api: Api) -> None:
    assert api.post(text(*[voucher()] * (VOUCHERS_MAX + 1))).status_code == 400
    assert api.post(text(voucher(rows=[{"RowNo": 1}] * (ROWS_MAX + 1)))).status_code == 400
    head = f"Content-Type: application/json\r\nContent-Length: {BODY_MAX + 1}"
    assert api.raw(head).startswith(b"HTTP/1.1 413 ")
    head = "Content-Type: application/json\r\nTransfer-Encoding: chunked"
    chunk = b"10001\r\n" + b" " * 0x10001 + b"\r\n"
    assert api.raw(head, chunk * 16).startswith(b"HTTP/1.1 413 ")
    assert api.check(voucher())["ok"] is True


def test_only_json_and_only_post_are_taken(api: Api) -> None:
    assert api.post(text(voucher()), content_type="text/csv").status_code == 415
    assert api.client.get("/api/journals/check").status_code == 405


def test_the_secret_may_change_while_it_runs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.check(voucher())["ok"] is True
    monkeypatch.setattr("console.web.admission.SECRET_KEPT_S", 0.0)
    feed(monkeypatch, json.dumps({"secret": "another-secret-of-ours"}))
    assert api.site("credentials", "set", "hooks")[0] == 0
    assert api.post(text(voucher())).status_code == 401
    assert api.post(text(voucher()), authorization="Bearer another-secret-of-ours").status_code == 200


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*voucher(), "RowNo", "x"]), inner),
    max_leaves=8,
)
HOSTILE = st.one_of(
    st.binary(max_size=60),
    ANYTHING.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(list(voucher())), ANYTHING).map(
        lambda changes: json.dumps(voucher() | changes).encode()
    ),
    st.dictionaries(st.sampled_from(["RowNo", "Account", "DebetAmount", "CreditAmount", "Company"]), ANYTHING).map(
        lambda row: json.dumps(voucher(rows=[{"RowNo": 1, "Account": "4010"} | row])).encode()
    ),
)


def test_no_body_is_answered_with_a_5xx(api: Api) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(HOSTILE)
    def sent(body: bytes) -> None:
        answer = api.post(body)
        assert answer.status_code in {200, 400}
        assert set(answer.json()) in ({"ok", "vouchers"}, {"error"})

    sent()

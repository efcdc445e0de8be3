"""Log lines: one form, no secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared import logs


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def started(*, debug: bool = False) -> io.StringIO:
    out = io.StringIO()
    logs.set_up("auto", debug=debug, stream=out)
    return out


def test_a_line_names_the_entry_at_hand() -> None:
    out = started()
    with logs.entry_bound(42):
        structlog.get_logger().info("written", flow="suppliers", key="10/4711")
    (line,) = lines(out)
    assert (line["event"], line["entry"], line["key"], line["level"]) == ("written", 42, "10/4711", "info")
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_take_the_same_form() -> None:
    out = started()
    logging.getLogger("dramatiq.worker").warning("lost %s", "Bearer hunter2hunter2")
    (line,) = lines(out)
    assert line["event"] == "lost Bearer [hidden]"
    assert line["logger"] == "dramatiq.worker"


@pytest.mark.parametrize(
    "fields",
    [
        {"authorization": "hunter2"},
        {"client_secret": "hunter2"},
        {"headers": {"api-auth-applicationkey": "hunter2", "Cookie": "hunter2"}},
        {"application_keys": ["hunter2"]},
        {"access_token": "hunter2"},
        {"url": "postgresql://me:hunter2@db/x"},
        {"answer": "Authorization: Bearer hunter2hunter2"},
        {"answer": '{"access_token":"hunter2", "expires_in":180}'},
        {"answer": "client_id=me&client_secret=hunter2&grant_type=client_credentials"},
        {"parts": [("password=hunter2",)]},
        {"answer": "eyJhbGciOiJIUzI1NiJ9.hunter2.c2ln"},
        {"error": ValueError("api-auth-applicationkey: hunter2")},
    ],
)
def test_a_secret_is_hidden_by_name_and_by_look(fields: dict[str, Any]) -> None:
    out = started()
    structlog.get_logger().warning("refused", **fields)
    assert "hunter2" not in out.getvalue()
    assert logs.HIDDEN in out.getvalue()


def test_what_is_no_secret_stays() -> None:
    out = started()
    structlog.get_logger().info("read", key="10/2026/I/1", keys=3, pages=2, token_count=0, flow="suppliers", empty=None)
    (line,) = lines(out)
    assert (line["key"], line["keys"], line["pages"], line["empty"]) == ("10/2026/I/1", 3, 2, None)


def test_a_line_break_from_outside_cannot_forge_a_line() -> None:
    out = started()
    structlog.get_logger().info("answer", body='a\n{"event": "forged"}')
    assert len(out.getvalue().splitlines()) == 1


def fail() -> None:
    try:
        dict[str, str]()["password=hunter2"]
    except KeyError:
        structlog.get_logger().exception("broken")
        logging.getLogger("dramatiq").exception("broken too")


def test_an_exception_is_one_sentence_and_a_traceback_only_for_debugging() -> None:
    out = started()
    fail()
    assert [line["error"] for line in lines(out)] == ["KeyError: 'password=[hidden]'"] * 2
    assert "Traceback" not in out.getvalue()
    out = started(debug=True)
    fail()
    assert out.getvalue().count("Traceback") == 2
    assert "hunter2" not in out.getvalue()


def test_text_for_people_is_one_readable_line() -> None:
    out = io.StringIO()
    logs.set_up("text", stream=out)
    structlog.get_logger().info("written", flow="suppliers")
    assert "written" in out.getvalue()
    assert "flow=suppliers" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_requests_of_the_http_client_are_not_logged() -> None:
    out = started()
    logging.getLogger("httpx").info("HTTP Request: GET https://acme.example")
    assert out.getvalue() == ""

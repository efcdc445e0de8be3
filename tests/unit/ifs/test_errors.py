import pytest

from shared.errors import ConnectorError, Misconfigured, Retryable
from shared.ifs.errors import (
    IfsConflict,
    IfsDenied,
    IfsExists,
    IfsRefused,
    IfsThrottled,
    IfsUnavailable,
    read_error,
    retry_after,
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "message"),
    [
        (400, b'{"error":{"code":"ODP_UNSUPPORTED_URL","message":"bad"}}', IfsRefused, "ODP_UNSUPPORTED_URL", "bad"),
        (400, b'{"error":{"code":"X","message":{"lang":"en","value":"bad"}}}', IfsRefused, "X", "bad"),
        (404, b'{"error":{"code":"ODP_RESOURCE_NOTFOUND"}}', IfsRefused, "ODP_RESOURCE_NOTFOUND", ""),
        (403, b'{"error":{"code":"CSRF_ERROR","message":"m"}}', IfsRefused, "CSRF_ERROR", "m"),
        (
            428,
            b'{"error":{"code":"ODP_MISSING_PRECONDITION","message":""}}',
            IfsConflict,
            "ODP_MISSING_PRECONDITION",
            "",
        ),
        (501, b'{"error":{"code":"ODP_NOT_IMPLEMENTED","message":""}}', IfsRefused, "ODP_NOT_IMPLEMENTED", ""),
        (412, b"", IfsConflict, "", ""),
        (409, b"{}", IfsConflict, "", ""),
        (
            400,
            b'{"error":{"code":"D","message":"x","details":[{"code":20114,"message":"y"}]}}',
            IfsConflict,
            "D",
            "x 20114 y",
        ),
        (
            500,
            b'{"error":{"message":"The row has already been changed."}}',
            IfsConflict,
            "",
            "The row has already been changed.",
        ),
        (400, b'{"error":{"message":"ORA-20114: niet meer actueel"}}', IfsConflict, "", "ORA-20114: niet meer actueel"),
        (400, b'{"error":{"message":"The order 20114 is closed"}}', IfsRefused, "", "The order 20114 is closed"),
        (400, b'{"error":{"message":"The Supplier already exists."}}', IfsExists, "", "The Supplier already exists."),
        (409, b'{"error":{"message":"It already exists."}}', IfsExists, "", "It already exists."),
        (401, b'{"error":{"message":"Unauthorized"}}', IfsDenied, "", ""),
        (403, b'{"error":"Insufficient privileges"}', IfsDenied, "", ""),
        (429, b"<html>", IfsThrottled, "", ""),
        (500, b'{"error":{"message":"ORA-00060: deadlock"}}', IfsUnavailable, "", ""),
        (503, b"<html>busy</html>", IfsUnavailable, "", ""),
        (504, b'{"error":{"code":"ODP_OPERATION_TIMEOUT","message":"t"}}', IfsUnavailable, "ODP_OPERATION_TIMEOUT", ""),
        (302, b"", IfsRefused, "", ""),
        (400, b'{"error":[1,{"code":{}}]}', IfsRefused, "", ""),
        (400, b"\xff" * 5000, IfsRefused, "", ""),
    ],
)
def test_every_shape_of_error_is_named(
    status: int, body: bytes, kind: type[ConnectorError], code: str, message: str
) -> None:
    error = read_error(status, {}, body, what="X/Set")
    assert type(error) is kind
    assert "X/Set" in str(error)
    assert getattr(error, "code", "") == code
    if isinstance(error, IfsRefused):
        assert (error.status, error.message) == (status, message)


def test_a_denial_is_the_operators_and_a_failure_the_queues() -> None:
    denied = read_error(403, {}, b"", what="X/Set")
    assert isinstance(denied, Misconfigured)
    assert "X/Set" in str(denied)
    assert "permission set" in str(denied)
    failed, modified = (
        read_error(500, {"retry-after": "3"}, body, what="x")
        for body in (b"", b'{"error":{"code":"MI_MODIFIED_ERROR"}}')
    )
    assert isinstance(failed, Retryable)
    assert isinstance(modified, Retryable)
    assert (failed.executed, modified.executed, failed.delay_s) == (True, False, 3)


def test_texts_are_one_line_of_bounded_length() -> None:
    error = read_error(400, {}, b'{"error":{"message":"a\\n\\u001b[31m' + b"b" * 9000 + b'"}}', what="x")
    assert len(str(error)) < 600
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("headers", "delay_s"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": "60 Seconds"}, 60),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "99999999"}, 3600),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], delay_s: float | None) -> None:
    assert retry_after(headers) == delay_s

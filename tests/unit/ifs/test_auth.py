import pytest

from shared.config.settings import IfsSettings
from shared.http import Answer
from shared.ifs.auth import read_grant, token_url
from shared.ifs.errors import IfsDenied, IfsThrottled, IfsUnavailable, IfsUnreadable


@pytest.mark.parametrize(
    ("expires_in", "use_s"), [(b"180", 150), (b"60", 45), (b'"180"', 150), (b"1", 0.75), (b"86400", 3000), (b"-5", 45)]
)
def test_a_token_is_used_no_longer_than_it_lives(expires_in: bytes, use_s: float) -> None:
    body = b'{"access_token":"t.o.k","expires_in":' + expires_in + b',"token_type":"Bearer"}'
    grant = read_grant(Answer(200, {}, body), 3000)
    assert grant.token == "t.o.k"
    assert grant.use_s == pytest.approx(use_s)
    assert "t.o.k" not in f"{grant} {grant!r}"


@pytest.mark.parametrize(
    ("status", "body", "kind", "named"),
    [
        (401, b'{"error":"invalid_client"}', IfsDenied, "connector credentials set ifs"),
        (400, b'{"error":"unauthorized_client","error_description":"s3cr3t"}', IfsDenied, "service account"),
        (400, b'{"error":"invalid_scope"}', IfsDenied, "scope"),
        (400, b'{"error":{"a":"s3cr3t"}}', IfsDenied, "secret"),
        (400, b'["s3cr3t"]', IfsDenied, "secret"),
        (404, b'{"error":"Realm does not exist"}', IfsDenied, "realm"),
        (429, b"", IfsThrottled, "429"),
        (503, b"<html>", IfsUnavailable, "503"),
        (200, b"<html>", IfsUnreadable, "no token"),
        (200, b'{"access_token":""}', IfsUnreadable, "no token"),
        (200, b'{"access_token":"s3cr3t\\r\\nX: y"}', IfsUnreadable, "no token"),
        (200, b'{"access_token":5,"x":"s3cr3t"}', IfsUnreadable, "no token"),
    ],
)
def test_what_is_no_token_says_why_and_repeats_nothing(
    status: int, body: bytes, kind: type[Exception], named: str
) -> None:
    with pytest.raises(kind, match=named) as refusal:
        read_grant(Answer(status, {}, body), 3000)
    assert "s3cr3t" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_the_token_address_is_derived_unless_given() -> None:
    settings = IfsSettings(base_url="https://acme.ifs.cloud/", realm="acme 1")
    assert token_url(settings) == "https://acme.ifs.cloud/auth/realms/acme%201/protocol/openid-connect/token"
    given = IfsSettings(base_url="https://acme.ifs.cloud", realm="x", token_url="https://login.example/token")
    assert token_url(given) == "https://login.example/token"

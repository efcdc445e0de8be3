import json
from decimal import Decimal

import pytest

from shared.cin7.errors import Cin7Denied, Cin7Refused, Cin7Throttled, Cin7Unclear
from shared.cin7.wire import messages, read, retry_after_s
from shared.http import Answer

SENTENCE = b"You have reached 60 calls per 60 seconds API limit."
ENTRY = b'{"ErrorCode":400,"Exception":"Lines is invalid"}'


def answer(status: int, body: bytes, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_fractions_come_from_their_text_and_never_from_a_float() -> None:
    document = read(answer(200, b'{"a":1.10,"b":0.1234567890123456789012,"c":3}'))
    assert document == {"a": Decimal("1.10"), "b": Decimal("0.1234567890123456789012"), "c": 3}
    assert isinstance(document, dict)
    assert str(document["a"]) == "1.10"


@pytest.mark.parametrize(
    ("given", "delay_s"),
    [
        (answer(429, SENTENCE, retry_after="60 Seconds"), 60),
        (answer(429, json.dumps(SENTENCE.decode()).encode(), retry_after="17"), 17),
        (answer(429, b"<html>slow down</html>"), 60),
        (answer(429, b"", retry_after="Wed, soon"), 60),
        (answer(503, SENTENCE), 10),
        (answer(503, b'"You have reached 3 calls per 2 seconds API limit."'), 10),
        (answer(400, b'[{"ErrorCode":400,"Exception":"%s"}]' % SENTENCE), 10),
        (answer(400, b'{"ErrorCode":400,"Exception":"%s"}' % SENTENCE.upper(), retry_after="5 Seconds"), 5),
        (answer(200, b'[{"ErrorCode":400,"Exception":"%s"}]' % SENTENCE), 10),
        (answer(429, b"", retry_after="999999999999999999999"), 3600),
    ],
)
def test_every_form_of_too_many_calls_says_that_nothing_was_executed(given: Answer, delay_s: float) -> None:
    with pytest.raises(Cin7Throttled) as caught:
        read(given)
    assert (caught.value.delay_s, caught.value.executed) == (delay_s, False)


def test_a_record_that_mentions_the_limit_is_no_refusal() -> None:
    body = b'{"Total":1,"Page":1,"SupplierList":[{"Comments":"%s"}]}' % SENTENCE
    assert isinstance(read(answer(200, body)), dict)


@pytest.mark.parametrize("body", [b"Incorrect credentials!", b'"Incorrect credentials!"', b'[{"ErrorCode":403}]', b""])
@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_the_operators_to_mend(status: int, body: bytes) -> None:
    with pytest.raises(Cin7Denied, match="credentials"):
        read(answer(status, body))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b"[%s,%s]" % (ENTRY, b'{"ErrorCode":404,"Exception":"Account 9 not found"}'), 2),
        (400, ENTRY, 1),
        (405, b'{"Message":"The requested resource does not support http method \'PUT\'."}', 1),
        (400, b'"Lines is invalid"', 1),
        (400, b"Lines is invalid", 1),
        (404, b"<html><head><title>Page not found</title></head></html>", 1),
        (400, b"", 1),
        (400, b"[]", 1),
        (400, b'{"Exception":null}', 1),
        (200, b"[%s]" % ENTRY, 1),
        (200, ENTRY, 1),
        (200, b'{"Message":"No."}', 1),
        (400, b"\xff\xfe", 1),
        (400, b"[" * 100_000, 1),
    ],
)
def test_a_definite_no_is_held_with_a_reason_in_every_shape(status: int, body: bytes, words: int) -> None:
    with pytest.raises(Cin7Refused) as caught:
        read(answer(status, body))
    assert len(caught.value.messages) == words
    assert {finding.code for finding in caught.value.findings} == {"target.refused"}
    assert all(message and len(message) <= 500 for message in caught.value.messages)


def test_a_refusal_inside_a_200_keeps_the_code_that_it_names() -> None:
    with pytest.raises(Cin7Refused) as caught:
        read(answer(200, b'[{"ErrorCode":404,"Exception":"Location not found"}]'))
    assert (caught.value.status, caught.value.messages) == (404, ("Location not found",))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (500, ENTRY),
        (502, b"<html>Bad gateway</html>"),
        (503, b"<html>Service unavailable</html>"),
        (504, b""),
        (408, b""),
        (302, b""),
        (200, b"<html><title>Page not found</title></html>"),
        (200, b'{"Total":1,"SupplierList":[{"ID":"5d'),
        (200, b""),
        (204, b""),
        (200, b"\xff"),
        (200, b"[" * 100_000),
        (200, b'[{"ErrorCode":500,"Exception":"Object reference not set"}]'),
    ],
)
def test_anything_else_leaves_open_whether_a_write_was_executed(status: int, body: bytes) -> None:
    with pytest.raises(Cin7Unclear) as caught:
        read(answer(status, body))
    assert caught.value.executed is True
    assert len(str(caught.value)) < 1000


def test_reasons_are_cut_and_cleaned_before_anyone_sees_them() -> None:
    found = messages(json.dumps([{"Exception": "a\x00\n" + "b" * 10_000}] * 100).encode())
    assert len(found) == 20
    assert found[0].startswith("a b")
    assert len(found[0]) == 500


def test_retry_after_is_its_first_whole_number() -> None:
    assert retry_after_s(answer(429, b"", retry_after="60 Seconds"), 1) == 60
    assert retry_after_s(answer(429, b""), 7) == 7

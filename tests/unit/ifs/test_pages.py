from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http import Answer
from shared.ifs.errors import IfsUnreadable
from shared.ifs.pages import Stored, read_page, read_stored
from shared.rows import Constant, read_row

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_rows_keep_their_exact_bytes_and_exact_numbers() -> None:
    rows = [b'{"Price":1.10, "Id" : 7}', b'{"Price":12345678901234567890.123456789}']
    page = read_page(b'{"@odata.context":"x","value":[' + b", ".join(rows) + b"]}", what="Set")
    assert [row.raw for row in page.rows] == rows
    assert page.rows[0].values == {"Price": Decimal("1.10"), "Id": 7}
    assert page.rows[1].values["Price"] == Decimal("12345678901234567890.123456789")


@pytest.mark.parametrize(
    ("bad", "value"),
    [
        (b'{"a":"\\ud800"}', "\ud800"),
        (b'{"a":NaN}', Constant("NaN")),
        (b'{"a":-Infinity}', Constant("-Infinity")),
        (b'{"a":"\xff"}', "\udcff"),
        (b'{"a":"\x01"}', "\x01"),
    ],
)
def test_one_bad_row_takes_no_neighbour_along(bad: bytes, value: object) -> None:
    good = '{"a":"Ö, ] }","b":[1,{"c":2}]}'.encode()
    body = b'{ "value" : [' + good + b" ,\n" + bad + b"," + good + b'] , "@odata.nextLink":"next" }'
    page = read_page(body, what="Set")
    assert [row.raw for row in page.rows] == [good, bad, good]
    assert [row.sound for row in page.rows] == [True, False, True]
    assert page.rows[1].values == {"a": value}
    assert page.next_link == "next"


@given(st.lists(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=4), max_size=5))
def test_both_ways_of_reading_a_page_agree(rows: list[dict[str, object]]) -> None:
    encoded = [msgspec.json.encode(row) for row in rows]
    plain = read_page(b'{"value":[' + b",".join(encoded) + b"]}", what="Set")
    tolerant = read_page(b'{"value":[' + b",".join([*encoded, b'{"x":NaN}']) + b"]}", what="Set")
    assert [row.raw for row in tolerant.rows[:-1]] == [row.raw for row in plain.rows] == encoded
    assert [row.values for row in tolerant.rows[:-1]] == [row.values for row in plain.rows]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"value":null}',
        b'{"value":{}}',
        b'{"value":[{"a":1}',
        b'{"value":[{"a":NaN}',
        b'{"value":[{"a":NaN}]',
        b'{"value":[{"a":NaN}]} trailing',
        b'{"value":[{"a":1.2.3}]}',
        b'{"value":[],"@odata.nextLink":5}',
        b'{"value":[{"a":NaN}],"@odata.nextLink":5}',
        b'{"value":' + b"[" * 100_000,
        b'{"error":{"message":"no"}}',
    ],
)
def test_what_is_no_page_is_said_loudly(body: bytes) -> None:
    with pytest.raises(IfsUnreadable, match="X/Set"):
        read_page(body, what="X/Set")


def test_a_row_that_is_no_object_is_kept_as_a_bad_row() -> None:
    page = read_page(b'{"value":[5,null,"x",{"a":1}]}', what="Set")
    assert [row.sound for row in page.rows] == [False, False, False, True]


def test_a_number_of_many_digits_does_no_harm() -> None:
    assert read_row(b'{"a":NaN,"b":' + b"9" * 10_000 + b"}").values["b"] == Decimal("9" * 10_000)


def answer(body: bytes, **headers: str) -> Answer:
    return Answer(200, headers, body)


@pytest.mark.parametrize(
    ("body", "headers", "etag"),
    [
        (b'{"@odata.etag":"W/\\"a\\"","Id":1}', {"etag": 'W/"b"'}, 'W/"a"'),
        (b'{"Id":1}', {"etag": 'W/"b"'}, 'W/"b"'),
        (b'{"Id":1}', {}, ""),
        (b'{"@odata.etag":7,"Id":1}', {}, ""),
    ],
)
def test_a_rows_etag_is_taken_as_it_stands(body: bytes, headers: dict[str, str], etag: str) -> None:
    stored = read_stored(answer(body, **headers), what="Set")
    assert (stored.etag, stored.values["Id"]) == (etag, 1)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"{}", b'{"value":[]}', b'"text"', b'{"Id":'])
def test_what_is_no_row_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(IfsUnreadable, match="Set"):
        read_stored(answer(body), what="Set")


def test_a_row_with_half_a_character_still_shows_its_etag() -> None:
    assert read_stored(answer(b'{"@odata.etag":"x","Name":"\\ud800"}'), what="Set") == Stored(
        {"@odata.etag": "x", "Name": "\ud800"}, "x"
    )

"""An ETag of one second's precision is trusted once its second is over."""

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.ifs.etags import changed_this_second

READ_AT = datetime(2026, 3, 14, 9, 30, 15, tzinfo=UTC)


def tag(version: str) -> str:
    inner = f'W/"AACIMGAAFAABpIHAAA:{version}"'
    return f'W/"{base64.b64encode(inner.encode()).decode()}"'


@pytest.mark.parametrize(
    ("age", "zone", "fresh"),
    [
        (timedelta(0), timedelta(0), True),
        (timedelta(seconds=1), timedelta(0), True),
        (timedelta(seconds=-1), timedelta(0), True),
        (timedelta(0), timedelta(hours=2), True),
        (timedelta(0), timedelta(hours=-9, minutes=-30), True),
        (timedelta(0), timedelta(hours=5, minutes=45), True),
        (timedelta(seconds=2), timedelta(0), False),
        (timedelta(seconds=2), timedelta(hours=2), False),
        (timedelta(minutes=7), timedelta(hours=2), False),
        (timedelta(days=40), timedelta(0), False),
    ],
)
def test_a_row_changed_in_the_second_it_was_read_is_known_whatever_the_zone(
    age: timedelta, zone: timedelta, fresh: bool
) -> None:
    version = f"{READ_AT - age + zone:%Y%m%d%H%M%S}"
    assert changed_this_second(tag(version), format_datetime(READ_AT, usegmt=True)) is fresh


@pytest.mark.parametrize("etag", ["", '"x"', 'W/"not base64!"', tag("11"), tag("99999999999999"), 'W/"MQ=="'])
def test_a_version_that_is_no_second_is_trusted_at_once(etag: str) -> None:
    assert not changed_this_second(etag, format_datetime(READ_AT, usegmt=True))


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Mar 2026 09:30:15 GMT"])
def test_without_a_date_to_compare_with_nothing_is_said_against_it(date: str) -> None:
    assert not changed_this_second(tag("20260314093015"), date)

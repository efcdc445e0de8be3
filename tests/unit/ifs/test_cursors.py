import pytest

from shared.config.settings import IfsSettings
from shared.ifs.cursors import Cursor, is_later, lower_bound, read_cursor


def settings(**changes: object) -> IfsSettings:
    return IfsSettings(base_url="https://acme.ifs.cloud", realm="acme1", **changes)  # type: ignore[arg-type] # Test data.


@pytest.mark.parametrize(
    ("stamp", "since"),
    [
        ("2026-03-01T10:15:30Z", "2026-03-01T10:00:30Z"),
        ("2026-03-01T10:15:30.250Z", "2026-03-01T10:00:30Z"),
        ("2026-03-01T10:15:30+02:00", "2026-03-01T10:00:30+02:00"),
        ("2026-03-01T00:05:00", "2026-02-28T23:50:00"),
        ("2026-03-01", "2026-02-28"),
        ("", "1900-01-01T00:00:00Z"),
    ],
)
def test_the_look_back_keeps_the_form_of_the_stamp(stamp: str, since: str) -> None:
    assert lower_bound(stamp, settings()) == since


@pytest.mark.parametrize(
    ("stamp", "since"),
    [
        ("2026-10-25T02:50:00Z", "2026-10-25T00:50:00Z"),  # The hour from two to three comes twice.
        ("2026-10-25T03:10:00Z", "2026-10-25T01:10:00Z"),
        ("2026-03-29T03:10:00Z", "2026-03-29T01:10:00Z"),
        ("2026-10-25T12:00:00Z", "2026-10-25T11:45:00Z"),
    ],
)
def test_the_look_back_is_longer_around_a_change_of_the_clocks(stamp: str, since: str) -> None:
    assert lower_bound(stamp, settings(time_zone="Europe/Stockholm")) == since


def test_true_utc_knows_no_change_of_the_clocks() -> None:
    aware = settings(time_zone="Europe/Stockholm", time_zone_aware=True)
    assert lower_bound("2026-10-25T02:50:00Z", aware) == "2026-10-25T02:35:00Z"


def test_stamps_are_compared_as_moments_and_not_as_texts() -> None:
    assert is_later("2026-03-01T10:00:00.5Z", "2026-03-01T10:00:00Z")
    assert not is_later("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5Z")
    assert is_later("2026-03-01", "")
    assert not is_later("soon", "")


def test_a_cursor_never_moves_back_and_survives_as_text() -> None:
    cursor = Cursor(by="modified", at={"header": "2026-03-01T10:00:00Z"}, scan=["1001", 5])
    assert cursor.moved("header", "2026-02-01T10:00:00Z") == cursor
    moved = cursor.moved("lines", "2026-03-02T10:00:00Z")
    assert moved.at == {"header": "2026-03-01T10:00:00Z", "lines": "2026-03-02T10:00:00Z"}
    assert read_cursor(moved.text(), "modified") == moved


@pytest.mark.parametrize("watermark", [None, "", "2026-03-01", "{}", '{"by":"sweep"}', "[" * 5000])
def test_a_watermark_of_another_kind_starts_anew(watermark: str | None) -> None:
    assert read_cursor(watermark, "modified") is None

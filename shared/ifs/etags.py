"""Whether an ETag of IFS can be trusted yet: its version may be a second, which several changes share. Pure.

Source: docs/apis/ifs.md#etags. Else an ETag is opaque, and sent as it came.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_VERSION: Final = re.compile(rb":(\d{14})\"?$")
#: The version is a wall clock of an unknown zone; zones differ by whole quarters of an hour, and by no more than this.
_ZONES: Final = timedelta(hours=26)
_QUARTER_S: Final = 900
#: Seconds by which the clocks of the web server and of the database may differ.
_SKEW_S: Final = 1


def changed_this_second(etag: str, date: str) -> bool:
    """Say whether the row may have been changed in the very second in which it was read.

    Then another change in the same second would leave the ETag as it is, and a write with it would go over that change
    unseen. A second later the ETag tells.

    Args:
        date: of the answer that brought the ETag; empty: nothing can be said against it.
    """
    version, read_at = _version(etag), _moment(date)
    if version is None or read_at is None:
        return False
    apart = read_at - version
    if abs(apart) > _ZONES:
        return False
    rest = apart.total_seconds() % _QUARTER_S
    return min(rest, _QUARTER_S - rest) <= _SKEW_S


def _version(etag: str) -> datetime | None:
    """Return the second that an ETag tells, in whatever zone; None where its version is no time."""
    match = re.fullmatch(r'(?:W/)?"([^"]*)"', etag)
    try:
        inner = base64.b64decode(match[1], validate=True) if match else b""
        found = _VERSION.search(inner)
        return datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC) if found else None
    except (binascii.Error, ValueError):
        return None


def _moment(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, TypeError, IndexError):
        return None

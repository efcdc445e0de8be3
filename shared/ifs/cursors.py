"""How far a stream has been read, as the text that the ledger keeps; and from where the next poll reads. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from shared.config.settings import IfsSettings, Strategy

#: Seconds looked back around a change of the clocks. Source: docs/apis/ifs.md#time-zones.
_CLOCK_CHANGE_S: Final = 7200
#: Earlier than any stamp: excludes rows without one. Source: our own choice.
_DAWN: Final = "1900-01-01"


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a watermark says.

    Attributes:
        by: the strategy that wrote it; another one starts anew.
        at: by set (or `history`), the latest stamp read, as IFS wrote it; empty: none was there.
        scan: key after which an unfinished full read goes on; None: none is under way.
    """

    by: Strategy
    at: dict[str, str] = {}
    scan: list[str | int] | None = None

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    def moved(self, name: str, stamp: str) -> "Cursor":
        """Return it with the later of what it knows and `stamp`."""
        if not is_later(stamp, self.at.get(name, "")):
            return self
        return msgspec.structs.replace(self, at={**self.at, name: stamp})


def read_cursor(watermark: str | None, by: Strategy) -> Cursor | None:
    """Return where to go on; None where the stream starts anew."""
    try:
        cursor = msgspec.json.decode(watermark or "", type=Cursor)
    except (msgspec.DecodeError, RecursionError):
        return None
    return cursor if cursor.by == by else None


def is_later(stamp: str, other: str) -> bool:
    """Compare two stamps; what is no stamp is earlier than all."""
    one, two = _moment(stamp), _moment(other)
    return one is not None and (two is None or one > two)


def lower_bound(stamp: str, settings: IfsSettings) -> str:
    """Return the stamp from which to read so that nothing committed late is missed, in the form that `stamp` has.

    Around a change of the clocks the tenant's wall clock shows an hour twice: the look back is longer then.
    """
    moment = _moment(stamp)
    if moment is None:
        return dawn(is_date=False)
    overlap_s = settings.overlap_s
    if not settings.time_zone_aware and _clocks_change(moment, ZoneInfo(settings.time_zone)):
        overlap_s = max(overlap_s, _CLOCK_CHANGE_S)
    since = moment - timedelta(seconds=overlap_s)
    if "T" not in stamp:
        return since.strftime("%Y-%m-%d")
    # The server's wall clock as it wrote it, with its own offset; whole seconds, rounded down.
    return since.strftime("%Y-%m-%dT%H:%M:%S") + _offset(stamp)


def dawn(*, is_date: bool) -> str:
    return _DAWN if is_date else f"{_DAWN}T00:00:00Z"


def _offset(stamp: str) -> str:
    if stamp.endswith("Z"):
        return "Z"
    return stamp[-6:] if len(stamp) > 19 and stamp[-6] in "+-" else ""


def _moment(stamp: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clocks_change(moment: datetime, zone: tzinfo) -> bool:
    wall = moment.replace(tzinfo=zone)
    margin = timedelta(seconds=_CLOCK_CHANGE_S)
    return (wall - margin).utcoffset() != (wall + margin).utcoffset()

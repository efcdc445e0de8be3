"""Spans of business dates, and how IFS is asked for the documents that are dated within one."""

import datetime as dt
import re
from typing import Final

import msgspec

from shared.ifs.client import IfsClient
from shared.ifs.odata import both, equals
from shared.ifs.sources import Bound
from shared.ifs.strategies import properties_of

_MONTH: Final = re.compile(r"(\d{4})-(\d\d)")
_INSTANT: Final = "Edm.DateTimeOffset"
_DAY: Final = dt.timedelta(days=1)


class Span(msgspec.Struct, frozen=True):
    """Days from `first` to `last`, both included; None: open at that end."""

    first: dt.date | None = None
    last: dt.date | None = None

    def has(self, day: str) -> bool:
        """Say whether a business date (YYYY-MM-DD) lies within; what is no date lies in no span."""
        try:
            date = dt.date.fromisoformat(day[:10])
        except ValueError:
            return False
        return (self.first is None or date >= self.first) and (self.last is None or date <= self.last)


def month_span(period: str) -> Span | None:
    """Return the days of a month written as YYYY-MM; None where it is none."""
    found = _MONTH.fullmatch(period)
    try:
        first = dt.date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        return None
    if first is None or first.year == dt.MAXYEAR:
        return None
    return Span(first, (first.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY)


def period_of(day: dt.date) -> str:
    return f"{day:%Y-%m}"


def period_before(period: str) -> str:
    span = month_span(period)
    assert span is not None  # noqa: S101 - whoever asks has a period
    assert span.first is not None  # noqa: S101 - a month has a first day
    return period_of(span.first - _DAY)


def date_condition(field: str, kind: str, span: Span) -> str:
    """Return the condition for `field` to lie within the span; the dates are those of the tenant's wall clock.

    Args:
        kind: the property's type: an instant is compared up to the beginning of the next day.
    """
    parts = []
    if kind == _INSTANT:
        if span.first:
            parts.append(f"{field} ge {span.first}T00:00:00Z")
        if span.last:
            parts.append(f"{field} lt {span.last + _DAY}T00:00:00Z")
    else:
        if span.first:
            parts.append(f"{field} ge {span.first}")
        if span.last:
            parts.append(f"{field} le {span.last}")
    return " and ".join(parts)


def asked_for(client: IfsClient, bound: Bound, span: Span, *, company: str = "", lane: str) -> str:
    """Return the condition for the documents of a source that are dated within the span.

    `company` is for a set that `names_company`.

    Raises:
        ConnectorError: the tenant's metadata cannot be read.
    """
    header = bound.header
    field = header.properties.get(bound.source.date, "")
    kind = (properties_of(client, header, lane=lane) or {}).get(field) or bound.source.date_type
    return both(
        equals(header.properties["company"], company) if company else "",
        date_condition(field, kind, span) if field else "",
    )


def names_company(client: IfsClient, bound: Bound, *, lane: str) -> bool:
    """Say whether the headers of a source can be asked for by their company.

    Source: docs/apis/ifs.md#purchase-orders: it may be missing there, and then the site tells it.
    """
    own = bound.header.properties.get("company", "")
    if not own or own in bound.header.key:
        return bool(own)
    return own in (properties_of(client, bound.header, lane=lane) or {})

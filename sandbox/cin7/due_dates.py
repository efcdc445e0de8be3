"""When an invoice falls due by a payment term. Pure. Source: docs/apis/cin7.md#terms."""

from calendar import monthrange
from datetime import datetime, timedelta

from sandbox.cin7.wire import Json


def due_date(invoiced: datetime, term: Json | None) -> datetime:
    """Return the due date of an invoice of that date; without a term it is the same day."""
    if term is None:
        return invoiced
    duration, method = int(term["Duration"]), str(term["Method"])
    if method == "day of next month":
        following = _month_end(invoiced) + timedelta(days=1)
        return following.replace(day=max(1, min(duration, _month_end(following).day)))
    if method == "last day of next month":
        return _month_end(_month_end(invoiced) + timedelta(days=1))
    if method == "days since the end of the month":
        return _month_end(invoiced) + timedelta(days=duration)
    return invoiced + timedelta(days=duration)


def _month_end(moment: datetime) -> datetime:
    return moment.replace(day=monthrange(moment.year, moment.month)[1])

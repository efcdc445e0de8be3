"""What an IFS answer that is no success means, and who acts next. Pure. Source: docs/apis/ifs.md#errors."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from shared.errors import ConnectorError, Misconfigured, Retryable

#: Repeat the same request once: the projection's metadata was replaced under it. Source: docs/apis/ifs.md#errors.
MODIFIED: Final = "MI_MODIFIED_ERROR"
#: There is no row with this key, or no such set. Source: docs/apis/ifs.md#errors.
NOT_FOUND: Final = "ODP_RESOURCE_NOTFOUND"
#: Application error of the database layer for a record that somebody else changed. Source: docs/apis/ifs.md#etags.
_STALE_CODE: Final = "20114"
_STALE_TEXT: Final = re.compile(r"ORA-20114|already been changed|modified by another", re.IGNORECASE)
_EXISTS_TEXT: Final = re.compile(r"already exists", re.IGNORECASE)
#: Stale; stale as some say it; the precondition was lost on the way. In none of them was anything changed.
_CONFLICTS: Final = frozenset({409, 412, 428})
_TEXT_LENGTH_MAX: Final = 500
#: Seconds. No honest server asks for more, and a mistyped date must not stop a stream for a year.
_DELAY_S_MAX: Final = 3600.0


class IfsThrottled(Retryable):
    """IFS refused the call for its rate; nothing was executed."""


class IfsUnavailable(Retryable):
    """IFS, or something before it, failed; a write may have happened."""

    def __init__(self, message: str, *, status: int, code: str = "", delay_s: float | None = None) -> None:
        super().__init__(message, delay_s=delay_s, executed=code != MODIFIED)
        self.status = status
        self.code = code


class IfsUnreadable(Retryable):
    """IFS answered 200 with something that is not what was asked for."""


class IfsRefused(ConnectorError):
    """IFS understood and said no; what that means is for the caller to decide."""

    def __init__(self, text: str, *, status: int, code: str, message: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.message = message


class IfsConflict(IfsRefused):
    """The record changed since its ETag was read; nothing was written."""


class IfsExists(IfsRefused):
    """There is a record with this key already; nothing was written."""


class IfsDenied(Misconfigured):
    """The credentials or their permissions do not reach this far."""

    def __init__(self, text: str, *, status: int, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


def read_error(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> ConnectorError:
    """Return the error that names what happened; `what` is the service and set that was asked for.

    Names of `headers` are in lower case.
    """
    code, message, details = _decoded(body)
    said = f"{status} {code}".strip() + (f": {message}" if message else "")
    if status == 429:
        return IfsThrottled(f"IFS answered {said} for {what}.", delay_s=retry_after(headers), executed=False)
    if (kind := _refusal(status, message, details)) is not None:
        return kind(f"IFS answered {said} for {what}.", status=status, code=code, message=message)
    if status >= 500 and status != 501:
        text = f"IFS answered {said} for {what}."
        return IfsUnavailable(text, status=status, code=code, delay_s=retry_after(headers))
    if status == 401:
        text = f"IFS answered {said} for {what}: store valid ones with `connector credentials set ifs`."
        return IfsDenied(text, status=status, code=code)
    if status == 403 and code != "CSRF_ERROR":
        text = (
            f"IFS answered {said} for {what}: grant it to the service user's permission set, "
            "or activate it in API Explorer if it is an entity service."
        )
        return IfsDenied(text, status=status, code=code)
    return IfsRefused(f"IFS answered {said} for {what}.", status=status, code=code, message=message)


def _refusal(status: int, message: str, details: str) -> type[IfsRefused] | None:
    """Return what a refusal to write says of the record; None for any other answer."""
    if 400 <= status < 500 and _EXISTS_TEXT.search(message):
        return IfsExists
    if status in _CONFLICTS or _STALE_CODE in details or _STALE_TEXT.search(message):
        return IfsConflict
    return None


def error_code(body: bytes) -> str:
    """Return IFS's code for the error, such as `ODP_UNSUPPORTED_URL`; empty where the body has none."""
    return _decoded(body)[0]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that `Retry-After` states as a number or as a date; None where it states none.

    A date is measured against the answer's own `Date`, so that no clock of ours takes part.
    """
    text = headers.get("retry-after", "").strip()
    if number := re.match(r"\d+(\.\d+)?", text):
        return min(float(number[0]), _DELAY_S_MAX)
    at, now = _moment(text), _moment(headers.get("date", ""))
    if at is None or now is None:
        return None
    return min(max((at - now).total_seconds(), 0.0), _DELAY_S_MAX)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _decoded(body: bytes) -> tuple[str, str, str]:
    """Return code, message and all codes and texts of the details; empty where the body has none.

    Accepts every shape seen: no code, a message that is an object with `value`, an error that is a text, and bodies
    from an ingress that are no JSON at all (their text is not repeated: it is a web page).
    """
    try:
        error = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", "", ""
    if isinstance(error, dict):
        error = error.get("error", error)
    if isinstance(error, str):
        return "", _plain(error), ""
    if not isinstance(error, dict):
        return "", "", ""
    message = error.get("message", "")
    if isinstance(message, dict):
        message = message.get("value", "")
    details = error.get("details")
    details = details if isinstance(details, list) else []
    said = [part for detail in details if isinstance(detail, dict) for part in _said(detail)]
    whole = " ".join(dict.fromkeys(part for part in (_plain(message), *said) if part))
    return _plain(error.get("code", "")), whole[:_TEXT_LENGTH_MAX], " ".join(said)


def _said(detail: Mapping[str, object]) -> tuple[str, str]:
    return _plain(detail.get("code", "")), _plain(detail.get("message", ""))


def _plain(text: object) -> str:
    """Return `text` on one line, of bounded length and without control characters."""
    if not isinstance(text, str | int):
        return ""
    words = "".join(letter if letter.isprintable() else " " for letter in str(text)).split()
    return " ".join(words)[:_TEXT_LENGTH_MAX]

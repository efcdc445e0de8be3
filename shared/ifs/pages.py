"""An answer of IFS to rows, each with its exact bytes. One bad row never takes its neighbours along. Pure."""

from typing import Final

import msgspec

from shared.http import Answer
from shared.ifs.errors import IfsUnreadable
from shared.rows import Row, read_row, tolerant_rows


class Page(msgspec.Struct, frozen=True):
    rows: tuple[Row, ...]
    next_link: str | None = None


class Stored(msgspec.Struct, frozen=True):
    """One row as a by-key read or a write answers it: what it holds, and the ETag that a change of it needs.

    Attributes:
        values: its members; numbers as int or Decimal.
        etag: byte for byte as IFS gave it; empty where it gave none.
        date: when it was answered, as the answer's own `Date` says; empty where it does not.
    """

    values: dict[str, object]
    etag: str
    date: str = ""


class _Envelope(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def read_page(body: bytes, *, what: str) -> Page:
    """Return the rows of a page; `what` names the service and set that was asked for.

    Raises:
        IfsUnreadable: the body is no page.
    """
    try:
        envelope = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # One lone surrogate or NaN and msgspec refuses the whole page: look again, row by row.
        return _tolerant_page(body, what)
    return Page(tuple(read_row(bytes(raw)) for raw in envelope.value), envelope.next_link)


def read_stored(answer: Answer, *, what: str) -> Stored:
    """Return the row that a by-key read or a write answered; `what` names the service and set.

    Raises:
        IfsUnreadable: the body is no row.
    """
    row = read_row(answer.body)
    if not row.values or isinstance(row.values.get("value"), list):
        raise IfsUnreadable(f"IFS answered {answer.status} for {what} with something that is no row.")
    # The body's first: what is in between may rewrite a header, not a body.
    return Stored(row.values, row.etag or answer.headers.get("etag", ""), answer.headers.get("date", ""))


def _tolerant_page(body: bytes, what: str) -> Page:
    found = tolerant_rows(body, "value")
    link = None if found is None else found[1].get("@odata.nextLink")
    if found is None or not (link is None or isinstance(link, str)):
        message = f"IFS answered 200 for {what} with something that is no page of rows; the poll will look again."
        raise IfsUnreadable(message) from None
    return Page(tuple(found[0]), link)

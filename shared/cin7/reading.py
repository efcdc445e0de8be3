"""What changed among the suppliers of one Cin7 account, a batch per page; and single ones by their ids."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from shared.cin7.client import Cin7Client
from shared.fingerprints import digest
from shared.pulled import Batch, RawDocument
from shared.rows import Row

SUPPLIER: Final = "supplier"
STAMP: Final = "LastModifiedOn"
#: The watermark of an account that has no supplier yet.
_BEGINNING: Final = "1970-01-01T00:00:00Z"
#: Pages of one read, so that a list which never ends does not hold a process for ever.
_PAGES_MAX: Final = 10_000

_NEVER: Final = datetime.fromisoformat(_BEGINNING)

#: Which of these suppliers, by id, are linked to one of IFS or followed already.
Ours = Callable[[Sequence[str]], set[str]]


def changed(
    client: Cin7Client, account: str, *, watermark: str | None, sweep: bool, ours: Ours, lane: str
) -> Iterator[Batch]:
    """Yield the suppliers that were changed since `watermark`, deprecated ones too, at least one batch.

    The list is in no order and moves while it is read, so the watermark moves with its last page only: to the newest
    stamp that was seen, never to a time of ours. What a moving list hid is found by the look back of the next read, and
    by the nightly full one.

    Args:
        watermark: the newest LastModifiedOn seen; None reads everything for the first time. Then what is not linked is
            only counted: it was there before anybody looked.
        sweep: read everything, whatever the watermark.
        lane: of the call budget.

    Raises:
        ConnectorError: a call failed; what was yielded before it stands.
    """
    since = None if sweep or watermark is None else look_back(watermark, client.settings.overlap_s)
    shown = f"ModifiedSince={since}&IncludeDeprecated=true" if since else "IncludeDeprecated=true"
    newest, seen = watermark or "", 0
    for number in range(1, _PAGES_MAX + 1):
        total, rows = client.supplier_rows(number, modified_since=since, lane=lane)
        seen += len(rows)
        newest = max([newest, *(_stamp(row) for row in rows)], key=_moment)
        # The page may be smaller than asked for, so only the count tells which is the last.
        last = not rows or seen >= total
        documents = [document_of(account, row) for row in rows]
        known = ours([identifier(row) for row in rows]) if watermark is None else None
        yield Batch(
            documents=[
                one for one, row in zip(documents, rows, strict=True) if known is None or identifier(row) in known
            ],
            skipped=[
                (one.key, row.values)
                for one, row in zip(documents, rows, strict=True)
                if known is not None and identifier(row) not in known
            ],
            rows=len(rows),
            filter=shown,
            reached=(newest or _BEGINNING) if last else "",
        )
        if last:
            return


def by_key(clients: Callable[[str], Cin7Client], keys: Sequence[str], *, lane: str) -> dict[str, RawDocument]:
    """Return the suppliers with these keys (`account/id`); what Cin7 does not have, or the settings, is missing."""
    found: dict[str, RawDocument] = {}
    for key in keys:
        account, _, supplier_id = key.partition("/")
        try:
            client = clients(account)
        except KeyError:
            continue
        for row in client.supplier_row(supplier_id, lane=lane):
            found[key] = document_of(account, row)
    return found


def document_of(account: str, row: Row) -> RawDocument:
    """Return a supplier as a raw document: its account, and the exact bytes of its row."""
    name = msgspec.json.encode(account)
    return RawDocument(
        key=f"{account}/{identifier(row) or f'unreadable-{digest(row.raw)[:16]}'}",
        raw=b'{"account":' + name + b',"supplier":' + row.raw + b"}",
        stamp=_stamp(row),
        header_tag=digest(row.raw)[:32],
    )


def identifier(row: Row) -> str:
    """Return the id in lower case; Cin7 writes both cases."""
    value = row.values.get("ID")
    return value.strip().lower() if isinstance(value, str) else ""


def look_back(stamp: str, overlap_s: float) -> str:
    """Return the moment from which to read again: a little before the newest stamp seen, in Cin7's own clock.

    Whether the filter takes in its own moment is unknown. Source: docs/apis/cin7.md#paging.
    """
    return f"{_moment(stamp) - timedelta(seconds=overlap_s):%Y-%m-%dT%H:%M:%S}.000"


def _stamp(row: Row) -> str:
    value = row.values.get(STAMP)
    return value if isinstance(value, str) and _moment(value) > _NEVER else ""


def _moment(stamp: str) -> datetime:
    """Return a stamp as a time; one without a zone is UTC. Source: docs/apis/cin7.md#data-formats."""
    try:
        moment = datetime.fromisoformat(stamp.strip())
    except ValueError:
        return _NEVER
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

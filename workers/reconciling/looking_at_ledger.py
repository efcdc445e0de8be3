"""What the ledger knows of many documents: how far each has come, and what the connector wrote of it last."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.assembly import Assembly
from shared.flows import PURCHASE_ORDERS, Flow
from shared.ledger import links
from shared.ledger.connection import Cur
from shared.ledger.links import Link
from shared.ledger.views import documents
from shared.ledger.views.documents import KnownRecord
from workers.mapping.results import InvoiceWrite, PurchaseWrite
from workers.reconciling import sent
from workers.reconciling.copies import Copy, Known, Progress

#: Records asked for in one statement.
_TOGETHER: Final = 2_000
#: States in which the last event says why.
_TELLING: Final = frozenset({"retrying", "dismissed", "superseded"})


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the ledger knows it, with the link that leads to it in Cin7.

    Attributes:
        accounts: of an order's lines, by the beginning of their trace.
    """

    known: Known
    link: Link | None = None
    company: str = ""
    accounts: Mapping[str, str] = {}


def known_of(parts: Assembly, flow: Flow, keys: Sequence[str], dates: Mapping[str, str]) -> dict[str, Written]:
    """Return what the ledger knows of these documents, by key.

    Args:
        dates: business dates by key, as IFS has them; for others the ledger's own counts.
    """
    found: dict[str, Written] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), _TOGETHER):
        with parts.ledger.transaction() as cur:
            found |= _known_of(cur, parts, flow, wanted[start : start + _TOGETHER], dates)
    return found


def _known_of(
    cur: Cur, parts: Assembly, flow: Flow, keys: Sequence[str], dates: Mapping[str, str]
) -> dict[str, Written]:  # fmt: skip
    records = documents.records(cur, flow.name, keys)
    linked = links.of_keys(cur, flow.name, keys)
    held = [one.entry for one in records.values() if one.entry is not None and one.state == "held"]
    told = [one.entry for one in records.values() if one.entry is not None and one.state in _TELLING]
    findings, words = documents.findings(cur, held), documents.last_words(cur, told)
    found = {}
    for key, record in records.items():
        link = _newest(linked.get(key, ()))
        date = dates.get(key) or (record.dated.isoformat() if record.dated else "")
        copy, accounts = _copy(flow, link, date) if link and link.written else (None, {})
        entry = record.entry or 0
        progress = _progress(record, tuple(findings.get(entry, ())), words.get(entry, ""))
        known = Known(
            fingerprint=record.fingerprint,
            skipped=record.skipped,
            read_at=shown(record.read_at),
            progress=progress,
            written=copy,
            linked=link is not None,
            numbered=link.cin7_number if link else "",
            proven=bool(link and link.verified and _reads_back(parts, link.cin7_account)),
        )
        found[key] = Written(known=known, link=link, company=record.company, accounts=accounts)
    return found


def _newest(found: Iterable[Link]) -> Link | None:
    """Return the link that counts: a company may have been sent to another Cin7 account meanwhile."""
    return max(found, key=lambda link: (bool(link.written), link.version), default=None)


def _reads_back(parts: Assembly, account: str) -> bool:
    settings = parts.settings.cin7.get(account)
    return settings is not None and settings.read_back


def _copy(flow: Flow, link: Link, date: str) -> tuple[Copy, Mapping[str, str]]:
    if flow is PURCHASE_ORDERS:
        write = msgspec.json.decode(link.written, type=PurchaseWrite)
        return sent.of_purchase(write, date), sent.accounts_of_lines(write)
    return sent.of_invoice(msgspec.json.decode(link.written, type=InvoiceWrite)), {}


def _progress(record: KnownRecord, findings: tuple, why: str) -> Progress:  # type: ignore[type-arg]
    return Progress(
        state=record.state,
        entry=record.entry or 0,
        since=shown(record.changed_at),
        due=shown(record.due_at),
        why=why,
        waits_on=record.waits_on,
        findings=findings,
    )


def shown(moment: datetime | None) -> str:
    """Return an instant for people."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z" if moment else ""

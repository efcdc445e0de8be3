"""Where each flow's records come from, and all that differs by it: how they are read, by key too, and looked at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from shared.cin7 import answers, supplier_documents
from shared.cin7 import reading as cin7_reading
from shared.cin7.errors import Cin7Unclear
from shared.config import tables
from shared.config.settings import StreamSettings
from shared.flows import CIN7_SUPPLIERS, JOURNALS, PURCHASE_ORDERS, SUPPLIER_INVOICES, SUPPLIERS, Flow
from shared.ifs import grouped, slicing
from shared.ifs import reading as ifs_reading
from shared.ifs.records import journals, purchase_orders, supplier_invoices, suppliers
from shared.ifs.sources import Source
from shared.ifs.strategies import strategy_of
from shared.ledger import backfills, detecting, links, vendors
from shared.ledger.connection import Cur
from shared.pulled import Admit, Batch, Known, RawDocument
from shared.seeing import Cin7SupplierLens, IfsLens, Lens

if TYPE_CHECKING:
    from shared.assembly import Assembly

SOURCES: Final[Mapping[Flow, Source]] = {
    SUPPLIERS: suppliers.SOURCE,
    PURCHASE_ORDERS: purchase_orders.SOURCE,
    SUPPLIER_INVOICES: supplier_invoices.SOURCE,
    JOURNALS: journals.SOURCE,
}


class Read(Protocol):
    """Reads what changed since a watermark, a batch per page."""

    def __call__(
        self, *, watermark: str | None, sweep: bool, admit: Admit, known: Known, lane: str = "live"
    ) -> Iterator[Batch]: ...


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How one stream of a flow is read.

    Attributes:
        name: of its lead and watermark.
        title: what is read, as the audit shows it.
        strategy: asks how changes are found; "sweep" reads everything every time.
        scope: what the keys of its records begin with, where the flow has several streams.
        where: in which system, and what to look at there when it shows suspiciously little.
        keep: keeps what else a page is good for, in the transaction that records it.
    """

    name: str
    title: str
    strategy: Callable[[], str]
    start_from: str = ""
    every_s: float
    read: Read
    scope: str = ""
    where: str = "IFS"
    suspect: str = "check the allowed companies and sites of the connector's user in IFS"
    keep: Callable[[Cur, Batch], None] = lambda _cur, _batch: None


class Origin(Protocol):
    """Where the records of one flow come from."""

    def lens(self, parts: "Assembly", start_from: str) -> Lens:
        """Return how its records are looked at."""

    def by_key(self, parts: "Assembly", keys: Sequence[str], lane: str) -> dict[str, RawDocument]:
        """Return the records with these keys; those that are not there are missing."""

    def readings(self, parts: "Assembly") -> list[Reading]:
        """Return its streams. Nothing is asked for yet."""


class FromIfs(msgspec.Struct, frozen=True):
    """A flow that comes from IFS."""

    flow: Flow

    def lens(self, parts: "Assembly", start_from: str) -> IfsLens:
        """Return how its records are looked at."""
        settings = parts.settings
        bound = SOURCES[self.flow].bound(settings.ifs.stream(self.flow.name))
        today = f"{datetime.now(ZoneInfo(settings.ifs.time_zone)):%Y-%m-%d}"
        admitted: tuple[tuple[str, str], ...] = ()
        if start_from:
            with parts.ledger.transaction() as cur:
                admitted = backfills.admitted(cur, self.flow.name)
        return IfsLens(self.flow, bound, settings.policy, start_from, admitted, today)

    def by_key(self, parts: "Assembly", keys: Sequence[str], lane: str) -> dict[str, RawDocument]:
        """Read documents by key."""
        stream = parts.settings.ifs.stream(self.flow.name)
        return ifs_reading.read_by_key(parts.ifs, SOURCES[self.flow], stream, keys, lane=lane)

    def readings(self, parts: "Assembly") -> list[Reading]:
        """Return its stream, unless the settings switch it off."""
        chosen, source = parts.settings.ifs.stream(self.flow.name), SOURCES[self.flow]
        if not chosen.enabled:
            return []

        def read(
            *, watermark: str | None, sweep: bool, admit: Admit, known: Known, lane: str = "live"
        ) -> Iterator[Batch]:
            stream = msgspec.structs.replace(chosen, strategy="sweep") if sweep else chosen
            return self.changed(parts, stream, watermark=watermark, admit=admit, known=known, lane=lane)

        return [
            Reading(
                name=self.flow.name,
                title=source.bound(chosen).header.title,
                strategy=lambda: strategy_of(parts.ifs, source.bound(chosen), chosen, lane="live"),
                start_from=chosen.start_from,
                every_s=chosen.every_s,
                read=read,
            )
        ]

    def changed(
        self,
        parts: "Assembly",
        stream: StreamSettings,
        *,
        watermark: str | None,
        admit: Admit,
        known: Known,
        lane: str,
    ) -> Iterator[Batch]:
        """Yield what changed since a watermark, as `stream` says."""
        source, settings = SOURCES[self.flow], parts.settings.ifs

        def read(of: StreamSettings, since: str | None) -> Iterator[Batch]:
            return ifs_reading.changed(
                parts.ifs, source, of, settings, watermark=since, admit=admit, known=known, lane=lane
            )

        if not source.of_company:
            return read(stream, watermark)
        return slicing.by_company(
            parts.ifs,
            source.bound(stream),
            stream,
            companies=_companies(parts),
            watermark=watermark,
            read=read,
        )


class FromIfsRows(FromIfs, frozen=True):
    """A flow of IFS whose set has no row for each record, only rows that share its key."""

    def by_key(self, parts: "Assembly", keys: Sequence[str], lane: str) -> dict[str, RawDocument]:
        """Read records by key."""
        stream = parts.settings.ifs.stream(self.flow.name)
        return grouped.read_by_key(parts.ifs, SOURCES[self.flow], stream, keys, lane=lane)

    def changed(
        self,
        parts: "Assembly",
        stream: StreamSettings,
        *,
        watermark: str | None,
        admit: Admit,
        known: Known,
        lane: str,
    ) -> Iterator[Batch]:
        """Yield what changed since a watermark, as `stream` says."""
        return grouped.changed(
            parts.ifs,
            SOURCES[self.flow],
            stream,
            parts.settings.ifs,
            companies=_companies(parts),
            watermark=watermark,
            admit=admit,
            lane=lane,
        )


def _companies(parts: "Assembly") -> list[str]:
    with parts.ledger.transaction() as cur:
        return tables.companies(cur.connection)


class SuppliersOfCin7(msgspec.Struct, frozen=True):
    """Suppliers as Cin7 holds them: one stream per account."""

    flow: Flow

    def lens(self, parts: "Assembly", start_from: str) -> Cin7SupplierLens:
        """Return how its records are looked at."""
        accounts = parts.settings.cin7
        return Cin7SupplierLens({name: account.supplier_number_attribute for name, account in accounts.items()})

    def by_key(self, parts: "Assembly", keys: Sequence[str], lane: str) -> dict[str, RawDocument]:
        """Read suppliers by account and id."""
        return cin7_reading.by_key(parts.cin7, keys, lane=lane)

    def readings(self, parts: "Assembly") -> list[Reading]:
        """Return the stream of every account."""
        return [self._of(parts, account) for account in parts.settings.cin7]

    def _of(self, parts: "Assembly", account: str) -> Reading:
        def ours(ids: Sequence[str]) -> set[str]:
            with parts.ledger.transaction() as cur:
                linked = links.linked_ids(cur, SUPPLIERS.name, account, list(ids))
                followed = detecting.followed(cur, self.flow.name, [f"{account}/{one}" for one in ids])
            return linked | {key.partition("/")[2] for key in followed}

        def read(
            *, watermark: str | None, sweep: bool, admit: Admit, known: Known, lane: str = "live"
        ) -> Iterator[Batch]:
            return cin7_reading.changed(
                parts.cin7(account), account, watermark=watermark, sweep=sweep, ours=ours, lane=lane
            )

        def keep(cur: Cur, batch: Batch) -> None:
            """Spare whoever looks for a supplier before creating one a read of his own."""
            number = parts.settings.cin7[account].supplier_number_attribute
            found = [supplier_documents.decode(document.raw) for document in batch.documents]
            whole = [one.supplier for one in found if not isinstance(one, list)]
            for _, values in batch.skipped:
                with suppress(Cin7Unclear):
                    whole.append(answers.supplier(values))
            vendors.keep(cur, account, [one for one in whole if one.id], number)
            if batch.reached:
                vendors.read_up_to(cur, account, batch.reached, changed=bool(whole))

        return Reading(
            name=f"{self.flow.name}/{account}",
            title=f"cin7.{account}/{cin7_reading.SUPPLIER}",
            strategy=lambda: "modified",
            every_s=parts.settings.cin7[account].poll_suppliers_every_s,
            read=read,
            scope=f"{account}/",
            where=f"Cin7 account {account}",
            suspect=f"check the account id and application keys of [cin7.{account}]",
            keep=keep,
        )


ORIGINS: Final[Mapping[Flow, Origin]] = {
    **{flow: FromIfsRows(flow) if source.grouped else FromIfs(flow) for flow, source in SOURCES.items()},
    CIN7_SUPPLIERS: SuppliersOfCin7(CIN7_SUPPLIERS),
}

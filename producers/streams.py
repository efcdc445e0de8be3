"""The streams of the configuration: for every flow what is read of IFS, how, and how often."""

from collections.abc import Iterator

import msgspec

from producers.poller import Poller, Stream
from shared.assembly import SOURCES, Assembly
from shared.config import tables
from shared.flows import FLOWS, Flow
from shared.ifs import grouped, reading
from shared.ifs.reading import Admit, Batch, Known
from shared.ifs.strategies import strategy_of


def poller_of(parts: Assembly) -> Poller:
    """Return the poller of a process."""
    return Poller(
        parts.ledger,
        parts.redis,
        parts.actor,
        time_zone=parts.settings.ifs.time_zone,
        sweep_at=parts.settings.ifs.sweep_at,
        lease_s=parts.settings.policy.lease_s,
    )


def streams_of(parts: Assembly) -> dict[Flow, Stream]:
    """Return the enabled streams, in flow order."""
    return {flow: stream_of(parts, flow) for flow in FLOWS if parts.settings.ifs.stream(flow.name).enabled}


def stream_of(parts: Assembly, flow: Flow) -> Stream:
    """Return one stream. IFS is asked for nothing yet: its strategy is chosen when it is first polled."""
    settings = parts.settings.ifs
    chosen = settings.stream(flow.name)
    source = SOURCES[flow]
    header = source.bound(chosen).header

    def read(*, watermark: str | None, sweep: bool, admit: Admit, known: Known, lane: str = "live") -> Iterator[Batch]:
        stream = msgspec.structs.replace(chosen, strategy="sweep") if sweep else chosen
        if source.grouped:
            with parts.ledger.transaction() as cur:
                companies = tables.companies(cur.connection)
            return grouped.changed(
                parts.ifs, source, stream, settings, companies=companies, watermark=watermark, admit=admit, lane=lane
            )
        return reading.changed(
            parts.ifs, source, stream, settings, watermark=watermark, admit=admit, known=known, lane=lane
        )

    return Stream(
        flow=flow,
        source=header.title,
        strategy=lambda: strategy_of(parts.ifs, source.bound(chosen), chosen, lane="live"),
        start_from=chosen.start_from,
        every_s=chosen.every_s,
        read=read,
        again=lambda keys: parts.read_by_key(flow, keys, "live"),
        lens=lambda start_from: parts.lens(flow, start_from),
    )

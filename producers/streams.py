"""The streams of the configuration: for every flow what is read, how, and how often."""

from producers.poller import Poller, Stream
from shared.assembly import Assembly
from shared.flows import FLOWS, Flow
from shared.origins import ORIGINS


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


def streams_of(parts: Assembly) -> list[Stream]:
    """Return the enabled streams, in flow order."""
    return [stream for flow in FLOWS for stream in streams_of_flow(parts, flow)]


def streams_of_flow(parts: Assembly, flow: Flow) -> list[Stream]:
    """Return the enabled streams of one flow. Neither system is asked for anything yet."""
    return [
        Stream(
            flow=flow,
            reading=reading,
            again=lambda keys: parts.read_by_key(flow, keys, "live"),
            lens=lambda start_from: parts.lens(flow, start_from),
        )
        for reading in ORIGINS[flow].readings(parts)
    ]

"""A mapping stage over a source that is a dictionary, with rules that a test may change."""

from collections.abc import Iterable, Sequence

import msgspec
import redis

from shared import flows
from shared.config.rules import Rules
from shared.config.settings import PolicySettings, StreamSettings
from shared.findings import Finding
from shared.flows import Flow
from shared.ledger import detecting
from shared.ledger.connection import Ledger
from shared.ledger.messages import Message, write_messages
from shared.origins import SOURCES
from shared.pulled import RawDocument
from shared.seeing import IfsLens
from tests.unit.mapping import samples
from workers.holding import Guard
from workers.mapping.actors import MappingStage
from workers.mapping.rereading import Rereader

ACTOR = "mapper"


def raw_of(document: object) -> bytes:
    """Return a document as a read would have brought it."""
    return msgspec.json.encode(document)


def order(number: str = "1001", **changes: object) -> bytes:
    return raw_of(samples.order(order_no=number, **changes))


class TheRules:
    """The rules of the moment, as a mapper asks for them."""

    def __init__(self) -> None:
        self.now = samples.RULES
        self.after_refresh: Rules | None = None
        self.refreshed = 0
        self.away: Exception | None = None
        self.refresh_fails: Exception | None = None
        self.charts: list[set[str]] = []

    def get(self) -> Rules:
        if self.away:
            raise self.away
        return self.now

    def refresh_for(self, findings: Sequence[Finding]) -> bool:
        assert findings
        if self.refresh_fails:
            raise self.refresh_fails
        self.refreshed += 1
        if self.after_refresh is None:
            return False
        self.now = self.after_refresh
        return True

    def require_charts(self, companies: Iterable[str]) -> None:
        self.charts.append(set(companies))


class TheSource:
    """What a read by key brings: raw documents by key; `reads` are the keys of each call."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.reads: list[list[str]] = []
        self.fails: dict[str, Exception] = {}

    def read(self, keys: Sequence[str], _lane: str) -> dict[str, RawDocument]:
        self.reads.append(list(keys))
        for key in keys:
            if key in self.fails:
                raise self.fails[key]
        return {
            key: RawDocument(key=key, raw=self.documents[key], stamp="", header_tag="t")
            for key in keys
            if key in self.documents
        }


class Stage:
    def __init__(self, ledger: Ledger, client: redis.Redis, flow: Flow = flows.PURCHASE_ORDERS) -> None:
        self.ledger = ledger
        self.flow = flow
        self.rules = TheRules()
        self.source = TheSource()
        bound = SOURCES[flow].bound(StreamSettings())
        self.lens = IfsLens(flow, bound, PolicySettings())
        self.rereader = Rereader(flow, ledger, self.lens, ACTOR, self.source.read)
        self.mapping = MappingStage(
            flow,
            lens=self.lens,
            ledger=ledger,
            client=client,
            rules=self.rules,
            rereader=self.rereader,
            guard=Guard(ledger, client, ACTOR, 5),
            lease_s=60,
        )

    def detect(self, key: str, raw: bytes) -> int:
        """Record a document as a poll would, and return its entry."""
        seen = self.lens.seen(RawDocument(key=key, raw=raw, stamp="", header_tag=""))
        with self.ledger.transaction() as cur:
            at = detecting.database_now(cur)
            (entry,) = detecting.record_seen(cur, self.flow.name, [seen], read_at=at, actor="poller").entries
        return entry

    def message(self, *ids: int) -> Message:
        with self.ledger.transaction() as cur:
            (message,) = write_messages(cur, "map", self.flow.name, ids)
        return message

    def run(self, *ids: int) -> None:
        """Let the actor have one message with these entries."""
        message = self.message(*ids)
        self.mapping.run(message.entries, message.id)

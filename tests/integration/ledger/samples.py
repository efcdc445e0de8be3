"""Entries brought to where a test needs them, by the same statements that bring them there in earnest."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import psycopg

from shared import flows
from shared.findings import Finding
from shared.fingerprints import digest
from shared.flows import Stage
from shared.ledger import claiming, detecting, entries, links
from shared.ledger.claiming import MappingClaim, WritingClaim
from shared.ledger.connection import Ledger
from shared.ledger.detecting import Detected, Seen
from shared.ledger.entries import Mapped
from shared.ledger.links import Link, Stored
from shared.ledger.messages import Message

T = TypeVar("T")

SUPPLIERS = flows.SUPPLIERS.name
ORDERS = flows.PURCHASE_ORDERS.name
ACTOR = "test"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def seen(key: str, text: str = "a", **changes: Any) -> Seen:  # noqa: ANN401 - any of its fields
    raw = f'{{"header":{{"text":"{text}"}}}}'.encode()
    whole: dict[str, Any] = {
        "key": key,
        "raw": raw,
        "fingerprint": digest(raw)[:32],
        "header_tag": text,
        "company": "10",
        **changes,
    }
    return Seen(**whole)


def skipped(key: str, why: str = "dated 2020-01-01, before the start on 2026-01-01", tag: str = "t") -> Seen:
    return Seen(key=key, raw=b"", fingerprint=tag, header_tag=tag, skipped=why)


def detect(
    ledger: Ledger, *batch: Seen, flow: str = ORDERS, read_at: datetime | None = None, poll_id: int | None = None,
    sweep: int = 0,
) -> Detected:  # fmt: skip
    with ledger.transaction() as cur:
        at = read_at or detecting.database_now(cur)
        return detecting.record_seen(cur, flow, batch, read_at=at, actor=ACTOR, poll_id=poll_id, sweep=sweep)


def new(ledger: Ledger, key: str, text: str = "a", flow: str = ORDERS) -> int:
    """Return a detected entry."""
    (entry,) = detect(ledger, seen(key, text), flow=flow).entries
    return entry


def map_(ledger: Ledger, *ids: int, flow: str = ORDERS, body: bytes = b"{}") -> None:
    """Bring entries to `mapped`."""
    with ledger.transaction() as cur:
        claims = claiming.claim_for_mapping(cur, flow, ids, 60)
        assert [claim.id for claim in claims] == sorted(ids)
        results = [Mapped(claim.id, claim.round, claim.detected_at, body, "10") for claim in claims]
        entries.mapped(cur, flow, results, actor=ACTOR)


def ready(ledger: Ledger, key: str, text: str = "a", flow: str = ORDERS) -> int:
    """Return a mapped entry."""
    entry = new(ledger, key, text, flow)
    map_(ledger, entry, flow=flow)
    return entry


def claim(ledger: Ledger, entry: int, lease_s: float = 60) -> WritingClaim | None:
    with ledger.transaction() as cur:
        found = claiming.claim_for_writing(cur, [entry], lease_s)
    return found[0] if found else None


def taken(ledger: Ledger, entry: int, lease_s: float = 60) -> WritingClaim:
    found = claim(ledger, entry, lease_s)
    assert found is not None, f"entry {entry} is not to be had"
    return found


def write(ledger: Ledger, entry: int) -> None:
    """Bring a mapped entry to `written`."""
    mine = taken(ledger, entry)
    with ledger.transaction() as cur:
        claiming.let_go(cur, [mine], written=True)
        entries.written(cur, [mine], actor=ACTOR, why={entry: "1 call"})


def finding(
    code: str = "account.missing", value: str = "9999", company: str = "10", field: str = "AccountNo"
) -> Finding:
    return Finding(
        code=code, field=field, value=value, company=company, message=f"{code} {value}", remedy=f"Mend {value}."
    )


def hold(ledger: Ledger, entry: int, *findings: Finding, stage: Stage = "map") -> None:
    with ledger.transaction() as cur:
        assert entries.hold(cur, entry, stage, findings or [finding()], actor=ACTOR)


def held(ledger: Ledger, key: str, *findings: Finding, flow: str = ORDERS) -> int:
    entry = new(ledger, key, flow=flow)
    hold(ledger, entry, *findings)
    return entry


def rest(ledger: Ledger, entry: int, stage: Stage = "map", delay_s: float = 0, *, counts: bool = True) -> None:
    with ledger.transaction() as cur:
        entries.retry(cur, entry, stage, delay_s=delay_s, why="it failed", actor=ACTOR, counts=counts)


def one(ledger: Ledger, sql: str, *params: object) -> Any:  # noqa: ANN401 - whatever the column holds
    """Return the only value of the only row."""
    ((value,),) = ledger.rows(sql, params)
    return value


def state(ledger: Ledger, entry: int) -> str:
    return str(one(ledger, "select state from entry where id = %s", entry))


def states(ledger: Ledger, key: str, flow: str = ORDERS) -> list[str]:
    """Return the states of a record's entries, oldest version first."""
    rows = ledger.rows("select state from entry where flow = %s and key = %s order by version", (flow, key))
    return [str(row[0]) for row in rows]


@contextmanager
def in_other_hands(url: str, *ids: int) -> Iterator[None]:
    """Entries that another process has locked, as it does for the moment in which it records what became of them."""
    with psycopg.connect(url) as conn:
        conn.execute("select 1 from entry where id = any(%s) for update", (list(ids),))
        yield


def story(ledger: Ledger, entry: int) -> list[str]:
    """Return the states that the events of an entry tell, in order."""
    rows = ledger.rows("select becomes from event where entry_id = %s order by id", (entry,))
    return [str(row[0]) for row in rows]


def later(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def age(ledger: Ledger, seconds: float) -> None:
    """Let all messages be older than they are."""
    with ledger.transaction() as cur:
        cur.execute(
            """
            update message m set written_at = m.written_at - span, handed_over_at = m.handed_over_at - span,
                                 ended_at = m.ended_at - span
            from (select make_interval(secs => %s) as span) as s
            """,
            (seconds,),
        )


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Run all works in threads that begin together."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], T]) -> T:
        gate.wait(20)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))


def wait_for(ledger: Ledger, entry: int, dependency: str) -> None:
    with ledger.transaction() as cur:
        links.lock_dependencies(cur, [dependency])
        entries.wait(cur, entry, dependency, actor=ACTOR)


def ask(ledger: Ledger, key: str, flow: str = SUPPLIERS) -> list[Message]:
    with ledger.transaction() as cur:
        return entries.ask(cur, flow, key, actor=ACTOR, why="an order needs it")


def linked(key: str, account: str = "main", **changes: Any) -> Link:  # noqa: ANN401 - any of its fields
    whole: dict[str, Any] = {
        "flow": SUPPLIERS,
        "ifs_key": key,
        "cin7_account": account,
        "cin7_id": f"id-{key}-{account}",
        "cin7_number": "",
        "written": b"{}",
        "version": 1,
        "verified": True,
        **changes,
    }
    return Link(**whole)


def satisfy(ledger: Ledger, key: str, account: str = "main") -> list[Message]:
    """Link a supplier and send on what waited for it, as its writer does."""
    name = links.dependency(SUPPLIERS, key, account)
    with ledger.transaction() as cur:
        links.lock_dependencies(cur, [name])
        links.store(cur, [Stored(linked(key, account))])
        return links.wake(cur, [name], actor=ACTOR)


def take_for_mapping(ledger: Ledger, *ids: int, flow: str = ORDERS, lease_s: float = 60) -> list[MappingClaim]:
    with ledger.transaction() as cur:
        return claiming.claim_for_mapping(cur, flow, ids, lease_s)


def replay(ledger: Ledger, *ids: int, flow: str = ORDERS) -> None:
    with ledger.transaction() as cur:
        entries.send_again(cur, flow, ids, actor=ACTOR, why="replayed")

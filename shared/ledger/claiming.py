"""Claims: the moment from which one actor, and no other, works on an entry. No claim, no work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from shared.errors import ConnectorError
from shared.ledger.connection import Cur

#: Claims without any outcome after which the entry is taken for the one that kills its worker.
CLAIMS_MAX: Final = 3
#: Claims without any outcome after which an entry is worked on with no other suspect beside it in the same process, so
#: that it takes none of them down a third time with it.
SUSPECT: Final = 2


class LeaseLost(ConnectorError):
    """Another worker has taken over; whatever this one knows must not be recorded."""


class MappingClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One entry to map. `raw` None: it was asked for by key and never read."""

    id: int
    key: str
    version: int
    fingerprint: str
    claims: int
    attempts: int
    reread: bool
    round: int
    lane: str
    company: str
    detected_at: datetime
    raw: bytes | None


class WritingClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One entry to write, with the record's lock (`fence`) and what the mapping made of it.

    `read_at`: when the reading began that it stands for. `stamp`: the source's own time of its last change.
    """

    id: int
    flow: str
    key: str
    version: int
    newest_version: int
    written_version: int
    claims: int
    attempts: int
    round: int
    lane: str
    company: str
    fence: int
    lease_s: float
    read_at: datetime
    stamp: str
    mapped: bytes


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A record of another flow that the writer of entry `id` keeps others from: two flows write the same two things."""

    id: int
    flow: str
    key: str
    fence: int
    lease_s: float


def suspect_among(cur: Cur, ids: Sequence[int]) -> bool:
    """Say whether the workers of one of `ids` have died too often for it to have others beside it."""
    row = cur.execute("select 1 from entry where id = any(%s) and claims >= %s", (list(ids), SUSPECT)).fetchone()
    return row is not None


def claim_for_mapping(cur: Cur, flow: str, ids: Sequence[int], lease_s: float) -> list[MappingClaim]:
    """Claim those of `ids` that are of this flow, to be mapped and nobody else's.

    After `lease_s` seconds another worker may claim them. Reading again may take longer than that; then two map the
    same, and the ledger takes the outcome of the first.
    """
    rows = cur.execute(
        """
        with free as (
            select id from entry
            where id = any(%(ids)s) and flow = %(flow)s
              and (state = 'detected' or (state = 'retrying' and stage = 'map'))
              and due_at <= now() and (lease_until is null or lease_until < now())
            order by id for update skip locked
        ), taken as (
            update entry set claims = claims + 1, lease_until = now() + make_interval(secs => %(lease)s)
            from free where entry.id = free.id
            returning entry.id, key, version, fingerprint, claims, attempts, reread, entry.round, lane, company,
                      detected_at
        )
        select t.*, (select b.raw from body b where b.entry_id = t.id and b.kind = 'source' and b.at = t.detected_at)
        from taken t order by t.id
        """,
        {"ids": list(ids), "flow": flow, "lease": lease_s},
    ).fetchall()
    return [
        MappingClaim(
            id=row[0],
            key=row[1],
            version=row[2],
            fingerprint=row[3],
            claims=row[4],
            attempts=row[5],
            reread=row[6],
            round=row[7],
            lane=row[8],
            company=row[9],
            detected_at=row[10],
            raw=None if row[11] is None else bytes(row[11]),
        )
        for row in rows
    ]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer looks at before it takes a call slot: no lock is held."""

    id: int
    key: str
    lane: str
    attempts: int
    claims: int
    mapped: bytes


def preview(cur: Cur, flow: str, ids: Sequence[int]) -> list[Preview]:
    """Return those of `ids` that are of this flow and look ready to be written now, oldest first."""
    rows = cur.execute(
        """
        select e.id, e.key, e.lane, e.attempts, e.claims, b.raw from entry e
        join body b on b.entry_id = e.id and b.kind = 'mapped' and b.round = e.round and b.at = e.detected_at
        where e.id = any(%s) and e.flow = %s and (e.state = 'mapped' or (e.state = 'retrying' and e.stage = 'write'))
          and e.due_at <= now()
        order by e.id
        """,
        (list(ids), flow),
    ).fetchall()
    return [
        Preview(id=row[0], key=row[1], lane=row[2], attempts=row[3], claims=row[4], mapped=bytes(row[5]))
        for row in rows
    ]


def claim_for_writing(cur: Cur, ids: Sequence[int], lease_s: float) -> list[WritingClaim]:
    """Claim those of `ids` that are to be written now, and their records, unless another writer is at the record.

    Of several versions of one record the newest is claimed. A claim is good for `lease_s` seconds from the last commit
    that extended it. Records are locked in one order, so that two claims of several cannot meet head-on.
    """
    rows = cur.execute(
        """
        with ready as (
            select id, flow, key, version from entry
            where id = any(%(ids)s) and (state = 'mapped' or (state = 'retrying' and stage = 'write'))
              and due_at <= now()
            order by id for update skip locked
        ), wanted as (
            select distinct on (flow, key) id, flow, key from ready order by flow, key, version desc
        ), free as (
            select w.id, r.flow, r.key from wanted w join record r on r.flow = w.flow and r.key = w.key
            where r.lease_until is null or r.lease_until < now()
            order by r.flow, r.key for update of r
        ), locked as (
            update record r set fence = r.fence + 1, lease_until = now() + make_interval(secs => %(lease)s)
            from free where r.flow = free.flow and r.key = free.key
            returning free.id, r.fence, r.version, r.written_version
        ), taken as (
            update entry e set claims = e.claims + 1 from locked l where e.id = l.id
            returning e.id, e.flow, e.key, e.version, l.version as newest, l.written_version, e.claims, e.attempts,
                      e.round, e.lane, e.company, l.fence, e.detected_at, e.read_at, e.stamp
        )
        select t.id, t.flow, t.key, t.version, t.newest, t.written_version, t.claims, t.attempts, t.round, t.lane,
               t.company, t.fence, %(lease)s::float, t.read_at, t.stamp,
               (select b.raw from body b where b.entry_id = t.id and b.kind = 'mapped' and b.round = t.round
                and b.at = t.detected_at)
        from taken t order by t.id
        """,
        {"ids": list(ids), "lease": lease_s},
    ).fetchall()
    return [
        WritingClaim(**dict(zip(WritingClaim.__struct_fields__, (*row[:-1], bytes(row[-1])), strict=True)))
        for row in rows
    ]


def lock(cur: Cur, entry_id: int, flow: str, key: str, lease_s: float) -> Lock | None:
    """Keep every other writer from a record for the entry that is being written; None where one is at it."""
    cur.execute("insert into record (flow, key) values (%s, %s) on conflict do nothing", (flow, key))
    row = cur.execute(
        """
        update record set fence = fence + 1, lease_until = now() + make_interval(secs => %s)
        where flow = %s and key = %s and (lease_until is null or lease_until < now()) returning fence
        """,
        (lease_s, flow, key),
    ).fetchone()
    return None if row is None else Lock(id=entry_id, flow=flow, key=key, fence=int(row[0]), lease_s=lease_s)


def unlock(cur: Cur, locks: Sequence[Lock]) -> None:
    """Let others at the records again, where the locks were still good."""
    cur.execute(
        """
        update record r set lease_until = null
        from unnest(%s::text[], %s::text[], %s::bigint[]) as l (flow, key, fence)
        where r.flow = l.flow and r.key = l.key and r.fence = l.fence
        """,
        ([one.flow for one in locks], [one.key for one in locks], [one.fence for one in locks]),
    )


def keep(cur: Cur, claims: Sequence[WritingClaim | Lock]) -> set[int]:
    """Hold the records of `claims` for another lease, from now; return the entries whose claim is still good."""
    rows = cur.execute(
        """
        with mine as (
            select c.id, r.flow, r.key, c.lease_s
            from unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::float[])
                 as c (id, flow, key, fence, lease_s)
            join record r on r.flow = c.flow and r.key = c.key and r.fence = c.fence
            order by r.flow, r.key for update of r
        )
        update record r set lease_until = now() + make_interval(secs => mine.lease_s)
        from mine where r.flow = mine.flow and r.key = mine.key returning mine.id
        """,
        (*_named(claims), [claim.lease_s for claim in claims]),
    ).fetchall()
    return {int(row[0]) for row in rows}


def let_go(cur: Cur, claims: Sequence[WritingClaim], *, written: bool = False) -> dict[int, int]:
    """Give the records of `claims` back; return their newest versions by entry, only of claims that were still good.

    `written`: they are at the claimed version now.
    """
    rows = cur.execute(
        """
        with mine as (
            select c.id, r.flow, r.key, c.version
            from unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
                 as c (id, flow, key, fence, version)
            join record r on r.flow = c.flow and r.key = c.key and r.fence = c.fence
            order by r.flow, r.key for update of r
        )
        update record r set lease_until = null,
                            written_version = case when %s then greatest(r.written_version, mine.version)
                                                   else r.written_version end
        from mine where r.flow = mine.flow and r.key = mine.key returning mine.id, r.version
        """,
        (*_named(claims), [claim.version for claim in claims], written),
    ).fetchall()
    return {int(row[0]): int(row[1]) for row in rows}


def _named(claims: Sequence[WritingClaim | Lock]) -> tuple[list[int], list[str], list[str], list[int]]:
    return (
        [claim.id for claim in claims],
        [claim.flow for claim in claims],
        [claim.key for claim in claims],
        [claim.fence for claim in claims],
    )


def extend(cur: Cur, claim: WritingClaim) -> None:
    """Hold the record for another lease, from now.

    Raises:
        LeaseLost: somebody else has claimed the record since.
    """
    if not keep(cur, [claim]):
        raise LeaseLost(f"{claim.flow} {claim.key} is being written by another worker")


def give_back(cur: Cur, claim: WritingClaim) -> int:
    """Give the record back and return its newest version.

    Raises:
        LeaseLost: somebody else has claimed the record since.
    """
    newest = let_go(cur, [claim])
    if not newest:
        raise LeaseLost(f"{claim.flow} {claim.key} is being written by another worker")
    return newest[claim.id]

"""One commit for the entries of a group: outcomes, links, wake-ups, intents and ends, each in one statement for all."""

from collections.abc import Callable, Sequence

import msgspec

from shared.ledger import claiming, effects, entries, links, purchases
from shared.ledger.claiming import Lock, WritingClaim
from shared.ledger.connection import Cur
from shared.ledger.effects import Conclusion, Intent
from shared.ledger.links import Link, Side, Stored
from shared.ledger.messages import Message, write_messages
from shared.ledger.purchases import KeptPurchase


class Pending(msgspec.Struct):
    """What became of the calls of one entry since its last commit.

    Attributes:
        links: by account, of the entry's own record.
        wakes: names of dependencies that are satisfied by it.
        changes: whatever else there is to record.
        purchases: as they were read last; they go along with the next commit, and are no reason for one.
    """

    conclusions: list[Conclusion] = []
    links: dict[str, Stored] = {}
    wakes: list[str] = []
    changes: list[Callable[[Cur], None]] = []
    purchases: list[KeptPurchase] = []

    def __bool__(self) -> bool:
        return bool(self.conclusions or self.links or self.wakes or self.changes)

    def store(self, link: Link, origin: str = "created", *, wrote: Side = "") -> None:
        """Store a link with the next commit. How it came to be is said by whoever stored it first."""
        known = self.links.get(link.cin7_account)
        before: Side = known.wrote if known else ""
        both = {before, wrote} >= {"ifs", "cin7"} or "both" in (before, wrote)
        self.links[link.cin7_account] = Stored(
            link, known.origin if known else origin, "both" if both else wrote or before
        )


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry adds to a commit: what is pending, and at most one of an intent and its end (`why`).

    Attributes:
        lock: of the record of another flow that others are kept from.
        echo: it ends as our own write coming back.
    """

    claim: WritingClaim
    pending: Pending
    lock: Lock | None = None
    intent: Intent | None = None
    why: str | None = None
    echo: bool = False


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit brought.

    Attributes:
        lost: entries whose record another worker has, of which nothing was recorded.
        effects: of the intents, by entry.
    """

    lost: set[int]
    effects: dict[int, int]
    messages: list[Message]


def record(cur: Cur, parts: Sequence[Part], *, actor: str) -> Recorded:
    """Record the parts of several entries in the caller's transaction, and extend the claims of all.

    Locks are taken in one order everywhere: names of dependencies, then records, then entries.
    """
    if names := [name for part in parts for name in part.pending.wakes]:
        links.lock_dependencies(cur, names)
    good = claiming.keep(cur, [part.claim for part in parts])
    if locks := [part.lock for part in parts if part.lock is not None]:
        good -= {one.id for one in locks} - claiming.keep(cur, locks)
    mine = [part for part in parts if part.claim.id in good]
    if concluded := [one for part in mine for one in part.pending.conclusions]:
        effects.conclude(cur, concluded)
    if stored := [one for part in mine for one in part.pending.links.values()]:
        links.store(cur, stored)
    messages: list[Message] = []
    if woken := [name for part in mine for name in part.pending.wakes]:
        messages += links.wake(cur, woken, actor=actor)
    for part in mine:
        for change in part.pending.changes:
            change(cur)
    if read := [one for part in mine for one in part.pending.purchases]:
        purchases.keep(cur, read)
    intents = [part.intent for part in mine if part.intent is not None]
    intended = effects.intend(cur, intents, actor=actor) if intents else {}
    ending = {part.claim.id: part for part in mine if part.why is not None}
    if ending:
        messages += _end(cur, ending, actor)
    return Recorded(lost={part.claim.id for part in parts} - good, effects=intended, messages=messages)


def _end(cur: Cur, ending: dict[int, Part], actor: str) -> list[Message]:
    """Close entries as written and give their records back; send on the newer versions that waited for them."""
    claims = [part.claim for part in ending.values()]
    newest = claiming.let_go(cur, claims, written=True)
    why = {entry: part.why or "" for entry, part in ending.items()}
    for echo in {part.echo for part in ending.values()}:
        mine = [part.claim for part in ending.values() if part.echo == echo]
        entries.written(cur, mine, actor=actor, why=why, becomes="echo" if echo else "written")
    messages = let_in(cur, [part.lock for part in ending.values() if part.lock is not None])
    overtaken = [claim for claim in claims if newest[claim.id] > claim.version]
    return messages + [
        message for claim in overtaken for message in _promote(cur, claim.flow, claim.key, claim.version)
    ]


def let_in(cur: Cur, locks: Sequence[Lock]) -> list[Message]:
    """Give up the locks of other flows' records, and send on what their own writers were kept from."""
    if not locks:
        return []
    claiming.unlock(cur, locks)
    return [message for one in locks for message in _promote(cur, one.flow, one.key, 0)]


def _promote(cur: Cur, flow: str, key: str, version: int) -> list[Message]:
    """Send on the newer version that waited for this one's writer, unless somebody is claiming it right now."""
    row = cur.execute(
        """
        select id from entry where flow = %s and key = %s and version > %s
        and (state = 'mapped' or (state = 'retrying' and stage = 'write')) order by version desc limit 1
        for update skip locked
        """,
        (flow, key, version),
    ).fetchone()
    return write_messages(cur, "write", flow, [int(row[0])]) if row else []

"""Reads records again by key before they are mapped: asked for by a dependant, or replayed after a fix."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from shared.fingerprints import digest
from shared.flows import Flow
from shared.ledger import detecting, entries, events
from shared.ledger.claiming import MappingClaim
from shared.ledger.connection import Cur, Ledger
from shared.ledger.detecting import Seen
from shared.ledger.messages import Message, write_messages
from shared.pulled import RawDocument
from shared.seeing import Lens


class Reread(msgspec.Struct, frozen=True, kw_only=True):
    """What reading again showed: entries to map as they are, and messages for those that became new versions."""

    to_map: list[MappingClaim]
    messages: list[Message]
    #: Entries whose record is gone from the source, or was asked for and is not for us.
    gone: list[MappingClaim]

    @classmethod
    def of(cls, parts: Sequence["Reread"]) -> "Reread":
        """Return several as one."""
        return cls(
            to_map=[claim for part in parts for claim in part.to_map],
            messages=[message for part in parts for message in part.messages],
            gone=[claim for part in parts for claim in part.gone],
        )


class Rereader:
    """`read` returns the documents of many keys in few calls; keys that are not there are missing."""

    def __init__(
        self,
        flow: Flow,
        ledger: Ledger,
        lens: Lens,
        actor: str,
        read: Callable[[Sequence[str], str], dict[str, RawDocument]],
    ) -> None:
        self.flow = flow.name
        self.ledger = ledger
        self.lens = lens
        self.actor = actor
        self.read = read

    def reread(self, claims: Sequence[MappingClaim]) -> Reread:
        """Read the records of `claims` and record what is new.

        Raises:
            Retryable: the source did not answer.
        """
        with self.ledger.transaction() as cur:
            read_at = detecting.database_now(cur)
        documents = self.read([claim.key for claim in claims], claims[0].lane)
        seen = {key: self.lens.seen(document, again=True) for key, document in documents.items()}
        found = Reread(to_map=[], messages=[], gone=[])
        with self.ledger.transaction() as cur:
            # Before any entry: a pull that holds a record passes over entries that are held here, and could not close
            # one that it overtakes.
            detecting.lock_records(cur, self.flow, sorted({claim.key for claim in claims}))
            for claim in claims:
                self._one(cur, claim, seen.get(claim.key), read_at, found)
        return found

    def _one(self, cur: Cur, claim: MappingClaim, seen: Seen | None, read_at: datetime, found: Reread) -> None:
        if seen is None or (seen.skipped and claim.raw is None):
            found.gone.append(claim)
        elif seen.skipped:
            detecting.record_seen(cur, self.flow, [seen], read_at=read_at, actor=self.actor)
            entries.close(cur, [claim.id], "superseded", actor=self.actor, why=f"the record is now {seen.skipped}")
        elif claim.raw is None:
            if self._newest(cur, claim.key)[0] > claim.version:
                entries.close(cur, [claim.id], "superseded", actor=self.actor, why="a newer version was seen")
            elif self._first_body(cur, claim, seen, read_at):
                found.to_map.append(msgspec.structs.replace(claim, raw=seen.raw, company=seen.company))
        elif seen.fingerprint == claim.fingerprint:
            cur.execute("update entry set read_at = %s where id = %s", (read_at, claim.id))
            found.to_map.append(claim)
        else:
            detected = detecting.record_seen(cur, self.flow, [seen], read_at=read_at, actor=self.actor, lane=claim.lane)
            found.messages.extend(write_messages(cur, "map", self.flow, detected.entries))
            if not detected.entries and self._newest(cur, claim.key) == (claim.version, ""):
                # Somebody read it after us and saw this version again: what we read was on its way back to it.
                found.to_map.append(claim)
                return
            entries.close(cur, [claim.id], "superseded", actor=self.actor, why="read again: a newer version is there")

    def _newest(self, cur: Cur, key: str) -> tuple[int, str]:
        """Return the version of a record, and why it is left alone."""
        row = cur.execute(
            "select version, skipped from record where flow = %s and key = %s", (self.flow, key)
        ).fetchone()
        return (0, "") if row is None else (int(row[0]), str(row[1]))

    def _first_body(self, cur: Cur, claim: MappingClaim, seen: Seen, read_at: datetime) -> bool:
        """Give an entry that was asked for by key the body that was read for it; False where it has one by now."""
        kept = cur.execute(
            """
            insert into body (entry_id, kind, round, at, raw, digest) values (%s, 'source', 1, %s, %s, %s)
            on conflict do nothing
            """,
            (claim.id, claim.detected_at, seen.raw, digest(seen.raw)),
        )
        if not kept.rowcount:
            return False
        cur.execute(
            "update entry set fingerprint = %s, company = %s, stamp = %s, read_at = %s where id = %s",
            (seen.fingerprint, seen.company, seen.stamp, read_at, claim.id),
        )
        cur.execute(
            """
            update record set fingerprint = %s, header_tag = %s, company = %s, skipped = '', dated = %s, read_at = %s
            where flow = %s and key = %s and version = %s and read_at <= %s
            """,
            (
                seen.fingerprint,
                seen.header_tag,
                seen.company,
                seen.dated,
                read_at,
                self.flow,
                claim.key,
                claim.version,
                read_at,
            ),
        )
        events.note(cur, claim.id, actor=self.actor, why="read by key", detail=digest(seen.raw))
        return True

"""Reads a supplier of Cin7 that a hint names, and records it exactly as the poll of its account would have."""

from collections.abc import Sequence
from datetime import datetime

from shared.assembly import Assembly
from shared.flows import CIN7_SUPPLIERS
from shared.ledger import detecting
from shared.ledger.connection import Cur
from shared.ledger.messages import Message
from shared.origins import ORIGINS
from shared.pulled import RawDocument

FLOW = CIN7_SUPPLIERS.name


class SupplierFollower:
    """One per process; the same lens and the same fingerprints as the stream's, so that neither brings news twice."""

    def __init__(self, parts: Assembly) -> None:
        self._parts = parts
        self._origin = ORIGINS[CIN7_SUPPLIERS]
        self._titles = {reading.scope.rstrip("/"): reading.title for reading in self._origin.readings(parts)}

    def polled_at(self, cur: Cur, account: str) -> datetime | None:
        """Return when the last complete poll of an account began; None before the first."""
        row = cur.execute(
            "select pulled_at from poll where flow = %s and source = %s and outcome = 'done' order by id desc limit 1",
            (FLOW, self._titles.get(account, "")),
        ).fetchone()
        if row is None:
            return None
        moment: datetime = row[0]
        return moment

    def read(self, account: str, target: str) -> RawDocument | None:
        """Return a supplier as Cin7 holds it now.

        Raises:
            ConnectorError: Cin7 cannot be asked, or does not answer.
        """
        key = f"{account}/{target}"
        return self._origin.by_key(self._parts, [key], "live").get(key)

    def record(self, cur: Cur, account: str, found: RawDocument, read_at: datetime) -> Sequence[Message]:
        """Record what was read; what is as it was last time is no news."""
        del account  # The document's key begins with it.
        lens = self._origin.lens(self._parts, "")
        recorded = detecting.record_seen(
            cur, FLOW, [lens.seen(found)], read_at=read_at, actor=self._parts.actor, carried=True
        )
        return recorded.messages

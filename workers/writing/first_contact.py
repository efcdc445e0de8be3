"""Which suppliers Cin7 holds already, as a cache in the ledger that is renewed before anybody is created."""

import threading
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.cin7.client import LIMIT_MAX
from shared.cin7.records.suppliers import Supplier
from shared.config.settings import Cin7Settings
from shared.ledger import vendors
from shared.ledger.connection import Cur, Ledger
from workers.writing.desk import Account
from workers.writing.matching import CandidateIndex, Match
from workers.writing.session import Session
from workers.writing.wishes import complete

#: Minutes by which the next read looks back. Source: docs/apis/cin7.md#limits (inclusive or exclusive is unknown).
OVERLAP_M: Final = 5

_Page = tuple[int, list[Supplier]]
_PageOf = Callable[[int, str | None], Awaitable[_Page]]


class FirstContact:
    """One per process; the ledger's cache is shared by all.

    A read of Cin7's suppliers is recent enough to create a new one on for `poll_suppliers_every_s`.
    """

    def __init__(self, ledger: Ledger, accounts: Mapping[str, Cin7Settings]) -> None:
        self.ledger = ledger
        self.accounts = accounts
        self._lock = threading.Lock()
        self._reading = {account: threading.Lock() for account in accounts}
        self._indexes: dict[str, tuple[int, CandidateIndex]] = {}

    def refresh(self, account: Account) -> None:
        """Read what changed in Cin7 since the last read, unless that was a moment ago.

        Raises:
            Retryable: Cin7 does not answer.
        """

        async def page_of(page: int, since: str | None) -> _Page:
            return account.client.suppliers_page(page, modified_since=since)

        with self._reading[account.name]:
            complete(self._read_if_old(account, page_of))

    async def renew(self, account: Account, session: Session) -> None:
        """Do the same within the writing of an entry, whose claim is kept meanwhile.

        One thread reads, the others wait for what it found.

        Raises:
            Retryable: Cin7 does not answer, or too many wait for this account.
        """

        async def page_of(page: int, since: str | None) -> _Page:
            client = account.client
            return await session.read(
                account, lambda slot: client.suppliers_page(page, modified_since=since, slot=slot)
            )

        reading = self._reading[account.name]
        session.wait_for_thread(account, reading)
        try:
            await self._read_if_old(account, page_of)
        finally:
            reading.release()

    async def _read_if_old(self, account: Account, page_of: _PageOf) -> None:
        with self.ledger.transaction() as cur:
            row = cur.execute(
                """
                select since, extract(epoch from clock_timestamp() - read_at)::float from cin7_supplier_read
                where account = %s
                """,
                (account.name,),
            ).fetchone()
        if row is None or row[1] >= self.accounts[account.name].poll_suppliers_every_s:
            await self._read(account, str(row[0]) if row else "", page_of)

    async def _read(self, account: Account, since: str, page_of: _PageOf) -> None:
        look_back = _before(since) if since else None
        newest, page = since, 1
        while True:
            total, found = await page_of(page, look_back)
            newest = max([newest, *(supplier.last_modified_on for supplier in found)])
            number = self.accounts[account.name].supplier_number_attribute
            with self.ledger.transaction() as cur:
                vendors.keep(cur, account.name, found, number)
            if not found or page * LIMIT_MAX >= total:
                break
            page += 1
        with self.ledger.transaction() as cur:
            vendors.read_up_to(cur, account.name, newest)

    def match(self, account: Account, wanted: Supplier, rejected: Collection[str] = ()) -> Match:
        """Compare one supplier with all that the account holds, but those that a person said it is not."""
        return self.index(account.name).match(wanted, rejected)

    def index(self, account: str) -> CandidateIndex:
        """Return the candidates of an account, built again when the cache has changed."""
        with self._lock, self.ledger.transaction() as cur:
            row = cur.execute("select revision from cin7_supplier_read where account = %s", (account,)).fetchone()
            revision = int(row[0]) if row else 0
            known = self._indexes.get(account)
            if known is None or known[0] != revision:
                known = (
                    revision,
                    CandidateIndex(self._candidates(cur, account), self.accounts[account].supplier_number_attribute),
                )
                self._indexes[account] = known
            return known[1]

    def _candidates(self, cur: Cur, account: str) -> list[Supplier]:
        """Return all suppliers of an account; a linked one bears its owner's number, whatever its attribute says."""
        number = self.accounts[account].supplier_number_attribute
        rows = cur.execute(
            """
            select s.body, coalesce(l.ifs_key, s.marker) from cin7_supplier s
            left join link l on l.flow = 'suppliers' and l.cin7_account = s.account and l.cin7_id = s.id
            where s.account = %s order by s.id
            """,
            (account,),
        ).fetchall()
        candidates = []
        for body, marker in rows:
            supplier = msgspec.json.decode(bytes(body), type=Supplier)
            attributes = {**supplier.attributes, number: marker}
            candidates.append(msgspec.structs.replace(supplier, attributes=attributes))
        return candidates


def _before(stamp: str) -> str:
    """Return the moment from which to read again: a little before the newest stamp seen, in Cin7's own clock."""
    moment = datetime.fromisoformat(stamp.replace("Z", "+00:00")) - timedelta(minutes=OVERLAP_M)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000"

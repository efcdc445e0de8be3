"""One supplier in one Cin7 account: how it is read, sent, read back and remembered."""

import msgspec

from shared import flows
from shared.cin7.records.suppliers import Supplier
from shared.cin7.supplier_documents import tidy
from shared.errors import Held
from shared.ledger.links import Link
from workers.mapping.results import SupplierWrite
from workers.writing.desk import Account, Desk
from workers.writing.reasons import supplier_gone, supplier_otherwise
from workers.writing.session import Session
from workers.writing.supplier_links import link_with
from workers.writing.supplier_merging import Common, known_after_write
from workers.writing.suppliers import differences

FLOW = flows.SUPPLIERS.name


class SupplierAccount:
    """What the steps of one supplier's writing share.

    Attributes:
        wanted: as the mapping wants it in this account.
        link: None as long as nobody knows which supplier of Cin7 it is.
    """

    def __init__(self, session: Session, desk: Desk, write: SupplierWrite) -> None:
        self.session = session
        self.desk = desk
        self.account: Account = desk.account(write.account)
        self.settings = desk.settings.cin7[write.account]
        self.key = session.claim.key
        self.wanted = write.supplier
        self.company = write.company
        self.link = session.link(write.account)

    async def read(self, cin7_id: str) -> Supplier:
        """Return it as Cin7 has it.

        Raises:
            Held: Cin7 does not have it.
        """
        found = await self.session.read(self.account, lambda slot: self.account.client.supplier(cin7_id, slot=slot))
        if found is None:
            raise Held([supplier_gone(self.key, cin7_id, self.company)])
        return tidy(found)

    async def named(self, name: str) -> list[Supplier]:
        """Return the suppliers of this name."""
        return await self.session.read(self.account, lambda slot: self.account.client.supplier_by_name(name, slot=slot))

    async def send(self, wanted: Supplier, step: str) -> Supplier:
        """Change it; return Cin7's answer."""
        return await self.session.write(
            self.account,
            step=step,
            request="PUT /supplier",
            body=wanted,
            call=lambda slot: self.account.client.update_supplier(wanted, slot=slot),
            marker=wanted.name,
        )

    async def verify(self, link: Link, sent: Supplier, answer: Supplier, common: Common) -> None:
        """Read back what was written, if that is asked for; 200 alone proves nothing.

        Raises:
            Held: something of it did not arrive.
        """
        got = answer
        if self.settings.read_back:
            got = await self.read(link.cin7_id)
            if left := differences(sent, got):
                raise Held([supplier_otherwise(self.key, left, self.company)])
        self.remember(link, common, got)

    def remember(self, link: Link, common: Common, got: Supplier) -> None:
        """Record what is in common with Cin7 now, and send on the orders that waited for it.

        What of Cin7 was read before is older than this, whether or not it was changed just now.
        """
        known = link_with(link, known_after_write(common, got))
        known = msgspec.structs.replace(known, version=self.session.claim.version, verified=True, echo=False)
        self.session.satisfy(known, wrote="cin7")

    def link_to(self, cin7_id: str, name: str) -> Link:
        """Return a link that says nothing yet of what is in common."""
        return Link(
            flow=FLOW,
            ifs_key=self.key,
            cin7_account=self.account.name,
            cin7_id=cin7_id,
            cin7_number=name,
            written=b"",
            version=self.session.claim.version,
            verified=False,
        )

"""A Cin7 supplier that is linked to nothing: somebody else's work, a person's decision, or a new supplier of IFS."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.flows import CIN7_SUPPLIERS, SUPPLIERS
from shared.ifs.documents import decode
from shared.ifs.errors import IfsExists
from shared.ifs.odata import equals, url
from shared.ifs.pages import Stored
from shared.ifs.parts import Parts
from shared.ifs.records.suppliers import SupplierDocument
from shared.ledger import decisions, entries, links, pairs, rejections
from shared.ledger.connection import Cur
from shared.ledger.effects import Effect
from shared.ledger.links import Link
from shared.origins import SOURCES
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.writing.cin7_supplier_reasons import (
    as_candidate,
    belongs_to_another,
    gone_from_ifs,
    resembles_ifs,
    unknown,
)
from workers.writing.dependencies import wait_for
from workers.writing.desk import Desk
from workers.writing.ifs_steps import CREATE, Hands, Overtaken
from workers.writing.matching import match
from workers.writing.session import Session
from workers.writing.supplier_creating import headed, left_to_do, new_supplier, number_of, numbered
from workers.writing.supplier_links import link_with
from workers.writing.supplier_merging import Common
from workers.writing.supplier_parts import Insert, Part, Step

#: Seconds for which an entry rests whose supplier we seem to be creating in Cin7 this very moment.
CREATING_S: Final = 2.0
#: Suppliers of IFS that a look for the same name brings at most.
_LIKE_MAX: Final = 20


class Unknown:
    """Finds out whose a supplier is; creates it in IFS where it is nobody's and somebody wants that.

    Args:
        link: of a supplier whose creation has begun; None before that.
    """

    def __init__(self, session: Session, desk: Desk, write: Cin7SupplierWrite, link: Link | None) -> None:
        self.session = session
        self.desk = desk
        self.write = write
        self.link = link
        self.settings = desk.settings.cin7[write.account]
        self.bound = SOURCES[SUPPLIERS].bound(desk.settings.ifs.stream(SUPPLIERS.name))
        self.is_decided = False

    @property
    def cin7_id(self) -> str:
        return self.write.supplier.id or ""

    @property
    def number(self) -> str:
        """The number in IFS that Cin7 shows; empty: none."""
        return self.write.supplier.attributes.get(self.settings.supplier_number_attribute, "").strip()

    async def run(self) -> None:
        if self.link is None:
            await self._settle()
        if self.link is None and self._is_somebody_elses():
            return
        if self.link is None:
            number = await self._number_in_ifs()
            if number is None:
                return
            await self._begin(number)
        if self.link is not None:
            await self._go_on(self.link)

    # Whose it is

    def _is_somebody_elses(self) -> bool:
        """Wait for the other direction where it is about to link this supplier.

        Raises:
            Held: it shows the number of another one.
            Retryable: we may be creating it in Cin7 right now.
        """
        account, number = self.write.account, self.number
        with self.session.ledger.transaction() as cur:
            creating = pairs.is_being_created(cur, account, self.write.supplier.name)
            owner = links.find(cur, SUPPLIERS.name, number, account) if number else None
            known = bool(number) and pairs.is_known_to_ifs(cur, number)
            self.is_decided = decisions.may_create_in_ifs(cur, self.session.claim.key)
        if creating or (owner is not None and owner.cin7_id == self.cin7_id):
            raise Retryable("it is being created in Cin7 right now", delay_s=CREATING_S, executed=False)
        if owner is not None:
            raise Held([belongs_to_another(self.write, number, owner.cin7_id)])
        if known:
            wait_for(self.session, SUPPLIERS.name, number, account)
        return known

    async def _number_in_ifs(self) -> str | None:
        """Return the number of the supplier to be created, "" where IFS is to give one; None: it is there already.

        Raises:
            Held: nobody wants it created, or it cannot be.
        """
        by_series = self.settings.new_supplier_number == "series"
        if not self.is_decided and self.desk.settings.policy.cin7_supplier_unknown != "create":
            raise Held([unknown(self.write)])
        number = ""
        if self.number or not by_series:
            number = self._given_number()
            if await self._is_in_ifs(number):
                wait_for(self.session, SUPPLIERS.name, number, self.write.account)
                return None
        if by_series and number and not self.is_decided:
            raise Held([unknown(self.write, f"It shows number {number}, which IFS does not have.")])
        if self._resembles_one_of_ifs():
            return None
        return "" if by_series else number

    def _given_number(self) -> str:
        if not self.number:
            place = self.settings.supplier_number_attribute
            why = f"Without a number it cannot be created: write one into AdditionalAttribute{place} in Cin7."
            raise Held([unknown(self.write, why)])
        number = number_of(self.number, self.write.company)
        if isinstance(number, Finding):
            raise Held([number])
        return number

    async def _is_in_ifs(self, number: str) -> bool:
        return await self._hands(number).read(_header(number)) is not None

    def _resembles_one_of_ifs(self) -> bool:
        """Say whether IFS has this very supplier, which is waited for then.

        Raises:
            Held: it has one that looks like it, and no person decided that it is another.
        """
        candidates = {one.id or "": one for one in (*self._known_to_ledger(), *self._named_in_ifs())}
        with self.session.ledger.transaction() as cur:
            for key in rejections.rejected_for_vendor(cur, self.cin7_id, self.write.account):
                candidates.pop(key, None)
        found = match(self.write.supplier, list(candidates.values()), 0)
        if found.kind == "none" or self.is_decided:
            return False
        key = found.candidates[0].supplier_id
        with self.session.ledger.transaction() as cur:
            owner = links.find(cur, SUPPLIERS.name, key, self.write.account)
        if found.kind != "exact" or owner is not None:
            raise Held([resembles_ifs(self.write, found)])
        wait_for(self.session, SUPPLIERS.name, key, self.write.account)
        return True

    def _known_to_ledger(self) -> list[Supplier]:
        with self.session.ledger.transaction() as cur:
            sources = pairs.newest_sources(cur)
        found = []
        for key, raw in sources:
            document = decode(self.bound, raw)
            if isinstance(document, SupplierDocument):
                numbers = [row.vat_no or "" for row in document.tax_info] + [document.header.association_no or ""]
                found.append(as_candidate(key, document.header.name, numbers))
        return found

    def _named_in_ifs(self) -> list[Supplier]:
        """Return suppliers of IFS that have this name or number: somebody may just have entered it."""
        header, supplier = self.bound.header, self.write.supplier
        alike = [equals(header.properties["name"], supplier.name)]
        if supplier.tax_number:
            alike.append(equals(header.properties["association_no"], supplier.tax_number))
        client = self.desk.ifs().client
        order = ",".join(header.order)
        address = url(client.root(header.service), header.entity_set, condition=" or ".join(alike), order=order,
                      top=_LIKE_MAX)  # fmt: skip
        self.session.calls += 1
        rows = client.page(address, what=header.title, lane=self.session.claim.lane).rows
        names = (header.properties["name"], header.properties["association_no"])
        return [
            as_candidate(self.bound.key(row.values), *_texts(row.values.get(names[0]), row.values.get(names[1])))
            for row in rows
        ]

    # Creating it

    async def _settle(self) -> None:
        """Find out whether a header was made whose answer was lost, or whose number we could not note."""
        with self.session.ledger.transaction() as cur:
            made = pairs.made_header(cur, self.session.claim.key)
        lost = [effect for effect in self.session.lost if effect.step == CREATE]
        if not lost and not made:
            return
        youngest = min([effect.age_s for effect in lost], default=self.desk.settings.ifs.settle_s)
        if youngest < self.desk.settings.ifs.settle_s:
            delay_s = self.desk.settings.ifs.settle_s - youngest
            raise Retryable("waits before it looks for a lost answer", delay_s=delay_s, executed=False)
        number = await self._made_number(lost[0].marker if lost else made)
        if number:
            self.link = self._link_to(number)
        for effect in lost:
            self._resolve(effect, found=bool(number))
        if not lost and self.link is not None:
            self.session.pending.store(self.link, "created in IFS", wrote="ifs")
            self.session.flush()
        self.session.lost = tuple(effect for effect in self.session.lost if effect.step != CREATE)

    def _resolve(self, effect: Effect, *, found: bool) -> None:
        if found:
            self.session.resolve(effect, "APPLIED", "found by its number", self.link)
        else:
            self.session.resolve(effect, "REFUSED", "no supplier with this number after settling")

    async def _made_number(self, marker: str) -> str:
        """Return the number of our header by what it was sent with, its number or Cin7's id; "" where there is none."""
        if marker != self.cin7_id:
            stored = await self._hands(marker).read(_header(marker))
            if stored is None:
                return ""
            name = stored.values.get(self.bound.header.properties["name"])
            if name != self.write.supplier.name:
                text = f"IFS has a supplier {marker} of another name meanwhile: {name}."
                raise Held([unknown(self.write, text)])
            return marker
        client, header = self.desk.ifs().client, self.bound.header
        mark = self.desk.settings.ifs.new_supplier_mark
        address = url(client.root(header.service), header.entity_set, condition=equals(mark, self.cin7_id),
                      order=",".join(header.order), top=2)  # fmt: skip
        self.session.calls += 1
        rows = client.page(address, what=header.title, lane=self.session.claim.lane).rows
        return self.bound.key(rows[0].values) if rows else ""

    async def _begin(self, number: str) -> None:
        """Make the header; its number is on record with the answer, so that the rest can go on from there."""
        plan = new_supplier(self.write, number, self.desk.rules())
        if isinstance(plan, list):
            raise Held(plan)
        header, _ = headed(plan.steps)
        if number:
            self.session.keep_others_from(SUPPLIERS.name, number)
        try:
            stored = await self._hands(number).make(
                self._stamped(header, number),
                name=CREATE,
                marker=number or self.cin7_id,
                applied=lambda answer: self._link_to(number or self._number_of(answer)),
            )
        except IfsExists:
            # Somebody took the number since we looked.
            raise Retryable("the number was taken in IFS meanwhile", delay_s=CREATING_S, executed=False) from None
        made = number or self._number_of(stored)
        if not made:
            raise Retryable("IFS does not show the number that it gave", delay_s=CREATING_S)
        self.link = self._link_to(made)

    def _stamped(self, header: Insert, number: str) -> Insert:
        """Return the header with Cin7's id on it where IFS gives the number: by that it is found again."""
        if number:
            return header
        return Insert(Part("header", ()), header.values)

    def _number_of(self, stored: Stored | None) -> str:
        return self.bound.key(stored.values) if stored is not None else ""

    async def _go_on(self, link: Link) -> None:
        """Make all other parts, in order; what is there already is left or put right."""
        self.session.keep_others_from(SUPPLIERS.name, link.ifs_key)
        plan = new_supplier(self.write, link.ifs_key, self.desk.rules())
        if isinstance(plan, list):
            raise Held(plan)
        _, rest = headed(plan.steps)
        steps: Sequence[Step] = numbered(rest, link.ifs_key)
        resumes = self.session.lost or not self.session.calls
        if resumes:
            self._wait_for_lost_answers()
            steps = left_to_do(steps, self._read(link.ifs_key))
            for effect in self.session.lost:
                self.session.resolve(effect, "APPLIED", "what of it is missing is made again")
            self.session.lost = ()
        hands = self._hands(link.ifs_key)
        for step in steps:
            try:
                await hands.do(step)
            except Overtaken:
                raise Retryable("the new supplier was changed in IFS meanwhile", delay_s=CREATING_S) from None
        await self._finish(link, plan.common)

    def _wait_for_lost_answers(self) -> None:
        ages = [effect.age_s for effect in self.session.lost]
        if ages and min(ages) < self.desk.settings.ifs.settle_s:
            delay_s = self.desk.settings.ifs.settle_s - min(ages)
            raise Retryable("waits before it looks for a lost answer", delay_s=delay_s, executed=False)

    def _read(self, number: str) -> SupplierDocument:
        self.session.calls += 1
        found = self.desk.read_again(SUPPLIERS, [number], self.session.claim.lane).get(number)
        if found is None:
            raise Held([gone_from_ifs(number, self.write)])
        document = decode(self.bound, found.raw)
        if not isinstance(document, SupplierDocument):
            raise Held(document)
        return document

    async def _finish(self, link: Link, common: Common) -> None:
        """Show the number in Cin7, and remember what both sides have in common."""
        await self._show_number(link)
        supplier = common.supplier
        if supplier is not None:
            shown = {self.settings.supplier_number_attribute: link.ifs_key}
            supplier = msgspec.structs.replace(supplier, attributes=shown)
        known = link_with(link, msgspec.structs.replace(common, supplier=supplier))
        known = msgspec.structs.replace(known, verified=True, making=False, echo=True)
        self.session.satisfy(known, wrote="both")
        self.session.later(partial(self._ask_the_other_way, link.ifs_key))
        await self.session.finish(f"created in IFS as {link.ifs_key}; {self.session.calls} calls")

    async def _show_number(self, link: Link) -> None:
        """Write the number into Cin7's attribute, unless it shows there."""
        place = self.settings.supplier_number_attribute
        if self.number == link.ifs_key:
            return
        account = self.desk.account(self.write.account)
        current = await self.session.read(account, lambda slot: account.client.supplier(self.cin7_id, slot=slot))
        if current is None or current.attributes.get(place) == link.ifs_key:
            return
        marked = msgspec.structs.replace(
            current,
            attributes={**current.attributes, place: link.ifs_key},
            attribute_set=self.settings.attribute_set or current.attribute_set,
        )
        await self.session.write(
            account,
            step="show number",
            request="PUT /supplier",
            body=marked,
            call=lambda slot: account.client.update_supplier(marked, slot=slot),
            marker=link.ifs_key,
        )

    def _ask_the_other_way(self, number: str, cur: Cur) -> None:
        """See to it that what was changed in IFS while it was being made comes to Cin7."""
        why = f"created from {CIN7_SUPPLIERS.name} {self.session.claim.key}"
        self.session.messages += entries.ask(cur, SUPPLIERS.name, number, actor=self.session.actor, why=why)

    def _hands(self, number: str) -> Hands:
        ifs = self.desk.ifs()
        more = dict(self.desk.rules().new_supplier)
        if self.settings.new_supplier_number == "series":
            mark = self.desk.settings.ifs.new_supplier_mark
            more["header"] = {**more.get("header", {}), mark: self.cin7_id}
        parts = Parts(ifs.client, self.bound, {"supplier_id": number})
        return Hands(self.session, ifs, parts, number or self.cin7_id, more, wrote=self._wrote, rest=self.desk.rest)

    def _wrote(self) -> None:
        if self.link is not None:
            self.session.pending.store(self.link, "created in IFS", wrote="ifs")

    def _link_to(self, number: str) -> Link:
        return Link(
            flow=SUPPLIERS.name,
            ifs_key=number,
            cin7_account=self.write.account,
            cin7_id=self.cin7_id,
            cin7_number=self.write.supplier.name,
            written=b"",
            version=0,
            verified=False,
            own="{}",
            making=True,
        )


def _header(number: str) -> Part:
    return Part("header", (("supplier_id", number),))


def _texts(name: object, number: object) -> tuple[str, list[str]]:
    return str(name or ""), [str(number or "")]

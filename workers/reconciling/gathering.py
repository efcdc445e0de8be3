"""Reads what the three sides hold of a month, each as little as that takes: IFS in bulk, of Cin7 the list first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from shared.assembly import Assembly
from shared.cin7.records.purchases import PurchaseRow
from shared.config.rules import Rules
from shared.errors import ConnectorError
from shared.flows import PURCHASE_ORDERS, SUPPLIER_INVOICES, SUPPLIERS, Flow
from shared.ifs.errors import IfsDenied, IfsRefused
from shared.ifs.spans import Span
from shared.ledger.views import documents
from workers.reconciling.cin7_side import Surroundings
from workers.reconciling.copies import Case, IfsCopy
from workers.reconciling.extracts import Extract
from workers.reconciling.laying import Account, Place, dated_by_cin7, laid, loose_of, task_of
from workers.reconciling.looking_at_cin7 import Cin7Look, Progress
from workers.reconciling.looking_at_ifs import IfsLook
from workers.reconciling.looking_at_ledger import Written, known_of
from workers.reconciling.pairing import Loose

T = TypeVar("T")

#: In dependency order: what a month consists of.
COMPARED: Final = (PURCHASE_ORDERS, SUPPLIER_INVOICES)
#: Below this many documents a drop says nothing; and the share of the known ones that a side must show.
SMALL: Final = 20
SHARE: Final = 0.5


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """`cases` by flow and key; `loose` is what of Cin7 no link leads to."""

    cases: dict[Place, Case]
    loose: list[Loose]


class Gatherer:
    """Gathers one month of some companies.

    Attributes:
        flows: those that are compared; a tenant need not serve all of them.
        remarks: what the reader of the result must know.
        looks: by Cin7 account.
    """

    def __init__(
        self,
        parts: Assembly,
        span: Span,
        companies: Sequence[str],
        *,
        stopping: Callable[[], bool],
        progress: Progress,
        full: bool,
    ) -> None:
        self.parts = parts
        self.span = span
        self.companies = frozenset(companies)
        self.progress = progress
        self.rules: Rules = parts.rules.get()
        self.remarks: list[str] = []
        self.flows = [flow for flow in COMPARED if self._is_enabled(flow)]
        self.ifs = {flow: IfsLook(parts, flow, progress) for flow in self.flows}
        self.around = {account: around for account in parts.settings.cin7 if (around := self._surroundings(account))}
        self.looks = {
            account: Cin7Look(
                account, parts.cin7(account), parts.ledger, stopping=stopping, progress=progress, full=full
            )
            for account in self.around
        }
        self._known: dict[Place, Written] = {}
        self._rows: dict[str, dict[str, PurchaseRow]] = {}

    def _is_enabled(self, flow: Flow) -> bool:
        if self.parts.settings.ifs.stream(flow.name).enabled:
            return True
        self.remarks.append(f"{flow.name} is not enabled in the settings, so that it is not compared.")
        return False

    def _surroundings(self, account: str) -> Surroundings | None:
        """Return what is known of a Cin7 account; None where it is of none of our companies."""
        theirs = sorted(one.company for one in self.rules.tables.companies.values() if one.cin7_account == account)
        if not self.companies.intersection(theirs):
            return None
        with self.parts.ledger.transaction() as cur:
            suppliers = documents.keys_of(cur, SUPPLIERS.name, account)
        return Surroundings(account=account, companies=tuple(theirs), suppliers=suppliers)

    def everything(self) -> Gathered:
        """Return every document that any side dates within the span.

        Raises:
            ConnectorError: a side cannot be read, or shows suspiciously little.
        """
        ifs = self._of_ifs()
        known = self._of_ledger(ifs)
        self._rows = {account: look.rows(self.span) for account, look in self.looks.items()}
        accounts = {account: self._of_cin7(account, known, fresh=()) for account in self.looks}
        self._take_in(ifs, known, accounts)
        self._known = known
        loose = [one for account in accounts.values() for one in loose_of(account, known)]
        return Gathered(cases=laid(ifs, known, accounts), loose=loose)

    def again(self, places: Iterable[Place]) -> dict[Place, Case]:
        """Return some documents once more, each side as it is now."""
        ifs: dict[Place, IfsCopy] = {}
        known: dict[Place, Written] = {}
        for flow in self.flows:
            keys = sorted(key for name, key in places if name == flow.name)
            ifs |= _placed(flow, self.ifs[flow].by_key(keys))
            known |= self._known_of(flow, keys, ifs)
        # What was written since the first look was not seen by it, whatever the list said then.
        moved = [one for place, one in known.items() if one != self._known.get(place)]
        accounts = {account: self._of_cin7(account, known, fresh=moved, listed=False) for account in self.looks}
        return laid(ifs, known, accounts)

    def _of_ifs(self) -> dict[Place, IfsCopy]:
        found: dict[Place, IfsCopy] = {}
        for flow in list(self.flows):
            try:
                found |= _placed(flow, self.ifs[flow].of_span(self.span, sorted(self.companies)))
            except (IfsDenied, IfsRefused) as error:
                if not (flow.optional and error.status in {403, 404}):
                    raise
                self.flows.remove(flow)
                self.remarks.append(f"{flow.name} is not compared, since the tenant does not serve it: {error}")
        return found

    def _of_ledger(self, ifs: dict[Place, IfsCopy]) -> dict[Place, Written]:
        """Return what the ledger knows of what IFS dates within the span, and of what it dates so itself.

        IFS is asked for the latter by key, and `ifs` gains what it has of them.
        """
        assert self.span.first is not None  # noqa: S101 - a month has a beginning
        assert self.span.last is not None  # noqa: S101 - and an end
        found: dict[Place, Written] = {}
        for flow in self.flows:
            shown = {key for name, key in ifs if name == flow.name}
            with self.parts.ledger.transaction() as cur:
                dated = documents.dated_within(cur, flow.name, self.span.first, self.span.last)
            known = self._known_of(flow, sorted({*shown, *dated}), ifs)
            others = [key for key in dated if key not in shown and self._is_ours(known[flow.name, key])]
            elsewhere = self.ifs[flow].by_key(others)
            self._require_most(flow, len(shown & {key for _, key in known}), set(others) - elsewhere.keys())
            ifs |= _placed(flow, elsewhere)
            found |= {place: one for place, one in known.items() if place in ifs or place[1] in others}
        return found

    def _known_of(self, flow: Flow, keys: Sequence[str], ifs: Mapping[Place, IfsCopy]) -> dict[Place, Written]:
        dates = {key: copy.date for (name, key), copy in ifs.items() if name == flow.name}
        return _placed(flow, known_of(self.parts, flow, keys, dates))

    def _is_ours(self, one: Written) -> bool:
        written = one.known.written
        company = written.company if written else one.company
        return not company or company in self.companies

    def _require_most(self, flow: Flow, there: int, gone: set[str]) -> None:
        """Refuse a side that has lost its rights, not its records: nothing true can be said of a month then."""
        if len(gone) >= SMALL and there < (there + len(gone)) * SHARE:
            raise ConnectorError(
                f"IFS shows {there} of {there + len(gone)} known {flow.name} of this month, so nothing was compared: "
                "check the allowed companies and sites of the connector's user in IFS."
            )

    def _of_cin7(
        self, account: str, known: Mapping[Place, Written], *, fresh: Iterable[Written], listed: bool = True
    ) -> Account:  # fmt: skip
        """Return what one account holds of the documents that are linked to it and, if `listed`, of the span."""
        needed, anew = _purchases(account, known.values()), _purchases(account, fresh)
        rows = self._rows[account]
        if not listed:
            rows = {one: row for one, row in rows.items() if one in needed}
        extracts = self.looks[account].extracts(rows, needed, self.span, fresh=anew)
        if len(needed) >= SMALL and len(extracts.keys() & needed) < len(needed) * SHARE:
            raise ConnectorError(
                f"Cin7 account {account} shows less than half of the {len(needed)} purchases that the connector made, "
                "so nothing was compared: check its account id and keys."
            )
        return Account(around=self.around[account], extracts=extracts, linked=self._linked(account, extracts))

    def _linked(self, account: str, extracts: Mapping[str, Extract]) -> dict[tuple[str, str], Place]:
        found: dict[tuple[str, str], Place] = {}
        with self.parts.ledger.transaction() as cur:
            for flow in COMPARED:
                linked = documents.linked_to(cur, flow.name, account, sorted(extracts))
                found |= {task_of(cin7_id): (flow.name, key) for cin7_id, key in linked.items()}
        return found

    def _take_in(
        self, ifs: dict[Place, IfsCopy], known: dict[Place, Written], accounts: Mapping[str, Account]
    ) -> None:  # fmt: skip
        """Take in linked bills that only Cin7 dates within the span."""
        missing: set[Place] = set()
        for account in accounts.values():
            within = {
                (extract.id, bill.task_id): self.span.has(bill.date)
                for extract in account.extracts.values()
                for bill in extract.bills
            }
            missing |= dated_by_cin7(account, known, within)
        keys = sorted(key for _, key in missing)
        if keys and SUPPLIER_INVOICES in self.flows:
            ifs |= _placed(SUPPLIER_INVOICES, self.ifs[SUPPLIER_INVOICES].by_key(keys))
            known |= self._known_of(SUPPLIER_INVOICES, keys, ifs)


def _placed(flow: Flow, found: Mapping[str, T]) -> dict[Place, T]:
    return {(flow.name, key): one for key, one in found.items()}


def _purchases(account: str, known: Iterable[Written]) -> set[str]:
    """Return the purchases of an account that documents are linked to."""
    links = (one.link for one in known if one.link is not None)
    return {task_of(link.cin7_id)[0] for link in links if link.cin7_account == account}

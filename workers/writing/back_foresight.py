"""What a supplier of Cin7 would lead to, from what the ledger knows of both sides: no call, nothing kept."""

from shared.config.rules import Rules
from shared.config.settings import Settings
from shared.findings import Finding
from shared.flows import SUPPLIERS
from shared.ifs.documents import decode
from shared.ifs.records.suppliers import SupplierDocument
from shared.ledger import decisions, pairs
from shared.ledger.connection import Cur
from shared.ledger.links import Link
from shared.ledger.pairs import Source
from shared.origins import SOURCES
from workers.mapping.cin7_suppliers import Cin7SupplierWrite
from workers.writing.cin7_supplier_reasons import unknown
from workers.writing.cin7_suppliers import BackPlan, Unsettled, plan_cin7_supplier
from workers.writing.supplier_creating import NewSupplier, new_supplier, number_of
from workers.writing.supplier_links import common_of, ifs_stamp
from workers.writing.supplier_merging import Referee

#: None where it waits for the other direction: the supplier of IFS that it shows is not linked or not known yet.
Foreseen = BackPlan | NewSupplier | None


def foresee_back(cur: Cur, key: str, write: Cin7SupplierWrite, rules: Rules, settings: Settings) -> Foreseen:
    """Return what would be done in IFS, were nothing changed there since it was read last.

    Args:
        key: of the record in the ledger.
    """
    link = pairs.link_of(cur, write.account, write.supplier.id or "")
    if link is None or link.making:
        return _unlinked(cur, key, write, rules, settings, is_begun=link is not None)
    source = pairs.ifs_source(cur, link.ifs_key)
    return None if source is None else _linked(write, link, source, rules, settings)


def _linked(write: Cin7SupplierWrite, link: Link, source: Source, rules: Rules, settings: Settings) -> BackPlan:
    document = decode(SOURCES[SUPPLIERS].bound(settings.ifs.stream(SUPPLIERS.name)), source.raw)
    if not isinstance(document, SupplierDocument):
        return Unsettled(tuple(document))
    referee = Referee(
        sides=settings.policy.supplier_conflict,
        ifs_changed_at=ifs_stamp(source.stamp, settings.ifs),
        company=write.company,
    )
    return plan_cin7_supplier(write, document, common_of(link), rules, referee)


def _unlinked(
    cur: Cur, key: str, write: Cin7SupplierWrite, rules: Rules, settings: Settings, *, is_begun: bool
) -> Foreseen:
    account = settings.cin7[write.account]
    shown = write.supplier.attributes.get(account.supplier_number_attribute, "").strip()
    if shown and not is_begun and pairs.is_known_to_ifs(cur, shown):
        return None
    is_wanted = is_begun or settings.policy.cin7_supplier_unknown == "create" or decisions.may_create_in_ifs(cur, key)
    if not is_wanted:
        return Unsettled((unknown(write),))
    number: str | Finding = ""
    if account.new_supplier_number == "attribute":
        number = number_of(shown, write.company) if shown else unknown(write, "It shows no number for IFS.")
    if isinstance(number, Finding):
        return Unsettled((number,))
    plan = new_supplier(write, number, rules)
    return Unsettled(tuple(plan)) if isinstance(plan, list) else plan


def stands_against(plan: Foreseen) -> tuple[Finding, ...]:
    """Return what holds it."""
    return plan.findings if isinstance(plan, Unsettled) else ()

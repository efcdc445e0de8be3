"""One mapped record and what was written last to the writes that would follow, field by field. Pure."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from console.comparing import Change, changes
from console.output import plain
from shared.cin7.records.suppliers import Supplier
from shared.config.settings import PolicySettings
from shared.findings import Finding
from shared.flows import CIN7_SUPPLIERS, JOURNALS, PURCHASE_ORDERS, SUPPLIER_INVOICES, SUPPLIERS
from shared.ledger.links import Link
from workers.mapping.results import InvoiceWrite, JournalVerdict, PurchaseWrite, SupplierWrite
from workers.writing import supplier_parts
from workers.writing.back_foresight import Foreseen
from workers.writing.cin7_suppliers import Nothing, Unsettled
from workers.writing.purchase_orders import check_supplier
from workers.writing.supplier_creating import NewSupplier
from workers.writing.supplier_links import common_of
from workers.writing.supplier_merging import Referee, merge
from workers.writing.supplier_parts import Cell, Step
from workers.writing.suppliers import Unchanged, plan_supplier

#: `passed`: a voucher that may be posted.
Action = Literal["create", "update", "unchanged", "void", "passed", "held"]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """One would-be write; `account` is empty where the mapping already holds the record."""

    flow: str
    key: str
    account: str = ""
    action: Action
    fields: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()


def foresee_supplier(
    key: str, write: SupplierWrite, link: Link | None, current: Supplier | None, *, policy: PolicySettings
) -> Preview:
    """Return what would be written of one supplier to one account.

    Args:
        key: of the IFS supplier.
        write: what the mapping asks for.
        link: None where it is linked to nothing.
        current: what Cin7 is known to hold, where nothing was written yet; None where that is not known.
    """
    common = common_of(link)
    if common.supplier is not None:
        found = merge(common, write.supplier, common.supplier, Referee(), silent=write.silent)
        return _compared(SUPPLIERS.name, key, write.account, changes(common.supplier, found.cin7))
    if current is None:
        action: Action = "create" if link is None else "update"
        fields = changes(None, write.supplier)
        return Preview(flow=SUPPLIERS.name, key=key, account=write.account, action=action, fields=fields)
    referee = Referee(sides=policy.supplier_conflict, company=write.company)
    plan = plan_supplier(write.supplier, common, current, referee, silent=write.silent)
    if isinstance(plan, list):
        return Preview(flow=SUPPLIERS.name, key=key, account=write.account, action="held", findings=tuple(plan))
    wanted = current if isinstance(plan, Unchanged) else plan.supplier
    return _compared(SUPPLIERS.name, key, write.account, changes(current, wanted))


def foresee_ifs(key: str, account: str, plan: Foreseen) -> Preview:
    """Return what would be written to IFS of one supplier of a Cin7 account, a field of a row at a time."""
    flow = CIN7_SUPPLIERS.name
    if isinstance(plan, Unsettled):
        return Preview(flow=flow, key=key, account=account, action="held", findings=plan.findings)
    steps = () if plan is None or isinstance(plan, Nothing) else plan.steps
    if not steps:
        return Preview(flow=flow, key=key, account=account, action="unchanged")
    fields = tuple(
        Change(field=f"{step.part.name}.{field}", before=_text(before), after=_text(after))
        for step in steps
        for field, before, after in _cells(step)
    )
    action: Action = "create" if isinstance(plan, NewSupplier) else "update"
    return Preview(flow=flow, key=key, account=account, action=action, fields=fields)


def _cells(step: Step) -> Iterator[tuple[str, Cell, Cell]]:
    if isinstance(step, supplier_parts.Insert):
        yield from ((field, None, after) for field, after in step.values)
        return
    before = dict(step.before)
    yield from ((field, before.get(field), after) for field, after in step.after)


def _text(cell: Cell) -> str:
    return "" if cell is None else str(plain(cell))


def foresee_order(key: str, write: PurchaseWrite, link: Link | None, supplier: Link | None) -> Preview:
    """Return what would be written of one purchase order.

    Args:
        key: of the order.
        write: what the mapping asks for.
        link: None where the order is not in Cin7.
        supplier: the link of its supplier; None where it has to come first.
    """
    flow, account = PURCHASE_ORDERS.name, write.account
    if write.void:
        return Preview(flow=flow, key=key, account=account, action="void" if link else "unchanged")
    if supplier is not None and supplier.written:
        mismatch = check_supplier(write, msgspec.json.decode(supplier.written, type=Supplier))
        if mismatch:
            return Preview(flow=flow, key=key, account=account, action="held", findings=tuple(mismatch))
    written = msgspec.json.decode(link.written, type=PurchaseWrite) if link and link.written else None
    fields = changes(_document(written), _document(write))
    if link is None:
        return Preview(flow=flow, key=key, account=account, action="create", fields=fields)
    return _compared(flow, key, account, fields)


def foresee_invoice(key: str, write: InvoiceWrite, link: Link | None) -> Preview:
    """Return what would be written of one invoice or credit note.

    Args:
        key: of the invoice.
        write: what the mapping asks for.
        link: None where it is not in Cin7.
    """
    flow, account = SUPPLIER_INVOICES.name, write.account
    if write.void:
        return Preview(flow=flow, key=key, account=account, action="void" if link else "unchanged")
    written = msgspec.json.decode(link.written, type=InvoiceWrite) if link and link.written else None
    title = "CreditNote" if write.credit else "Invoice"
    fields = changes(None if written is None else {title: written}, {title: write})
    if link is None:
        return Preview(flow=flow, key=key, account=account, action="create", fields=fields)
    return _compared(flow, key, account, fields)


def foresee_verdict(key: str, verdict: JournalVerdict) -> Preview:
    """Return the verdict on one voucher, and what IFS is to show of it; what it shows now is not asked."""
    fields = (Change(field=verdict.field, before="", after=verdict.value),) if verdict.field else ()
    return Preview(
        flow=JOURNALS.name,
        key=key,
        action="passed" if verdict.ok else "held",
        fields=fields,
        findings=verdict.findings,
    )


def _document(write: PurchaseWrite | None) -> Mapping[str, object] | None:
    return None if write is None else {"Purchase": write.header, "Order": write.order}


def _compared(flow: str, key: str, account: str, fields: tuple[Change, ...]) -> Preview:
    action: Action = "update" if fields else "unchanged"
    return Preview(flow=flow, key=key, account=account, action=action, fields=fields)

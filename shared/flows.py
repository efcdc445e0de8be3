"""The table of contents: every entity the connector moves, in dependency order."""

from typing import Final, Literal

import msgspec

Stage = Literal["map", "write"]
STAGES: Final[tuple[Stage, ...]] = ("map", "write")


class Flow(msgspec.Struct, frozen=True):
    """One entity moving in one direction.

    Attributes:
        name: the same word in every folder, table, queue and command.
        key_fields: names of the key's parts, in the order in which they are joined by `/`.
        document: has a business date, so that `start_from` applies.
        optional: read only where the tenant serves its set, since entity services are inactive until somebody
            activates them.
        passing: its records leave the set in the ordinary course, as vouchers do when the general ledger takes them:
            none is missed, and those that are still there are to be dealt with, however old.
    """

    name: str
    key_fields: tuple[str, ...]
    document: bool = True
    optional: bool = False
    passing: bool = False


SUPPLIERS: Final = Flow("suppliers", ("SupplierId",), document=False)
PURCHASE_ORDERS: Final = Flow("purchase_orders", ("OrderNo",))

SUPPLIER_INVOICES: Final = Flow("supplier_invoices", ("Company", "InvoiceId"), optional=True)
JOURNALS: Final = Flow(
    "journals", ("Company", "AccountingYear", "VoucherType", "VoucherNo"), optional=True, passing=True
)

#: From Cin7 to IFS: what its people change. The key begins with the name of the Cin7 account.
CIN7_SUPPLIERS: Final = Flow("cin7_suppliers", ("Account", "ID"), document=False)

#: In dependency order: a flow may wait for records of the flows before it.
FLOWS: Final = (SUPPLIERS, PURCHASE_ORDERS, SUPPLIER_INVOICES, JOURNALS, CIN7_SUPPLIERS)
BY_NAME: Final = {flow.name: flow for flow in FLOWS}


def queue_of(stage: Stage, flow: str) -> str:
    """Return the name of the queue that feeds `stage` of `flow`, such as `map.suppliers`."""
    return f"{stage}.{flow}"

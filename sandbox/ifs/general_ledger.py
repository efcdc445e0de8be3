"""What the update of the general ledger does to a voucher of the hold table. Source: docs/apis/ifs.md#vouchers."""

from collections.abc import Mapping

from sandbox.ifs.answers import database_error
from sandbox.ifs.shapes import EntityType
from sandbox.ifs.tables import Key, Row, Table


def move_to_general_ledger(tables: Mapping[str, Table], voucher: Key) -> None:
    """Move the rows of `voucher` out of the hold table; its header stays and cannot be changed any more."""
    hold, ledger = tables["VoucherRowSet"], tables["GenLedVoucherRowSet"]
    keys = [key for key in hold.with_value("VoucherNo", voucher[-1]) if key[:-1] == voucher]
    for key in keys:
        row = hold.remove(key)
        if row is not None:
            ledger.put(row)


def check_not_posted(kind: EntityType, row: Row) -> None:
    """Refuse any change of a voucher that is in the general ledger."""
    if kind.table == "VoucherSet" and row.values[kind.position["VoucherUpdated"]]:
        number = row.values[kind.position["VoucherNo"]]
        raise database_error(f"Voucher [{number}] has been updated to the general ledger and may not be changed.")

"""The suppliers that Cin7 holds, as they were read last, for whoever looks for one before creating another."""

from collections.abc import Sequence

import msgspec

from shared.cin7.records.suppliers import Supplier
from shared.ledger.connection import Cur, storable


def keep(cur: Cur, account: str, found: Sequence[Supplier], number_attribute: int) -> None:
    """Keep suppliers as they are now."""
    cur.executemany(
        """
        insert into cin7_supplier (account, id, name, tax_number, marker, status, body)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (account, id) do update
        set name = excluded.name, tax_number = excluded.tax_number, marker = excluded.marker,
            status = excluded.status, body = excluded.body, read_at = now()
        """,
        [
            (
                account,
                supplier.id,
                storable(supplier.name),
                storable(supplier.tax_number),
                storable(supplier.attributes.get(number_attribute, "")),
                supplier.status,
                msgspec.json.encode(supplier),
            )
            for supplier in found
        ],
    )


def read_up_to(cur: Cur, account: str, since: str, *, changed: bool = True) -> None:
    """Note that all of an account was read up to now.

    Args:
        since: the newest stamp that was seen.
        changed: something was kept since the last note, so that indexes are to be built anew.
    """
    cur.execute(
        """
        insert into cin7_supplier_read (account, since) values (%s, %s)
        on conflict (account) do update
        set since = greatest(cin7_supplier_read.since, excluded.since), read_at = clock_timestamp(),
            revision = cin7_supplier_read.revision + case when %s then 1 else 0 end
        """,
        (account, since, changed),
    )

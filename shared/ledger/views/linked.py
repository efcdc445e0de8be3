"""Which IFS record is which Cin7 record. Reads only."""

from datetime import datetime

import msgspec

from shared.ledger.connection import Cur


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """`origin`: created, matched, adopted, accepted or person; `verified` once read back as written."""

    flow: str
    ifs_key: str
    cin7_account: str
    cin7_id: str
    cin7_number: str
    written_at: datetime
    version: int
    verified: bool
    origin: str


def links(cur: Cur, *, flow: str = "", account: str = "", key: str = "") -> list[Linked]:
    """Return the links, by flow, key and account; `key` may be that of either side."""
    columns = ", ".join(Linked.__struct_fields__)
    rows = cur.execute(
        f"""
        select {columns} from link
        where (%(flow)s = '' or flow = %(flow)s) and (%(account)s = '' or cin7_account = %(account)s)
          and (%(key)s = '' or ifs_key = %(key)s or cin7_id = lower(%(key)s) or cin7_number = %(key)s)
        order by flow, ifs_key, cin7_account
        """,  # noqa: S608 - names of a struct of this module
        {"flow": flow, "account": account, "key": key},
    ).fetchall()
    return [Linked(**dict(zip(Linked.__struct_fields__, row, strict=True))) for row in rows]

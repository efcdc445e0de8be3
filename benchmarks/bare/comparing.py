"""A month compared as anybody would first write it: one document after the other, both systems asked about each."""

import json
import os
import sys
import time
from decimal import Decimal

from shared.assembly import Assembly, from_environment
from shared.flows import PURCHASE_ORDERS, SUPPLIER_INVOICES
from workers.reconciling.copies import TAX, total
from workers.reconciling.extracts import Extract, extract_of
from workers.reconciling.looking_at_ifs import LANE, IfsLook

_LINKS = "select ifs_key, cin7_account, cin7_id from link where flow = %s order by ifs_key"


def main() -> None:
    parts = from_environment(os.environ, "bare")
    began, seen, different = time.monotonic(), 0, 0
    for flow in (PURCHASE_ORDERS, SUPPLIER_INVOICES):
        look = IfsLook(parts, flow, lambda *_: None)
        for key, account, cin7_id in parts.ledger.rows(_LINKS, (flow.name,)):
            copy = look.by_key([key])[key]
            ours = total({name: amount for name, amount in copy.amounts.items() if name != TAX})
            seen += 1
            different += ours != _of_cin7(parts, account, cin7_id)
    done = {"documents": seen, "different": different, "seconds": time.monotonic() - began}
    json.dump(done, sys.stdout)
    print(flush=True)


def _of_cin7(parts: Assembly, account: str, cin7_id: str) -> Decimal:
    purchase, _, task = cin7_id.partition("/")
    client = parts.cin7(account)
    extract: Extract = extract_of(client.purchase(purchase, slot=client.budget.take(LANE, timeout_s=60)))
    bill = extract.bill(task) if task else None
    if bill is None:
        return total({str(place): net for place, (_, net) in enumerate(extract.order.rows)})
    net = total({name: amount for name, amount in bill.amounts.items() if name != TAX})
    return -net if bill.credit else net


if __name__ == "__main__":
    main()

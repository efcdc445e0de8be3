"""Hop one, bare: read the pages as the poller reads them, and send one message per order."""

import json
import os
import sys
import time

import dramatiq

from benchmarks.bare.hops import MAP_QUEUE, stock_broker
from shared.assembly import from_environment
from shared.flows import PURCHASE_ORDERS
from shared.ifs import reading
from shared.origins import SOURCES


def main() -> None:
    parts = from_environment(os.environ, "bare")
    broker = stock_broker(parts)
    settings = parts.settings.ifs

    @dramatiq.actor(queue_name=MAP_QUEUE, actor_name="map", broker=broker)
    def map_order(document: str) -> None:
        raise NotImplementedError(document)

    source = SOURCES[PURCHASE_ORDERS]
    batches = reading.changed(
        parts.ifs,
        source,
        settings.stream(PURCHASE_ORDERS.name),
        settings,
        watermark=None,
        admit=lambda _row: True,
        known=lambda _headers: set(),
        lane="live",
    )
    print("started", flush=True)
    began, sent = time.time(), 0
    for batch in batches:
        for document in batch.documents:
            map_order.send(document.raw.decode())
            sent += 1
    json.dump({"began": began, "sent": sent, "ended": time.time()}, sys.stdout)
    print(flush=True)


if __name__ == "__main__":
    main()

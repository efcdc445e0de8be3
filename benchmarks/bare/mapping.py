"""Hop two, bare: map one order a message with the same pure rules, and send the result on."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.bare.hops import MAP_QUEUE, WRITE_QUEUE, Tally, serve
from shared.assembly import Assembly
from shared.fingerprints import canonical
from shared.flows import PURCHASE_ORDERS
from workers.mapping.__main__ import THREADS
from workers.mapping.actors import map_raw
from workers.mapping.purchase_orders import map_order as rule


def declare(broker: RedisBroker, parts: Assembly, tally: Tally) -> None:
    lens = parts.lens(PURCHASE_ORDERS)
    rules = parts.rules.get()

    @dramatiq.actor(queue_name=WRITE_QUEUE, actor_name="write", broker=broker)
    def write_order(body: str) -> None:
        raise NotImplementedError(body)

    @dramatiq.actor(queue_name=MAP_QUEUE, actor_name="map", broker=broker)
    def map_order(document: str) -> None:
        result = map_raw(document.encode(), lens, rule, rules)
        assert not isinstance(result, list), result
        write_order.send(canonical(result).decode())
        tally.add()

    assert map_order.queue_name == MAP_QUEUE


if __name__ == "__main__":
    serve(MAP_QUEUE, declare, THREADS)

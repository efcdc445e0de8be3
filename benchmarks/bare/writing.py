"""Hop three, bare: create the purchase, write its order, read it back and compare; one order a message."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import dramatiq
import msgspec
from dramatiq.brokers.redis import RedisBroker

from benchmarks.bare.hops import WRITE_QUEUE, Tally, serve
from shared.assembly import Assembly
from shared.cin7 import answers, requests, wire
from shared.cin7.records.suppliers import Supplier
from shared.cin7.requests import Request, get
from shared.config import credentials
from shared.config.credentials import Cin7Credentials
from shared.http import Http
from shared.money import tolerance_from
from workers.mapping.results import PurchaseWrite
from workers.writing.purchase_orders import addressed, order_differences
from workers.writing.seats import THREADS

ACCOUNT = "main"


def declare(broker: RedisBroker, parts: Assembly, tally: Tally) -> None:
    suppliers = _suppliers(parts)
    call = _caller(parts)
    tolerance = tolerance_from(parts.settings.policy.total_tolerance)

    @dramatiq.actor(queue_name=WRITE_QUEUE, actor_name="write", broker=broker)
    def write_order(body: str) -> None:
        write = msgspec.json.decode(body, type=PurchaseWrite)
        write = addressed(write, suppliers[write.supplier_key])
        created = answers.purchase(call(requests.create_purchase_request(write.header)))
        answers.order(call(requests.write_order_request(created.id, write.order)))
        current = answers.purchase(call(get("advanced-purchase", ID=created.id)))
        differences = order_differences(write, current, tolerance)
        assert not differences, differences
        tally.add()

    assert write_order.queue_name == WRITE_QUEUE


def _suppliers(parts: Assembly) -> Mapping[str, Supplier]:
    rows = parts.ledger.rows("select ifs_key, cin7_id, written from link where flow = 'suppliers'")
    return {
        key: msgspec.structs.replace(msgspec.json.decode(bytes(written), type=Supplier), id=cin7_id)
        for key, cin7_id, written in rows
    }


def _caller(parts: Assembly) -> Callable[[Request], object]:
    settings = parts.settings.cin7[ACCOUNT]
    known = credentials.load(parts.ledger.connection(), parts.cipher, credentials.cin7(ACCOUNT), Cin7Credentials)
    http = Http(settings.base_url, timeout_s=settings.read_timeout_s, connections=32)
    base = f"{urlsplit(settings.base_url).path.rstrip('/')}/"
    headers = {
        "api-auth-accountid": known.account_id,
        "api-auth-applicationkey": known.application_keys[0],
        "Content-Type": "application/json",
        "Accept": "application/json",
    }

    def call(request: Request) -> object:
        return wire.read(http.send(request.method, base + request.path, headers=headers, content=request.body))

    return call


if __name__ == "__main__":
    serve(WRITE_QUEUE, declare, THREADS)

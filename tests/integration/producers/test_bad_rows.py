"""A row that cannot be read is held, by field and value; its neighbours go on."""

import json
from collections.abc import Callable

import msgspec
import pytest
import redis

from shared.ledger.connection import Ledger
from tests.contract.ifs_tenants import line, order
from tests.integration.ledger.samples import one
from tests.integration.producers.tenants import Site
from tests.integration.workers.stages import Stage


def header(number: int, **changes: object) -> str:
    return json.dumps({**order(number), **changes})


def without(number: int, name: str) -> str:
    return json.dumps({key: value for key, value in order(number).items() if key != name})


def bad_line(number: int, value: str) -> str:
    row = line(number, 1, PreAccountingId=number - 1000, BuyUnitPrice="HERE")
    return json.dumps(row).replace('"HERE"', value)


class Bad(msgspec.Struct, frozen=True):
    """One way to be bad: the bytes of a row for an order's number, and the field and value that are named."""

    body: Callable[[int], str]
    field: str
    value: str = ""

    @property
    def is_line(self) -> bool:
        return self.field == "BuyUnitPrice"


CASES = {
    "NaN": Bad(lambda number: bad_line(number, "NaN"), "BuyUnitPrice"),
    "NaN in quotes": Bad(lambda number: bad_line(number, '"NaN"'), "BuyUnitPrice", "NaN"),
    "infinity": Bad(lambda number: bad_line(number, '"Infinity"'), "BuyUnitPrice", "Infinity"),
    "no number": Bad(lambda number: bad_line(number, '"much"'), "BuyUnitPrice", "much"),
    "too large": Bad(lambda number: bad_line(number, "1e400"), "BuyUnitPrice"),
    "NUL": Bad(lambda number: header(number, VendorNo="S\x001"), "VendorNo", "S\\u00001"),
    "half a character": Bad(lambda number: header(number, VendorNo="S\ud800"), "VendorNo", "S\\ud800"),
    "a missing field": Bad(lambda number: without(number, "VendorNo"), "VendorNo"),
    "an empty field": Bad(lambda number: header(number, VendorNo="  "), "VendorNo", "  "),
    "no currency": Bad(lambda number: header(number, CurrencyCode="euros"), "CurrencyCode", "euros"),
    "an unknown state": Bad(lambda number: header(number, Objstate="Marvellous"), "Objstate", "Marvellous"),
}


def spoil(site: Site, number: int, bad: Bad) -> None:
    table = "PurchaseOrderLineSet" if bad.is_line else "PurchaseOrderSet"
    key = f"LINE_NO=1^ORDER_NO={number}^RELEASE_NO=1^" if bad.is_line else f"ORDER_NO={number}^"
    site.put_raw(table, key, bad.body(number))


def mend(site: Site, number: int) -> None:
    site.put_raw("PurchaseOrderLineSet", f"LINE_NO=1^ORDER_NO={number}^RELEASE_NO=1^", "")


def map_all(ledger: Ledger, client: redis.Redis) -> None:
    Stage(ledger, client).run(*(row[0] for row in ledger.rows("select id from entry where state = 'detected'")))


@pytest.mark.parametrize("arrive", ["at first", "later"])
def test_bad_rows_are_held_by_field_and_value_and_their_neighbours_go_on(
    ledger: Ledger, client: redis.Redis, site: Site, arrive: str
) -> None:
    site.seed_orders(16)
    process = site.process()
    spoilt = {f"{1002 + place}": bad for place, bad in enumerate(CASES.values())}
    if arrive == "later":
        process.pull()
        for key in spoilt:
            site.change(int(key), NoteText="moved")
    for key, bad in spoilt.items():
        spoil(site, int(key), bad)
    process.pull()
    map_all(ledger, client)
    states: dict[str, str] = dict(ledger.rows("select key, state from entry where state <> 'superseded'"))
    assert states == {f"{1000 + n}": "held" if f"{1000 + n}" in spoilt else "mapped" for n in range(16)}
    told = ledger.rows("select e.key, f.code, f.field, f.value from finding f join entry e on e.id = f.entry_id")
    for key, code, field, value in told:
        bad = spoilt[key]
        assert code == "source.invalid"
        assert field == (f"lines[{key}/1/1].{bad.field}" if bad.is_line else bad.field)
        assert value == bad.value or not bad.value
    assert {row[0] for row in told} == set(spoilt)


def test_a_bad_row_that_stays_as_it_is_is_held_once(ledger: Ledger, site: Site) -> None:
    site.seed_orders(6)
    spoil(site, 1003, CASES["NaN"])
    process = site.process()
    assert process.pull().changed == 6
    assert process.pull().changed == 0
    assert process.pull(sweep=True).changed == 0
    assert one(ledger, "select count(*) from entry") == 6


def test_a_bad_row_that_is_mended_is_the_next_version(ledger: Ledger, client: redis.Redis, site: Site) -> None:
    site.seed_orders(6)
    spoil(site, 1003, CASES["NaN"])
    process = site.process()
    process.pull()
    map_all(ledger, client)
    mend(site, 1003)
    site.change_line(1003, BuyUnitPrice=2)
    assert process.pull().changed == 1
    assert [row[0] for row in ledger.rows("select state from entry where key = '1003' order by version")] == [
        "superseded",
        "detected",
    ]


def test_a_row_without_its_key_is_held_under_a_name_of_its_own(ledger: Ledger, client: redis.Redis, site: Site) -> None:
    site.seed_orders(6)
    site.put_raw("PurchaseOrderSet", "ORDER_NO=1003^", without(1003, "OrderNo"))
    site.process().pull()
    map_all(ledger, client)
    keys: dict[str, str] = dict(ledger.rows("select key, state from entry"))
    assert sorted(keys.values()) == ["held", *["mapped"] * 5]
    (held,) = [key for key, state in keys.items() if state == "held"]
    assert held.startswith("unreadable-")

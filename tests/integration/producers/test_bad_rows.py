"""A row that cannot be read is held, by field and value; its neighbours go on."""

import json

import pytest
import redis

from shared.ledger.connection import Ledger
from tests.contract.ifs_tenants import line, order
from tests.integration.ledger.samples import one
from tests.integration.producers.tenants import Site
from tests.integration.workers.stages import Stage


def header(**changes: object) -> str:
    return json.dumps({"@odata.etag": "x", **order(1003), **changes})


def without(name: str) -> str:
    return json.dumps({key: value for key, value in order(1003).items() if key != name})


def bad_line(value: str) -> str:
    return json.dumps(line(1003, 1, PreAccountingId=3, BuyUnitPrice="HERE")).replace('"HERE"', value)


HEADER, LINE = ("PurchaseOrderSet", "ORDER_NO=1003^"), ("PurchaseOrderLineSet", "LINE_NO=1^ORDER_NO=1003^RELEASE_NO=1^")
CASES = {
    "NaN": (LINE, bad_line("NaN"), "lines[1003/1/1].BuyUnitPrice", ""),
    "NaN in quotes": (LINE, bad_line('"NaN"'), "lines[1003/1/1].BuyUnitPrice", "NaN"),
    "infinity": (LINE, bad_line('"Infinity"'), "lines[1003/1/1].BuyUnitPrice", "Infinity"),
    "no number": (LINE, bad_line('"much"'), "lines[1003/1/1].BuyUnitPrice", "much"),
    "too large": (LINE, bad_line("1e400"), "lines[1003/1/1].BuyUnitPrice", ""),
    "NUL": (HEADER, header(VendorNo="S\x001"), "VendorNo", "S\\u00001"),
    "half a character": (HEADER, header(VendorNo="S\ud800"), "VendorNo", "S\\ud800"),
    "a missing field": (HEADER, without("VendorNo"), "VendorNo", ""),
    "an empty field": (HEADER, header(VendorNo="  "), "VendorNo", "  "),
    "a currency that is none": (HEADER, header(CurrencyCode="euros"), "CurrencyCode", "euros"),
    "an unknown state": (HEADER, header(Objstate="Marvellous"), "Objstate", "Marvellous"),
}


@pytest.mark.parametrize(
    ("name", "arrives"), [*((name, "at first") for name in CASES), ("NaN", "later"), ("NUL", "later")]
)
def test_a_bad_row_is_held_and_its_neighbours_go_on(
    ledger: Ledger, client: redis.Redis, site: Site, name: str, arrives: str
) -> None:
    (table, keyref), body, field, value = CASES[name]
    site.seed_orders(6)
    process = site.process()
    if arrives == "later":
        process.pull()
        site.change_line(1003, BuyQtyDue=8)
        site.change(1003, NoteText="moved")
    site.put_raw(table, keyref, body)
    process.pull()
    assert set(site.versions()) == {f"{1000 + number}" for number in range(6)}
    newest = ledger.rows("select id from entry where state = 'detected' order by id")
    Stage(ledger, client).run(*(row[0] for row in newest))
    states: dict[str, str] = dict(ledger.rows("select key, state from entry where state <> 'superseded'"))
    bad = states.pop("1003")
    assert bad == "held"
    assert set(states.values()) == {"mapped"}
    code, culprit, told = ledger.rows("select code, field, value from finding")[0]
    assert (code, culprit) == ("source.invalid", field)
    assert told == value or not value


def test_a_bad_row_that_stays_as_it_is_is_held_once(ledger: Ledger, site: Site) -> None:
    site.seed_orders(6)
    site.put_raw(*LINE, bad_line("NaN"))
    process = site.process()
    assert process.pull().changed == 6
    assert process.pull().changed == 0
    assert process.pull(sweep=True).changed == 0
    assert one(ledger, "select count(*) from entry") == 6


def test_a_bad_row_that_is_mended_is_the_next_version(ledger: Ledger, client: redis.Redis, site: Site) -> None:
    site.seed_orders(6)
    site.put_raw(*LINE, bad_line("NaN"))
    process = site.process()
    process.pull()
    stage = Stage(ledger, client)
    stage.run(*(row[0] for row in ledger.rows("select id from entry order by id")))
    site.put_raw(*LINE, "")
    site.change_line(1003, BuyUnitPrice=2)
    assert process.pull().changed == 1
    assert [row[0] for row in ledger.rows("select state from entry where key = '1003' order by version")] == [
        "superseded",
        "detected",
    ]


def test_a_row_without_its_key_is_held_under_a_name_of_its_own(ledger: Ledger, client: redis.Redis, site: Site) -> None:
    site.seed_orders(6)
    site.put_raw(*HEADER, without("OrderNo"))
    site.process().pull()
    stage = Stage(ledger, client)
    stage.run(*(row[0] for row in ledger.rows("select id from entry order by id")))
    keys: dict[str, str] = dict(ledger.rows("select key, state from entry"))
    assert sorted(keys.values()) == ["held", *["mapped"] * 5]
    (held,) = [key for key, state in keys.items() if state == "held"]
    assert held.startswith("unreadable-")

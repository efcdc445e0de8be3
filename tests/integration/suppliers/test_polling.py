"""The poll of one Cin7 account: everything once, then what was changed since, a little before it, and at night all."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from producers.brake import SMALL
from producers.poller import Pulled, Stream
from producers.streams import poller_of, streams_of
from tests.integration.suppliers.pair import Pair
from tests.integration.suppliers.test_creating import BALTIC


def stream_of(pair: Pair) -> Stream:
    (stream,) = [one for one in streams_of(pair.parts) if one.flow.name == "cin7_suppliers"]
    return stream


def pull(pair: Pair, *, sweep: bool = False, force: bool = True) -> Pulled:
    pulled = poller_of(pair.parts).turn(stream_of(pair), sweep=sweep, force=force)
    assert pulled is not None
    return pulled


def asked(pair: Pair) -> list[dict[str, list[str]]]:
    """Return what the polls asked Cin7's list of suppliers for, and forget it."""
    found = [parse_qs(urlsplit(path).query) for method, path in pair.calls.seen if method == "GET" and "Page=" in path]
    pair.calls.seen.clear()
    return [query for query in found if "Name" not in query]


def add(pair: Pair, number: int) -> dict[str, Any]:
    return pair.edit_cin7(**{**BALTIC, "Name": f"Vendor {number}", "AdditionalAttribute1": "", "TaxNumber": ""})


def records(pair: Pair) -> dict[str, int]:
    rows = pair.rows("select skipped, count(*) from record where flow = 'cin7_suppliers' group by 1")
    return {str(row[0]): row[1] for row in rows}


def test_a_large_account_is_read_in_pages_of_a_thousand_and_only_counted_at_first(pair: Pair) -> None:
    for number in range(1_005):
        add(pair, number)
    asked(pair)
    pulled = pull(pair)
    assert (pulled.pages, pulled.rows, pulled.changed, pulled.skipped) == (2, 1_005, 0, 1_005)
    assert [(query["Page"], query["Limit"], query["IncludeDeprecated"]) for query in asked(pair)] == [
        (["1"], ["1000"], ["true"]),
        (["2"], ["1000"], ["true"]),
    ]
    assert records(pair) == {"there before the first look, and linked to nothing": 1_005}
    pulled = pull(pair)
    assert (pulled.pages, pulled.changed) == (1, 0)


def test_the_next_read_begins_before_the_newest_stamp_that_cin7_showed_never_at_our_own_time(pair: Pair) -> None:
    pair.quiet()
    pair.cin7._cloud.clock.offset_s -= 400_000_000  # Cin7's clock is more than twelve years behind ours.
    newest = pair.edit_cin7(ID=pair.in_cin7(AdditionalAttribute1="S1")["ID"], Name="Acme")["LastModifiedOn"]
    pair.run("delete from watermark where stream = 'cin7_suppliers/main'")
    pull(pair)
    asked(pair)
    pull(pair)
    (query,) = asked(pair)
    assert query["ModifiedSince"][0][:4] == newest[:4] < "2020"
    assert query["ModifiedSince"][0] < newest[:19]


def test_a_supplier_that_did_not_change_costs_no_entry(pair: Pair) -> None:
    pair.quiet()
    before = pair.rows("select count(*) from entry")
    for _ in range(3):
        assert pull(pair).changed == 0
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    pair.edit_cin7(ID=supplier["ID"], Comments="only for Cin7", Discount=3)
    pulled = pull(pair)
    assert (pulled.rows, pulled.changed) == (1, 0), "what is not shared is no news"
    assert pair.rows("select count(*) from entry") == before


def test_an_edit_that_becomes_visible_late_is_found_by_the_look_back(pair: Pair) -> None:
    pair.quiet()
    stamp = pair.rows("select position from watermark where stream = 'cin7_suppliers/main'")
    late = pair.edit_cin7(**{**BALTIC, "Name": "Late", "AdditionalAttribute1": "L1"})
    pair.edit_cin7(ID=pair.in_cin7(AdditionalAttribute1="S1")["ID"], Name="Earlier seen")
    company = next(iter(pair.cin7._cloud.companies.values()))
    hidden = company.suppliers.by_id.pop(late["ID"])
    assert pull(pair).changed == 1
    assert pair.rows("select position from watermark where stream = 'cin7_suppliers/main'") > stamp
    company.suppliers.by_id[late["ID"]] = hidden
    assert pull(pair).changed == 1


def test_a_deprecated_supplier_is_seen_though_default_lists_hide_it(pair: Pair) -> None:
    pair.quiet()
    pair.edit_cin7(ID=pair.in_cin7(AdditionalAttribute1="S1")["ID"], Status="Deprecated")
    assert pull(pair).changed == 1


def test_at_night_everything_is_read_and_what_the_stamps_hid_is_found(pair: Pair) -> None:
    pair.quiet()
    company = next(iter(pair.cin7._cloud.companies.values()))
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    pair.pass_time(3_600)
    add(pair, 1)
    assert pull(pair).changed == 1
    company.suppliers.by_id[supplier["ID"]].fields["Name"] = "Changed without a stamp"
    assert pull(pair).changed == 0
    pair.run("update watermark set swept_at = now() - interval '2 days' where stream = 'cin7_suppliers/main'")
    pulled = pull(pair)
    assert (pulled.strategy, pulled.changed, pulled.skipped) == ("sweep", 1, 0)
    assert pull(pair).strategy == "modified"


def test_a_full_read_does_not_make_light_of_what_was_news_before(pair: Pair) -> None:
    pair.quiet()
    new = add(pair, 1)
    pair.quiet()
    (held,) = pair.held()
    pulled = pull(pair, sweep=True)
    assert (pulled.changed, pulled.skipped) == (0, 0)
    assert pair.held() == [held]
    pair.edit_cin7(ID=new["ID"], Name="Renamed")
    add(pair, 2)
    assert pull(pair, sweep=True).changed == 2


def test_what_is_gone_from_cin7_is_reported_but_not_if_nearly_all_is_gone(pair: Pair) -> None:
    pair.quiet()
    made = [add(pair, number)["ID"] for number in range(SMALL)]
    pair.quiet()
    company = next(iter(pair.cin7._cloud.companies.values()))
    gone = {one: company.suppliers.by_id.pop(one) for one in made[1:]}
    pulled = pull(pair, sweep=True)
    assert (pulled.outcome, "[cin7.main]" in pulled.error) == ("stopped", True)
    assert pair.rows("select count(*) from record where vanished_at is not null") == [(0,)]
    company.suppliers.by_id.update({one: gone[one] for one in made[1:-1]})
    pulled = pull(pair, sweep=True)
    assert (pulled.outcome, pulled.error) == (
        "done", f"1 records are not in Cin7 account main any more: main/{made[-1]}",
    )  # fmt: skip


@pytest.mark.parametrize(
    "spoiled",
    [b'"Name":12,', b'"Name":"\\ud800",', b'"Contacts":{},', b'"LastModifiedOn":"soon",', b'"Currency":null,'],
)
def test_one_supplier_that_makes_no_sense_holds_nobody_up(pair: Pair, spoiled: bytes) -> None:
    pair.quiet()
    supplier = pair.in_cin7(AdditionalAttribute1="S1")
    other = add(pair, 1)
    pair.edit_cin7(ID=supplier["ID"], Name="Acme Holdings")

    done: list[bytes] = []

    def spoil(body: bytes) -> bytes:
        before, found, after = body.partition(f'"ID":"{other["ID"]}",'.encode())
        done.extend([spoiled] if found else [])
        name = spoiled.partition(b":")[0] + b":"
        return before + found + spoiled + after.replace(name, name[:-2] + b'X":', 1) if found else body

    pair.calls.spoil = spoil
    assert pull(pair).outcome == "done"
    assert done == [spoiled]
    pair.calls.spoil = bytes
    pair.work()
    assert pair.in_ifs("SupplierInfoGeneralSet", SupplierId="S1")[0]["Name"] == "Acme Holdings"


def test_a_second_process_does_not_poll_what_is_polled(pair: Pair) -> None:
    pair.quiet()
    stream = stream_of(pair)
    assert poller_of(pair.parts).turn(stream) is None, "not due"
    pair.run("update watermark set due_at = now() - interval '1 s'")
    assert pull(pair, force=False).outcome == "done"
    pair.run("update lease set holder = 'other', until = now() + interval '1 min'")
    pair.run("update watermark set due_at = now() - interval '1 s'")
    assert poller_of(pair.parts).turn(stream) is None, "led by another"

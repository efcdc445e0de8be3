"""A supplier as Cin7's list shows it: kept byte for byte, read or refused, and marked by what both sides hold."""

import json
from typing import Any

import msgspec
import pytest

from shared.cin7 import supplier_documents
from shared.cin7.exact import exact_rows
from shared.cin7.reading import document_of, identifier, look_back
from shared.cin7.supplier_documents import SupplierOfCin7, decode, mark
from shared.findings import Finding
from shared.http import Answer
from shared.rows import Row, read_row
from tests.unit.cin7.test_answers import ID, SUPPLIER


def row(**changes: Any) -> Row:  # noqa: ANN401 - JSON of any shape
    return read_row(json.dumps(SUPPLIER | changes).encode())


def read(**changes: Any) -> SupplierOfCin7:  # noqa: ANN401 - as above
    found = decode(document_of("main", row(**changes)).raw)
    assert isinstance(found, SupplierOfCin7), found
    return found


def marked(**changes: Any) -> str:  # noqa: ANN401 - as above
    return mark(read(**changes).supplier, 1)


def listing(*rows: bytes, total: object = 7) -> Answer:
    body = b'{"Total":%s,"Page":1,"SupplierList":[%s]}' % (json.dumps(total).encode(), b",".join(rows))
    return Answer(200, {"content-type": "application/json"}, body)


def test_a_row_is_kept_byte_for_byte() -> None:
    raw = b'{ "ID" : "A" , "Discount":2.50 }'
    total, (found,) = exact_rows(listing(raw), "SupplierList")
    assert (total, found.raw) == (7, raw)


def test_a_row_that_is_no_json_takes_no_other_along() -> None:
    good = json.dumps(SUPPLIER).encode()
    _, found = exact_rows(listing(good, b'{"ID":"B","Name":"\xff"}', good), "SupplierList")
    assert len(found) == 3
    assert [identifier(one) for one in (found[0], found[2])] == [ID.lower()] * 2


def test_a_document_holds_its_account_and_the_row_as_it_came() -> None:
    document = document_of("main", row())
    assert document.key == f"main/{ID.lower()}"
    assert document.raw == b'{"account":"main","supplier":' + row().raw + b"}"
    assert document.stamp == "2026-03-14T08:01:02.39Z"
    assert document_of("main", row(LastModifiedOn="soon")).stamp == ""


def test_a_row_without_an_id_is_kept_under_a_name_of_its_own() -> None:
    one, other = document_of("main", row(ID=None)), document_of("main", row(ID=7, Name="B"))
    assert one.key.startswith("main/unreadable-")
    assert one.key != other.key
    found = decode(one.raw)
    assert isinstance(found, list)
    assert [finding.field for finding in found] == ["ID"]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"account":"main","supplier":{"ID":"A","Name":"\xff"}}', "name"),
        (b'{"account":"main","supplier":[]}', "ID"),
        (document_of("main", row(Name="A\0B")).raw, "name"),
        (document_of("main", row(Contacts=[{"ID": "c", "Name": "\ud800"}])).raw, "Contact name"),
        (document_of("main", row(Contacts={"ID": "c"})).raw, "Contacts"),
    ],
)
def test_what_cannot_be_used_is_invalid_and_says_where(raw: bytes, field: str) -> None:
    found = decode(raw)
    assert isinstance(found, list), found
    assert {type(one) for one in found} == {Finding}
    assert [(one.code, one.field) for one in found] == [("source.invalid", field)]


@pytest.mark.parametrize(
    "changes",
    [
        {"Comments": "call first"},
        {"Discount": 5},
        {"LastModifiedOn": "2026-03-15T00:00:00Z"},
        {"AccountPayable": "002"},
        {"AttributeSet": "ERP"},
        {"AdditionalAttribute2": "ours"},
        {"Unheard": {"of": [1]}},
        {"Name": " Acme Fasteners Ltd "},
        {"Status": "ACTIVE"},
    ],
)
def test_what_only_cin7_holds_is_no_news(changes: dict[str, Any]) -> None:
    assert marked(**changes) == marked()


@pytest.mark.parametrize(
    "changes",
    [
        {"Name": "Acme"},
        {"Status": "Deprecated"},
        {"PaymentTerm": "60 days"},
        {"TaxNumber": "X"},
        {"AdditionalAttribute1": "IFS-1"},
        {"Contacts": [SUPPLIER["Contacts"][0] | {"Phone": "1"}]},
        {"Addresses": []},
    ],
)
def test_what_both_sides_hold_is(changes: dict[str, Any]) -> None:
    assert marked(**changes) != marked()


def test_the_order_of_entries_is_no_news() -> None:
    one, other = {"ID": "c1", "Name": "A"}, {"ID": "c2", "Name": "B"}
    assert marked(Contacts=[one, other]) == marked(Contacts=[other, one])


def test_blanks_around_texts_mean_nothing() -> None:
    entry = SUPPLIER["Contacts"][0] | {"Phone": " 1 "}
    tidied = supplier_documents.tidy(read(TaxNumber=" X ", Contacts=[entry]).supplier)
    assert (tidied.tax_number, tidied.contacts[0].phone) == ("X", "1")
    assert tidied == supplier_documents.tidy(tidied)


@pytest.mark.parametrize(
    ("stamp", "since"),
    [
        ("2026-03-14T08:01:02.39Z", "2026-03-14T07:56:02.000"),
        ("2026-03-14T08:01:02", "2026-03-14T07:56:02.000"),
        ("soon", "1969-12-31T23:55:00.000"),
    ],
)
def test_the_look_back_is_in_the_form_that_cin7_takes(stamp: str, since: str) -> None:
    assert look_back(stamp, 300) == since


def test_two_accounts_never_share_a_key() -> None:
    assert document_of("a", row()).key != document_of("b", row()).key
    assert msgspec.json.decode(document_of('q"', row()).raw)["account"] == 'q"'

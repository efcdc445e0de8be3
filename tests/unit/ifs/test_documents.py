from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.settings import SetSettings, StreamSettings
from shared.findings import CODES, Finding
from shared.fingerprints import fingerprint
from shared.ifs.documents import decode
from shared.ifs.records.purchase_orders import SOURCE, OrderDocument
from shared.ifs.sources import Bound, compose
from shared.rows import read_row

PLAIN = SOURCE.bound(StreamSettings())
HEADER: dict[str, object] = {
    "OrderNo": "1001",
    "VendorNo": "S1",
    "Company": "10",
    "CurrencyCode": "EUR",
    "Objstate": "Released",
}
LINE: dict[str, object] = {
    "OrderNo": "1001",
    "LineNo": "1",
    "ReleaseNo": "1",
    "BuyQtyDue": 250,
    "BuyUnitPrice": Decimal("0.184"),
}
ENCODER = msgspec.json.Encoder(decimal_format="number")


def raw(header: dict[str, object], *lines: dict[str, object]) -> bytes:
    rows = [read_row(ENCODER.encode(row)) for row in lines]
    return compose(read_row(ENCODER.encode(header)), {"lines": rows, "code_parts": []})


def document(body: bytes, bound: Bound = PLAIN) -> OrderDocument:
    read = decode(bound, body)
    assert isinstance(read, OrderDocument), read
    return read


def findings(body: bytes) -> list[Finding]:
    read = decode(PLAIN, body)
    assert isinstance(read, list), read
    assert {finding.code for finding in read} == {"source.invalid"} <= CODES
    return read


def test_lines_come_in_the_order_of_their_numbers_whatever_the_order_of_the_rows() -> None:
    lines = [
        LINE | {"LineNo": no, "ReleaseNo": release}
        for no, release in (("10", "1"), ("2", "10"), ("2", "9"), ("1", "1"))
    ]
    one, other = document(raw(HEADER, *lines)), document(raw(HEADER, *reversed(lines)))
    assert [(row.line_no, row.release_no) for row in one.lines] == [("1", "1"), ("2", "9"), ("2", "10"), ("10", "1")]
    assert fingerprint(one) == fingerprint(other)


def test_amounts_are_exact_as_numbers_and_as_texts() -> None:
    lines = [LINE | {"BuyUnitPrice": Decimal("0.1840000001")}, LINE | {"LineNo": "2", "BuyUnitPrice": "0.1840000001"}]
    assert {row.buy_unit_price for row in document(raw(HEADER, *lines)).lines} == {Decimal("0.1840000001")}


def test_whole_numbers_may_come_as_texts() -> None:
    assert document(raw(HEADER | {"PreAccountingId": "77"})).header.pre_accounting_id == 77


def test_an_empty_text_for_an_optional_number_is_none() -> None:
    assert document(raw(HEADER, LINE | {"Discount": "", "PreAccountingId": ""})).lines[0].discount is None


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"BuyQtyDue": None}, "lines[1/1].BuyQtyDue", ""),
        ({"BuyQtyDue": "NaN"}, "lines[1/1].BuyQtyDue", "NaN"),
        ({"BuyQtyDue": "-Infinity"}, "lines[1/1].BuyQtyDue", "-Infinity"),
        ({"BuyQtyDue": "1e999"}, "lines[1/1].BuyQtyDue", "1e999"),
        ({"BuyQtyDue": "many"}, "lines[1/1].BuyQtyDue", "many"),
        ({"BuyQtyDue": ""}, "lines[1/1].BuyQtyDue", ""),
        ({"BuyQtyDue": True}, "lines[1/1].BuyQtyDue", "True"),
        ({"Description": 5}, "lines[1/1].Description", "5"),
        ({"Description": "a\0b"}, "lines[1/1].Description", "a\\u0000b"),
        ({"CurrencyCode": "eur"}, "lines[1/1].CurrencyCode", "eur"),
        ({"PreAccountingId": "5.5"}, "lines[1/1].PreAccountingId", "5.5"),
    ],
)
def test_a_value_that_cannot_be_used_names_line_field_and_value(
    change: dict[str, object], field: str, value: str
) -> None:
    (finding,) = findings(raw(HEADER, LINE, LINE | {"LineNo": "1"} | change))
    assert (finding.field.replace("[1001/", "["), finding.value, finding.company) == (field, value, "")


def test_every_culprit_is_named_at_once() -> None:
    header = HEADER | {"VendorNo": " ", "CurrencyCode": "Euro", "UsePriceInclTax": "perhaps"}
    lines = [LINE | {"BuyUnitPrice": "NaN"}, LINE | {"LineNo": "2", "BuyQtyDue": None, "BuyUnitPrice": "x"}]
    found = findings(raw(header, *lines))
    assert [finding.field for finding in found] == [
        "VendorNo",
        "CurrencyCode",
        "UsePriceInclTax",
        "lines[1001/1/1].BuyUnitPrice",
        "lines[1001/2/1].BuyQtyDue",
        "lines[1001/2/1].BuyUnitPrice",
    ]
    assert found[0].company == "10"
    assert all(finding.remedy and finding.message.endswith(".") for finding in found)


def test_bytes_that_are_no_text_are_named_with_their_field() -> None:
    header = b'{"OrderNo":"1001","VendorNo":"S\xff","CurrencyCode":"EUR","Objstate":"Released"}'
    body = compose(read_row(header), {"lines": [], "code_parts": []})
    msgspec.json.decode(body)
    (finding,) = findings(body)
    assert (finding.field, finding.value) == ("VendorNo", "S\\udcff")


def test_an_unused_property_that_is_broken_does_not_hold_the_order() -> None:
    header = b'{"OrderNo":"1001","VendorNo":"S1","CurrencyCode":"EUR","Objstate":"Released","Memo":"\\ud800"}'
    assert document(compose(read_row(header), {"lines": [], "code_parts": []})).header.order_no == "1001"


def test_a_tenants_own_names_change_nothing_in_the_document() -> None:
    stream = StreamSettings(
        fields={"vendor_no": "Cf_Vendor", "CurrencyCode": "Cf_Currency"},
        sets={"lines": SetSettings(fields={"buy_qty_due": "Cf_Qty"})},
    )
    header = {name: value for name, value in HEADER.items() if name not in {"VendorNo", "CurrencyCode"}}
    line = {name: value for name, value in LINE.items() if name != "BuyQtyDue"}
    own = raw(header | {"Cf_Vendor": "S1", "Cf_Currency": "EUR"}, line | {"Cf_Qty": 250})
    assert document(own, SOURCE.bound(stream)) == document(raw(HEADER, LINE))


def test_the_key_and_the_date_follow_the_tenants_names() -> None:
    bound = SOURCE.bound(StreamSettings(fields={"order_no": "No", "order_date": "Day"}))
    assert bound.key({"No": "A/1"}) == "A/1"
    assert bound.date({"Day": "2026-02-27T00:00:00Z"}) == "2026-02-27"
    assert bound.asks_for("A/1'") == "No eq 'A/1'''"
    assert bound.identity(read_row(b'{"No":null}')).startswith("unreadable-")


VALUE = st.none() | st.booleans() | st.integers() | st.decimals() | st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.dictionaries(st.sampled_from([*HEADER, "UsePriceInclTax", "PreAccountingId", "OrderDate"]), VALUE),
    st.lists(st.dictionaries(st.sampled_from([*LINE, "Discount", "PartNo", "CurrencyCode"]), VALUE), max_size=3),
)
def test_any_row_gives_a_document_or_findings(header: dict[str, object], lines: list[dict[str, object]]) -> None:
    plain = msgspec.json.Encoder()
    rows = [read_row(plain.encode(LINE | line)) for line in lines]
    read = decode(PLAIN, compose(read_row(plain.encode(HEADER | header)), {"lines": rows, "code_parts": []}))
    assert isinstance(read, OrderDocument) or (read and all(isinstance(finding, Finding) for finding in read))

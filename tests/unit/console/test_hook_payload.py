"""What is taken from the body of a webhook: its type and the ids of suppliers, however they are nested."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.hooks.payload import IDS_MAX, Named, named_in

A = "592e5eff-3c92-4a12-a275-67de1fda66ef"
B = "118681b4-3f01-4375-af3e-7ea73a09bb27"
CONTACT = {"ID": "00000001-3f01-4375-af3e-7ea73a09bb27", "SupplierID": A, "Name": "Jo"}
OTHERS = ["Purchase/Updated", "Purchase/OrderAuthorised", "Customer/Updated", "Sale/Created", "Supplier/Deleted", ""]


def body(**parts: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    return json.dumps({"EventType": "Supplier/Updated", **parts}).encode()


@pytest.mark.parametrize(
    "parts",
    [
        {"NumberOfSuppliers": 1, "SupplierDetailsList": [{"Supplier": {"ID": A}, "Contacts": [CONTACT]}]},
        {"SupplierDetailsList": [{"ID": A, "Name": "Acme"}]},
        {"SupplierDetailsList": [{"SupplierID": A, "Supplier": "Acme"}]},
        {"SupplierList": [{"ID": A, "Addresses": [{"ID": B, "SupplierID": A}]}]},
        {"Supplier": {"ID": A}},
        {"SupplierID": A},
        {"ID": A},
        {"SupplierDetailsList": [None, 5, "x", [], {"Supplier": None}, {"Supplier": {"ID": f" {A.upper()} "}}]},
    ],
)
def test_the_suppliers_id_is_found_whatever_the_nesting(parts: dict[str, Any]) -> None:
    assert named_in(body(**parts)) == Named("news", (A,))


def test_several_suppliers_are_named_once_each_up_to_a_limit() -> None:
    entries = [{"Supplier": {"ID": one}} for one in (A, B, A.upper())]
    assert named_in(body(SupplierDetailsList=entries)).ids == (A, B)
    many = [{"ID": f"{number:08d}-3f01-4375-af3e-7ea73a09bb27"} for number in range(1, 2 * IDS_MAX)]
    assert len(named_in(body(SupplierDetailsList=many)).ids) == IDS_MAX


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "00000000-0000-0000-0000-000000000000", A[:-1], f"{A}0", f"{{{A}}}", f"{A}' or 1=1", 5, None, [A], {}],
)
def test_what_is_no_id_is_left_out(wrong: object) -> None:
    assert named_in(body(SupplierDetailsList=[{"Supplier": {"ID": wrong}}])) == Named("news", ())


@pytest.mark.parametrize("kind", [*OTHERS, None, 5, ["Supplier/Updated"]])
def test_of_another_type_nothing_is_taken(kind: object) -> None:
    assert named_in(json.dumps({"EventType": kind, "ID": A, "SupplierID": A}).encode()) == Named("other")


@pytest.mark.parametrize("raw", [b"[]", b'[{"TaskID": 1}]', b"null", b"5", b'"x"', b"{}"])
def test_a_body_without_a_type_is_no_error(raw: bytes) -> None:
    assert named_in(raw) == Named("other")


@pytest.mark.parametrize("raw", [b"", b"{", b'{"EventType": ', b"\xff\xfe{\x00}\x00", b"[" * 100_000, b"{}x", b"a=b"])
def test_what_is_no_json_is_nonsense(raw: bytes) -> None:
    assert named_in(raw) == Named("nonsense")


def test_half_a_character_or_bytes_that_are_no_text_in_a_name_do_not_hide_the_id() -> None:
    for name in (rb"\ud800", rb"\udfff\ud800", rb"\\\ud800 \\", b"\xff\xfe", rb"\ud83d\ude00"):
        raw = b'\xef\xbb\xbf{"Name":"' + name + b'","EventType":"Supplier/Updated","ID":"' + A.encode() + b'"}'
        assert named_in(raw) == Named("news", (A,)), name


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([A, B]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["Supplier", "ID", "SupplierID", "Contacts", "EventType"]), inner)
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(["EventType", "SupplierDetailsList", "SupplierList", "Supplier", "ID", "SupplierID", "Name"])


@given(st.dictionaries(KEYS, VALUES))
def test_any_document_is_understood_or_passed_over(document: dict[str, Any]) -> None:
    named = named_in(json.dumps({"EventType": "Supplier/Updated"} | document).encode())
    assert named.kind in {"news", "other", "nonsense"}
    assert set(named.ids) <= {A, B}


@given(st.binary(max_size=200))
def test_any_bytes_are_passed_over(raw: bytes) -> None:
    assert named_in(raw).ids == ()

"""The $filter grammar: what it takes, what it refuses, and that fast paths change nothing."""

from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.ifs.catalogue import TYPES
from sandbox.ifs.filters import FilterRefused, Scope, parsed
from sandbox.ifs.predicates import bounds, pins, predicate

ORDERS = Scope("PurchaseOrderSet", "IfsApp.PurchaseOrderHandling")
LINES = Scope("PurchaseOrderLineSet", "IfsApp.PurchaseOrderLineEntity")
STATE = "IfsApp.PurchaseOrderHandling.PurchaseOrderState"


def row(table: str, **values: object) -> tuple[object, ...]:
    return tuple(values.get(name) for name in TYPES[table].names)


ORDER = row(
    "PurchaseOrderSet",
    OrderNo="O'B/1",
    Company="10",
    ChangeDate="2025-05-01T10:15:30Z",
    PreAccountingId=7,
    UsePriceInclTax=False,
    Objstate="Released",
)
LINE = row("PurchaseOrderLineSet", OrderNo="1", BuyQtyDue=Decimal("2.5"), BuyUnitPrice=3, PartNo=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OrderNo eq 'O''B/1'", True),
        ("OrderNo ne 'O''B/1'", False),
        ("Company eq '10' and OrderNo gt 'A'", True),
        ("Company eq '20' or PreAccountingId eq 7", True),
        ("Company eq '20' or Company eq '10' and OrderNo eq 'x'", False),
        ("(Company eq '20' or Company eq '10') and PreAccountingId ge 7", True),
        ("not (Company eq '10')", False),
        ("not startswith(OrderNo,'X') and endswith(OrderNo,'1')", True),
        ("contains(OrderNo,'''B')", True),
        ("toupper(concat(Company,'a')) eq '10A'", True),
        ("length(OrderNo) eq 5 and indexof(OrderNo,'/') eq 3", True),
        ("substring(OrderNo,2) eq 'B/1' and substring(OrderNo,0,1) eq 'O'", True),
        ("PreAccountingId add 3 mul 2 eq 13", True),
        ("(PreAccountingId + 3) * 2 eq 20", True),
        ("PreAccountingId sub 10 eq -3", True),
        ("VendorNo eq null", True),
        ("VendorNo ne null", False),
        ("VendorNo gt 'A'", False),
        ("UsePriceInclTax eq false", True),
        ("ChangeDate ge 2025-05-01T10:15:30Z", True),
        ("ChangeDate gt 2025-05-01T10:15:30Z", False),
        ("ChangeDate gt 2025-05-01T10:15:29.999Z", True),
        ("ChangeDate ge 2025-05-01T10:15:30.001Z", False),
        ("ChangeDate eq 2025-05-01T12:15:30+02:00", True),
        ("year(ChangeDate) eq 2025 and second(ChangeDate) eq 30", True),
        (f"Objstate eq {STATE}'Released'", True),
        ("cast(PreAccountingId,Edm.String) eq '7'", True),
    ],
)
def test_a_filter_says_of_an_order(text: str, expected: bool) -> None:
    assert predicate(text, ORDERS)(ORDER) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BuyQtyDue eq 2.5", True),
        ("BuyQtyDue gt 2 and BuyQtyDue lt 2.50001", True),
        ("BuyQtyDue mul BuyUnitPrice eq 7.50", True),
        ("BuyUnitPrice div 2 eq 1.5", True),
        ("BuyUnitPrice div 0 eq 1", False),
        ("PartNo eq null", True),
    ],
)
def test_amounts_in_a_filter_are_exact(text: str, expected: bool) -> None:
    assert predicate(text, LINES)(LINE) is expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "ODP_UNSUPPORTED_URL"),
        ("OrderNo", "ODP_UNSUPPORTED_URL"),
        ("OrderNo eq", "ODP_UNSUPPORTED_URL"),
        ("OrderNo eq 'x", "ODP_UNSUPPORTED_URL"),
        ("OrderNo eq 'x' and", "ODP_UNSUPPORTED_URL"),
        ("(OrderNo eq 'x'", "ODP_UNSUPPORTED_URL"),
        ("OrderNo eq 'x')", "ODP_UNSUPPORTED_URL"),
        ("OrderNo+eq+'x'", "EXPRESSION_PROPERTY_NOT_IN_TYPE"),
        ("OrderNo eq 5", "ODP_UNSUPPORTED_URL"),
        ("PreAccountingId eq '5'", "ODP_UNSUPPORTED_URL"),
        ("ChangeDate ge '2025-05-01'", "ODP_UNSUPPORTED_URL"),
        ("ChangeDate ge 2025-05-01", "ODP_UNSUPPORTED_URL"),
        ("ChangeDate ge 2025-13-41T00:00:00Z", "ODP_UNSUPPORTED_URL"),
        ("ChangeDate ge datetime'2025-05-01T00:00:00'", "ODP_UNSUPPORTED_URL"),
        ("OrderNo in ('1','2')", "ODP_UNSUPPORTED_URL"),
        ("OrderNo has 'x'", "ODP_UNSUPPORTED_URL"),
        ("PreAccountingId mod 2 eq 1", "ODP_UNSUPPORTED_URL"),
        ("round(PreAccountingId) eq 1", "ODP_UNSUPPORTED_URL"),
        ("Lines/any(l:l/PartNo eq 'x')", "EXPRESSION_PROPERTY_NOT_IN_TYPE"),
        ("Objstate eq 'Released'", "ODP_UNSUPPORTED_URL"),
        ("Objstate eq IfsApp.Elsewhere.PurchaseOrderState'Released'", "ODP_UNSUPPORTED_URL"),
        (f"Objstate eq {STATE}'Frozen'", "ODP_UNSUPPORTED_URL"),
        ("Modified gt 2025-05-01T00:00:00Z", "EXPRESSION_PROPERTY_NOT_IN_TYPE"),
        ("orderno eq 'x'", "EXPRESSION_PROPERTY_NOT_IN_TYPE"),
        ("VendorNo gt null", "ODP_UNSUPPORTED_URL"),
        ("not OrderNo eq 'x'", "ODP_UNSUPPORTED_URL"),
        ("(" * 80 + "OrderNo eq 'x'" + ")" * 80, "ODP_UNSUPPORTED_URL"),
    ],
)
def test_a_filter_that_ifs_does_not_take_is_refused_with_its_code(text: str, code: str) -> None:
    with pytest.raises(FilterRefused) as refused:
        parsed(text, ORDERS)
    assert refused.value.code == code


def test_switched_off_names_are_refused() -> None:
    scope = Scope("PurchaseOrderSet", "IfsApp.PurchaseOrderHandling", refused=frozenset({"contains", "Objstate"}))
    for text in ("contains(OrderNo,'x')", f"Objstate eq {STATE}'Released'"):
        with pytest.raises(FilterRefused):
            parsed(text, scope)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
terms = st.one_of(
    st.tuples(st.sampled_from(["OrderNo", "Company"]), st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"]), texts),
)


#: (property, operator, value), ("and" or "or", trees) or ("not", tree).
Tree: TypeAlias = Any


def spelled(tree: Tree) -> str:
    if isinstance(tree[0], str) and tree[0] not in ("and", "or", "not"):
        name, operator, value = tree
        quoted = value.replace("'", "''")
        return f"{name} {operator} '{quoted}'"
    if tree[0] == "not":
        return f"not ({spelled(tree[1])})"
    return f" {tree[0]} ".join(f"({spelled(part)})" for part in tree[1])


def truth(tree: Tree, values: dict[str, str]) -> bool:
    if tree[0] == "not":
        return not truth(tree[1], values)
    if tree[0] in ("and", "or"):
        results = [truth(part, values) for part in tree[1]]
        return all(results) if tree[0] == "and" else any(results)
    name, operator, value = tree
    held = values[name]
    answers = {"eq": held == value, "ne": held != value, "gt": held > value, "ge": held >= value}
    return bool({**answers, "lt": held < value, "le": held <= value}[operator])


trees = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4)),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=12,
)


@given(tree=trees, order_no=texts, company=texts)
@settings(max_examples=300, deadline=None)
def test_any_combination_means_what_its_parts_mean(tree: Tree, order_no: str, company: str) -> None:
    values = row("PurchaseOrderSet", OrderNo=order_no, Company=company)
    assert predicate(spelled(tree), ORDERS)(values) is truth(tree, {"OrderNo": order_no, "Company": company})


@given(tree=trees, order_no=texts, company=texts)
@settings(max_examples=300, deadline=None)
def test_what_is_told_to_the_indexes_never_loses_a_matching_row(tree: Tree, order_no: str, company: str) -> None:
    values = {"OrderNo": order_no, "Company": company}
    node = parsed(spelled(tree), ORDERS)
    if not truth(tree, values):
        return
    for name, wanted in pins(node):
        assert values[name] in wanted
    for name, held in values.items():
        low, high = bounds(node, name)
        assert low is None or held >= low
        assert high is None or held <= high


@given(text=st.text(max_size=60))
@settings(max_examples=500, deadline=None)
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(FilterRefused):
        assert parsed(text, ORDERS).kind == "bool"

from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ifs import odata

ROOT = "https://acme.ifs.cloud/main/ifsapplications/projection/v1/SupplierHandling.svc"


def test_literals_are_quoted_as_their_kind_asks() -> None:
    values: list[odata.Value] = ["O'Brien", 42, Decimal("10.50"), Decimal("1E+2"), odata.Bare("2026-01-01T00:00:00Z")]
    assert [odata.literal(value) for value in values] == [
        "'O''Brien'",
        "42",
        "10.50",
        "100",
        "2026-01-01T00:00:00Z",
    ]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_value_cannot_leave_its_quotes_on_the_way_through_an_address(text: str) -> None:
    address = odata.url(ROOT, "Set", condition=odata.equals("Name", text), order="Name", top=5)
    options = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    assert options["$filter"] == "Name eq '" + text.replace("'", "''") + "'"
    assert " " not in address
    assert "+" not in address


def test_option_names_stay_raw_and_spaces_become_percent_20() -> None:
    assert odata.url(ROOT, "Set", condition="A eq 'x'", order="A,B", top=5) == (
        f"{ROOT}/Set?$filter=A%20eq%20'x'&$orderby=A,B&$top=5"
    )


def test_a_key_is_named_and_encoded() -> None:
    assert odata.predicate([("SupplierId", "S/1'&"), ("RowNo", 2)]) == "(SupplierId='S%2F1''%26',RowNo=2)"


def test_conditions_are_anded_in_parentheses() -> None:
    assert odata.both("a eq 1 or b eq 2", "", "c eq 3") == "(a eq 1 or b eq 2) and (c eq 3)"
    assert odata.both("", "c eq 3") == "c eq 3"


@pytest.mark.parametrize("inclusive", [True, False])
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=20),
    at=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
)
def test_past_a_position_means_what_comes_later_in_the_order(
    inclusive: bool, rows: list[tuple[int, int, int]], at: tuple[int, int, int]
) -> None:
    condition = odata.past(["a", "b", "c"], at, inclusive=inclusive)
    for name, sign in (("ge", ">="), ("gt", ">"), ("eq", "==")):
        condition = condition.replace(f" {name} ", f" {sign} ")
    meant = [row for row in rows if (row >= at if inclusive else row > at)]
    said = [row for row in rows if eval(condition, {}, dict(zip("abc", row, strict=True)))]  # noqa: S307 - our own text.
    assert said == meant


@given(st.lists(st.text(min_size=1, max_size=40), max_size=300), st.integers(200, 4000))
def test_alternatives_cover_all_and_keep_within_room_and_number(values: list[str], room: int) -> None:
    terms = [odata.equals("Id", value.encode(errors="replace").decode()) for value in values]
    filters = list(odata.alternatives(terms, room=room))
    assert sum(count for count, _ in filters) == len(terms)
    assert " or ".join(text for _, text in filters) == " or ".join(terms)
    assert all(count <= odata.ALTERNATIVES_MAX for count, _ in filters)
    assert all(len(odata.encoded(text)) <= room or count == 1 for count, text in filters)


@pytest.mark.parametrize(
    "link",
    [
        "SupplierInfoGeneralSet?$skiptoken=a%2Fb",
        "/main/ifsapplications/projection/v1/SupplierHandling.svc/SupplierInfoGeneralSet?$skiptoken=a%2Fb",
        f"{ROOT}/SupplierInfoGeneralSet?$skiptoken=a%2Fb",
    ],
)
def test_next_links_below_the_service_are_followed(link: str) -> None:
    assert odata.next_address(ROOT, link) == f"{ROOT}/SupplierInfoGeneralSet?$skiptoken=a%2Fb"


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/main/ifsapplications/projection/v1/SupplierHandling.svc/Set",
        "//evil.example/Set",
        "http://acme.ifs.cloud/main/ifsapplications/projection/v1/SupplierHandling.svc/Set",
        "https://acme.ifs.cloud:8443/main/ifsapplications/projection/v1/SupplierHandling.svc/Set",
        "https://me@acme.ifs.cloud/main/ifsapplications/projection/v1/SupplierHandling.svc/Set",
        "https://acme.ifs.cloud:99999/main/ifsapplications/projection/v1/SupplierHandling.svc/Set",
        "../Other.svc/Set",
        "%2e%2e/Other.svc/Set",
        "..%5cOther.svc/Set",
        "/main/ifsapplications/projection/v1/SupplierHandling.svcEvil/Set",
    ],
)
def test_next_links_that_lead_away_are_not(link: str) -> None:
    assert odata.next_address(ROOT, link) is None


def test_what_ifs_cannot_be_asked_for_is_known() -> None:
    assert odata.is_sendable("Ö'/\t")
    assert not odata.is_sendable("a\0")
    assert not odata.is_sendable("\ud800")
    assert unquote(odata.encoded("Ö'/\t")) == "Ö'/\t"


def test_a_member_of_an_enumeration_is_shown_with_its_type() -> None:
    member = odata.Enum("Supplier", "IfsApp.CommMethodEntity.PartyType")
    assert odata.predicate([("PartyType", member), ("Identity", "S1")]) == (
        "(PartyType=IfsApp.CommMethodEntity.PartyType'Supplier',Identity='S1')"
    )

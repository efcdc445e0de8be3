from collections.abc import Sequence
from itertools import groupby

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.settings import StreamSettings
from shared.ifs.documents import decode
from shared.ifs.grouping import Grouper, by_key, document_of
from shared.ifs.odata import encoded
from shared.ifs.records.journals import SOURCE, VoucherDocument
from shared.rows import Row, read_row

BOUND = SOURCE.bound(StreamSettings())


def row(number: int, row_no: int, **changes: object) -> Row:
    values: dict[str, object] = {
        "Company": "10",
        "AccountingYear": 2026,
        "VoucherType": "I",
        "VoucherNo": number,
        "RowNo": row_no,
        "VoucherDate": "2026-03-21",
        "Account": "4010",
        "DebetAmount": 1,
        **changes,
    }
    return read_row(msgspec.json.encode(values))


def cut(rows: Sequence[Row], cuts: Sequence[int]) -> list[Sequence[Row]]:
    """Return pages of those sizes, then all that is left."""
    places = [0, *(sum(cuts[: place + 1]) for place in range(len(cuts)))]
    return [rows[first:last] for first, last in zip(places, [*places[1:], len(rows)], strict=True)]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.lists(st.integers(1, 5), min_size=1, max_size=40))
def test_however_pages_are_cut_every_record_is_whole_and_told_from_those_that_were_cut(
    sizes: list[int], cuts: list[int]
) -> None:
    rows = [row(number, place) for number, size in enumerate(sizes, 1) for place in range(1, size + 1)]
    pages = cut(rows, cuts)
    grouper = Grouper(BOUND, 1)
    found = [group for place, page in enumerate(pages, 1) for group in grouper.add(page, last=place == len(pages))]
    whole = [tuple(group) for _, group in groupby(rows, lambda one: one.values["VoucherNo"])]
    assert [group.rows for group in found] == whole
    ends = {page[-1].raw for page in pages[:-1] if page}
    assert [group.torn for group in found] == [any(one.raw in ends for one in group) for group in whole]


def test_an_empty_set_has_no_records() -> None:
    assert Grouper(BOUND, 5).add((), last=True) == []


@pytest.mark.parametrize(("top", "torn"), [(3, False), (2, True)])
def test_a_short_page_with_nothing_behind_it_has_cut_nothing(top: int, torn: bool) -> None:
    grouper = Grouper(BOUND, top)
    assert grouper.add([row(7, 1), row(7, 2)], last=False) == []
    assert [group.torn for group in grouper.add((), last=True)] == [torn]


def test_a_record_is_its_rows_with_what_the_first_of_them_says() -> None:
    rows = [row(7, 2, Account="2440", DebetAmount=None, CreditAmount=1), row(7, 1), row(7, 10)]
    document = document_of(BOUND, rows)
    assert document.key == "10/2026/I/7"
    found = decode(BOUND, document.raw)
    assert isinstance(found, VoucherDocument)
    assert found.header.voucher_date == "2026-03-21"
    assert [one.row_no for one in found.rows] == [1, 2, 10]
    assert found.voucher.key == document.key


def test_a_row_without_a_key_is_a_record_that_cannot_be_read() -> None:
    document = document_of(BOUND, [row(7, 1, VoucherNo=None)])
    assert document.key.startswith("unreadable-")
    assert isinstance(decode(BOUND, document.raw), list)


def test_any_row_that_changes_comes_or_goes_makes_another_version() -> None:
    rows = [row(7, 1), row(7, 2)]
    others = ([row(7, 1), row(7, 2, Text="x")], rows[:1], [*rows, row(7, 3)])
    assert len({document_of(BOUND, some).header_tag for some in (rows, *others)}) == 4


def test_records_are_asked_for_by_key_of_one_company_each() -> None:
    keys = ["10/2026/I/7", "20/2026/I/7", "10/2026/I/9", "10/2025/M/7", "10/2026/I/7", "no key", "10/x/I/7"]
    of_year = "((Company eq '{}') and (AccountingYear eq {}) and (VoucherType eq '{}')) and ({})"
    assert list(by_key(BOUND, keys, room=2000)) == [
        of_year.format("10", 2026, "I", "VoucherNo eq 7 or VoucherNo eq 9"),
        of_year.format("20", 2026, "I", "VoucherNo eq 7"),
        of_year.format("10", 2025, "M", "VoucherNo eq 7"),
    ]


@given(st.lists(st.integers(1, 9_999_999), max_size=300), st.integers(400, 2500))
def test_a_condition_takes_no_more_room_than_there_is(numbers: list[int], room: int) -> None:
    conditions = list(by_key(BOUND, [f"10/2026/I/{number}" for number in numbers], room=room))
    assert all(len(encoded(one)) <= room for one in conditions)
    asked = {part for one in conditions for part in one.replace(")", "").split() if part.isdecimal()} - {"2026"}
    assert asked >= {str(number) for number in set(numbers)} - {"2026"}


@pytest.mark.parametrize("name", ["CompanyId", "Company"])
def test_the_tenants_names_are_used_throughout(name: str) -> None:
    bound = SOURCE.bound(StreamSettings(entity_set="Rows", fields={"company": name, "account": "Konto"}))
    (rows,) = bound.children
    assert (bound.header.entity_set, rows.entity_set) == ("Rows", "Rows")
    assert (bound.header.key[0], rows.properties["account"]) == (name, "Konto")

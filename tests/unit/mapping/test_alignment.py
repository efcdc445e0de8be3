"""Two charts compared: what differs, in the order in which it matters, and which accounts are left out."""

import datetime as dt

import msgspec
import pytest

from shared.config.rules import Reference, Rules
from shared.findings import Finding
from shared.ifs.records.accounts import Account
from tests.unit.mapping.samples import RULES, policy
from tests.unit.mapping.samples import account as cin7_account
from workers.mapping.alignment import Alignment, Use, align
from workers.mapping.companies import destination_of

TODAY = dt.date(2026, 3, 21)


def ifs(account: str, description: str = "", **changes: object) -> Account:
    """Return an account that is named as in Cin7 unless told otherwise."""
    row = Account(company="10", account=account, description=description or f"Account {account}")
    return msgspec.structs.replace(row, **changes)


def aligned(*accounts: Account, uses: tuple[Use, ...] = (), rules: Rules = RULES) -> list[Alignment]:
    destination = destination_of("10", rules)
    assert not isinstance(destination, Finding)
    return align(destination, {one.account: one for one in accounts}, uses, rules, TODAY)


def missing(value: str, documents: int = 4, code: str = "account.missing") -> Use:
    return Use(code=code, value=value, documents=documents)


def told(rows: list[Alignment]) -> list[tuple[str, str, str, int]]:
    return [(row.account, row.cin7_code, row.finding, row.documents) for row in rows]


def test_each_difference_has_its_name_and_the_worst_comes_first() -> None:
    rows = aligned(ifs("800"), ifs("801", "Something else"), ifs("7000"), ifs("9999"), ifs("5000", "Account 6100"))
    assert told(rows) == [
        ("9999", "9999", "missing", 0),
        ("7000", "7000", "archived", 0),
        ("801", "801", "named differently", 0),
        ("5000", "6100", "ok", 0),
        ("800", "800", "ok", 0),
    ]
    assert (rows[2].ifs_name, rows[2].cin7_name, rows[2].cin7_account) == ("Something else", "Account 801", "main")


def test_documents_that_wait_outweigh_the_kind_of_difference() -> None:
    rows = aligned(ifs("7000"), ifs("9999"), uses=(missing("7000", 2, "account.inactive"),))
    assert told(rows)[0] == ("7000", "7000", "archived", 2)


def test_case_and_spaces_make_no_other_name_nor_does_none() -> None:
    assert told(aligned(ifs("800", " ACCOUNT  800 "), ifs("801", description=" "))) == [
        ("800", "800", "ok", 0),
        ("801", "801", "ok", 0),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_until": "2026-03-20"},
        {"valid_from": "2026-03-22"},
        {"ledg_flag": True},
        {"stat_account": True},
        {"logical_account_type": "S"},
        {"logical_account_type": "O"},
    ],
)
def test_what_no_document_can_use_is_left_out_unless_one_waits_for_it(changes: dict[str, object]) -> None:
    unused = msgspec.structs.replace(ifs("9999"), **changes)
    assert aligned(unused) == []
    assert told(aligned(unused, uses=(missing("9999"),))) == [("9999", "9999", "missing", 4)]


def test_a_bound_is_a_day_that_counts() -> None:
    assert aligned(ifs("9999", valid_from="2026-03-21", valid_until="2026-03-21T00:00:00Z"))
    assert aligned(ifs("9999", valid_from="soon", valid_until=""))


def test_a_code_is_counted_for_the_accounts_that_become_it() -> None:
    tables = msgspec.structs.replace(RULES.tables, accounts={("10", "1"): "X", ("10", "2"): "X"})
    rules = msgspec.structs.replace(RULES, tables=tables)
    rows = aligned(ifs("1"), ifs("2", valid_until="2020-01-01"), uses=(missing("X"),), rules=rules)
    assert told(rows) == [("1", "X", "missing", 4)]
    rows = aligned(ifs("2", valid_until="2020-01-01"), uses=(missing("X"),), rules=rules)
    assert {row.account for row in rows} == {"1", "2"}


def test_a_code_that_nothing_becomes_is_listed_by_itself() -> None:
    rows = aligned(uses=(missing("GONE", 3), missing("7000", 2, "account.inactive"), missing("", 1)))
    assert told(rows) == [("", "GONE", "missing", 3), ("", "7000", "archived", 2)]


def test_a_held_document_of_an_account_that_was_repaired_since_is_still_counted() -> None:
    assert told(aligned(ifs("4010"), uses=(missing("4010"),))) == [("4010", "4010", "ok", 4)]


def test_under_an_explicit_policy_an_account_without_a_row_is_unmapped() -> None:
    rows = aligned(
        ifs("4010"), ifs("5000"), uses=(missing("4010", 1, "account.unmapped"),), rules=policy(accounts="explicit")
    )
    assert told(rows) == [("4010", "", "unmapped", 1), ("5000", "6100", "named differently", 0)]


def test_names_and_codes_are_texts() -> None:
    reference = Reference(accounts={"0761": cin7_account("0761")})
    rules = msgspec.structs.replace(RULES, reference={"main": reference})
    assert [row.finding for row in aligned(ifs("0761"), ifs("761"), rules=rules)] == ["missing", "ok"]

from decimal import Decimal

import pytest

from shared.cin7.client import every
from shared.cin7.reference import chart_account, payment_term, product, tax_rule


@pytest.mark.parametrize(
    ("row", "payable"),
    [
        ({"SystemAccountCode": "CREDITORS", "SystemAccount": "Accounts payable"}, True),
        ({"SystemAccount": "CREDITORS"}, True),
        ({"SystemAccount": "Accounts Payable"}, True),
        ({"SystemAccountCode": None, "SystemAccount": None, "Class": "LIABILITY"}, False),
        ({"SystemAccount": "Unpaid expense claims"}, False),
    ],
)
def test_the_payables_account_is_known_by_its_mark_old_or_new(row: dict[str, object], payable: bool) -> None:
    assert chart_account({"Code": "800", "Name": "AP", "Status": "ACTIVE", **row}).payable is payable


def test_an_account_code_keeps_its_zeros() -> None:
    assert chart_account({"Code": "001", "Status": "Archived"}).code == "001"
    assert not chart_account({"Code": "001", "Status": "Archived"}).active


def test_rows_become_what_mappings_ask_for() -> None:
    term = payment_term({"Name": "30 days", "Duration": 30, "IsActive": True})
    rule = tax_rule({"Name": "VAT", "IsActive": True, "TaxPercent": "20.0000", "IsTaxForPurchase": True})
    item = product({"ID": "ABC", "SKU": "B", "Name": "Bolt", "Type": "Service", "Status": "ACTIVE"})
    assert (term.days, term.active) == (30, True)
    assert (rule.percent, rule.inclusive) == (Decimal(20), False)
    assert (item.product_id, item.active, item.type) == ("abc", True, "Service")


def test_pages_are_read_until_all_are_seen_even_where_they_are_smaller_than_asked_for() -> None:
    rows = list(range(7))
    asked = []

    def fetch(number: int) -> tuple[int, list[int]]:
        asked.append(number)
        return len(rows), rows[3 * (number - 1) : 3 * number]

    assert list(every(fetch)) == rows
    assert asked == [1, 2, 3]


def test_a_list_that_promises_more_than_it_has_ends_at_its_empty_page() -> None:
    assert list(every(lambda number: (100, [number] if number < 3 else []))) == [1, 2]

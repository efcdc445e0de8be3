"""Purchases as they were read last: the newer reading replaces the older, and each account has its own."""

from shared.ledger import purchases
from shared.ledger.connection import Ledger
from shared.ledger.purchases import KeptPurchase
from tests.integration.ledger.samples import at_once


def one(number: int = 1, stamp: str = "2026-03-01", account: str = "main", body: bytes = b"{}") -> KeptPurchase:
    return KeptPurchase(account=account, id=f"p-{number}", stamp=stamp, body=body)


def keep(ledger: Ledger, *several: KeptPurchase) -> None:
    with ledger.transaction() as cur:
        purchases.keep(cur, several)


def test_a_purchase_is_kept_as_it_was_read_last(ledger: Ledger) -> None:
    keep(ledger, one(), one(stamp="2026-03-02", body=b"{1}"), one(2))
    keep(ledger, one(2, stamp="2026-03-05"), one(account="second", body=b"{2}"))
    with ledger.transaction() as cur:
        found = purchases.kept(cur, "main", ["p-1", "p-2", "p-3"])
    assert {key: (kept.stamp, kept.body) for key, kept in found.items()} == {
        "p-1": ("2026-03-02", b"{1}"),
        "p-2": ("2026-03-05", b"{}"),
    }


def test_several_that_keep_the_same_ones_do_not_meet_head_on(ledger: Ledger) -> None:
    many = [one(number) for number in range(50)]
    at_once([lambda turn=turn: keep(ledger, *(many if turn % 2 else reversed(many))) for turn in range(8)])  # type: ignore[misc]
    assert ledger.rows("select count(*) from cin7_purchase") == [(50,)]

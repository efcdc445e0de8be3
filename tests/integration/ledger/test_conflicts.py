"""What two flows share: the lock on the record both write to, and the conflicts that either is held for."""

import msgspec

from shared.findings import Difference
from shared.ledger import causes, claiming, conflicts
from shared.ledger.claiming import Lock
from shared.ledger.conflicts import Conflict
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import SUPPLIERS, claim, one, ready, taken


def lock(ledger: Ledger, entry: int, key: str = "S1", lease_s: float = 60) -> Lock | None:
    with ledger.transaction() as cur:
        return claiming.lock(cur, entry, SUPPLIERS, key, lease_s)


def conflict(entry: int, **changes: object) -> Conflict:
    plain = Conflict(
        entry_id=entry, round=1, account="main", ifs_key="S1", before=b"{}", ifs=b"{}", cin7=b"{}", silent=("status",)
    )
    return msgspec.structs.replace(plain, **changes)


def test_one_of_many_gets_the_lock_on_a_record(ledger: Ledger) -> None:
    entry = ready(ledger, "1")
    found = samples.at_once([lambda: lock(ledger, entry)] * 6)
    assert sum(mine is not None for mine in found) == 1


def test_a_lock_keeps_the_writers_of_the_record_out_and_lets_them_in_again(ledger: Ledger) -> None:
    mine = lock(ledger, ready(ledger, "1"))
    assert mine is not None
    of_record = ready(ledger, "S1", flow=SUPPLIERS)
    assert claim(ledger, of_record) is None
    with ledger.transaction() as cur:
        claiming.unlock(cur, [mine])
    taken(ledger, of_record)
    assert lock(ledger, ready(ledger, "2")) is None


def test_a_lock_that_ran_out_frees_nobody_elses(ledger: Ledger) -> None:
    late = lock(ledger, ready(ledger, "1"), lease_s=0)
    assert late is not None
    good = lock(ledger, ready(ledger, "2"))
    assert good is not None
    with ledger.transaction() as cur:
        claiming.unlock(cur, [late])
        assert claiming.keep(cur, [late, good]) == {good.id}
    assert lock(ledger, ready(ledger, "3")) is None


def test_a_record_that_was_only_locked_is_news_when_it_is_seen(ledger: Ledger) -> None:
    lock(ledger, ready(ledger, "1"), key="S9")
    assert one(ledger, "select version from record where flow = %s and key = 'S9'", SUPPLIERS) == 0
    entry = samples.new(ledger, "S9", flow=SUPPLIERS)
    assert one(ledger, "select version from entry where id = %s", entry) == 1


def test_a_conflict_is_found_by_its_entry_as_long_as_that_is_held_for_it(ledger: Ledger) -> None:
    entry = samples.held(ledger, "main/1", flow="cin7_suppliers")
    with ledger.transaction() as cur:
        conflicts.keep(cur, conflict(entry))
        conflicts.keep(cur, conflict(entry, ifs=b'{"n":1}'))
        (found,) = conflicts.of_entry(cur, entry)
        assert found == conflict(entry, ifs=b'{"n":1}')
        assert conflicts.held_elsewhere(cur, "cin7_suppliers", "S1", "main") == [entry]
        assert conflicts.held_elsewhere(cur, SUPPLIERS, "S1", "main") == []
    samples.replay(ledger, entry, flow="cin7_suppliers")
    with ledger.transaction() as cur:
        assert conflicts.of_entry(cur, entry) == []
        assert conflicts.held_elsewhere(cur, "cin7_suppliers", "S1", "main") == []


def test_a_difference_keeps_its_three_values_whatever_they_hold(ledger: Ledger) -> None:
    entry = ready(ledger, "S1", flow=SUPPLIERS)
    finding = Difference(
        code="supplier.conflict",
        field="name",
        value="S1",
        message="m",
        remedy="r",
        before="a\0",
        ifs="\ud800",
        cin7="c",
    )
    with ledger.transaction() as cur:
        causes.keep_findings(cur, entry, 1, [finding])
    (row,) = ledger.rows("select before, ifs, cin7 from finding where entry_id = %s", (entry,))
    assert row[2] == "c"
    assert "\0" not in row[0]

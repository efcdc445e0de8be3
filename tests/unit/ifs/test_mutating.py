import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest

from shared.errors import Held, Retryable
from shared.ifs.errors import IfsConflict
from shared.ifs.mutating import ROUNDS_MAX, Change, Decision, Row, Unchanged, different, is_same, mutate
from shared.ifs.pages import Stored

WANTED = {"Name": "Baltic Timber"}
ROW = Row("supplier", "S900", "10")


class Tenant:
    """One row whose ETag moves with every write; others write whenever `others` says."""

    def __init__(self, name: str, *, others: Callable[[int], bool] = lambda _write: False, keeps: bool = True) -> None:
        self.name = name
        self.version = 1
        self.writes: list[str] = []
        self.reads = 0
        self.others = others
        self.keeps = keeps
        self.shows = True
        self.etag = True
        self.there = True

    async def read(self) -> Stored | None:
        self.reads += 1
        return Stored({"Name": self.name}, f'W/"{self.version}"' if self.etag else "") if self.there else None

    async def write(self, current: Stored, values: Mapping[str, object]) -> Stored | None:
        self.writes.append(current.etag)
        if self.others(len(self.writes)):
            self.version += 1
            self.name = f"Edited {self.version}"
        if current.etag != f'W/"{self.version}"':
            raise IfsConflict("IFS answered 412.", status=412, code="", message="")
        if self.keeps:
            self.name = str(values["Name"])
        self.version += 1
        return Stored({"Name": self.name}, f'W/"{self.version}"') if self.shows else None


def wants(current: Stored | None) -> Decision:
    assert current is not None
    left = different(WANTED, current.values)
    return Change(left) if left else Unchanged()


def run(tenant: Tenant, decide: Callable[[Stored | None], Decision] = wants) -> Stored | None:
    return asyncio.run(mutate(ROW, read=tenant.read, decide=decide, write=tenant.write))


def test_what_is_as_wanted_is_not_written() -> None:
    tenant = Tenant("Baltic Timber")
    assert run(tenant) == Stored({"Name": "Baltic Timber"}, 'W/"1"')
    assert tenant.writes == []


def test_a_change_is_written_once_with_the_etag_that_was_decided_upon() -> None:
    tenant = Tenant("Old")
    assert run(tenant) == Stored({"Name": "Baltic Timber"}, 'W/"2"')
    assert (tenant.writes, tenant.reads) == (['W/"1"'], 1)


def test_an_answer_without_the_row_is_followed_by_a_look() -> None:
    tenant = Tenant("Old")
    tenant.shows = False
    assert run(tenant) == Stored({"Name": "Baltic Timber"}, 'W/"2"')
    assert (len(tenant.writes), tenant.reads) == (1, 2)


def test_somebody_elses_change_is_seen_before_it_is_written_over() -> None:
    seen: list[object] = []

    def decide(current: Stored | None) -> Decision:
        assert current is not None
        seen.append(current.values["Name"])
        return wants(current)

    tenant = Tenant("Old", others=lambda write: write == 1)
    run(tenant, decide)
    assert seen == ["Old", "Edited 2"]
    assert tenant.writes == ['W/"1"', 'W/"2"']


def test_a_row_that_others_keep_changing_is_held_after_five_rounds() -> None:
    tenant = Tenant("Old", others=lambda _write: True)
    with pytest.raises(Held) as held:
        run(tenant)
    assert len(tenant.writes) == ROUNDS_MAX == 5
    (finding,) = held.value.findings
    assert (finding.code, finding.field, finding.value) == ("target.refused", "Name", "S900")
    assert finding.company == "10"
    assert "5 times" in finding.message


def test_a_change_that_others_made_themselves_in_the_last_round_is_none_any_more() -> None:
    def others(write: int) -> bool:
        if write == ROUNDS_MAX:
            tenant.name = "Baltic Timber"
            tenant.version += 1
            return False
        return True

    tenant = Tenant("Old", others=others)
    assert run(tenant) == Stored({"Name": "Baltic Timber"}, f'W/"{tenant.version}"')


def test_a_change_lost_within_the_second_of_an_etag_is_made_again() -> None:
    tenant = Tenant("Old")
    first = tenant.write

    async def overwritten(current: Stored, values: Mapping[str, object]) -> Stored | None:
        answer = await first(current, values)
        if len(tenant.writes) == 1:
            tenant.name = "Edited"
            return None
        return answer

    tenant.write = overwritten  # type: ignore[method-assign]
    assert run(tenant) == Stored({"Name": "Baltic Timber"}, 'W/"3"')
    assert len(tenant.writes) == 2


def test_a_change_that_ifs_accepts_and_does_not_keep_is_held() -> None:
    tenant = Tenant("Old", keeps=False)
    with pytest.raises(Held, match="does not keep it"):
        run(tenant)
    assert len(tenant.writes) == 2


@pytest.mark.parametrize("gone", [True, False])
def test_nothing_is_written_without_an_etag(gone: bool) -> None:
    tenant = Tenant("Old")
    tenant.etag = False
    tenant.there = not gone
    with pytest.raises(Held, match="no ETag"):
        run(tenant, lambda _current: Change(WANTED))
    assert tenant.writes == []


def test_a_lost_answer_ends_the_rounds() -> None:
    async def lost(_current: Stored, _values: Mapping[str, object]) -> Stored | None:
        raise Retryable("no answer")

    tenant = Tenant("Old")
    tenant.write = lost  # type: ignore[assignment, method-assign]
    with pytest.raises(Retryable):
        run(tenant)
    assert tenant.reads == 1


@pytest.mark.parametrize(
    ("wanted", "stored", "same"),
    [
        ("a", "a", True),
        ("a", "A", False),
        ("", None, True),
        (None, "", True),
        (None, "a", False),
        (Decimal("1.50"), Decimal("1.5"), True),
        (Decimal("1.50"), "1.5", True),
        (3, Decimal("3.0"), True),
        (3, "three", False),
        (3, None, False),
        (Decimal("1"), "NaN", False),
        ("1.50", "1.5", False),
        (True, True, True),
        (True, 1, False),
        (False, None, False),
        (1, True, False),
    ],
)
def test_a_value_is_the_same_however_ifs_writes_it(wanted: object, stored: object, same: bool) -> None:
    assert is_same(wanted, stored) is same


def test_only_what_differs_is_written() -> None:
    assert different({"A": "1", "B": None, "C": 2}, {"A": "2", "C": "2", "D": 1}) == {"A": "1"}

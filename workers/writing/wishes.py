"""What the writing of one entry asks of the group it is in: there it stops, and goes on with the answer.

Writers are coroutines so that several entries can stop at the same place, and one commit, one look at the ledger and
one round trip to the call budget serve them all. They know nothing of each other.
"""

from collections.abc import Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.budgets import Slot
from shared.ledger.effects import Intent
from shared.ledger.links import Link
from workers.writing.desk import Remote

T = TypeVar("T")


class Wish(Generic[T]):
    """To be awaited; the group answers it."""

    def __await__(self) -> Generator["Wish[Any]", Any, T]:
        answer: T = yield self
        return answer


@dataclass(frozen=True)
class SlotWish(Wish[Slot]):
    """A permitted call of `account`."""

    account: Remote


@dataclass(frozen=True)
class CommitWish(Wish[int]):
    """What is pending is recorded together with the intent of a call; the answer is its effect."""

    intent: Intent


@dataclass(frozen=True)
class FinishWish(Wish[None]):
    """The entry ends with what is pending: as written, or as our own write coming back."""

    why: str
    echo: bool = False


@dataclass(frozen=True)
class LinksWish(Wish[list[Link | None]]):
    """The links of other records, each named by flow, key and account; the answer is in their order."""

    wanted: Sequence[tuple[str, str, str]]


#: The writing of one entry.
Work = Coroutine[Wish[Any], Any, None]


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that asks nothing of a group."""
    try:
        work.send(None)
    except StopIteration as ended:
        answer: T = ended.value
        return answer
    raise RuntimeError("this coroutine needs a group")

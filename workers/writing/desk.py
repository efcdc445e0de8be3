"""What writers work with: the ledger, one Cin7 client and call budget per account, and the settings."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol, TypeVar

import msgspec
import redis

from shared.budgets import Budget, Slot
from shared.cin7.client import Cin7Client
from shared.config.rules import Rules
from shared.config.settings import Settings
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.flows import Flow
from shared.ifs.client import IfsClient
from shared.ledger.connection import Ledger
from shared.pulled import RawDocument
from workers.writing.seats import Seat, Seats

#: What stands for IFS among the accounts that a writer calls.
IFS: Final = "@ifs"
#: Seconds for which an entry rests whose account too many wait for.
CROWDED_S: Final = 5.0
#: Seconds of one look for a permitted call.
LOOK_S: Final = 10.0
#: How much the last call counts in the average of all: a remote that turns slow is to show at once.
PACE_WEIGHT: Final = 0.5


class Pace:
    """How long the calls of one remote take here, as a moving average."""

    def __init__(self) -> None:
        self.call_s = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Surround a call."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.call_s += PACE_WEIGHT * (time.monotonic() - began - self.call_s)

    def calls_in(self, seconds: float) -> int:
        """Return how many calls, one after the other, take about so long; at least one."""
        return max(1, int(seconds / max(self.call_s, 1e-3)))


class Remote(Protocol):
    """What a writer calls: the budget that its calls come from, and the seats to wait for them."""

    @property
    def name(self) -> str:
        """Name it among all that are called."""

    @property
    def target(self) -> str:
        """Name it in the ledger."""

    @property
    def budget(self) -> Budget:
        """Share out its calls."""

    @property
    def seats(self) -> Seats:
        """Keep the places to wait for one."""

    @property
    def pace(self) -> Pace:
        """Know how long they take."""


R = TypeVar("R", bound=Remote)


class Ifs(msgspec.Struct, frozen=True):
    """The tenant of IFS as a writer calls it. No Cin7 account can have its name."""

    client: IfsClient
    budget: Budget
    seats: Seats
    pace: Pace
    name: str = IFS
    target: str = "ifs"


class Account(msgspec.Struct, frozen=True):
    """One Cin7 account: its client, the budget that the client's calls come from, and the seats to wait for them."""

    name: str
    client: Cin7Client
    budget: Budget
    seats: Seats
    pace: Pace

    @property
    def target(self) -> str:
        return f"cin7/{self.name}"


def at_once(accounts: Sequence[R], lane: str, count: int = 1) -> list[tuple[R, Slot]]:
    """Return up to `count` permitted calls of the first of `accounts` that has one free now."""
    for account in accounts:
        with suppress(Retryable):
            if found := account.budget.take_free(count, lane, early=True):
                return [(account, slot) for slot in found]
    return []


def permitted(
    accounts: Sequence[R],
    lane: str,
    stopping: Callable[[], bool],
    seat: Seat,
    *,
    every_s: float = LOOK_S,
    meanwhile: Callable[[], None] | None = None,
) -> tuple[R, Slot]:
    """Return a permitted call of the first of `accounts` that has one; where none has, take seats and wait.

    Args:
        meanwhile: is done before the wait and every `every_s` seconds of it.

    Raises:
        Crowded: none is free, and every seat of these accounts is taken.
        Stopping: the process is to end.
    """
    if found := at_once(accounts, lane):
        return found[0]
    seated = [account for account in accounts if seat.take(account.seats)]
    if not seated:
        raise Crowded(accounts[0].name)
    while not stopping():
        if meanwhile is not None:
            meanwhile()
        for account in seated:
            with suppress(Retryable):
                return account, account.budget.take(lane, timeout_s=every_s / len(seated), early=True)
        time.sleep(0.2)  # Redis may be away, which is told at once.
    raise Stopping


class Crowded(Retryable):
    """Enough threads wait for this account's calls; nothing was sent."""

    def __init__(self, account: str) -> None:
        super().__init__(f"enough wait for the calls of Cin7 account {account}", delay_s=CROWDED_S, executed=False)


class Stopping(Retryable):
    """The process is told to stop while an entry waits for a call; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("the worker is stopping", delay_s=0.0, executed=False)


class Desk(msgspec.Struct, frozen=True):
    """What the writers of a process share.

    Attributes:
        accounts: opens a Cin7 account by name, once; unknown names raise `KeyError`.
        ifs: opens IFS, once.
        rules: mapping tables and reference data as they are now.
        read_again: reads records of a flow by key, from IFS.
        rest: waits so many seconds.
    """

    ledger: Ledger
    redis: redis.Redis
    settings: Settings
    actor: str
    accounts: Callable[[str], Account]
    stopping: Callable[[], bool]
    ifs: Callable[[], Ifs]
    rules: Callable[[], Rules]
    read_again: Callable[[Flow, Sequence[str], str], dict[str, RawDocument]]
    rest: Callable[[float], None] = time.sleep

    @property
    def call_s_max(self) -> float:
        """Seconds that a call may take at the longest."""
        accounts = [account.read_timeout_s for account in self.settings.cin7.values()]
        return max([min(self.settings.ifs.read_timeout_s, self.settings.policy.lease_s / 2), *accounts])

    def remote(self, name: str) -> Account | Ifs:
        """Return a Cin7 account, or IFS.

        Raises:
            Held: as `account`.
        """
        return self.ifs() if name == IFS else self.account(name)

    def account(self, name: str) -> Account:
        """Return the account called `name`.

        Raises:
            Held: the settings do not name it; the mapping tables do.
        """
        try:
            return self.accounts(name)
        except KeyError:
            finding = Finding(
                code="company.unmapped",
                field="cin7_account",
                value=name,
                message=f"The mapping tables name Cin7 account {name}, but the settings have no [cin7.{name}].",
                remedy=f"Add [cin7.{name}] to connector.toml and its credentials, or correct the table `companies`.",
            )
            raise Held([finding]) from None

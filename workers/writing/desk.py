"""What writers work with: the ledger, a client and a call budget per Cin7 account and for IFS, and the settings."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

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

#: Stands for the IFS tenant where Cin7 accounts are named; no account can be called so.
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


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """What writers call: the budget that its calls come from, and the seats to wait for them.

    Attributes:
        name: of a Cin7 account, or `IFS`.
        call_s_max: seconds that one call may take at the longest.
    """

    name: str
    budget: Budget
    seats: Seats
    pace: Pace
    call_s_max: float

    @property
    def target(self) -> str:
        """How effects name it."""
        return self.budget.target


class Account(Remote, frozen=True, kw_only=True):
    """One Cin7 account."""

    client: Cin7Client


class Tenant(Remote, frozen=True, kw_only=True):
    """The IFS tenant. Its calls are over well within a claim: see `IfsClient`."""

    client: IfsClient


R = TypeVar("R", bound=Remote)


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
    """Enough threads wait for these calls; nothing was sent."""

    def __init__(self, name: str) -> None:
        whose = "IFS" if name == IFS else f"Cin7 account {name}"
        super().__init__(f"enough wait for the calls of {whose}", delay_s=CROWDED_S, executed=False)


class Stopping(Retryable):
    """The process is told to stop while an entry waits for a call; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("the worker is stopping", delay_s=0.0, executed=False)


class Desk(msgspec.Struct, frozen=True):
    """What the writers of a process share.

    Attributes:
        accounts: opens a Cin7 account by name, once; unknown names raise `KeyError`.
        ifs: opens the tenant, once.
        rules: mapping tables and reference data as they are now.
        read_again: reads records of a flow by key, each from where it comes from.
        rest: waits so many seconds.
    """

    ledger: Ledger
    redis: redis.Redis
    settings: Settings
    actor: str
    accounts: Callable[[str], Account]
    stopping: Callable[[], bool]
    ifs: Callable[[], Tenant]
    rules: Callable[[], Rules]
    read_again: Callable[[Flow, Sequence[str], str], dict[str, RawDocument]]
    rest: Callable[[float], None] = time.sleep

    def remote(self, name: str) -> Remote:
        """Return the tenant for `IFS`, else the account called `name`.

        Raises:
            Held: as `account` says.
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

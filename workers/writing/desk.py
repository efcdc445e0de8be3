"""What writers work with: the ledger, one Cin7 client and call budget per account, and the settings."""

import time
from collections.abc import Callable

import msgspec
import redis

from shared.budgets import Budget, Slot
from shared.cin7.client import Cin7Client
from shared.config.settings import Settings
from shared.errors import Held, Retryable
from shared.findings import Finding
from shared.ledger.connection import Ledger


class Account(msgspec.Struct, frozen=True):
    """One Cin7 account: its client and the budget that the client's calls come from."""

    name: str
    client: Cin7Client
    budget: Budget

    @property
    def target(self) -> str:
        return f"cin7/{self.name}"

    def permitted(self, lane: str, stopping: Callable[[], bool], every_s: float = 10.0) -> Slot:
        """Wait for a permitted call, looking up every `every_s` seconds.

        Raises:
            Stopping: the process is to end.
        """
        while not stopping():
            try:
                return self.budget.take(lane, timeout_s=every_s, early=True)
            except Retryable:
                time.sleep(0.2)  # Redis may be away, which is told at once.
        raise Stopping


class Stopping(Retryable):
    """The process is told to stop while an entry waits for a call; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("the worker is stopping", delay_s=0.0, executed=False)


class Desk(msgspec.Struct, frozen=True):
    """`accounts` opens an account by name, once; unknown names raise `KeyError`."""

    ledger: Ledger
    redis: redis.Redis
    settings: Settings
    actor: str
    accounts: Callable[[str], Account]
    stopping: Callable[[], bool]

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

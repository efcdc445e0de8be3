"""What the poller process does about webhooks: follows their hints, and watches whether they still come."""

import threading
from collections.abc import Callable

from producers.following import SupplierFollower
from producers.hints import HintTaker
from producers.hook_watch import HookWatch
from shared.assembly import Assembly
from shared.config import credentials
from shared.config.credentials import HOOKS, HooksCredentials


def hook_threads(parts: Assembly, stopping: Callable[[], bool]) -> list[threading.Thread]:
    """Return the threads, one per account and one that watches; not started yet."""
    accounts = parts.settings.cin7
    taker, watch = taker_of(parts), HookWatch(parts.ledger, accounts, parts.cin7, lambda: secret_of(parts))
    threads = [
        threading.Thread(target=taker.run, args=(account, stopping), name=f"hints {account}", daemon=True)
        for account in accounts
    ]
    return [*threads, threading.Thread(target=watch.run, args=(stopping,), name="webhooks", daemon=True)]


def taker_of(parts: Assembly) -> HintTaker:
    """Return what follows the hints of a process."""
    return HintTaker(parts.ledger, parts.redis, parts.settings.cin7, SupplierFollower(parts))


def secret_of(parts: Assembly) -> str:
    """Return the stored secret of the hooks.

    Raises:
        Misconfigured: none is stored.
    """
    with parts.ledger.transaction() as cur:
        return credentials.load(cur.connection, parts.cipher, HOOKS, HooksCredentials).secret

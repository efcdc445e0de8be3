"""What the poller process does about webhooks: follows their hints, and watches whether they still come."""

import threading
from collections.abc import Callable

from producers.hook_watch import HookWatch
from shared.assembly import Assembly
from shared.config import credentials
from shared.config.credentials import HOOKS, HooksCredentials


def hook_threads(parts: Assembly, stopping: Callable[[], bool]) -> list[threading.Thread]:
    """Return the threads, not started yet."""
    watch = HookWatch(parts.ledger, parts.settings.cin7, parts.cin7, lambda: secret_of(parts))
    return [threading.Thread(target=watch.run, args=(stopping,), name="webhooks", daemon=True)]


def secret_of(parts: Assembly) -> str:
    """Return the stored secret of the hooks.

    Raises:
        Misconfigured: none is stored.
    """
    with parts.ledger.transaction() as cur:
        return credentials.load(cur.connection, parts.cipher, HOOKS, HooksCredentials).secret

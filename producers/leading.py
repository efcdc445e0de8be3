"""Keeps the lead of a stream while its pull is under way, however long one page of it takes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import Retryable
from shared.ledger import watermarks
from shared.ledger.connection import Ledger
from shared.ledger.watermarks import LeaseLost, Watermark


@contextmanager
def leading(ledger: Ledger, mark: Watermark) -> Iterator[None]:
    """Renew the lead from a thread while the block runs.

    A process that is frozen or gone renews nothing, so another takes over after the lease; one that only waits for a
    slow page keeps the lead, and two of them do not take it from each other for ever.
    """
    over = threading.Event()
    thread = threading.Thread(target=_renew, args=(ledger, mark, over), name=f"lead {mark.stream}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(ledger: Ledger, mark: Watermark, over: threading.Event) -> None:
    while not over.wait(mark.lease_s / 3):
        try:
            with ledger.transaction() as cur:
                watermarks.still_leads(cur, mark)
        except LeaseLost:
            return  # The pull finds out with its next page.
        except Retryable:
            continue
    ledger.close()

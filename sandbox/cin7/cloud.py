"""The whole service in memory: its companies, its clock, the faults in force and what it was asked."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.cin7.company import Clock, Company
from sandbox.cin7.delivering import Deliverer
from sandbox.cin7.faults import Faults
from sandbox.cin7.recording import Recording
from sandbox.cin7.seeding import DEFAULT_ACCOUNT, build
from sandbox.cin7.switches import Switches
from sandbox.cin7.wire import Json


class Cloud:
    """Everything behind the API and its control plane; `lock` guards all of it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.faults = Faults()
        self.recording = Recording()
        self.companies: dict[str, Company] = {}
        self.deliverer = Deliverer(self.lock, self.clock)
        #: For callers whose account id is unknown.
        self.switches = Switches()
        self.latency_s = 0.0
        self._late: list[tuple[datetime, Callable[[], object]]] = []

    def put_off(self, late_s: float, work: Callable[[], object]) -> None:
        """Carry out a call later, whose client has gone."""
        self._late.append((self.clock.now() + timedelta(seconds=late_s), work))

    def settle(self) -> None:
        """Carry out the calls whose time has come, in its order."""
        if not self._late:
            return
        now = self.clock.now()
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        for _, work in sorted(due, key=lambda late: late[0]):
            work()

    def reset(self) -> None:
        """Back to the first moment: one default company, no faults, no latency, no records, no clock offset."""
        self.clock.offset_s = 0.0
        self.faults.clear()
        self.faults.seed(0)
        self.recording.clear()
        self.recording.bodies = True
        self.switches = Switches()
        self.latency_s = 0.0
        self._late.clear()
        self.seed([DEFAULT_ACCOUNT])

    def seed(self, accounts: list[Json]) -> None:
        """Replace all companies; raises ValueError, and then nothing has changed."""
        built = [build(seed, self.clock) for seed in accounts]
        self.companies = {company.account_id: company for company in built}
        # Whatever the companies before had under way ends with them.
        self.deliverer.companies = self.companies
        for company in built:
            company.outbox.wake = self.deliverer.wake

    def company(self, name: object) -> Company:
        """Return a company by account id or name; the only one where `name` is empty. Raises ValueError."""
        if not name and len(self.companies) == 1:
            return next(iter(self.companies.values()))
        wanted = str(name or "").lower()
        for company in self.companies.values():
            if wanted in (company.account_id, company.name.lower()):
                return company
        raise ValueError(f"There is no account {name!r}; there are: {', '.join(self.companies)}.")

    def chosen(self, name: object) -> list[Company]:
        """Return the company named, or all of them where `name` is empty."""
        return [self.company(name)] if name else list(self.companies.values())

"""Builds what a process stands on, each part once and only when asked: settings, ledger, Redis, clients, rules."""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import psycopg
import redis
import structlog

from shared.budgets import Budget
from shared.cin7.client import Cin7Client
from shared.config import credentials
from shared.config.credentials import Cin7Credentials, IfsCredentials
from shared.config.encryption import Cipher
from shared.config.environment import Environment, read_environment
from shared.config.loading import load_settings
from shared.config.master_key import open_cipher
from shared.config.settings import Settings
from shared.current_rules import CurrentRules
from shared.errors import Misconfigured, Retryable
from shared.flows import Flow
from shared.http import Http
from shared.ifs import reading
from shared.ifs.charts import read_chart
from shared.ifs.client import IfsClient
from shared.ifs_charts import IfsCharts
from shared.ledger.connection import Ledger
from shared.ledger.migrations import require_current
from shared.origins import ORIGINS, FromIfs
from shared.pulled import RawDocument
from shared.queues.broker import LOST, redis_client, require_safe_redis
from shared.seeing import IfsLens, Lens

log = structlog.get_logger()
T = TypeVar("T")

#: Seconds for which a server may start later than we do.
PATIENCE_S: Final = 60.0
#: Seconds by which the ledger's clock and ours may differ: beyond it, log lines and events tell different stories.
CLOCK_SKEW_S_MAX: Final = 30.0
#: Seconds of IFS's sliding minute, and of any other quota named per minute.
MINUTE_S: Final = 60.0


class Assembly:
    """The parts of one process. Safe to share between threads.

    Args:
        environment: what the variables say.
        database_url, redis_url: where the servers are, embedded ones included.
        role: what acts, as events name it.
        actor: who acts where that is a person; empty for a process, which is named by role, machine and number.
    """

    def __init__(
        self, environment: Environment, *, database_url: str, redis_url: str, role: str, root: Path, actor: str = ""
    ) -> None:
        self.environment = environment
        self.database_url = database_url
        self.redis_url = redis_url
        self.root = root
        self.role = role
        self.actor = actor or f"{role}@{socket.gethostname()}:{os.getpid()}"
        self._cin7: dict[str, Cin7Client] = {}
        self._lock = threading.RLock()

    @cached_property
    def settings(self) -> Settings:
        return load_settings(self.environment.config_path)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.database_url)

    @cached_property
    def redis(self) -> redis.Redis:
        return redis_client(self.redis_url)

    @cached_property
    def cipher(self) -> Cipher:
        return open_cipher(self.environment, self.root, log.warning)

    @cached_property
    def ifs_budget(self) -> Budget:
        return Budget(self.redis, "ifs", ["ifs"], self.settings.ifs.requests_per_minute, MINUTE_S)

    @cached_property
    def ifs(self) -> IfsClient:
        """The client of the IFS tenant.

        Raises:
            Misconfigured: there are no credentials.
        """
        with self.ledger.transaction() as cur:
            known = credentials.load(cur.connection, self.cipher, credentials.IFS, IfsCredentials)
        call_s_max = self.settings.policy.lease_s / 2
        return IfsClient(self.settings.ifs, known, self.redis, self.ifs_budget, self.cipher, call_s_max=call_s_max)

    def cin7(self, account: str) -> Cin7Client:
        """Return the client of a Cin7 account.

        Raises:
            KeyError: the settings do not name it.
            Misconfigured: there are no credentials for it.
        """
        with self._lock:
            if account not in self._cin7:
                settings = self.settings.cin7[account]
                name = credentials.cin7(account)
                with self.ledger.transaction() as cur:
                    known = credentials.load(cur.connection, self.cipher, name, Cin7Credentials)
                labels = [f"{account}/{number}" for number in range(1, len(known.application_keys) + 1)]
                budget = Budget(self.redis, f"cin7/{account}", labels, settings.calls_per_minute, settings.window_s)
                http = Http(settings.base_url, timeout_s=settings.read_timeout_s, connections=32)
                self._cin7[account] = Cin7Client(settings, known, http, budget)
            return self._cin7[account]

    @cached_property
    def charts(self) -> IfsCharts:
        stream = self.settings.ifs.stream("accounts")
        return IfsCharts(self.ledger, lambda company: read_chart(self.ifs, stream, company, lane="live"))

    @cached_property
    def rules(self) -> CurrentRules:
        return CurrentRules(
            self.ledger, self.settings, self.cin7, lambda: reading.sites(self.ifs, lane="live"), self.charts
        )

    def has_cin7(self, account: str) -> bool:
        """Say whether the client of a Cin7 account has been opened here."""
        return account in self._cin7

    def lens(self, flow: Flow, start_from: str = "") -> Lens:
        """Return how records of `flow` are looked at."""
        return ORIGINS[flow].lens(self, start_from)

    def ifs_lens(self, flow: Flow, start_from: str = "") -> IfsLens:
        """Return how the records of a flow that comes from IFS are looked at."""
        return FromIfs(flow).lens(self, start_from)

    def read_by_key(self, flow: Flow, keys: Sequence[str], lane: str) -> dict[str, RawDocument]:
        """Return the records of `flow` with these keys, as they are now; those that are not there are missing."""
        return ORIGINS[flow].by_key(self, keys, lane)

    def _require_schema(self) -> None:
        with self.ledger.transaction() as cur:
            require_current(cur.connection)

    def stand(self) -> None:
        """Check everything this process stands on, waiting for servers that start later.

        Raises:
            Misconfigured: it would be unsafe to run.
        """
        self.settings  # noqa: B018 - a fault in the file comes before any waiting
        patiently(self._require_schema)
        if warning := patiently(lambda: require_safe_redis(self.redis)):
            log.warning(warning)
        row = self.ledger.rows("select extract(epoch from clock_timestamp())::float")
        skew_s = abs(time.time() - float(row[0][0]))
        if skew_s > CLOCK_SKEW_S_MAX:
            raise Misconfigured(
                f"This machine's clock and PostgreSQL's differ by {skew_s:.0f} s: set them by NTP and start again."
            )


def patiently(attempt: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """Return what `attempt` returns, waiting for a server that does not answer yet.

    Raises:
        Misconfigured: it stayed away.
    """
    until = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except (Retryable, psycopg.OperationalError, *LOST) as error:
            if time.monotonic() > until:
                raise Misconfigured(f"A server did not answer within {patience_s:.0f} s: {error}") from error
            time.sleep(0.5)


def from_environment(variables: Mapping[str, str], role: str) -> Assembly:
    """Return the assembly of a process that the supervisor, compose or an operator started.

    Raises:
        Misconfigured: a variable is wrong, or the servers are not named.
    """
    environment = read_environment(variables)
    if environment.database_url is None or environment.redis_url is None:
        raise Misconfigured(
            "A single process needs DATABASE_URL and REDIS_URL; `connector run` sets them for embedded servers."
        )
    return Assembly(
        environment,
        database_url=environment.database_url,
        redis_url=environment.redis_url,
        role=role,
        root=Path.cwd(),
    )

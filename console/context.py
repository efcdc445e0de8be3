"""What commands stand on, each part built when a command first asks for it."""

import getpass
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import click
import redis

from shared.assembly import Assembly
from shared.config.encryption import Cipher
from shared.config.environment import Environment, read_environment
from shared.config.loading import load_settings
from shared.config.master_key import open_cipher
from shared.config.settings import Settings
from shared.embedded import Urls, resolve
from shared.errors import Misconfigured
from shared.ledger.connection import Conn, connect
from shared.ledger.migrations import require_current


class Context:
    """The way from a command to settings, servers and keys; close it at the end.

    Args:
        variables: the process's environment.
        root: the working directory, which holds `.connector`.
    """

    def __init__(self, variables: Mapping[str, str], root: Path) -> None:
        # An empty variable counts as unset, as compose files leave them.
        self.variables = {name: value.strip() for name, value in variables.items() if value.strip()}
        self.root = root
        self._open = ExitStack()

    def close(self) -> None:
        """Close every connection, and stop embedded servers that this command started."""
        self._open.close()

    @cached_property
    def environment(self) -> Environment:
        return read_environment(self.variables)

    @cached_property
    def settings(self) -> Settings:
        return load_settings(self.environment.config_path)

    @cached_property
    def settings_if_written(self) -> Settings | None:
        """The settings, or None while there is no file: some commands come before it."""
        return self.settings if self.environment.config_path.exists() else None

    @cached_property
    def urls(self) -> Urls:
        """The database and the queues; embedded servers are started where the environment names none."""
        self.environment  # noqa: B018 - says what is wrong with a URL before anything is started.
        return self._open.enter_context(resolve(self.variables, self.root))

    @cached_property
    def cipher(self) -> Cipher:
        return open_cipher(self.environment, self.root, lambda text: click.echo(text, err=True))

    def connect(self) -> Conn:
        """Return a new connection to a database with the current schema; closed with the context.

        Raises:
            Misconfigured: the schema is not current.
        """
        conn = self._open.enter_context(connect(self.urls.database))
        require_current(conn)
        return conn

    @cached_property
    def parts(self) -> Assembly:
        """The parts of a process, for commands that poll, replay or call; its events name the person.

        Raises:
            Misconfigured: the schema is not current.
        """
        parts = Assembly(
            self.environment,
            database_url=self.urls.database,
            redis_url=self.urls.redis,
            role="console",
            root=self.root,
            actor=f"operator {self.person}@{socket.gethostname()}:{os.getpid()}",
        )
        self._open.callback(parts.ledger.close)
        require_current(parts.ledger.connection())
        return parts

    def redis(self) -> redis.Redis:
        """Return a client of the Redis that carries the queues; closed with the context."""
        try:
            client: redis.Redis = redis.Redis.from_url(self.urls.redis, socket_connect_timeout=10)
        except ValueError as error:
            raise Misconfigured(f"REDIS_URL cannot be used: {error}.") from error
        self._open.callback(client.close)
        return client

    @property
    def person(self) -> str:
        """The name on record for what a command decides."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # A container may run under a number without a name.
            return f"uid {os.getuid()}"

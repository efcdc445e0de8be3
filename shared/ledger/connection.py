"""Connections to the ledger: one per thread, opened when first needed and again after the server went away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from shared.errors import Misconfigured, Retryable

#: Seconds a transaction may stand still. A process that is frozen in the middle of one loses it then, and with it the
#: locks that others wait for.
IDLE_S: Final = 60

Cur = Cursor[TupleRow]
Conn = Connection[TupleRow]


def connect(database_url: str) -> Conn:
    """Open one connection that commits statement by statement unless told otherwise.

    Raises:
        Misconfigured: the server refuses this user, password or database.
        Retryable: there is no server (yet).
    """
    try:
        conn = psycopg.connect(database_url, autocommit=True, connect_timeout=10, application_name="connector")
        may_stand_still(conn.cursor(), IDLE_S)
    except psycopg.ProgrammingError as error:
        raise Misconfigured(f"DATABASE_URL cannot be used: {_first_line(error)}") from error
    except psycopg.OperationalError as error:
        text = _first_line(error)
        if any(word in text for word in ("authentication failed", "does not exist", "no password supplied")):
            raise Misconfigured(f"PostgreSQL refuses the connection of DATABASE_URL: {text}") from error
        raise Retryable(f"PostgreSQL cannot be reached: {text}", executed=False) from error
    return conn


def may_stand_still(cur: Cur, seconds: int) -> None:
    """Let the transactions of this session stand still for that long; within one, only this one."""
    cur.execute(
        "select set_config('idle_in_transaction_session_timeout', %s, %s)",
        (f"{seconds}s", cur.connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS),
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class Ledger:
    """The way into the ledger for one process; safe to share between its threads."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._local = threading.local()

    def connection(self) -> Conn:
        """Return this thread's connection, a new one where the last was lost."""
        conn: Conn | None = getattr(self._local, "connection", None)
        if conn is None or conn.closed or conn.broken:
            conn = connect(self._database_url)
            self._local.connection = conn
        return conn

    @contextmanager
    def transaction(self) -> Iterator[Cur]:
        """Run one transaction; a lost server is `Retryable`, because nothing was committed or it cannot be known.

        Whoever commits must be able to run again: every statement of the ledger is written so.
        """
        with self.statement() as cur, cur.connection.transaction():
            yield cur

    @contextmanager
    def statement(self) -> Iterator[Cur]:
        """Run exactly one statement, which commits by itself: two round trips fewer than a transaction around it."""
        conn = self.connection()
        try:
            with conn.cursor() as cur:
                yield cur
        except (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg.errors.IdleInTransactionSessionTimeout,
        ) as error:
            if isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
                raise Retryable("two processes met in the ledger; this one goes again", executed=False) from error
            conn.close()
            raise Retryable(f"the ledger was lost: {_first_line(error)}") from error

    def rows(self, sql: str, params: Any = None) -> list[TupleRow]:  # noqa: ANN401 - whatever psycopg takes
        """Return the rows of one statement."""
        with self.statement() as cur:
            return cur.execute(sql, params).fetchall()

    def close(self) -> None:
        """Close this thread's connection."""
        conn: Conn | None = getattr(self._local, "connection", None)
        if conn is not None:
            conn.close()


def storable(text: str) -> str:
    """Return `text` as PostgreSQL can hold it: NUL and lone surrogates become visible escapes."""
    return text.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode("utf-8")

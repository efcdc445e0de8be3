"""Brings a database to the schema that this program expects, and says when it is not there.

Each `NNNN_<noun>.sql` beside this file is applied once, in order of name. All of them and their marks are one
transaction: a crash leaves either the old schema or the new one.
"""

import hashlib
from pathlib import Path

import psycopg
import tenacity

from shared.errors import Misconfigured, Retryable
from shared.ledger.connection import Conn, connect

_FOLDER = Path(__file__).parent
_MARKS = b"""create table if not exists schema_migration (
    name text primary key,
    digest text not null,
    applied_at timestamptz not null default now()
)"""


def migrate(database_url: str, *, patience_s: float = 30) -> list[str]:
    """Apply what is missing and return its names, oldest first; safe to repeat and to run twice at once.

    A server that does not answer yet is waited for, `patience_s` seconds long.

    Raises:
        Misconfigured: the server stays away or refuses us, or the schema is not one that this program can upgrade.
    """
    with _patiently_connected(database_url, patience_s) as conn, conn.transaction():
        # Held to the end of the transaction: a second `migrate` waits here, then finds nothing to do.
        conn.execute("select pg_advisory_xact_lock(hashtextextended('schema_migration', 0))")
        conn.execute(_MARKS)
        missing = _missing(conn)
        for name in missing:
            _apply(conn, name)
    return missing


def pending(database_url: str, *, patience_s: float = 30) -> list[str]:
    """Return the names of the migrations that `migrate` would apply.

    Raises:
        Misconfigured: as `migrate`.
    """
    with _patiently_connected(database_url, patience_s) as conn:
        return _missing(conn)


def require_current(conn: Conn) -> None:
    """Raise `Misconfigured` unless the schema is exactly the one this program was written for."""
    if missing := _missing(conn):
        raise Misconfigured(f"The database lacks {', '.join(missing)}: run `connector migrate`.")


def _missing(conn: Conn) -> list[str]:
    """Return what is not applied yet.

    Raises:
        Misconfigured: the database holds a migration that this program does not know, or knows differently.
    """
    known = {path.name: _digest(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.sql"))}
    applied = _applied(conn)
    if newer := sorted(applied.keys() - known.keys()):
        raise Misconfigured(
            f"The database was upgraded by a newer connector ({', '.join(newer)}): install that version here too."
        )
    for name, digest in applied.items():
        if known[name] != digest:
            raise Misconfigured(
                f"{name} was applied to this database in another version: install the connector that made it, "
                "or start with an empty database."
            )
    return [name for name in known if name not in applied]


def _applied(conn: Conn) -> dict[str, str]:
    # Asked for by name first: a missing table would spoil the caller's transaction.
    found = conn.execute("select to_regclass('schema_migration') is not null").fetchone()
    if found is None or not found[0]:
        return {}
    return dict(conn.execute("select name, digest from schema_migration order by name").fetchall())


def _apply(conn: Conn, name: str) -> None:
    text = (_FOLDER / name).read_text("utf-8")
    try:
        # Without parameters the whole file travels as it is: nothing splits it at semicolons inside function bodies.
        conn.execute(text.encode())
        conn.execute("insert into schema_migration (name, digest) values (%s, %s)", (name, _digest(text)))
    except (psycopg.OperationalError, psycopg.InterfaceError):
        raise
    except psycopg.Error as error:
        line = text.count("\n", 0, int(error.diag.statement_position or 1) - 1) + 1
        reason = f"{error.diag.message_primary} (near line {line})"
        raise Misconfigured(f"{name} cannot be applied, and nothing was changed: {reason}.") from error


def _digest(text: str) -> str:
    """Return a digest that does not depend on the line ends of the checkout (`read_text` unifies them)."""
    return hashlib.sha256(text.encode()).hexdigest()


def _patiently_connected(database_url: str, patience_s: float) -> Conn:
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Retryable),
        stop=tenacity.stop_after_delay(patience_s),
        wait=tenacity.wait_fixed(0.5),
        reraise=True,
    )
    try:
        return attempts(connect, database_url)
    except Retryable as error:
        raise Misconfigured(f"{error} (waited {patience_s:g} s): start it, or correct DATABASE_URL.") from error

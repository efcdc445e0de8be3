"""Credentials of both systems and of the hooks, kept in PostgreSQL under the master key."""

import re
from datetime import datetime
from typing import Annotated, Final, TypeVar

import msgspec

from shared.config.encryption import Cipher, new_key
from shared.config.loading import ACCOUNT_NAME
from shared.errors import Misconfigured
from shared.ledger.connection import Conn

__all__ = [
    "HOOKS",
    "IFS",
    "Cin7Credentials",
    "Cipher",
    "Credentials",
    "HooksCredentials",
    "IfsCredentials",
    "Stored",
    "cin7",
    "load",
    "names",
    "new_key",
    "read_credentials",
    "rotate",
    "shape_of",
    "store",
]

IFS: Final = "ifs"
HOOKS: Final = "hooks"
#: They travel in HTTP headers, so that anything but visible ASCII would break a request or smuggle a header in.
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
C = TypeVar("C", bound="Credentials")


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Secrets; showing one shows its type only."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    __str__ = __repr__


class IfsCredentials(Credentials, frozen=True, kw_only=True):
    client_id: Text
    client_secret: Text


class Cin7Credentials(Credentials, frozen=True, kw_only=True):
    account_id: Text
    application_keys: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]


class HooksCredentials(Credentials, frozen=True, kw_only=True):
    secret: Annotated[str, msgspec.Meta(min_length=16, max_length=4096)]


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a credential."""

    name: str
    key_id: str
    updated_at: datetime


def cin7(account: str) -> str:
    """Return the name under which the credentials of a Cin7 account are stored."""
    return f"cin7/{account}"


def shape_of(name: str) -> type[Credentials]:
    """Return what is stored under `name`.

    Raises:
        Misconfigured: nothing is.
    """
    system, _, account = name.partition("/")
    if name == IFS:
        return IfsCredentials
    if name == HOOKS:
        return HooksCredentials
    if system == "cin7" and ACCOUNT_NAME.fullmatch(account):
        return Cin7Credentials
    raise Misconfigured(f"There are no credentials named {name!r}: known are ifs, cin7/<account> and hooks.")


def read_credentials(name: str, document: bytes) -> Credentials:
    """Return the credentials that a JSON document holds. Pure.

    Raises:
        Misconfigured: the document is not what `name` needs; its content is never shown.
    """
    shape = shape_of(name)
    try:
        credentials = msgspec.json.decode(document, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        example = {
            IfsCredentials: '{"client_id": ..., "client_secret": ...}',
            Cin7Credentials: '{"account_id": ..., "application_keys": [...]}',
            HooksCredentials: '{"secret": ...} with at least 16 characters',
        }[shape]
        raise Misconfigured(f"Credentials for {name} are a JSON document such as {example}.") from error
    _check(name, credentials)
    return credentials


def _check(name: str, credentials: Credentials) -> None:
    for field, value in msgspec.structs.asdict(credentials).items():
        values = value if isinstance(value, tuple) else (value,)
        if not all(_VISIBLE.fullmatch(text) for text in values):
            raise Misconfigured(f"{field} of {name} holds a space or a character that cannot be sent: copy it again.")
        if len(set(values)) < len(values):
            raise Misconfigured(f"{field} of {name} names the same key twice: each counts once.")


def store(conn: Conn, cipher: Cipher, name: str, credentials: Credentials) -> None:
    """Keep `credentials` under `name`, in place of any kept before."""
    if not isinstance(credentials, shape_of(name)):
        raise TypeError(f"{name} does not hold {type(credentials).__name__}")
    conn.execute(
        "insert into credential (name, blob, key_id) values (%s, %s, %s) "
        "on conflict (name) do update set blob = excluded.blob, key_id = excluded.key_id, updated_at = now()",
        (name, cipher.encrypt(msgspec.json.encode(credentials), _context(name)), cipher.key_id),
    )


def load(conn: Conn, cipher: Cipher, name: str, shape: type[C]) -> C:
    """Return the credentials kept under `name`.

    Raises:
        Misconfigured: there are none, or the master key does not open them.
    """
    row = conn.execute("select blob from credential where name = %s", (name,)).fetchone()
    if row is None:
        raise Misconfigured(
            f"No credentials are stored for {name}: run `connector credentials set {name.replace('/', ' ')}`."
        )
    return msgspec.json.decode(cipher.decrypt(row[0], _context(name)), type=shape)


def names(conn: Conn) -> list[Stored]:
    """Return what is stored, without opening it."""
    rows = conn.execute("select name, key_id, updated_at from credential order by name").fetchall()
    return [Stored(name=name, key_id=key_id, updated_at=updated_at) for name, key_id, updated_at in rows]


def rotate(conn: Conn, cipher: Cipher) -> int:
    """Encrypt every credential with the newest key, all or none; return how many were not before.

    Raises:
        Misconfigured: one was encrypted with a key that is not configured.
    """
    with conn.transaction():
        rows = conn.execute("select name, blob, key_id from credential order by name for update").fetchall()
        outdated = [(name, blob) for name, blob, key_id in rows if key_id != cipher.key_id]
        for name, blob in outdated:
            fresh = cipher.encrypt(cipher.decrypt(blob, _context(name)), _context(name))
            # `updated_at` stays: it says how old the secret is, not its wrapping.
            conn.execute("update credential set blob = %s, key_id = %s where name = %s", (fresh, cipher.key_id, name))
    return len(outdated)


def _context(name: str) -> bytes:
    return f"credential:{name}".encode()

"""The process's environment to one struct. Pure: the variables come in as a mapping.

Only composition roots read `os.environ`; everybody else is handed what they need.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from shared.errors import Misconfigured

LogFormat = Literal["auto", "text", "json"]

DATABASE_SCHEMES: Final = ("postgresql", "postgres")
REDIS_SCHEMES: Final = ("redis", "rediss", "unix")
_LOG_WORDS: Final = ("text", "json", "debug")


class Bind(msgspec.Struct, frozen=True):
    """An address to listen on."""

    host: str
    port: int


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What the variables say; an empty variable counts as unset.

    Attributes:
        database_url: None runs the embedded PostgreSQL.
        redis_url: None runs the embedded Redis.
        master_key: text of one or more keys, newest first; read by `credentials.keys_from_text`.
        log: `auto` is text on a terminal, else JSON.
        debug: tracebacks and debug lines are wanted.
    """

    database_url: str | None = None
    redis_url: str | None = None
    config_path: Path = Path("connector.toml")
    master_key: str | None = None
    master_key_file: Path | None = None
    log: LogFormat = "auto"
    debug: bool = False
    console_bind: Bind = Bind("127.0.0.1", 8080)
    hooks_bind: Bind = Bind("127.0.0.1", 8081)

    def __repr__(self) -> str:
        # Two of the fields hold passwords and one the master key: none of them is worth showing in an error.
        return f"Environment(config_path={str(self.config_path)!r})"


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Return what `variables` ask for.

    Raises:
        Misconfigured: a variable cannot be used; its value is only named where it holds no secret.
    """
    given = {name: value.strip() for name, value in variables.items() if value.strip()}
    if "CONNECTOR_MASTER_KEY" in given and "CONNECTOR_MASTER_KEY_FILE" in given:
        raise Misconfigured("CONNECTOR_MASTER_KEY and CONNECTOR_MASTER_KEY_FILE are both set: keep one of them.")
    log, debug = _log(given.get("CONNECTOR_LOG", ""))
    key_file = given.get("CONNECTOR_MASTER_KEY_FILE")
    return Environment(
        database_url=_url(given, "DATABASE_URL", DATABASE_SCHEMES, "postgresql://user:password@host:5432/name"),
        redis_url=_url(given, "REDIS_URL", REDIS_SCHEMES, "redis://:password@host:6379/0"),
        config_path=Path(given.get("CONNECTOR_CONFIG", "connector.toml")),
        master_key=given.get("CONNECTOR_MASTER_KEY"),
        master_key_file=Path(key_file) if key_file else None,
        log=log,
        debug=debug,
        console_bind=_bind(given, "CONNECTOR_CONSOLE_BIND", "127.0.0.1:8080"),
        hooks_bind=_bind(given, "CONNECTOR_HOOKS_BIND", "127.0.0.1:8081"),
    )


def _url(given: Mapping[str, str], name: str, schemes: tuple[str, ...], example: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        usable = urlsplit(value).scheme in schemes
    except ValueError:  # Brackets that do not pair.
        usable = False
    if not usable:
        raise Misconfigured(f"{name} is not a URL such as {example}: correct it, or unset it to use the embedded one.")
    return value


def _log(value: str) -> tuple[LogFormat, bool]:
    words = {word.strip() for word in value.lower().split(",") if word.strip()}
    if unknown := sorted(words - set(_LOG_WORDS)):
        raise Misconfigured(f"CONNECTOR_LOG says {unknown[0]!r}: write text or json, and debug beside it if needed.")
    if {"text", "json"} <= words:
        raise Misconfigured("CONNECTOR_LOG asks for text and json at once: keep one of them.")
    return "json" if "json" in words else "text" if "text" in words else "auto", "debug" in words


def _bind(given: Mapping[str, str], name: str, default: str) -> Bind:
    value = given.get(name, default)
    host, colon, port = value.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65_536:
        raise Misconfigured(f"{name} is {value!r}: write host:port, such as {default}.")
    return Bind(host.removeprefix("[").removesuffix("]"), int(port))

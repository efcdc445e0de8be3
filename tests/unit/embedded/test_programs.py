from pathlib import Path

import pytest

from shared.embedded.programs import engine_from_version, postgres_engine, redis_engine
from shared.errors import Misconfigured

SERVER = Path("server")


@pytest.mark.parametrize(
    ("said", "stamp"),
    [
        ("postgres (PostgreSQL) 18.4\n", "PostgreSQL 18"),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "PostgreSQL 15"),
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1\n", "Valkey 9"),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=a\n", "Redis 7"),
    ],
)
def test_a_server_is_known_by_what_it_says_of_itself(said: str, stamp: str) -> None:
    assert engine_from_version(SERVER, said).stamp == stamp


def test_a_program_that_is_no_server_is_refused() -> None:
    with pytest.raises(Misconfigured, match="neither PostgreSQL nor Valkey nor Redis"):
        engine_from_version(SERVER, "GNU bash, version 5.2.15\n")


def _program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


def test_the_programs_the_operator_names_come_first(tmp_path: Path) -> None:
    _program(tmp_path, "initdb", "initdb (PostgreSQL) 17.1")
    _program(tmp_path, "postgres", "postgres (PostgreSQL) 17.1")
    valkey = _program(tmp_path, "some-server", "Valkey server v=8.1.0 sha=0")
    assert postgres_engine({"PG_BINDIR": str(tmp_path)}).stamp == "PostgreSQL 17"
    assert redis_engine({"REDIS_SERVER_BIN": str(valkey)}).stamp == "Valkey 8"


def test_a_folder_without_the_programs_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PG_BINDIR"):
        postgres_engine({"PG_BINDIR": str(tmp_path)})
    with pytest.raises(Misconfigured, match="REDIS_SERVER_BIN"):
        redis_engine({"REDIS_SERVER_BIN": str(tmp_path / "missing")})


def test_a_postgres_that_is_too_old_is_refused(tmp_path: Path) -> None:
    _program(tmp_path, "initdb", "initdb (PostgreSQL) 12.2")
    _program(tmp_path, "postgres", "postgres (PostgreSQL) 12.2")
    with pytest.raises(Misconfigured, match="15 is the oldest supported"):
        postgres_engine({"PG_BINDIR": str(tmp_path)})

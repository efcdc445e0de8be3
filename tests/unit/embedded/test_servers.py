from pathlib import Path

import pytest

from shared.embedded.children import clean_environment
from shared.embedded.programs import Engine
from shared.embedded.redis import configuration, readable_by


def test_a_server_hears_nothing_of_the_persons_settings_and_secrets() -> None:
    environ = {
        "PATH": "/bin",
        "PGHOST": "elsewhere",
        "LC_MESSAGES": "de_DE",
        "LANG": "de_DE",
        "CONNECTOR_MASTER_KEY": "secret",
        "REDIS_URL": "redis://:secret@elsewhere",
    }
    assert clean_environment(environ) == {"PATH": "/bin", "LC_ALL": "C"}


def test_the_queues_outlive_the_server_and_are_never_evicted() -> None:
    lines = configuration(port=7, password="p", folder=Path("/a b")).splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction", "bind 127.0.0.1", "requirepass p", 'dir "/a b"'} <= set(
        lines
    )


@pytest.mark.parametrize(
    ("made_by", "readable"),
    [("Valkey 9", True), ("Valkey 8", True), ("Valkey 10", False), ("Redis 9", False), ("", False), ("Valkey", False)],
)
def test_a_file_is_read_by_its_own_engine_of_the_same_or_a_later_major(made_by: str, readable: bool) -> None:
    assert readable_by(made_by, Engine(Path("valkey-server"), "Valkey", 9)) is readable

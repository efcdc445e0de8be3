"""The environment, variable by variable."""

from pathlib import Path

import pytest

from shared.config.environment import Bind, read_environment
from shared.errors import Misconfigured


def test_an_empty_environment_means_embedded_servers_and_the_defaults() -> None:
    environment = read_environment({})
    assert environment.database_url is None
    assert environment.redis_url is None
    assert environment.config_path == Path("connector.toml")
    assert environment.console_bind == Bind("127.0.0.1", 8080)
    assert environment.hooks_bind == Bind("127.0.0.1", 8081)
    assert (environment.log, environment.debug) == ("auto", False)


def test_an_empty_variable_counts_as_unset() -> None:
    environment = read_environment({"DATABASE_URL": "", "REDIS_URL": " ", "CONNECTOR_CONFIG": ""})
    assert environment == read_environment({})


def test_every_variable_is_taken() -> None:
    environment = read_environment(
        {
            "DATABASE_URL": "postgresql://u:p@db/x",
            "REDIS_URL": "rediss://r:6380/1",
            "CONNECTOR_CONFIG": "/etc/connector.toml",
            "CONNECTOR_MASTER_KEY_FILE": "/run/secrets/key",
            "CONNECTOR_LOG": "json,debug",
            "CONNECTOR_CONSOLE_BIND": "0.0.0.0:80",
            "CONNECTOR_HOOKS_BIND": "[::1]:8081",
        }
    )
    assert environment.database_url == "postgresql://u:p@db/x"
    assert environment.redis_url == "rediss://r:6380/1"
    assert environment.config_path == Path("/etc/connector.toml")
    assert environment.master_key_file == Path("/run/secrets/key")
    assert (environment.log, environment.debug) == ("json", True)
    assert environment.console_bind == Bind("0.0.0.0", 80)  # noqa: S104 - what a container binds
    assert environment.hooks_bind == Bind("::1", 8081)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DATABASE_URL", "mysql://u:hunter2@db/x", "postgresql://user"),
        ("DATABASE_URL", "hunter2", "postgresql://user"),
        ("DATABASE_URL", "postgresql://[hunter2", "postgresql://user"),
        ("REDIS_URL", "http://:hunter2@r", "redis://:password"),
        ("CONNECTOR_LOG", "xml", "'xml'"),
        ("CONNECTOR_LOG", "text,json", "keep one"),
        ("CONNECTOR_CONSOLE_BIND", "8080", "host:port"),
        ("CONNECTOR_CONSOLE_BIND", "host:", "host:port"),
        ("CONNECTOR_CONSOLE_BIND", "host:70000", "host:port"),
        ("CONNECTOR_HOOKS_BIND", ":8081", "host:port"),
        ("CONNECTOR_HOOKS_BIND", "host:-1", "host:port"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_with_its_remedy(variable: str, value: str, words: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_environment({variable: value})
    message = str(caught.value)
    assert message.startswith(variable)
    assert words in message
    assert "hunter2" not in message


def test_two_places_for_the_master_key_are_refused() -> None:
    with pytest.raises(Misconfigured, match="keep one"):
        read_environment({"CONNECTOR_MASTER_KEY": "a", "CONNECTOR_MASTER_KEY_FILE": "b"})


def test_showing_an_environment_shows_no_secret() -> None:
    environment = read_environment({"DATABASE_URL": "postgresql://u:hunter2@db/x", "CONNECTOR_MASTER_KEY": "hunter3"})
    assert "hunter" not in f"{environment!r} {environment}"

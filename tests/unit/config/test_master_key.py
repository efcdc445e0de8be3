"""Where the master key comes from."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.config.encryption import new_key
from shared.config.environment import Environment
from shared.config.master_key import KEY_FILE, open_cipher
from shared.errors import Misconfigured


def silent(text: str) -> None:
    pytest.fail(f"said {text}")


def test_a_key_in_the_environment_is_used(tmp_path: Path) -> None:
    key = new_key()
    environment = Environment(master_key=key)
    assert open_cipher(environment, tmp_path, silent).key_id == open_cipher(environment, tmp_path, silent).key_id
    assert not (tmp_path / KEY_FILE).exists()


def test_a_key_file_of_ones_own_is_used(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(new_key() + "\n")
    file.chmod(0o600)
    sealed = open_cipher(Environment(master_key_file=file), tmp_path, silent).encrypt(b"a", b"b")
    assert open_cipher(Environment(master_key_file=file), tmp_path, silent).decrypt(sealed, b"b") == b"a"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602])
def test_a_key_file_that_others_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    file.write_text(new_key())
    file.chmod(mode)
    with pytest.raises(Misconfigured, match="chmod 600"):
        open_cipher(Environment(master_key_file=file), tmp_path, silent)


def test_a_key_file_that_a_service_group_may_read_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(new_key())
    file.chmod(0o640)
    open_cipher(Environment(master_key_file=file), tmp_path, silent)


def test_a_key_file_that_is_missing_or_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with pytest.raises(Misconfigured, match="CONNECTOR_MASTER_KEY_FILE"):
        open_cipher(Environment(master_key_file=file), tmp_path, silent)
    file.write_bytes(b"\xff" * 32)
    file.chmod(0o600)
    with pytest.raises(Misconfigured, match="new-key"):
        open_cipher(Environment(master_key_file=file), tmp_path, silent)


def test_a_database_of_ones_own_needs_a_key_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="CONNECTOR_MASTER_KEY_FILE"):
        open_cipher(Environment(database_url="postgresql://db/x"), tmp_path, silent)
    assert not (tmp_path / KEY_FILE).exists()


def test_first_steps_get_a_private_key_file_and_are_told_once(tmp_path: Path) -> None:
    said: list[str] = []
    first = open_cipher(Environment(), tmp_path, said.append)
    second = open_cipher(Environment(), tmp_path, said.append)
    assert first.key_id == second.key_id
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert len(said) == 1
    assert (tmp_path / KEY_FILE).read_text().strip() not in said[0]


def test_processes_that_start_together_agree_on_one_key_file(tmp_path: Path) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: open_cipher(Environment(), tmp_path, said.append).key_id, range(16)))
    assert len(ids) == 1
    assert len(said) == 1
    assert [path.name for path in (tmp_path / KEY_FILE).parent.iterdir()] == [KEY_FILE.name]

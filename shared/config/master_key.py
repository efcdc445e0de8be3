"""The environment to a cipher: from a variable, a key file, or for first steps a key file made on the spot."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.config.encryption import Cipher, keys_from_text, new_key
from shared.config.environment import Environment
from shared.errors import Misconfigured

#: Where embedded servers keep their data, and the key of first steps beside it; below the working directory.
KEY_FILE: Final = Path(".connector") / "master.key"
#: Container runtimes mount secrets here with a mode of their own choice, in memory of that container only.
_MOUNTED: Final = Path("/run/secrets")


def open_cipher(environment: Environment, root: Path, say: Callable[[str], None]) -> Cipher:
    """Return the cipher that the environment asks for.

    Where the database is the embedded one and no key is named, a key file is made under `root`, once: `say` is told.

    Raises:
        Misconfigured: no key for a database of one's own, or a key that cannot be read or used.
    """
    if environment.master_key is not None:
        return Cipher(keys_from_text(environment.master_key, "CONNECTOR_MASTER_KEY"))
    if environment.master_key_file is not None:
        return Cipher(_read(environment.master_key_file))
    if environment.database_url is not None:
        raise Misconfigured(
            "No master key: set CONNECTOR_MASTER_KEY_FILE or CONNECTOR_MASTER_KEY "
            "(`connector credentials new-key` prints a key), the same on every machine."
        )
    path = root / KEY_FILE
    if _make(path):
        say(f"Made a master key in {path}: back it up with the database, since neither opens without the other.")
    return Cipher(_read(path))


def _make(path: Path) -> bool:
    """Write a new key to `path` unless one is there; tell whether it was written."""
    if path.exists():
        return False
    # Passable but not listable: an embedded server that runs as another user lives below it too.
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_key() + "\n")
        # Linking is all or nothing: of two processes that start at once, one wins and both read the same whole key.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _read(path: Path) -> list[bytes]:
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except OSError as error:
        raise Misconfigured(
            f"The master key file {path} cannot be read ({error.strerror}): correct CONNECTOR_MASTER_KEY_FILE."
        ) from error
    except UnicodeDecodeError as error:
        raise Misconfigured(
            f"The master key file {path} is not text: `connector credentials new-key` prints a key to put there."
        ) from error
    others = stat.S_IRWXO | stat.S_IWGRP
    if mode & others and not path.resolve().is_relative_to(_MOUNTED):
        raise Misconfigured(f"Others may read or change the master key file {path}: run `chmod 600 {path}`.")
    return keys_from_text(text, f"The master key file {path}")

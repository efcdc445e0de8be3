"""The demo's folder: an installation of its own, made anew by every demo, and nothing of the operator's in it."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from console.processes import PROGRAM
from shared.embedded.children import free_port
from shared.embedded.sharing import FOLDER
from shared.errors import Misconfigured

#: Below the working directory.
PLACE: Final = Path(FOLDER) / "demo"
#: Beside it, where the control planes of the running stand-ins are told.
ADDRESSES: Final = "stand-ins.json"
LOG: Final = "log"
#: Variables that lead to the operator's own servers, keys and settings.
_NOT_HERE: Final = ("CONNECTOR_", "DATABASE_URL", "REDIS_URL")
_BINDS: Final = ("CONNECTOR_CONSOLE_BIND", "CONNECTOR_HOOKS_BIND")


@contextlib.contextmanager
def fresh_folder(root: Path) -> Iterator[Path]:
    """Lend an empty folder; one demo at a time has it. What a demo leaves there stays until the next.

    Raises:
        Misconfigured: another demo runs here, or the folder cannot be made.
    """
    folder = (root / PLACE).absolute()
    try:
        # Passable: as root, the database may run as another user.
        folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Misconfigured(f"A demo is running in {folder}: end it first (Ctrl-C there).") from error
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(mode=0o711)
            yield folder
    except PermissionError as error:
        raise Misconfigured(
            f"{error.filename} cannot be written ({error.strerror}): remove {folder}, or run the demo elsewhere."
        ) from error


def variables_of(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of the demo: embedded servers, its own settings, ports that are free."""
    kept = {name: text for name, text in variables.items() if not name.startswith(_NOT_HERE)}
    binds = {name: variables.get(name) or f"127.0.0.1:{free_port()}" for name in _BINDS}
    return {**kept, "CONNECTOR_CONFIG": str(folder / "connector.toml"), **binds}


def command_from(folder: Path) -> str:
    """Return how `connector` is called from within `folder`."""
    script = PROGRAM / "run"
    if not script.is_file():
        return "connector"
    relative = os.path.relpath(script, folder)
    path = min(str(script), relative, key=len)
    return f"{path if os.sep in path else f'.{os.sep}{path}'} connector"

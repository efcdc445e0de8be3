"""What the Procfile's processes are started with, for every command that starts them."""

from pathlib import Path

from console.context import Context
from shared.config.master_key import KEY_FILE
from shared.errors import Misconfigured

#: Where our packages lie, which is where `python -m` finds them.
PROGRAM = Path(__file__).resolve().parents[1]
#: In a checkout and in the image beside the packages, in an installed package within this one.
PROCFILES = (PROGRAM / "Procfile", PROGRAM / "console" / "Procfile")


def find_procfile() -> Path:
    """Return the Procfile that came with this program.

    Raises:
        Misconfigured: it is gone.
    """
    for path in PROCFILES:
        if path.is_file():
            return path
    raise Misconfigured(f"There is no {PROCFILES[0]}: install the connector again.")


def environment_of_processes(context: Context) -> dict[str, str]:
    """Return what the processes are started with; whatever would keep all of them from running is said first.

    Raises:
        Misconfigured: a variable, the settings file, the master key or a server cannot be used.
    """
    environment = context.environment
    context.settings  # noqa: B018 - a fault in the file is told before anything is started
    context.cipher  # noqa: B018 - makes the key of first steps, or says that there is none
    variables = dict(context.variables)
    # The processes work in another folder.
    variables["CONNECTOR_CONFIG"] = str(_absolute(context, environment.config_path))
    if environment.master_key is None:
        key_file = environment.master_key_file or KEY_FILE
        variables["CONNECTOR_MASTER_KEY_FILE"] = str(_absolute(context, key_file))
    variables["DATABASE_URL"], variables["REDIS_URL"] = context.urls
    return variables


def health_address(context: Context) -> str:
    """Return where the web process listens, as a browser on this machine would ask for it."""
    bind = context.environment.console_bind
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host)  # noqa: S104 - asked for, not bound
    return f"http://[{host}]:{bind.port}" if ":" in host else f"http://{host}:{bind.port}"


def _absolute(context: Context, path: Path) -> Path:
    return (context.root / path).absolute()

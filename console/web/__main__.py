"""The web process: serves health and figures on CONNECTOR_CONSOLE_BIND until told to stop."""

import os
import sys
from collections.abc import Mapping

from console.web.pages import build_app
from console.web.serving import listen, serve
from shared.assembly import from_environment
from shared.errors import Misconfigured
from shared.logs import set_up
from shared.process import MISCONFIGURED

#: Connections at a time; more are told to come back. Monitoring needs a handful.
CONNECTIONS_MAX = 64


def main(variables: Mapping[str, str]) -> int:
    """Serve until a signal; return the exit code.

    Unlike the other processes it starts without its servers: to say that they are away is its task.
    """
    try:
        parts = from_environment(variables, "web")
        set_up(parts.environment.log, debug=parts.environment.debug)
        parts.settings  # noqa: B018 - a fault in the file is told at once
        listener = listen(parts.environment.console_bind, "CONNECTOR_CONSOLE_BIND")
    except Misconfigured as error:
        sys.stderr.write(f"web: {error}\n")
        return MISCONFIGURED
    serve(build_app(parts), listener, "web", CONNECTIONS_MAX)
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))

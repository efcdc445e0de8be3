"""Runs the stand-in: `python -m sandbox.cin7 --port 8092`."""

import argparse
import socket
import sys
from pathlib import Path
from typing import cast

from sandbox.cin7.program import Cin7Sandbox
from sandbox.cin7.wire import Json, decode
from sandbox.serving import build_server


def main() -> int:
    """Serve until told to stop. Exit code 2: the address or the seed cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cin7", description="A stand-in for Cin7 Core's API v2.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--seed-file", type=Path, help='JSON: {"accounts": [...]}')
    parser.add_argument("--token", default="", help="bearer token of the control plane")
    options = parser.parse_args()
    try:
        seed = cast("Json", decode(options.seed_file.read_bytes())) if options.seed_file else None
        app = Cin7Sandbox(control_token=options.token, seed=seed)
        listener = socket.create_server((options.host, options.port), backlog=1024)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"The stand-in for Cin7 cannot start: {error}\n")
        return 2
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"Cin7 stand-in ready: http://{host}:{port}/ExternalApi/v2/\n")
    sys.stdout.flush()
    build_server(app, Cin7Sandbox.protocol_class).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m sandbox.ifs`: serves the IFS Cloud stand-in until it is told to stop."""

import argparse
import socket
import sys
from pathlib import Path

import msgspec

from sandbox.ifs.answers import DECODER
from sandbox.ifs.app import IfsApp
from sandbox.ifs.connections import CuttableProtocol
from sandbox.ifs.store import UnknownName
from sandbox.serving import build_server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.ifs", description="A stand-in for IFS Cloud on loopback.")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one; the line at start says which")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed-file", type=Path, help="JSON body of POST /_sandbox/seed")
    parser.add_argument("--token", default="", help="bearer token that the control plane then asks for")
    options = parser.parse_args()
    app = IfsApp(options.token)
    if options.seed_file is not None:
        try:
            app.seed(DECODER.decode(options.seed_file.read_bytes()))
        except (OSError, msgspec.MsgspecError, UnknownName) as problem:
            print(f"{options.seed_file} cannot be used as a seed: {problem}", file=sys.stderr)  # noqa: T201  # A command's message.
            return 2
    try:
        listener = socket.create_server((options.host, options.port), backlog=1024)
    except OSError as problem:
        print(f"Port {options.port} of {options.host} cannot be used: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    host, port = listener.getsockname()[:2]
    print(f"IFS stand-in ready at http://{host}:{port}", flush=True)  # noqa: T201  # Whoever started it waits for this line.
    build_server(app, CuttableProtocol).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())

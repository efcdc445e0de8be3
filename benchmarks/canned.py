"""The IFS stand-in behind a memory of its own answers: what is asked again in the same words costs nearly nothing.

Benchmarks of what stands behind the reading use it on both sides, so that they do not measure the stand-in.
"""

import argparse
import socket
from pathlib import Path

from starlette.types import Message, Receive, Scope, Send

from sandbox.ifs.answers import DECODER
from sandbox.ifs.app import IfsApp
from sandbox.lean_http import LeanProtocol
from sandbox.serving import build_server


class Canned:
    """Passes everything on, but for a read that was answered before; an order to the control plane forgets all."""

    def __init__(self, app: IfsApp) -> None:
        self.app = app
        self.kept: dict[bytes, list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = scope["raw_path"] + b"?" + scope["query_string"]
        if scope["path"].startswith("/_sandbox/") and scope["method"] == "POST":
            self.kept.clear()
        if scope["method"] != "GET" or scope["path"].startswith(("/_sandbox/", "/auth/")):
            await self.app(scope, receive, send)
            return
        if key not in self.kept:
            answer: list[Message] = []

            async def keep(message: Message) -> None:
                answer.append(message)

            await self.app(scope, receive, keep)
            if answer[0]["status"] == 200:
                self.kept[key] = answer
        for message in self.kept.get(key, ()) or answer:
            await send(message)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canned")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed-file", type=Path, required=True)
    options = parser.parse_args()
    app = IfsApp()
    app.seed(DECODER.decode(options.seed_file.read_bytes()))
    listener = socket.create_server(("127.0.0.1", options.port), backlog=1024)
    print(f"IFS stand-in ready at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    build_server(Canned(app), LeanProtocol).run(sockets=[listener])


if __name__ == "__main__":
    main()

"""The receiver of one process on an empty ledger, called in process or served."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.types import Message

from console.hooks.app import build_app
from shared.assembly import Assembly
from shared.config import credentials
from shared.config.credentials import HOOKS, HooksCredentials
from shared.config.environment import Environment
from shared.config.settings import Cin7Settings, IfsSettings, Settings
from shared.ledger import hints
from shared.ledger.connection import Ledger
from shared.ledger.hints import Waiting

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SECRET = "correct-horse-battery"
PATH = "/hooks/cin7/main"
BEARER = (b"authorization", f"Bearer {SECRET}".encode())
A = "592e5eff-3c92-4a12-a275-67de1fda66ef"


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape
        return msgspec.json.decode(self.body)


class Hooks:
    """One process's receiver."""

    def __init__(self, database_url: str, redis_url: str, accounts: Sequence[str] = ("main", "second")) -> None:
        self.parts = Assembly(
            Environment(master_key=KEY), database_url=database_url, redis_url=redis_url, role="hooks", root=Path()
        )
        self.parts.settings = Settings(
            ifs=IfsSettings(base_url="http://127.0.0.1:1", realm="x"),
            cin7={name: Cin7Settings(base_url="http://127.0.0.1:1/") for name in accounts},
        )
        self.app: Starlette = build_app(self.parts)
        self.loop = asyncio.new_event_loop()

    @property
    def ledger(self) -> Ledger:
        return self.parts.ledger

    def store(self, secret: str = SECRET) -> None:
        credentials.store(self.ledger.connection(), self.parts.cipher, HOOKS, HooksCredentials(secret=secret))

    def call(self, *chunks: bytes, path: str = PATH, method: str = "POST", headers: Sequence[Any] = (BEARER,)) -> Got:
        """Call the program with a body in pieces."""
        return self.loop.run_until_complete(asgi(self.app, chunks or (b"",), path, method, headers))

    def hints(self, account: str = "main") -> set[str]:
        rows = self.ledger.rows("select target from hint where account = %s and answered < calls", (account,))
        return {str(row[0]) for row in rows}

    def waiting(self, account: str = "main") -> Waiting:
        with self.ledger.transaction() as cur:
            return hints.waiting(cur, [account])[0]

    def figure(self, line: str) -> float:
        text = self.call(path="/metrics", method="GET").body.decode()
        found = [row for row in text.splitlines() if row.startswith(f"{line} ")]
        assert found, f"there is no figure {line}"
        return float(found[0].split()[-1])

    def close(self) -> None:
        self.ledger.close()
        self.loop.close()


def body(*ids: str, kind: str = "Supplier/Updated") -> bytes:
    return msgspec.json.encode(
        {"SupplierDetailsList": [{"Supplier": {"ID": one, "Name": "Acme"}} for one in ids], "EventType": kind}
    )


async def asgi(
    app: Starlette, chunks: Sequence[bytes], path: str, method: str, headers: Sequence[Any], *, cut: bool = False
) -> Got:
    """Make one call without a network; where it is cut, the client goes away instead of sending the last piece."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    left = list(chunks)
    sent: list[Message] = []

    async def receive() -> Message:
        if not left or (cut and len(left) == 1):
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    head = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:]))

"""Both stand-ins as processes of their own, and the way to their control planes."""

import json
import queue
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import httpx

from console.demo.place import ADDRESSES
from console.processes import PROGRAM
from console.supervising import OWN_NAME, OnLine, Supervisor
from sandbox.world import as_json
from shared.errors import Misconfigured

MODULES: Final = {"ifs": "sandbox.ifs", "cin7": "sandbox.cin7"}
#: Seconds a stand-in may take to read its seed and listen.
PATIENCE_S: Final = 60.0


class StandIns:
    """Runs both, from entering to leaving the context.

    Args:
        folder: where the seeds are laid, and the addresses for `--repair`.
        seeds: by name, the body of each one's seed.
        environ: theirs.
        on_line: gets what they write.
    """

    def __init__(
        self, folder: Path, seeds: Mapping[str, Mapping[str, Any]], environ: Mapping[str, str], on_line: OnLine
    ) -> None:
        self.urls: dict[str, str] = {}
        self._folder = folder
        self._on_line = on_line
        self._ready: queue.Queue[tuple[str, str]] = queue.Queue()
        commands = {}
        for name, module in MODULES.items():
            seed = folder / f"{name}-seed.json"
            seed.write_bytes(as_json(seeds[name]))
            commands[name] = f"python -m {module} --port 0 --seed-file {shlex.quote(str(seed))}"
        self._supervisor = Supervisor(commands, environ, folder=PROGRAM, on_line=self._hear, grace_s=5)

    def __enter__(self) -> "StandIns":
        self._supervisor.__enter__()
        try:
            self._wait()
        except BaseException:
            self._supervisor.stop()
            raise
        (self._folder / ADDRESSES).write_text(json.dumps(self.urls))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._supervisor.stop()

    def ask(self, name: str, path: str, **query: str | int) -> Any:  # noqa: ANN401 - JSON of any shape
        """Return what a control plane tells."""
        return exchange("GET", f"{self.urls[name]}/_sandbox/{path}", params=query)

    def tell(self, name: str, path: str, body: object) -> Any:  # noqa: ANN401 - as above
        """Change something through a control plane."""
        return exchange("POST", f"{self.urls[name]}/_sandbox/{path}", content=as_json(body))

    def require_alive(self) -> None:
        """Raise `Misconfigured` where one was started again: what it held is gone, and so is its address."""
        if not self._ready.empty():
            name, _ = self._ready.get()
            raise Misconfigured(f"The stand-in for {name} ended and lost what it held: start the demo again.")

    def _hear(self, name: str, text: str) -> None:
        self._on_line(name, text)
        if name != OWN_NAME and " ready" in text and "http://" in text:
            address = next(word for word in text.split() if word.startswith("http://"))
            self._ready.put((name, "/".join(address.split("/")[:3])))

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while len(self.urls) < len(MODULES):
            try:
                name, url = self._ready.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                missing = ", ".join(MODULES.keys() - self.urls.keys())
                raise Misconfigured(
                    f"The stand-in for {missing} does not start: see the log in {self._folder}."
                ) from None
            self.urls[name] = url


def exchange(
    method: str, url: str, *, params: Mapping[str, str | int] | None = None, content: bytes | None = None
) -> Any:  # noqa: ANN401 - JSON of any shape
    """Make one call to a control plane and return what it answers."""
    answer = httpx.request(
        method,
        url,
        params=params,
        content=content,
        headers={"content-type": "application/json"},
        timeout=60,
        trust_env=False,
    )
    if answer.status_code != 200:
        raise Misconfigured(f"A stand-in refused {method} {url}: {answer.text[:200]}")
    return answer.json()

"""An installation in this process: real servers, both stand-ins in threads, the workers' stages run on the spot."""

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import run
from sandbox.cin7 import Cin7Sandbox
from sandbox.ifs.app import IfsApp
from sandbox.ifs.connections import CuttableProtocol
from sandbox.ifs.control import Edit
from sandbox.serving import serving
from sandbox.world import World, as_json
from shared.assembly import Assembly, from_environment
from workers.composition import mapping_stages, writing_stages

#: Rounds of mapping and writing after which an installation of a few records that still moves never stops.
ROUNDS_MAX = 20


class Installation:
    """One configured connector; `say` runs a command as an operator types it."""

    def __init__(
        self,
        folder: Path,
        variables: dict[str, str],
        ifs: IfsApp,
        cin7: Cin7Sandbox,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.folder = folder
        self.variables = variables
        self.ifs = ifs
        self.cin7 = cin7
        self.capsys = capsys
        self.worker: Assembly = from_environment(variables, "worker")

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run one command; return exit code, standard output and standard error."""
        self.capsys.readouterr()
        code = run(arguments, self.variables, self.folder)
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        assert not (self.folder / ".connector" / "error.log").exists(), err
        return code, out, err

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON of any shape
        """Run one command with --json; it must end with `code`."""
        got, out, err = self(*arguments, "--json")
        assert got == code, err
        return json.loads(out)

    def work(self) -> None:
        """Map and write until nothing is left to do."""
        mapping, writing = mapping_stages(self.worker), writing_stages(self.worker, lambda: False)
        for _ in range(ROUNDS_MAX):
            rows = self.worker.ledger.rows(
                """
                select id, flow, state from entry
                where state in ('detected', 'mapped') and due_at < 'infinity' order by id
                """
            )
            if not rows:
                return
            for flow, stage in mapping.items():
                stage.run([row[0] for row in rows if row[1:] == (flow.name, "detected")])
            for flow, writer in writing.items():
                writer.run([row[0] for row in rows if row[1:] == (flow.name, "mapped")])
        raise AssertionError("the entries never come to rest")

    def edit(self, table: str, **rows: object) -> None:
        """Edit the tenant as its users would."""
        self.ifs.control.edit([Edit(set=table, **rows)])  # type: ignore[arg-type]

    def edit_in_cin7(self, **fields: object) -> None:
        """Edit a supplier of Cin7's first account as its users would; one without ID is new."""
        account = self.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"]
        self.cin7.control("POST", "suppliers", {"account": account, "supplier": fields})

    def cin7_id(self, key: str) -> str:
        """Return the ID of the vendor that a supplier of IFS is linked to."""
        rows = self.worker.ledger.rows("select cin7_id from link where flow = 'suppliers' and ifs_key = %s", (key,))
        return str(rows[0][0])

    def cin7_calls(self) -> int:
        """Return how many calls Cin7 has seen."""
        return len(self.cin7.control("GET", "requests")["requests"])

    def writes(self) -> list[str]:
        """Return the calls that may have changed Cin7."""
        seen = self.cin7.control("GET", "requests")["requests"]
        return [f"{call['method']} {call['path']}" for call in seen if call["method"] != "GET"]


@contextlib.contextmanager
def installed(
    folder: Path,
    database_url: str,
    redis_url: str,
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    **options: Any,  # noqa: ANN401 - of connector_toml
) -> Iterator[Installation]:
    """Serve a world and set the connector up for it, as an operator would."""
    ifs, cin7 = IfsApp(), Cin7Sandbox(seed=json.loads(as_json(world.cin7_seed)))
    ifs.seed(json.loads(as_json(world.ifs_seed)))
    with serving(ifs, protocol_class=CuttableProtocol) as ifs_url, serving(cin7) as cin7_url:
        settings = folder / "connector.toml"
        settings.write_text(world.connector_toml(ifs_url, cin7_url, **options))
        variables = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONNECTOR_CONFIG": str(settings),
            "CONNECTOR_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "CONNECTOR_LOG": "json",
        }
        one = Installation(folder, variables, ifs, cin7, capsys)
        set_up(one, world, monkeypatch)
        try:
            yield one
        finally:
            one.worker.ledger.close()


def set_up(one: Installation, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store credentials and import the mapping tables."""
    bodies: dict[tuple[str, ...], Any] = {("ifs",): world.credentials["ifs"]}
    bodies |= {("cin7", account): body for account, body in world.credentials["cin7"].items()}
    for names, body in bodies.items():
        feed(monkeypatch, json.dumps(body))
        assert one("credentials", "set", *names)[0] == 0
    for table, text in world.tables.items():
        file = one.folder / f"{table}.csv"
        file.write_text(text)
        code, _, err = one("mappings", "import", table, str(file))
        assert code == 0, err


def feed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let the next command find `text` on its standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

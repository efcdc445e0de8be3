"""Sets up an installation for a made-up world: what an operator does in five commands."""

from pathlib import Path
from typing import Any, Final

import msgspec

from console.context import Context
from console.demo.stand_ins import StandIns
from sandbox.world import World
from shared.config import credentials
from shared.config.master_key import open_cipher
from shared.config.tables import import_csv
from shared.ledger.migrations import migrate

#: Calls per minute and key. Cin7 allows 60, and the demo would take ten minutes.
CALLS_PER_MINUTE: Final = 6_000
CIN7_LIMIT: Final[dict[str, Any]] = {"calls": CALLS_PER_MINUTE, "window_s": 60}
#: Often, so that changes made by hand show at once.
_STREAMS: Final = {
    "suppliers": {"every_s": 5},
    "purchase_orders": {"every_s": 2, "modified_field": "ChangeDate"},
    "supplier_invoices": {"every_s": 5},
    "journals": {"every_s": 5},
}
#: The property of vouchers that shows IFS's people the verdict.
VERDICT_FIELD: Final = "Cf_Cin7CheckState"


def write_settings(folder: Path, world: World, stand_ins: StandIns) -> None:
    """Write connector.toml and the tables' files."""
    text = world.connector_toml(
        stand_ins.urls["ifs"],
        stand_ins.urls["cin7"],
        cin7={"calls_per_minute": CALLS_PER_MINUTE, "poll_suppliers_every_s": 5},
        policy={"journal_verdict_field": VERDICT_FIELD},
        streams=_STREAMS,
    )
    (folder / "connector.toml").write_text(text, encoding="utf-8")
    tables = folder / "tables"
    tables.mkdir()
    for table, rows in world.tables.items():
        (tables / f"{table}.csv").write_text(rows, encoding="utf-8")


def set_up(context: Context, world: World) -> None:
    """Make the master key and the schema, store the credentials, import the tables."""
    # Here, unsaid: nobody is to back up the key of a demo.
    open_cipher(context.environment, context.root, lambda _: None)
    migrate(context.urls.database)
    conn = context.connect()
    named = {credentials.IFS: world.credentials["ifs"], credentials.HOOKS: world.credentials["hooks"]}
    named |= {credentials.cin7(account): body for account, body in world.credentials["cin7"].items()}
    for name, body in named.items():
        credentials.store(conn, context.cipher, name, credentials.read_credentials(name, msgspec.json.encode(body)))
    for table, rows in world.tables.items():
        import_csv(conn, table, rows, context.person, accounts=context.settings.cin7.keys())

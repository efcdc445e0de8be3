"""Does in the running demo what a person would do in Cin7: adds the account that most held orders lack."""

import json
from pathlib import Path

import httpx

from console.demo.place import ADDRESSES, PLACE
from console.demo.stand_ins import exchange
from sandbox.world import as_json
from sandbox.world.ground import MISSING_ACCOUNT
from shared.errors import Misconfigured


def repair_account(root: Path) -> str:
    """Add the account to the charts of the running stand-in for Cin7; return what to look at now.

    Raises:
        Misconfigured: no demo is running in `root`.
    """
    code = MISSING_ACCOUNT
    row = {"Code": code, "Name": f"Account {code}", "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE"}
    try:
        url = json.loads((root / PLACE / ADDRESSES).read_text())["cin7"]
        state = exchange("GET", f"{url}/_sandbox/state", params={"brief": "true"})
        for account in state["accounts"]:
            body = {"account": account["account_id"], "row": row}
            exchange("POST", f"{url}/_sandbox/accounts", content=as_json(body))
    except (OSError, ValueError, KeyError, httpx.TransportError) as error:
        raise Misconfigured(
            "No demo is running in this folder: start one here in another terminal, without --headless."
        ) from error
    return f"Account {code} is in Cin7's chart now. Within a minute the connector sees it and sends its documents on."

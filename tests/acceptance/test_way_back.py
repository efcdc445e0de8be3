"""People edit suppliers on both sides while writers are killed: in the end both sides are equal, no edit is lost."""

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import build_plain_world
from tests.acceptance.staging import Stage, staged, until

pytestmark = pytest.mark.slow

SUPPLIERS = 12
#: Edits, with a pause of so many seconds after each.
EDITS = 60
PAUSE_S = 0.15
HEADERS = "SupplierInfoGeneralSet"


@pytest.fixture
def stage(own_folder: Path, ready_url: str, redis_url: str) -> Iterator[Stage]:
    with staged(
        own_folder,
        ready_url,
        redis_url,
        build_plain_world(SUPPLIERS, 0),
        set_up=False,
        cin7={"calls_per_minute": 100_000, "settle_s": 0.5, "read_timeout_s": 1, "poll_suppliers_every_s": 1},
        ifs={"requests_per_minute": 100_000, "settle_s": 0.5},
        policy={"lease_s": 3, "loop_changes": 1_000},
        streams={"suppliers": {"every_s": 1}},
    ) as built:
        yield built


def vendors(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return the vendors of the first account by their number in IFS."""
    account = stage.cin7.control("state")["accounts"][0]
    return {row["AdditionalAttribute1"]: row for row in account["suppliers"]}


def edit_cin7(stage: Stage, **fields: object) -> None:
    account = stage.cin7.control("state?brief=true")["accounts"][0]["account_id"]
    stage.cin7.control("suppliers", {"account": account, "supplier": fields})


def edit_ifs(stage: Stage, table: str, **row: object) -> None:
    stage.ifs.control("rows", {"set": table, "patch": [row]})


def sides(stage: Stage) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return name, term and city of every supplier, as IFS has them and as Cin7 has them."""
    names = {row["SupplierId"]: row["Name"] for row in stage.ifs_rows(HEADERS)}
    terms = {row["Identity"]: row["PayTermId"] for row in stage.ifs_rows("IdentityInvoiceInfoSet")}
    cities = {row["SupplierId"]: row["City"] for row in stage.ifs_rows("SupplierInfoAddressSet")}
    days = {"10": "10 days", "30": "30 days", "60": "60 days"}
    ifs = {key: (names[key], days[terms[key]], cities[key]) for key in names}
    cin7 = {key: (row["Name"], row["PaymentTerm"], row["Addresses"][0]["City"]) for key, row in vendors(stage).items()}
    return ifs, cin7


def city_is_there(stage: Stage, key: str) -> bool:
    """Say whether Cin7 has what was edited in IFS, so that no write to that vendor can be under way.

    Cin7 has no versions: what is edited there between our look and our write is lost, as CHANGELOG.md says.
    """
    ifs, cin7 = sides(stage)
    return bool(ifs[key][2] == cin7[key][2])


def test_both_sides_become_equal_whatever_is_edited_while_writers_die(stage: Stage) -> None:
    chance = random.Random(7)  # noqa: S311 - made-up people
    stage.start_all(writers=2)
    until(lambda: len(vendors(stage)) == SUPPLIERS and "" not in vendors(stage), 90)
    stage.connector("poll", "cin7_suppliers")
    stage.wait()
    wanted: dict[tuple[str, str], str] = {}
    for number in range(EDITS):
        key = f"S{chance.randrange(SUPPLIERS):06}"
        what = chance.choice(["name", "term", "city"])
        if what != "city":
            until(lambda key=key: city_is_there(stage, key), 90)  # type: ignore[misc]
        row = vendors(stage)[key]
        if what == "name":
            wanted[key, what] = f"Name {number}"
            edit_cin7(stage, ID=row["ID"], Name=wanted[key, what])
        elif what == "term":
            wanted[key, what] = chance.choice(["10 days", "60 days"])
            edit_cin7(stage, ID=row["ID"], PaymentTerm=wanted[key, what])
        else:
            wanted[key, what] = f"City {number}"
            edit_ifs(stage, "SupplierInfoAddressSet", SupplierId=key, AddressId="1", City=wanted[key, what])
        if number % 20 == 10:
            stage.stop(signal.SIGKILL, only="writer")
            stage.start("writer", "writer")
        time.sleep(PAUSE_S)

    def is_equal() -> bool:
        ifs, cin7 = sides(stage)
        return ifs == cin7

    until(is_equal, 90, every_s=1)
    stage.wait()
    ifs, _ = sides(stage)
    places = {"name": 0, "term": 1, "city": 2}
    lost = {edit: value for edit, value in wanted.items() if ifs[edit[0]][places[edit[1]]] != value}
    held = json.dumps(stage.ask("holds"), indent=1)
    assert not lost, held
    assert held == "[]"
    assert sorted(ifs) == [f"S{number:06}" for number in range(SUPPLIERS)]
    assert stage.rows("select count(*) from effect where state in ('INTENT', 'UNKNOWN')") == [(0,)]
    stage.cin7.control("requests", method="DELETE")
    stage.ifs.control("requests", method="DELETE")
    time.sleep(4)
    stage.wait()
    writes = [call["path"] for call in stage.ifs.control("requests") if call["method"] in ("PATCH", "POST")]
    writes += [call["path"] for call in stage.cin7.control("requests")["requests"] if call["method"] != "GET"]
    assert [path for path in writes if "token" not in path] == [], "nothing goes to and fro"

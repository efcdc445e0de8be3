"""`connector check` against both stand-ins: what it says of a healthy set-up, and of each way to be wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from sandbox.cin7 import Cin7Sandbox
from sandbox.ifs.app import IfsApp
from sandbox.ifs.control import Edit
from sandbox.serving import serving
from sandbox.world import World, build_world
from shared.config import credentials
from shared.config.credentials import Cin7Credentials, IfsCredentials
from shared.config.encryption import Cipher, keys_from_text
from shared.config.tables import import_csv

ROOT = Path(__file__).parents[2]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
WORLD = build_world(suppliers=40, orders=100)


class Installation:
    """Both stand-ins served by this process, and an installation that is set up for them."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, world: World) -> None:
        self.folder = folder
        self.world = world
        self.ifs = IfsApp()
        self.ifs.seed(world.ifs_seed)
        self.cin7 = Cin7Sandbox(seed=world.cin7_seed)
        self.urls = ("", "")
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CONNECTOR_MASTER_KEY": KEY,
        }
        self.database_url = database_url

    def store(self) -> None:
        cipher = Cipher(keys_from_text(KEY, "key"))
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            credentials.store(conn, cipher, "ifs", IfsCredentials(**self.world.credentials["ifs"]))
            for account, body in self.world.credentials["cin7"].items():
                keys = {**body, "application_keys": tuple(body["application_keys"])}
                credentials.store(conn, cipher, credentials.cin7(account), Cin7Credentials(**keys))
            for table, text in self.world.tables.items():
                import_csv(conn, table, text, "test")

    def set(self, **options: Any) -> None:  # noqa: ANN401 - whatever the world takes
        (self.folder / "connector.toml").write_text(self.world.connector_toml(*self.urls, **options))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "console", "check", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def check(self) -> tuple[int, list[dict[str, str]]]:
        code, out, err = self.run("--json")
        assert err == ""
        results: list[dict[str, str]] = json.loads(out)
        assert all(set(one) == {"system", "check", "outcome", "detail", "remedy"} for one in results)
        assert all(one["remedy"] for one in results if one["outcome"] != "pass")
        return code, results

    def of(self, outcome: str) -> list[dict[str, str]]:
        return [one for one in self.check()[1] if one["outcome"] == outcome]


@pytest.fixture
def installation(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Installation]:
    set_up = Installation(tmp_path, database_url, redis_url, WORLD)
    with serving(set_up.ifs) as ifs_url, serving(set_up.cin7) as cin7_url:
        set_up.urls = (ifs_url, cin7_url)
        set_up.set()
        set_up.store()
        yield set_up


def writes(installation: Installation) -> list[str]:
    seen = installation.ifs.tenant.requests.report()
    return [call["path"] for call in seen if call["method"] != "GET" and "/auth/" not in call["path"]] + [
        call["path"] for call in installation.cin7.control("GET", "requests")["requests"] if call["method"] != "GET"
    ]


def test_a_good_installation_passes_and_nothing_is_written(installation: Installation) -> None:
    code, results = installation.check()
    assert [one for one in results if one["outcome"] == "fail"] == []
    assert code == 0
    assert {one["system"] for one in results} == {"connector", "ifs", "cin7/main", "cin7/second"}
    assert writes(installation) == []


def test_people_read_lines_with_remedies_and_a_sum(installation: Installation) -> None:
    code, out, _ = installation.run()
    assert code == 0
    assert "ok    ifs, token: Realm acme1 gives a token." in out
    assert out.splitlines()[-1].endswith(" 0 failed.")


def test_refused_ifs_credentials_are_one_failure_and_cin7_is_still_tried(installation: Installation) -> None:
    installation.ifs.tenant.tokens.clients.clear()
    code, results = installation.check()
    assert code == 1
    of_ifs = [one for one in results if one["system"] == "ifs"]
    assert [(one["check"], one["outcome"]) for one in of_ifs] == [("token", "fail")]
    assert "credentials set ifs" in of_ifs[0]["remedy"]
    assert sum(one["system"] == "cin7/main" and one["outcome"] == "pass" for one in results) > 8


def test_refused_cin7_credentials_are_one_failure_of_that_account(installation: Installation) -> None:
    seed = WORLD.cin7_seed["accounts"]
    changed = [{**seed[0], "keys": ["00000000-1111-4222-8333-444444444444"]}, *seed[1:]]
    installation.cin7.control("POST", "seed", {"accounts": changed})
    _, results = installation.check()
    assert [one["check"] for one in results if one["system"] == "cin7/main"] == ["company"]
    assert [one["system"] for one in results if one["outcome"] == "fail"] == ["cin7/main"]


def test_credentials_that_were_never_stored_are_named_with_the_command(installation: Installation) -> None:
    with psycopg.connect(installation.database_url, autocommit=True) as conn:
        conn.execute("delete from credential where name = 'cin7/second'")
    (failure,) = installation.of("fail")
    assert failure["system"] == "cin7/second"
    assert "connector credentials set cin7 second" in failure["remedy"]


def test_a_property_the_tenant_lacks_is_named_with_the_setting(installation: Installation) -> None:
    hidden = {"PurchaseOrderSet": ["Company"], "PurchaseOrderLineSet": ["BuyUnitPrice"]}
    installation.ifs.tenant.store.switches = installation.ifs.tenant.store.switches.changed(
        {"hidden_properties": hidden}
    )
    _, results = installation.check()
    said = {(one["outcome"], one["detail"]): one["remedy"] for one in results if one["check"] == "metadata"}
    price = next(detail for outcome, detail in said if outcome == "fail")
    assert "BuyUnitPrice" in price
    assert "[ifs.streams.purchase_orders] sets.lines" in said["fail", price]
    assert any("Company" in detail for outcome, detail in said if outcome == "warn")


def test_an_entity_service_that_is_not_active_is_a_warning_with_its_cost(installation: Installation) -> None:
    services = ["SupplierInfoAddressEntity", "CommMethodEntity"]
    installation.ifs.tenant.store.switches = installation.ifs.tenant.store.switches.changed(
        {"inactive_services": services}
    )
    code, results = installation.check()
    assert code == 0
    warned = [one["detail"] for one in results if one["check"] == "sets" and one["outcome"] == "warn"]
    assert any("one call more for every supplier " in detail for detail in warned)
    assert any("one call more for every address of every supplier" in detail for detail in warned)
    cost = next(one for one in results if one["check"] == "strategy" and "suppliers" in one["detail"])
    assert cost["outcome"] == "warn"


def test_where_suppliers_are_to_be_created_the_sets_that_they_need_are_tried_too(installation: Installation) -> None:
    def tried() -> set[str]:
        known = installation.check()[1]
        return {name for name in ("IdentityPayInfoSet", "/SupplierSet") if any(name in one["detail"] for one in known)}

    assert tried() == set()
    installation.set(policy={"cin7_supplier_unknown": "create"})
    assert tried() == {"IdentityPayInfoSet", "/SupplierSet"}
    assert writes(installation) == []


def test_a_company_that_is_not_granted_is_a_warning(installation: Installation) -> None:
    clients = installation.ifs.tenant.tokens.clients
    for name, client in list(clients.items()):
        clients[name] = msgspec.structs.replace(client, companies=frozenset({"10"}))
    seen = {one["detail"] for one in installation.of("warn")}
    assert "No row of company 20 can be seen." in seen
    assert "No row of company 10 can be seen." not in seen


def test_pages_that_are_cut_short_are_a_warning_with_the_size_to_set(installation: Installation) -> None:
    installation.ifs.tenant.store.switches = installation.ifs.tenant.store.switches.changed({"page_cap": 30})
    found = [one for one in installation.of("warn") if one["check"] == "size of pages"]
    assert {one["remedy"] for one in found} == {"Set page_size = 30 in section [ifs]."}


def test_the_strategy_that_auto_picks_is_told_with_its_calls(installation: Installation) -> None:
    installation.set(streams={"purchase_orders": {"modified_field": "ChangeDate", "every_s": 30}})
    _, results = installation.check()
    said = [one["detail"] for one in results if one["check"] == "strategy"]
    assert any(
        detail.startswith("purchase_orders finds changes by modified: about 2 calls every 30 s") for detail in said
    )
    assert any(detail.startswith("suppliers finds changes by sweep") for detail in said)
    filters = [one["detail"] for one in results if one["check"] == "time of change"]
    assert "PurchaseOrderHandling/PurchaseOrderSet filters by ChangeDate." in filters
    assert "PurchaseOrderLineEntity/PurchaseOrderLineSet filters by LastActivityDate." in filters


@pytest.mark.parametrize(("zone", "outcome"), [("Europe/Stockholm", "pass"), ("America/New_York", "fail")])
def test_a_wrong_time_zone_shows_once_a_row_is_fresh(installation: Installation, zone: str, outcome: str) -> None:
    row = installation.world.rows("PurchaseOrderLineSet")[0]
    key = {name: row[name] for name in ("OrderNo", "LineNo", "ReleaseNo")}
    edit = {"set": "PurchaseOrderLineSet", "patch": [{**key, "Description": "Fresh"}]}
    installation.ifs.control.edit([msgspec.convert(edit, Edit)])
    installation.set(ifs={"time_zone": zone})
    _, results = installation.check()
    assert [one["outcome"] for one in results if one["check"] == "time zone"] == [outcome]


@pytest.mark.parametrize(
    ("table", "csv", "words"),
    [
        (
            "companies",
            "company,cin7_account,payable_account\n10,main,4010\n",
            "4010 is not an accounts payable account",
        ),
        (
            "companies",
            "company,cin7_account,payable_account\n10,main,7777\n",
            "payable account 7777 is not in the chart",
        ),
        ("companies", "company,cin7_account,location\n10,main,Atlantis\n", "no location 'Atlantis'"),
        ("companies", "company,cin7_account\n10,third\n", "Cin7 account third, which the settings do not name"),
        ("payment_terms", "company,ifs_term,cin7_term\n10,30,Someday\n", "term 'Someday' is missing"),
        ("tax_codes", "company,ifs_code,cin7_tax_rule\n10,I25,None such\n", "no tax rule 'None such'"),
        ("accounts", "company,ifs_account,cin7_code\n10,4010,6990\n", "account 6990 is ARCHIVED"),
    ],
)
def test_what_a_table_names_and_cin7_lacks_is_a_failure(
    installation: Installation, table: str, csv: str, words: str
) -> None:
    with psycopg.connect(installation.database_url, autocommit=True) as conn:
        import_csv(conn, table, csv, "test")
    details = [one["detail"] for one in installation.of("fail")]
    assert any(words in detail for detail in details), details


def test_an_attribute_set_that_is_not_there_is_a_failure(installation: Installation) -> None:
    installation.set(cin7={"attribute_set": "Nonsense"})
    failures = installation.of("fail")
    assert {one["check"] for one in failures} == {"attribute set"}


def test_a_system_that_is_away_fails_and_the_other_is_tried(installation: Installation) -> None:
    installation.urls = ("http://127.0.0.1:1", installation.urls[1])
    installation.set()
    code, results = installation.check()
    assert code == 1
    assert all(one["outcome"] == "pass" for one in results if one["system"].startswith("cin7"))
    of_ifs = [one for one in results if one["system"] == "ifs"]
    assert [(one["check"], one["outcome"]) for one in of_ifs] == [("token", "fail")]
    assert "base_url" in of_ifs[0]["remedy"]


def test_faulty_settings_are_exit_5_with_one_sentence(installation: Installation) -> None:
    (installation.folder / "connector.toml").write_text("[ifs]\nbase_url = 1\n")
    code, out, err = installation.run("--json")
    assert (code, out) == (5, "")
    assert err.count("\n") == 1

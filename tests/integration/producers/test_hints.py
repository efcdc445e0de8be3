"""Hints are followed by a read: whatever calls come, the ledger ends as the poll alone would have left it."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from console.hooks.app import build_app
from producers.following import SupplierFollower
from producers.hints import HintTaker
from producers.hooks import taker_of
from sandbox.world import build_plain_world
from shared.assembly import from_environment
from shared.config import credentials
from shared.config.credentials import HooksCredentials
from shared.embedded import EmbeddedPostgres
from shared.ledger import hints
from shared.ledger.connection import Cur
from shared.ledger.messages import Message
from shared.pulled import RawDocument
from tests.integration.console.installation import Installation, installed
from tests.integration.hooks.hostile import Hostility
from tests.integration.hooks.receiving import SECRET, asgi

FLOW = "cin7_suppliers"
NOBODY = "592e5eff-3c92-4a12-a275-67de1fda66ef"
TERMS = ["30 days", "10 days"]


class Site:
    """An installation whose suppliers are in Cin7 and linked, and its taker of hints."""

    def __init__(self, one: Installation) -> None:
        self.one = one
        self.parts = one.worker
        self.account = str(one.cin7.control("GET", "state", brief="true")["accounts"][0]["account_id"])
        self.taker: HintTaker = taker_of(self.parts)

    def poll(self) -> None:
        code, _, err = self.one("poll", FLOW)
        assert code == 0, err

    @property
    def suppliers(self) -> list[dict[str, Any]]:
        state = self.one.cin7.control("GET", "state", account=self.account)
        found: list[dict[str, Any]] = state["accounts"][0]["suppliers"]
        return found

    def ids(self) -> list[str]:
        return sorted(str(row["ID"]) for row in self.suppliers)

    def edit(self, supplier_id: str, **fields: object) -> None:
        row = {"ID": supplier_id, **fields}
        self.one.cin7.control("POST", "suppliers", {"account": self.account, "supplier": row})

    def hint(self, *ids: str) -> None:
        with self.parts.ledger.transaction() as cur:
            hints.receive(cur, "main", hints.SUPPLIER, ids)

    def follow(self) -> int:
        """Follow what is due; return how many suppliers were read."""
        count = 0
        while self.taker.turn("main"):
            count += 1
        return count

    def rest_is_over(self) -> None:
        self.parts.ledger.rows("update hint set due_at = now(), lease_until = null returning 1")

    def reads(self) -> list[str]:
        """Return the ids that Cin7 was asked for."""
        asked = self.one.cin7.control("GET", "requests", path="supplier", method="GET")["requests"]
        return [str(call["query"]["id"]) for call in asked if "id" in call["query"]]

    def entries(self) -> list[str]:
        rows = self.parts.ledger.rows("select key from entry where flow = %s order by id", (FLOW,))
        return [str(row[0]).removeprefix("main/") for row in rows]

    def known(self) -> dict[str, tuple[str, str]]:
        """Return what the ledger knows of every supplier of Cin7."""
        rows = self.parts.ledger.rows("select key, fingerprint, skipped from record where flow = %s", (FLOW,))
        return {str(row[0]): (str(row[1]), str(row[2])) for row in rows}

    def waiting(self) -> int:
        with self.parts.ledger.transaction() as cur:
            return hints.waiting(cur, ["main"])[0].waiting


def prepared(one: Installation) -> Site:
    """Bring the suppliers to Cin7, and look at them once."""
    assert one("poll", "suppliers")[0] == 0
    one.work()
    site = Site(one)
    site.poll()
    one.work()
    one.cin7.control("DELETE", "requests")
    return site


@pytest.fixture(name="fresh")
def fresh_fixture(
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Installation]:
    with installed(tmp_path, database_url, redis_url, build_plain_world(4, 0), capsys, monkeypatch) as one:
        yield one


@pytest.fixture(name="site")
def site_fixture(fresh: Installation) -> Site:
    return prepared(fresh)


def test_a_hint_reads_one_supplier_and_records_its_change_as_the_poll_would(site: Site) -> None:
    one = site.ids()[0]
    before = site.entries()
    site.edit(one, Comments="slow", Name="Renamed AB")
    site.hint(one)
    assert site.follow() == 1
    assert site.reads() == [one]
    assert site.entries() == [*before, one]
    assert site.waiting() == 0
    site.poll()
    assert site.entries() == [*before, one], "the poll meets what was followed already"


def test_a_hint_at_what_has_not_changed_costs_a_read_and_nothing_else(site: Site) -> None:
    before, known = site.entries(), site.known()
    site.hint(*site.ids())
    assert site.follow() == len(site.ids())
    assert (site.entries(), site.known()) == (before, known)


def test_a_vendor_that_was_there_before_anybody_looked_is_no_news_because_somebody_names_it(
    fresh: Installation,
) -> None:
    site = Site(fresh)
    row = {"Name": "Old Vendor", "Currency": "SEK", "PaymentTerm": "30 days", "AccountPayable": "2440",
           "TaxRule": "Purchases 25%", "Status": "Active"}  # fmt: skip
    made = fresh.cin7.control("POST", "suppliers", {"account": site.account, "supplier": row})
    prepared(fresh)
    site.hint(str(made["ID"]))
    assert site.follow() == 1
    assert str(made["ID"]) not in site.entries()


def test_repeated_hints_within_the_rest_are_one_read(site: Site) -> None:
    one = site.ids()[0]
    for _ in range(5):
        site.hint(one)
    assert site.follow() == 1
    site.hint(one)
    assert site.follow() == 0
    site.rest_is_over()
    assert site.follow() == 1
    assert site.reads() == [one, one]


def test_a_hint_at_nobody_is_dropped_after_one_read(site: Site) -> None:
    before = site.entries()
    site.hint(NOBODY)
    assert site.follow() == 1
    assert (site.reads(), site.entries(), site.waiting()) == ([NOBODY], before, 0)


def test_before_the_first_poll_nothing_is_followed_and_that_poll_answers(fresh: Installation) -> None:
    fresh("poll", "suppliers")
    fresh.work()
    site = Site(fresh)
    fresh.cin7.control("DELETE", "requests")
    site.hint(*site.ids())
    assert (site.follow(), site.reads()) == (0, [])
    site.poll()
    assert (site.follow(), site.waiting(), site.reads()) == (0, 0, [])


def test_however_many_hints_come_the_reads_of_a_minute_are_bounded_and_the_poll_answers_the_rest(site: Site) -> None:
    limit = site.parts.settings.cin7["main"].hint_reads_per_minute
    nobodies = [f"{number:08d}-3c92-4a12-a275-67de1fda66ef" for number in range(1, 200)]
    site.hint(*nobodies)
    site.edit(site.ids()[0], Name="Renamed AB")
    site.hint(site.ids()[0])
    assert site.follow() == limit
    assert len(site.reads()) == limit
    # Another process has no allowance of its own.
    assert taker_of(site.parts).turn("main") is False
    assert site.waiting() == 200 - limit
    site.poll()
    assert site.follow() == 0
    assert (site.waiting(), len(site.reads())) == (0, limit)
    assert site.ids()[0] in site.entries()


def test_a_hint_that_comes_while_its_supplier_is_read_is_read_again(site: Site) -> None:
    one = site.ids()[0]

    class Interrupted(SupplierFollower):
        def read(self, account: str, target: str) -> RawDocument | None:
            found = super().read(account, target)
            if not site.reads()[1:]:
                site.edit(one, Name="Renamed in the middle")
                site.hint(one)
            return found

    site.hint(one)
    site.taker.follower = Interrupted(site.parts)
    before = site.entries()
    assert site.follow() == 1
    assert site.entries() == before
    site.rest_is_over()
    assert site.follow() == 1
    assert site.entries() == [*before, one]


def test_while_cin7_is_away_a_hint_waits_and_is_followed_later(site: Site) -> None:
    one = site.ids()[0]
    site.edit(one, Name="Renamed AB")
    site.hint(one)
    site.one.cin7.control("POST", "faults", {"kind": "503", "path": "supplier", "times": 1})
    assert site.follow() == 1
    assert site.waiting() == 1
    assert site.follow() == 0, "it rests first"
    site.rest_is_over()
    assert site.follow() == 1
    assert (site.waiting(), one in site.entries()) == (0, True)


def test_without_redis_hints_are_kept_and_not_followed(site: Site) -> None:
    site.hint(site.ids()[0])
    away = redis.Redis(port=1)
    site.taker = HintTaker(site.parts.ledger, away, site.parts.settings.cin7, SupplierFollower(site.parts))
    assert (site.follow(), site.reads(), site.waiting()) == (0, [], 1)


@pytest.mark.parametrize("moment", ["taken", "read", "recorded"])
def test_a_reader_that_dies_at_any_moment_leaves_the_hint_to_the_next(site: Site, moment: str) -> None:
    one = site.ids()[0]
    before = site.entries()
    site.edit(one, Name="Renamed AB")
    site.hint(one)
    child = os.fork()
    if not child:
        try:
            parts = from_environment(site.one.variables, "dying")
            taker = taker_of(parts)
            taker.follower = Deadly(parts, moment)
            taker.turn("main")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert (site.entries(), site.waiting()) == (before, 1)
    assert site.follow() == 0, "it is leased"
    site.rest_is_over()
    assert site.follow() == 1
    assert (site.entries(), site.waiting()) == ([*before, one], 0)


class Deadly(SupplierFollower):
    """Kills its process at one moment of following a hint."""

    def __init__(self, parts: Any, moment: str) -> None:  # noqa: ANN401 - of the process
        super().__init__(parts)
        self.moment = moment

    def strike(self, moment: str) -> None:
        if moment == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def read(self, account: str, target: str) -> RawDocument | None:
        self.strike("taken")
        found = super().read(account, target)
        self.strike("read")
        return found

    def record(self, cur: Cur, account: str, found: RawDocument, read_at: datetime) -> list[Message]:
        messages = list(super().record(cur, account, found, read_at))
        self.strike("recorded")
        return messages


@pytest.mark.parametrize("seed", range(4))
def test_forged_repeated_reordered_and_lost_hints_leave_what_the_poll_alone_leaves(
    site: Site, fresh: Installation, seed: int
) -> None:
    """The same edits once with hints of every kind in between, and once without any: the ledger knows the same."""
    chance = random.Random(seed)  # noqa: S311 - made-up edits
    ids = site.ids()
    late: list[str] = []
    for number in range(20):
        one = chance.choice(ids)
        site.edit(one, Name=f"Renamed {chance.randrange(50)} {one[:8]}", PaymentTerm=chance.choice(TERMS))
        how = chance.choice(["lost", "once", "twice", "late", "forged"])
        if how in {"once", "twice"}:
            site.hint(*([one] * (1 if how == "once" else 2)))
        elif how == "late":
            late.append(one)
        elif how == "forged":
            site.hint(chance.choice([*ids, NOBODY]))
        if chance.random() < 0.3 and late:
            site.hint(late.pop())
        if chance.random() < 0.5:
            site.rest_is_over()
            site.follow()
        if number % 7 == 6:
            site.poll()
    site.poll()
    site.hint(*ids, NOBODY)
    site.rest_is_over()
    site.follow()
    known = site.known()
    site.parts.ledger.rows(
        "update watermark set position = '1970-01-01T00:00:00Z' where stream like 'cin7%' returning 1"
    )
    site.poll()
    assert site.known() == known, "a look at everything finds nothing that hints have hidden"
    newest = site.parts.ledger.rows(
        "select distinct on (key) key, fingerprint from entry where flow = %s order by key, version desc", (FLOW,)
    )
    assert {str(row[0]): str(row[1]) for row in newest}.items() <= {
        key: mark for key, (mark, _) in known.items()
    }.items()


def test_of_hostile_calls_only_suppliers_that_a_listed_type_named_are_read(site: Site) -> None:
    parts = site.parts
    secret = HooksCredentials(secret=SECRET)
    credentials.store(parts.ledger.connection(), parts.cipher, credentials.HOOKS, secret)
    app, hostility, loop = build_app(parts), Hostility(seed=3), asyncio.new_event_loop()
    before = site.entries()
    for _ in range(300):
        call = hostility.draw()
        got = loop.run_until_complete(asgi(app, call.chunks, call.path, "POST", call.headers))
        assert got.status < 500
    loop.close()
    named = parts.ledger.rows("select target from hint where account = 'main'")
    limit = parts.settings.cin7["main"].hint_reads_per_minute
    assert site.follow() == limit < len(named)
    assert set(site.reads()) <= {str(row[0]) for row in named}
    assert not set(site.reads()) & set(hostility.unlisted)
    calls = site.one.cin7.control("GET", "requests")["requests"]
    assert [call["endpoint"] for call in calls] == ["supplier"] * limit, "and nothing else is asked of Cin7"
    assert site.entries() == before


#: What IFS holds of suppliers, apart from versions and stamps.
IFS_TABLES = ("SupplierInfoGeneralSet", "SupplierInfoAddressSet", "CommMethodSet", "IdentityInvoiceInfoSet")

STAMPS = ("ChangeDate", "Objversion", "ModifiedDate", "LastModified", "RowVersion")


def final_state(one: Installation, chance: random.Random, *, hinted: bool) -> dict[str, Any]:
    """Let people edit suppliers in Cin7, with or without calls of webhooks in between; return how both sides end."""
    site = prepared(one)
    ids = site.ids()
    calls = random.Random(chance.random())  # noqa: S311 - made-up calls
    for _ in range(12):
        supplier_id = chance.choice(ids)
        site.edit(supplier_id, Name=f"Renamed {chance.randrange(50)} {supplier_id[:8]}")
        site.edit(supplier_id, PaymentTerm=chance.choice(TERMS))
        if hinted and calls.random() < 0.7:
            site.hint(*[calls.choice([supplier_id, calls.choice(ids), NOBODY])] * calls.randrange(1, 3))
            site.rest_is_over()
            site.follow()
        if hinted and calls.random() < 0.5:
            one.work()
    for _ in range(3):
        site.poll()
        assert one("poll", "suppliers")[0] == 0
        one.work()
    assert one.json("holds") == []
    names = {row["Name"] for row in site.suppliers}
    assert any(str(name).startswith("Renamed") for name in names)
    plain = [{name: value for name, value in row.items() if name != "LastModifiedOn"} for row in site.suppliers]
    store = one.ifs.tenant.store
    tables = {
        name: [
            {
                field: value
                for field, value in zip(store.table(name).kind.names, row.values, strict=True)
                if field not in STAMPS
            }
            for row in store.table(name).rows.values()
        ]
        for name in IFS_TABLES
    }
    assert {row["Name"] for row in tables["SupplierInfoGeneralSet"]} == names
    return {"cin7": sorted(plain, key=lambda row: str(row["ID"])), **tables}


@pytest.mark.parametrize("seed", range(2))
def test_with_webhooks_off_for_good_both_systems_end_the_same(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    migrated_template: str,
    redis_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    ends = []
    for hinted in (True, False):
        name = f"hinted_{seed}_{hinted}".lower()
        folder = tmp_path / name
        folder.mkdir()
        url = postgres.create_database(name, template=migrated_template)
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        with installed(folder, url, redis_url, build_plain_world(4, 0), capsys, monkeypatch) as one:
            ends.append(final_state(one, random.Random(seed), hinted=hinted))  # noqa: S311 - made-up edits
        postgres.drop_database(name)
    assert ends[0] == ends[1]

"""Both stand-ins in this process, a real ledger and Redis, and the connector's own stages run turn by turn."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import redis

from producers.streams import poller_of, streams_of
from sandbox.cin7 import Cin7Sandbox
from sandbox.ifs.app import IfsApp
from sandbox.ifs.control import Edit
from shared.assembly import Assembly
from shared.budgets import Budget
from shared.cin7.client import Cin7Client
from shared.config.credentials import Cin7Credentials, IfsCredentials
from shared.config.encryption import Cipher
from shared.config.environment import read_environment
from shared.config.settings import Cin7Settings, IfsSettings, PolicySettings, Settings, StreamSettings
from shared.config.tables import import_csv
from shared.ifs.client import IfsClient
from shared.ledger.connection import Cur, Ledger
from tests.integration.suppliers.wires import Calls, Killed, Wire, to_cin7, to_ifs
from workers.composition import mapping_stages, writing_stages
from workers.replaying import replay

KEY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
ACCOUNT = "11111111-2222-4333-8444-555555555555"
CLIENT = {"client_id": "CONN", "client_secret": "s3cret", "companies": ["10"]}
#: Turns after which a pair of a few records that still moves never stops.
TURNS_MAX = 30

TABLES = {
    "companies": "company,cin7_account,location,payable_account,tax_rule,lead\n"
    "10,main,Main Warehouse,800,Tax on Purchases,yes\n",
    "payment_terms": "company,ifs_term,cin7_term\n10,30,30 days\n10,60,60 days\n",
    "tax_codes": "company,ifs_code,cin7_tax_rule,percent\n10,V20,Tax on Purchases,20\n10,V0,Zero,0\n",
}


def ifs_rows(number: str, name: str) -> dict[str, list[dict[str, Any]]]:
    """Return one whole supplier as the tenant holds it."""
    who = {"Identity": number, "PartyType": "Supplier"}
    return {
        "SupplierInfoGeneralSet": [
            {
                "SupplierId": number,
                "Name": name,
                "Country": "GB",
                "AssociationNo": f"AN-{number}",
                "PartyType": "Supplier",
            }
        ],
        "SupplierInfoAddressSet": [
            {"SupplierId": number, "AddressId": "1", "Address1": "1 Mill Lane", "City": "Leeds", "Country": "GB"}
        ],
        "SupplierInfoAddressTypeSet": [
            {"SupplierId": number, "AddressId": "1", "AddressTypeCode": code, "DefAddress": True}
            for code in ("Document", "Pay")
        ],
        "CommMethodSet": [
            {**who, "CommId": 1, "AddressId": "1", "Name": "Jo", "MethodId": "Phone", "Value": "1"},
            {**who, "CommId": 2, "AddressId": "1", "Name": "Jo", "MethodId": "Email", "Value": "jo@a.example"},
        ],
        "IdentityInvoiceInfoSet": [
            {**who, "Company": "10", "DefCurrency": "GBP", "PayTermId": "30", "DefVatCode": "V20"}
        ],
    }


def _settings(
    policy: Mapping[str, Any], cin7: Mapping[str, Any], ifs: Mapping[str, Any], fields: Mapping[str, str]
) -> Settings:
    """Return settings under which no call is ever waited for."""
    common = {"settle_s": 0}
    main = {"base_url": "https://cin7.example/ExternalApi/v2/", "calls_per_minute": 1_000_000, **common, **cin7}
    tenant = {"base_url": "https://ifs.example", "realm": "acme1", "requests_per_minute": 1_000_000, **common, **ifs}
    suppliers = StreamSettings(fields=dict(fields), strategy="sweep")
    return Settings(
        ifs=IfsSettings(streams={"suppliers": suppliers}, **tenant),
        cin7={"main": Cin7Settings(**main)},
        policy=PolicySettings(**{"loop_changes": 1000, **policy}),
    )


class FragileLedger(Ledger):
    """The ledger of a process that may be killed before or after any commit."""

    def __init__(self, database_url: str, calls: Calls) -> None:
        super().__init__(database_url)
        self.calls = calls

    @contextmanager
    def transaction(self) -> Iterator[Cur]:
        if self.calls.dead:
            raise Killed
        trouble = self.calls.trouble("COMMIT", "")
        with super().transaction() as cur:
            yield cur
            if trouble == "killed before":
                self.calls.die()
        if trouble == "killed after":
            self.calls.die()

    @contextmanager
    def statement(self) -> Iterator[Cur]:
        if self.calls.dead:
            raise Killed
        with super().statement() as cur:
            yield cur


class Pair:
    """Two systems with one connector between them; time passes only where a test lets it."""

    def __init__(
        self,
        database_url: str,
        client: redis.Redis,
        *,
        numbers: Sequence[str] = ("S1",),
        policy: Mapping[str, Any] | None = None,
        cin7: Mapping[str, Any] | None = None,
        ifs: Mapping[str, Any] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.calls = Calls()
        self.late: list[Callable[[], object]] = []
        self.ifs, self.cin7 = IfsApp(), Cin7Sandbox()
        self.seed(numbers)
        self.settings = _settings(policy or {}, cin7 or {}, ifs or {}, fields or {})
        self.redis = client
        self.database_url = database_url
        self.parts = self._assembled()
        with self.parts.ledger.transaction() as cur:
            for table, text in TABLES.items():
                import_csv(cur.connection, table, text, "ann")

    def _assembled(self) -> Assembly:
        """Return the parts of a process as it is when it has just started."""
        environment = read_environment({"DATABASE_URL": self.database_url, "REDIS_URL": "redis://unused"})
        parts = Assembly(
            environment, database_url=self.database_url, redis_url="", role="worker", root=Path(), actor="worker"
        )
        cipher = Cipher([b"k" * 32])
        ifs = Wire(self.calls, to_ifs(self.ifs), self._later)
        cin7 = Wire(self.calls, to_cin7(self.cin7), self._later)
        ifs_budget = Budget(self.redis, "ifs", ["ifs"], self.settings.ifs.requests_per_minute, 60)
        main = self.settings.cin7["main"]
        cin7_budget = Budget(self.redis, "cin7/main", ["main/1"], main.calls_per_minute, 60)
        made: dict[str, Any] = {
            "settings": self.settings,
            "ledger": FragileLedger(self.database_url, self.calls),
            "redis": self.redis,
            "cipher": cipher,
            "ifs_budget": ifs_budget,
            "ifs": IfsClient(
                self.settings.ifs,
                IfsCredentials(client_id="CONN", client_secret="s3cret"),
                self.redis,
                ifs_budget,
                cipher,
                http=ifs,
                token_http=ifs,
                call_s_max=self.settings.policy.lease_s / 2,
            ),
        }
        vars(parts).update(made)
        credentials = Cin7Credentials(account_id=ACCOUNT, application_keys=(KEY,))
        parts._cin7["main"] = Cin7Client(main, credentials, cin7, cin7_budget)
        return parts

    def close(self) -> None:
        self.parts.ledger.close()

    # The two worlds

    def seed(self, numbers: Sequence[str]) -> None:
        sets: dict[str, list[Any]] = {
            "CompanySet": [{"Company": "10", "Name": "Ten"}],
            "PaymentTermSet": [{"Company": "10", "PayTermId": term} for term in ("30", "60")],
        }
        for number in numbers:
            for table, rows in ifs_rows(number, f"Acme {number}").items():
                sets.setdefault(table, []).extend(rows)
        self.ifs.seed({"clients": [CLIENT], "sets": sets, "token_lifetime_s": 1_000_000})
        self.ifs.tenant.clock.stop()
        self.cin7.control("POST", "limits", {"calls": 1_000_000})
        self.cin7.control("POST", "terms", {"rows": [{"Name": "60 days", "Duration": 60}]})
        self.cin7.control("POST", "taxes", {"rows": [{"Name": "Zero", "TaxPercent": 0, "IsTaxForPurchase": True}]})

    def pass_time(self, seconds: float = 5) -> None:
        """Let the clocks of both systems go on: what commits late becomes visible."""
        self.ifs.tenant.clock.advance(seconds)
        self.cin7._cloud.clock.offset_s += seconds
        self.ifs.tenant.settle()
        self.cin7._cloud.settle()

    def _later(self, work: Callable[[], object]) -> None:
        self.late.append(work)

    def catch_up(self) -> None:
        """Carry out the calls whose clients have gone."""
        while self.late:
            self.late.pop(0)()

    def edit_ifs(self, table: str, *, lag_s: float | None = None, **row: Any) -> None:  # noqa: ANN401 - of a row.
        """Change a row of IFS as its people would."""
        self.ifs.tenant.clock.advance(2)
        self.ifs.control.edit([Edit(set=table, patch=[row], lag_s=lag_s)])

    def add_to_ifs(self, table: str, row: dict[str, Any]) -> None:
        """Add a row to IFS as its people would."""
        self.ifs.control.edit([Edit(set=table, upsert=[row])])

    def edit_cin7(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - of a supplier.
        """Change a supplier of Cin7, or add one, as its people would."""
        self.cin7._cloud.clock.offset_s += 1
        return self.cin7.control("POST", "suppliers", {"supplier": changes})

    def in_cin7(self, **wanted: str) -> dict[str, Any]:
        """Return the one supplier of Cin7 that holds `wanted`."""
        (found,) = [one for one in self.all_in_cin7() if all(one[name] == value for name, value in wanted.items())]
        return found

    def all_in_cin7(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cin7.control("GET", "state")["accounts"][0]["suppliers"]
        return found

    def in_ifs(self, table: str, **wanted: object) -> list[dict[str, Any]]:
        """Return the rows of a table of IFS that hold `wanted`."""
        rows = self.ifs.tenant.store.tables[table]
        shown = [dict(zip(rows.kind.names, row.values, strict=True)) for row in rows.rows.values()]
        return [row for row in shown if all(row[name] == value for name, value in wanted.items())]

    # The connector

    def poll(self, *, sweep: bool = False) -> None:
        """Pull both systems once."""
        poller = poller_of(self.parts)
        for stream in streams_of(self.parts):
            if stream.flow.name in ("suppliers", "cin7_suppliers"):
                pulled = poller.turn(stream, force=True, sweep=sweep)
                assert pulled is None or pulled.outcome == "done", pulled

    def work(self, *, turns: int = TURNS_MAX, rest: bool = False) -> None:
        """Map and write until nothing moves; what rests does so no longer than it must.

        Args:
            rest: so many turns are all that is wanted, whatever is left.
        """
        mapping, writing = mapping_stages(self.parts), writing_stages(self.parts, lambda: False)
        for writer in writing.values():
            writer.desk = msgspec.structs.replace(writer.desk, rest=self.pass_time)
        for _ in range(turns):
            self.ledger_time_passes()
            rows = self.rows(
                "select id, flow, stage from entry where state in ('detected', 'mapped', 'retrying') order by id"
            )
            if not rows:
                return
            for flow, stage in mapping.items():
                stage.run([row[0] for row in rows if row[1:] == (flow.name, "map")])
            for flow, writer in writing.items():
                writer.run([row[0] for row in rows if row[1:] == (flow.name, "write")])
        assert rest, f"the entries never come to rest: {self.story()}"

    def quiet(self) -> None:
        """Pull and work until a pull brings nothing new."""
        for _ in range(TURNS_MAX):
            before = self.rows("select count(*) from entry")
            self.pass_time()
            self.ledger_time_passes()  # A poller that was killed keeps the next one from its stream for so long.
            self.poll()
            self.work()
            if self.rows("select count(*) from entry") == before:
                return
        raise AssertionError(f"the two systems never come to rest: {self.story()}")

    def ledger_time_passes(self) -> None:
        """Let every lease run out and every rest be over: the ledger's clock is the one thing we cannot set."""
        self.run("update record set lease_until = null where lease_until is not null")
        self.run("update entry set lease_until = null, due_at = now() where due_at > now() or lease_until is not null")
        self.run("update lease set until = '-infinity'")

    def restart(self) -> None:
        """Start the process anew: nothing of the old one is left but what it committed."""
        self.parts.ledger.close()
        self.calls.dead = False
        self.parts = self._assembled()

    def rows(self, sql: str, params: Any = None) -> list[Any]:  # noqa: ANN401 - whatever psycopg takes.
        return Ledger.rows(self.parts.ledger, sql, params)

    def run(self, sql: str) -> None:
        with Ledger.transaction(self.parts.ledger) as cur:
            cur.execute(sql.encode())

    def states(self, flow: str = "cin7_suppliers") -> list[str]:
        """Return the states of a flow's entries, the oldest first."""
        return [row[0] for row in self.rows("select state from entry where flow = %s order by id", (flow,))]

    def findings(self) -> list[tuple[str, str, str]]:
        """Return flow, code and field of everything that holds something now."""
        return [
            (row[0], row[1], row[2])
            for row in self.rows(
                "select e.flow, f.code, f.field from finding f join entry e on e.id = f.entry_id "
                "where f.open and e.state = 'held' order by f.id"
            )
        ]

    def held(self) -> list[int]:
        return [row[0] for row in self.rows("select id from entry where state = 'held' order by id")]

    def replay(self, *ids: int) -> None:
        replay(self.parts.ledger, self.redis, ids or self.held(), actor="ann", why="replayed by ann")

    def story(self) -> str:
        """Return all that happened, for a failure's sake."""
        rows = self.rows(
            "select e.id, e.flow, e.key, v.was, v.becomes, v.why from event v join entry e on e.id = v.entry_id "
            "order by v.id"
        )
        return json.dumps(rows, indent=1, default=str)

    def writes(self) -> list[tuple[str, str]]:
        """Return the calls that may have changed something, and forget them."""
        found = [
            (method, path.rpartition("/")[2].partition("(")[0]) for method, path in self.calls.seen if method != "GET"
        ]
        self.calls.seen.clear()
        return found

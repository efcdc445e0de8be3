"""Two systems, their people, a connector that dies and answers that never come, in any order: nothing is lost.

A state machine edits both sides, lets the connector take single steps, kills it at any call or commit, loses answers,
commits late and puts rivals between a look and a change. Then everything comes to rest, and it checks that both sides
are equal in what they share, that no edit was lost without a conflict on record, that nobody was asked about a value
that we wrote ourselves, that no vendor was doubled, and that nothing is written any more. In process, against both
stand-ins and a real PostgreSQL and Redis.

`CONNECTOR_MACHINE_EXAMPLES` and `CONNECTOR_MACHINE_STEPS` set how long it runs; the suite runs a few. With
`CONNECTOR_MACHINE_SHRINK=0` a failure is shown as it was found.
"""

import itertools
import os
from typing import Any, Final

import psycopg
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from console.resolving import resolve
from sandbox.ifs.control import Edit
from shared.errors import ConnectorError
from shared.queues.broker import redis_client
from tests.integration.ledger.fixtures import EMPTY
from tests.integration.suppliers.pair import Pair
from tests.integration.suppliers.test_creating import BALTIC
from tests.integration.suppliers.wires import Killed, Trouble
from workers.writing.merging import Take

FEW: Final = 50
EXAMPLES: Final = int(os.environ.get("CONNECTOR_MACHINE_EXAMPLES", "15"))
STEPS: Final = int(os.environ.get("CONNECTOR_MACHINE_STEPS", "30"))
NUMBERS: Final = ("S1", "S2")
HEADERS: Final = "SupplierInfoGeneralSet"
#: What a person may edit on either side. All values are new, so that it can be told whose they are.
FIELDS: Final = ("name", "tax_number", "phone", "city")
#: Rounds of deciding and resting after which a world of a few records that still moves never stops.
ROUNDS_MAX: Final = 40

Servers = tuple[str, redis.Redis]


class Machine(RuleBasedStateMachine):
    """One world of two suppliers, and whoever is new in Cin7."""

    servers: Servers

    @initialize(
        switches=st.fixed_dictionaries(
            {
                "stale_match": st.sampled_from(["412", "20114"]),
                "missing_match": st.sampled_from(["strict", "upsert"]),
                "patch_answer": st.sampled_from([200, 204]),
            }
        )
    )
    def begin(self, switches: dict[str, Any]) -> None:
        database_url, client = self.servers
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute(EMPTY.encode())
        client.flushall()
        self.pair = Pair(
            database_url,
            client,
            numbers=NUMBERS,
            policy={"cin7_supplier_unknown": "create", "attempts_max": 1000},
            fields={"blocked": "Cf_Blocked"},
        )
        switches = {"supplier_custom_fields": True, **switches}
        self.pair.ifs.tenant.store.switches = self.pair.ifs.tenant.store.switches.changed(switches)
        self.values = map(str, itertools.count(100))
        #: What each value of a person replaced where it was written, by (supplier, field, value).
        self.replaced: dict[tuple[str, str, str], str] = {}
        #: On which side each value was entered.
        self.entered: dict[str, str] = {}
        self.new: dict[str, str] = {}
        self.rests = 0
        self.pair.quiet()

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.close()

    # People

    @rule(number=st.sampled_from(NUMBERS), field=st.sampled_from(FIELDS), late=st.booleans())
    def edit_ifs(self, number: str, field: str, late: bool) -> None:
        edit = ifs_edit(number, field, "")
        if self.is_locked(edit):
            return  # Whoever edits it holds the row until he commits.
        value = self.enter("ifs")
        self.replaced[number, field, value] = self.in_ifs(number)[field]
        self.pair.ifs.tenant.clock.advance(2)
        self.pair.ifs.control.edit([ifs_edit(number, field, value, lag_s=20 if late else 0)])

    def enter(self, side: str) -> str:
        value = next(self.values)
        self.entered[value] = side
        return value

    def is_locked(self, edit: Edit) -> bool:
        store = self.pair.ifs.tenant.store
        return store.is_locked(edit.set, tuple(edit.patch[0][name] for name in store.table(edit.set).kind.key))

    @rule(number=st.sampled_from(NUMBERS), fields=st.sets(st.sampled_from(FIELDS), min_size=1, max_size=2))
    def edit_cin7(self, number: str, fields: set[str]) -> None:
        self.edit_in_cin7(number, sorted(fields))

    def edit_in_cin7(self, number: str, fields: list[str]) -> None:
        now = self.in_cin7(number)
        if now is None:
            return
        change: dict[str, Any] = {"ID": now["id"]}
        for field in fields:
            value = self.enter("cin7")
            self.replaced[number, field, value] = now[field]
            change |= cin7_edit(now, field, value)
        self.pair.edit_cin7(**change)

    @rule(number=st.sampled_from(NUMBERS), deprecated=st.booleans())
    def deprecate(self, number: str, deprecated: bool) -> None:
        now = self.in_cin7(number)
        if now is not None:
            self.pair.edit_cin7(ID=now["id"], Status="Deprecated" if deprecated else "Active")

    @precondition(lambda self: len(self.new) < 2)
    @rule(by_series=st.just(False))
    def enter_a_supplier_in_cin7(self, by_series: bool) -> None:
        number = f"N{len(self.new) + 1}"
        name = f"New {number} {next(self.values)}"
        self.new[number] = name
        changes = {"Name": name, "TaxNumber": f"T{number}", "AdditionalAttribute1": number}
        self.pair.edit_cin7(**{**BALTIC, **changes})

    @rule(seconds=st.sampled_from([1, 30]))
    def time_passes(self, seconds: int) -> None:
        self.pair.pass_time(seconds)
        self.pair.catch_up()

    # Trouble

    @rule(
        trouble=st.sampled_from(["lost before", "lost after", "killed before", "killed after", "late"]),
        method=st.sampled_from(["PATCH", "POST", "PUT", "COMMIT"]),
        skip=st.integers(0, 3),
    )
    def trouble_ahead(self, trouble: Trouble, method: str, skip: int) -> None:
        """Let the next call or commit but `skip` of a kind go wrong."""
        if method == "COMMIT" and not trouble.startswith("killed"):
            return
        if trouble == "late" and method != "PATCH":
            return  # What Cin7 carries out much later goes over whatever was edited meanwhile: nobody can tell.
        left = [skip]

        def befall(called: str, _path: str) -> Trouble | None:
            if called != method or left[0] < 0:
                return None
            left[0] -= 1
            return trouble if left[0] < 0 else None

        self.pair.calls.trouble = befall

    @rule(number=st.sampled_from(NUMBERS), field=st.sampled_from(FIELDS), times=st.integers(1, 6))
    def a_rival_in_ifs(self, number: str, field: str, times: int) -> None:
        """Let somebody edit IFS between our look and our next changes."""
        left = [times]

        def between(method: str, _path: str) -> None:
            if method == "PATCH" and left[0] and not self.is_locked(ifs_edit(number, field, "")):
                left[0] -= 1
                value = self.enter("ifs")
                self.replaced[number, field, value] = self.in_ifs(number)[field]
                self.pair.ifs.tenant.clock.advance(2)
                self.pair.ifs.control.edit([ifs_edit(number, field, value)])

        self.pair.calls.between = between

    # The connector

    @rule()
    def poll(self) -> None:
        self.alive(self.pair.poll)

    @rule()
    def work(self) -> None:
        self.alive(lambda: self.pair.work(turns=1, rest=True))

    @rule()
    def work_on(self) -> None:
        self.alive(lambda: self.pair.work(turns=4, rest=True))

    @rule(which=st.integers(0, 3), take=st.sampled_from(["ifs", "cin7"]))
    def decide(self, which: int, take: Take) -> None:
        held = self.pair.held()
        if held:
            self.settle(held[which % len(held)], take)

    def alive(self, work: Any) -> None:  # noqa: ANN401 - whatever the connector does.
        try:
            work()
        except Killed:
            self.pair.restart()

    def settle(self, entry: int, take: Take) -> None:
        try:
            self.alive(lambda: resolve(self.pair.parts, entry, take, "", person="ann"))
        except ConnectorError:
            self.alive(lambda: self.pair.replay(entry))

    # What must hold, always and in the end

    @invariant()
    def nothing_is_a_bug(self) -> None:
        if hasattr(self, "pair") and not self.pair.calls.dead:
            bugs = self.pair.rows("select message from finding where code in ('bug', 'crashes-worker')")
            assert not bugs, bugs

    @invariant()
    def nobody_is_asked_about_our_own_writes(self) -> None:
        if hasattr(self, "pair") and not self.pair.calls.dead:
            for ifs, cin7 in self.pair.rows("select ifs, cin7 from finding where code = 'supplier.conflict'"):
                ours = self.entered.get(ifs) == "cin7" or self.entered.get(cin7) == "ifs"
                assert not ours, (ifs, cin7, self.pair.story())

    @rule(take=st.sampled_from(["ifs", "cin7"]))
    def everything_comes_to_rest(self, take: Take) -> None:
        self.pair.calls.trouble = lambda _method, _path: None
        self.pair.calls.between = lambda _method, _path: None
        self.pair.pass_time(60)
        self.pair.catch_up()
        for _ in range(ROUNDS_MAX):
            self.pair.quiet()
            held = self.pair.held()
            if not held:
                break
            self.settle(held[0], take)
        assert self.pair.held() == [], self.pair.story()
        self.check()

    def check(self) -> None:
        pair = self.pair
        assert pair.rows("select count(*) from effect where state in ('INTENT', 'UNKNOWN')") == [(0,)]
        for number in NUMBERS:
            ours, theirs = self.in_ifs(number), self.in_cin7(number)
            assert theirs is not None
            for field in (*FIELDS, "status"):
                assert ours[field] == theirs[field], (number, field, ours, theirs, pair.story())
            for field in FIELDS:
                self.check_edits(number, field, ours[field])
        for number, name in self.new.items():
            assert [row["Name"] for row in pair.in_ifs(HEADERS, SupplierId=number)] == [name]
            assert len(pair.in_ifs("SupplierSet", VendorNo=number)) == 1
            assert len(pair.in_ifs("CommMethodSet", Identity=number)) == 2
        known = [*NUMBERS, *self.new]
        assert sorted(row["SupplierId"] for row in pair.in_ifs(HEADERS)) == sorted(known)
        assert sorted(one["AdditionalAttribute1"] for one in pair.all_in_cin7()) == sorted(known)
        pair.writes()
        pair.quiet()
        assert pair.writes() == [], "nothing is written any more"

    def check_edits(self, number: str, field: str, final: str) -> None:
        """Every edit is in the final value, was seen by whoever wrote over it, or is in a conflict on record."""
        seen = {final}
        value = final
        while (number, field, value) in self.replaced:
            value = self.replaced[number, field, value]
            seen.add(value)
        recorded = {
            text
            for row in self.pair.rows("select before, ifs, cin7 from finding where code = 'supplier.conflict'")
            for text in row
        }
        for of, what, edit in self.replaced:
            if (of, what) == (number, field) and edit not in seen:
                overwritten = {new for (_, _, new), old in self.replaced.items() if old == edit}
                assert edit in recorded or overwritten, (number, field, edit, final, self.pair.story())

    # Both worlds

    def in_ifs(self, number: str) -> dict[str, str]:
        (header,) = self.pair.in_ifs(HEADERS, SupplierId=number)
        (phone,) = self.pair.in_ifs("CommMethodSet", Identity=number, MethodId="Phone")
        (address,) = self.pair.in_ifs("SupplierInfoAddressSet", SupplierId=number)
        return {
            "name": header["Name"],
            "tax_number": header["AssociationNo"],
            "phone": phone["Value"],
            "city": address["City"],
            "status": "Deprecated" if header["Cf_Blocked"] else "Active",
        }

    def in_cin7(self, number: str) -> dict[str, Any] | None:
        found = [one for one in self.pair.all_in_cin7() if one["AdditionalAttribute1"] == number]
        if not found:
            return None
        (one,) = found
        return {
            "id": one["ID"],
            "name": one["Name"],
            "tax_number": one["TaxNumber"],
            "phone": one["Contacts"][0]["Phone"],
            "city": one["Addresses"][0]["City"],
            "status": one["Status"],
            "contact": one["Contacts"][0]["ID"],
            "address": one["Addresses"][0]["ID"],
        }


def ifs_edit(number: str, field: str, value: str, *, lag_s: float = 0) -> Edit:
    """Return an edit of one field by IFS's people."""
    rows: dict[str, tuple[str, dict[str, Any]]] = {
        "name": (HEADERS, {"SupplierId": number, "Name": value}),
        "tax_number": (HEADERS, {"SupplierId": number, "AssociationNo": value}),
        "phone": ("CommMethodSet", {"PartyType": "Supplier", "Identity": number, "CommId": 1, "Value": value}),
        "city": ("SupplierInfoAddressSet", {"SupplierId": number, "AddressId": "1", "City": value}),
    }
    table, row = rows[field]
    return Edit(set=table, patch=[row], lag_s=lag_s)


def cin7_edit(now: dict[str, Any], field: str, value: str) -> dict[str, Any]:
    """Return what changes one field as Cin7's people would."""
    changes: dict[str, dict[str, Any]] = {
        "name": {"Name": value},
        "tax_number": {"TaxNumber": value},
        "phone": {"Contacts": [{"ID": now["contact"], "Phone": value}]},
        "city": {"Addresses": [{"ID": now["address"], "City": value}]},
    }
    return changes[field]


class _Long(Machine):
    """Ends with everything at rest, whatever came before."""

    def teardown(self) -> None:
        try:
            if hasattr(self, "pair"):
                if self.pair.calls.dead:
                    self.pair.restart()
                self.everything_comes_to_rest("ifs")
        finally:
            super().teardown()


@pytest.fixture
def machine(emptied_url: str, redis_url: str) -> type[RuleBasedStateMachine]:
    _Long.servers = (emptied_url, redis_client(redis_url))
    return _Long


@pytest.mark.timeout(0 if EXAMPLES > FEW else 300)
def test_whatever_happens_in_whatever_order_both_sides_come_to_agree(machine: type[RuleBasedStateMachine]) -> None:
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415 - beside its only use.

    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=[phase for phase in Phase if phase != Phase.shrink or os.environ.get("CONNECTOR_MACHINE_SHRINK") != "0"],
    )
    run_state_machine_as_test(machine, settings=chosen)

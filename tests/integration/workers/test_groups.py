"""Several entries written side by side: what they share, and that each ends on its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import redis

from shared.budgets import Budget, Slot
from shared.cin7.errors import Cin7Refused
from shared.config.settings import Cin7Settings, IfsSettings, Settings
from shared.errors import Retryable
from shared.ifs.errors import IfsConflict, IfsDenied, IfsRefused, IfsThrottled
from shared.ifs.mutating import Change, Row, mutate
from shared.ifs.pages import Stored
from shared.ledger import claiming, effects, links
from shared.ledger.connection import Ledger
from tests.integration.ledger import samples
from tests.integration.ledger.samples import ORDERS, one, ready, state
from workers.holding import Guard
from workers.writing.desk import Account, Desk, Pace
from workers.writing.groups import Group, Member
from workers.writing.seats import Seat, Seats
from workers.writing.session import Session

KEYS = ("1001", "1002", "1003", "1004")
Reply = Callable[[str], str]


@dataclass
class Target:
    """What Cin7 would be: takes a header, then an order; `reply` may raise instead of answering."""

    reply: Reply = str
    calls: list[str] = field(default_factory=list)

    def call(self, text: str) -> str:
        self.calls.append(text)
        return self.reply(text)


@dataclass
class Office:
    """A desk with one account, and the writing of an order in two calls."""

    ledger: Ledger
    client: "redis.Redis"
    target: Target
    desk: Desk
    account: Account

    def claim(self, *ids: int) -> list[Session]:
        with self.ledger.transaction() as cur:
            claims = claiming.claim_for_writing(cur, ids, 60)
        return [Session(self.desk, claim, Seat("live")) for claim in claims]

    async def write(self, session: Session) -> None:
        key = session.claim.key
        await session.links([("suppliers", "S1", "main")])
        made = await session.write(
            self.account,
            step="create",
            request="POST /header",
            body=key,
            call=lambda slot: self.target.call(f"header {key} on {slot}"),
            applied=lambda _: samples.linked(key, flow=ORDERS, cin7_id=f"cin7-{key}", written=b"", verified=False),
            marker=key,
        )
        await session.write(
            self.account,
            step="order",
            request="POST /order",
            body=made,
            call=lambda slot: self.target.call(f"order {key} on {slot}"),
        )
        session.satisfy(samples.linked(key, flow=ORDERS, cin7_id=f"cin7-{key}"))
        await session.finish()

    def run(self, *sessions: Session) -> None:
        guard = Guard(self.ledger, self.client, self.desk.actor, 5)
        Group(self.desk, guard, ORDERS, [Member(session, self.write(session)) for session in sessions]).run()

    def states(self, *ids: int) -> list[str]:
        return [state(self.ledger, entry) for entry in ids]

    def moments(self, step: str) -> int:
        """Return at how many moments, which is in how many transactions, the intents of a step were recorded."""
        return int(one(self.ledger, "select count(distinct intent_at) from effect where step = %s", step))


@pytest.fixture
def office(ledger: Ledger, client: "redis.Redis") -> Office:
    return of(ledger, client)


def of(ledger: Ledger, client: "redis.Redis", *, limit: int = 100, window_s: float = 60) -> Office:
    settings = Settings(
        ifs=IfsSettings(base_url="https://ifs.example", realm="x"),
        cin7={"main": Cin7Settings(base_url="https://cin7.example", read_timeout_s=5)},
    )
    nobody: Any = None
    budget = Budget(client, "cin7/main", ["main/1"], limit, window_s)
    account = Account(name="main", budget=budget, seats=Seats(1), pace=Pace(), call_s_max=5, client=nobody)
    desk = Desk(ledger, client, settings, "writer", lambda _: account, lambda: False, nobody, nobody, nobody)
    return Office(ledger, client, Target(), desk, account)


def entries(ledger: Ledger) -> list[int]:
    return [ready(ledger, key) for key in KEYS]


def test_entries_of_a_group_share_their_commits_and_each_is_written(office: Office, ledger: Ledger) -> None:
    ids = entries(ledger)
    office.run(*office.claim(*ids))
    assert office.states(*ids) == ["written"] * 4
    assert [call.split()[0] for call in office.target.calls] == ["header"] * 4 + ["order"] * 4
    assert (office.moments("create"), office.moments("order")) == (1, 1)
    assert one(ledger, "select count(distinct happened_at) from event where becomes = 'written'") == 1
    assert one(ledger, "select count(*) from effect where state = 'APPLIED'") == 8
    assert one(ledger, "select count(*) from link where flow = %s and verified", ORDERS) == 4
    assert one(ledger, "select count(*) from record where lease_until is not null") == 0


def test_no_call_is_made_before_all_intents_of_its_round_are_committed(office: Office, ledger: Ledger) -> None:
    seen: list[int] = []

    def look(text: str) -> str:
        seen.append(int(one(ledger, "select count(*) from effect where state = 'INTENT'")))
        return text

    office.target.reply = look
    office.run(*office.claim(*entries(ledger)))
    assert seen == [4] * 8, "outcomes are recorded with the next intents, or at the end"


def test_one_that_is_refused_is_held_and_its_neighbours_go_on(office: Office, ledger: Ledger) -> None:
    def refuse(text: str) -> str:
        if text.startswith("order 1002"):
            raise Cin7Refused(400, "no such product")
        return text

    office.target.reply = refuse
    ids = entries(ledger)
    office.run(*office.claim(*ids))
    assert office.states(*ids) == ["written", "held", "written", "written"]
    with ledger.transaction() as cur:
        link = links.find(cur, ORDERS, "1002", "main")
    assert link is not None, "what was made is remembered"
    assert not link.verified


def test_one_whose_answer_is_lost_rests_as_unknown(office: Office, ledger: Ledger) -> None:
    def lose(text: str) -> str:
        if text.startswith("header 1003"):
            raise Retryable("the answer was lost")
        return text

    office.target.reply = lose
    ids = entries(ledger)
    office.run(*office.claim(*ids))
    assert office.states(*ids) == ["written", "written", "retrying", "written"]
    with ledger.transaction() as cur:
        (lost,) = effects.unresolved(cur, ORDERS, KEYS)["1003"]
    assert (lost.step, lost.state) == ("create", "UNKNOWN")


def test_a_change_that_somebody_was_before_is_decided_anew_and_every_attempt_is_on_record(
    office: Office, ledger: Ledger
) -> None:
    etags = iter(("1", "2"))

    def stale(text: str) -> str:
        if text == "PATCH 1":
            raise IfsConflict("IFS answered 412.", status=412, code="", message="")
        return text

    async def write(session: Session) -> None:
        async def read() -> Stored | None:
            return Stored({"Name": "Old"}, next(etags))

        async def patch(current: Stored, values: Mapping[str, object]) -> Stored | None:
            await session.write(
                office.account,
                step="verdict",
                request="PATCH",
                body=values,
                call=lambda _slot: office.target.call(f"PATCH {current.etag}"),
            )
            return Stored({"Name": "New"}, "3")

        await mutate(Row("voucher", "1"), read=read, decide=lambda _: Change({"Name": "New"}), write=patch)
        await session.finish()

    office.target.reply = stale
    (session,) = office.claim(ready(ledger, "1001"))
    Group(office.desk, Guard(ledger, office.client, "writer", 5), ORDERS, [Member(session, write(session))]).run()
    assert state(ledger, session.claim.id) == "written"
    with ledger.transaction() as cur:
        found = cur.execute("select step, round, state from effect order by id").fetchall()
    assert found == [("verdict", 1, "REFUSED"), ("verdict", 2, "APPLIED")]


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (IfsRefused("IFS answered 400.", status=400, code="DATABASE_ERROR", message="not that"), "held"),
        (IfsDenied("IFS answered 403.", status=403), "retrying"),
        (IfsThrottled("IFS answered 429.", executed=False), "retrying"),
    ],
)
def test_a_call_that_ifs_says_no_to_is_concluded_as_refused(
    office: Office, ledger: Ledger, error: Exception, left: str
) -> None:
    def refuse(_text: str) -> str:
        raise error

    office.target.reply = refuse
    entry = ready(ledger, "1001")
    office.run(*office.claim(entry))
    assert office.states(entry) == [left]
    assert one(ledger, "select state from effect") == "REFUSED"


def test_one_that_another_worker_has_taken_over_sends_nothing_more(office: Office, ledger: Ledger) -> None:
    ids = entries(ledger)
    sessions = office.claim(*ids)

    def overtake(text: str) -> str:
        if text.startswith("header 1004"):  # The last call of the first round.
            with ledger.transaction() as cur:
                cur.execute("update record set fence = fence + 1 where key = '1001'")
        return text

    office.target.reply = overtake
    office.run(*sessions)
    assert office.states(*ids) == ["mapped", "written", "written", "written"]
    assert not [call for call in office.target.calls if call.startswith("order 1001")]
    assert one(ledger, "select state from effect where key = '1001'") == "INTENT", "the one who took over settles it"


def test_one_that_spoils_the_commit_of_all_is_held_alone(office: Office, ledger: Ledger) -> None:
    ids = entries(ledger)
    sessions = office.claim(*ids)
    sessions[2].later(lambda cur: cur.execute("select 1 / 0"))  # type: ignore[arg-type]
    office.run(*sessions)
    assert office.states(*ids) == ["written", "written", "held", "written"]
    assert one(ledger, "select code from finding where open") == "bug"


def test_with_fewer_calls_than_entries_the_others_wait_for_theirs(ledger: Ledger, client: "redis.Redis") -> None:
    office = of(ledger, client, limit=3, window_s=0.4)
    ids = entries(ledger)
    office.run(*office.claim(*ids))
    assert office.states(*ids) == ["written"] * 4
    assert len(office.target.calls) == 8


def test_what_is_told_to_stop_while_it_waits_for_a_call_rests_and_keeps_what_was_done(
    ledger: Ledger, client: "redis.Redis"
) -> None:
    office = of(ledger, client, limit=5, window_s=60)
    told: list[bool] = []

    def tell(text: str) -> str:
        told.append(True)
        return text

    office.target.reply = tell
    office.desk = msgspec.structs.replace(office.desk, stopping=lambda: len(told) >= 5)
    ids = entries(ledger)
    office.run(*office.claim(*ids))
    assert office.states(*ids) == ["written", "retrying", "retrying", "retrying"]
    assert one(ledger, "select count(*) from effect where state = 'APPLIED'") == 5
    assert one(ledger, "select count(*) from effect where state in ('INTENT', 'UNKNOWN')") == 0


def test_of_two_versions_of_a_record_in_one_message_the_newer_is_written(office: Office, ledger: Ledger) -> None:
    old, newer = ready(ledger, "1001", "old"), samples.new(ledger, "1001", "new")
    with ledger.transaction() as cur:  # As if a worker had held the old one while the newer was seen and mapped.
        cur.execute("alter table entry disable trigger entry_moves")
        cur.execute("update entry set state = 'mapped' where id = %s", (old,))
        cur.execute("alter table entry enable trigger entry_moves")
    samples.map_(ledger, newer)
    office.run(*office.claim(old, newer))
    assert office.states(old, newer) == ["superseded", "written"]


def test_a_slot_that_was_taken_before_the_claim_is_spent_first(office: Office, ledger: Ledger) -> None:
    (session,) = office.claim(ready(ledger, "1001"))
    taken = office.account.budget.take(timeout_s=0)
    assert isinstance(taken, Slot)
    session.give_slot(office.account, taken)
    office.run(session)
    assert office.account.budget.used()[0].used == 2

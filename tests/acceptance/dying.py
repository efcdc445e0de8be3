"""Workers that kill themselves at a chosen moment: real code, with a SIGKILL before or after one call or one commit.

python -m tests.acceptance.dying            one process per plan, read as JSON from standard input
python -m tests.acceptance.dying FLOW KEY   the mapper, killed by this one record whenever it maps it
"""

import json
import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import msgspec
import redis

from shared.assembly import from_environment
from shared.flows import BY_NAME
from shared.http import Answer, Http
from shared.ledger.connection import Cur, Ledger
from shared.ledger.messages import Message
from shared.queues import handing_over
from workers.composition import mapping_stages, writing_stages
from workers.mapping.actors import MAPPINGS

#: Processes at once: the moments between two commits are to be met, not a machine without breath.
PARALLEL: Final = 6


class Plan(msgspec.Struct, frozen=True):
    """One message with these entries, whose worker dies at its `at`-th event, counted from 1."""

    flow: str
    stage: str
    entries: list[int]
    at: int


class Fate(msgspec.Struct, frozen=True):
    """What became of a plan: where its worker died, or "" where it came to its end."""

    entries: list[int]
    at: int
    died: str


class Clock:
    """Counts the events of this process and kills it at one of them."""

    def __init__(self, at: int, tell: Callable[[str], None]) -> None:
        self.left = at
        self.tell = tell

    def strike(self, event: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.tell(event)
            os.kill(os.getpid(), signal.SIGKILL)


def arm(clock: Clock) -> None:
    """Put the clock around every commit, every call and every hand-over of this process."""
    commit, send, enqueue = Ledger.transaction, Http.send, handing_over.enqueue

    @contextmanager
    def transaction(ledger: Ledger) -> Iterator[Cur]:
        with commit(ledger) as cur:
            yield cur
            clock.strike("before a commit")
        clock.strike("after a commit")

    def exchange(http: Http, method: str, url: str, **options: Any) -> Answer:  # noqa: ANN401 - passed on as they are
        clock.strike(f"before {method} {url.partition('?')[0]}")
        answer = send(http, method, url, **options)
        clock.strike(f"after {method} {url.partition('?')[0]}")
        return answer

    def hand_over(client: redis.Redis, messages: Iterable[Message]) -> None:
        clock.strike("before the messages")
        enqueue(client, messages)
        clock.strike("after the messages")

    Ledger.transaction = transaction  # type: ignore[method-assign,assignment]
    Http.send = exchange  # type: ignore[method-assign,assignment]
    handing_over.enqueue = hand_over


def carry_out(plan: Plan, pipe: int) -> None:
    """Work on the plan's message as a worker would, up to its end or ours."""
    arm(Clock(plan.at, partial(_say, pipe)))
    parts = from_environment(os.environ, "dying writer" if plan.stage == "write" else "dying mapper")
    stages: Any = writing_stages(parts, lambda: False) if plan.stage == "write" else mapping_stages(parts)
    stages[BY_NAME[plan.flow]].run(plan.entries)


def _say(pipe: int, event: str) -> None:
    os.write(pipe, event.encode())


def launch(plan: Plan) -> tuple[int, int, Plan]:
    """Carry out a plan in a process of its own; return the process and where it will say how it died."""
    ear, mouth = os.pipe()
    child = os.fork()
    if child:
        os.close(mouth)
        return child, ear, plan
    code = 1
    try:
        carry_out(plan, mouth)
        code = 0
    finally:
        os._exit(code)


def fates(plans: list[Plan]) -> Iterator[Fate]:
    """Carry out all plans, a few at a time."""
    under_way: list[tuple[int, int, Plan]] = []
    waiting = list(plans)
    while waiting or under_way:
        while waiting and len(under_way) < PARALLEL:
            under_way.append(launch(waiting.pop(0)))
        child, ear, plan = under_way.pop(0)
        with os.fdopen(ear) as said:
            died = said.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == (-signal.SIGKILL if died else 0), f"{plan} ended with {status}"
        yield Fate(plan.entries, plan.at, died)


def poison(flow: str, key: str) -> None:
    """Let one record kill whoever maps it."""
    rule = MAPPINGS[BY_NAME[flow]]

    def deadly(document: Any, rules: Any) -> Any:  # noqa: ANN401 - of every flow
        if key in (getattr(document.header, "order_no", ""), getattr(document.header, "supplier_id", "")):
            os.kill(os.getpid(), signal.SIGKILL)
        return rule(document, rules)

    MAPPINGS[BY_NAME[flow]] = deadly
    runpy.run_module("workers.mapping", run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        poison(sys.argv[1], sys.argv[2])
    else:
        plans = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Plan])
        sys.stdout.write(json.dumps([msgspec.structs.asdict(fate) for fate in fates(plans)]))

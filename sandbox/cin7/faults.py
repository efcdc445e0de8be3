"""Faults on demand: which calls go wrong, how, and whether before or after their effect."""

import random

import msgspec

from sandbox.cin7.errors import BAD_GATEWAY, HTML_TYPE, PAGE_NOT_FOUND, Answer, message
from sandbox.cin7.limits import Limit, throttled
from sandbox.cin7.wire import encode

KINDS = ("drop", "500", "502", "503", "504", "429", "html200", "truncated", "error200", "slow", "refuse")


class Rule(msgspec.Struct, kw_only=True):
    """One fault. What is empty matches every call; `times` None means again and again.

    `after_commit`: the call has its effect first, and only its answer is lost or false. `skip` lets that many matching
    calls pass first. `late_s`: the call has its effect so many seconds after its client was told of the fault, on the
    stand-in's clock. `path` is the start of the endpoint, as in `/advanced-purchase`, whatever its case.
    """

    kind: str
    method: str = ""
    path: str = ""
    account: str = ""
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    after_commit: bool = False
    late_s: float = 0.0
    body_contains: str = ""
    seconds: float = 1.0
    text: str = "Refused on demand"
    hits: int = 0

    def matches(self, method: str, endpoint: str, account: str, body: bytes) -> bool:
        return (
            (not self.method or self.method.upper() == method)
            and endpoint.startswith(self.path.strip("/").lower())
            and (not self.account or self.account.lower() == account)
            and (not self.body_contains or self.body_contains.encode() in body)
        )


class Faults:
    """The rules in force, the oldest first; the first one that matches and strikes decides."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._random = random.Random(0)

    def seed(self, seed: int) -> None:
        self._random = random.Random(seed)

    def add(self, rules: list[Rule]) -> None:
        """Add rules, all or none; raises ValueError for a kind that does not exist."""
        for rule in rules:
            if rule.kind not in KINDS:
                raise ValueError(f"There is no fault {rule.kind!r}; there are: {', '.join(KINDS)}.")
        self.rules.extend(rules)

    def clear(self) -> None:
        self.rules.clear()

    def strike(self, method: str, endpoint: str, account: str, body: bytes) -> Rule | None:
        """Return the rule that hits this call, if one does, and count it."""
        for rule in self.rules:
            if rule.times is not None and rule.hits >= rule.times:
                continue
            if not rule.matches(method, endpoint, account, body):
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            rule.hits += 1
            return rule
        return None


def spoiled(rule: Rule, answer: Answer | None, limit: Limit, endpoint: str) -> Answer:
    """Return what the client gets to see. `answer` is the true one, None where the call was not carried out."""
    if answer is not None and rule.kind == "slow":
        return answer._replace(delay_s=answer.delay_s + rule.seconds)
    if answer is not None and rule.kind == "truncated":
        return answer._replace(body=answer.body[: max(1, len(answer.body) // 2)])
    if rule.kind == "429":
        style = Limit(calls=limit.calls, window_s=limit.window_s, retry_after_s=limit.retry_after_s)
        return throttled(style, endpoint)
    return _fixed(rule)


def _fixed(rule: Rule) -> Answer:
    """Return an answer that owes nothing to the true one."""
    entries = encode([{"ErrorCode": 400, "Exception": rule.text}])
    return {
        "drop": Answer(0, drop=True),
        "html200": Answer(200, PAGE_NOT_FOUND, (HTML_TYPE,)),
        "error200": Answer(200, entries),
        "refuse": Answer(400, entries),
        "500": message(500, "An error has occurred."),
    }.get(rule.kind) or Answer(int(rule.kind), BAD_GATEWAY.replace(b"000", rule.kind.encode()), (HTML_TYPE,))

"""What must become of each record of the world once the connector is idle."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["applied", "held", "waiting", "left_out"]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What must become of one record.

    Attributes:
        outcome: `applied` (in Cin7 once; a voucher: its verdict is good), `held` (with `code`, nothing of it in Cin7),
            `waiting` (for its supplier or order, which is held), `left_out` (dated before go-live, in a state that is
            not sent, or out of our sight).
        value: names the culprit of a hold, where there is one short word for it.
        why: for people.
    """

    outcome: Outcome
    code: str = ""
    value: str = ""
    why: str = ""


APPLIED = Expected(outcome="applied")


def held(code: str, value: str, why: str) -> Expected:
    return Expected(outcome="held", code=code, value=value, why=why)

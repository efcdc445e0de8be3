"""What a check says, and how checks run: each on its own, so that one failure hides no other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeVar

import msgspec
import redis
import structlog

from shared.cin7.errors import Cin7Denied, Cin7Refused
from shared.errors import ConnectorError
from shared.ifs.errors import IfsDenied

log = structlog.get_logger()

Outcome = Literal["pass", "warn", "fail"]
Subject = TypeVar("Subject")

AGAIN: Final = "Try again in a moment; if it stays so, ask who runs the other side."


class Result(msgspec.Struct, frozen=True):
    """One line. `remedy` is empty where nothing is to be done."""

    system: str
    check: str
    outcome: Outcome
    detail: str
    remedy: str = ""


class Said(NamedTuple):
    """What a check found about one thing."""

    outcome: Outcome
    detail: str
    remedy: str = ""


class Refused(Exception):
    """The system cannot be reached or does not let us in: nothing else about it can be tried."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.said = Said("fail", detail, remedy)


Check = tuple[str, Callable[[Subject], Iterable[Said]]]


def passed(detail: str) -> Said:
    return Said("pass", detail)


def warned(detail: str, remedy: str) -> Said:
    return Said("warn", detail, remedy)


def failed(detail: str, remedy: str) -> Said:
    return Said("fail", detail, remedy)


def run_checks(system: str, subject: Subject, checks: Sequence[Check[Subject]]) -> Iterator[Result]:
    """Run the checks in order and yield what each says, as it says it."""
    for name, check in checks:
        try:
            for said in check(subject):
                yield Result(system, name, *said)
        except Refused as refused:
            yield Result(system, name, *refused.said)
            return
        except Exception as error:  # noqa: BLE001 - the other checks are worth having whatever this one met.
            yield Result(system, name, *_of_error(error))
            if _locked_out(error):
                return


def _locked_out(error: Exception) -> bool:
    """Say whether the credentials themselves were refused, and not one service."""
    return isinstance(error, Cin7Denied) or (isinstance(error, IfsDenied) and error.status == 401)


def _of_error(error: Exception) -> Said:
    """Return a failure in the error's own words; what the message asks for stands after its last colon."""
    if isinstance(error, Cin7Refused):
        return failed("; ".join(error.messages), "Correct what it names in Cin7.")
    if isinstance(error, redis.RedisError):
        return failed(f"Redis is out of reach ({type(error).__name__}).", "Start it, or correct REDIS_URL.")
    if isinstance(error, ConnectorError):
        detail, colon, remedy = str(error).rpartition(": ")
        if colon and isinstance(error, IfsDenied | Cin7Denied):
            return failed(f"{detail}.", f"{remedy[:1].upper()}{remedy[1:]}")
        return failed(str(error), AGAIN)
    log.error("a check failed by itself", error=error)
    return failed(f"The check failed by itself: {type(error).__name__}: {error}", "Report it.")

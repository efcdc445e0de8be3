"""What can go wrong in a call to Cin7, each named for what happened and inheriting who acts next."""

from collections.abc import Sequence

from shared.errors import Held, Misconfigured, Retryable
from shared.findings import Finding


class Cin7Throttled(Retryable):
    """The key has used up its calls; this one was not executed."""

    def __init__(self, message: str, *, delay_s: float) -> None:
        super().__init__(message, delay_s=delay_s, executed=False)


class Cin7Denied(Misconfigured):
    """The credentials were refused: no record is to blame."""


class Cin7Refused(Held):
    """A definite no, in Cin7's own words; nothing was written."""

    def __init__(self, status: int, messages: Sequence[str]) -> None:
        self.status = status
        self.messages = tuple(messages) or (f"HTTP status {status} without a reason",)
        super().__init__(
            [
                Finding(
                    code="target.refused",
                    field="",
                    value=message,
                    message=f"Cin7 refused: {message}",
                    remedy="Correct what it names, in the source or in Cin7, then replay.",
                )
                for message in self.messages
            ]
        )


class Cin7Unclear(Retryable):
    """No definite answer: a write may or may not have been executed, so it must be looked for before it is repeated."""

    def __init__(self, message: str, *, delay_s: float | None = None) -> None:
        super().__init__(message, delay_s=delay_s, executed=True)


class Cin7NoPage(Cin7Unclear):
    """A web page where JSON was due: Cin7's way of saying that there is nothing at this address."""

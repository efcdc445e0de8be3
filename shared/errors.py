"""Who acts next when something fails: the queue, a person, or the operator."""

from collections.abc import Sequence

from shared.findings import Finding


class ConnectorError(Exception):
    """Everything the connector raises on purpose."""


class Retryable(ConnectorError):
    """The queue acts: the same message may succeed later.

    Args:
        delay_s: seconds the other side asked us to wait; None leaves it to the back-off.
        executed: False where the call certainly had no effect (refused for its rate, never connected); True where
            it may have had one, so that a write must be looked for before it is repeated.
    """

    def __init__(self, message: str, *, delay_s: float | None = None, executed: bool = True) -> None:
        super().__init__(message)
        self.delay_s = delay_s
        self.executed = executed


class Held(ConnectorError):
    """A person acts: the record cannot go on, for these reasons."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = tuple(findings)


class Misconfigured(ConnectorError):
    """The operator acts: nothing starts until it is fixed. The message is one sentence with the remedy."""
